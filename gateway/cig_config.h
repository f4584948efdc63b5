/* cig_config.h - the gateway's configuration, cig.conf, as one immutable object.
 *
 * Read whole before anything changes; a reload makes a second object and swaps.
 * Counted: cig_config_hold() and cig_config_release(), in one thread; whoever
 * keeps a pointer into it holds it.  Source: CIG manual 2.9, "Configuration",
 * "Text message interface", "SMPP Interface"; what the manual does not have is
 * marked "ours" and described in etc/cig.conf.sample.
 */
#ifndef GATEWAY_CIG_CONFIG_H
#define GATEWAY_CIG_CONFIG_H

#include <stdio.h>

#include "base/config_value.h"
#include "base/diag.h"
#include "base/net.h"
#include "build-config.h"
#include "maps/route.h"
#include "maps/translate_map.h"
#include "smpp/center.h"

struct explain;

#define CIG_CONFIG_PATH CIG_DIR "/cig.conf"

struct cig_port_range {
	uint16_t low, high; /* both included; 0 and 0: any port the system gives (default) */
	struct diag_place place;
};

struct cig_addr_override {
	char from[CONFIG_IP_SIZE], to[CONFIG_IP_SIZE];
};

struct cig_account {
	const char *name, *user, *password;
};

/* What both interfaces have.  Maps are in cig_config_router(). */
struct cig_interface {
	char bind[CONFIG_IP_SIZE];       /* "": any address */
	char bind_media[CONFIG_IP_SIZE]; /* bind where not set; ours */
	struct cig_port_range rtp;
	const struct cig_addr_override *overrides; /* first match wins */
	size_t override_count;
};

/* The secure side. */
struct cig_tel {
	struct cig_interface common;
	const char *crs_host; /* "": the letter's rendezvous address; ours */
	uint16_t crs_port;
	const char *const *trust_domains; /* where a pinned URI may move to (ours), as
					   * domain_id_text() has their ids */
	size_t trust_domain_count;
};

/* SIP over TLS; ours. */
struct cig_tls {
	uint16_t port;           /* 5061 */
	const char *certificate; /* PEM, our own with its chain */
	const char *key;         /* PEM; certificate where not set */
	const char *ca;          /* PEM, whom we trust; NULL: no TLS at all */
	bool verify_clients;     /* who connects must have a certificate of ca; false */
};

enum { CIG_MAX_HEP_PASSWORD = 255 };

/* Of trusted and of all pbx blocks together: what cig-sip has room for (AGENT_MAX_NETWORKS). */
enum { CIG_MAX_NETWORKS = 256 };

/* Where each SIP message goes as HEP3 (Homer); ours. */
struct cig_hep {
	struct net_addr collector; /* with its port; len 0: nowhere */
	unsigned id;               /* by which the collector knows us; 1 */
	const char *password;      /* "": none */
	struct diag_place place;   /* of the block */
};

/* One PBX or trunk: what the entries for its hosts, and calls from its networks, get
 * beyond the manual; ours. */
struct cig_pbx_server {
	const char *host;
	uint16_t port; /* 0: by SRV where there is one, else the transport's usual one */
	unsigned priority, weight; /* as RFC 2782 has them */
};

enum cig_dtmf { CIG_DTMF_EVENTS, CIG_DTMF_INFO, CIG_DTMF_TONES };
/* SRTP with the PBX, its keys in SDP (RFC 4568). */
enum cig_srtp {
	CIG_SRTP_OFF,
	CIG_SRTP_OPTIONAL, /* offered beside RTP, taken where it is offered */
	CIG_SRTP_REQUIRED, /* no call without */
};
/* What becomes of 3xx. */
enum cig_diversion { CIG_DIVERT_REFUSE, CIG_DIVERT_MAPS };

struct cig_pbx {
	const char *name;
	const char *const *hosts; /* of sip patterns; at least one */
	size_t host_count;
	const struct cig_pbx_server *servers; /* none: the host itself */
	size_t server_count;
	const struct config_net *networks; /* its own addresses; none: nothing comes from it */
	size_t network_count;
	bool has_transport; /* transport instead of the entry's */
	enum sip_transport transport;
	unsigned probe_s;          /* OPTIONS that often; 0: never */
	unsigned answer_timeout_s; /* of one server, before the next; 0: 4, the last one 32 */
	enum cig_dtmf dtmf;        /* where the PBX takes it: events */
	bool reliable;             /* ask for PRACK; false */
	bool asserted_identity;    /* the maps see its P-Asserted-Identity; false */
	bool assert_identity;      /* it gets one of us; false */
	bool remote_party_id;      /* calls to it have that header, too; false */
	enum cig_srtp srtp;
	bool srtp_without_tls; /* keys may be sent in clear; false */
	enum cig_diversion redirects;
	const struct cig_account *challenge; /* it must prove who it is; NULL: need not */
	const char *register_uri;            /* NULL: no registration */
	const struct cig_account *register_account;
	unsigned register_s; /* 3600 */
	struct diag_place place;
};

