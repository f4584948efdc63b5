/* settings.c - reads crs.conf and crs-local.conf.
 *
 * Both files are read to their ends whatever is wrong in them, so that an administrator sees all
 * faults at once. The common file first and the local one second: of a line that either may
 * have, the local one counts.
 *
 * Texts of words point into the lines of the files: what is kept of them is copied before those
 * are freed.
 */
#include "rendezvous/settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config_lines.h"
#include "base/net.h"
#include "rendezvous/client_policy.h"
#include "rendezvous/heartbeat.h"
#include "rendezvous/mailboxes.h"
#include "rendezvous/paths.h"
#include "rendezvous/request_limits.h"
#include "rendezvous/settings_priv.h"

enum { HOSTS_MAX = 64 };

static const struct config_line_rule common_rules[] = {
	{ "key", 1, 1, "SHARED-SECRET", true },
	{ "ip", 2, 2, "CRSNAME ADDRESS", false },
	{ "host", 1, 1, "CRSNAME", false },
	{ "app", 1, 8, "MODULE", false },
	{ "iw-listen-port", 1, 1, "PORT", true },
	{ "cps", 4, 4, "HOST PORT ID SECRET", true },
	{ "features", 0, 8, "[push]", true },
	{ "push-config", 3, 3, "apns type|key|key-id|team-id|topic|url|ca VALUE", false },
	{ "keep-alive", 3, 4, "IP/MASK|URI@ACCOUNT tcp|ws INTERVAL [GRACE]", false },
	{ "addr-map", 2, 2, "PUBLIC PRIVATE", false },
	{ "detach-cleanup", 2, 2, "IP/MASK|URI@ACCOUNT DELAY", false },
	{ "listen-address", 1, 1, "ADDRESS", true },
	{ "listen-port", 1, 1, "PORT", true },
	{ "relay-socket", 1, 1, "PATH", true },
	{ "relay-address", 1, 1, "HOST[:PORT]", true },
	{ "workers", 1, 1, "NUMBER", true },
	{ "redis-max-memory", 1, 1, "MEBIBYTES", true },
	{ "metrics-listen", 1, 1, "ADDRESS:PORT", true },
	{ "mailbox-quota", 2, 2, "MEBIBYTES MESSAGES", true },
	{ "post-rate", 2, 2, "AT-ONCE PER-SECOND", true },
	{ "statistics-retention", 1, 1, "DAYS", true },
	{ "hang-limit", 1, 1, "SECONDS", true },
	{ NULL, 0, 0, NULL, false },
};

/* Our own lines are the same in both files. */
static const struct config_line_rule local_rules[] = {
	{ "crsname", 1, 1, "NAME", true },
	{ "db-backup", 1, 1, "none|replicate-from-peer|read-from", true },
	{ "listen-address", 1, 1, "ADDRESS", true },
	{ "listen-port", 1, 1, "PORT", true },
	{ "relay-socket", 1, 1, "PATH", true },
	{ "relay-address", 1, 1, "HOST[:PORT]", true },
	{ "workers", 1, 1, "NUMBER", true },
	{ "redis-max-memory", 1, 1, "MEBIBYTES", true },
	{ "metrics-listen", 1, 1, "ADDRESS:PORT", true },
	{ "mailbox-quota", 2, 2, "MEBIBYTES MESSAGES", true },
	{ "post-rate", 2, 2, "AT-ONCE PER-SECOND", true },
	{ "statistics-retention", 1, 1, "DAYS", true },
	{ "hang-limit", 1, 1, "SECONDS", true },
	{ NULL, 0, 0, NULL, false },
};

struct host {
	const struct config_word *name;
	char ip[CONFIG_IP_SIZE];
};

struct reader {
	struct settings *settings;
	struct diag *diag;
	struct host ips[HOSTS_MAX];
	const struct config_word *hosts[HOSTS_MAX];
	size_t n_ips, n_hosts;
	const struct config_word *crsname;
	bool features_seen, key_seen, backup_seen;
};

static bool is(const struct config_word *word, const char *text)
{
	return strcmp(word->text, text) == 0;
}

static void copy(struct reader *r, const struct config_word *word, char *out, size_t cap)
{
	struct buf b = buf_over(out, cap);

	buf_put_str(&b, word->text);
	if (!buf_ok(&b))
		diag_error(r->diag, &word->place, "longer than %zu characters", cap - 1);
}

static void read_port(struct reader *r, const struct config_word *word, uint16_t *out)
{
	unsigned long port = 0;

	if (config_uint(word, 1, 65535, &port, r->diag) == 0)
		*out = (uint16_t)port;
}

