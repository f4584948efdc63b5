#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/diag.h"
#include "keys/update_priv.h"
#include "tests/keys/sample.h"

static const struct account_secret secret = { .octets = "0123456789abcdef", .n = 16 };
static const struct account_secret other_secret = { .octets = "0123456789abcdeF", .n = 16 };
static const char channel_uri[] = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";

static const char *const uris[] = { "tel:+4670", "tel:+1", "tel:+8888" };
static uint8_t update_keys[COUNT(uris)][UPDATE_KEY_SIZE] = { { 1 }, { 2 }, { 3 } };

struct file {
	uint8_t *p;
	size_t n;
};

static struct update_common sample_common(void)
{
	static char a[] = "tel:+1", b[] = "tel:+4670", c[] = "tel:+8888";
	static char *users[] = { a, b, c };
	static struct update_domain domain = { .name = "Friends", .not_before = 5 };

	sample_fill(domain.kpak, sizeof(domain.kpak), 2);
	sample_fill(domain.z, sizeof(domain.z), 3);
	return (struct update_common){ users, COUNT(users), &domain, 1 };
}

static struct update_entry entry_of(size_t i)
{
	struct update_entry entry = sample_entry((uint8_t)(20 + i));

	entry.generation = (uint32_t)(i + 1);
	return entry;
}

/* A file with three users, one of them in a channel, and a tombstone. */
static struct file make_file(void)
{
	struct update_common common = sample_common();
	struct update_channel channel = { .name = "Board" };
	struct update_members members = { channel_uri, uris, 1 };
	struct update_writer *writer =
		update_writer_new("ACME-1", SAMPLE_MONTH, 5, SAMPLE_TIME, 86400, &common);
	struct file file;

	SET_TEXT(channel.uri, channel_uri);
	sample_fill(channel.rsk, sizeof(channel.rsk), 2);
	assert_non_null(writer);
	for (size_t i = 0; i < COUNT(uris); i++) {
		struct update_entry entry = entry_of(i);

		entry.channels = &channel;
		entry.n_channels = i == 0;
		entry.engines = i == 2 ? 3 : 0;
		assert_int_equal(update_writer_add(writer, uris[i], update_keys[i], &entry), 0);
	}
	assert_int_equal(update_writer_tombstone(writer, "tel:+999"), 0);
	assert_int_equal(update_writer_channel(writer, &members), 0);
	assert_int_equal(update_writer_finish(writer, &secret, &file.p, &file.n), 0);
	update_writer_free(&writer);
	assert_null(writer);
	return file;
}

static struct update *open_file(struct file file)
{
	struct update *update = NULL;

	assert_int_equal(update_open(slice_of(file.p, file.n), "ACME-1", &secret, &update, NULL),
			 0);
	return update;
}

static int entry_at(const struct update *update, size_t user, size_t key, int64_t month,
		    uint32_t revision, struct update_entry *entry)
{
	struct update_user found;

	assert_true(update_user_find(update, slice_str(uris[user]), &found));
	return update_entry_open(found.entry, update_keys[key], slice_str(uris[user]), month,
				 revision, entry);
}

static void check_index(const struct update *update)
{
	struct update_user user;

	assert_int_equal(update_month(update), SAMPLE_MONTH);
	assert_int_equal(update_revision(update), 5);
	assert_int_equal(update_created(update), SAMPLE_TIME);
	assert_int_equal(update_max_message_lifetime(update), 86400);
	assert_int_equal(update_damaged(update), 0);
	assert_int_equal(update_users(update), 3);
	assert_string_equal(update_user_at(update, 0).uri, "tel:+1");
	assert_int_equal(update_user_at(update, 0).generation, 2);
	assert_true(update_user_find(update, slice_str("tel:+8888"), &user));
	assert_int_equal(user.generation, 3);
	assert_int_equal(user.entry.n, UPDATE_ENTRY_MIN);
	assert_false(update_user_find(update, slice_str("tel:+999"), &user));
	assert_int_equal(update_tombstones(update), 1);
	assert_string_equal(update_tombstone_at(update, 0), "tel:+999");
	assert_int_equal(update_channels(update), 1);
	assert_string_equal(update_channel_at(update, 0).channel, channel_uri);
	assert_int_equal(update_channel_at(update, 0).n, 1);
	assert_string_equal(update_channel_at(update, 0).uris[0], "tel:+4670");
}

