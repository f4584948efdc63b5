/* certificate.c - the octets of a domain's certificate (docs/key-management.md "Certificates"). */
#include "keys/certificate.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/diag.h"
#include "keys/update.pb-c.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

enum { HEAD_SIZE = 2, CHECK_SIZE = 4, VERSION = 1 };

/* Against damage in typing and scanning only; who made it the fingerprint has to tell. */
static void checksum(const uint8_t *p, size_t n, uint8_t check[CHECK_SIZE])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(p, n, hash);
	memcpy(check, hash, CHECK_SIZE);
}

int certificate_encode(const struct update_domain *domain, uint8_t out[CERTIFICATE_OCTETS_MAX],
		       size_t *len_out)
{
	Keys__UpdateDomain m;
	uint8_t *octets;
	size_t n;
	int err;

	if (!update_domain_valid(domain))
		return -EINVAL;
	update_domain_message(domain, &m);
	err = wire_pack(&m.base, HEAD_SIZE, &octets, &n);
	if (err)
		return err;
	/* Not with names of LETTER_DOMAIN_MAX octets; whoever raises that hears of it here. */
	if (n + CHECK_SIZE > CERTIFICATE_OCTETS_MAX) {
		free(octets);
		return -EINVAL;
	}
	octets[0] = 'C';
	octets[1] = VERSION;
	memcpy(out, octets, n);
	checksum(out, n, out + n);
	*len_out = n + CHECK_SIZE;
	free(octets);
	return 0;
}

/* Typed by people, so from anybody: unpacked with bounded memory. */
static int read_body(struct slice body, struct update_domain *domain)
{
	struct wire_memory memory;
	Keys__UpdateDomain *m;
	bool ok;

	wire_memory_init(&memory, body.n);
	m = keys__update_domain__unpack(&memory.allocator, body.n, body.p);
	if (!m)
		return wire_unpack_error(&memory);
	ok = update_domain_read(m, domain) && update_domain_valid(domain);
	keys__update_domain__free_unpacked(m, &memory.allocator);
	return ok ? 0 : -EBADMSG;
}

/* A later version is told from damage, as there is something to be done about it. */
int certificate_decode(struct slice octets, struct update_domain *domain_out, struct diag *diag)
{
	uint8_t check[CHECK_SIZE];
	size_t covered = octets.n - CHECK_SIZE;
	int err = -EBADMSG;

	*domain_out = (struct update_domain){ 0 };
	if (octets.n >= HEAD_SIZE && octets.p[0] == 'C' && octets.p[1] != VERSION) {
		diag_error(diag, NULL,
			   "the certificate is of version %u, this program knows version %u only",
			   octets.p[1], (unsigned)VERSION);
		return -EPROTONOSUPPORT;
	}
	if (octets.n >= HEAD_SIZE + CHECK_SIZE && octets.n <= CERTIFICATE_OCTETS_MAX &&
	    octets.p[0] == 'C') {
		checksum(octets.p, covered, check);
		if (memcmp(check, octets.p + covered, CHECK_SIZE) == 0)
			err = read_body(slice_of(octets.p + HEAD_SIZE, covered - HEAD_SIZE),
					domain_out);
	}
	if (!err)
		return 0;
	*domain_out = (struct update_domain){ 0 };
	if (err == -ENOMEM)
		return err;
	diag_error(diag, NULL, "this is not a domain certificate, or it is damaged");
	return -EBADMSG;
}
