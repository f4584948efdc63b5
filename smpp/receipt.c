/* receipt.c - reads receipts, and finds the message by whatever spelling of its id.
 *
 * Three hash tables over the same objects: by text, by decimal and by hexadecimal value.
 */
#include "smpp/receipt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* ---- reading --------------------------------------------------------------------- */

static const struct {
	const char *word; /* of the text: seven letters, and what some centers write out */
	uint8_t state;
} words[] = {
	{ "ENROUTE", SMPP_STATE_ENROUTE },           { "DELIVRD", SMPP_STATE_DELIVERED },
	{ "DELIVERED", SMPP_STATE_DELIVERED },       { "EXPIRED", SMPP_STATE_EXPIRED },
	{ "DELETED", SMPP_STATE_DELETED },           { "UNDELIV", SMPP_STATE_UNDELIVERABLE },
	{ "UNDELIVERED", SMPP_STATE_UNDELIVERABLE }, { "ACCEPTD", SMPP_STATE_ACCEPTED },
	{ "ACCEPTED", SMPP_STATE_ACCEPTED },         { "UNKNOWN", SMPP_STATE_UNKNOWN },
	{ "REJECTD", SMPP_STATE_REJECTED },          { "REJECTED", SMPP_STATE_REJECTED },
};

bool smpp_receipt_is(const struct smpp_pdu *pdu)
{
	uint8_t type = pdu->esm_class & SMPP_ESM_TYPE;
	struct slice id;

	/* Some centers forget the type, and no other message has the id of another one. */
	return type == SMPP_ESM_RECEIPT ||
	       (type == 0 && smpp_tlv_find(pdu->tlvs, SMPP_TAG_RECEIPTED_MESSAGE_ID, &id));
}

static bool same_letters(const uint8_t *p, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (toupper(p[i]) != toupper((unsigned char)word[i]))
			return false;
	return true;
}

/* The text behind "key:", up to the next blank; keys are of any case.  A key begins the
 * text or follows a blank, so that "id:" is not found in "invalid:". */
static struct slice text_value(struct slice text, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i + n <= text.n; i++) {
		size_t end = i + n;

		if ((i && text.p[i - 1] != ' ') || !same_letters(text.p + i, key, n))
			continue;
		while (end < text.n && text.p[end] > ' ')
			end++;
		return slice_of(text.p + i + n, end - i - n);
	}
	return slice_of(NULL, 0);
}

static uint8_t state_of_word(struct slice word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == word.n && same_letters(word.p, words[i].word, word.n))
			return words[i].state;
	return SMPP_STATE_NONE;
}

int smpp_receipt_read(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_out)
{
	struct slice text = smpp_pdu_message(pdu), value;
	struct smpp_receipt r = { .state = SMPP_STATE_NONE };
	uint32_t state;

	/* The parameter is the protocol's; the form of the text is each center's own (Appendix
	 * B). */
	if (!smpp_tlv_find(pdu->tlvs, SMPP_TAG_RECEIPTED_MESSAGE_ID, &value) || value.n == 0)
		value = text_value(text, "id:");
	smpp_copy_visible(r.id, sizeof(r.id), value);
	if (smpp_tlv_number(pdu->tlvs, SMPP_TAG_MESSAGE_STATE, 1, &state))
		r.state = (uint8_t)state;
	else
		r.state = state_of_word(text_value(text, "stat:"));
	value = text_value(text, "err:");
	smpp_copy_visible(r.error, sizeof(r.error), value);
	*receipt_out = r;
	return r.id[0] ? 0 : -EBADMSG;
}

