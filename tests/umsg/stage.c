#include "tests/umsg/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/issued.h"
#include "keys/letter.h"
#include "keys/period.h"

#define ACCOUNT "acme"

/* ---- parties ---- */

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	struct party *p = arg;

	p->state = state;
	snprintf(p->text, sizeof(p->text), "%s", text);
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct party *p = arg;

	p->incoming++;
	p->call = call;
	snprintf(p->called, sizeof(p->called), "%s", umsg_call_called_extension(call));
	snprintf(p->calling, sizeof(p->calling), "%s", umsg_call_calling_extension(call));
	snprintf(p->from, sizeof(p->from), "%s", umsg_call_from(call));
	if (p->declines) {
		umsg_call_hangup(call, UMSG__END_REASON__END_DECLINED);
		return;
	}
	if (p->rings)
		assert_int_equal(umsg_call_ring(call), 0);
	if (p->answers && umsg_call_answer(call, &p->wish) == 0)
		p->media = *umsg_call_media(call);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct party *p = arg;

	p->progress += event == UMSG_CALL_PROGRESS;
	p->ringing += event == UMSG_CALL_RINGING;
	if (event == UMSG_CALL_ANSWERED) {
		p->answered++;
		p->media = *umsg_call_media(call);
	}
	if (event == UMSG_CALL_DIGIT) {
		p->digits++;
		p->digit = umsg_call_digit(call);
	}
	if (event == UMSG_CALL_ENDED) {
		p->ended++;
		p->end = umsg_call_end(call);
		p->call = NULL;
	}
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct party *p = arg;

	p->messages++;
	snprintf(p->body, sizeof(p->body), "%s", message->body->text);
	snprintf(p->from, sizeof(p->from), "%s", message->from);
	snprintf(p->domain, sizeof(p->domain), "%s", message->from_domain);
	memcpy(p->id, message->id, UMSG_ID_SIZE);
	p->number = message->number;
	p->attached = message->body->n_attachments ? message->body->attachments[0]->data.len : 0;
	p->sum = 0;
	for (size_t i = 0; i < p->attached; i++)
		p->sum = p->sum * 31 + message->body->attachments[0]->data.data[i];
	if (!p->keeps)
		assert_int_equal(
			umsg_client_taken(p->client, message->id, message->from, message->number),
			0);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	struct party *p = arg;

	(void)id;
	(void)text;
	p->acks++;
	p->ack = error;
	p->again_s = retry_after_s;
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	struct party *p = arg;

	p->receipts++;
	p->receipt = state;
	memcpy(p->receipt_id, id, UMSG_ID_SIZE);
	snprintf(p->receipt_from, sizeof(p->receipt_from), "%s", from);
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	return true;
}

static enum umsg_update_outcome on_update(void *arg, int64_t month, uint32_t revision,
					  struct slice entry, struct slice shared)
{
	struct party *p = arg;
	const struct slice *parts = p->stage->parts;

	assert_int_equal(month, p->stage->month);
	assert_int_equal(revision, p->stage->offered.revision);
	assert_true(slice_eq(entry, parts[0]));
	assert_true(slice_eq(shared, parts[1]));
	p->updates++;
	return p->update;
}

static void on_kept(void *arg, Umsg__ErrorCode error, const char *text)
{
	struct party *p = arg;

	(void)text;
	p->kept++;
	p->kept_error = error;
}

static void on_looked_up(void *arg, const char *uri, const uint8_t *domain_id, int err)
{
	struct party *p = arg;

	(void)domain_id;
	p->looked_up++;
	p->lookup_err = err;
	if (p->insists && err == -EHOSTUNREACH)
		assert_int_equal(umsg_client_lookup(p->client, uri), 0);
}

static void on_met(void *arg, const char *uri, const uint8_t *domain_id)
{
	struct party *p = arg;

	assert_int_equal(keystore_pin(p->store, slice_str(uri), domain_id), 0);
}

static bool on_repin(void *arg, const char *uri, const uint8_t *from, const uint8_t *to)
{
	struct party *p = arg;

	(void)uri;
	assert_memory_not_equal(from, to, DOMAIN_ID);
	p->repins++;
	return p->moves;
}

static const struct umsg_client_ops client_ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
	.kept = on_kept,
	.looked_up = on_looked_up,
	.met = on_met,
	.repin = on_repin,
};

static void issue(struct stage *stage, const char *uri, struct month_keys *keys)
{
	struct issued_keys issued;
	size_t n;

	assert_int_equal(master_issue(stage->realm.master, slice_str(uri), keys->month, &issued),
			 0);
	assert_int_equal(issued_pack(&issued, keys->packed, &n), 0);
	issued_wipe(&issued);
}

static void enrol(struct party *p, const struct account_secret *secret)
{
	struct stage *stage = p->stage;
	struct letter letter = { .generation = 1,
				 .created = (uint64_t)clock_wall_s(),
				 .account = ACCOUNT,
				 .domain = "Example",
				 .n_months = 2 };
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	snprintf(letter.uri, sizeof(letter.uri), "%s", p->uri);
	p->letter_created = letter.created;
	net_format(&stage->addr, letter.address);
	assert_int_equal(account_psk(secret, slice_str(p->uri), ACCOUNT, 1, letter.tls_key), 0);
	assert_int_equal(
		account_identity_make(secret, slice_str(p->uri), ACCOUNT, 1, letter.tls_identity),
		0);
	domain_pack(stage->realm.domain, letter.kpak, letter.z);
	for (size_t i = 0; i < 2; i++) {
		letter.months[i].month = stage->month + (int64_t)i;
		letter.months[i].revision = 1;
		letter.months[i].created = letter.created;
		issue(stage, p->uri, &letter.months[i]);
	}
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_int_equal(keystore_enrol(stage->realm.curves, slice_of(octets, n), p->path, NULL),
			 0);
}

