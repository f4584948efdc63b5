/* home_priv.h - what the files of the home share. */
#ifndef RENDEZVOUS_HOME_PRIV_H
#define RENDEZVOUS_HOME_PRIV_H

#include <sys/queue.h>

#include "base/idmap.h"
#include "rendezvous/counters.h"
#include "rendezvous/fanouts.h"
#include "rendezvous/guests.h"
#include "rendezvous/home.h"
#include "rendezvous/keyhash.h"
#include "rendezvous/mailboxes.h"
#include "rendezvous/recent.h"
#include "rendezvous/sessions.h"
#include "umsg/frame.h"

struct device {
	struct device *next;
	struct endpoint at;
	uint8_t id[FRAME_ID];
	uint32_t generation;
	bool primary, updates_only;
};

struct user {
	struct idmap_node node; /* by URI */
	TAILQ_ENTRY(user) in_home;
	struct device *devices;
	size_t n_devices;
	char *account;
	char uri[];
};

/* A registration that waits for its floor. */
struct pending_attach {
	struct idmap_node node; /* by ticket */
	TAILQ_ENTRY(pending_attach) in_home;
	unsigned holder;
	CrsWorker__Attach *attach; /* owned */
};

TAILQ_HEAD(user_list, user);
TAILQ_HEAD(pending_list, pending_attach);

TAILQ_HEAD(sleeper_list, sleeper);

enum { HOME_UNHEARD_MAX = 64 };

struct home {
	struct worker *worker;
	struct idmap users, pending;
	struct user_list all;
	struct pending_list waiting;
	size_t n_pending;
	uint64_t ticket;
	struct keyhash hash;
	struct sessions *sessions;
	struct mailboxes *mailboxes;
	struct fanouts *fanouts;
	struct counters *counters;
	struct guests *guests;
	struct recent *groups; /* who began which group call */
	struct recent *pushed; /* whose push was asked for; NULL: push is off */
	struct sleeper_list sleepers;
	size_t n_sleepers;
	struct endpoint unheard[HOME_UNHEARD_MAX]; /* home_unheard.c */
	size_t n_unheard;
	uint64_t epoch, store_ups; /* ups: how often the store came up */
	char refuse_reason[64];
	int64_t sessions_tick_ms, flushed_ms;
};

/* The user of that URI who has, or lately had, a device here; or NULL. */
struct user *home_find_user(const struct home *home, struct slice uri);
/* The device that is primary and has keys, or NULL. */
const struct device *user_primary(const struct user *user);
/* The user's device at that connection, or NULL. */
const struct device *user_device(const struct user *user, const struct endpoint *at);

/* Sends a frame to a client, wherever its connection is held; one that cannot be written, or
 * passed on, ends the connection (home_unheard()). */
void home_send(struct home *home, const struct endpoint *to, Umsg__Frame *frame);

/* The same, with what its holder has to note: a call that it takes part in from now
 * on, or (over) no longer, or a post or a request that was answered. */
struct home_note {
	struct slice session_id;
	bool over;
	struct slice post_answered;
	uint64_t request_answered; /* 0: none */
};
/* Answers the client's request that frame->request names. */
void home_answer(struct home *home, const struct endpoint *to, Umsg__Frame *frame);
/* As home_send(). */
void home_send_noted(struct home *home, const struct endpoint *to, Umsg__Frame *frame,
		     const struct home_note *note);
/* A frame that is packed already.  Returns 0 or -errno: it will not arrive, for its holder is gone
 * (-EPIPE) or memory is out. */
int home_send_octets(struct home *home, const struct endpoint *to, struct slice octets,
		     const struct home_note *note);

/* home_unheard.c: what this client waits for could not be said.  Its connection ends, now or with
 * the next tick. */
void home_unheard(struct home *home, const struct endpoint *at);
/* Ends those that could not be ended before. */
void home_end_unheard(struct home *home);

/* Sends an Error about request to a connection; text is copied, retry_after_s 0: never. */
void home_error(struct home *home, const struct endpoint *to, uint64_t request,
		Umsg__ErrorCode code, const char *text, uint32_t retry_after_s);

/* Counts for a user; statistics only where the account has them enabled. */
void home_count(struct home *home, enum counter what, const char *account, const char *uri);

/* home_sleepers.c: a call to somebody who is away waits while push wakes him up.  False: it
 * cannot, and has to go on at once. */
bool home_let_sleep(struct home *home, const struct endpoint *from, const struct passed_up *up,
		    const Umsg__Frame *frame);
