/* sessions.c - the life of a call.
 *
 * Every end goes through end() or fail_at_once(), and over() keeps everything away from the
 * session afterwards: so nobody hears two ends. Sessions are freed by the tick alone: whoever
 * walks the list may end as many as he likes.
 */
#include "rendezvous/sessions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "umsg/end_reason.h"

struct sessions {
	struct idmap by_id;
	struct keyhash hash;
	struct session *first;
	size_t count;
	const struct sessions_ops *ops;
	void *arg;
};

/* How long a state may last; talking has no limit of its own. */
static const struct {
	const char *name;
	int64_t limit_ms;
} states[SESSION_STATE_COUNT] = {
	[SESSION_SETUP] = { "invite", SESSION_SETUP_LIMIT_MS },
	[SESSION_INVITE] = { "invite", SESSION_INVITE_LIMIT_MS },
	[SESSION_RINGING] = { "ringing", SESSION_RINGING_LIMIT_MS },
	[SESSION_TALK] = { "talk", 0 },
	[SESSION_NOT_FOUND] = { "responder not found", SESSION_LINGER_MS },
	[SESSION_NOT_CONNECTED] = { "responder not connected", SESSION_LINGER_MS },
	[SESSION_HANGUP] = { "hangup", SESSION_LINGER_MS },
};

void session_state_text(const struct session *s, const char *sep, char *out, size_t cap)
{
	struct buf b = buf_over(out, cap);

	buf_put_str(&b, states[s->state].name);
	if (s->state == SESSION_HANGUP)
		buf_printf(&b, "(%s%s%s)", umsg_end_reason_text(s->reason), sep, s->who);
}

struct sessions *sessions_new(const struct sessions_ops *ops, void *arg)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	if (keyhash_init(&sessions->hash) || idmap_init(&sessions->by_id)) {
		free(sessions);
		return NULL;
	}
	sessions->ops = ops;
	sessions->arg = arg;
	return sessions;
}

static void free_session(struct session *s)
{
	free(s->caller);
	free(s->callee);
	free(s->account);
	free(s->bang);
	free(s->device);
	free(s->relay);
	free(s);
}

void sessions_free(struct sessions **sessionsp)
{
	struct sessions *sessions = *sessionsp;

	if (!sessions)
		return;
	while (sessions->first) {
		struct session *s = sessions->first;

		sessions->first = s->next;
		free_session(s);
	}
	idmap_done(&sessions->by_id);
	free(sessions);
	*sessionsp = NULL;
}

static struct session *find(const struct sessions *sessions, struct slice id)
{
	struct idmap_node *node = idmap_first(&sessions->by_id, keyhash_of(&sessions->hash, id));

	for (; node; node = idmap_next(node)) {
		struct session *s = IDMAP_OWNER(node, struct session, node);

		if (slice_eq(id, slice_of(s->id, sizeof(s->id))))
			return s;
	}
	return NULL;
}

const struct session *sessions_find(const struct sessions *sessions, struct slice id)
{
	return find(sessions, id);
}

const struct session *sessions_first(const struct sessions *sessions)
{
	return sessions->first;
}

size_t sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}

/* The states from SESSION_NOT_FOUND on are ends; they stay for a while to be shown. */
static bool over(const struct session *s)
{
	return s->state >= SESSION_NOT_FOUND;
}

static void enter(struct sessions *sessions, struct session *s, enum session_state state,
		  int64_t now_ms)
{
	s->state = state;
	/* Talking has none: crs-relay and the connections tell of the end. */
	s->limit_ms = states[state].limit_ms ? now_ms + states[state].limit_ms : INT64_MAX;
	if (over(s))
		s->end_ms = now_ms;
	/* Before the relay has answered, nobody but the caller knows of the call. */
	if (state != SESSION_SETUP)
		sessions->ops->changed(sessions->arg, s);
}

int64_t session_seconds(const struct session *s, int64_t now_ms)
{
	return ((over(s) ? s->end_ms : now_ms) - s->start_ms) / 1000;
}

/* What is of no use once the call is over, though it is still shown. */
static void forget_content(struct session *s)
{
	free(s->relay);
	free(s->bang);
	s->relay = NULL;
	s->bang = NULL;
}

/* The end: whoever is still there and did not end it himself hears why.  frame is
 * the HANGUP of the party that ended it, empty when we did. */
