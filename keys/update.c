/* update.c - the whole file, as the rendezvous reads it. */
#include "keys/update.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/cursor.h"
#include "base/diag.h"
#include "keys/box.h"
#include "keys/domain.h"
#include "keys/kdf.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "keys/update.pb-c.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

struct update {
	struct update_head head;
	struct slice parts;   /* all behind the index */
	uint8_t *index_plain; /* owned */
	size_t index_n;
	struct wire_memory memory;
	Keys__UpdateIndex *index;  /* owned */
	struct update_user *users; /* owned, sorted by URI; texts are the index's */
	struct slice shared;
	size_t damaged;
};

/* ---- layout ---- */

void update_head_write(struct buf *b, const struct update_head *head)
{
	buf_put_str(b, "UPD");
	buf_put_u8(b, UPDATE_VERSION);
	buf_put_u8(b, (uint8_t)head->form);
	update_index_aad(b, head);
	buf_put_u32(b, (uint32_t)head->index_n);
}

/* Who, when and which is bound to the index: the same octets as in the head, so nobody can put
 * an index under another head. */
void update_index_aad(struct buf *b, const struct update_head *head)
{
	char period[PERIOD_TEXT_SIZE];

	period_text(head->month, period);
	kdf_write(b,
		  (const struct kdf_part[]){ kdf_text(head->account), kdf_text(period),
					     kdf_u32(head->revision), kdf_u64(head->created) },
		  4);
}

int update_index_key(const struct account_secret *secret, uint8_t key[32])
{
	return kdf_hkdf(slice_of(secret->octets, secret->n), "update", NULL, 0, key, 32);
}

/* Two of one revision come from a key manager whose database was put back: the later one counts. */
bool update_newer(uint32_t revision_a, uint64_t created_a, uint32_t revision_b, uint64_t created_b)
{
	return revision_a > revision_b || (revision_a == revision_b && created_a > created_b);
}

/* ---- opening ---- */

static int broken(struct diag *diag, const char *what)
{
	diag_error(diag, NULL, "%s", what);
	return -EBADMSG;
}

static bool take_text(struct cursor *c, char *out, size_t outsz)
{
	struct slice text = cursor_l16(c);

	if (text.n >= outsz)
		return false;
	memcpy(out, text.p ? text.p : (const uint8_t *)"", text.n);
	out[text.n] = '\0';
	return true;
}

/* Reads the head and leaves the cursor at the index. */
static int read_head(struct cursor *c, struct update_head *head, struct diag *diag)
{
	struct slice magic = cursor_take(c, 3);
	uint8_t version = cursor_u8(c);
	bool ok;

	if (!cursor_ok(c) || !slice_eq_str(magic, "UPD"))
		return broken(diag, "this is not an update file");
	if (version != UPDATE_VERSION) {
		diag_error(diag, NULL, "the update file is of version %u, this program knows %u",
			   version, (unsigned)UPDATE_VERSION);
		return -EPROTONOSUPPORT;
	}
	head->form = (enum update_form)cursor_u8(c);
	ok = take_text(c, head->account, sizeof(head->account)) &&
	     period_parse(cursor_l16(c), &head->month) == 0;
	head->revision = cursor_u32(c);
	head->created = cursor_u64(c);
	head->index_n = cursor_u32(c);
	if (!ok || !cursor_ok(c) || head->index_n > UPDATE_INDEX_MAX || head->index_n > c->left ||
	    (head->form != UPDATE_SEALED && head->form != UPDATE_OPENED))
		return broken(diag, "the update file is damaged or cut off at its beginning");
	return 0;
}

static int open_sealed(struct update *update, struct slice box, const struct account_secret *secret,
		       struct diag *diag)
{
	uint8_t key[32], aad[UPDATE_AAD_MAX];
	struct buf b = BUF_OF(aad);
	int err;

	if (box.n < BOX_OVERHEAD)
		return broken(diag, "the update file's index is cut off");
	err = update_index_key(secret, key);
	if (err)
		return err;
	update_index_aad(&b, &update->head);
	update->index_n = box.n - BOX_OVERHEAD;
	err = box_open(key, buf_slice(&b), box, update->index_plain);
	wipe(key, sizeof(key));
	if (err == -EBADMSG) {
		diag_error(diag, NULL,
			   "the update file's index does not open: it was made for another shared "
			   "secret, or it is damaged");
		return -EACCES;
	}
	return err;
}

