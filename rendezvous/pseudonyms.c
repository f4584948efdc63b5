/* pseudonyms.c - users' names as HMACs under the server's own key. */
#include "rendezvous/pseudonyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/encode.h"
#include "base/file.h"
#include "rendezvous/paths.h"

enum { NAME_OCTETS = (PSEUDONYM_SIZE - 6) / 2, MAX_URI = 512, MAX_ACCOUNT = 64 };

static int make_key(const char *path, uint8_t key_out[PSEUDONYMS_KEY_SIZE])
{
	if (RAND_priv_bytes(key_out, PSEUDONYMS_KEY_SIZE) != 1)
		return -EIO;
	return file_write_atomic(path, 0600, slice_of(key_out, PSEUDONYMS_KEY_SIZE));
}

int pseudonyms_key(const char *dir, uint8_t key_out[PSEUDONYMS_KEY_SIZE])
{
	char path[CRS_PATH_SIZE];
	uint8_t *data = NULL;
	size_t n = 0;
	int err = crs_path_join(path, sizeof(path), dir, "pseudonyms-key");

	if (!err)
		err = file_read(path, PSEUDONYMS_KEY_SIZE, &data, &n);
	/* A crash before the file is whole leaves none: nobody has seen a name made with that
	 * key. */
	if (err == -ENOENT)
		return make_key(path, key_out);
	/* A file of another size is not replaced: with a new key all pseudonyms would change
	 * unnoticed. */
	if (err == -EFBIG || (!err && n != PSEUDONYMS_KEY_SIZE))
		err = -EINVAL;
	if (!err)
		memcpy(key_out, data, PSEUDONYMS_KEY_SIZE);
	if (data)
		OPENSSL_cleanse(data, n);
	free(data);
	return err;
}

int pseudonyms_name(const uint8_t key[PSEUDONYMS_KEY_SIZE], const char *account, const char *uri,
		    char out[PSEUDONYM_SIZE])
{
	uint8_t text[MAX_ACCOUNT + 1 + MAX_URI], mac[EVP_MAX_MD_SIZE];
	size_t in_account = strlen(account), in_uri = strlen(uri);

	if (in_account > MAX_ACCOUNT || in_uri > MAX_URI)
		return -EIO;
	/* With the NUL between them no two pairs make the same octets. */
	memcpy(text, account, in_account + 1);
	memcpy(text + in_account + 1, uri, in_uri);
	if (!HMAC(EVP_sha256(), key, PSEUDONYMS_KEY_SIZE, text, in_account + 1 + in_uri, mac, NULL))
		return -EIO;
	memcpy(out, "user-", 5);
	/* Half of the HMAC: 128 bits are enough that no two users of a server share a name. */
	hex_encode(slice_of(mac, NAME_OCTETS), out + 5);
	return 0;
}

struct named {
	char name[PSEUDONYM_SIZE];
	json_t *row;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int name_rows(const uint8_t *key, const char *account, const json_t *rows,
		     struct named *named)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *uri = json_string_value(json_object_get(row, statistics_columns[0]));

		/* Borrowed: rows holds it until the sorted array has a reference of its own. */
		named[i].row = row;
		if (!uri || pseudonyms_name(key, account, uri, named[i].name) ||
		    json_object_set_new(row, statistics_columns[0], json_string(named[i].name)))
			return -EIO;
	}
	return 0;
}

json_t *pseudonyms_rows(const uint8_t key[PSEUDONYMS_KEY_SIZE], const char *account, json_t *rows)
{
	size_t n = json_array_size(rows);
	struct named *named = calloc(n + 1, sizeof(*named));
	json_t *sorted = named && name_rows(key, account, rows, named) == 0 ? json_array() : NULL;

	if (sorted) {
		/* By pseudonym: the order of the rows would tell who is who. */
		qsort(named, n, sizeof(*named), compare);
		for (size_t i = 0; i < n; i++)
			json_array_append(sorted, named[i].row);
		if (json_array_size(sorted) != n) {
			json_decref(sorted); /* a row is missing: no memory */
			sorted = NULL;
		}
	}
	free(named);
	json_decref(rows);
	return sorted;
}

/* An export, while it is collected. */
struct hiding {
	statistics_done_fn *done;
	void *arg;
	char *account;
	uint8_t key[PSEUDONYMS_KEY_SIZE];
};

static void free_hiding(struct hiding *hiding)
{
	/* With the key all numbers could be tried, and every export be read. */
	OPENSSL_cleanse(hiding->key, sizeof(hiding->key));
	free(hiding->account);
	free(hiding);
}

static void on_collected(void *arg, json_t *rows)
{
	struct hiding *hiding = arg;

	hiding->done(hiding->arg,
		     rows ? pseudonyms_rows(hiding->key, hiding->account, rows) : NULL);
	free_hiding(hiding);
}

int pseudonyms_collect(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		       void *arg)
{
	const char *dir = supervisor_options(supervisor)->paths.data;
	struct hiding *hiding = calloc(1, sizeof(*hiding));
	int err;

	if (!hiding)
		return -ENOMEM;
	hiding->done = done;
	hiding->arg = arg;
	hiding->account = strdup(account);
	/* Before anything is asked: without a key there must be no export, least of all one
	 * under real numbers. */
	err = hiding->account ? pseudonyms_key(dir, hiding->key) : -ENOMEM;
	if (!err)
		err = statistics_collect(supervisor, account, on_collected, hiding);
	if (err)
		free_hiding(hiding);
	return err;
}
