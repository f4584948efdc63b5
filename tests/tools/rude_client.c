/* rude-client - a client of the rendezvous that has keys and breaks the rules.
 *
 *   rude-client [--now TIME] STORE HOST:PORT ACT...
 *
 * STORE is a directory that "cca enrol" made; TIME is YYYY-MM-DDTHH:MM:SSZ.  The acts are done one
 * after the other, and each that has an outcome prints a line "ACT: OUTCOME":
 *
 *   psk=wrong        before tls: another key than the store's
 *   identity=TEXT    before tls: this PSK identity; "none": a random one of the right form
 *   tls              the handshake: ok, or why not
 *   say=TEXT         within TLS; \r and \n are the control characters
 *   hex=DIGITS       the same in hexadecimal digits
 *   zeros=N          N zero octets
 *   upgrade          a good upgrade; http: the status that comes
 *   from=URI         the sender of the frames that follow, instead of the own URI
 *   register         registers; lookup=URI asks for a URI
 *   call=URI[;EXT]   a good invitation; EXT goes as it is into the sealed offer
 *   again            the last invitation, octet by octet
 *   keep=FILE        keeps the last invitation; found=FILE makes it the last one
 *   renamed          the same under another session id
 *   bent             the same under another session id, a bit of its signature changed
 *   hear             a line about what comes next
 *   until=NAME       hears until a frame of that name, or the end, comes
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "keys/account.h"
#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/key_ring.h"
#include "keys/keyset.h"
#include "tests/tools/rude_link.h"
#include "umsg/call_crypto.h"
#include "umsg/call_media.h"
#include "base/pack.h"
#include "umsg/upgrade.h"

enum { EXIT_USAGE = 2, OCTETS_MAX = 8192 };

struct rude {
	struct curves *curves;
	struct key_ring *ring;
	struct rude_link link;
	char identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
	const char *from;
	uint64_t request;
	/* the last invitation */
	char to[UMSG_URI_SIZE];
	uint8_t session_id[FRAME_ID];
	struct call_invitation invitation;
};

typedef int act_fn(struct rude *rude, const char *value);

static int set_psk(struct rude *rude, const char *value)
{
	(void)value;
	return RAND_bytes(rude->psk, sizeof(rude->psk)) == 1 ? 0 : -EIO;
}

static int set_identity(struct rude *rude, const char *value)
{
	if (strcmp(value, "none") != 0) {
		snprintf(rude->identity, sizeof(rude->identity), "%s", value);
		return 0;
	}
	/* The last characters are the sealed part: another account's key made them. */
	for (char *p = rude->identity + strlen(rude->identity) - 20; *p; p++)
		*p = *p == 'A' ? 'B' : 'A';
	return 0;
}

static int tls(struct rude *rude, const char *value)
{
	const char *why = rude_link_shake(&rude->link);

	(void)value;
	printf("tls: %s\n", why ? why : "ok");
	return why ? -ECONNREFUSED : 0;
}

static int say(struct rude *rude, const char *value)
{
	uint8_t text[OCTETS_MAX];
	size_t n = 0;

	for (; *value && n < sizeof(text); value++) {
		bool escaped = value[0] == '\\' && (value[1] == 'r' || value[1] == 'n');

		if (escaped)
			value++;
		text[n++] = !escaped ? (uint8_t)*value : *value == 'r' ? '\r' : '\n';
	}
	return rude_link_say(&rude->link, slice_of(text, n));
}

static int say_hex(struct rude *rude, const char *value)
{
	uint8_t octets[OCTETS_MAX];
	size_t n;
	int err = hex_decode(slice_str(value), octets, sizeof(octets), &n);

	return err ? err : rude_link_say(&rude->link, slice_of(octets, n));
}

static int say_zeros(struct rude *rude, const char *value)
{
	static const uint8_t zeros[4096];
	size_t left = strtoul(value, NULL, 10);

	while (left > 0) {
		size_t n = left < sizeof(zeros) ? left : sizeof(zeros);

		if (rude_link_say(&rude->link, slice_of(zeros, n)) < 0)
			return 0; /* nobody listens any more: to be heard next */
		left -= n;
	}
	return 0;
}

static int http(struct rude *rude, const char *value)
{
	(void)value;
	printf("http: %d\n", rude_link_head(&rude->link));
	return 0;
}