/* The calls to this user go on; uri NULL: those that have waited long enough. */
void home_awake(struct home *home, const char *uri);
/* The caller gave up, or its connection was lost.  Returns whether this call was waiting
 * and theirs. */
bool home_forget_sleeper(struct home *home, const struct endpoint *from, struct slice id);
/* A holder is gone, and all callers with it. */
void home_forget_sleepers_of(struct home *home, unsigned holder);
/* Forgets them: the worker ends. */
void home_free_sleepers(struct home *home);

/* home_calls.c: rings the devices that are there, or ends the call. */
void home_invite(struct home *home, const struct endpoint *from, const struct passed_up *up,
		 const Umsg__Frame *frame);

/* An Error to a Bang: there is no such call. */
void home_refuse_call(struct home *home, const struct endpoint *from, const Umsg__Frame *frame,
		      Umsg__ErrorCode code, const char *text, uint32_t retry_after_s);

/* home_data.c */
void home_client_data(struct home *home, const struct endpoint *from, const struct passed_up *up,
		      const Umsg__Frame *frame);

/* home_attach.c: frees all users, devices and registrations that wait. */
void home_free_users(struct home *home);

/* home_calls.c */
extern const struct sessions_ops home_sessions_ops;
/* An invitation: rings at all of the callee's devices, or wakes him up. */
void home_bang(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame);
/* Growl, talk, signal or hang-up of a party. */
void home_session_frame(struct home *home, const struct endpoint *from, const struct passed_up *up,
			const Umsg__Frame *frame);

/* home_channels.c */
extern const struct fanouts_ops home_fanouts_ops;
/* Is it the URI of a channel? */
bool home_is_channel(struct slice uri);
/* A message to a channel: a copy to each member, and an acknowledgement when all are stored. */
void home_channel_post(struct home *home, const struct endpoint *from, const struct passed_up *up,
		       const Umsg__Frame *frame);
/* How long messages of an account may be stored at most, in seconds. */
int64_t home_max_lifetime(const struct home *home, const char *account);

/* A post of several records to a channel has come whole: copies to the members. */
void home_channel_whole(void *arg, const char *uri, const struct mail *mail);

/* home_mail_store.c: struct mailboxes_ops says what each does; arg is the home. */
enum { HOME_PART_KEY = 256 };
int home_load_mail(void *arg, const char *uri, uint64_t after);
int home_store_mail(void *arg, const char *uri, const struct mail *mail);
void home_discard_mail(void *arg, const char *uri, const struct mail *mail);
int home_store_part(void *arg, const char *uri, const struct mail *mail, uint32_t index,
		    struct slice record);
/* The key of a long message's further parts in the store. */
void home_part_key(const struct mail *mail, char out[HOME_PART_KEY]);
/* Deletes those that lie under uri, of a user or a channel. */
void home_drop_parts(struct home *home, struct slice uri, struct slice sender, struct slice id);

static inline struct slice home_mail_id(const struct mail *mail)
{
	return slice_of(mail->id, MAIL_ID_SIZE);
}

/* home_mail.c */
/* PostAck to whoever posted; text is borrowed. */
void home_post_ack(struct home *home, const struct endpoint *to, uint64_t request, struct slice id,
		   Umsg__ErrorCode code, const char *text, uint32_t retry_after_s);
/* A line of "trace message", where somebody looks at it. */
void home_trace_message(struct home *home, const char *from, const char *to, const char *state,
			struct slice id);
/* Counts a post for its sender, in the two figures that it belongs to. */
void home_count_posted(struct home *home, const char *account, const char *sender);
extern const struct mailboxes_ops home_mailboxes_ops;
/* A message, or the first part of one: stored, then acknowledged. */
/* packed: the Post as it came; NULL: it is to be packed anew. */
void home_post(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame, const struct slice *packed);
/* A further part; where its beginning is not known, its sender is to begin again. */
void home_part(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame);
/* A receiver has a part of a long message: the next one follows. */
void home_part_ack(struct home *home, const struct endpoint *from, const struct passed_up *up,
		   const Umsg__Frame *frame);
void home_taken(struct home *home, const struct endpoint *from, const struct passed_up *up,
		const Umsg__Frame *frame);
/* A Deliver frame of a packed Post; number 0: it is not stored, request 0: nobody fetches.  Returns
 * 0 or -errno: it will not arrive. */
int home_deliver(struct home *home, const struct endpoint *to, const char *sender, const char *uri,
		 struct slice packed, uint64_t number, uint64_t request);
/* home_fetch.c: a client asks for what waits for it. */
void home_fetch(struct home *home, const struct endpoint *from, const struct passed_up *up,
		const Umsg__Frame *frame);

#endif
