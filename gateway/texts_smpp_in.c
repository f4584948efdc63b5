/* texts_smpp_in.c - texts and parts from message centers to the secure side.
 *
 * deliver_sm is answered with ESME_ROK when the text, or its part, is durable, and with the
 * status that fits where it cannot be taken: a center repeats what got ESME_RX_T_APPN or
 * ESME_RMSGQFUL, and gives up on the others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/texts_smpp_priv.h"

#define MODULE "smpp"

/* ---- answers that wait ----------------------------------------------------------- */

int answers_add(struct answers *answers, const struct smpp_handle *handle, const uint8_t *key)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return -ENOMEM;
	answer->handle = *handle;
	if (key)
		memcpy(answer->key, key, sizeof(answer->key));
	*answers->tail = answer;
	answers->tail = &answer->next;
	return 0;
}

void answers_send(struct port_center *pc, struct answers *answers)
{
	while (answers->head) {
		struct answer *answer = answers->head;

		answers->head = answer->next;
		smpp_center_answer(pc->center, &answer->handle, SMPP_OK);
		free(answer);
	}
	answers->tail = &answers->head;
}

static void free_answers(struct answers *answers)
{
	while (answers->head) {
		struct answer *answer = answers->head;

		answers->head = answer->next;
		free(answer);
	}
}

void center_free_incoming(struct port_center *pc)
{
	free_answers(&pc->kept);
	free_answers(&pc->parts);
	free_answers(&pc->stored);
	while (pc->fresh) {
		struct fresh *fresh = pc->fresh;

		pc->fresh = fresh->next;
		free(fresh);
	}
	while (pc->whole) {
		struct whole *whole = pc->whole;

		pc->whole = whole->next;
		free(whole);
	}
}

/* ---- whether it may pass --------------------------------------------------------- */

/* Returns SMPP_OK with the addresses inside, or the status that fits, with why (CIG-091). */
static uint32_t translate(const struct port_center *pc, const char *from, const char *to,
			  struct cig_addresses *inner_out, const char **why_out)
{
	const char *own = texts_own_uri(pc->all->texts);
	struct cig_address_fault fault;

	if (!pc->config->reads) {
		*why_out = "the center has no read block";
		return SMPP_RX_R_APPN;
	}
	if (!*own) {
		*why_out = "there are no keys yet";
		return SMPP_RX_T_APPN;
	}
	if (cig_translate_inward(&pc->config->read, slice_str(own), slice_str(from), slice_str(to),
				 inner_out, &fault, NULL) == 1)
		return SMPP_OK;
	*why_out = fault.why;
	return fault.side == CIG_TO ? SMPP_RINVDSTADR : SMPP_RINVSRCADR;
}

static void refuse(struct port_center *pc, const struct smpp_handle *handle, uint32_t status,
		   const char *from, const char *to, const char *why)
{
	char number[SMPP_STATUS_TEXT];

	log_warn(MODULE, "center=%s from=%s to=%s is refused with %s: %s", pc->name, from, to,
		 smpp_status_name(status, number), why);
	smpp_center_answer(pc->center, handle, status);
}

static uint32_t status_of(int err)
{
	switch (err) {
	case -ENOBUFS:
		return SMPP_RMSGQFUL;
	case -EMSGSIZE:
		return SMPP_RINVMSGLEN;
	case -EINVAL:
		return SMPP_RX_P_APPN;
	default:
		return SMPP_RX_T_APPN;
	}
}

/* ---- a text in one piece --------------------------------------------------------- */

static int queue_fresh(struct port_center *pc, const struct smpp_incoming *in,
		       const struct cig_addresses *inner)
{
	/* Decoded, no alphabet takes more than SMPP_UTF8_SIZE octets. */
	size_t room = SMPP_UTF8_SIZE(in->part.content.n);
	struct fresh *fresh = calloc(1, sizeof(*fresh) + room);
	struct buf text;
	int err;

	if (!fresh)
		return -ENOMEM;
	err = keep_seen(pc, in->digest, in->maybe_repeated, fresh->key);
	if (err) {
		free(fresh);
		return err;
	}
	fresh->handle = in->handle;
	fresh->inner = *inner;
	memcpy(fresh->from, in->from, sizeof(fresh->from));
	memcpy(fresh->to, in->to, sizeof(fresh->to));
	text = buf_over(fresh->text, room);
	smpp_alphabet_decode(in->alphabet, in->part.content, &text);
	*pc->fresh_tail = fresh;
	pc->fresh_tail = &fresh->next;
	pc->n_fresh++;
	return 0;
}

