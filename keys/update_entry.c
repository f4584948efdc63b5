/* update_entry.c - what is sealed for clients: a user's entry and the part that
 * all share.  The rendezvous can open neither.
 */
#include "keys/update.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/cursor.h"
#include "base/net.h"
#include "base/text.h"
#include "keys/box.h"
#include "keys/kdf.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "keys/update.pb-c.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

enum { LENGTH_SIZE = 4 }; /* before an entry's protobuf; zeros follow that */

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c's members are not const */
}

/* What a rendezvous could exchange: another user's entry, another month's, an older one. */
void update_entry_aad(struct buf *b, struct slice uri, int64_t month, uint32_t revision)
{
	char period[PERIOD_TEXT_SIZE];

	period_text(month, period);
	kdf_write(b,
		  (const struct kdf_part[]){ kdf_octets(uri), kdf_text(period), kdf_u32(revision) },
		  3);
}

void update_shared_aad(struct buf *b, int64_t month, uint32_t revision, uint64_t created)
{
	char period[PERIOD_TEXT_SIZE];

	period_text(month, period);
	kdf_write(
		b,
		(const struct kdf_part[]){ kdf_text(period), kdf_u32(revision), kdf_u64(created) },
		3);
}

/* ---- an entry: writing ---- */

static bool channel_valid(const struct update_channel *channel)
{
	enum identity_kind kind;

	return identity_check(slice_str(channel->uri), &kind) == 0 && kind == IDENTITY_CHANNEL &&
	       channel->name[0] && text_is_clean(slice_str(channel->name)) &&
	       wire_point_valid(channel->rsk);
}

/* The same rules for writer and reader. */
static bool entry_valid(const struct update_entry *entry)
{
	for (size_t i = 0; i < entry->n_channels; i++)
		if (!channel_valid(&entry->channels[i]))
			return false;
	return entry->n_channels <= UPDATE_CHANNELS_MAX && entry->generation > 0 &&
	       wire_keys_valid(entry->keys.packed) && net_is_host_port(entry->address) &&
	       account_id_valid(slice_str(entry->account)) && entry->tls_identity[0] &&
	       entry->keys.created > 0;
}

static void message_entry(const struct update_entry *entry, Keys__UpdateEntry *m)
{
	keys__update_entry__init(m);
	m->created = entry->keys.created;
	m->keys = wire_data(entry->keys.packed, ISSUED_PACKED);
	m->generation = entry->generation;
	m->address = text_of(entry->address);
	m->account = text_of(entry->account);
	m->tls_identity = text_of(entry->tls_identity);
	m->tls_key = wire_data(entry->tls_key, sizeof(entry->tls_key));
	m->shared_key = wire_data(entry->shared_key, sizeof(entry->shared_key));
	m->shared_sha256 = wire_data(entry->shared_sha256, sizeof(entry->shared_sha256));
	m->engines = entry->engines;
	m->max_message_lifetime = entry->max_message_lifetime;
	m->default_message_lifetime = entry->default_message_lifetime;
	m->intercept = entry->intercept;
	m->multipath = entry->multipath;
}

/* Packs behind the length. */
static int pack_entry(const struct update_entry *entry, uint8_t **out, size_t *len_out)
{
	Keys__UpdateChannel channels[UPDATE_CHANNELS_MAX], *list[UPDATE_CHANNELS_MAX];
	Keys__UpdateEntry m;

	message_entry(entry, &m);
	for (size_t i = 0; i < entry->n_channels; i++) {
		keys__update_channel__init(&channels[i]);
		channels[i].uri = text_of(entry->channels[i].uri);
		channels[i].name = text_of(entry->channels[i].name);
		channels[i].rsk = wire_data(entry->channels[i].rsk, ISSUED_PACKED_RECEIVER);
		list[i] = &channels[i];
	}
	m.channels = list;
	m.n_channels = entry->n_channels;
	return wire_pack(&m.base, LENGTH_SIZE, out, len_out);
}

/* A power of two of octets, so that a size tells little of how many channels a user has. */
static int seal_padded(struct slice packed, const uint8_t *key, struct slice aad, uint8_t **out,
		       size_t *len_out)
{
	size_t total = UPDATE_ENTRY_MIN;
	uint8_t *padded, *box;
	struct buf b;
	int err;

	/* packed begins with LENGTH_SIZE octets of room, which the length takes. */
	while (total < packed.n + BOX_OVERHEAD)
		total *= 2;
	if (total > UPDATE_ENTRY_MAX)
		return -E2BIG;
	padded = calloc(1, total);
	box = malloc(total);
	if (!padded || !box) {
		free(padded);
		free(box);
		return -ENOMEM;
	}
	b = buf_over(padded, total);
	buf_put_u32(&b, (uint32_t)(packed.n - LENGTH_SIZE));
	buf_put_slice(&b, slice_from(packed, LENGTH_SIZE));
	err = box_seal(key, aad, slice_of(padded, total - BOX_OVERHEAD), box);
	wipe(padded, total);
	free(padded);
	if (err) {
		free(box);
		return err;
	}
	*out = box;
	*len_out = total;
	return 0;
}