static void end(struct sessions *sessions, struct session *s, Umsg__EndReason reason,
		const char *who, struct slice frame, int64_t now_ms)
{
	const struct sessions_ops *ops = sessions->ops;

	s->reason = reason;
	s->who = who;
	for (size_t i = 0; i < s->n_devices; i++) {
		if (!s->device[i].there)
			continue;
		s->device[i].there = false;
		if (frame.n)
			ops->forward(sessions->arg, s, &s->device[i].at, frame, true);
		else if (s->state != SESSION_SETUP)
			ops->hangup(sessions->arg, s, &s->device[i].at, reason);
	}
	if (s->caller_there) {
		s->caller_there = false;
		if (frame.n)
			ops->forward(sessions->arg, s, &s->from, frame, true);
		else
			ops->hangup(sessions->arg, s, &s->from, reason);
	}
	if (s->relay)
		ops->relay_remove(sessions->arg, s);
	forget_content(s);
	enter(sessions, s, SESSION_HANGUP, now_ms);
}

static void end_by_server(struct sessions *sessions, struct session *s, Umsg__EndReason reason,
			  int64_t now_ms)
{
	end(sessions, s, reason, "server", (struct slice){ NULL, 0 }, now_ms);
}

static struct session *make(struct sessions *sessions, const struct session_invite *invite)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->caller = strndup((const char *)invite->caller.p, invite->caller.n);
	s->callee = strndup((const char *)invite->callee.p, invite->callee.n);
	s->account = strndup((const char *)invite->account.p, invite->account.n);
	/* Kept until the relay has answered: each device gets it with a leg of its own. */
	s->bang = malloc(invite->frame.n ? invite->frame.n : 1);
	s->device = calloc(invite->n_devices ? invite->n_devices : 1, sizeof(*s->device));
	if (!s->caller || !s->callee || !s->account || !s->bang || !s->device) {
		free_session(s);
		return NULL;
	}
	memcpy(s->id, invite->id.p, sizeof(s->id));
	memcpy(s->bang, invite->frame.p, invite->frame.n);
	s->bang_n = invite->frame.n;
	s->from = invite->from;
	s->caller_there = true;
	s->winner = -1;
	s->n_streams = invite->n_streams;
	s->group = invite->group;
	s->next = sessions->first;
	sessions->first = s;
	sessions->count++;
	idmap_put(&sessions->by_id, &s->node, keyhash_of(&sessions->hash, invite->id));
	return s;
}

/* No relay, no ringing: the caller hears it, and operators see it for a while. */
static void fail_at_once(struct sessions *sessions, struct session *s, enum session_state state,
			 int64_t now_ms)
{
	/* Not through end(): the state that is shown is this one, and not "hangup". */
	s->reason = state == SESSION_NOT_FOUND ? UMSG__END_REASON__END_NOT_FOUND
					       : UMSG__END_REASON__END_NOT_CONNECTED;
	sessions->ops->hangup(sessions->arg, s, &s->from, s->reason);
	s->caller_there = false;
	forget_content(s);
	enter(sessions, s, state, now_ms);
}

int sessions_invite(struct sessions *sessions, const struct session_invite *invite, int64_t now_ms)
{
	struct session *s;

	if (invite->id.n != SESSION_ID_SIZE || invite->n_streams < 1 ||
	    invite->n_streams > SESSION_MAX_STREAMS || invite->n_devices > SESSION_MAX_DEVICES)
		return -EINVAL;
	/* The caller chooses the id: it must not take another call's over. */
	if (find(sessions, invite->id))
		return -EEXIST;
	s = make(sessions, invite);
	if (!s)
		return -ENOMEM;
	s->start_ms = now_ms;
	for (size_t i = 0; i < invite->n_devices; i++)
		s->device[s->n_devices++] =
			(struct session_device){ .at = invite->devices[i], .there = true };
	/* The relay is asked last: a call that cannot ring takes nothing from it. */
	if (!invite->known) {
		fail_at_once(sessions, s, SESSION_NOT_FOUND, now_ms);
	} else if (s->n_devices == 0) {
		fail_at_once(sessions, s, SESSION_NOT_CONNECTED, now_ms);
	} else {
		enter(sessions, s, SESSION_SETUP, now_ms);
		if (sessions->ops->relay_add(sessions->arg, s))
			end_by_server(sessions, s, UMSG__END_REASON__END_NO_RELAY, now_ms);
	}
	return 0;
}

/* Every device needs a leg of its own: with one leg for two, one could hear what the other does.
 * Other streams than were asked for are those of an earlier call with this id, or of a relay that
 * is wrong; no device takes such an invitation. */