static void the_rendezvous_reads_the_index_sealed_and_opened(void **state)
{
	struct file file = make_file(), opened;
	struct update *update = open_file(file), *again;
	struct update_entry entry;

	(void)state;
	check_index(update);
	assert_int_equal(update_write_opened(update, &opened.p, &opened.n), 0);
	again = open_file(opened);
	check_index(again);
	assert_int_equal(entry_at(again, 1, 1, SAMPLE_MONTH, 5, &entry), 0);
	update_entry_free(&entry);
	update_free(&again);
	assert_null(again);
	/* Once more gives the same octets. */
	again = open_file(opened);
	free(file.p);
	assert_int_equal(update_write_opened(again, &file.p, &file.n), 0);
	assert_true(slice_eq(slice_of(file.p, file.n), slice_of(opened.p, opened.n)));
	update_free(&again);
	update_free(&update);
	free(opened.p);
	free(file.p);
}

static void a_user_opens_its_own_entry(void **state)
{
	struct file file = make_file();
	struct update *update = open_file(file);
	struct update_entry entry, want = entry_of(0);

	(void)state;
	assert_int_equal(entry_at(update, 0, 0, SAMPLE_MONTH, 5, &entry), 0);
	assert_int_equal(entry.keys.month, SAMPLE_MONTH);
	assert_int_equal(entry.keys.revision, 5);
	assert_int_equal(entry.keys.created, SAMPLE_TIME);
	assert_memory_equal(entry.keys.packed, want.keys.packed, ISSUED_PACKED);
	assert_int_equal(entry.generation, 1);
	assert_string_equal(entry.address, want.address);
	assert_string_equal(entry.account, "ACME-1");
	assert_string_equal(entry.tls_identity, want.tls_identity);
	assert_memory_equal(entry.tls_key, want.tls_key, sizeof(want.tls_key));
	assert_int_equal(entry.max_message_lifetime, 86400);
	assert_int_equal(entry.default_message_lifetime, 3600);
	assert_true(entry.multipath);
	assert_false(entry.intercept);
	assert_int_equal(entry.n_channels, 1);
	assert_string_equal(entry.channels[0].uri, channel_uri);
	assert_string_equal(entry.channels[0].name, "Board");
	update_entry_free(&entry);
	assert_int_equal(entry_at(update, 2, 2, SAMPLE_MONTH, 5, &entry), 0);
	assert_int_equal(entry.engines, 3);
	assert_int_equal(entry.n_channels, 0);
	update_entry_free(&entry);
	update_free(&update);
	free(file.p);
}

/* CMS-047: another user cannot use it, and neither can the rendezvous, which knows
 * the account's secret but no update key. */
static void nobody_else_opens_an_entry(void **state)
{
	struct file file = make_file();
	struct update *update = open_file(file);
	struct update_entry entry;
	struct update_user user;
	uint8_t index_key[32];

	(void)state;
	assert_int_equal(entry_at(update, 0, 1, SAMPLE_MONTH, 5, &entry), -EACCES);
	assert_int_equal(entry_at(update, 0, 0, SAMPLE_MONTH + 1, 5, &entry), -EACCES);
	assert_int_equal(entry_at(update, 0, 0, SAMPLE_MONTH, 6, &entry), -EACCES);
	assert_true(update_user_find(update, slice_str(uris[0]), &user));
	assert_int_equal(update_entry_open(user.entry, update_keys[0], slice_str(uris[1]),
					   SAMPLE_MONTH, 5, &entry),
			 -EACCES);
	assert_int_equal(update_index_key(&secret, index_key), 0);
	assert_int_equal(update_entry_open(user.entry, index_key, slice_str(uris[0]), SAMPLE_MONTH,
					   5, &entry),
			 -EACCES);
	assert_null(entry.channels);
	update_free(&update);
	free(file.p);
}

