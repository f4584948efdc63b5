/* curves.c - the constants of both algorithms, made once in a program. */
#include "keys/curves_priv.h"

#include <stdlib.h>

struct curves *curves_new(void)
{
	struct curves *curves = calloc(1, sizeof(*curves));

	if (!curves)
		return NULL;
	curves->eccsi = eccsi_new();
	curves->sakke = sakke_new();
	if (!curves->eccsi || !curves->sakke)
		curves_free(&curves);
	return curves;
}

void curves_free(struct curves **curvesp)
{
	struct curves *curves = *curvesp;

	if (!curves)
		return;
	eccsi_free(&curves->eccsi);
	sakke_free(&curves->sakke);
	free(curves);
	*curvesp = NULL;
}
