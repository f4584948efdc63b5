/* cmd_init.c - a new key manager, its settings and its passphrase. */
#include "management/cms.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/encode.h"
#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/secret.h"
#include "keys/passphrase.h"

/* Copies an option's text; too long is too long for what it is checked for later. */
static int take_text(struct cms *cms, enum cms_option option, char *out, size_t outsz)
{
	const char *value = cms->value[option];
	int n;

	if (!value)
		return 0;
	n = snprintf(out, outsz, "%s", value);
	if (n >= 0 && (size_t)n < outsz)
		return 0;
	diag_error(cms->diag, NULL, "\"%.40s...\" is longer than %zu octets", value, outsz - 1);
	return -EINVAL;
}

static int take_lifetime(struct cms *cms, enum cms_option option, int64_t *out)
{
	const char *value = cms->value[option];

	if (!value)
		return 0;
	if (strcmp(value, "none") == 0) {
		*out = 0;
		return 0;
	}
	if (settings_parse_lifetime(value, out) == 0)
		return 0;
	diag_error(cms->diag, NULL,
		   "\"%s\" is no lifetime: expected 1h to 366d, in d, h or m, or none", value);
	return -EINVAL;
}

static int take_switch(struct cms *cms, enum cms_option option, int64_t *out)
{
	const char *value = cms->value[option];

	if (!value)
		return 0;
	*out = strcmp(value, "on") == 0;
	if (*out || strcmp(value, "off") == 0)
		return 0;
	diag_error(cms->diag, NULL, "\"%s\": expected on or off", value);
	return -EINVAL;
}

int cms_take_settings(struct cms *cms, struct settings *settings)
{
	int err = take_text(cms, OPTION_DOMAIN, settings->domain, sizeof(settings->domain));

	if (!err)
		err = take_text(cms, OPTION_CRS, settings->address, sizeof(settings->address));
	if (!err)
		err = take_text(cms, OPTION_ACCOUNT, settings->account, sizeof(settings->account));
	if (!err)
		err = take_lifetime(cms, OPTION_MAX_LIFETIME, &settings->max_message_lifetime);
	if (!err)
		err = take_lifetime(cms, OPTION_DEFAULT_LIFETIME,
				    &settings->default_message_lifetime);
	if (!err)
		err = take_switch(cms, OPTION_INTERCEPT, &settings->intercept);
	if (!err)
		err = take_switch(cms, OPTION_MULTIPATH, &settings->multipath);
	if (err)
		return err;
	return settings_check(settings, cms->diag) ? 0 : -EINVAL;
}

/* The text is kept, not what becomes of it: that depends on the account, which may change. */
int cms_take_secret(struct cms *cms, const char *account)
{
	struct passphrase line = { .n = 0 };
	struct account_secret secret;
	struct slice text = slice_str(cms->value[OPTION_SECRET]);
	int err = 0;

	if (cms->value[OPTION_SECRET_FILE]) {
		err = passphrase_from_file(cms->value[OPTION_SECRET_FILE], &line, cms->diag);
		text = passphrase_slice(&line);
	}
	if (!err) {
		err = account_secret_from_text(text, account, &secret);
		if (err)
			diag_error(cms->diag, NULL, "the shared secret cannot be used");
	}
	if (!err) {
		if (secret.stretched)
			fprintf(stderr,
				"cms: warning: the shared secret is not base64 of 16 octets "
				"or more; one made by \"crs-cli create sharedSecret\" is "
				"stronger\n");
		account_secret_wipe(&secret);
		err = settings_set_secret(cms->db, &cms->vault, text, cms->diag);
	}
	passphrase_wipe(&line);
	return err;
}

/* Makes the vault under a new passphrase. */
static int make_vault(struct cms *cms)
{
	uint8_t lock[VAULT_LOCK_SIZE];
	struct passphrase passphrase;
	const char *file = cms->value[OPTION_PASSPHRASE_FILE];
	int err = file ? passphrase_from_file(file, &passphrase, cms->diag)
		       : passphrase_ask("New passphrase", true, &passphrase, cms->diag);

	if (err)
		return err;
	err = vault_make(passphrase_slice(&passphrase), lock, &cms->vault);
	passphrase_wipe(&passphrase);
	if (err == -EINVAL)
		diag_error(cms->diag, NULL, "a passphrase has at least %d characters",
			   VAULT_PASSPHRASE_MIN);
	return err ? err : settings_set_lock(cms->db, lock, cms->diag);
}

/* Puts the public half into the settings. */
static int describe(struct settings *settings, const struct curves *curves,
		    const struct master *master)
{
	struct domain *domain;
	int err = domain_new(curves, settings->domain, slice_of(master_kpak(master), KPAK_OCTETS),
			     slice_of(master_z(master), Z_OCTETS), &domain);

	if (err)
		return err;
	domain_pack(domain, settings->kpak, settings->z);
	hex_encode(slice_of(domain_fingerprint(domain), 32), settings->fingerprint);
	domain_free(&domain);
	return 0;
}

/* The public half goes to the settings in clear: status and certificate need no passphrase. */
static int make_master(struct cms *cms, struct settings *settings)
{
	struct curves *curves = curves_new();
	struct master *master = NULL;
	int err = curves ? master_generate(curves, &master) : -ENOMEM;

	if (!err)
		err = describe(settings, curves, master);
	if (err)
		diag_error(cms->diag, NULL, "no master keys can be made: %s", strerror(-err));
	else
		err = settings_set_master(cms->db, &cms->vault, master, cms->diag);
	master_free(&master);
	curves_free(&curves);
	return err;
}