static void an_entry_is_padded_to_a_power_of_two(void **state)
{
	struct update_channel channels[UPDATE_CHANNELS_MAX] = { 0 };
	struct update_entry entry = sample_entry(9), got;

	(void)state;
	entry.keys.created = 1;
	entry.channels = channels;
	for (size_t i = 0; i < COUNT(channels); i++) {
		uint8_t *sealed;
		size_t n;

		SET_TEXT(channels[i].uri, channel_uri);
		SET_TEXT(channels[i].name, "A channel's name");
		channels[i].rsk[0] = 2;
		entry.n_channels = i;
		assert_int_equal(
			update_entry_seal(&entry, update_keys[0], slice_str(uris[0]), &sealed, &n),
			0);
		assert_true(n >= UPDATE_ENTRY_MIN && (n & (n - 1)) == 0);
		assert_int_equal(update_entry_open(slice_of(sealed, n), update_keys[0],
						   slice_str(uris[0]), SAMPLE_MONTH, 0, &got),
				 0);
		assert_int_equal(got.n_channels, i);
		update_entry_free(&got);
		free(sealed);
	}
	entry.n_channels = UPDATE_CHANNELS_MAX + 1;
	assert_int_equal(update_entry_seal(&entry, update_keys[0], slice_str(uris[0]), NULL, NULL),
			 -E2BIG);
}

static void the_shared_part_is_the_one_that_the_entry_names(void **state)
{
	struct file file = make_file(), second = make_file();
	struct update *update = open_file(file), *other = open_file(second);
	struct update_common common;
	struct update_entry entry;

	(void)state;
	assert_int_equal(entry_at(update, 0, 0, SAMPLE_MONTH, 5, &entry), 0);
	assert_int_equal(update_shared_open(update_shared(update), &entry, &common), 0);
	assert_int_equal(common.n_users, 3);
	assert_string_equal(common.users[2], "tel:+8888");
	assert_int_equal(common.n_domains, 1);
	assert_string_equal(common.domains[0].name, "Friends");
	assert_int_equal(common.domains[0].not_before, 5);
	update_common_free(&common);
	assert_int_equal(update_shared_open(update_shared(other), &entry, &common), -EACCES);
	assert_int_equal(update_shared_open((struct slice){ 0 }, &entry, &common), -EACCES);
	entry.shared_key[0] ^= 1;
	assert_int_equal(update_shared_open(update_shared(update), &entry, &common), -EACCES);
	update_entry_free(&entry);
	update_free(&other);
	update_free(&update);
	free(second.p);
	free(file.p);
}

static int open_copy(const uint8_t *p, size_t n, const char *account,
		     const struct account_secret *with)
{
	struct update *update = NULL;
	uint8_t *copy = malloc(n ? n : 1); /* so that a read behind the end is seen */
	int err;

	assert_non_null(copy);
	memcpy(copy, p, n);
	err = update_open(slice_of(copy, n), account, with, &update, NULL);
	if (!err && update_damaged(update))
		err = 1;
	update_free(&update);
	free(copy);
	return err;
}

static void another_accounts_file_and_a_wrong_secret_are_told_apart(void **state)
{
	struct file file = make_file();

	(void)state;
	assert_int_equal(open_copy(file.p, file.n, "ACME-2", &secret), -EPERM);
	assert_int_equal(open_copy(file.p, file.n, "ACME-1", &other_secret), -EACCES);
	file.p[3] = 2;
	assert_int_equal(open_copy(file.p, file.n, "ACME-1", &secret), -EPROTONOSUPPORT);
	file.p[3] = 1;
	file.p[4] = 2;
	assert_int_equal(open_copy(file.p, file.n, "ACME-1", &secret), -EBADMSG);
	free(file.p);
}

/* Where the parts of file begin. */
static size_t parts_at(struct file file)
{
	struct cursor c = cursor_of(slice_of(file.p, file.n));

	cursor_take(&c, 5 + 2 + 6 + 2 + 7 + 4 + 8);
	cursor_take(&c, cursor_u32(&c));
	assert_true(cursor_ok(&c));
	return file.n - c.left;
}

static void check_every_cut_and_change(struct file file)
{
	size_t parts = parts_at(file);

	for (size_t n = 0; n < parts; n++)
		assert_true(open_copy(file.p, n, "ACME-1", &secret) < 0);
	for (size_t n = parts; n < file.n; n += 97)
		assert_int_equal(open_copy(file.p, n, "ACME-1", &secret), 1);
	assert_int_equal(open_copy(file.p, file.n - 1, "ACME-1", &secret), 1);
	for (size_t i = 0; i < file.n; i += i < parts ? 1 : 89) {
		file.p[i] ^= 4;
		assert_int_not_equal(open_copy(file.p, file.n, "ACME-1", &secret), 0);
		file.p[i] ^= 4;
	}
	assert_int_equal(open_copy(file.p, file.n, "ACME-1", &secret), 0);
}

