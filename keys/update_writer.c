/* update_writer.c - makes an update file, for the key manager. */
#include "keys/update.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "keys/box.h"
#include "keys/domain.h"
#include "keys/secret.h"
#include "keys/update.pb-c.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

/* A part that was appended, for the index. */
struct part {
	uint64_t offset;
	uint32_t length;
	uint8_t sha256[SHA256_DIGEST_LENGTH];
};

struct user {
	char *uri;
	uint32_t generation;
	struct part part;
};

struct members {
	char *channel;
	char **uris;
	size_t n;
};

/* Parts are sealed and appended as they come; only the index, which names them, waits for the
 * end. */
struct update_writer {
	struct update_head head;
	uint32_t max_message_lifetime;
	uint8_t domain_id[DOMAIN_ID];
	bool has_domain;
	uint8_t shared_key[UPDATE_SHARED_KEY_SIZE];
	struct part shared;
	uint8_t *parts;
	size_t n_parts, cap_parts; /* octets */
	struct user *users;
	size_t n_users, cap_users;
	char **tombstones;
	size_t n_tombstones;
	struct members channels[UPDATE_CHANNELS_MAX];
	size_t n_channels;
};

/* Appends octets and notes where they lie. */
static int append(struct update_writer *writer, struct slice octets, struct part *part)
{
	if (octets.n > writer->cap_parts - writer->n_parts) {
		/* Doubled: a file of a hundred thousand users is built by appending. */
		size_t cap = 2 * writer->cap_parts + octets.n;
		uint8_t *more = realloc(writer->parts, cap);

		if (!more)
			return -ENOMEM;
		writer->parts = more;
		writer->cap_parts = cap;
	}
	memcpy(writer->parts + writer->n_parts, octets.p, octets.n);
	part->offset = writer->n_parts;
	part->length = (uint32_t)octets.n;
	SHA256(octets.p, octets.n, part->sha256);
	writer->n_parts += octets.n;
	return 0;
}

static int add_shared(struct update_writer *writer, const struct update_common *common)
{
	uint8_t *box;
	size_t n;
	int err;

	if (RAND_priv_bytes(writer->shared_key, sizeof(writer->shared_key)) != 1)
		return -EIO;
	err = update_shared_seal(common, &writer->head, writer->shared_key, &box, &n);
	if (err)
		return err;
	err = n > UINT32_MAX ? -E2BIG : append(writer, slice_of(box, n), &writer->shared);
	free(box);
	return err;
}

