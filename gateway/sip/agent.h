/* agent.h - what the files of cig-sip share: the process and its calls.
 *
 *     main.c     the process: clock, loop, descriptor 3
 *     agent.c    the agent as a whole: configuration, counters, what the server says
 *     hop.c      where requests go: address, transport, name
 *     door.c     who may open a TCP connection
 *     tls.c      what the library's TLS lacks
 *     header.c   texts of the server as values of headers
 *     receive.c  requests and responses that belong to no dialog or transaction
 *     call.c     a call: its life, timers, events
 *     call_request.c  our requests in a dialog: ACK, BYE; challenges; hanging up
 *     incoming.c calls from the PBX network until they are up
 *     outgoing.c calls to it until they are up
 *     dialog.c   requests inside a dialog: BYE, re-INVITE, UPDATE, ACK
 *     reoffer.c  our own re-INVITE and UPDATE
 *     session.c  session timers (RFC 4028)
 *     reliable.c provisional responses that are acknowledged (RFC 3262)
 *     single.c   requests without a call: OPTIONS, BYE for an orphan
 *     register.c REGISTER with a PBX
 *     text.c     SIP MESSAGE, both ways
 *     digit.c    digits by INFO, both ways
 *     body.c     SDP, challenges and texts out of messages
 *
 * One thread, one loop.  The library runs as a bare transaction layer (nta, not
 * in UA mode): what belongs to dialogs - ACK, repeating a 200, offers and
 * answers - is done here, because its own way of answering a fork's 200 looks
 * names up and frees twice (nta_msg_ackbye).
 */
#ifndef GATEWAY_SIP_AGENT_H
#define GATEWAY_SIP_AGENT_H

#include "base/idmap.h"
#include "base/log.h"
#include "base/net.h"
#include "gateway/sdp.h"
#include "gateway/sip/link.h"
#include "gateway/sip/sofia.h"
#include "gateway/sip_agent.pb-c.h"
#include "gateway/sip_wire.h"

#define AGENT_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK"
#define AGENT_ACCEPT "application/sdp, multipart/mixed"

enum {
	AGENT_MAX_NETWORKS = 256,
	AGENT_MAX_MESSAGE = 65536, /* octets of a SIP message */
	AGENT_QUEUE_MAX = 16384,   /* events that may wait: then the process gives up */
	AGENT_QUEUE_BUSY = 1024,   /* from here on new calls get 503 */
	AGENT_NAME_SIZE = 256,     /* of a host, with its NUL */
	/* "sip:NAME:65535;maddr=[...];transport=tls" */
	AGENT_ROUTE_SIZE = AGENT_NAME_SIZE + NET_TEXT_SIZE + 48,
	AGENT_RETRY_AFTER_S = 5,
	AGENT_MAX_CHALLENGES = 3, /* of one request */
	AGENT_UNACKED_MAX = 2000, /* refused INVITEs without ACK: the library walks them all */
	SIP_T1_MS = 500,
	SIP_T2_MS = 4000,
	SIP_TIMEOUT_MS = 32000, /* 64*T1: timers B, F, H of RFC 3261 17 */
};

struct capture;
struct registering;
struct single;
struct text;

/* Where a request goes. */
struct hop {
	struct net_addr addr;
	SipAgent__Transport transport;
	char name[AGENT_NAME_SIZE]; /* TLS: whom the certificate must name; "": the address */
};

/* Paths of tls.c's PEM files. */
struct tls_files {
	char *certificate, *key, *ca; /* ca NULL: no TLS */
};

/* ---- the agent ---- */

