/* table.c - sessions by their SSRCs, leg ids and session ids, and the way of a packet.
 *
 * The way of a packet allocates nothing, takes no lock and logs nothing: whoever finds the port
 * may send to it, so what a stranger can cause is that a counter grows, and an address that has
 * proven nothing gets no more octets than it sent.
 */
#include "rendezvous/relay/table.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "media/stun.h"

enum {
	RTP_HEADER = 12,
	RTCP_HEADER = 8,
	NONCE_SLOT_MS = 10000,
	SSRC_TRIES = 64,
};

struct relay_table {
	struct idmap by_ssrc, by_leg, by_session;
	struct relay_session *sessions;
	struct relay_stats stats;
	struct relay_rate rate;
	uint8_t lane;
	uint8_t nonce_secret[32];
	uint64_t session_mix[2]; /* callers choose session ids: they must not choose buckets */
	/* One for the whole table: good until the next packet, by which the thread has sent it. */
	uint8_t answer[STUN_MAX_MESSAGE];
	struct net_addr answer_to;
};

/* Leg ids are random and ours, so their first octets need no hashing. */
static uint64_t first_octets(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t session_key(const struct relay_table *table, const uint8_t *id)
{
	/* An odd factor loses nothing of what it multiplies: two ids share a bucket only by a
	 * chance that nobody outside can steer. */
	return (first_octets(id) ^ table->session_mix[0]) * (table->session_mix[1] | 1) ^
	       first_octets(id + 8);
}

struct relay_table *relay_table_new(uint8_t lane)
{
	struct relay_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->lane = lane;
	if (idmap_init(&table->by_ssrc) || idmap_init(&table->by_leg) ||
	    idmap_init(&table->by_session) ||
	    RAND_bytes(table->nonce_secret, sizeof(table->nonce_secret)) != 1 ||
	    RAND_bytes((uint8_t *)table->session_mix, sizeof(table->session_mix)) != 1)
		relay_table_free(&table);
	return table;
}

/* Safe for a leg that was never made or was forgotten before: session NULL is its mark. */
static void forget_leg(struct relay_table *table, struct relay_leg *leg)
{
	if (!leg->session)
		return;
	idmap_remove(&table->by_leg, &leg->node);
	OPENSSL_cleanse(leg->key, sizeof(leg->key));
	leg->session = NULL;
}

/* Takes the session out of every index and frees it. */
static void destroy(struct relay_table *table, struct relay_session *session)
{
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	idmap_remove(&table->by_session, &session->node);
	forget_leg(table, &session->initiator);
	for (size_t i = 0; i < session->n_responders; i++)
		forget_leg(table, &session->responders[i]);
	for (size_t i = 0; i < session->n_streams; i++) {
		idmap_remove(&table->by_ssrc, &session->ssrc[i][RELAY_INITIATOR].node);
		idmap_remove(&table->by_ssrc, &session->ssrc[i][RELAY_RESPONDER].node);
	}
	free(session->responders);
	free(session);
}

void relay_table_free(struct relay_table **tablep)
{
	struct relay_table *table = *tablep;

	if (!table)
		return;
	while (table->sessions)
		destroy(table, table->sessions);
	idmap_done(&table->by_ssrc);
	idmap_done(&table->by_leg);
	idmap_done(&table->by_session);
	OPENSSL_cleanse(table->nonce_secret, sizeof(table->nonce_secret));
	free(table);
	*tablep = NULL;
}

void relay_table_set_rate(struct relay_table *table, const struct relay_rate *rate)
{
	table->rate = *rate;
}

static struct relay_session *find_session(const struct relay_table *table, const uint8_t *id)
{
	struct idmap_node *node = idmap_first(&table->by_session, session_key(table, id));

	for (; node; node = idmap_next(node)) {
		struct relay_session *found = IDMAP_OWNER(node, struct relay_session, node);

		if (memcmp(found->id, id, RELAY_SESSION_ID_SIZE) == 0)
			return found;
	}
	return NULL;
}

/* Puts a new session into the list and the index. */
static void insert(struct relay_table *table, struct relay_session *session)
{
	/* link points at whatever points at the session: it can be taken out without a search. */
	session->next = table->sessions;
	session->link = &table->sessions;
	if (session->next)
		session->next->link = &session->next;
	table->sessions = session;
	idmap_put(&table->by_session, &session->node, session_key(table, session->id));
}

static int add_leg(struct relay_table *table, struct relay_session *session, struct relay_leg *leg,
		   enum relay_side side)
{
	/* The id travels in clear in every binding request, the key never: it alone comes from
	 * the private generator. */
	if (RAND_bytes(leg->id, sizeof(leg->id)) != 1 ||
	    RAND_priv_bytes(leg->key, sizeof(leg->key)) != 1)
		return -EIO;
	leg->session = session;
	leg->side = side;
	idmap_put(&table->by_leg, &leg->node, first_octets(leg->id));
	return 0;
}

/* A random SSRC of this thread's lane that is neither zero nor in use. */
static int add_ssrc(struct relay_table *table, struct relay_session *session,
		    struct relay_ssrc *entry, enum relay_side side)
{
	for (int i = 0; i < SSRC_TRIES; i++) {
		uint32_t ssrc;

		if (RAND_bytes((uint8_t *)&ssrc, sizeof(ssrc)) != 1)
			return -EIO;
		/* The kernel chooses the thread by the low octet of the SSRC (thread.c): a
		 * session's packets all come to the thread that has it. */
		ssrc = (ssrc & ~(uint32_t)0xff) | table->lane;
		/* Nothing above the lane's octet: for lane 0 that is SSRC 0, which stands for
		 * none (struct relay_envelope). */
		if (ssrc >> 8 == 0 || idmap_first(&table->by_ssrc, ssrc))
			continue;
		entry->session = session;
		entry->side = side;
		entry->ssrc = ssrc;
		idmap_put(&table->by_ssrc, &entry->node, ssrc);
		return 0;
	}
	return -ENOSPC;
}

/* Counted as they are filled, so that destroy() takes half a session, too. */
static int fill_session(struct relay_table *table, struct relay_session *session, size_t n_streams,
			size_t n_responders)
{
	int err = add_leg(table, session, &session->initiator, RELAY_INITIATOR);

	while (!err && session->n_responders < n_responders)
		err = add_leg(table, session, &session->responders[session->n_responders++],
			      RELAY_RESPONDER);
	while (!err && session->n_streams < n_streams) {
		struct relay_ssrc *pair = session->ssrc[session->n_streams++];

		err = add_ssrc(table, session, &pair[RELAY_INITIATOR], RELAY_INITIATOR);
		if (!err)
			err = add_ssrc(table, session, &pair[RELAY_RESPONDER], RELAY_RESPONDER);
	}
	return err;
}

int relay_table_add(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
		    enum relay_type type, size_t n_streams, size_t n_responders, int64_t now_ms,
		    const struct relay_session **session_out)
{
	struct relay_session *session;
	int err;

	if (n_streams < 1 || n_streams > RELAY_MAX_STREAMS || n_responders < 1 ||
	    n_responders > RELAY_MAX_RESPONDERS || type >= RELAY_TYPE_COUNT)
		return -EINVAL;
	if (find_session(table, id))
		return -EEXIST;
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->responders = calloc(n_responders, sizeof(*session->responders));
	if (!session->responders) {
		free(session);
		return -ENOMEM;
	}
	memcpy(session->id, id, RELAY_SESSION_ID_SIZE);
	session->type = type;
	/* A session that nobody ever uses has to end, too: being made counts as its first
	 * packet. */
	session->last_active_ms = now_ms;
	for (int side = 0; side < 2; side++)
		relay_bucket_fill(&session->left[side], &table->rate, now_ms);
	insert(table, session);
	err = fill_session(table, session, n_streams, n_responders);
	if (err) {
		destroy(table, session);
		return err;
	}
	*session_out = session;
	return 0;
}

int relay_table_keep_leg(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
			 struct slice leg_id)
{
	struct relay_session *session = find_session(table, id);
	struct relay_leg *kept = NULL;

	for (size_t i = 0; session && i < session->n_responders; i++) {
		struct relay_leg *leg = &session->responders[i];

		if (leg->session && slice_eq(slice_of(leg->id, sizeof(leg->id)), leg_id))
			kept = leg;
	}
	if (!kept)
		return -ENOENT;
	for (size_t i = 0; i < session->n_responders; i++)
		/* The others stop at once, also those that are bound: one device has taken the
		 * call, and a device that lost must hear nothing of it. */
		if (&session->responders[i] != kept)
			forget_leg(table, &session->responders[i]);
	return 0;
}

int relay_table_remove(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
		       enum relay_type *type_out)
{
	struct relay_session *session = find_session(table, id);

	if (!session)
		return -ENOENT;
	*type_out = session->type;
	destroy(table, session);
	return 0;
}

void relay_table_own(struct relay_table *table, struct slice id, uint64_t owner)
{
	struct relay_session *session =
		id.n == RELAY_SESSION_ID_SIZE ? find_session(table, id.p) : NULL;

	/* Whoever asks for an id that is in use is refused (-EEXIST), and must not take the session
	 * over by that: it would end when he leaves, not when its own call does. */
	if (session && !session->owner)
		session->owner = owner;
}

void relay_table_disown(struct relay_table *table, uint64_t owner,
			unsigned ended_out[RELAY_TYPE_COUNT])
{
	struct relay_session *session = table->sessions, *next;

	for (; session; session = next) {
		next = session->next;
		if (session->owner != owner)
			continue;
		ended_out[session->type]++;
		destroy(table, session);
	}
}

static struct relay_leg *find_leg(const struct relay_table *table, struct slice id)
{
	struct idmap_node *node;

	if (id.n != RELAY_LEG_ID_SIZE)
		return NULL;
	for (node = idmap_first(&table->by_leg, first_octets(id.p)); node;
	     node = idmap_next(node)) {
		struct relay_leg *leg = IDMAP_OWNER(node, struct relay_leg, node);

		if (memcmp(leg->id, id.p, id.n) == 0)
			return leg;
	}
	return NULL;
}

static void make_nonce(const struct relay_table *table, const struct relay_leg *leg,
		       const struct net_addr *from, uint64_t slot, char out[STUN_NONCE_SIZE])
{
	stun_make_nonce(slice_of(table->nonce_secret, sizeof(table->nonce_secret)),
			slice_of(leg->id, sizeof(leg->id)), from, slot, out);
}

/* Does the nonce prove that the sender receives at its address? */
static bool nonce_is_fresh(const struct relay_table *table, const struct relay_leg *leg,
			   const struct net_addr *from, struct slice nonce, uint64_t slot)
{
	char now[STUN_NONCE_SIZE], last[STUN_NONCE_SIZE];

	if (nonce.n != STUN_NONCE_SIZE)
		return false;
	make_nonce(table, leg, from, slot, now);
	/* One that was sent just before the slot ended is good in the next one. */
	make_nonce(table, leg, from, slot - 1, last);
	return CRYPTO_memcmp(nonce.p, now, nonce.n) == 0 ||
	       CRYPTO_memcmp(nonce.p, last, nonce.n) == 0;
}

/* The leg of a genuine request, or NULL: nobody unknown gets an answer. */
static struct relay_leg *authenticate(struct relay_table *table, struct slice packet,
				      struct stun_message *message_out)
{
	struct relay_leg *leg;

	if (stun_parse(packet, message_out) || message_out->type != STUN_BINDING_REQUEST)
		return NULL;
	leg = find_leg(table, message_out->username);
	if (!leg || stun_verify(message_out, packet, slice_of(leg->key, sizeof(leg->key))))
		return NULL;
	return leg;
}

/* From the bound address a request refreshes; from another one it binds only when
 * it repeats the NONCE that went to that address. */
static void take_binding(struct relay_table *table, const struct net_addr *from,
			 struct slice packet, int64_t now_ms, struct relay_output *out)
{
	uint64_t slot = (uint64_t)now_ms / NONCE_SLOT_MS;
	struct stun_message message;
	struct relay_leg *leg = authenticate(table, packet, &message);
	char nonce[STUN_NONCE_SIZE];
	struct slice key;
	size_t n;

	if (!leg) {
		table->stats.stun_bad++;
		return;
	}
	key = slice_of(leg->key, sizeof(leg->key));
	if (net_equal(&leg->bound, from) || nonce_is_fresh(table, leg, from, message.nonce, slot)) {
		leg->bound = *from;
		leg->session->last_active_ms = now_ms;
		n = stun_build_success(message.transaction, from, key, table->answer,
				       sizeof(table->answer));
	} else {
		make_nonce(table, leg, from, slot, nonce);
		n = stun_build_error(message.transaction, STUN_STALE_NONCE,
				     slice_of(nonce, sizeof(nonce)), key, table->answer,
				     sizeof(table->answer));
		if (n > packet.n)
			n = 0; /* an address that may be forged never gets more than it sent */
	}
	if (!n)
		return;
	table->answer_to = *from;
	out->octets = slice_of(table->answer, n);
	out->to[out->n++] = &table->answer_to;
}

/* Where RTP, RTCP (RFC 5761 section 4) and opaque data have the SSRC; 0: a kind
 * of packet that is not relayed. */
static size_t ssrc_offset(const uint8_t *packet)
{
	uint8_t kind = packet[0] & 0xc0;

	if (kind == 0x80 && packet[1] >= 192 && packet[1] <= 223)
		return 4;
	return kind == 0x80 || packet[0] == 0x40 ? 8 : 0;
}

static const struct relay_ssrc *find_ssrc(const struct relay_table *table, const uint8_t *packet)
{
	size_t at = ssrc_offset(packet);
	struct idmap_node *node;
	uint32_t ssrc;

	if (!at)
		return NULL;
	ssrc = (uint32_t)packet[at] << 24 | (uint32_t)packet[at + 1] << 16 |
	       (uint32_t)packet[at + 2] << 8 | packet[at + 3];
	node = idmap_first(&table->by_ssrc, ssrc);
	return node ? IDMAP_OWNER(node, struct relay_ssrc, node) : NULL;
}

static bool is_bound(const struct relay_leg *leg)
{
	return leg->session && leg->bound.len != 0;
}

/* Who does not send from an address that was bound with the leg's key is nobody: before any
 * lock, log or allocation. */
static bool sends_from(const struct relay_session *session, enum relay_side side,
		       const struct net_addr *from)
{
	if (side == RELAY_INITIATOR)
		return is_bound(&session->initiator) && net_equal(&session->initiator.bound, from);
	for (size_t i = 0; i < session->n_responders; i++)
		if (is_bound(&session->responders[i]) &&
		    net_equal(&session->responders[i].bound, from))
			return true;
	return false;
}

/* While a call rings there may be several responders: what the initiator sends goes to each
 * that is bound. */
static void address_output(const struct relay_session *session, enum relay_side from,
			   struct relay_output *out)
{
	if (from == RELAY_RESPONDER) {
		if (is_bound(&session->initiator))
			out->to[out->n++] = &session->initiator.bound;
		return;
	}
	for (size_t i = 0; i < session->n_responders; i++)
		if (is_bound(&session->responders[i]))
			out->to[out->n++] = &session->responders[i].bound;
}

/* Does this packet of the entry's side fit into what its session may send?  Only after the sender
 * is known: a stranger cannot use up what a party has. */
static bool has_room(struct relay_table *table, const struct relay_ssrc *entry, size_t n,
		     int64_t now_ms, struct relay_output *out)
{
	struct relay_session *session = entry->session;

	if (relay_bucket_take(&session->left[entry->side], &table->rate, n, now_ms))
		return true;
	table->stats.dropped_rate++;
	if (!session->was_capped)
		out->capped = session;
	session->was_capped = true;
	return false;
}

static void forward(struct relay_table *table, const struct net_addr *from, struct slice packet,
		    int64_t now_ms, struct relay_output *out)
{
	const struct relay_ssrc *entry = find_ssrc(table, packet.p);
	struct relay_type_stats *stats;

	if (!entry || !sends_from(entry->session, entry->side, from)) {
		table->stats.dropped_unbound++;
		return;
	}
	entry->session->last_active_ms = now_ms;
	if (!has_room(table, entry, packet.n, now_ms, out))
		return;
	stats = &table->stats.type[entry->session->type];
	stats->rx_packets++;
	stats->rx_bytes += packet.n;
	address_output(entry->session, entry->side, out);
	if (!out->n)
		table->stats.no_destination++;
	out->octets = packet;
	stats->tx_packets += out->n;
	stats->tx_bytes += out->n * packet.n;
}

void relay_table_packet(struct relay_table *table, const struct net_addr *from, uint8_t *packet,
			size_t n, int64_t now_ms, struct relay_output *out)
{
	struct slice octets = slice_of(packet, n);

	out->n = 0;
	out->capped = NULL;
	table->stats.received_packets++;
	table->stats.received_bytes += n;
	if (n > RELAY_MAX_PACKET)
		table->stats.too_long++;
	else if (n < RTCP_HEADER || (n < RTP_HEADER && ssrc_offset(packet) == 8))
		table->stats.too_short++;
	else if (stun_is(octets))
		take_binding(table, from, octets, now_ms, out);
	else
		forward(table, from, octets, now_ms, out);
}

void relay_table_expire(struct relay_table *table, int64_t now_ms,
			unsigned expired_out[RELAY_TYPE_COUNT])
{
	struct relay_session *session = table->sessions, *next;

	for (; session; session = next) {
		next = session->next;
		if (now_ms - session->last_active_ms < RELAY_IDLE_LIMIT_S * INT64_C(1000))
			continue;
		expired_out[session->type]++;
		destroy(table, session);
	}
}

const struct relay_stats *relay_table_stats(const struct relay_table *table)
{
	return &table->stats;
}

void relay_table_count_send_errors(struct relay_table *table, size_t n)
{
	table->stats.send_errors += n;
}

const struct relay_session *relay_table_first(const struct relay_table *table)
{
	return table->sessions;
}

size_t relay_session_nodes(const struct relay_session *session)
{
	size_t n = is_bound(&session->initiator);

	for (size_t i = 0; i < session->n_responders; i++)
		n += is_bound(&session->responders[i]);
	return n;
}