static int upgrade(struct rude *rude, const char *value)
{
	char key[UPGRADE_KEY + 1], head[UPGRADE_TEXT_MAX];
	int n = upgrade_make_key(key) < 0 ? -EIO : upgrade_make_request("localhost", key, head);

	(void)value;
	if (n < 0)
		return n;
	return rude_link_say(&rude->link, slice_of(head, (size_t)n));
}

static int set_from(struct rude *rude, const char *value)
{
	rude->from = value;
	return 0;
}

/* A frame may break the rules, so it is only packed. */
static int send_frame(struct rude *rude, Umsg__Frame *frame)
{
	uint8_t *octets = NULL;
	size_t n;
	int err;

	frame->version = FRAME_VERSION;
	frame->request = ++rude->request;
	frame->from = frame_text(rude->from ? rude->from : keystore_uri(rude->ring->store));
	err = pack_write(&frame->base, FRAME_MAX, &octets, &n);
	if (!err)
		err = rude_link_message(&rude->link, slice_of(octets, n));
	free(octets);
	return err;
}

static int do_register(struct rude *rude, const char *value)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Register r = UMSG__REGISTER__INIT;

	(void)value;
	r.device_id = frame_data(slice_of(keystore_device_id(rude->ring->store), FRAME_ID));
	r.has_keys = true;
	r.software = frame_text("rude-client");
	frame.body_case = UMSG__FRAME__BODY_REGISTER;
	frame.register_ = &r;
	return send_frame(rude, &frame);
}

static int lookup(struct rude *rude, const char *value)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup l = UMSG__LOOKUP__INIT;

	l.uri = frame_text(value);
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &l;
	return send_frame(rude, &frame);
}

static int again(struct rude *rude, const char *value)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;
	const struct call_invitation *made = &rude->invitation;

	(void)value;
	bang.session_id = frame_data(slice_of(rude->session_id, FRAME_ID));
	bang.i_message = frame_data(slice_of(made->i_message, made->i_message_n));
	bang.sealed = frame_data(slice_of(made->sealed, made->sealed_n));
	bang.streams = 1;
	frame.to = rude->to;
	frame.body_case = UMSG__FRAME__BODY_BANG;
	frame.bang = &bang;
	return send_frame(rude, &frame);
}

static int seal_offer(struct rude *rude, const char *extension)
{
	static const struct umsg_audio_wish wish = { .codecs = { UMSG_PCMU }, .n_codecs = 1 };
	int64_t now_ms = clock_wall_ms();
	struct period_keys *own =
		keyset_hold(rude->ring->keyset, domain_period(rude->ring->domain, now_ms / 1000));
	struct call_wanted wanted = { .domain = rude->ring->domain,
				      .to = slice_str(rude->to),
				      .session_id = rude->session_id,
				      .n_streams = 1 };
	struct call_secret secret;
	struct call_offer offer;
	uint8_t *plain = NULL;
	size_t n = 0;
	int err = own ? call_offer_make(&wish, "", "", &offer) : -ENOKEY;

	if (!err) {
		offer.offer.called_extension = frame_text(extension);
		err = pack_write(&offer.offer.base, FRAME_SEALED_MAX - CALL_TAG, &plain, &n);
	}
	if (!err) {
		wanted.offer = slice_of(plain, n);
		err = call_invite(own, &wanted, now_ms, &secret, &rude->invitation);
	}
	call_secret_wipe(&secret);
	period_keys_release(&own);
	free(plain);
	return err;
}

static int call(struct rude *rude, const char *value)
{
	const char *extension = strchr(value, ';');
	size_t n = extension ? (size_t)(extension - value) : strlen(value);
	int err;

	if (n >= sizeof(rude->to) || RAND_bytes(rude->session_id, FRAME_ID) != 1)
		return -EINVAL;
	snprintf(rude->to, sizeof(rude->to), "%.*s", (int)n, value);
	err = seal_offer(rude, extension ? extension + 1 : "");
	return err ? err : again(rude, NULL);
}