struct agent {
	su_root_t *root;
	struct link *link;
	nta_agent_t *nta;        /* NULL until configured */
	struct sip_trace *trace; /* NULL: none */
	su_timer_t *reaper;      /* frees what died during a callback */
	su_timer_t *leaving;
	struct net_block networks[AGENT_MAX_NETWORKS];
	size_t nnetworks;
	char host[NET_TEXT_SIZE]; /* of Contact; an IPv6 address in brackets */
	unsigned port, tls_port;  /* tls_port 0: no TLS */
	struct tls_files tls;
	struct stack_st_CONF_VALUE *tls_values;  /* of the certificate read last: tls.c */
	struct stack_st_GENERAL_NAME *tls_names; /* the same */
	char *user_agent;                        /* NULL: none */
	uint32_t udp_mtu, answer_ms, ring_ms;
	uint32_t session_s, min_session_s; /* RFC 4028; session_s 0: not asked for */
	struct idmap by_number;
	struct call *calls, *dead;
	struct single *singles; /* OPTIONS and BYE under way without a call */
	struct registering *registering;
	struct text *texts; /* SIP MESSAGEs under way */
	size_t ntexts;
	bool takes_texts;
	size_t ncalls, max_calls;
	size_t unacked; /* refused INVITEs that wait for their ACK */
	uint64_t next_number;
	uint64_t strangers, malformed, options, overload; /* counters */
	uint64_t library_malformed;                       /* as last reported */
	struct log_limit stranger_limit, malformed_limit, offer_limit, flood_limit, tls_limit;
	bool quitting;
};

/* Returns 0 or -ENOMEM; *agent is zero before. */
int agent_init(struct agent *agent, su_root_t *root, int fd);
/* Says its last words within LEAVE_MS, then frees calls, transactions and transports. */
void agent_done(struct agent *agent);

/* Sends an event: message is the SipAgent__* that body names. */
void agent_send(struct agent *agent, SipAgent__FromAgent__BodyCase body, void *message);

/* The same, for what the server can wait for (LINK_LAZY_MS). */
void agent_send_lazily(struct agent *agent, SipAgent__FromAgent__BodyCase body, void *message);

/* May requests come from there? */
bool agent_trusts(const struct agent *agent, const struct net_addr *source);

/* Tells the server, at most once a minute, what was refused. */
void agent_refused(struct agent *agent, struct log_limit *limit, const struct net_addr *source,
		   const char *what);

/* Must a new call be refused for want of room? */
bool agent_is_full(const struct agent *agent);

/* Gives up an INVITE of the peer that has, or is about to have, its refusal. */
void agent_let_go(struct agent *agent, nta_incoming_t *irq);

/* Where msg came from. */
void agent_source(msg_t *msg, struct net_addr *out);

/* ---- hop.c ---- */

/* As the library wants it: "sip:HOST:PORT;transport=...", over TLS with the name that the
 * certificate must hold as host and the address as maddr. */
void hop_route(const struct hop *hop, char out[AGENT_ROUTE_SIZE]);

/* Returns 0 or -EINVAL; target may be NULL. */
int hop_of_target(const SipAgent__Target *target, struct hop *out);

/* Where msg came from, over which transport. */
void hop_of_message(msg_t *msg, const sip_t *sip, struct hop *out);

/* The address that url names, where it is numeric. */
bool hop_of_url(const url_t *url, struct hop *out);

/* Fills pb; address and name are made in home. */
void hop_target(const struct hop *hop, su_home_t *home, SipAgent__Target *pb);

/* "<sip:USER@HOST:PORT;transport=...>": our Contact over that transport, made in home;
 * user may be NULL or empty. */
char *hop_contact(const struct agent *agent, su_home_t *home, const char *user,
		  SipAgent__Transport transport);

/* ---- trace.c ---- */

/* What the library says of its peers is counted elsewhere; their text is not ours to print. */
void agent_no_log(void);
/* Appends every SIP message that comes or goes to the file path from now on, without keys of SRTP;
 * any other text than an absolute path ends that.  The same to hep's collector, NULL: to none. */
void agent_set_trace(struct agent *agent, const char *path, const SipAgent__Hep *hep);
/* How many octets of a line of SIP or SDP anybody may see: all but the keys of a=crypto. */
size_t trace_open_octets(struct slice line);

/* ---- capture.c ---- */

/* A way to hep's collector; agent is held.  NULL: no memory.  An address that cannot be reached
 * is tried again and again; the server is told when that is known, and when it has changed. */
struct capture *capture_new(struct agent *agent, const SipAgent__Hep *hep);
/* Closes it, wipes the password, and sets *capturep to NULL; *capturep may be NULL. */
void capture_free(struct capture **capturep);
/* Sends the message that the library printed, if the socket takes it at once. */
void capture_send(struct capture *capture, struct slice printed);

