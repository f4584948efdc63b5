/* srtp_priv.h - the ciphers under srtp.c: one keyed set for RTP, one for RTCP. */
#ifndef MEDIA_SRTP_PRIV_H
#define MEDIA_SRTP_PRIV_H

#include "media/srtp.h"

struct srtp_cipher;

enum { SRTP_LABEL_RTP = 0, SRTP_LABEL_RTCP = 3 }; /* of the encryption key; RFC 3711 4.3.1 */

/* Derives encryption key, authentication key and salt by the labels label,
 * label + 1 and label + 2.  Returns 0, -ENOMEM or -EIO. */
int srtp_cipher_new(enum srtp_profile profile, enum srtp_direction direction,
		    const struct srtp_key *key, uint8_t label, struct srtp_cipher **cipher_out);
/* Wipes and frees *cipherp and sets it to NULL; *cipherp may be NULL. */
void srtp_cipher_free(struct srtp_cipher **cipherp);

/* The octets that authentication adds to packets under that label: 4 (RFC 4568 6.2.2: of RTP
 * only), 10 or 16. */
size_t srtp_tag_size(enum srtp_profile profile, uint8_t label);

/* What one operation works on: packet = clear header, body, and for RTP the index
 * of which the rollover counter is authenticated but not sent. */
struct srtp_job {
	uint8_t *packet;
	size_t header, body; /* octets */
	uint32_t ssrc;
	uint64_t index;       /* 48 bits; RTCP: 31 */
	struct slice trailer; /* authenticated, too: ROC, or RTCP's E flag and index */
	bool clear;           /* RTCP with E = 0: the body is only authenticated */
};

/* Encrypts the body in place and writes the tag.  Returns 0 or -EIO. */
int srtp_cipher_seal(struct srtp_cipher *cipher, const struct srtp_job *job, uint8_t *tag);

/* Checks the tag in constant time, then decrypts the body.  Returns 0, -EACCES or
 * -EIO. */
int srtp_cipher_open(struct srtp_cipher *cipher, const struct srtp_job *job, const uint8_t *tag);

#endif