static void read_ip(struct reader *r, const struct config_line *line)
{
	struct host *host = &r->ips[r->n_ips];

	if (r->n_ips == HOSTS_MAX) {
		diag_error(r->diag, &line->word[0].place, "more than %d hosts", HOSTS_MAX);
		return;
	}
	if (config_name(&line->word[1], "crs name", r->diag) ||
	    config_ip(&line->word[2], host->ip, r->diag))
		return;
	/* Two addresses of one name would leave it to the order of lines which one counts. */
	for (size_t i = 0; i < r->n_ips; i++) {
		if (is(r->ips[i].name, line->word[1].text))
			diag_error(r->diag, &line->word[1].place,
				   "\"%s\" has an ip already in line %u", line->word[1].text,
				   r->ips[i].name->place.line);
	}
	host->name = &line->word[1];
	r->n_ips++;
}

static void read_host(struct reader *r, const struct config_line *line)
{
	if (r->n_hosts == HOSTS_MAX) {
		diag_error(r->diag, &line->word[0].place, "more than %d hosts", HOSTS_MAX);
		return;
	}
	if (config_name(&line->word[1], "crs name", r->diag) == 0)
		r->hosts[r->n_hosts++] = &line->word[1];
}

static void read_relay_address(struct reader *r, const struct config_word *word)
{
	char *out = r->settings->relay_host;

	/* More than one colon and no bracket: an IPv6 address without a port. */
	if (word->text[0] == '[' || strchr(word->text, ':') == strrchr(word->text, ':')) {
		if (strchr(word->text, ':')) {
			config_host_port(word, out, SETTINGS_HOST, &r->settings->relay_port,
					 r->diag);
			return;
		}
	}
	copy(r, word, out, SETTINGS_HOST);
}

static void read_features(struct reader *r, const struct config_line *line)
{
	r->features_seen = true;
	for (size_t i = 1; i < line->words; i++) {
		if (is(&line->word[i], "push"))
			r->settings->push = true;
		else
			diag_error(r->diag, &line->word[i].place,
				   "unknown feature \"%s\": expected push", line->word[i].text);
	}
}

/* What the manual has and this version does not act on is accepted, so that its files can be used,
 * but never silently. */
static void warn_no_effect(struct reader *r, const struct config_word *word, const char *why)
{
	diag_warning(r->diag, &word->place, "\"%s\" has no effect in this version: %s", word->text,
		     why);
}

static void check_manuals_lines(struct reader *r, const struct config_line *line)
{
	const struct config_word *word = line->word;
	char ip[CONFIG_IP_SIZE];
	unsigned long number;

	/* Known to be there, not used: it is for servers that peer. */
	if (is(word, "key")) {
		r->key_seen = true;
		/* A secret that everybody has would let anybody's server join, once there are
		 * pools. */
		if (is(&word[1], "REPLACE-ME"))
			diag_warning(r->diag, &word[1].place,
				     "the key is still the sample's: put in what \"crs-cli create "
				     "sharedSecret\" prints");
	} else if (is(word, "iw-listen-port")) {
		config_uint(&word[1], 1, 65535, &number, r->diag);
		warn_no_effect(r, word, "it peers with no other rendezvous");
	} else if (is(word, "cps")) {
		config_uint(&word[2], 1, 65535, &number, r->diag);
		warn_no_effect(r, word, "pushes go to Apple's service directly, see push-config");
	} else if (is(word, "push-config"))
		settings_read_push(&r->settings->apns, line, r->diag);
	else if (is(word, "keep-alive") || is(word, "detach-cleanup"))
		client_policy_read(r->settings->policy, line, r->diag);
	else if (is(word, "addr-map")) {
		config_ip(&word[1], ip, r->diag);
		config_ip(&word[2], ip, r->diag);
		warn_no_effect(r, word, "there is no other server to reach");
	}
}

/* An address of this host: names may lead anywhere. */
static void read_metrics(struct reader *r, const struct config_word *word)
{
	struct settings *settings = r->settings;
	struct net_addr addr;

	if (config_host_port(word, settings->metrics_address, SETTINGS_HOST,
			     &settings->metrics_port, r->diag))
		return;
	if (net_parse(settings->metrics_address, settings->metrics_port, &addr)) {
		diag_error(r->diag, &word->place, "\"%s\" is no IP address",
			   settings->metrics_address);
		/* Off, should anybody go on in spite of the error. */
		settings->metrics_port = 0;
	} else if (!net_is_loopback(&addr)) {
		diag_warning(r->diag, &word->place,
			     "whoever reaches %s can read how much this server does", word->text);
	}
}

static void read_hang_limit(struct reader *r, const struct config_word *word)
{
	unsigned long limit_s = 0;

	if (config_uint(word, 0, 3600, &limit_s, r->diag))
		return;
	if (limit_s && limit_s < SETTINGS_HANG_LIMIT_MIN_S)
		diag_error(r->diag, &word->place, "%lu s: expected 0 (no limit), or %d and more",
			   limit_s, SETTINGS_HANG_LIMIT_MIN_S);
	r->settings->hang_limit_s = limit_s;
}

