/* messages.c - send and listen: text messages of the reference caller. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/text.h"
#include "caller/attachments.h"
#include "caller/cca.h"

static const char *const receipt_words[] = {
	[UMSG__RECEIPT_STATE__RECEIPT_NONE] = "none",
	[UMSG__RECEIPT_STATE__RECEIPT_DELIVERED] = "delivered",
	[UMSG__RECEIPT_STATE__RECEIPT_FAILED] = "failed",
	[UMSG__RECEIPT_STATE__RECEIPT_EXPIRED] = "expired",
	[UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE] = "undecryptable",
};

static const char *receipt_word(Umsg__ReceiptState state)
{
	size_t n = sizeof(receipt_words) / sizeof(receipt_words[0]);

	return (size_t)state < n ? receipt_words[state] : "unknown";
}

static json_t *id_json(const uint8_t id[UMSG_ID_SIZE])
{
	char text[BASE64_TEXT_SIZE(UMSG_ID_SIZE)];

	base64_encode(BASE64_STANDARD, slice_of(id, UMSG_ID_SIZE), text);
	return json_string(text);
}

/* ---- send ---- */

struct sending {
	char to[UMSG_URI_SIZE], extension[UMSG_EXTENSION_SIZE];
	const char *channel; /* name or URI, instead of to; NULL */
	const char *text;
	struct attachments files;
	Umsg__AutoSubmitted auto_submitted;
	int64_t end_s; /* 0: as the domain has it */
	bool want_receipt, acked;
	struct umsg_sealed sealed; /* made once: every retry sends the same octets */
};

/* The URI of a channel that we are in this month; false: none has that name. */
static bool find_channel(const struct cca *cca, const char *name, char uri_out[UMSG_URI_SIZE])
{
	const struct keystore *store = cca->ring->store;
	const char *uri, *called;

	for (size_t i = 0; keystore_channel_at(store, clock_wall_s(), i, &uri, &called) == 0; i++) {
		if (strcmp(name, called) != 0 && strcmp(name, uri) != 0)
			continue;
		snprintf(uri_out, UMSG_URI_SIZE, "%s", uri);
		return true;
	}
	return false;
}

static int seal(struct cca *cca, struct sending *sending)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;

	if (sending->channel && !find_channel(cca, sending->channel, sending->to))
		return -ENOENT;

	body.version = 1;
	body.text = (char *)sending->text;
	body.sent = (uint64_t)clock_wall_s();
	body.called_extension = sending->extension;
	body.responder = sending->channel ? UMSG__RESPONDER_TYPE__RESPONDER_CHANNEL
					  : UMSG__RESPONDER_TYPE__RESPONDER_TEL_URI;
	body.attachments = sending->files.list;
	body.n_attachments = sending->files.n;
	body.auto_submitted = sending->auto_submitted;
	return umsg_client_seal(cca->client, sending->to, &body, sending->end_s, &sending->sealed);
}

static const char *send_peer(void *arg)
{
	const struct sending *sending = arg;

	/* A channel is of our own domain: there is nothing to look up. */
	return sending->channel ? NULL : sending->to;
}

static void send_attached(struct cca *cca, void *arg)
{
	struct sending *sending = arg;
	int err = 0;

	/* Attached anew behind the answer: it is posted already. */
	if (sending->acked)
		return;
	if (!sending->sealed.octets)
		err = seal(cca, sending);
	if (!err)
		err = umsg_client_post(cca->client,
				       slice_of(sending->sealed.octets, sending->sealed.n));
	if (!err)
		return;
	fprintf(stderr, "cca: cannot send: %s\n",
		err == -ENOENT ? "we are in no such channel" : strerror(-err));
	cca_end(cca, CCA_FAILED);
}

static void note_posted(struct cca *cca, struct sending *sending)
{
	if (sending->acked)
		return;
	sending->acked = true;
	cca_tell(cca, "posted", json_pack("{s:o}", "id", id_json(sending->sealed.id)));
	if (!sending->want_receipt)
		cca_end(cca, CCA_OK);
}

static void send_acked(struct cca *cca, void *arg, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ErrorCode error, const char *text)
{
	struct sending *sending = arg;

	if (memcmp(id, sending->sealed.id, UMSG_ID_SIZE) != 0)
		return;
	if (error != UMSG__ERROR_CODE__OK) {
		cca_tell(cca, "refused",
			 json_pack("{s:o, s:s}", "id", id_json(id), "reason", text));
		cca_end(cca, CCA_FAILED);
		return;
	}
	note_posted(cca, sending);
}