/* The PBX side. */
struct cig_sip {
	struct cig_interface common;
	uint16_t port;                    /* 5060 */
	bool messaging;                   /* SIP MESSAGE in and out; false */
	bool sip_trace;                   /* whole messages to sip.log; false; ours */
	const struct config_net *trusted; /* who may call in; none: everyone; ours */
	size_t trusted_count;
	/* Asked for the names of PBXs, with their ports; none: the system's; ours. */
	const struct net_addr *nameservers;
	size_t nameserver_count;
	unsigned max_calls;       /* 0: no limit; ours */
	unsigned media_timeout_s; /* silence that ends a call; 30; ours */
	unsigned max_call_s;      /* how long a call may talk; 0: no limit; ours */
	unsigned udp_max_bytes;   /* longer requests go by TCP first; 0: none do; ours */
	/* RFC 4028; 0: only where the PBX asks for it; ours. */
	unsigned session_expires_s;
	unsigned min_session_expires_s; /* 90 */
	struct cig_tls tls;
	struct cig_hep hep;
};

/* A pair of translate maps: for a mailbox or one direction of a message center. */
struct cig_address_maps {
	const struct translate_map *from, *to;
};

struct cig_mailbox {
	const char *path; /* absolute */
	struct cig_address_maps maps;
	struct diag_place place;
};

/* What a text's attachments become at a message center, which takes text only; ours. */
enum cig_attachments {
	CIG_ATTACHMENTS_PLACEHOLDER, /* a line with the name stands for each */
	CIG_ATTACHMENTS_REFUSE,      /* the sender hears that the text has failed */
	CIG_ATTACHMENTS_DROP,
};

struct cig_center_tls {
	bool on;
	struct smpp_tls_files files;
};

struct cig_message_center {
	const char *hostname;
	uint16_t port;
	const char *user, *password;
	bool reads, writes; /* has a read, a write block */
	struct cig_address_maps read, write;
	struct diag_place place;
	/* Ours; defaults in brackets. */
	struct smpp_host alternatives[SMPP_MAX_HOSTS - 1]; /* tried when hostname is not there */
	size_t alternative_count;
	char bind[CONFIG_IP_SIZE]; /* own address; "": any */
	bool pair;                 /* a transmitter and a receiver [one transceiver] */
	struct cig_center_tls tls; /* [no] */
	const char *system_type, *address_range, *service_type; /* [""] */
	unsigned window;                                        /* [10] */
	unsigned rate_per_s;                                    /* [0: no limit] */
	unsigned enquire_link_s;                                /* [30] */
	unsigned response_timeout_s;                            /* [10] */
	unsigned throttle_ms;                                   /* [1000] */
	enum smpp_alphabet alphabet;                            /* what data_coding 0 means [GSM] */
	enum smpp_long_form long_texts;                         /* [UDH8] */
	unsigned join_timeout_s;                      /* for all parts of a long text [86400] */
	struct smpp_address_rule source, destination; /* [by the form of the address] */
	bool receipts;                                /* [true] */
	unsigned receipt_timeout_s;                   /* [86400] */
	bool validity;                                /* [true] */
	bool repeat_unanswered;                       /* [true] */
	enum cig_attachments attachments;             /* [placeholder] */
	/* What an error means here [as smpp_center_usual_fate()]. */
	struct smpp_status_rule rules[SMPP_MAX_RULES];
	size_t rule_count;
};

struct cig_config {
	const char *path; /* the file */
	int64_t read_ms;  /* when it was read, of clock_wall_ms() */
	struct cig_tel tel;
	struct cig_sip sip;
	const struct cig_account *accounts;
	size_t account_count;
	const struct cig_pbx *pbxs;
	size_t pbx_count;
	const struct cig_mailbox *read_mailboxes, *write_mailboxes;
	size_t read_mailbox_count, write_mailbox_count;
	const struct cig_message_center *message_centers;
	size_t message_center_count;
	/* Ours; defaults in brackets. */
	const char *userdata;              /* [/opt/cig/userdata] */
	const char *log_dir;               /* [/var/log/cig] */
	const char *run_dir;               /* [/run/cig] sockets of cig-relay */
	const char *mail_group;            /* [cigmail] */
	char control_bind[CONFIG_IP_SIZE]; /* [127.0.0.1] */
	uint16_t control_port;             /* [8083] */
	char metrics_bind[CONFIG_IP_SIZE]; /* [127.0.0.1] */
	uint16_t metrics_port;             /* [0: no port for Prometheus] */
};

/* May SRTP keys stand in the SDP of a call by that transport?  pbx may be NULL. */
static inline enum cig_srtp cig_pbx_srtp(const struct cig_pbx *pbx, enum sip_transport transport)
{
	bool safe = pbx && (transport == SIP_TLS || pbx->srtp_without_tls);

	return safe ? pbx->srtp : CIG_SRTP_OFF;
}