static bool suits(const struct session_relay *relay, const struct session *s)
{
	return relay->n_responders >= s->n_devices && relay->n_streams == s->n_streams;
}

void sessions_relay_added(struct sessions *sessions, struct slice id,
			  const struct session_relay *relay, int64_t now_ms)
{
	struct session *s = find(sessions, id);
	struct session gone = { .state = SESSION_HANGUP };

	if ((!s || over(s)) && id.n == SESSION_ID_SIZE) {
		/* Nobody waits for it any more: the relay shall forget it, too. */
		memcpy(gone.id, id.p, SESSION_ID_SIZE);
		sessions->ops->relay_remove(sessions->arg, &gone);
	}
	if (!s || s->state != SESSION_SETUP)
		return;
	/* Only for calls that are up: it has room for the legs of 32 devices. */
	s->relay = malloc(sizeof(*s->relay));
	if (!s->relay || !suits(relay, s)) {
		if (!s->relay)
			sessions->ops->relay_remove(sessions->arg, s);
		end_by_server(sessions, s, UMSG__END_REASON__END_NO_RELAY, now_ms);
		return;
	}
	*s->relay = *relay;
	/* The caller has its leg before a device can answer, so that it can send at once. */
	sessions->ops->answer(sessions->arg, s);
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->device[i].there)
			sessions->ops->ring(sessions->arg, s, i);
	}
	free(s->bang);
	s->bang = NULL;
	/* After the ringing: the trace tells what was done. */
	enter(sessions, s, SESSION_INVITE, now_ms);
}

void sessions_relay_refused(struct sessions *sessions, struct slice id, Umsg__EndReason reason,
			    int64_t now_ms)
{
	struct session *s = find(sessions, id);

	if (s && s->state == SESSION_SETUP)
		end_by_server(sessions, s, reason, now_ms);
}

void sessions_relay_lost(struct sessions *sessions, int64_t now_ms)
{
	for (struct session *s = sessions->first; s; s = s->next) {
		if (over(s))
			continue;
		free(s->relay);
		/* Before the end: there is nobody to be asked to remove it. */
		s->relay = NULL;
		end_by_server(sessions, s, UMSG__END_REASON__END_MEDIA_LOST, now_ms);
	}
}

static int device_of(const struct session *s, const struct endpoint *who)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->device[i].there && endpoint_equal(&s->device[i].at, who))
			return (int)i;
	}
	return -1;
}

static bool anyone_there(const struct session *s)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->device[i].there)
			return true;
	}
	return false;
}

static void to_devices(struct sessions *sessions, const struct session *s, struct slice frame)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->device[i].there)
			sessions->ops->forward(sessions->arg, s, &s->device[i].at, frame, false);
	}
}

static int from_caller(struct sessions *sessions, struct session *s, enum session_frame type,
		       struct slice frame, Umsg__EndReason reason, int64_t now_ms)
{
	if (type == SESSION_FRAME_HANGUP) {
		s->caller_there = false;
		/* Before the relay answered no device has heard of the call. */
		if (s->state == SESSION_SETUP)
			s->n_devices = 0;
		end(sessions, s, reason, "caller", frame, now_ms);
		return 0;
	}
	/* GROWL and TALK are the callee's; a caller who sends one breaks the protocol. */
	if (type != SESSION_FRAME_SIGNAL || s->state == SESSION_SETUP)
		return -EPROTO;
	to_devices(sessions, s, frame);
	return 0;
}

static void answered(struct sessions *sessions, struct session *s, size_t device,
		     struct slice frame, int64_t now_ms)
{
	s->winner = (int)device;
	sessions->ops->forward(sessions->arg, s, &s->from, frame, false);
	for (size_t i = 0; i < s->n_devices; i++) {
		if (i == device || !s->device[i].there)
			continue;
		s->device[i].there = false;
		sessions->ops->hangup(sessions->arg, s, &s->device[i].at,
				      UMSG__END_REASON__END_ANSWERED_ELSEWHERE);
	}
	/* From now on the relay knows one responder; the others' legs stop to exist, whatever
	 * they send. */
	sessions->ops->relay_keep(sessions->arg, s, device);
	enter(sessions, s, SESSION_TALK, now_ms);
}

/* One device of several declines: the others ring on. */
static void declined(struct sessions *sessions, struct session *s, size_t device,
		     struct slice frame, Umsg__EndReason reason, int64_t now_ms)
{
	s->device[device].there = false;
	/* The last one to decline gives the reason; also the one who talks ends the call so. */
	if (!anyone_there(s))
		end(sessions, s, reason, "callee", frame, now_ms);
}

