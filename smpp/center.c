/* center.c - one message center: its one or two connections, their pauses, and the turn in which
 * everything is sent and ended.
 *
 *     link:  waiting --retry_ms--> connecting --> binding --> bound
 *              ^                        |            |          |
 *              +---- plan_retry() <-----+------------+----------+   settle()
 *
 * A session's callbacks only note that it has ended; settle() frees it when it has returned.
 */
#include "smpp/center.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/timer.h"
#include "smpp/center_priv.h"

#define MODULE "smpp"

enum { USEFUL_MS = 10000, DEFAULT_THROTTLE_MS = 1000, DEFAULT_WINDOW = 10 };

static void open_link(struct center_link *link);
static void settle(struct center_link *link);

void center_tell(struct smpp_center *center, const struct smpp_center_event *event)
{
	center->event(center->arg, event);
}

void center_schedule(struct smpp_center *center)
{
	event_active(center->soon, EV_TIMEOUT, 0);
}

/* ---- up and down ----------------------------------------------------------------- */

bool center_is_up(const struct smpp_center *center)
{
	for (size_t i = 0; i < center->n_links; i++)
		if (!center->links[i].session ||
		    smpp_session_state(center->links[i].session) != SMPP_BOUND)
			return false;
	return true;
}

static const char *why_not_up(const struct smpp_center *center)
{
	for (size_t i = 0; i < center->n_links; i++)
		if (center->links[i].why[0])
			return center->links[i].why;
	return "connecting";
}

/* Tells changes, and every new reason for being down. */
static void tell_state(struct smpp_center *center)
{
	bool up = center_is_up(center);
	const char *why = up ? "" : why_not_up(center);

	if (up != center->was_up)
		center->since_ms = clock_mono_ms();
	center->was_up = up;
	center_tell(center,
		    &(struct smpp_center_event){ .kind = SMPP_STATE, .up = up, .why = why });
}

/* ---- time ------------------------------------------------------------------------ */

static void arm_link(struct center_link *link)
{
	int64_t due = link->session ? smpp_session_due_ms(link->session) : link->retry_ms;

	if (due >= 0)
		timer_arm(link->timer, due - clock_mono_ms());
}

static void arm_later(struct smpp_center *center)
{
	int64_t due = center_pause_due(center), held = center_held_due(center);

	if (due < 0 || (held >= 0 && held < due))
		due = held;
	if (due >= 0)
		timer_arm(center->later, due - clock_mono_ms());
}

static void turn(struct smpp_center *center)
{
	int64_t now_ms = clock_mono_ms();

	center_try_held(center, now_ms);
	center_pump(center, now_ms);
	for (size_t i = 0; i < center->n_links; i++) {
		settle(&center->links[i]);
		arm_link(&center->links[i]);
	}
	arm_later(center);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn(arg);
}

static void on_link_timer(evutil_socket_t fd, short what, void *arg)
{
	struct center_link *link = arg;

	(void)fd;
	(void)what;
	if (link->session)
		smpp_session_tick(link->session, clock_mono_ms());
	else if (clock_mono_ms() >= link->retry_ms)
		open_link(link);
	turn(link->center);
}

/* ---- a connection ---------------------------------------------------------------- */

static void close_link(struct center_link *link)
{
	smpp_session_free(&link->session);
	smpp_wire_free(&link->wire);
}