static void read_ours(struct reader *r, const struct config_line *line)
{
	struct settings *settings = r->settings;
	const struct config_word *word = line->word;
	unsigned long number;

	if (is(word, "listen-address"))
		config_ip(&word[1], settings->listen_address, r->diag);
	else if (is(word, "listen-port"))
		read_port(r, &word[1], &settings->listen_port);
	else if (is(word, "relay-socket"))
		copy(r, &word[1], settings->relay_socket, sizeof(settings->relay_socket));
	else if (is(word, "relay-address"))
		read_relay_address(r, &word[1]);
	else if (is(word, "workers")) {
		if (config_uint(&word[1], 1, SETTINGS_WORKERS_MAX, &number, r->diag) == 0)
			settings->workers = (unsigned)number;
	} else if (is(word, "redis-max-memory")) {
		config_uint(&word[1], 16, 1 << 20, &settings->redis_max_mib, r->diag);
	} else if (is(word, "metrics-listen")) {
		read_metrics(r, &word[1]);
	} else if (is(word, "mailbox-quota")) {
		config_uint(&word[1], 1, 1 << 20, &settings->quota_mib, r->diag);
		config_uint(&word[2], 1, 10000000, &settings->quota_messages, r->diag);
	} else if (is(word, "post-rate")) {
		config_uint(&word[1], 1, 1000000, &settings->posts_at_once, r->diag);
		/* At most 1,000 a second, as limits are counted in whole milliseconds
		 * (request_limits.c). */
		config_uint(&word[2], 1, 1000, &settings->posts_per_second, r->diag);
	} else if (is(word, "statistics-retention")) {
		config_uint(&word[1], 1, 3650, &settings->statistics_days, r->diag);
	} else if (is(word, "hang-limit")) {
		read_hang_limit(r, &word[1]);
	}
}

/* Has the line a known keyword and as many words as belong to it?  The others were
 * told already and are left out, so that all faults of the files are told at once. */
static bool fits(const struct config_line *line, const struct config_line_rule *rules)
{
	for (; rules->keyword; rules++) {
		if (is(line->word, rules->keyword))
			return line->words > rules->min_words &&
			       line->words <= rules->max_words + 1;
	}
	return false;
}

static void read_common(struct reader *r, const struct config_lines *lines)
{
	const struct config_line *line;

	for (size_t i = 0; (line = config_lines_get(lines, i)); i++) {
		if (!fits(line, common_rules))
			continue;
		if (is(line->word, "ip"))
			read_ip(r, line);
		else if (is(line->word, "host"))
			read_host(r, line);
		else if (is(line->word, "features"))
			read_features(r, line);
		else
			check_manuals_lines(r, line);
		/* Keywords of the manual and ours differ: only one of the two calls finds its
		 * own. */
		read_ours(r, line);
	}
}

static void read_backup(struct reader *r, const struct config_word *word)
{
	static const char *const names[] = {
		[BACKUP_NONE] = "none",
		[BACKUP_REPLICATE_FROM_PEER] = "replicate-from-peer",
		[BACKUP_READ_FROM] = "read-from",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is(word, names[i])) {
			r->settings->backup = (enum settings_backup)i;
			if (i != BACKUP_NONE)
				warn_no_effect(r, word, "nothing is copied from another server");
			return;
		}
	}
	diag_error(r->diag, &word->place, "\"%s\": expected none, replicate-from-peer or read-from",
		   word->text);
}

static void read_local(struct reader *r, const struct config_lines *lines)
{
	const struct config_line *line;

	for (size_t i = 0; (line = config_lines_get(lines, i)); i++) {
		if (!fits(line, local_rules))
			continue;
		if (is(line->word, "crsname")) {
			r->crsname = &line->word[1];
			copy(r, r->crsname, r->settings->name, sizeof(r->settings->name));
		} else if (is(line->word, "db-backup")) {
			r->backup_seen = true;
			read_backup(r, &line->word[1]);
		}
		read_ours(r, line);
	}
}

static const char *ip_of(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->n_ips; i++) {
		if (is(r->ips[i].name, name))
			return r->ips[i].ip;
	}
	return NULL;
}

static bool has_host(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		if (is(r->hosts[i], name))
			return true;
	}
	return false;
}