/* Two devices may answer at once: the first TALK wins, the second is refused
 * here, and a hangup is on its way to it. */
static int from_device(struct sessions *sessions, struct session *s, size_t device,
		       enum session_frame type, struct slice frame, Umsg__EndReason reason,
		       int64_t now_ms)
{
	if (s->state == SESSION_SETUP)
		return -EPROTO;
	switch (type) {
	case SESSION_FRAME_GROWL:
		if (s->state == SESSION_TALK)
			return -EPROTO;
		sessions->ops->forward(sessions->arg, s, &s->from, frame, false);
		if (s->state == SESSION_INVITE)
			enter(sessions, s, SESSION_RINGING, now_ms);
		return 0;
	case SESSION_FRAME_TALK:
		if (s->state == SESSION_TALK)
			return -EPROTO;
		answered(sessions, s, device, frame, now_ms);
		return 0;
	case SESSION_FRAME_HANGUP:
		declined(sessions, s, device, frame, reason, now_ms);
		return 0;
	case SESSION_FRAME_SIGNAL:
		sessions->ops->forward(sessions->arg, s, &s->from, frame, false);
		return 0;
	}
	return -EPROTO;
}

int sessions_frame(struct sessions *sessions, struct slice id, const struct endpoint *from,
		   enum session_frame type, struct slice frame, Umsg__EndReason reason,
		   int64_t now_ms)
{
	struct session *s = find(sessions, id);
	int device;

	if (!s || over(s))
		return -ENOENT;
	/* By the connection, never by what the frame says: it is how the parties are
	 * authenticated. Who is of the call no more gets the answer of a stranger. */
	if (s->caller_there && endpoint_equal(&s->from, from))
		return from_caller(sessions, s, type, frame, reason, now_ms);
	device = device_of(s, from);
	if (device < 0)
		return -ENOENT;
	return from_device(sessions, s, (size_t)device, type, frame, reason, now_ms);
}

/* Connection 0: all of a holder, which died. */
static bool matches(const struct endpoint *at, const struct endpoint *who)
{
	return at->holder == who->holder &&
	       (who->connection == 0 || at->connection == who->connection);
}

static void lose(struct sessions *sessions, struct session *s, const struct endpoint *who,
		 int64_t now_ms)
{
	bool lost = false;

	if (s->caller_there && matches(&s->from, who)) {
		s->caller_there = false;
		/* As in from_caller(): no device was rung, none may be told of an end. */
		if (s->state == SESSION_SETUP)
			s->n_devices = 0;
		end(sessions, s, UMSG__END_REASON__END_LOST_CONNECTION, "caller",
		    (struct slice){ NULL, 0 }, now_ms);
		return;
	}
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->device[i].there && matches(&s->device[i].at, who)) {
			s->device[i].there = false;
			lost = true;
		}
	}
	/* While others ring, one that is lost changes nothing. */
	if (lost && !anyone_there(s))
		end(sessions, s, UMSG__END_REASON__END_LOST_CONNECTION, "callee",
		    (struct slice){ NULL, 0 }, now_ms);
}

void sessions_lost(struct sessions *sessions, struct slice id, const struct endpoint *who,
		   int64_t now_ms)
{
	struct session *s = find(sessions, id);

	if (s && !over(s))
		lose(sessions, s, who, now_ms);
}

void sessions_holder_lost(struct sessions *sessions, unsigned holder, int64_t now_ms)
{
	struct endpoint who = { .holder = holder, .connection = 0 };

	for (struct session *s = sessions->first; s; s = s->next) {
		if (!over(s))
			lose(sessions, s, &who, now_ms);
	}
}

static Umsg__EndReason too_long(const struct session *s)
{
	return s->state == SESSION_SETUP ? UMSG__END_REASON__END_NO_RELAY
					 : UMSG__END_REASON__END_NO_ANSWER;
}

void sessions_tick(struct sessions *sessions, int64_t now_ms)
{
	struct session **at = &sessions->first;

	while (*at) {
		struct session *s = *at;

		/* A call whose limit passes gets its end first, and is freed SESSION_LINGER_MS
		 * later. */
		if (now_ms < s->limit_ms) {
			at = &s->next;
		} else if (!over(s)) {
			end_by_server(sessions, s, too_long(s), now_ms);
			at = &s->next;
		} else {
			*at = s->next;
			sessions->count--;
			idmap_remove(&sessions->by_id, &s->node);
			free_session(s);
		}
	}
}