/* A quarter more or less, so that many do not come back at once. */
static int64_t with_jitter(int64_t ms)
{
	uint32_t random = 0;

	/* A failure leaves 0: an earlier attempt, and no harm. */
	RAND_bytes((uint8_t *)&random, sizeof(random));
	return ms * 3 / 4 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

/* The other hosts are tried at once, and all of them again after the pause. */
static void plan_retry(struct center_link *link, bool refused)
{
	const struct smpp_center *center = link->center;
	int64_t pause = SMPP_BACK_OFF_MS;

	link->host = (link->host + 1) % center->options.n_hosts;
	if (link->host != 0 && !refused) {
		link->retry_ms = clock_mono_ms();
		return;
	}
	for (unsigned i = 0; i < link->failures && pause < SMPP_MAX_BACK_OFF_MS; i++)
		pause *= 2;
	link->failures++;
	if (refused && pause < SMPP_REFUSED_MS)
		pause = SMPP_REFUSED_MS; /* more attempts could lock the account */
	if (pause > SMPP_MAX_BACK_OFF_MS)
		pause = SMPP_MAX_BACK_OFF_MS;
	link->retry_ms = clock_mono_ms() + with_jitter(pause);
}

/* The same reason at attempt after attempt is told once. */
static void log_down(struct center_link *link, bool was_bound)
{
	enum log_type type = LOG_TYPE_WARN;

	if (!was_bound && strcmp(link->told, link->why) == 0)
		type = LOG_TYPE_DEBUG;
	snprintf(link->told, sizeof(link->told), "%s", link->why);
	log_line(type, MODULE, "center=%s peer=%s is down: %s", link->center->options.name,
		 link->peer[0] ? link->peer : "-", link->why);
}

/* What is left to do when a session has ended, once it has returned. */
static void settle(struct center_link *link)
{
	bool was_bound = link->bound_ms != 0;

	if (!link->ended)
		return;
	link->ended = false;
	close_link(link);
	log_down(link, was_bound);
	if (was_bound)
		center_lost(link->center, clock_mono_ms());
	/* Pauses begin anew only behind a connection that was of use: a center that binds and
	 * throws out at once is not asked every half second. */
	if (was_bound && (link->useful || clock_mono_ms() - link->bound_ms >= USEFUL_MS))
		link->failures = 0;
	if (was_bound) /* the first host is preferred: plan_retry() goes on to it */
		link->host = link->center->options.n_hosts - 1;
	link->bound_ms = 0;
	plan_retry(link, link->reason == SMPP_END_REFUSED);
	tell_state(link->center);
}

static void on_send(void *arg, struct slice octets)
{
	struct center_link *link = arg;

	if (link->wire)
		smpp_wire_send(link->wire, octets);
}

static void on_bound(struct center_link *link)
{
	struct smpp_center *center = link->center;

	link->bound_ms = clock_mono_ms();
	link->why[0] = link->told[0] = '\0';
	center->figures.connections++;
	log_info(MODULE, "center=%s peer=%s is bound", center->options.name, link->peer);
	tell_state(center);
	center->wants_ready = true;
	center_schedule(center);
}

static void on_session_event(void *arg, const struct smpp_session_event *event)
{
	struct center_link *link = arg;
	struct smpp_center *center = link->center;

	switch (event->kind) {
	case SMPP_IS_BOUND:
		on_bound(link);
		break;
	case SMPP_ANSWERED:
		link->useful = true;
		center_answered(center, event, clock_mono_ms());
		break;
	case SMPP_UNANSWERED:
		center_unanswered(center, event->token, "the center did not answer");
		break;
	case SMPP_DELIVERED:
		link->useful = true;
		center_delivered(link, event->pdu, clock_mono_ms());
		break;
	case SMPP_ROOM:
		center_schedule(center);
		break;
	case SMPP_ODD:
		log_warn(MODULE, "center=%s peer=%s: %s", center->options.name, link->peer,
			 event->text);
		break;
	case SMPP_ENDED:
		link->ended = true;
		link->reason = event->reason;
		snprintf(link->why, sizeof(link->why), "%s%s",
			 event->reason == SMPP_END_REFUSED ? "the bind was refused: " : "",
			 event->text);
		center_schedule(center);
		break;
	}
}

static const struct smpp_session_ops session_ops = { on_send, on_session_event };

static void on_up(void *arg, const char *peer)
{
	struct center_link *link = arg;

	snprintf(link->peer, sizeof(link->peer), "%s", peer);
	smpp_session_connected(link->session, clock_mono_ms());
	turn(link->center);
}

static void on_octets(void *arg, struct slice octets)
{
	struct center_link *link = arg;

	smpp_session_input(link->session, octets, clock_mono_ms());
	turn(link->center);
}

static void on_down(void *arg, const char *why)
{
	struct center_link *link = arg;

	/* An end of the session's own has been told already. */
	if (!link->ended)
		smpp_session_lost(link->session, why);
	turn(link->center);
}

static const struct smpp_wire_ops wire_ops = { on_up, on_octets, on_down };

static void open_link(struct center_link *link)
{
	struct smpp_center *center = link->center;
	const struct smpp_host *host = &center->options.hosts[link->host];
	const struct net_addr *from = &center->options.from;
	const struct smpp_wire_target target = { .host = host->host,
						 .port = host->port,
						 .from = from->len ? from : NULL,
						 .tls = center->tls };
	struct smpp_session_options options = center->options.session;
	int err;

	options.role = link->role;
	/* So that an answer meant for an earlier connection (struct smpp_handle) finds none. */
	link->connection = ++center->next_connection;
	link->useful = false;
	err = smpp_session_new(&options, &session_ops, link, &link->session);
	if (!err)
		err = smpp_wire_new(center->base, &target, &wire_ops, link, &link->wire);
	if (!err)
		return;
	close_link(link);
	snprintf(link->why, sizeof(link->why), "%s", strerror(-err));
	plan_retry(link, false);
}

/* ---- life ------------------------------------------------------------------------ */

/* A copy that lives as long as the center; NULL stays NULL. */
static int keep_text(struct smpp_center *center, const char **text)
{
	char *copy;

	if (!*text)
		return 0;
	copy = strdup(*text);
	if (!copy)
		return -ENOMEM;
	center->texts[center->n_texts++] = copy;
	*text = copy;
	return 0;
}

static int keep_texts(struct smpp_center *center)
{
	struct smpp_center_options *o = &center->options;
	const char **texts[] = { &o->name,
				 &o->session.system_id,
				 &o->session.password,
				 &o->session.system_type,
				 &o->session.address_range,
				 &o->service_type };
	int err = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !err; i++)
		err = keep_text(center, texts[i]);
	for (size_t i = 0; i < o->n_hosts; i++) {
		snprintf(center->hosts[i], sizeof(center->hosts[i]), "%s", o->hosts[i].host);
		o->hosts[i].host = center->hosts[i];
	}
	return err;
}

