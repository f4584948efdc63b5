/* curves.h - what all key operations share: the P-256 group of ECCSI and the
 * constants and tables of SAKKE's parameter set 1.
 *
 * A program makes one at its start (some 20 ms, 0.7 MB), hands the pointer to
 * whatever needs it and frees it last.  Threads: immutable once made; any number
 * may use it at once.
 */
#ifndef KEYS_CURVES_H
#define KEYS_CURVES_H

struct curves;

/* Returns NULL when memory is out. */
struct curves *curves_new(void);

/* Frees *curvesp and sets it to NULL; *curvesp may be NULL.  Nothing that was made with them
 * may be used afterwards. */
void curves_free(struct curves **curvesp);

#endif