/* ---- header.c ---- */

/* May text of the server stand in a header?  No controls. */
bool agent_text_ok(const char *text);

/* One sip or tel URI, without headers behind a '?' (the library would put them into
 * the request), as nothing but itself between < and >. */
bool agent_uri_ok(su_home_t *home, const char *text);

/* `"name" <uri>`, made in home; both are checked before.  NULL: out of memory. */
char *agent_name_addr(su_home_t *home, const char *name, const char *uri);

/* A Call-ID that tells nothing (the library's own holds a hardware address and the
 * time), made in home; NULL when memory or randomness is out. */
char *agent_new_call_id(su_home_t *home);

/* An empty text as no header at all. */
static inline const char *agent_text(const char *text)
{
	return text && text[0] ? text : NULL;
}

/* door.c: from now on strangers' TCP connections are closed; NULL: no more. */
void door_watch(struct agent *agent);
/* The agent that watches, for tls.c; NULL: none. */
struct agent *door_agent(void);

/* tls.c: adds the transport on host, which has its brackets.  Returns 0, -EINVAL (a file
 * cannot be used) or another -errno, with why_out saying what. */
void tls_forget_names(struct agent *agent);
/* Keeps the names of its files; why_out is cut at why_size - 1. */
int tls_bind(struct agent *agent, const SipAgent__Tls *tls, char *why_out, size_t why_size);

/* receive.c: the library's callback for what belongs nowhere. */
int receive_message(struct agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip);

/* single.c */
void single_probe(struct agent *agent, const SipAgent__Probe *probe);
/* A BYE for a dialog of an agent that died, which only the server remembers. */
void single_bye_orphan(struct agent *agent, const SipAgent__ByeOrphan *orphan);
/* Acknowledges and ends a dialog that nobody wants: a second fork's 200, or one
 * that came after its call was given up. */
void single_refuse_answer(struct agent *agent, msg_t *msg, const sip_t *sip);

/* Forgets what is under way, when the agent ends. */
void single_forget_all(struct agent *agent);

/* register.c */
void register_send(struct agent *agent, const SipAgent__Register *registration);
/* Without a word to registrars: the agent ends. */
void register_forget_all(struct agent *agent);

/* text.c */
void text_send(struct agent *agent, const SipAgent__Text *text);
/* Sends the MESSAGE again with credentials; those for an older challenge are dropped. */
void text_authorize(struct agent *agent, const SipAgent__TextAuthorize *authorize);
/* The final response to a MESSAGE that came in. */
void text_reply(struct agent *agent, const SipAgent__TextReply *reply);
/* A MESSAGE came in: msg is taken over. */
void text_take(struct agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip);
/* Without answers: the agent ends. */
void text_forget_all(struct agent *agent);

/* ---- calls ---- */

enum call_state {
	CALL_OFFERED,    /* incoming, the server decides */
	CALL_ANSWERED,   /* incoming, 200 sent, no ACK yet */
	CALL_CALLING,    /* outgoing, no response yet */
	CALL_PROCEEDING, /* outgoing, a provisional response came */
	CALL_ASKING,     /* outgoing, a challenge lies with the server */
	CALL_CANCELLING, /* outgoing, ended for the server; INVITE still open */
	CALL_UP,
	CALL_CLOSING,        /* BYE sent */
	CALL_CLOSING_ASKING, /* its challenge lies with the server */
	CALL_GONE,           /* waits for the reaper */
};

enum { CALL_MAX_DIGITS = 32 };