static int keep(struct rude *rude, const char *value)
{
	FILE *file = fopen(value, "w");
	bool kept = file && fwrite(rude->to, sizeof(rude->to), 1, file) == 1 &&
		    fwrite(rude->session_id, FRAME_ID, 1, file) == 1 &&
		    fwrite(&rude->invitation, sizeof(rude->invitation), 1, file) == 1;

	return (!file || fclose(file) == 0) && kept ? 0 : -EIO;
}

static int find(struct rude *rude, const char *value)
{
	FILE *file = fopen(value, "r");
	bool found = file && fread(rude->to, sizeof(rude->to), 1, file) == 1 &&
		     fread(rude->session_id, FRAME_ID, 1, file) == 1 &&
		     fread(&rude->invitation, sizeof(rude->invitation), 1, file) == 1;

	if (file)
		fclose(file);
	return found ? 0 : -EIO;
}

static int renamed(struct rude *rude, const char *value)
{
	rude->session_id[0]++;
	return again(rude, value);
}

static int bent(struct rude *rude, const char *value)
{
	rude->invitation.i_message[rude->invitation.i_message_n - 1] ^= 1;
	return renamed(rude, value);
}

static int hear(struct rude *rude, const char *value)
{
	(void)value;
	printf("hear: %s\n", rude_link_hear(&rude->link));
	return 0;
}

static int until(struct rude *rude, const char *value)
{
	const char *heard;

	do
		heard = rude_link_hear(&rude->link);
	while (strncmp(heard, value, strlen(value)) != 0 && strcmp(heard, "end") != 0 &&
	       strcmp(heard, "nothing") != 0);
	printf("until: %s\n", heard);
	return 0;
}

static const struct {
	const char *name;
	act_fn *act;
} acts[] = {
	{ "psk", set_psk },     { "identity", set_identity },
	{ "tls", tls },         { "say", say },
	{ "hex", say_hex },     { "zeros", say_zeros },
	{ "upgrade", upgrade }, { "http", http },
	{ "from", set_from },   { "register", do_register },
	{ "lookup", lookup },   { "call", call },
	{ "again", again },     { "renamed", renamed },
	{ "bent", bent },       { "hear", hear },
	{ "until", until },     { "keep", keep },
	{ "found", find },
};

static int do_act(struct rude *rude, const char *text)
{
	size_t n = strcspn(text, "=");

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strlen(acts[i].name) == n && strncmp(acts[i].name, text, n) == 0)
			return acts[i].act(rude, text[n] ? text + n + 1 : "");
	}
	fprintf(stderr, "rude-client: unknown act \"%s\"\n", text);
	return -EINVAL;
}

static int open_all(struct rude *rude, const char *store, const char *address, struct diag *diag)
{
	char path[4096];
	struct keystore_login login;
	struct net_addr addr;
	int err = net_parse(address, 5223, &addr);

	rude->curves = curves_new();
	if (!err)
		err = rude->curves ? keystore_find(store, path, sizeof(path), diag) : -ENOMEM;
	if (!err)
		err = key_ring_open(rude->curves, path, clock_wall_s(), &rude->ring, diag);
	if (err)
		return err;
	if (!keystore_login_at(rude->ring->store, clock_wall_s(), 0, &login))
		return -ENOKEY;
	snprintf(rude->identity, sizeof(rude->identity), "%s", login.identity);
	memcpy(rude->psk, login.key, sizeof(rude->psk));
	rude->link.peer.identity = rude->identity;
	rude->link.peer.psk = rude->psk;
	return rude_link_open(&rude->link, &addr);
}

int main(int argc, char **argv)
{
	struct diag *diag = diag_new();
	struct rude rude = { .request = 0 };
	int err = 0;

	if (argc > 2 && strcmp(argv[1], "--now") == 0) {
		err = clock_set_now(argv[2], diag);
		argc -= 2;
		argv += 2;
	}
	if (argc < 4) {
		fputs("usage: rude-client [--now TIME] STORE HOST:PORT ACT...\n", stderr);
		diag_free(&diag);
		return EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!err)
		err = open_all(&rude, argv[1], argv[2], diag);
	for (int i = 3; !err && i < argc; i++)
		err = do_act(&rude, argv[i]);
	if (err)
		fprintf(stderr, "rude-client: %s\n",
			diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	rude_link_close(&rude.link);
	key_ring_close(&rude.ring);
	curves_free(&rude.curves);
	diag_free(&diag);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
