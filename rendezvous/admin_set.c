/* admin_set.c - keys of remote administrators.
 *
 * What TLS needs is the PSK alone, so it is made once at loading and the secret is not kept. A
 * few administrators at most: a list is searched from its front.
 */
#include "rendezvous/admin_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/diag.h"
#include "rendezvous/admins.h"

struct loaded {
	char name[ADMINS_NAME_MAX + 1];
	uint8_t psk[ACCOUNT_PSK_SIZE];
};

struct admin_set {
	struct loaded *admin;
	size_t n;
};

static int derive(const json_t *from, struct loaded *admin, struct diag *diag)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	const char *text = json_string_value(json_object_get(from, "secret"));
	struct account_secret secret;
	int err = account_secret_from_text(slice_str(text), name, &secret);

	if (!err)
		err = account_admin_psk(&secret, slice_str(name), admin->psk);
	account_secret_wipe(&secret);
	if (err)
		diag_error(diag, NULL, "admin %s: bad secret: %s", name, strerror(-err));
	else
		snprintf(admin->name, sizeof(admin->name), "%s", name);
	return err;
}

int admin_set_load(const char *dir, struct admin_set **set_out, struct diag *diag)
{
	struct admin_set *set = calloc(1, sizeof(*set));
	json_t *list = NULL, *admin;
	int err = set ? admins_list(dir, &list, diag) : -ENOMEM;
	size_t i;

	if (!err) {
		set->admin = calloc(json_array_size(list) + 1, sizeof(*set->admin));
		err = set->admin ? 0 : -ENOMEM;
	}
	if (err) {
		json_decref(list);
		admin_set_free(&set);
		return err;
	}
	json_array_foreach(list, i, admin)
	{
		/* One damaged administrator does not lock out the others. */
		if (derive(admin, &set->admin[set->n], diag) == 0)
			set->n++;
	}
	json_decref(list);
	*set_out = set;
	return 0;
}

void admin_set_free(struct admin_set **setp)
{
	struct admin_set *set = *setp;

	if (!set)
		return;
	*setp = NULL;
	if (set->admin)
		OPENSSL_cleanse(set->admin, set->n * sizeof(*set->admin));
	free(set->admin);
	free(set);
}

static const struct loaded *find(const struct admin_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->admin[i].name, name) == 0)
			return &set->admin[i];
	}
	return NULL;
}

bool admin_set_has(const struct admin_set *set, const char *name)
{
	return find(set, name) != NULL;
}

bool admin_set_psk(const struct admin_set *set, const char *name, uint8_t psk_out[ACCOUNT_PSK_SIZE])
{
	const struct loaded *admin = find(set, name);

	/* Drawn for everybody: for a name that is not there the handshake goes on with a key
	 * that nobody has, and fails as it does with a wrong one. */
	if (RAND_bytes(psk_out, ACCOUNT_PSK_SIZE) != 1)
		return false;
	if (admin)
		memcpy(psk_out, admin->psk, ACCOUNT_PSK_SIZE);
	return admin != NULL;
}