/* Reads path.  Every fault and warning is in diag.  Returns 0, -EINVAL (faults in
 * diag), -errno of reading (diag tells), -ENOMEM; *config_out is set on 0 only,
 * with one hold, the caller's. */
int cig_config_read(const char *path, struct diag *diag, const struct cig_config **config_out);

/* Only where things lie and which ports answer, also of a file that has faults elsewhere:
 * for cig-cli, which must reach the server whose new configuration is not sound.  Nothing
 * is told.  Returns 0 with the caller's hold, -errno of reading, or -ENOMEM. */
int cig_config_read_places(const char *path, const struct cig_config **config_out);

/* cig_config_read() from memory; name stands for the file in diagnostics. */
int cig_config_parse(const char *name, struct slice text, struct diag *diag,
		     const struct cig_config **config_out);

/* One hold more; returns config. */
const struct cig_config *cig_config_hold(const struct cig_config *config);

/* Gives one hold back and sets *configp to NULL; the last one frees. */
void cig_config_release(const struct cig_config **configp);

/* Hands over the octets of the file that config was made of, passwords and all, without what it
 * includes: the file itself may say something else by now.  The caller frees them.  Returns 0, or
 * -ENODATA: it came from memory, or they have been handed over. */
int cig_config_take_text(const struct cig_config *config, uint8_t **text_out, size_t *n_out);

/* Routes calls by the interfaces' maps (maps/route.h).  Lives as long as config. */
const struct router *cig_config_router(const struct cig_config *config);

/* The translate map of that name, or NULL. */
const struct translate_map *cig_config_translate_map(const struct cig_config *config,
						     const char *name);

/* The account that entries name by auth, or NULL. */
const struct cig_account *cig_config_account(const struct cig_config *config, const char *name);

/* The PBX to whose hosts this one belongs (without regard to case), or NULL. */
const struct cig_pbx *cig_config_pbx_of_host(const struct cig_config *config, const char *host);

/* The PBX from whose networks this address is, or NULL. */
const struct cig_pbx *cig_config_pbx_from(const struct cig_config *config,
					  const struct sockaddr *address);

/* The address to send media to where the peer announced address (text as inet_ntop()
 * writes it): the interface's first override for it, else address itself. */
const char *cig_config_override(const struct cig_interface *interface, const char *address);

/* May this address call in?  Who is trusted, and the networks of every pbx; where the file
 * names neither, everyone. */
bool cig_config_trusts(const struct cig_config *config, const struct sockaddr *address);

struct cig_addresses {
	char from[TRANSLATE_MAX_RESULT], to[TRANSLATE_MAX_RESULT];
};

/* From the secure side to a write mailbox or message center: both must match
 * (manual, "Mailboxes").  Returns 1, 0 (not for this one) or -EILSEQ (the result
 * would hold controls).  explain may be NULL. */
int cig_translate_outward(const struct cig_address_maps *maps, struct slice from, struct slice to,
			  struct cig_addresses *addresses_out, struct explain *explain);

/* Which of a text's two addresses keeps it from passing, and why (constant text). */
struct cig_address_fault {
	enum cig_address_side { CIG_FROM, CIG_TO } side;
	const char *why;
};

/* From a read mailbox or message center to the secure side: From must become a tel
 * URI of our own number (own: "tel:+8888"), To a tel URI.  Returns 1, or 0 with *fault_out.
 * The results are canonical. */
int cig_translate_inward(const struct cig_address_maps *maps, struct slice own, struct slice from,
			 struct slice to, struct cig_addresses *addresses_out,
			 struct cig_address_fault *fault_out, struct explain *explain);

/* Writes the loaded configuration line by line for the log at start (CIG-110),
 * passwords as "***". */
void cig_config_print(const struct cig_config *config, void (*line)(void *arg, const char *text),
		      void *arg);

/* "3 maps with 12 entries, 2 translate maps, ...": one line for status and reload. */
void cig_config_summary(const struct cig_config *config, char *out, size_t outsz);

/* What the configuration says, without passwords, as 16 hexadecimal digits: the same for a
 * file and for what runs, if they say the same. */
enum { CIG_DIGEST_SIZE = 17 };
/* For telling files apart; no protection against anybody. */
void cig_config_digest(const struct cig_config *config, char out[CIG_DIGEST_SIZE]);

enum cig_change { CIG_ADDED, CIG_REMOVED, CIG_CHANGED };

struct cig_change_ops {
	/* line is as cig_config_print() has it, behind the blocks around it: "map t: entry a
	 * tel ...", without passwords; of a change the new one.  restart: it comes into effect
	 * only when cig-server is started again.  Valid until it returns. */
	void (*change)(void *arg, enum cig_change change, const char *line, bool restart);
};

/* Tells every line that a reload from before to after adds, removes or changes; the order
 * of entries does not count.  Returns 0 or -ENOMEM (nothing was told). */
int cig_config_changes(const struct cig_config *before, const struct cig_config *after,
		       const struct cig_change_ops *ops, void *arg);

#endif