struct update_writer *update_writer_new(const char *account, int64_t month, uint32_t revision,
					uint64_t created, uint32_t max_message_lifetime,
					const struct update_common *common)
{
	struct update_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->head = (struct update_head){
		.form = UPDATE_SEALED, .month = month, .revision = revision, .created = created
	};
	writer->max_message_lifetime = max_message_lifetime;
	if (!account_id_valid(slice_str(account))) {
		free(writer);
		return NULL;
	}
	memcpy(writer->head.account, account, strlen(account) + 1);
	/* First, for every entry holds this part's key and hash. */
	if (add_shared(writer, common))
		update_writer_free(&writer);
	return writer;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void update_writer_free(struct update_writer **writerp)
{
	struct update_writer *writer = *writerp;

	*writerp = NULL;
	if (!writer)
		return;
	for (size_t i = 0; i < writer->n_users; i++)
		free(writer->users[i].uri);
	free(writer->users);
	free_list(writer->tombstones, writer->n_tombstones);
	for (size_t i = 0; i < writer->n_channels; i++) {
		free(writer->channels[i].channel);
		free_list(writer->channels[i].uris, writer->channels[i].n);
	}
	free(writer->parts);
	wipe(writer, sizeof(*writer));
	free(writer);
}

static int reserve_user(struct update_writer *writer)
{
	size_t cap = writer->cap_users ? 2 * writer->cap_users : 64;
	struct user *more;

	if (writer->n_users >= UPDATE_USERS_MAX)
		return -E2BIG;
	if (writer->n_users < writer->cap_users)
		return 0;
	more = realloc(writer->users, cap * sizeof(*more));
	if (!more)
		return -ENOMEM;
	writer->users = more;
	writer->cap_users = cap;
	return 0;
}

/* Seals the entry with what the writer knows of the file. */
static int seal_entry(const struct update_writer *writer, const char *uri,
		      const uint8_t *update_key, const struct update_entry *entry, uint8_t **box,
		      size_t *n)
{
	/* A copy on the stack: the shared key is in every entry, and must be wiped from each. */
	struct update_entry full = *entry;
	int err;

	full.keys.month = writer->head.month;
	full.keys.revision = writer->head.revision;
	full.keys.created = writer->head.created;
	memcpy(full.shared_key, writer->shared_key, sizeof(full.shared_key));
	memcpy(full.shared_sha256, writer->shared.sha256, sizeof(full.shared_sha256));
	err = update_entry_seal(&full, update_key, slice_str(uri), box, n);
	wipe(&full, sizeof(full));
	return err;
}

int update_writer_add(struct update_writer *writer, const char *uri,
		      const uint8_t update_key[UPDATE_KEY_SIZE], const struct update_entry *entry)
{
	struct user user = { .generation = entry->generation };
	uint8_t *box;
	size_t n;
	int err;

	if (!update_user_valid(uri))
		return -EINVAL;
	err = reserve_user(writer);
	if (!err)
		err = seal_entry(writer, uri, update_key, entry, &box, &n);
	if (err)
		return err;
	user.uri = strdup(uri);
	err = user.uri ? append(writer, slice_of(box, n), &user.part) : -ENOMEM;
	free(box);
	if (err) {
		free(user.uri);
		return err;
	}
	writer->users[writer->n_users++] = user;
	return 0;
}

int update_writer_tombstone(struct update_writer *writer, const char *uri)
{
	char *copy, **more;

	if (!update_user_valid(uri))
		return -EINVAL;
	more = realloc(writer->tombstones, (writer->n_tombstones + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	writer->tombstones = more;
	copy = strdup(uri);
	if (!copy)
		return -ENOMEM;
	writer->tombstones[writer->n_tombstones++] = copy;
	return 0;
}

int update_writer_channel(struct update_writer *writer, const struct update_members *members)
{
	struct members copy = { 0 };
	bool ok;

	/* URIs were checked where users and channels were made; update_open() checks them again. */
	if (writer->n_channels == UPDATE_CHANNELS_MAX)
		return -E2BIG;
	copy.channel = strdup(members->channel);
	copy.uris = calloc(members->n + 1, sizeof(*copy.uris));
	ok = copy.channel && copy.uris;
	for (; ok && copy.n < members->n; copy.n++) {
		copy.uris[copy.n] = strdup(members->uris[copy.n]);
		ok = copy.uris[copy.n] != NULL;
	}
	if (!ok) {
		free(copy.channel);
		free_list(copy.uris, copy.n);
		return -ENOMEM;
	}
	writer->channels[writer->n_channels++] = copy;
	return 0;
}

void update_writer_domain(struct update_writer *writer, const uint8_t *id)
{
	memcpy(writer->domain_id, id, sizeof(writer->domain_id));
	writer->has_domain = true;
}

/* ---- the index ---- */

static void message_part(const struct part *part, Keys__UpdatePart *m)
{
	keys__update_part__init(m);
	m->offset = part->offset;
	m->length = part->length;
	m->sha256 = wire_data(part->sha256, sizeof(part->sha256));
}

/* One user's messages; the index points at them. */
struct user_message {
	Keys__UpdateUser user;
	Keys__UpdatePart part;
};

static void message_users(const struct update_writer *writer, struct user_message *messages,
			  Keys__UpdateUser **list)
{
	for (size_t i = 0; i < writer->n_users; i++) {
		keys__update_user__init(&messages[i].user);
		message_part(&writer->users[i].part, &messages[i].part);
		messages[i].user.uri = writer->users[i].uri;
		messages[i].user.generation = writer->users[i].generation;
		messages[i].user.entry = &messages[i].part;
		list[i] = &messages[i].user;
	}
}

static int pack_index(const struct update_writer *writer, struct user_message *messages,
		      Keys__UpdateUser **list, uint8_t **out, size_t *len_out)
{
	Keys__UpdateMembers channels[UPDATE_CHANNELS_MAX], *channel_list[UPDATE_CHANNELS_MAX];
	Keys__UpdateIndex m = KEYS__UPDATE_INDEX__INIT;
	Keys__UpdatePart shared;

	message_users(writer, messages, list);
	message_part(&writer->shared, &shared);
	for (size_t i = 0; i < writer->n_channels; i++) {
		keys__update_members__init(&channels[i]);
		channels[i].channel = writer->channels[i].channel;
		channels[i].uris = writer->channels[i].uris;
		channels[i].n_uris = writer->channels[i].n;
		channel_list[i] = &channels[i];
	}
	m.users = list;
	m.n_users = writer->n_users;
	m.tombstones = writer->tombstones;
	m.n_tombstones = writer->n_tombstones;
	m.channels = channel_list;
	m.n_channels = writer->n_channels;
	m.max_message_lifetime = writer->max_message_lifetime;
	m.shared = &shared;
	if (writer->has_domain)
		m.domain_id = wire_data(writer->domain_id, sizeof(writer->domain_id));
	return wire_pack(&m.base, 0, out, len_out);
}

/* Messages for all users at once: protobuf-c packs a tree that lies in memory whole. */
static int make_index(const struct update_writer *writer, uint8_t **out, size_t *len_out)
{
	struct user_message *messages = calloc(writer->n_users + 1, sizeof(*messages));
	Keys__UpdateUser **list = calloc(writer->n_users + 1, sizeof(Keys__UpdateUser *));
	int err = messages && list ? pack_index(writer, messages, list, out, len_out) : -ENOMEM;

	free(list);
	free(messages);
	return err;
}

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct user *)a)->uri, ((const struct user *)b)->uri);
}

