/* sakke.h - SAKKE (RFC 6508) with parameter set 1 (RFC 6509 appendix A): seals a
 * secret of 16 octets to an identity.
 *
 * An identity is its identifier's octets (identity.h).  Points that arrive are
 * checked to be on the curve before any use, Z and receiver keys to be of order
 * q; decapsulation always seals again and compares.  Secrets are used in
 * constant time.
 *
 * Threads: every object is immutable once made.
 */
#ifndef KEYS_SAKKE_H
#define KEYS_SAKKE_H

#include "base/slice.h"
#include "keys/fp_path.h"
#include "keys/scalar.h"

struct sakke;
struct sakke_kms;
struct sakke_receiver;

enum {
	SAKKE_SSV = 16,
	SAKKE_POINT = 257,
	SAKKE_SEALED = SAKKE_POINT + SAKKE_SSV, /* R_b, H: RFC 6508 4 */
};

/* The tables of P and g (some 20 ms), for the fastest path that this processor can
 * take.  Returns NULL when memory is out. */
struct sakke *sakke_new(void);

/* The same for a given path, which all that is made from it takes, too: how tests
 * and benchmarks reach both.  FP_WIDE only where fp_best_path() is so. */
struct sakke *sakke_new_for(enum fp_path path);

/* Frees *sakkep and sets it to NULL; *sakkep may be NULL.  Free what was made with it first. */
void sakke_free(struct sakke **sakkep);

/* A key management server as others see it: Z with its table (some 10 ms).
 * z has 257 or 129 octets.  Returns 0, -EINVAL (no point of order q), -ENOMEM,
 * -EIO.  sakke must live longer. */
int sakke_kms_new(const struct sakke *sakke, struct slice z, struct sakke_kms **kms_out);
/* Frees *kmsp and sets it to NULL; *kmsp may be NULL. */
void sakke_kms_free(struct sakke_kms **kmsp);

/* What a sealing met; both make a receiver that drops leading zeros fail. */
struct sakke_zeros {
	bool of_value;  /* g^r begins with a zero octet */
	bool of_hidden; /* H does */
};

/* Seals ssv to the identifier (RFC 6508 6.2.1).  zeros_out may be NULL.
 * Returns 0, -EINVAL (identifier over 120 octets), -EIO, -ENOMEM. */
int sakke_seal(const struct sakke_kms *kms, struct slice identifier, const uint8_t ssv[SAKKE_SSV],
	       uint8_t out[SAKKE_SEALED], struct sakke_zeros *zeros_out);

/* A receiver's key made ready: checked as RFC 6508 6.1.2 says, its pairing lines
 * and the table of [b]P + Z computed (some 35 ms, 0.8 MB).  rsk has 257 or 129
 * octets.  Returns 0, -EKEYREJECTED when it is not the identifier's key, -EINVAL
 * when it is no point of order q, -ENOMEM, -EIO. */
int sakke_receiver_new(const struct sakke_kms *kms, struct slice identifier, struct slice rsk,
		       struct sakke_receiver **receiver_out);

/* Wipes it. */
void sakke_receiver_free(struct sakke_receiver **receiverp);

/* Opens what was sealed to this receiver (RFC 6508 6.2.2): 273 octets, or down to 258 from
 * a sender that drops leading zeros of g^r and H.
 * Returns 0, -EBADMSG for every fault of the input (ssv_out is then wiped), -EIO,
 * -ENOMEM. */
int sakke_open(const struct sakke_receiver *receiver, struct slice sealed,
	       uint8_t ssv_out[SAKKE_SSV]);

/* The key management server's side: Z = [z]P, and K_b = [1/(b + z)]P (RFC 6508
 * 6.1.1).  Return 0, -EINVAL (identifier), -EDOM (b + z is 0), -EIO, -ENOMEM. */
int sakke_public(const struct sakke *sakke, const struct scalar *z, uint8_t out[SAKKE_POINT]);
int sakke_issue(const struct sakke *sakke, const struct scalar *z, struct slice identifier,
		uint8_t rsk_out[SAKKE_POINT]);

#endif