/* index ends in the hash over everything before that. */
static int open_opened(struct update *update, struct slice file, struct slice index,
		       struct diag *diag)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	size_t covered;

	if (index.n < sizeof(hash))
		return broken(diag, "the update file's index is cut off");
	update->index_n = index.n - sizeof(hash);
	covered = (size_t)(index.p - file.p) + update->index_n;
	SHA256(file.p, covered, hash);
	if (memcmp(hash, file.p + covered, sizeof(hash)) != 0)
		return broken(diag, "the update file's index is damaged");
	memcpy(update->index_plain, index.p, update->index_n);
	return 0;
}

/* ---- checking what the index says ---- */

static bool uri_is(const char *uri, enum identity_kind want)
{
	enum identity_kind kind;

	return identity_check(slice_str(uri), &kind) == 0 && kind == want;
}

static bool uris_valid(char *const *uris, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!uri_is(uris[i], IDENTITY_USER))
			return false;
	return true;
}

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct update_user *)a)->uri, ((const struct update_user *)b)->uri);
}

/* Finds a part and checks its hash; empty, counted and named when it is wrong.  One damaged
 * entry costs one user his update, not everybody theirs. */
static struct slice check_part(struct update *update, const Keys__UpdatePart *part,
			       const char *what, struct diag *diag)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct slice octets = { 0 };

	if (part && part->length && part->offset <= update->parts.n &&
	    part->length <= update->parts.n - part->offset && part->sha256.len == sizeof(hash)) {
		/* Offset first, then length against what is left behind it: their sum might
		 * wrap around. */
		octets = slice_of(update->parts.p + part->offset, part->length);
		SHA256(octets.p, octets.n, hash);
		if (memcmp(hash, part->sha256.data, sizeof(hash)) == 0)
			return octets;
	}
	update->damaged++;
	diag_error(diag, NULL, "%s is damaged", what);
	return (struct slice){ 0 };
}

static bool users_distinct(const struct update *update)
{
	for (size_t i = 1; i < update->index->n_users; i++)
		if (by_uri(&update->users[i - 1], &update->users[i]) == 0)
			return false;
	return true;
}

static int list_users(struct update *update)
{
	const Keys__UpdateIndex *index = update->index;

	update->users = calloc(index->n_users + 1, sizeof(*update->users));
	if (!update->users)
		return -ENOMEM;
	for (size_t i = 0; i < index->n_users; i++) {
		const Keys__UpdateUser *user = index->users[i];

		if (!uri_is(user->uri, IDENTITY_USER) || user->generation == 0)
			return -EBADMSG;
		update->users[i].uri = user->uri;
		update->users[i].generation = user->generation;
	}
	return 0;
}

static void check_entries(struct update *update, struct diag *diag)
{
	for (size_t i = 0; i < update->index->n_users; i++) {
		char what[sizeof("the entry of ") + IDENTITY_URI_MAX];
		struct buf b = BUF_OF(what);

		buf_printf(&b, "the entry of %s", update->users[i].uri);
		update->users[i].entry =
			check_part(update, update->index->users[i]->entry, what, diag);
	}
}

static bool lists_valid(const struct update *update)
{
	const Keys__UpdateIndex *index = update->index;
	struct update_user user;

	if (index->n_channels > UPDATE_CHANNELS_MAX ||
	    (index->domain_id.len != 0 && index->domain_id.len != DOMAIN_ID) ||
	    !uris_valid(index->tombstones, index->n_tombstones))
		return false;
	for (size_t i = 0; i < index->n_channels; i++) {
		const Keys__UpdateMembers *members = index->channels[i];

		if (!uri_is(members->channel, IDENTITY_CHANNEL) ||
		    !uris_valid(members->uris, members->n_uris))
			return false;
	}
	/* A user who is both listed and gone: whichever the rendezvous believed, the other half
	 * of the file would be wrong. */
	for (size_t i = 0; i < index->n_tombstones; i++)
		if (update_user_find(update, slice_str(index->tombstones[i]), &user))
			return false;
	return true;
}

static int read_index(struct update *update, struct diag *diag)
{
	int err;

	wire_memory_init(&update->memory, update->index_n);
	update->index = keys__update_index__unpack(&update->memory.allocator, update->index_n,
						   update->index_plain);
	if (!update->index && wire_unpack_error(&update->memory) == -ENOMEM)
		return -ENOMEM;
	if (!update->index || update->index->n_users > UPDATE_USERS_MAX)
		return broken(diag, "the update file's index cannot be read");
	/* A fault in the lists refuses the file whole; damage of a part (check_part) does not. */
	err = list_users(update);
	if (err == -ENOMEM)
		return err;
	if (!err) {
		/* Before they are sorted: entry i belongs to user i of the index. */
		check_entries(update, diag);
		qsort(update->users, update->index->n_users, sizeof(*update->users), by_uri);
	}
	if (err || !users_distinct(update) || !lists_valid(update))
		return broken(diag, "the update file's index contradicts itself");
	update->shared = check_part(update, update->index->shared, "the shared part", diag);
	return 0;
}