struct call {
	su_home_t home[1]; /* first: owns the call's texts and the call itself */
	struct idmap_node node;
	struct agent *agent;
	struct call *next, **prev; /* in agent->calls, then agent->dead */
	enum call_state state;
	bool told;      /* Ended was sent */
	bool cancelled; /* CANCEL was sent */
	bool wants_bye; /* Hangup came while a 200 of ours was not acknowledged */
	nta_leg_t *leg;
	nta_incoming_t *invite; /* incoming: until acknowledged or refused */
	nta_incoming_t *change; /* the peer's re-INVITE or UPDATE, the same */
	nta_outgoing_t *out;    /* our INVITE or BYE under way */
	nta_outgoing_t *info;   /* our INFO under way */
	struct digit {
		char digit;
		uint16_t ms;
	} digits[CALL_MAX_DIGITS]; /* that wait for it */
	size_t ndigits;
	su_timer_t *limit, *resend;
	uint32_t resend_ms, resent_ms; /* the wait, and all since the first */
	int resend_code;               /* the response to repeat */
	bool change_answered, late_offer, ring_audio;
	struct hop peer;        /* the next hop where the dialog names a host */
	tport_t *connection;    /* TCP or TLS: by which the call came in, held; else NULL */
	bool grown;             /* our INVITE went over TCP because of its size */
	struct sdp offer;       /* the peer's latest; nlines 0: none */
	struct sdp_local local; /* ours */
	struct sdp early;       /* the answer in a provisional response; nlines 0: none */
	uint32_t local_seq;     /* of our INVITE */
	uint32_t invite_seq;    /* of the peer's INVITE or latest re-INVITE */
	uint32_t remote_seq;    /* highest of the peer's */
	unsigned challenges;    /* of the request under way */
	uint32_t answer_ms;     /* how long the INVITE may be unanswered; 0: as configured */
	struct session {
		uint32_t expires_s, min_s; /* 0: no session timer; what we ask for */
		bool refresh;              /* we do, not the peer */
		bool timed;                /* the peer knows of session timers */
		su_timer_t *timer;
	} session;
	struct {
		nta_outgoing_t *out; /* our re-INVITE or UPDATE under way */
		su_timer_t *again;   /* after 491 */
		bool wanted, due;    /* an offer of the server's; a refresh */
		bool owed;           /* the refresh: until one has succeeded */
		bool waiting;        /* for its turn, after 491 */
		bool asking;         /* a challenge lies with the server */
		bool update;         /* the one under way refreshes by UPDATE */
		bool offering;       /* it has the server's offer */
	} reoffer;
	struct {
		bool wanted;             /* the peer requires it of us, or we ask for it */
		bool pending;            /* ours has no PRACK yet */
		bool deferred;           /* and the 200 waits for it */
		bool answered;           /* the PRACK had the answer to our offer */
		uint32_t rseq;           /* of ours */
		unsigned long peer_rseq; /* the highest that has its PRACK */
	} reliable;
	bool takes_update; /* the peer's Allow says so */
	bool caller;       /* the call is ours, and so its Call-ID */
	char route[AGENT_ROUTE_SIZE];
	char *sip_call_id, *request_uri, *local_uri, *remote_uri, *contact, *asserted, *extra;
	char *reason; /* of the BYE or CANCEL to come */
	char *authorization, *proxy_authorization;
};

/* A call in agent's list, in CALL_OFFERED or CALL_CALLING.  NULL when memory is out. */
struct call *call_new(struct agent *agent, uint64_t number, enum call_state state);
/* The call of the server's number, or NULL. */
struct call *call_find(struct agent *agent, uint64_t number);
/* Frees the call with its leg and transactions: the reaper's, and agent_done()'s. */
void call_free(struct call *call);

/* Starts the state's limit. */
void call_enter(struct call *call, enum call_state state);
/* Limits the wait for the ACK to a re-INVITE's 200. */
void call_await_ack(struct call *call);
/* CALL_GONE: off the lists; the reaper frees it after the callback. */
void call_finish(struct call *call);

struct call_end {
	SipAgent__Cause cause;
	unsigned code;
	const char *phrase, *reason, *contact, *warning; /* NULL: none */
	unsigned retry_after_s;
};
/* Sends Ended, once. */
void call_tell_end(struct call *call, const struct call_end *end);

/* Ends the call in whatever state: CANCEL, BYE or a refusal.  reason is the value of a
 * Reason header, "" for none. */
void call_hangup(struct call *call, const char *reason);

struct call_refusal {
	const char *phrase, *reason, *warning; /* NULL: none */
	unsigned retry_after_s;                /* 0: none */
	char *const *challenges;               /* values of WWW-Authenticate */
	size_t n_challenges;
};
/* Sends the final response to call->invite, which then is the library's. */
void call_refuse_invite(struct call *call, int status, const struct call_refusal *refusal);