static bool send_receipt(struct cca *cca, void *arg, const char *from,
			 const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			 const char *reason)
{
	struct sending *sending = arg;

	if (memcmp(id, sending->sealed.id, UMSG_ID_SIZE) != 0)
		return true; /* of an earlier run: nobody waits for it any more */
	/* Who is attached may answer before the rendezvous's own word is here. */
	note_posted(cca, sending);
	cca_tell(cca, receipt_word(state),
		 json_pack("{s:o, s:s, s:s}", "id", id_json(id), "by", from, "reason", reason));
	if (sending->want_receipt)
		cca_end(cca, state == UMSG__RECEIPT_STATE__RECEIPT_DELIVERED ? CCA_OK : CCA_FAILED);
	return true;
}

static const struct cca_job send_job = { .attached = send_attached,
					 .peer = send_peer,
					 .post_ack = send_acked,
					 .receipt = send_receipt };

static const struct option send_options[] = {
	{ "receipt", no_argument, NULL, 'r' },       { "attach", required_argument, NULL, 'a' },
	{ "auto", required_argument, NULL, 'u' },    { "lifetime", required_argument, NULL, 'l' },
	{ "channel", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 },
};

/* "generated", "replied", "notified" (RFC 3834's "auto-" words).  Returns 0 or -EINVAL. */
static int take_auto(struct sending *sending, const char *word)
{
	static const char *const words[] = { [UMSG__AUTO_SUBMITTED__AUTO_GENERATED] = "generated",
					     [UMSG__AUTO_SUBMITTED__AUTO_REPLIED] = "replied",
					     [UMSG__AUTO_SUBMITTED__AUTO_NOTIFIED] = "notified" };

	for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		sending->auto_submitted = (Umsg__AutoSubmitted)i;
		return 0;
	}
	return -EINVAL;
}

static int take_lifetime(struct sending *sending, const char *seconds)
{
	unsigned long s;

	if (!text_number(slice_str(seconds), 1, CCA_NUMBER_MAX, &s))
		return -EINVAL;
	sending->end_s = clock_wall_s() + (int64_t)s;
	return 0;
}

