/* letter.c - a letter's plain form (docs/key-management.md "Letters").
 *
 * Writer and reader share letter_valid(), so what one makes the other takes.
 */
#include "keys/letter.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/diag.h"
#include "base/net.h"
#include "base/text.h"
#include "keys/letter.pb-c.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "keys/wire_priv.h"

enum {
	HEAD_SIZE = 2,  /* 'L' or 'T', version */
	CHECK_SIZE = 4, /* of SHA-256 over all before it */
	VERSION = 1,
};

void letter_wipe(struct letter *letter)
{
	wipe(letter, sizeof(*letter));
}

static bool month_valid(const struct month_keys *month)
{
	return month->month >= 0 && month->month <= PERIOD_MAX && wire_keys_valid(month->packed);
}

/* Months follow each other without a gap: a device with this month and the one after next would
 * be silent for a month. */
static bool months_valid(const struct letter *letter)
{
	if (letter->n_months < 1 || letter->n_months > LETTER_MONTHS_MAX)
		return false;
	for (size_t i = 0; i < letter->n_months; i++)
		if (!month_valid(&letter->months[i]) ||
		    letter->months[i].month != letter->months[0].month + (int64_t)i)
			return false;
	return true;
}

static bool letter_valid(const struct letter *letter)
{
	enum identity_kind kind;

	return identity_check(slice_str(letter->uri), &kind) == 0 && kind == IDENTITY_USER &&
	       letter->generation > 0 && letter->created > 0 &&
	       net_is_host_port(letter->address) &&
	       account_id_valid(slice_str(letter->account)) && letter->tls_identity[0] &&
	       letter->domain[0] && text_is_clean(slice_str(letter->domain)) &&
	       wire_point_valid(letter->kpak) && wire_point_valid(letter->z) &&
	       months_valid(letter) &&
	       (letter->engines == 0 ||
		(letter->engines >= LETTER_ENGINES_MIN && letter->engines <= LETTER_ENGINES_MAX));
}

static void message_month(const struct month_keys *month, char text[PERIOD_TEXT_SIZE],
			  Keys__LetterMonth *out)
{
	keys__letter_month__init(out);
	period_text(month->month, text);
	out->period = text;
	out->revision = month->revision;
	out->keys = wire_data(month->packed, ISSUED_PACKED);
}

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c's members are not const */
}

static int pack(const struct letter *letter, uint8_t **out, size_t *len_out)
{
	char periods[LETTER_MONTHS_MAX][PERIOD_TEXT_SIZE];
	Keys__LetterMonth months[LETTER_MONTHS_MAX], *list[LETTER_MONTHS_MAX];
	Keys__Letter m = KEYS__LETTER__INIT;

	for (size_t i = 0; i < letter->n_months; i++) {
		message_month(&letter->months[i], periods[i], &months[i]);
		list[i] = &months[i];
	}
	m.uri = text_of(letter->uri);
	m.generation = letter->generation;
	m.created = letter->created;
	m.address = text_of(letter->address);
	m.account = text_of(letter->account);
	m.tls_identity = text_of(letter->tls_identity);
	m.tls_key = wire_data(letter->tls_key, sizeof(letter->tls_key));
	m.update_key = wire_data(letter->update_key, sizeof(letter->update_key));
	m.domain = text_of(letter->domain);
	m.kpak = wire_data(letter->kpak, sizeof(letter->kpak));
	m.z = wire_data(letter->z, sizeof(letter->z));
	m.months = list;
	m.n_months = letter->n_months;
	m.engines = letter->engines;
	m.max_message_lifetime = letter->max_message_lifetime;
	return wire_pack(&m.base, HEAD_SIZE, out, len_out);
}

/* Four octets find what a hand copied wrongly; forgery is the protection's matter
 * (letter_seal.c). */
static void checksum(const uint8_t *p, size_t n, uint8_t check[CHECK_SIZE])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(p, n, hash);
	memcpy(check, hash, CHECK_SIZE);
}

int letter_encode(const struct letter *letter, uint8_t out[LETTER_OCTETS_MAX], size_t *len_out)
{
	uint8_t *octets;
	size_t n;
	int err;

	if (!letter_valid(letter))
		return -EINVAL;
	err = pack(letter, &octets, &n);
	if (err)
		return err;
	/* Also for one that goes out plain: nobody shall find out later that it cannot be
	 * protected. */
	if (LETTER_PROTECTED_SIZE(n + CHECK_SIZE) > LETTER_OCTETS_MAX) {
		err = -EMSGSIZE;
	} else {
		octets[0] = 'L';
		octets[1] = VERSION;
		memcpy(out, octets, n);
		checksum(octets, n, out + n);
		*len_out = n + CHECK_SIZE;
	}
	wipe(octets, n);
	free(octets);
	return err;
}