/* What the peer's Allow says. */
void call_take_allow(struct call *call, const sip_t *sip);

/* Answers a challenge to the INVITE or BYE. */
void call_authorize(struct call *call, const SipAgent__Authorize *authorize);
/* Asks the server; false where there is nothing to ask (any more). */
bool call_ask(struct call *call, nta_outgoing_t *request, const sip_t *response);

/* Where the next request of the dialog goes. */
void call_next_hop(struct call *call, struct hop *out);
/* The connection by which a request goes instead, while it lasts; else NULL. */
tport_t *call_connection(const struct call *call);
/* The same as the library wants it. */
void call_route(struct call *call, char out[AGENT_ROUTE_SIZE]);
/* For the 200 of the INVITE of that CSeq; written anew each time the 200 is repeated. */
void call_send_ack(struct call *call, uint32_t seq);
/* With call->reason, where there is one. */
void call_send_bye(struct call *call);

/* Repeats code (a response to invite or change) from now on; 100 is sent once, unless another
 * response comes first. */
void call_start_resending(struct call *call, int code);
/* The ACK or PRACK came. */
void call_stop_resending(struct call *call);

/* Fills pb; its texts are made in home. */
void call_dialog(struct call *call, su_home_t *home, SipAgent__Dialog *pb, SipAgent__Target *hop);

/* nta's answer to 200, with SDP, and to 18x with or without, reliable where it is. */
int call_reply(struct call *call, nta_incoming_t *irq, int code, bool with_sdp);

/* incoming.c */
void incoming_invite(struct agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip);
/* 180 to 189, with our SDP where the server gives one; reliable (RFC 3262) where the caller
 * wants that. */
void incoming_ring(struct call *call, const SipAgent__Ring *ring);
/* The 200; it waits for the PRACK of what rang reliably (RFC 3262 section 3). */
void incoming_answer(struct call *call, const SipAgent__Answer *answer);
/* A code that is none becomes 500. */
void incoming_reject(struct call *call, const SipAgent__Reject *reject);
/* Sends the 200 that is written. */
void incoming_send_answer(struct call *call);
/* No PRACK came for a provisional response: no call. */
void incoming_give_up(struct call *call);
/* The ACK to our 200: the call is up. */
void incoming_acknowledged(struct call *call, const sip_t *ack);

/* outgoing.c */
void outgoing_start(struct agent *agent, const SipAgent__Invite *invite);
/* Once more, too: with credentials, or with another session time. */
void outgoing_send_invite(struct call *call);
void outgoing_send_cancel(struct call *call);

