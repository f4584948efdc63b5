/* center_out.c - texts in hand: cut, submitted in order, and what the center answers.
 *
 *     a part:  WAITING --submit--> SENT --OK--> TAKEN
 *                  ^                 |
 *                  +--put_back()-----+   throttled, unanswered, refused
 *
 * A text is over when none of its parts is on its way, and all are taken or it has another fate
 * (is_over); sweep() then tells it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "smpp/center_priv.h"

#define MODULE "smpp"

enum {
	PART_BITS = 8,     /* of a token: which part; the rest is the slot */
	RECEIPT_FINAL = 1, /* registered_delivery: a receipt of success or failure (5.2.17) */
};

static bool is_bound(const struct smpp_center *center)
{
	const struct smpp_session *session = center->links[0].session;

	return session && !center->links[0].ended && smpp_session_state(session) == SMPP_BOUND;
}

/* ---- a text becomes a job -------------------------------------------------------- */

static void job_free(struct job *job)
{
	if (!job)
		return;
	free(job->octets);
	free(job->parts);
	free(job);
}

void center_free_jobs(struct smpp_center *center)
{
	while (center->jobs) {
		struct job *job = center->jobs;

		center->jobs = job->next;
		job_free(job);
	}
}

/* "YYMMDDhhmmsstnnp", UTC (7.1.1). */
static void write_validity(char out[17], int64_t end_s)
{
	time_t at = (time_t)end_s;
	struct tm tm;
	unsigned parts[6];
	struct buf b = buf_over(out, 17);

	if (!gmtime_r(&at, &tm))
		return;
	parts[0] = (unsigned)tm.tm_year % 100;
	parts[1] = (unsigned)tm.tm_mon + 1;
	parts[2] = (unsigned)tm.tm_mday;
	parts[3] = (unsigned)tm.tm_hour;
	parts[4] = (unsigned)tm.tm_min;
	parts[5] = (unsigned)tm.tm_sec;
	for (size_t i = 0; i < 6; i++)
		buf_printf(&b, "%02u", parts[i]);
	buf_put_str(&b, "000+");
}

static int read_addresses(const struct smpp_center *center, const struct smpp_text *text,
			  struct job *job, char why[SMPP_WHY_SIZE])
{
	static const char too_long[] = "longer than 20 characters", unfit[] = "no ASCII text";
	int err =
		smpp_address_from_text(slice_str(text->from), &center->options.source, &job->from);

	if (err) {
		snprintf(why, SMPP_WHY_SIZE, "the sender's address is %s",
			 err == -E2BIG ? too_long : unfit);
		return -EINVAL;
	}
	err = smpp_address_from_text(slice_str(text->to), &center->options.dest, &job->to);
	if (err) {
		snprintf(why, SMPP_WHY_SIZE, "the receiver's address is %s",
			 err == -E2BIG ? too_long : unfit);
		return -EINVAL;
	}
	return 0;
}

static int encode(const struct smpp_center *center, const char *text, struct job *job)
{
	struct slice utf8 = slice_str(text);
	size_t room = 2 * utf8.n + 2; /* two octets a character at most: UCS2, an escape */
	struct buf out;

	job->alphabet = smpp_alphabet_narrowest(center->options.standard, utf8);
	job->octets = malloc(room);
	if (!job->octets)
		return -ENOMEM;
	out = buf_over(job->octets, room);
	smpp_alphabet_encode(job->alphabet, utf8, &out);
	job->n = out.len;
	return smpp_segment(job->alphabet, center->options.long_form, slice_of(job->octets, job->n),
			    &job->cuts);
}

/* Parts that an earlier attempt brought to the center are not sent again, if the text is
 * cut as it was then. */
static void resume(struct job *job, const char *text)
{
	struct smpp_note *note = malloc(sizeof(*note));

	if (note && smpp_note_read(text, note) == 0 && note->form == job->cuts.form &&
	    note->alphabet == job->alphabet && note->parts == job->cuts.count) {
		job->reference = note->reference;
		for (size_t i = 0; i < note->parts; i++) {
			if (!note->part[i].taken)
				continue;
			job->parts[i].state = PART_TAKEN;
			memcpy(job->parts[i].id, note->part[i].id, sizeof(job->parts[i].id));
			job->taken++;
		}
	}
	free(note);
}

