/* curves_priv.h - what a struct curves holds, for the modules of this folder. */
#ifndef KEYS_CURVES_PRIV_H
#define KEYS_CURVES_PRIV_H

#include "keys/curves.h"
#include "keys/eccsi.h"
#include "keys/sakke.h"

struct curves {
	struct eccsi *eccsi;
	struct sakke *sakke;
};

#endif
