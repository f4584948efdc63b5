/* reassembly.c - a list of messages in parts, bounded in number and octets.
 *
 * Looks are linear: there are few at a time, as a center sends a message's parts one behind the
 * other.
 */
#include "smpp/reassembly.h"

#include <errno.h>
#include <stdlib.h>

struct piece {
	uint8_t *octets; /* NULL: it has not come */
	size_t n;
	enum smpp_alphabet alphabet;
	uint8_t token[SMPP_TOKEN_SIZE];
};

struct joining {
	struct joining *next;
	char *source, *dest;
	uint16_t reference;
	bool wide;
	unsigned total, here;
	int64_t first_ms;
	struct piece pieces[];
};

/* In the order of first_ms: what is over time is in front. */
struct smpp_reassembly {
	struct joining *head, **tail;
	size_t count, octets;
	int64_t limit_ms;
	struct joining *out; /* given out, with what was made for it: */
	uint8_t (*tokens)[SMPP_TOKEN_SIZE];
	char *text;
};

struct smpp_reassembly *smpp_reassembly_new(int64_t limit_ms)
{
	struct smpp_reassembly *r = calloc(1, sizeof(*r));

	if (r) {
		r->limit_ms = limit_ms ? limit_ms : SMPP_JOINING_MS;
		r->tail = &r->head;
	}
	return r;
}

static void joining_free(struct smpp_reassembly *r, struct joining *j)
{
	for (unsigned i = 0; i < j->total; i++) {
		r->octets -= j->pieces[i].n;
		free(j->pieces[i].octets);
	}
	free(j->source);
	free(j->dest);
	free(j);
}

static void forget_out(struct smpp_reassembly *r)
{
	free(r->tokens);
	free(r->text);
	r->out = NULL;
	r->tokens = NULL;
	r->text = NULL;
}

void smpp_reassembly_free(struct smpp_reassembly **reassemblyp)
{
	struct smpp_reassembly *r = *reassemblyp;

	if (!r)
		return;
	*reassemblyp = NULL;
	forget_out(r);
	while (r->head) {
		struct joining *j = r->head;

		r->head = j->next;
		joining_free(r, j);
	}
	free(r);
}

/* A reference is its sender's own: only with both addresses and the number of parts it says which
 * message is meant (TS 23.040, 9.2.3.24.1). */
static struct joining *find(const struct smpp_reassembly *r, const char *source, const char *dest,
			    const struct smpp_part *part)
{
	for (struct joining *j = r->head; j; j = j->next)
		if (j->reference == part->reference && j->wide == part->wide &&
		    j->total == part->total && strcmp(j->source, source) == 0 &&
		    strcmp(j->dest, dest) == 0)
			return j;
	return NULL;
}

bool smpp_reassembly_has(const struct smpp_reassembly *reassembly, const char *source,
			 const char *dest, const struct smpp_part *part)
{
	const struct joining *j = find(reassembly, source, dest, part);

	return j && j->pieces[part->index - 1].octets;
}

static struct joining *begin(struct smpp_reassembly *r, const char *source, const char *dest,
			     const struct smpp_part *part, int64_t now_ms)
{
	struct joining *j = calloc(1, sizeof(*j) + part->total * sizeof(j->pieces[0]));

	if (!j)
		return NULL;
	j->source = strdup(source);
	j->dest = strdup(dest);
	j->reference = part->reference;
	j->wide = part->wide;
	j->total = part->total;
	j->first_ms = now_ms;
	if (!j->source || !j->dest) {
		joining_free(r, j);
		return NULL;
	}
	*r->tail = j;
	r->tail = &j->next;
	r->count++;
	return j;
}

static void unlink_joining(struct smpp_reassembly *r, struct joining *j)
{
	struct joining **at = &r->head;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (!j->next)
		r->tail = at;
	j->next = NULL;
	r->count--;
}

