/* fuzz_update.c - an update file; an index, an entry and a shared part as their
 * writers might have sealed them.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "keys/box.h"
#include "keys/update_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_MAX = 16384 };

static const struct account_secret secret = { .octets = { 1, 2, 3 }, .n = 16 };
static const uint8_t key[BOX_KEY] = { 7 };

static void open_file(struct slice file)
{
	struct update *update;
	struct update_user user;
	uint8_t *again;
	size_t n;

	if (update_open(file, "A", &secret, &update, NULL))
		return;
	for (size_t i = 0; i < update_users(update); i++)
		if (!update_user_find(update, slice_str(update_user_at(update, i).uri), &user))
			abort();
	if (update_write_opened(update, &again, &n) == 0)
		free(again);
	update_free(&update);
}

/* The input as an index, followed by itself as the parts. */
static void open_index(struct slice input)
{
	uint8_t file[UPDATE_HEAD_MAX + 2 * FUZZ_MAX + SHA256_DIGEST_LENGTH + 1];
	struct update_head head = { .account = "A",
				    .created = 1,
				    .index_n = input.n + SHA256_DIGEST_LENGTH };
	struct buf b = BUF_OF(file);

	update_head_write(&b, &head);
	buf_put_slice(&b, input);
	SHA256(file, b.len, file + b.len);
	b.len += SHA256_DIGEST_LENGTH;
	buf_put_slice(&b, input);
	open_file(buf_slice(&b));
}

static void open_entry(struct slice input)
{
	uint8_t plain[4 + FUZZ_MAX + 1], sealed[4 + FUZZ_MAX + BOX_OVERHEAD], aad[UPDATE_AAD_MAX];
	struct buf b = BUF_OF(plain), a = BUF_OF(aad);
	struct update_entry entry;

	buf_put_u32(&b, (uint32_t)input.n);
	buf_put_slice(&b, input);
	update_entry_aad(&a, slice_str("tel:+1"), 0, 1);
	if (box_seal(key, buf_slice(&a), buf_slice(&b), sealed))
		return;
	if (update_entry_open(slice_of(sealed, b.len + BOX_OVERHEAD), key, slice_str("tel:+1"), 0,
			      1, &entry) == 0)
		update_entry_free(&entry);
}

static void open_shared(struct slice input)
{
	uint8_t sealed[FUZZ_MAX + BOX_OVERHEAD], aad[UPDATE_AAD_MAX];
	struct update_entry entry = { .keys = { .created = 1 } };
	struct buf a = BUF_OF(aad);
	struct update_common common;

	update_shared_aad(&a, 0, 0, 1);
	if (box_seal(key, buf_slice(&a), input, sealed))
		return;
	memcpy(entry.shared_key, key, sizeof(key));
	SHA256(sealed, input.n + BOX_OVERHEAD, entry.shared_sha256);
	if (update_shared_open(slice_of(sealed, input.n + BOX_OVERHEAD), &entry, &common) == 0)
		update_common_free(&common);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);

	if (size > FUZZ_MAX)
		return 0;
	open_file(input);
	open_index(input);
	open_entry(input);
	open_shared(input);
	return 0;
}
