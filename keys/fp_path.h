/* fp_path.h - which of two ways the long computations over SAKKE's field take.
 * Their results are the same; objects that hold tables are made for one of them.
 */
#ifndef KEYS_FP_PATH_H
#define KEYS_FP_PATH_H

enum fp_path {
	FP_NARROW, /* one element at a time (fp.h): runs everywhere */
	FP_WIDE,   /* eight at a time (fp8.h): where fp8_usable() */
};

/* The fastest that this processor can take. */
enum fp_path fp_best_path(void);

#endif