static int make_job(struct smpp_center *center, const struct smpp_text *text, struct job *job,
		    char why[SMPP_WHY_SIZE])
{
	int err = read_addresses(center, text, job, why);

	if (err)
		return err;
	err = encode(center, text->text, job);
	if (err == -E2BIG) {
		snprintf(why, SMPP_WHY_SIZE, "the text is longer than a message center takes");
		return -EINVAL;
	}
	if (!err)
		job->parts = calloc(job->cuts.count, sizeof(*job->parts));
	if (err || !job->parts) {
		snprintf(why, SMPP_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	memcpy(job->key, text->key, sizeof(job->key));
	job->end_s = text->end_s;
	job->reference = center->next_reference;
	if (text->note[0])
		resume(job, text->note);
	if (center->options.validity && text->end_s)
		write_validity(job->validity, text->end_s);
	return 0;
}

static void link_job(struct smpp_center *center, struct job *job)
{
	uint32_t slot = 0;

	/* There is a free one: n_jobs is below max_jobs. */
	while (center->slots[slot])
		slot++;
	job->slot = slot;
	center->slots[slot] = job;
	*center->jobs_tail = job;
	center->jobs_tail = &job->next;
	center->n_jobs++;
	/* Parts of two texts to one receiver must not have one reference while either is on its
	 * way. */
	if (job->cuts.count > 1)
		center->next_reference++;
}

static bool may_send(const struct smpp_center *center)
{
	return is_bound(center) && center_pause_due(center) < 0;
}

int smpp_center_submit(struct smpp_center *center, const struct smpp_text *text,
		       char why[SMPP_WHY_SIZE])
{
	struct job *job;
	int err;

	if (!may_send(center) || center->n_jobs >= center->max_jobs) {
		snprintf(why, SMPP_WHY_SIZE, "%s",
			 center->n_jobs >= center->max_jobs ? "others are before it"
			 : center_pause_due(center) >= 0    ? "the center is busy"
			 : center->links[0].why[0]          ? center->links[0].why
							    : "the center is not bound");
		center->wants_ready = true;
		return -EAGAIN;
	}
	job = calloc(1, sizeof(*job));
	if (!job) {
		snprintf(why, SMPP_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	err = make_job(center, text, job, why);
	if (err) {
		job_free(job);
		return err;
	}
	link_job(center, job);
	center_schedule(center);
	return 0;
}

/* ---- the end of a job ------------------------------------------------------------ */

static struct smpp_note *note_of(const struct job *job)
{
	struct smpp_note *note = calloc(1, sizeof(*note));

	if (!note)
		return NULL;
	note->form = job->cuts.form;
	note->alphabet = job->alphabet;
	note->reference = job->reference;
	note->parts = job->cuts.count;
	memcpy(note->dest, job->to.text, sizeof(note->dest));
	for (size_t i = 0; i < note->parts; i++) {
		note->part[i].taken = job->parts[i].state == PART_TAKEN;
		memcpy(note->part[i].id, job->parts[i].id, sizeof(note->part[i].id));
	}
	return note;
}

/* Tells with a note; without memory for it the note is empty. */
static void tell_note(struct smpp_center *center, const struct job *job,
		      enum smpp_center_event_kind kind)
{
	static const size_t room = SMPP_NOTE_SIZE;
	struct smpp_center_event event = { .kind = kind, .key = job->key, .note = "" };
	struct smpp_note *note = note_of(job);
	char *text = malloc(room);

	if (note && text && smpp_note_write(note, text, room) == 0)
		event.note = text;
	if (kind == SMPP_TAKEN && note && center->options.receipts)
		event.awaits = center_await_note(center, job->key, note);
	center_tell(center, &event);
	free(note);
	free(text);
}

static void tell_end(struct smpp_center *center, const struct job *job)
{
	static const enum smpp_center_event_kind kinds[] = {
		[JOB_REFUSED] = SMPP_REFUSED, [JOB_LATER] = SMPP_LATER, [JOB_LOST] = SMPP_LOST
	};

	if (job->fate == JOB_FORGOTTEN)
		return;
	if (job->fate == JOB_GOES_ON)
		tell_note(center, job, SMPP_TAKEN);
	else
		center_tell(center, &(struct smpp_center_event){ .kind = kinds[job->fate],
								 .key = job->key,
								 .up = is_bound(center),
								 .why = job->why });
}

static bool is_over(const struct job *job)
{
	return job->sent == 0 && (job->fate != JOB_GOES_ON || job->taken == job->cuts.count);
}

/* Takes the texts that are done with out of the list, then tells: a callback may submit. */
static void sweep(struct smpp_center *center)
{
	struct job *over = NULL, **over_tail = &over, **at = &center->jobs;

	while (*at) {
		struct job *job = *at;

		if (!is_over(job)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job->next = NULL;
		*over_tail = job;
		over_tail = &job->next;
		center->slots[job->slot] = NULL;
		center->n_jobs--;
	}
	center->jobs_tail = at;
	while (over) {
		struct job *job = over;

		over = job->next;
		tell_end(center, job);
		job_free(job);
	}
}

static void set_fate(struct job *job, enum job_fate fate, const char *why)
{
	if (job->fate != JOB_GOES_ON)
		return;
	job->fate = fate;
	snprintf(job->why, sizeof(job->why), "%s", why);
}

void smpp_center_forget(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE])
{
	if (center_forget_waiting(center, key))
		return;
	/* Its slot is kept until what is on its way is answered. */
	for (struct job *job = center->jobs; job; job = job->next)
		if (memcmp(job->key, key, SMPP_KEY_SIZE) == 0)
			job->fate = JOB_FORGOTTEN;
	center_schedule(center);
}

/* ---- sending --------------------------------------------------------------------- */

int64_t center_pause_due(const struct smpp_center *center)
{
	return center->paused_until_ms && center->paused_until_ms > clock_mono_ms()
		       ? center->paused_until_ms
		       : -1;
}

/* Returns as smpp_session_submit(). */
static int submit_part(struct smpp_center *center, struct job *job, size_t part, int64_t now_ms)
{
	const struct smpp_center_options *o = &center->options;
	struct smpp_pdu pdu = { .service_type = slice_str(o->service_type),
				.source = { job->from.ton, job->from.npi,
					    slice_str(job->from.text) },
				.dest = { job->to.ton, job->to.npi, slice_str(job->to.text) },
				.validity = slice_str(job->validity),
				.registered = o->receipts ? RECEIPT_FINAL : 0,
				.coding = smpp_alphabet_coding(job->alphabet, o->standard) };
	size_t size = job->cuts.payload ? SMPP_SEGMENT_ROOM + 1 : 256;
	uint8_t small[256], *room = job->cuts.payload ? malloc(size) : small;
	int err;

	if (!room)
		return -EAGAIN;
	err = smpp_segment_fill(&job->cuts, slice_of(job->octets, job->n), part, job->reference,
				room, size, &pdu);
	if (!err)
		err = smpp_session_submit(center->links[0].session, &pdu,
					  (uint64_t)job->slot << PART_BITS | part, now_ms);
	if (room != small)
		free(room);
	return err;
}

/* Past its end, with something yet to be submitted: where all is on its way, the center's answer
 * says what became of it. */
static bool is_ended(const struct job *job)
{
	return job->sent + job->taken < job->cuts.count && job->end_s &&
	       job->end_s <= clock_wall_s();
}

/* Its owner finds that its end has come, or offers it again. */
static void give_back(struct smpp_center *center, struct job *job)
{
	const char *why = center->links[0].why;

	set_fate(job, JOB_LATER, *why && !is_bound(center) ? why : "the center is busy");
}

/* What waits for a center that stays away is its owner's again: there it can end, or be dropped.
 * Not one of which parts have gone, which perhaps nobody but us knows, until its end. */
static void give_back_idle(struct smpp_center *center, int64_t now_ms)
{
	bool away = !center_is_up(center) && now_ms - center->since_ms >= SMPP_GIVE_BACK_MS;

	for (struct job *job = center->jobs; job; job = job->next)
		if (is_ended(job) || (away && !job->taken && !job->sent))
			give_back(center, job);
}

/* Returns false when nothing more goes now. */
static bool send_job(struct smpp_center *center, struct job *job, int64_t now_ms)
{
	/* It may have waited through pauses without end. */
	if (is_ended(job))
		give_back(center, job);
	for (; job->fate == JOB_GOES_ON && job->first_waiting < job->cuts.count;
	     job->first_waiting++) {
		int err;

		if (job->parts[job->first_waiting].state != PART_WAITING)
			continue;
		err = submit_part(center, job, job->first_waiting, now_ms);
		/* Later: SMPP_ROOM, a new connection or memory bring it on. */
		if (err == -EAGAIN || err == -ENOTCONN || err == -ENOMEM)
			return false;
		if (err) {
			set_fate(job, JOB_REFUSED, "it does not fit into a submit_sm");
			return true;
		}
		job->parts[job->first_waiting].state = PART_SENT;
		job->sent++;
		center->figures.submitted++;
	}
	return true;
}

void center_pump(struct smpp_center *center, int64_t now_ms)
{
	if (may_send(center)) {
		struct job *job = center->jobs;

		while (job && send_job(center, job, now_ms))
			job = job->next;
	}
	if (!is_bound(center))
		give_back_idle(center, now_ms);
	sweep(center);
	if (center->wants_ready && may_send(center) && center->n_jobs < center->max_jobs) {
		center->wants_ready = false;
		center_tell(center, &(struct smpp_center_event){ .kind = SMPP_READY });
	}
}

/* ---- answers --------------------------------------------------------------------- */

static struct job *job_of(const struct smpp_center *center, uint64_t token, size_t *part_out)
{
	*part_out = token & ((1u << PART_BITS) - 1);
	return center->slots[token >> PART_BITS];
}

static void put_back(struct job *job, size_t part)
{
	job->parts[part].state = PART_WAITING;
	job->sent--;
	/* Parts may be answered in any order; the earliest is to be sent first. */
	if (part < job->first_waiting)
		job->first_waiting = part;
}

/* The whole queue waits, so that nothing overtakes. */
static void pause_all(struct smpp_center *center, uint32_t status, int64_t now_ms)
{
	char number[SMPP_STATUS_TEXT];

	if (center_pause_due(center) < 0)
		log_info(MODULE, "center=%s is busy (%s): submits pause for %u ms",
			 center->options.name, smpp_status_name(status, number),
			 center->options.throttle_ms);
	center->paused_until_ms = now_ms + center->options.throttle_ms;
	center->figures.throttles++;
	center->wants_ready = true;
}

enum smpp_fate smpp_center_usual_fate(uint32_t status)
{
	switch (status) {
	case SMPP_RTHROTTLED:
	case SMPP_RMSGQFUL:
		return SMPP_FATE_PAUSE;
	case SMPP_RSYSERR: /* the same text may yet pass */
	case SMPP_RSUBMITFAIL:
	case SMPP_RX_T_APPN:
	case SMPP_RINVBNDSTS:
		return SMPP_FATE_RETRY;
	default:
		return SMPP_FATE_FAIL;
	}
}

/* Centers do not agree on what some of them mean, so that of this one comes first. */
static enum smpp_fate fate_of(const struct smpp_center *center, uint32_t status)
{
	const struct smpp_center_options *o = &center->options;

	for (size_t i = 0; i < o->n_rules; i++)
		if (o->rules[i].status == status)
			return o->rules[i].fate;
	return smpp_center_usual_fate(status);
}

static void take_part(struct smpp_center *center, struct job *job, size_t part, struct slice id)
{
	job->parts[part].state = PART_TAKEN;
	smpp_copy_visible(job->parts[part].id, sizeof(job->parts[part].id), id);
	job->sent--;
	job->taken++;
	center->figures.taken++;
	if (job->taken < job->cuts.count && job->fate == JOB_GOES_ON)
		tell_note(center, job, SMPP_PROGRESS);
}

static void refuse_part(struct smpp_center *center, struct job *job, size_t part, uint32_t status,
			enum smpp_fate fate)
{
	char number[SMPP_STATUS_TEXT], why[SMPP_WHY_SIZE];

	put_back(job, part);
	center->figures.refused++;
	snprintf(why, sizeof(why), "the message center refused it: %s",
		 smpp_status_name(status, number));
	set_fate(job, fate == SMPP_FATE_RETRY ? JOB_LATER : JOB_REFUSED, why);
}

void center_answered(struct smpp_center *center, const struct smpp_session_event *event,
		     int64_t now_ms)
{
	size_t part;
	struct job *job = job_of(center, event->token, &part);
	enum smpp_fate fate = fate_of(center, event->status);

	if (!job || part >= job->cuts.count || job->parts[part].state != PART_SENT)
		return;
	if (event->status == SMPP_OK) {
		take_part(center, job, part, event->id);
	} else if (fate == SMPP_FATE_PAUSE) {
		put_back(job, part);
		pause_all(center, event->status, now_ms);
	} else {
		refuse_part(center, job, part, event->status, fate);
	}
}

void center_unanswered(struct smpp_center *center, uint64_t token, const char *why)
{
	size_t part;
	struct job *job = job_of(center, token, &part);

	if (!job || part >= job->cuts.count || job->parts[part].state != PART_SENT)
		return;
	put_back(job, part);
	center->figures.unanswered++;
	if (center->options.give_back)
		set_fate(job, JOB_LOST, why);
}