/* crsname, ip and host lines name the same servers (CRS manual 4.1.2.1, 4.1.2.2). */
static void check_names(struct reader *r, const struct crs_paths *paths)
{
	const char *ip;
	struct buf host;

	for (size_t i = 0; i < r->n_hosts; i++) {
		if (!ip_of(r, r->hosts[i]->text))
			diag_error(r->diag, &r->hosts[i]->place,
				   "host \"%s\" has no \"ip %s ADDRESS\" line", r->hosts[i]->text,
				   r->hosts[i]->text);
	}
	for (size_t i = 0; i < r->n_ips; i++) {
		if (!has_host(r, r->ips[i].name->text))
			diag_error(r->diag, &r->ips[i].name->place,
				   "\"%s\" is not declared by a \"host %s\" line",
				   r->ips[i].name->text, r->ips[i].name->text);
	}
	if (!r->crsname) {
		diag_error(r->diag, &(struct diag_place){ .file = paths->local },
			   "the line \"crsname NAME\" is missing");
		return;
	}
	ip = ip_of(r, r->settings->name);
	if (!ip || !has_host(r, r->settings->name)) {
		diag_error(r->diag, &r->crsname->place,
			   "crsname \"%s\" must match a \"host\" and an \"ip\" line of %s",
			   r->settings->name, paths->config);
		return;
	}
	for (size_t i = 0; i < r->n_hosts; i++) {
		if (!is(r->hosts[i], r->settings->name))
			warn_no_effect(r, r->hosts[i], "each server works for itself");
	}
	host = BUF_OF(r->settings->ip);
	buf_put_str(&host, ip);
	/* The relay is on this host unless a line says otherwise. */
	if (!r->settings->relay_host[0]) {
		host = BUF_OF(r->settings->relay_host);
		buf_put_str(&host, ip);
	}
}

static void warn_of_missing(struct reader *r, const struct crs_paths *paths)
{
	struct diag_place place = { .file = paths->config };

	if (!r->features_seen)
		diag_warning(r->diag, &place, "no \"features\" line: push notifications are off");
	settings_check_push(r->settings, &place, r->diag);
	if (!r->backup_seen)
		diag_warning(r->diag, &(struct diag_place){ .file = paths->local },
			     "no \"db-backup\" line: as \"db-backup none\"");
	if (!r->key_seen && r->n_hosts > 1)
		diag_error(r->diag, &place, "several hosts need a \"key SHARED-SECRET\" line");
}

static void set_defaults(struct settings *settings, const struct crs_paths *paths)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct buf address = BUF_OF(settings->listen_address);
	struct buf relay = BUF_OF(settings->relay_socket);

	/* The bufs above only point into it: nothing is written yet. */
	memset(settings, 0, sizeof(*settings));
	settings->listen_port = SETTINGS_PORT_DEFAULT;
	settings->redis_max_mib = SETTINGS_REDIS_MIB_DEFAULT;
	settings->hang_limit_s = (unsigned long)HEARTBEAT_LIMIT * HEARTBEAT_LOOK_MS / 1000;
	settings->quota_mib = MAIL_MAX_STORED_MIB;
	settings->quota_messages = MAIL_MAX_STORED;
	settings->posts_at_once = request_rate(REQUEST_POST).burst;
	settings->posts_per_second = 1000 / request_rate(REQUEST_POST).each_ms;
	/* Each worker is one event loop on one thread, so one a core. */
	settings->workers = cores < 1                      ? 1
			    : cores > SETTINGS_WORKERS_MAX ? SETTINGS_WORKERS_MAX
							   : (unsigned)cores;
	buf_put_str(&address, "0.0.0.0");
	buf_put_str(&relay, paths->relay);
}

/* Reads one file; NULL when there is nothing to go on with. */
static struct config_lines *read_file(const char *path, const struct config_line_rule *rules,
				      struct diag *diag)
{
	struct config_lines *lines = NULL;

	config_lines_read(path, diag, &lines);
	if (lines)
		config_lines_check(lines, rules, diag);
	return lines;
}

int settings_read(const struct crs_paths *paths, struct settings *settings_out, struct diag *diag)
{
	struct reader r = { .settings = settings_out, .diag = diag };
	size_t before = diag_reported(diag);
	struct config_lines *common, *local;

	set_defaults(settings_out, paths);
	settings_out->policy = client_policy_new(paths->config);
	if (!settings_out->policy)
		return -ENOMEM;
	common = read_file(paths->config, common_rules, diag);
	local = read_file(paths->local, local_rules, diag);
	if (common)
		read_common(&r, common);
	if (local)
		read_local(&r, local);
	/* Only with both: else each name would be told as missing in the file that cannot be
	 * read. */
	if (common && local)
		check_names(&r, paths);
	if (common)
		warn_of_missing(&r, paths);
	config_lines_free(&common);
	config_lines_free(&local);
	return diag_reported(diag) > before ? -EINVAL : 0;
}

void settings_clear(struct settings *settings)
{
	client_policy_free(&settings->policy);
}