void stage_client(struct party *p, const char *address)
{
	const struct umsg_client_options options = {
		.base = p->stage->base,
		.links = p->stage->links,
		.keys = { p->store, p->stage->realm.domain, p->keyset, NULL, 0, NULL, 0 },
		.replay = p->replay,
		.seen = p->seen,
		.address = address,
		.software = "test 1",
		.ops = &client_ops,
		.arg = p,
	};

	assert_int_equal(umsg_client_new(&options, &p->client), 0);
}

struct party *stage_enter_with(struct stage *stage, const char *uri,
			       const struct account_secret *secret)
{
	struct party *p = &stage->parties[stage->n_parties];

	p->stage = stage;
	p->uri = uri;
	p->update = UMSG_UPDATE_APPLIED;
	p->wish = (struct umsg_audio_wish){ { UMSG_OPUS, UMSG_PCMU }, 2, 0 };
	snprintf(p->path, sizeof(p->path), "%s/%zu", stage->dir, stage->n_parties++);
	enrol(p, secret);
	assert_int_equal(keystore_load(p->path, KEYSTORE_READ, &p->store, NULL), 0);
	assert_int_equal(
		keystore_keyset(p->store, stage->realm.curves, stage->realm.domain, &p->keyset), 0);
	assert_int_equal(replay_new(100, &p->replay), 0);
	assert_int_equal(umsg_seen_new(100, &p->seen), 0);
	stage_client(p, NULL);
	return p;
}

struct party *stage_enter(struct stage *stage, const char *uri)
{
	struct party *p = stage_enter_with(stage, uri, &stage->secret);

	STAGE_UNTIL(stage, p->state == UMSG_ATTACHED);
	return p;
}

static void leave(struct party *p)
{
	char lock[160];

	umsg_client_free(&p->client);
	umsg_seen_free(&p->seen);
	replay_free(&p->replay);
	keyset_free(&p->keyset);
	keystore_free(&p->store);
	unlink(p->path);
	snprintf(lock, sizeof(lock), "%s.lock", p->path);
	unlink(lock);
}

/* ---- the stage ---- */

int stage_build(void **state)
{
	struct realm *realm = calloc(1, sizeof(*realm));

	assert_non_null(realm);
	realm_open(realm, "Example");
	*state = realm;
	return 0;
}

int stage_raze(void **state)
{
	struct realm *realm = *state;

	realm_close(realm);
	free(realm);
	return 0;
}

int stage_set(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->base = event_base_new();
	assert_int_equal(link_context_new(stage->base, NULL, &stage->links), 0);
	stage->realm = *(const struct realm *)*state;
	stage->built = *state;
	assert_int_equal(account_secret_random(&stage->secret), 0);
	snprintf(stage->dir, sizeof(stage->dir), "/tmp/stage.XXXXXX");
	assert_non_null(mkdtemp(stage->dir));
	stage->month = period_of(clock_wall_s());
	stage->epoch = 7;
	umsg__update_name__init(&stage->offered);
	assert_int_equal(net_parse("127.0.0.1:0", 0, &stage->addr), 0);
	stage->listening = net_tcp_listen(&stage->addr, false);
	assert_true(stage->listening >= 0);
	assert_int_equal(net_local(stage->listening, &stage->addr), 0);
	stage->accepting =
		event_new(stage->base, stage->listening, EV_READ | EV_PERSIST, stage_accept, stage);
	event_add(stage->accepting, NULL);
	*state = stage;
	return 0;
}

int stage_strike(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < stage->n_parties; i++)
		leave(&stage->parties[i]);
	stage_cut(stage);
	for (size_t i = 0; i < STAGE_STORE; i++) {
		free(stage->store[i].octets);
		free(stage->store[i].more);
	}
	event_free(stage->accepting);
	close(stage->listening);
	rmdir(stage->dir);
	link_context_free(&stage->links);
	event_base_free(stage->base);
	*state = stage->built;
	free(stage);
	return 0;
}

void stage_seal_hello(struct party *from, const char *to, struct umsg_sealed *sealed)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;

	body.text = frame_text("hello,\nworld");
	assert_int_equal(umsg_client_seal(from->client, to, &body, 0, sealed), 0);
}

void stage_post_hello(struct party *from, const char *to)
{
	struct umsg_sealed sealed;

	stage_seal_hello(from, to, &sealed);
	assert_int_equal(umsg_client_post(from->client, slice_of(sealed.octets, sealed.n)), 0);
	umsg_sealed_clear(&sealed);
}

void stage_offer_update(struct stage *stage, size_t entry, size_t shared)
{
	static uint8_t entries[4500] = { 1 }, shares[4500] = { 2 };
	static char month[PERIOD_TEXT_SIZE];

	assert_true(entry <= sizeof(entries) && shared <= sizeof(shares));
	period_text(stage->month, month);
	stage->offered.month = month;
	stage->offered.revision = 2;
	stage->offered.created = (uint64_t)clock_wall_s();
	stage->parts[0] = slice_of(entries, entry);
	stage->parts[1] = slice_of(shares, shared);
}