/* dialog.c: the library's callback for requests of a dialog. */
int dialog_request(struct call *call, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
/* The server accepts the peer's offer within the call: 200 with our SDP. */
void dialog_answer_change(struct call *call, const SipAgent__ChangeAnswer *answer);
/* The server does not; the call goes on as it was. */
void dialog_reject_change(struct call *call, const SipAgent__ChangeReject *reject);

/* reoffer.c */
/* The server's offer, as soon as nothing else is under way. */
void reoffer_take(struct call *call, const SipAgent__Reoffer *reoffer);
/* Refreshes the session: UPDATE where the peer takes it, else the offer again. */
void reoffer_refresh(struct call *call);
/* Is an offer of ours on its way?  Then the peer's has to wait (RFC 3261 14.2). */
bool reoffer_crosses(const struct call *call);
/* The challenge to it is answered. */
void reoffer_authorized(struct call *call);
/* The peer's own change is over: it is our turn. */
void reoffer_next(struct call *call);
/* With the call; destroys its transaction and timer. */
void reoffer_free(struct call *call);

/* reliable.c */
/* Sends a provisional response to call->invite, repeated until its PRACK. */
void reliable_ring(struct call *call, int code);
/* A PRACK of the peer: the status that answers it, which is sent already where the call's 200
 * waited for it. */
int reliable_acknowledged(struct call *call, nta_incoming_t *irq, const sip_t *sip);
/* No PRACK came: the status to refuse with. */
enum { RELIABLE_GIVE_UP = 504 };
/* Acknowledges the peer's provisional response, where it asks for that. */
void reliable_take(struct call *call, const sip_t *sip);

/* session.c */
/* Header values of a request of ours, or of a 200; NULL: none.  Made in home. */
const char *session_header(const struct call *call, bool request, su_home_t *home);
/* The value of Min-SE (RFC 4028 section 5), or NULL. */
const char *session_min_header(const struct call *call, su_home_t *home);
/* "timer" where the 200 must require it, else NULL. */
const char *session_require(const struct call *call);
/* An INVITE, re-INVITE or UPDATE of the peer: takes what it asks for.  Returns 0, or 422
 * with *min_s_out. */
int session_take_request(struct call *call, const sip_t *sip, uint32_t *min_s_out);
/* The same for an INVITE that is no call yet. */
int session_check(const struct agent *agent, const sip_t *sip);
/* A 200 to a request of ours. */
void session_take_response(struct call *call, const sip_t *sip);
/* A 422: asks for more.  False when that is no use. */
bool session_raise(struct call *call, const sip_t *sip);
/* The session begins, or was refreshed. */
void session_start(struct call *call);
/* No refreshing, and no end for want of it. */
void session_stop(struct call *call);

/* digit.c */
void digit_send(struct call *call, const SipAgent__Digit *digit);
/* An INFO of the peer: the status that answers it. */
int digit_take(struct call *call, const sip_t *sip);

/* ---- body.c ---- */

enum body_kind { BODY_NONE, BODY_SDP, BODY_OTHER };
/* By Content-Type and Content-Encoding; an empty body is none, one of several parts of which one
 * is a description (multipart.h) is that. */
enum body_kind body_kind(const sip_t *sip);

/* As sdp_parse() over the body of a message of BODY_SDP, or over that part of it. */
int body_sdp(const sip_t *sip, struct sdp *out, const char **why_out);

/* The challenges of a 401 or 407 that digest_parse() reads. */
struct challenge_list {
	struct digest_challenge parsed[DIGEST_MAX_CHALLENGES];
	SipAgent__Challenge pb[DIGEST_MAX_CHALLENGES];
	SipAgent__Challenge *list[DIGEST_MAX_CHALLENGES]; /* for a message */
	size_t n;
};
/* At most DIGEST_MAX_CHALLENGES; what does not parse is left out. */
void body_challenges(const sip_t *sip, struct challenge_list *out);

/* P-Asserted-Identity (RFC 3325): the URI of each. */
enum { BODY_MAX_ASSERTED = 4 };
/* P-Asserted-Identity (RFC 3325), as body_caller() has it.  Returns how many, at most
 * BODY_MAX_ASSERTED. */
size_t body_asserted(const sip_t *sip, su_home_t *home, const char *host,
		     char *out[BODY_MAX_ASSERTED]);

/* The values of its Authorization headers. */
enum { BODY_MAX_AUTHORIZATIONS = 4 };
/* Returns how many, at most BODY_MAX_AUTHORIZATIONS. */
size_t body_authorizations(const sip_t *sip, su_home_t *home, char *out[BODY_MAX_AUTHORIZATIONS]);

/* Privacy (RFC 3323): does the sender want to be nobody? */
bool body_is_anonymous(const sip_t *sip);

/* Values of WWW-Authenticate as header lines, in home; NULL for none. */
const char *body_challenge_lines(su_home_t *home, char *const *challenges, size_t n);

/* Text of a header or URI, made in home; "" for none. */
char *body_url(su_home_t *home, const url_t *url);
/* Who is called, as the maps can read it: a tel URI is the sip URI of that number at our own
 * address.  The maps of the SIP side match sip URIs; what one of them made of a tel URI would
 * lead back to where the call came from. */
char *body_called(const struct agent *agent, su_home_t *home, const url_t *url);
/* Who calls, the same: a tel URI, which trunks of mobile networks have in From, is the sip URI of
 * that number at host (RFC 3261, section 19.1.6), an address without brackets. */
char *body_caller(su_home_t *home, const url_t *url, const char *host);
/* Without the quotes around it. */
char *body_name(su_home_t *home, const char *display);
/* As it stands in a message. */
char *body_header(su_home_t *home, const void *header);

#endif