static int submit(struct port_center *pc, const uint8_t key[TEXT_KEY_SIZE],
		  const struct cig_addresses *inner, const char *from, const char *to, char *text,
		  bool kept, char why[TEXT_WHY_SIZE])
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct text_in in = { .from = inner->from,
			      .to = inner->to,
			      .outer_from = from,
			      .outer_to = to,
			      .body = &body,
			      .kept = kept };

	memcpy(in.key, key, sizeof(in.key));
	body.version = 1;
	body.text = text;
	body.sent = (uint64_t)clock_wall_s();
	return texts_submit(pc->port, &in, why);
}

static void pass_text(struct port_center *pc, const struct fresh *fresh, char *text)
{
	char why[TEXT_WHY_SIZE] = "";
	int err = submit(pc, fresh->key, &fresh->inner, fresh->from, fresh->to, text, false, why);

	if (err == -EALREADY) /* a repeat of what is stored */
		smpp_center_answer(pc->center, &fresh->handle, SMPP_OK);
	else if (err)
		refuse(pc, &fresh->handle, status_of(err), fresh->from, fresh->to,
		       *why ? why : strerror(-err));
	/* It is stored and will be sent; the center, unanswered, repeats it and is told
	 * "known". */
	else if (answers_add(&pc->stored, &fresh->handle, fresh->key))
		log_warn(MODULE, "center=%s: out of memory, a text is not answered", pc->name);
}

/* ---- parts ----------------------------------------------------------------------- */

/* Is it of a text that was joined, and is not with the texts yet?  That may take long, where its
 * receiver has to be looked up. */
static bool is_joined(const struct port_center *pc, const uint8_t id[JOURNAL_ID_BYTES])
{
	for (const struct whole *whole = pc->whole; whole; whole = whole->next)
		for (size_t i = 0; i < whole->n; i++)
			if (memcmp(whole->parts[i], id, JOURNAL_ID_BYTES) == 0)
				return true;
	return false;
}

static int take_part(struct port_center *pc, const struct smpp_incoming *in)
{
	bool here = smpp_reassembly_has(pc->joining, in->from, in->to, &in->part);
	uint8_t id[JOURNAL_ID_BYTES];
	enum keep_found known = keep_find_part(pc, in, id);
	int err = 0;

	if (known == KEEP_DONE ||
	    (known == KEEP_OPEN && (here || is_joined(pc, id)))) /* a repeat */
		return answers_add(&pc->parts, &in->handle, NULL);
	/* Another text has this number: the center sends the part again, until that text has
	 * come to its end. */
	if (here)
		return -EAGAIN;
	if (known == KEEP_NONE)
		err = keep_part(pc, in);
	if (!err)
		err = smpp_reassembly_add(pc->joining, in->from, in->to, &in->part, in->alphabet,
					  id, clock_mono_ms());
	return err < 0 ? err : answers_add(&pc->parts, &in->handle, NULL);
}

/* One key for the same parts, so that a crash before they are done with repeats nothing; and
 * another one for the same words, under the same number, at another time. */