static bool read_month(const Keys__LetterMonth *m, uint64_t created, struct month_keys *out)
{
	out->revision = m->revision;
	out->created = created;
	return period_parse(slice_str(m->period), &out->month) == 0 &&
	       wire_octets(out->packed, ISSUED_PACKED, &m->keys);
}

static bool read_message(const Keys__Letter *m, struct letter *letter)
{
	letter->generation = m->generation;
	letter->created = m->created;
	letter->engines = m->engines;
	letter->max_message_lifetime = m->max_message_lifetime;
	letter->n_months = m->n_months;
	if (m->n_months > LETTER_MONTHS_MAX)
		return false;
	for (size_t i = 0; i < m->n_months; i++)
		if (!read_month(m->months[i], m->created, &letter->months[i]))
			return false;
	return wire_text(letter->uri, sizeof(letter->uri), m->uri) &&
	       wire_text(letter->address, sizeof(letter->address), m->address) &&
	       wire_text(letter->account, sizeof(letter->account), m->account) &&
	       wire_text(letter->tls_identity, sizeof(letter->tls_identity), m->tls_identity) &&
	       wire_octets(letter->tls_key, sizeof(letter->tls_key), &m->tls_key) &&
	       wire_octets(letter->update_key, sizeof(letter->update_key), &m->update_key) &&
	       wire_text(letter->domain, sizeof(letter->domain), m->domain) &&
	       wire_octets(letter->kpak, sizeof(letter->kpak), &m->kpak) &&
	       wire_octets(letter->z, sizeof(letter->z), &m->z) && letter_valid(letter);
}

/* Unpacks the protobuf between head and checksum. */
static int read_body(struct slice body, struct letter *letter)
{
	struct wire_memory memory;
	Keys__Letter *m;
	bool ok;

	/* What protobuf-c may allocate is bounded by what the letter weighs. */
	wire_memory_init(&memory, body.n);
	m = keys__letter__unpack(&memory.allocator, body.n, body.p);
	if (!m)
		return wire_unpack_error(&memory);
	ok = read_message(m, letter);
	keys__letter__free_unpacked(m, &memory.allocator);
	return ok ? 0 : -EBADMSG;
}

static int damaged(struct diag *diag)
{
	diag_error(diag, NULL, "this is not a letter, or it is damaged");
	return -EBADMSG;
}

/* Is it a letter of this kind and of a version we know? */
static int check_head(struct slice octets, char kind, struct diag *diag)
{
	if (octets.n < HEAD_SIZE || octets.p[0] != (uint8_t)kind)
		return damaged(diag);
	if (octets.p[1] != VERSION) {
		diag_error(diag, NULL,
			   "the letter is of version %u, this program knows version %u only",
			   octets.p[1], (unsigned)VERSION);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

int letter_decode(struct slice octets, struct letter *letter_out, struct diag *diag)
{
	uint8_t check[CHECK_SIZE];
	int err;

	*letter_out = (struct letter){ 0 };
	if (letter_is_protected(octets)) {
		diag_error(diag, NULL, "the letter is protected: its QR key is needed");
		return -ENOKEY;
	}
	err = check_head(octets, 'L', diag);
	if (err)
		return err;
	if (octets.n < HEAD_SIZE + CHECK_SIZE || octets.n > LETTER_OCTETS_MAX)
		return damaged(diag);
	checksum(octets.p, octets.n - CHECK_SIZE, check);
	if (!slice_eq(slice_of(check, CHECK_SIZE), slice_from(octets, octets.n - CHECK_SIZE)))
		return damaged(diag);
	err = read_body(slice_of(octets.p + HEAD_SIZE, octets.n - HEAD_SIZE - CHECK_SIZE),
			letter_out);
	if (err) {
		letter_wipe(letter_out);
		return err == -ENOMEM ? err : damaged(diag);
	}
	return 0;
}

bool letter_is_protected(struct slice octets)
{
	return octets.n >= HEAD_SIZE && octets.p[0] == 'T';
}