static int fill(struct cms *cms, struct settings *settings)
{
	/* The vault first: the others are sealed with it. */
	int err = make_vault(cms);

	if (!err)
		err = cms_take_secret(cms, settings->account);
	if (!err)
		err = make_master(cms, settings);
	if (!err)
		err = settings_save(cms->db, settings, cms->diag);
	if (!err)
		err = cms_log(cms, "init", "domain \"%s\", account %s at %s", settings->domain,
			      settings->account, settings->address);
	return err ? err : cms_commit(cms);
}

static void print_domain(const struct settings *settings)
{
	char groups[81];

	printf("Domain:      %s\n", settings->domain);
	/* The id is the fingerprint's first half. */
	cms_groups(settings->fingerprint, 32, groups, sizeof(groups));
	printf("Id:          %s\n", groups);
	cms_groups(settings->fingerprint, 64, groups, sizeof(groups));
	printf("Fingerprint: %s\n", groups);
}

/* "cms init": a new domain with master keys of its own. */
int cmd_init(struct cms *cms)
{
	struct settings settings = { 0 };
	const char *dir = cms_dir(cms);
	char path[PATH_MAX];
	int err;

	if (!dir)
		return -EINVAL;
	/* Of --secret and --secret-file exactly one. */
	if (!cms->value[OPTION_DOMAIN] || !cms->value[OPTION_CRS] || !cms->value[OPTION_ACCOUNT] ||
	    !cms->value[OPTION_SECRET] == !cms->value[OPTION_SECRET_FILE]) {
		diag_error(cms->diag, NULL,
			   "--domain, --crs, --account and either --secret or "
			   "--secret-file are needed");
		return -EINVAL;
	}
	err = cms_take_settings(cms, &settings);
	if (!err)
		err = database_path(dir, path, sizeof(path));
	if (!err)
		err = database_create(dir, &cms->db, cms->diag);
	if (err)
		return err;
	err = fill(cms, &settings);
	if (err) {
		database_close(&cms->db);
		/* database_create() made it, and nothing in it is of use. */
		unlink(path);
		return err;
	}
	print_domain(&settings);
	return 0;
}

static bool any_setting(const struct cms *cms)
{
	static const enum cms_option options[] = {
		OPTION_CRS,          OPTION_ACCOUNT,          OPTION_SECRET,    OPTION_SECRET_FILE,
		OPTION_MAX_LIFETIME, OPTION_DEFAULT_LIFETIME, OPTION_INTERCEPT, OPTION_MULTIPATH,
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (cms->value[options[i]])
			return true;
	return false;
}

/* "cms set": changes the domain's settings. */
int cmd_set(struct cms *cms)
{
	struct settings settings;
	/* The domain's name is not among them: it stands in certificates that others trust. */
	bool secret = cms->value[OPTION_SECRET] || cms->value[OPTION_SECRET_FILE];
	int err = settings_load(cms->db, &settings, cms->diag);

	if (!err && !any_setting(cms)) {
		diag_error(cms->diag, NULL, "set what?  See cms --help");
		err = -EINVAL;
	}
	if (!err && cms->value[OPTION_ACCOUNT] && !secret) {
		diag_error(cms->diag, NULL, "another account has another secret: give it, too");
		err = -EINVAL;
	}
	if (!err)
		err = cms_take_settings(cms, &settings);
	if (!err && secret)
		err = cms_take_secret(cms, settings.account);
	if (!err)
		err = settings_save(cms->db, &settings, cms->diag);
	if (!err)
		err = cms_log(cms, "set", "account %s at %s, lifetime %lld s, default %lld s",
			      settings.account, settings.address,
			      (long long)settings.max_message_lifetime,
			      (long long)settings.default_message_lifetime);
	if (!err)
		err = cms_commit(cms);
	if (!err)
		printf("New letters have it at once, devices with the next update file.\n");
	if (!err && secret)
		printf("Warning: only a rendezvous with this account and secret can open update "
		       "files made from now on.\n");
	return err;
}

/* "cms passphrase": seals the secrets under another passphrase. */
int cmd_passphrase(struct cms *cms)
{
	uint8_t lock[VAULT_LOCK_SIZE];
	struct passphrase passphrase;
	const char *file = cms->value[OPTION_NEW_PASSPHRASE_FILE];
	int err = file ? passphrase_from_file(file, &passphrase, cms->diag)
		       : passphrase_ask("New passphrase", true, &passphrase, cms->diag);

	if (err)
		return err;
	/* The vault's key stays, and with it all that is sealed; an old backup still opens with
	 * the old passphrase. */
	err = vault_relock(&cms->vault, passphrase_slice(&passphrase), lock);
	passphrase_wipe(&passphrase);
	if (err == -EINVAL)
		diag_error(cms->diag, NULL, "a passphrase has at least %d characters",
			   VAULT_PASSPHRASE_MIN);
	if (!err)
		err = settings_set_lock(cms->db, lock, cms->diag);
	return err ? err : cms_log(cms, "passphrase", "changed");
}