static int key_of_parts(const struct texts_smpp *smpp, const struct smpp_joined *joined,
			uint8_t key_out[TEXT_KEY_SIZE])
{
	uint8_t octets[SMPP_MAX_SEGMENTS * (SMPP_TOKEN_SIZE + 8) + 1], sum[EVP_MAX_MD_SIZE];
	struct buf b = BUF_OF(octets);

	for (unsigned i = 0; i < joined->here; i++) {
		buf_put(&b, joined->tokens[i], SMPP_TOKEN_SIZE);
		buf_put_u64(&b, (uint64_t)keep_part_end_s(smpp, joined->tokens[i]));
	}
	if (!buf_ok(&b) || EVP_Digest(octets, b.len, sum, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	memcpy(key_out, sum, TEXT_KEY_SIZE);
	return 0;
}

/* Parts that are kept, and of no text that comes, would have the next such text be a repeat. */
static void end_stored(struct port_center *pc)
{
	for (struct whole **at = &pc->whole; *at;) {
		struct whole *whole = *at;

		if (!whole->stored || !keep_parts_done(pc->all, whole->parts, whole->n)) {
			at = &whole->next;
			continue;
		}
		*at = whole->next;
		free(whole);
	}
}

static struct whole *new_whole(struct port_center *pc, const struct smpp_joined *joined,
			       const uint8_t key[TEXT_KEY_SIZE])
{
	struct whole *whole = calloc(1, sizeof(*whole) + joined->here * sizeof(whole->parts[0]));

	if (!whole)
		return NULL;
	memcpy(whole->key, key, sizeof(whole->key));
	whole->n = joined->here;
	memcpy(whole->parts, joined->tokens, joined->here * sizeof(whole->parts[0]));
	whole->next = pc->whole;
	pc->whole = whole;
	return whole;
}

/* Returns 0 when the joined text is with the texts, or is given up; or -errno: later. */
static int pass_joined(struct port_center *pc, const struct smpp_joined *joined)
{
	char why[TEXT_WHY_SIZE] = "";
	struct cig_addresses inner;
	uint8_t key[TEXT_KEY_SIZE];
	struct whole *whole;
	const char *no;
	uint32_t status = translate(pc, joined->source, joined->dest, &inner, &no);
	/* SMPP_RX_T_APPN is "not now" (no keys yet): the parts wait. */
	int err = status == SMPP_RX_T_APPN ? -EAGAIN : key_of_parts(pc->all, joined, key);

	if (!err && status == SMPP_OK) {
		whole = new_whole(pc, joined, key);
		/* Its parts are kept, and were answered. */
		err = whole ? submit(pc, key, &inner, joined->source, joined->dest, joined->text,
				     true, why)
			    : -ENOMEM;
		if (whole && err && err != -EALREADY) {
			pc->whole = whole->next;
			free(whole);
		}
	} else if (!err) {
		snprintf(why, sizeof(why), "%s", no);
		err = -EINVAL;
	}
	if (err == -EALREADY)
		center_stored(pc, key);
	if (err == 0 || err == -EALREADY) {
		log_info(MODULE, "center=%s from=%s to=%s: %u of %u parts make a text", pc->name,
			 joined->source, joined->dest, joined->here, joined->total);
		return 0;
	}
	/* Only these two are final: the text itself is at fault. */
	if (err != -EINVAL && err != -EMSGSIZE)
		return err;
	/* Its parts were answered long ago: the log is the only one to tell. */
	log_warn(MODULE, "center=%s from=%s to=%s: a text of %u parts is lost: %s", pc->name,
		 joined->source, joined->dest, joined->here, why);
	if (!keep_parts_done(pc->all, joined->tokens, joined->here)) {
		whole = new_whole(pc, joined, key);
		if (whole)
			whole->stored = true;
	}
	return 0;
}

/* ---- in and on ------------------------------------------------------------------- */

void center_incoming(struct port_center *pc, const struct smpp_incoming *in)
{
	struct cig_addresses inner;
	const char *why = "";
	uint32_t status = translate(pc, in->from, in->to, &inner, &why);
	int err;

	if (status != SMPP_OK) {
		refuse(pc, &in->handle, status, in->from, in->to, why);
		return;
	}
	if (pc->n_fresh >= CENTER_FRESH_MAX)
		err = -ENOBUFS;
	else
		err = in->part.is_part ? take_part(pc, in) : queue_fresh(pc, in, &inner);
	if (err)
		refuse(pc, &in->handle, status_of(err), in->from, in->to, strerror(-err));
	event_active(pc->all->soon, EV_TIMEOUT, 0);
}

void center_pass_on(struct port_center *pc)
{
	struct smpp_joined joined;

	/* First: parts are durable since the sync that came before this. */
	answers_send(pc, &pc->parts);
	end_stored(pc); /* what a full disk did not take before */
	while (pc->fresh) {
		struct fresh *fresh = pc->fresh;

		pc->fresh = fresh->next;
		pc->n_fresh--;
		pass_text(pc, fresh, fresh->text);
		free(fresh);
	}
	pc->fresh_tail = &pc->fresh;
	while (smpp_reassembly_take(pc->joining, clock_mono_ms(), &joined)) {
		int err = pass_joined(pc, &joined);

		smpp_reassembly_done(pc->joining, err == 0);
		if (err)
			return; /* tried again by the timer */
	}
}

/* Several answers may wait for one key: a text and its repeats. */
static void answer_stored(struct port_center *pc, const uint8_t key[TEXT_KEY_SIZE], uint32_t status)
{
	for (struct answer **at = &pc->stored.head; *at;) {
		struct answer *answer = *at;

		if (memcmp(answer->key, key, TEXT_KEY_SIZE) != 0) {
			at = &answer->next;
			continue;
		}
		*at = answer->next;
		if (!*at)
			pc->stored.tail = at;
		smpp_center_answer(pc->center, &answer->handle, status);
		free(answer);
	}
}

void center_forgotten(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	answer_stored(arg, key, SMPP_RX_T_APPN);
}

/* The texts' journal has it. */
void center_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	struct port_center *pc = arg;

	answer_stored(pc, key, SMPP_OK);
	for (struct whole *whole = pc->whole; whole; whole = whole->next)
		whole->stored = whole->stored || memcmp(whole->key, key, TEXT_KEY_SIZE) == 0;
	end_stored(pc);
}