int smpp_reassembly_add(struct smpp_reassembly *reassembly, const char *source, const char *dest,
			const struct smpp_part *part, enum smpp_alphabet alphabet,
			const uint8_t token[SMPP_TOKEN_SIZE], int64_t now_ms)
{
	struct joining *j = find(reassembly, source, dest, part);
	struct piece *piece;
	uint8_t *octets;

	/* index is from 1 to total: smpp_part_read() checked it, and find() that total is the
	 * same. */
	if (j && j->pieces[part->index - 1].octets)
		return -EEXIST;
	if ((!j && reassembly->count >= SMPP_JOINING_MAX) ||
	    reassembly->octets + part->content.n > SMPP_JOINING_OCTETS)
		return -ENOBUFS;
	/* One more: an empty part is there, too, and its pointer tells it from one that has not
	 * come. */
	octets = malloc(part->content.n + 1);
	if (!j && octets)
		j = begin(reassembly, source, dest, part, now_ms);
	if (!j || !octets) {
		free(octets);
		return -ENOMEM;
	}
	if (part->content.n)
		memcpy(octets, part->content.p, part->content.n);
	piece = &j->pieces[part->index - 1];
	piece->octets = octets;
	piece->n = part->content.n;
	piece->alphabet = alphabet;
	memcpy(piece->token, token, SMPP_TOKEN_SIZE);
	reassembly->octets += piece->n;
	return ++j->here == j->total;
}

/* Octets of neighbours in one alphabet are decoded together: some senders cut within a
 * surrogate pair. */
static unsigned decode_run(const struct joining *j, unsigned first, uint8_t *octets,
			   struct buf *out)
{
	unsigned i = first;
	size_t n = 0;

	for (; i < j->total && j->pieces[i].octets &&
	       j->pieces[i].alphabet == j->pieces[first].alphabet;
	     i++) {
		memcpy(octets + n, j->pieces[i].octets, j->pieces[i].n);
		n += j->pieces[i].n;
	}
	smpp_alphabet_decode(j->pieces[first].alphabet, slice_of(octets, n), out);
	return i;
}

static char *join(const struct joining *j)
{
	static const char gap[] = "[...]";
	size_t n = 0, room;
	uint8_t *octets;
	struct buf out;
	char *text;

	for (unsigned i = 0; i < j->total; i++)
		n += j->pieces[i].n;
	room = SMPP_UTF8_SIZE(n) + j->total * sizeof(gap);
	octets = malloc(n + 1);
	text = malloc(room);
	if (!octets || !text) {
		free(octets);
		free(text);
		return NULL;
	}
	out = buf_over(text, room);
	for (unsigned i = 0; i < j->total;) {
		if (j->pieces[i].octets) {
			i = decode_run(j, i, octets, &out);
			continue;
		}
		buf_put_str(&out, gap);
		while (i < j->total && !j->pieces[i].octets)
			i++;
	}
	free(octets);
	return text;
}

static bool prepare(struct smpp_reassembly *r, struct joining *j)
{
	unsigned n = 0;

	r->text = join(j);
	r->tokens = calloc(j->here, sizeof(*r->tokens));
	if (!r->text || !r->tokens) {
		forget_out(r);
		return false;
	}
	for (unsigned i = 0; i < j->total; i++)
		if (j->pieces[i].octets)
			memcpy(r->tokens[n++], j->pieces[i].token, SMPP_TOKEN_SIZE);
	r->out = j;
	return true;
}

bool smpp_reassembly_take(struct smpp_reassembly *reassembly, int64_t now_ms,
			  struct smpp_joined *joined_out)
{
	struct joining *j = reassembly->head;

	/* Whole ones may stand behind others that wait. */
	while (j && j->here < j->total && now_ms - j->first_ms < reassembly->limit_ms)
		j = j->next;
	if (!j || !prepare(reassembly, j))
		return false;
	*joined_out = (struct smpp_joined){ .source = j->source,
					    .dest = j->dest,
					    .text = reassembly->text,
					    .whole = j->here == j->total,
					    .total = j->total,
					    .here = j->here,
					    .tokens = reassembly->tokens,
					    .first_ms = j->first_ms };
	return true;
}

void smpp_reassembly_done(struct smpp_reassembly *reassembly, bool kept)
{
	struct joining *j = reassembly->out;

	forget_out(reassembly);
	if (!j || !kept)
		return;
	unlink_joining(reassembly, j);
	joining_free(reassembly, j);
}

int64_t smpp_reassembly_due_ms(const struct smpp_reassembly *reassembly)
{
	return reassembly->head ? reassembly->head->first_ms + reassembly->limit_ms : -1;
}

size_t smpp_reassembly_count(const struct smpp_reassembly *reassembly)
{
	return reassembly->count;
}