/* Are the texts of the bind short enough?  The session would say so at each attempt. */
static int check_session(const struct smpp_center *center, struct diag *diag)
{
	struct smpp_session *session;
	int err = smpp_session_new(&center->options.session, &session_ops, NULL, &session);

	if (err == -EINVAL)
		diag_error(diag, NULL,
			   "user has at most 15 octets, password 8, system_type 12, "
			   "address_range 40; window is at most 1000");
	if (!err)
		smpp_session_free(&session);
	return err;
}

static int make_out(struct smpp_center *center)
{
	const struct smpp_center_options *o = &center->options;

	center->max_jobs = o->session.window ? o->session.window : DEFAULT_WINDOW;
	center->slots = calloc(center->max_jobs, sizeof(struct job *));
	center->awaiting = smpp_awaiting_new();
	center->soon = event_new(center->base, -1, 0, on_turn, center);
	center->later = evtimer_new(center->base, on_turn, center);
	if (!center->slots || !center->awaiting || !center->soon || !center->later)
		return -ENOMEM;
	/* Any number will do; after a restart it should not be the one of a text before. */
	RAND_bytes((uint8_t *)&center->next_reference, sizeof(center->next_reference));
	return idhash_init(&center->hash) ? -EIO : idmap_init(&center->waiting);
}

static int make_links(struct smpp_center *center)
{
	bool pair = center->options.pair;

	center->n_links = pair ? 2 : 1;
	for (size_t i = 0; i < center->n_links; i++) {
		struct center_link *link = &center->links[i];

		link->center = center;
		link->role = !pair    ? center->options.session.role
			     : i == 0 ? SMPP_TRANSMITTER
				      : SMPP_RECEIVER;
		link->timer = evtimer_new(center->base, on_link_timer, link);
		if (!link->timer)
			return -ENOMEM;
		link->retry_ms = clock_mono_ms();
		timer_arm(link->timer, 0); /* it connects from the loop */
	}
	return 0;
}