static void a_file_cut_or_changed_anywhere_is_damaged(void **state)
{
	struct file file = make_file(), opened;
	struct update *update = open_file(file);

	(void)state;
	assert_int_equal(update_write_opened(update, &opened.p, &opened.n), 0);
	check_every_cut_and_change(file);
	check_every_cut_and_change(opened);
	update_free(&update);
	free(opened.p);
	free(file.p);
}

static void a_damaged_part_is_named_and_the_rest_is_usable(void **state)
{
	struct file file = make_file();
	struct diag *diag = diag_new();
	struct update *update;
	struct update_user user;
	struct update_entry entry;

	(void)state;
	file.p[file.n - 1] ^= 1; /* the last entry is that of tel:+8888 */
	assert_int_equal(update_open(slice_of(file.p, file.n), "ACME-1", &secret, &update, diag),
			 0);
	assert_int_equal(update_damaged(update), 1);
	assert_string_equal(diag_first_error(diag), "the entry of tel:+8888 is damaged");
	assert_true(update_user_find(update, slice_str("tel:+8888"), &user));
	assert_int_equal(user.entry.n, 0);
	assert_int_equal(entry_at(update, 0, 0, SAMPLE_MONTH, 5, &entry), 0);
	update_entry_free(&entry);
	update_free(&update);
	diag_free(&diag);
	free(file.p);
}

static void a_writer_refuses_what_readers_would(void **state)
{
	struct update_common common = sample_common(), unsorted = common;
	char *swapped[] = { common.users[1], common.users[0] };
	struct update_entry entry = entry_of(0), bad = entry;
	struct update_writer *writer =
		update_writer_new("ACME-1", SAMPLE_MONTH, 1, SAMPLE_TIME, 0, &common);
	struct file file;

	(void)state;
	assert_null(update_writer_new("A.B", SAMPLE_MONTH, 1, SAMPLE_TIME, 0, &common));
	unsorted.users = swapped;
	unsorted.n_users = 2;
	assert_null(update_writer_new("A", SAMPLE_MONTH, 1, SAMPLE_TIME, 0, &unsorted));
	assert_int_equal(update_writer_add(writer, "tel:4670", update_keys[0], &entry), -EINVAL);
	bad.generation = 0;
	assert_int_equal(update_writer_add(writer, "tel:+1", update_keys[0], &bad), -EINVAL);
	bad = entry;
	SET_TEXT(bad.address, "nowhere");
	assert_int_equal(update_writer_add(writer, "tel:+1", update_keys[0], &bad), -EINVAL);
	assert_int_equal(update_writer_tombstone(writer, channel_uri), -EINVAL);
	assert_int_equal(update_writer_add(writer, "tel:+1", update_keys[0], &entry), 0);
	assert_int_equal(update_writer_add(writer, "tel:+1", update_keys[0], &entry), 0);
	assert_int_equal(update_writer_finish(writer, &secret, &file.p, &file.n), -EINVAL);
	update_writer_free(&writer);
}

static void the_higher_revision_or_the_later_time_is_newer(void **state)
{
	(void)state;
	assert_true(update_newer(2, 1, 1, 9));
	assert_true(update_newer(1, 2, 1, 1));
	assert_false(update_newer(1, 1, 1, 1));
	assert_false(update_newer(1, 9, 2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rendezvous_reads_the_index_sealed_and_opened),
		cmocka_unit_test(a_user_opens_its_own_entry),
		cmocka_unit_test(nobody_else_opens_an_entry),
		cmocka_unit_test(an_entry_is_padded_to_a_power_of_two),
		cmocka_unit_test(the_shared_part_is_the_one_that_the_entry_names),
		cmocka_unit_test(another_accounts_file_and_a_wrong_secret_are_told_apart),
		cmocka_unit_test(a_file_cut_or_changed_anywhere_is_damaged),
		cmocka_unit_test(a_damaged_part_is_named_and_the_rest_is_usable),
		cmocka_unit_test(a_writer_refuses_what_readers_would),
		cmocka_unit_test(the_higher_revision_or_the_later_time_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