static int open_index(struct update *update, struct slice file, struct cursor *c,
		      const struct account_secret *secret, struct diag *diag)
{
	/* It is there: read_head() compared its length with what is left. */
	struct slice index = cursor_take(c, update->head.index_n);
	int err;

	update->parts = slice_of(c->p, c->left);
	update->index_plain = malloc(index.n + 1);
	if (!update->index_plain)
		return -ENOMEM;
	if (update->head.form == UPDATE_SEALED)
		err = open_sealed(update, index, secret, diag);
	else
		err = open_opened(update, file, index, diag);
	return err ? err : read_index(update, diag);
}

int update_open(struct slice file, const char *account, const struct account_secret *secret,
		struct update **update_out, struct diag *diag)
{
	struct update *update = calloc(1, sizeof(*update));
	struct cursor c = cursor_of(file);
	int err;

	if (!update)
		return -ENOMEM;
	err = read_head(&c, &update->head, diag);
	/* Told apart from a wrong secret: the operator took the wrong file. */
	if (!err && strcmp(update->head.account, account) != 0) {
		diag_error(diag, NULL, "the update file is for another account, not for %s",
			   account);
		err = -EPERM;
	}
	if (!err)
		err = open_index(update, file, &c, secret, diag);
	if (err) {
		update_free(&update);
		return err;
	}
	*update_out = update;
	return 0;
}

void update_free(struct update **updatep)
{
	struct update *update = *updatep;

	*updatep = NULL;
	if (!update)
		return;
	if (update->index)
		keys__update_index__free_unpacked(update->index, &update->memory.allocator);
	free(update->index_plain);
	free(update->users);
	free(update);
}

int update_write_opened(const struct update *update, uint8_t **file_out, size_t *len_out)
{
	uint8_t head_octets[UPDATE_HEAD_MAX + 1], *file;
	struct update_head head = update->head;
	struct buf h = BUF_OF(head_octets), b;
	size_t n;

	/* The parts stay as they are: their offsets count from behind the index, whatever its
	 * length. */
	head.form = UPDATE_OPENED;
	head.index_n = update->index_n + SHA256_DIGEST_LENGTH;
	update_head_write(&h, &head);
	n = h.len + head.index_n + update->parts.n;
	file = malloc(n + 1);
	if (!file)
		return -ENOMEM;
	b = buf_over(file, n + 1);
	buf_put_slice(&b, buf_slice(&h));
	buf_put(&b, update->index_plain, update->index_n);
	SHA256(file, b.len, file + b.len);
	b.len += SHA256_DIGEST_LENGTH;
	buf_put_slice(&b, update->parts);
	*file_out = file;
	*len_out = n;
	return 0;
}

/* ---- what it says ---- */

int64_t update_month(const struct update *update)
{
	return update->head.month;
}

uint32_t update_revision(const struct update *update)
{
	return update->head.revision;
}

uint64_t update_created(const struct update *update)
{
	return update->head.created;
}

uint32_t update_max_message_lifetime(const struct update *update)
{
	return update->index->max_message_lifetime;
}

const uint8_t *update_domain_id(const struct update *update)
{
	return update->index->domain_id.len ? update->index->domain_id.data : NULL;
}

size_t update_damaged(const struct update *update)
{
	return update->damaged;
}

size_t update_users(const struct update *update)
{
	return update->index->n_users;
}

struct update_user update_user_at(const struct update *update, size_t i)
{
	return update->users[i];
}

bool update_user_find(const struct update *update, struct slice uri, struct update_user *user_out)
{
	char text[IDENTITY_URI_MAX + 1];
	struct update_user key = { .uri = text };
	const struct update_user *found;

	if (uri.n > IDENTITY_URI_MAX)
		return false;
	memcpy(text, uri.p, uri.n);
	text[uri.n] = '\0';
	found = bsearch(&key, update->users, update->index->n_users, sizeof(key), by_uri);
	if (found)
		*user_out = *found;
	return found != NULL;
}

size_t update_tombstones(const struct update *update)
{
	return update->index->n_tombstones;
}

const char *update_tombstone_at(const struct update *update, size_t i)
{
	return update->index->tombstones[i];
}

size_t update_channels(const struct update *update)
{
	return update->index->n_channels;
}

struct update_members update_channel_at(const struct update *update, size_t i)
{
	const Keys__UpdateMembers *members = update->index->channels[i];

	return (struct update_members){ members->channel, (const char *const *)members->uris,
					members->n_uris };
}

struct slice update_shared(const struct update *update)
{
	return update->shared;
}