static int take_send_option(struct sending *sending, int option, struct diag *diag)
{
	switch (option) {
	case 'r':
		sending->want_receipt = true;
		return 0;
	case 'a':
		return attachments_add(&sending->files, optarg, diag);
	case 'u':
		return take_auto(sending, optarg);
	case 'l':
		return take_lifetime(sending, optarg);
	case 'c':
		sending->channel = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

int cca_send(const struct cca_options *options, int argc, char **argv)
{
	struct sending sending = { .want_receipt = false };
	struct diag *diag = diag_new();
	int option, status = CCA_USAGE, err = 0;

	while (!err && (option = getopt_long(argc, argv, "", send_options, NULL)) != -1)
		err = take_send_option(&sending, option, diag);
	if (diag_errors(diag))
		fprintf(stderr, "cca: %s\n", diag_first_error(diag));
	else if (err || argc - optind != (sending.channel ? 1 : 2) ||
		 (sending.channel && sending.want_receipt))
		fputs("usage: cca send [--receipt] [--attach FILE]... [--lifetime SECONDS]\n"
		      "                [--auto generated|replied|notified] NUMBER[;EXT] TEXT\n"
		      "       cca send [OPTIONS but --receipt] --channel NAME TEXT\n",
		      stderr);
	else if (!sending.channel &&
		 cca_parse_number(argv[optind], sending.to, sending.extension, diag))
		fprintf(stderr, "cca: %s\n", diag_first_error(diag));
	else {
		/* Last in both forms, with a number before it and without. */
		sending.text = argv[argc - 1];
		status = cca_run(options, &send_job, &sending);
	}
	umsg_sealed_clear(&sending.sealed);
	attachments_clear(&sending.files);
	diag_free(&diag);
	return status;
}

/* ---- listen ---- */

struct listening {
	unsigned long left; /* messages; 0: no end */
	bool counted;
	const char *save;           /* where attachments go, or NULL */
	struct umsg_sealed receipt; /* the last one, until it is posted */
	bool done;
};

/* What the channel is called; NULL: it is none of ours, but ourselves. */
static const char *channel_name(const struct cca *cca, const char *to)
{
	const char *uri, *name;

	for (size_t i = 0;
	     keystore_channel_at(cca->ring->store, clock_wall_s(), i, &uri, &name) == 0; i++)
		if (strcmp(to, uri) == 0)
			return name;
	return NULL;
}

static bool tell_message(struct cca *cca, const struct umsg_message *message)
{
	const Umsg__TextBody *body = message->body;
	json_t *details = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "from", message->from,
				    "extension", body->calling_extension, "domain",
				    message->from_domain, "sent", (json_int_t)message->sent_s,
				    "text", body->text, "id", id_json(message->id));

	if (channel_name(cca, message->to))
		json_object_set_new(details, "channel",
				    json_string(channel_name(cca, message->to)));
	if (body->n_attachments)
		json_object_set_new(details, "attachments",
				    json_integer((json_int_t)body->n_attachments));
	return cca_tell(cca, "message", details);
}

/* A line for each that was written.  Returns 0 or -errno: then the message is not taken. */
static int save_attachments(struct cca *cca, const char *dir, const struct umsg_message *message)
{
	const Umsg__TextBody *body = message->body;
	char path[PATH_MAX];

	for (size_t i = 0; i < body->n_attachments; i++) {
		int err = attachment_save(dir, message, i, path);

		if (err) {
			fprintf(stderr, "cca: %s: %s\n", path, strerror(-err));
			return err;
		}
		cca_tell(cca, "attachment",
			 json_pack("{s:s, s:s, s:I, s:s, s:o}", "name", body->attachments[i]->name,
				   "type", body->attachments[i]->type, "octets",
				   (json_int_t)body->attachments[i]->data.len, "file", path, "id",
				   id_json(message->id)));
	}
	return 0;
}

/* Returns true if an answer will come. */
static bool send_listen_receipt(struct cca *cca, struct listening *listening,
				const struct umsg_message *message)
{
	umsg_sealed_clear(&listening->receipt);
	return umsg_client_seal_receipt(cca->client, message->from, message->id,
					UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "",
					&listening->receipt) == 0 &&
	       umsg_client_post(cca->client,
				slice_of(listening->receipt.octets, listening->receipt.n)) == 0;
}

/* Shown is delivered: first the line, then Taken, then the Receipt, which a post to a channel
 * does not get. */
static void listen_message(struct cca *cca, void *arg, const struct umsg_message *message)
{
	struct listening *listening = arg;
	bool channel = strcmp(message->to, keystore_uri(cca->ring->store)) != 0, asked;

	if (listening->done)
		return; /* it stays with the rendezvous for the next run */
	if (listening->save && save_attachments(cca, listening->save, message)) {
		cca_end(cca, CCA_FAILED);
		return;
	}
	if (!tell_message(cca, message)) {
		fputs("cca: standard output cannot be written: the message is not taken\n", stderr);
		cca_end(cca, CCA_FAILED);
		return;
	}
	umsg_client_taken(cca->client, message->id, message->from, message->number);
	asked = !channel && send_listen_receipt(cca, listening, message);
	if (listening->counted && --listening->left == 0) {
		/* A receipt is still on its way: its answer ends the run (listen_acked). */
		listening->done = true;
		if (asked)
			cca_await(cca, "no answer to the last receipt");
		else
			cca_end(cca, CCA_OK);
	}
}

/* The connection may have ended between the last receipt and its answer, which then never comes:
 * the same octets go once more, and are known as a repeat where they had arrived. */
static void listen_attached(struct cca *cca, void *arg)
{
	struct listening *listening = arg;
	int err;

	if (!listening->done)
		return;
	err = umsg_client_post(cca->client,
			       slice_of(listening->receipt.octets, listening->receipt.n));
	if (!err)
		return;
	fprintf(stderr, "cca: the last receipt cannot be sent: %s\n", strerror(-err));
	cca_end(cca, CCA_FAILED);
}

/* The last receipt is out: a counted run may end. */
static void listen_acked(struct cca *cca, void *arg, const uint8_t id[UMSG_ID_SIZE],
			 Umsg__ErrorCode error, const char *text)
{
	struct listening *listening = arg;

	(void)error;
	(void)text;
	if (listening->done && memcmp(id, listening->receipt.id, UMSG_ID_SIZE) == 0)
		cca_end(cca, CCA_OK);
}

static bool listen_receipt(struct cca *cca, void *arg, const char *from,
			   const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			   const char *reason)
{
	(void)arg;
	cca_tell(cca, receipt_word(state),
		 json_pack("{s:o, s:s, s:s}", "id", id_json(id), "by", from, "reason", reason));
	return true;
}

static const struct cca_job listen_job = { .tells_client_info = true,
					   .attached = listen_attached,
					   .message = listen_message,
					   .post_ack = listen_acked,
					   .receipt = listen_receipt };

static const struct option listen_options[] = {
	{ "count", required_argument, NULL, 'c' },
	{ "save", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

int cca_listen(const struct cca_options *options, int argc, char **argv)
{
	struct listening listening = { .left = 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, "", listen_options, NULL)) != -1) {
		if (option == 's')
			listening.save = optarg;
		else if (option != 'c' ||
			 !text_number(slice_str(optarg), 1, CCA_NUMBER_MAX, &listening.left))
			break;
		else
			listening.counted = true;
	}
	if (option != -1 || optind != argc) {
		fputs("usage: cca listen [--count N] [--save DIR]\n", stderr);
		return CCA_USAGE;
	}
	status = cca_run(options, &listen_job, &listening);
	umsg_sealed_clear(&listening.receipt);
	return status;
}
