/* accounts_json.c - the listing of accounts (CRS manual 4.3). */
#include <errno.h>

#include <openssl/crypto.h>

#include "rendezvous/accounts.h"
#include "rendezvous/control_api_priv.h"

int accounts_json(const char *dir, json_t **list_out, struct diag *diag)
{
	char **ids = NULL, path[ACCOUNTS_PATH], secret[ACCOUNTS_SECRET_TEXT];
	size_t count = 0;
	json_t *list;
	int err = accounts_list(dir, &ids, &count, diag);

	if (err)
		return err;
	list = json_array();
	for (size_t i = 0; i < count && !err; i++) {
		err = accounts_path(dir, ids[i], NULL, path);
		/* One that cannot be read hides no other; no secret is "" (accounts_create()). */
		if (!err && accounts_read_secret(dir, ids[i], secret, diag))
			secret[0] = '\0';
		if (!err)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", ids[i],
							      "path", path, "secret", secret));
	}
	/* Only this copy: the listing holds the secrets as well, for that is what it is asked
	 * for. */
	OPENSSL_cleanse(secret, sizeof(secret));
	accounts_list_free(&ids, count);
	if (err)
		json_decref(list);
	else
		*list_out = list;
	return err;
}
