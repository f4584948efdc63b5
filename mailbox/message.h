/* message.h - a text message as the gateway holds it between its two sides. */
#ifndef MAILBOX_MESSAGE_H
#define MAILBOX_MESSAGE_H

#include "base/slice.h"

/* RFC 3834 and the manual's "Message format" (Auto-Submitted). */
enum message_auto {
	MESSAGE_BY_HAND,        /* "no" */
	MESSAGE_AUTO_GENERATED, /* "auto-generated" */
	MESSAGE_AUTO_REPLIED,   /* "auto-replied" */
	MESSAGE_AUTO_NOTIFIED,  /* "auto-notified" */
};

/* In which context a reply would be (X-Responder-Type). */
enum message_responder {
	MESSAGE_RESPONDER_UNKNOWN, /* "unknown" */
	MESSAGE_RESPONDER_TEL_URI, /* "tel-uri" */
	MESSAGE_RESPONDER_CHANNEL, /* "channel" */
};

enum {
	MESSAGE_ID_BYTES = 16,
	MESSAGE_MAX_ATTACHMENTS = 64,
};

struct message_attachment {
	char *filename;     /* UTF-8, without path; never empty */
	char *content_type; /* "image/png" */
	uint8_t *data;
	size_t n;
};

/* Owns all it points to.  Texts are UTF-8; NULL where the source had none. */
struct message {
	uint8_t id[MESSAGE_ID_BYTES];
	char *from, *to;     /* already translated, without "<" and ">" */
	char *sender_uri;    /* the sender, not translated (X-Sender-URI) */
	char *sender_domain; /* name of its security domain (X-Sender-Domain) */
	int64_t date_s;      /* UTC, seconds since 1970; 0: unknown */
	int64_t end_s;       /* not to be shown from then on (Expires); 0: not given */
	enum message_auto auto_submitted;
	enum message_responder responder;
	char *text; /* "" when there are only attachments */
	struct message_attachment *attachments;
	size_t attachment_count;
};

/* Makes *m empty without freeing anything. */
void message_init(struct message *m);

/* Frees what m owns and makes it empty. */
void message_clear(struct message *m);

/* Replaces *field, one of m's texts, by a copy.  Returns 0 or -ENOMEM. */
int message_set(char **field, struct slice text);

/* Appends a copy.  filename is reduced to a name without path, controls and
 * leading dots ("attachment-N" if nothing remains), content_type to type/subtype
 * ("application/octet-stream" if it is none).  Returns 0, -E2BIG (too many) or
 * -ENOMEM. */
int message_attach(struct message *m, struct slice filename, struct slice content_type,
		   struct slice data);

/* The header words. */
const char *message_auto_text(enum message_auto v);
/* Constant text. */
const char *message_responder_text(enum message_responder v);

#endif