int update_entry_seal(const struct update_entry *entry, const uint8_t update_key[UPDATE_KEY_SIZE],
		      struct slice uri, uint8_t **out, size_t *len_out)
{
	uint8_t aad[UPDATE_AAD_MAX], *packed;
	struct buf b = BUF_OF(aad);
	size_t n;
	int err;

	if (entry->n_channels > UPDATE_CHANNELS_MAX)
		return -E2BIG;
	if (!entry_valid(entry))
		return -EINVAL;
	update_entry_aad(&b, uri, entry->keys.month, entry->keys.revision);
	err = pack_entry(entry, &packed, &n);
	if (err)
		return err;
	err = seal_padded(slice_of(packed, n), update_key, buf_slice(&b), out, len_out);
	wipe(packed, n);
	free(packed);
	return err;
}

/* ---- an entry: reading ---- */

static bool read_channels(const Keys__UpdateEntry *m, struct update_entry *entry)
{
	for (size_t i = 0; i < m->n_channels; i++) {
		const Keys__UpdateChannel *from = m->channels[i];
		struct update_channel *to = &entry->channels[i];

		if (!wire_text(to->uri, sizeof(to->uri), from->uri) ||
		    !wire_text(to->name, sizeof(to->name), from->name) ||
		    !wire_octets(to->rsk, sizeof(to->rsk), &from->rsk))
			return false;
	}
	return true;
}

static bool read_fields(const Keys__UpdateEntry *m, struct update_entry *entry)
{
	entry->keys.created = m->created;
	entry->generation = m->generation;
	entry->engines = m->engines;
	entry->max_message_lifetime = m->max_message_lifetime;
	entry->default_message_lifetime = m->default_message_lifetime;
	entry->intercept = m->intercept;
	entry->multipath = m->multipath;
	return wire_octets(entry->keys.packed, ISSUED_PACKED, &m->keys) &&
	       wire_text(entry->address, sizeof(entry->address), m->address) &&
	       wire_text(entry->account, sizeof(entry->account), m->account) &&
	       wire_text(entry->tls_identity, sizeof(entry->tls_identity), m->tls_identity) &&
	       wire_octets(entry->tls_key, sizeof(entry->tls_key), &m->tls_key) &&
	       wire_octets(entry->shared_key, sizeof(entry->shared_key), &m->shared_key) &&
	       wire_octets(entry->shared_sha256, sizeof(entry->shared_sha256), &m->shared_sha256);
}

/* Channels first: what frees the entry must find them. */
static int read_message(const Keys__UpdateEntry *m, struct update_entry *entry)
{
	if (m->n_channels > UPDATE_CHANNELS_MAX)
		return -EBADMSG;
	entry->channels = calloc(m->n_channels + 1, sizeof(*entry->channels));
	if (!entry->channels)
		return -ENOMEM;
	entry->n_channels = m->n_channels;
	return read_fields(m, entry) && read_channels(m, entry) && entry_valid(entry) ? 0
										      : -EBADMSG;
}

static int read_plain(struct slice plain, struct update_entry *entry)
{
	struct cursor c = cursor_of(plain);
	struct slice packed = cursor_take(&c, cursor_u32(&c));
	struct wire_memory memory;
	Keys__UpdateEntry *m;
	int err;

	if (!cursor_ok(&c))
		return -EBADMSG;
	wire_memory_init(&memory, packed.n);
	m = keys__update_entry__unpack(&memory.allocator, packed.n, packed.p);
	if (!m)
		return wire_unpack_error(&memory);
	err = read_message(m, entry);
	keys__update_entry__free_unpacked(m, &memory.allocator);
	return err;
}

int update_entry_open(struct slice sealed, const uint8_t update_key[UPDATE_KEY_SIZE],
		      struct slice uri, int64_t month, uint32_t revision,
		      struct update_entry *entry_out)
{
	uint8_t aad[UPDATE_AAD_MAX], *plain;
	struct buf b = BUF_OF(aad);
	int err;

	/* Month and revision are not carried in the box: they are what it opened under. */
	*entry_out = (struct update_entry){ .keys = { .month = month, .revision = revision } };
	update_entry_aad(&b, uri, month, revision);
	if (sealed.n < BOX_OVERHEAD || sealed.n > UPDATE_ENTRY_MAX || !buf_ok(&b))
		return -EACCES;
	plain = malloc(sealed.n);
	if (!plain)
		return -ENOMEM;
	err = box_open(update_key, buf_slice(&b), sealed, plain);
	if (err == -EBADMSG)
		err = -EACCES;
	if (!err)
		err = read_plain(slice_of(plain, sealed.n - BOX_OVERHEAD), entry_out);
	wipe(plain, sealed.n);
	free(plain);
	if (err)
		update_entry_free(entry_out);
	return err;
}

void update_entry_free(struct update_entry *entry)
{
	if (entry->channels)
		wipe(entry->channels, entry->n_channels * sizeof(*entry->channels));
	free(entry->channels);
	wipe(entry, sizeof(*entry));
}