const char *smpp_message_state_name(uint8_t state)
{
	static const char *const names[] = { "none",     "enroute", "delivered",
					     "expired",  "deleted", "undeliverable",
					     "accepted", "unknown", "rejected" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

bool smpp_message_state_is_final(uint8_t state)
{
	return (state >= SMPP_STATE_DELIVERED && state <= SMPP_STATE_UNDELIVERABLE) ||
	       state == SMPP_STATE_REJECTED;
}

/* ---- finding the message --------------------------------------------------------- */

/* An awaited id is found under its text (leading zeros and case aside), and under the
 * number that it is as decimal and as hexadecimal digits, if it is one of 64 bits. */
enum spelling { AS_TEXT, AS_DECIMAL, AS_HEX, SPELLINGS };

struct smpp_awaiting {
	struct smpp_awaited **buckets[SPELLINGS];
	unsigned bits;
	size_t count;
};

enum { FIRST_BITS = 8, MAX_BITS = 24 };

static const char *without_zeros(const char *id)
{
	while (id[0] == '0' && id[1])
		id++;
	return id;
}

static bool same_text(const char *a, const char *b)
{
	a = without_zeros(a);
	b = without_zeros(b);
	return strlen(a) == strlen(b) && same_letters((const uint8_t *)a, b, strlen(a));
}

/* "0x1F" counts as hexadecimal, too. */
static bool number_of(const char *id, unsigned base, uint64_t *out)
{
	uint64_t n = 0;

	if (base == 16 && id[0] == '0' && (id[1] == 'x' || id[1] == 'X'))
		id += 2;
	if (!*id)
		return false;
	for (; *id; id++) {
		int c = toupper((unsigned char)*id);
		unsigned digit = isdigit(c)             ? (unsigned)(c - '0')
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
							: 99;

		/* More than 64 bits is no number here; by its text it is still found. */
		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return true;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	return x;
}

/* The hash of an id in one of its spellings; false where it has none. */
static bool hash_of(const char *id, enum spelling spelling, uint64_t *out)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325), n;

	if (spelling != AS_TEXT) {
		if (!number_of(id, spelling == AS_HEX ? 16 : 10, &n))
			return false;
		*out = mix(n);
		return true;
	}
	for (id = without_zeros(id); *id; id++)
		h = (h ^ (uint64_t)toupper((unsigned char)*id)) * UINT64_C(0x100000001b3);
	*out = mix(h);
	return true;
}

static struct smpp_awaited **bucket(const struct smpp_awaiting *a, enum spelling spelling,
				    uint64_t hash)
{
	return &a->buckets[spelling][hash & ((UINT64_C(1) << a->bits) - 1)];
}

static int make_buckets(struct smpp_awaited **buckets[SPELLINGS], unsigned bits)
{
	for (int i = 0; i < SPELLINGS; i++) {
		buckets[i] = calloc((size_t)1 << bits, sizeof(*buckets[i]));
		if (!buckets[i]) {
			while (i-- > 0)
				free(buckets[i]);
			return -ENOMEM;
		}
	}
	return 0;
}

struct smpp_awaiting *smpp_awaiting_new(void)
{
	struct smpp_awaiting *a = calloc(1, sizeof(*a));

	if (a && make_buckets(a->buckets, FIRST_BITS)) {
		free(a);
		return NULL;
	}
	if (a)
		a->bits = FIRST_BITS;
	return a;
}

void smpp_awaiting_free(struct smpp_awaiting **awaitingp)
{
	if (!*awaitingp)
		return;
	for (int i = 0; i < SPELLINGS; i++)
		free((*awaitingp)->buckets[i]);
	free(*awaitingp);
	*awaitingp = NULL;
}

static void link_spelling(struct smpp_awaiting *a, struct smpp_awaited *w, enum spelling spelling)
{
	struct smpp_awaited **at;
	uint64_t hash;

	w->linked[spelling] = hash_of(w->id, spelling, &hash);
	if (!w->linked[spelling])
		return;
	/* The first one with a hash is found first, so the oldest stays in front. */
	for (at = bucket(a, spelling, hash); *at; at = &(*at)->next[spelling])
		;
	w->next[spelling] = NULL;
	*at = w;
}

/* Without memory the buckets stay as few as they are: slower, no more. */
static void grow(struct smpp_awaiting *a)
{
	/* Four times as many: all are linked anew, so rather seldom. */
	struct smpp_awaiting bigger = { .bits = a->bits + 2, .count = a->count };

	if (a->bits >= MAX_BITS || make_buckets(bigger.buckets, bigger.bits))
		return;
	for (int s = 0; s < SPELLINGS; s++) {
		for (size_t i = 0; i < (size_t)1 << a->bits; i++)
			for (struct smpp_awaited *w = a->buckets[s][i], *next; w; w = next) {
				next = w->next[s];
				link_spelling(&bigger, w, (enum spelling)s);
			}
		free(a->buckets[s]);
	}
	*a = bigger;
}

void smpp_awaiting_add(struct smpp_awaiting *awaiting, struct smpp_awaited *awaited)
{
	if (awaiting->count >= (size_t)1 << awaiting->bits)
		grow(awaiting);
	for (int s = 0; s < SPELLINGS; s++)
		link_spelling(awaiting, awaited, (enum spelling)s);
	awaiting->count++;
}

void smpp_awaiting_remove(struct smpp_awaiting *awaiting, struct smpp_awaited *awaited)
{
	for (int s = 0; s < SPELLINGS; s++) {
		struct smpp_awaited **at;
		uint64_t hash;

		if (!awaited->linked[s] || !hash_of(awaited->id, (enum spelling)s, &hash))
			continue;
		for (at = bucket(awaiting, (enum spelling)s, hash); *at != awaited;
		     at = &(*at)->next[s])
			;
		*at = awaited->next[s];
		awaited->linked[s] = false;
	}
	awaiting->count--;
}

static bool same_number(struct slice from, const char *dest)
{
	if (from.n && from.p[0] == '+')
		from = slice_from(from, 1);
	return slice_eq_str(from, *dest == '+' ? dest + 1 : dest);
}

/* Those whose id, read as `spelling`, is the number that id is in the other base. */
static struct smpp_awaited *find_number(const struct smpp_awaiting *a, const char *id,
					struct slice from, enum spelling spelling)
{
	uint64_t n, theirs;

	if (!number_of(id, spelling == AS_HEX ? 10 : 16, &n))
		return NULL;
	for (struct smpp_awaited *w = *bucket(a, spelling, mix(n)); w; w = w->next[spelling])
		if (number_of(w->id, spelling == AS_HEX ? 16 : 10, &theirs) && theirs == n &&
		    same_number(from, w->dest))
			return w;
	return NULL;
}

struct smpp_awaited *smpp_awaiting_find(const struct smpp_awaiting *awaiting, const char *id,
					struct slice from)
{
	struct smpp_awaited *found;
	uint64_t hash;

	/* A text always has a hash. */
	hash_of(id, AS_TEXT, &hash);
	for (found = *bucket(awaiting, AS_TEXT, hash); found; found = found->next[AS_TEXT])
		if (same_text(found->id, id))
			return found;
	found = find_number(awaiting, id, from, AS_HEX);
	return found ? found : find_number(awaiting, id, from, AS_DECIMAL);
}

size_t smpp_awaiting_count(const struct smpp_awaiting *awaiting)
{
	return awaiting->count;
}