int smpp_center_new(struct event_base *base, const struct smpp_center_options *options,
		    smpp_center_event_fn *event, void *arg, struct smpp_center **center_out,
		    struct diag *diag)
{
	struct smpp_center *center = calloc(1, sizeof(*center));
	int err;

	if (!center)
		return -ENOMEM;
	center->base = base;
	center->options = *options;
	center->event = event;
	center->arg = arg;
	center->jobs_tail = &center->jobs;
	center->since_ms = clock_mono_ms();
	if (!center->options.throttle_ms)
		center->options.throttle_ms = DEFAULT_THROTTLE_MS;
	err = keep_texts(center);
	if (!err)
		err = check_session(center, diag);
	if (!err && options->tls)
		err = smpp_tls_new(&options->files, &center->tls, diag);
	if (!err)
		err = make_out(center);
	if (!err)
		err = make_links(center);
	if (err) {
		smpp_center_free(&center);
		return err;
	}
	*center_out = center;
	return 0;
}

static void say_goodbye(struct center_link *link)
{
	if (link->session && smpp_session_state(link->session) == SMPP_BOUND)
		smpp_session_unbind(link->session, clock_mono_ms());
	if (link->timer)
		event_free(link->timer);
	link->timer = NULL;
}

void smpp_center_stop(struct smpp_center *center)
{
	for (size_t i = 0; i < center->n_links; i++) {
		struct center_link *link = &center->links[i];

		say_goodbye(link);
		if (link->session)
			smpp_session_lost(link->session, "stopped");
		close_link(link); /* writes what is queued */
	}
	center->n_links = 0;                  /* their timers are gone: nothing connects any more */
	center_pump(center, clock_mono_ms()); /* tells what is over; nothing is sent any more */
}

void smpp_center_free(struct smpp_center **centerp)
{
	struct smpp_center *center = *centerp;

	if (!center)
		return;
	*centerp = NULL;
	for (size_t i = 0; i < center->n_links; i++) {
		say_goodbye(&center->links[i]);
		close_link(&center->links[i]);
	}
	center_free_jobs(center);
	center_free_waiting(center);
	free(center->slots);
	smpp_awaiting_free(&center->awaiting);
	if (center->soon)
		event_free(center->soon);
	if (center->later)
		event_free(center->later);
	smpp_tls_free(&center->tls);
	for (size_t i = 0; i < center->n_texts; i++) {
		/* One of them is the password. */
		explicit_bzero(center->texts[i], strlen(center->texts[i]));
		free(center->texts[i]);
	}
	free(center);
}

/* ---- for the owner --------------------------------------------------------------- */

void smpp_center_answer(struct smpp_center *center, const struct smpp_handle *handle,
			uint32_t status)
{
	for (size_t i = 0; i < center->n_links; i++) {
		struct center_link *link = &center->links[i];

		if (link->connection == handle->connection && link->session && !link->ended)
			smpp_session_answer(link->session, handle->command, handle->sequence,
					    status);
	}
}

static const char *state_word(const struct smpp_center *center)
{
	bool connecting = false;

	if (center_is_up(center))
		return "BOUND";
	for (size_t i = 0; i < center->n_links; i++) {
		const struct center_link *link = &center->links[i];

		if (link->session && smpp_session_state(link->session) != SMPP_OPEN)
			return "BINDING";
		connecting = connecting || link->session;
	}
	return connecting ? "CONNECTING" : "WAITING";
}

void smpp_center_figures(const struct smpp_center *center, struct smpp_center_figures *out)
{
	const struct center_link *first = &center->links[0];

	*out = center->figures;
	out->up = center_is_up(center);
	out->state = state_word(center);
	out->why = out->up ? "" : why_not_up(center);
	out->peer = first->peer;
	out->since_ms = center->since_ms;
	out->in_hand = center->n_jobs;
	out->outstanding = first->session ? smpp_session_outstanding(first->session) : 0;
	out->awaited = (unsigned)center->waiting.used;
	out->throttled = center_pause_due(center) >= 0;
}