/* By URI, so that a repeated one is found. */
static bool sort_users(struct update_writer *writer)
{
	if (writer->n_users)
		qsort(writer->users, writer->n_users, sizeof(*writer->users), by_uri);
	for (size_t i = 1; i < writer->n_users; i++)
		if (by_uri(&writer->users[i - 1], &writer->users[i]) == 0)
			return false;
	return true;
}

/* Writes head, sealed index and parts one behind the other. */
static int assemble(struct update_writer *writer, const struct account_secret *secret,
		    struct slice index, uint8_t **file_out, size_t *len_out)
{
	uint8_t head[UPDATE_HEAD_MAX + 1], aad[UPDATE_AAD_MAX], key[32], *file;
	struct buf h = BUF_OF(head), a = BUF_OF(aad);
	int err;

	/* The length stands in the head, in front of the box whose length it is. */
	writer->head.index_n = index.n + BOX_OVERHEAD;
	if (writer->head.index_n > UPDATE_INDEX_MAX)
		return -E2BIG;
	update_head_write(&h, &writer->head);
	update_index_aad(&a, &writer->head);
	file = malloc(h.len + writer->head.index_n + writer->n_parts);
	if (!file)
		return -ENOMEM;
	memcpy(file, head, h.len);
	err = update_index_key(secret, key);
	if (!err)
		err = box_seal(key, buf_slice(&a), index, file + h.len);
	wipe(key, sizeof(key));
	if (err) {
		free(file);
		return err;
	}
	memcpy(file + h.len + writer->head.index_n, writer->parts, writer->n_parts);
	*file_out = file;
	*len_out = h.len + writer->head.index_n + writer->n_parts;
	return 0;
}

int update_writer_finish(struct update_writer *writer, const struct account_secret *secret,
			 uint8_t **file_out, size_t *len_out)
{
	uint8_t *index;
	size_t n;
	int err;

	if (!sort_users(writer))
		return -EINVAL;
	err = make_index(writer, &index, &n);
	if (err)
		return err;
	err = assemble(writer, secret, slice_of(index, n), file_out, len_out);
	free(index);
	return err;
}
