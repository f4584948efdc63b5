/* cig_build.c - cig.conf's accounts, maps, settings and interfaces.  All is read to the
 * end, so that all faults are told at once.
 */
#include "gateway/cig_config_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/suggest.h"
#include "gateway/names.h"
#include "keys/domain.h"
#include "maps/map.h"

/* Warns, once a file, of passwords that everyone can read; those in files of their own are
 * looked at in cig_secret.c. */
static void check_mode(struct cig_build *b, const char *file)
{
	struct diag_place place = { file, 0, 0 };
	struct stat st;

	if (!b->from_files || !file || file == b->open_file)
		return;
	if (stat(file, &st) < 0 || !(st.st_mode & S_IROTH))
		return;
	b->open_file = file;
	diag_warning(b->diag, &place, "holds passwords and can be read by everyone: chmod o-r");
}

void cig_build_password(struct cig_build *b, const struct config_statement *s,
			const struct config_statement *c, const char **password)
{
	if (*password)
		diag_error(b->diag, &c->place, "%s has a password already", s->keyword->keyword);
	else if (cig_is(c, "password_file"))
		*password = cig_read_secret(b, &c->word[0]);
	else {
		check_mode(b, c->place.file);
		*password = cig_keep_text(b, c->word[0].text);
	}
	/* Told already why there is none: not as missing once more. */
	if (!*password)
		*password = "";
}

static void add_account(struct cig_build *b, const struct config_statement *s)
{
	struct cig_config *pub = &b->object->pub;
	struct diag_place place = cig_keep_place(b, &s->place);
	struct cig_account account = { .name = cig_keep_text(b, s->word[0].text) };
	struct cig_account *list;
	int err;

	/* A name that cannot be one is told by config_name(); its account is left out, and so
	 * told as unknown where it is used. */
	if (b->err || config_name(&s->word[0], "an account's name", b->diag) < 0)
		return;
	for (const struct config_statement *c = s->first; c; c = c->next)
		if (cig_is(c, "user"))
			account.user = cig_keep_text(b, c->word[0].text);
		else
			/* The manual has the password in the file itself; password_file is
			 * ours. */
			cig_build_password(b, s, c, &account.password);
	if (!account.user && cig_lacks(s, "user"))
		diag_error(b->diag, &s->place, "auth %s: \"user\" is missing", account.name);
	if (!account.password && cig_lacks(s, "password") && cig_lacks(s, "password_file"))
		diag_error(b->diag, &s->place, "auth %s: \"password\" is missing", account.name);
	err = cig_names_add(&b->accounts, "auth", account.name, &place, b->diag);
	if (err == -ENOMEM)
		b->err = err;
	if (err)
		return;
	list = cig_grow(b, pub->accounts, &pub->account_count, sizeof(*list));
	if (!list)
		return;
	list[pub->account_count - 1] = account;
	pub->accounts = list;
}

void cig_build_accounts(struct cig_build *b, const struct config_statement *s)
{
	for (; s && !b->err; s = s->next)
		if (cig_is(s, "auth"))
			add_account(b, s);
}

static void tell_pairs(const struct config_statement *s, const struct config_word *found,
		       const char *near, struct diag *diag)
{
	diag_error(diag, &found->place, "found \"%s\", expected %s %s%s%s%s", found->text,
		   s->keyword->keyword, s->keyword->usage, near ? " (did you mean \"" : "",
		   near ? near : "", near ? "\"?)" : "");
}

/* The words behind "sip", "tel", "auth" of an entry or "match", "translation" of a rule, in
 * any order; the first two must stand.  Returns 0 or -EINVAL. */
static int take_pairs(const struct config_statement *s, size_t from, const char *const *known,
		      size_t n, const struct config_word **value_out, struct diag *diag)
{
	for (size_t i = 0; i < n; i++)
		value_out[i] = NULL;
	for (size_t w = from; w < s->words; w += 2) {
		const struct config_word *word = &s->word[w];
		size_t k = 0;

		while (k < n && (word->quoted || strcmp(known[k], word->text) != 0))
			k++;
		if (k == n || value_out[k] || w + 1 == s->words) {
			tell_pairs(s, word, k == n ? suggest_near(word->text, known, n) : NULL,
				   diag);
			return -EINVAL;
		}
		value_out[k] = &s->word[w + 1];
	}
	for (size_t i = 0; i < 2; i++)
		if (!value_out[i]) {
			diag_error(diag, &s->place, "\"%s\" is missing, expected %s %s", known[i],
				   s->keyword->keyword, s->keyword->usage);
			return -EINVAL;
		}
	return 0;
}

static int add_entry(struct cig_build *b, struct map *map, const struct config_statement *s)
{
	static const char *const known[] = { "sip", "tel", "auth" };
	const struct config_word *value[3];
	struct map_entry_spec spec;

	if (config_name(&s->word[0], "an entry's name", b->diag) < 0 ||
	    take_pairs(s, 1, known, 3, value, b->diag) < 0)
		return 0;
	spec = (struct map_entry_spec){ .name = s->word[0].text,
					.sip = value[0]->text,
					.tel = value[1]->text,
					.auth = value[2] ? value[2]->text : NULL,
					.place = cig_keep_place(b, &s->place) };
	/* A slip in the account's name does not take the entry away: the file is refused in any
	 * case, and what else is wrong should be told, too. */
	if (value[2])
		cig_names_use(&b->accounts, "auth", value[2], b->diag);
	return map_add(map, &spec, b->diag) == -ENOMEM ? -ENOMEM : 0;
}

static void add_map(struct cig_build *b, const struct config_statement *s)
{
	struct diag_place place = cig_keep_place(b, &s->place);
	const char *name = cig_keep_text(b, s->word[0].text);
	struct map *map = name ? map_new(name, &place) : NULL;
	int err = map ? 0 : -ENOMEM;

	/* Only lack of memory ends the loop: a faulty entry is told and left out. */
	for (const struct config_statement *e = s->first; e && !err; e = e->next)
		err = add_entry(b, map, e);
	if (!err)
		err = map_finish(map, b->diag);
	if (!err)
		err = config_name(&s->word[0], "a map's name", b->diag);
	if (!err)
		err = cig_names_add(&b->maps, "map", name, &place, b->diag);
	if (!err)
		/* The router owns the map from here on. */
		err = router_add_map(b->object->router, map);
	if (err)
		map_free(&map);
	if (err == -ENOMEM)
		b->err = -ENOMEM;
}

static int add_rule(struct cig_build *b, struct translate_map *map,
		    const struct config_statement *s)
{
	static const char *const known[] = { "match", "translation" };
	const struct config_word *value[2];
	struct diag_place place = cig_keep_place(b, &s->place);

	if (take_pairs(s, 0, known, 2, value, b->diag) < 0)
		return 0;
	return translate_map_add(map, value[0]->text, value[1]->text, &place, b->diag) == -ENOMEM
		       ? -ENOMEM
		       : 0;
}

static int keep_translate_map(struct cig_config_object *object, struct translate_map *map)
{
	size_t n = object->translate_map_count;
	struct translate_map **list =
		realloc(object->translate_maps, (n + 1) * sizeof(struct translate_map *));

	if (!list)
		return -ENOMEM;
	list[n] = map;
	object->translate_maps = list;
	object->translate_map_count++;
	return 0;
}

/* The maps' numbers are those of their names: cig_names_use() yields an index into both lists. */
static void add_translate_map(struct cig_build *b, const struct config_statement *s)
{
	struct diag_place place = cig_keep_place(b, &s->place);
	const char *name = cig_keep_text(b, s->word[0].text);
	struct translate_map *map = name ? translate_map_new(name) : NULL;
	int err = map ? 0 : -ENOMEM;

	for (const struct config_statement *r = s->first; r && !err; r = r->next)
		err = add_rule(b, map, r);
	if (!err)
		err = translate_map_finish(map, b->diag);
	if (!err)
		err = config_name(&s->word[0], "a translate_map's name", b->diag);
	if (!err)
		err = cig_names_add(&b->translate_maps, "translate_map", name, &place, b->diag);
	if (!err)
		err = keep_translate_map(b->object, map);
	if (err)
		translate_map_free(&map);
	if (err == -ENOMEM)
		b->err = -ENOMEM;
}

void cig_build_maps(struct cig_build *b, const struct config_statement *s)
{
	for (; s && !b->err; s = s->next) {
		if (cig_is(s, "map"))
			add_map(b, s);
		else if (cig_is(s, "translate_map"))
			add_translate_map(b, s);
	}
}

/* Unchanged where the word is no port: the default serves while the rest of the file is looked
 * at. */
static void read_port(const struct config_word *word, uint16_t *port, struct diag *diag)
{
	unsigned long value = *port;

	config_uint(word, 1, 65535, &value, diag);
	*port = (uint16_t)value;
}

static void read_path(struct cig_build *b, const struct config_word *word, const char **path)
{
	if (word->text[0] != '/')
		diag_error(b->diag, &word->place, "found \"%s\", expected an absolute path",
			   word->text);
	*path = cig_keep_text(b, word->text);
}

/* control or metrics */
static void read_listener(struct cig_build *b, const struct config_statement *s,
			  char bind[CONFIG_IP_SIZE], uint16_t *port)
{
	for (s = s->first; s; s = s->next) {
		if (cig_is(s, "port"))
			read_port(&s->word[0], port, b->diag);
		else
			config_ip(&s->word[0], bind, b->diag);
	}
}

static void read_metrics(struct cig_build *b, const struct config_statement *s)
{
	struct cig_config *pub = &b->object->pub;

	read_listener(b, s, pub->metrics_bind, &pub->metrics_port);
	if (pub->metrics_port == 0 && cig_lacks(s, "port"))
		diag_error(b->diag, &s->place, "metrics: \"port\" is missing");
}

void cig_build_settings(struct cig_build *b, const struct config_statement *s)
{
	struct cig_config *pub = &b->object->pub;

	for (; s && !b->err; s = s->next) {
		if (cig_is(s, "userdata"))
			read_path(b, &s->word[0], &pub->userdata);
		else if (cig_is(s, "log_dir"))
			read_path(b, &s->word[0], &pub->log_dir);
		else if (cig_is(s, "run_dir"))
			read_path(b, &s->word[0], &pub->run_dir);
		else if (cig_is(s, "mail_group"))
			pub->mail_group = cig_keep_text(b, s->word[0].text);
		else if (cig_is(s, "control"))
			read_listener(b, s, pub->control_bind, &pub->control_port);
		else if (cig_is(s, "metrics"))
			read_metrics(b, s);
	}
}

/* A map named by an interface must be there, and once only. */
static void use_map(struct cig_build *b, enum route_interface interface, enum route_use use,
		    const struct config_word *word)
{
	int err;

	if (cig_names_use(&b->maps, "map", word, b->diag) < 0)
		return;
	err = router_use_map(b->object->router, interface, use, word->text);
	if (err == -EEXIST)
		diag_warning(b->diag, &word->place, "map %s is named twice", word->text);
	else if (err == -ENOMEM)
		b->err = err;
}

static void read_range(struct cig_build *b, const struct config_statement *s,
		       struct cig_port_range *range)
{
	struct diag *diag = b->diag;
	unsigned long low, high;

	if (config_uint(&s->word[0], 1, 65535, &low, diag) < 0 ||
	    config_uint(&s->word[1], 1, 65535, &high, diag) < 0)
		return;
	/* CIG manual 2.9, "Configuration": low number, then high one.  One port is no range: a
	 * call takes a pair. */
	if (low >= high) {
		diag_error(diag, &s->word[0].place, "found %lu %lu, expected the lower port first",
			   low, high);
		return;
	}
	range->low = (uint16_t)low;
	range->high = (uint16_t)high;
	range->place = cig_keep_place(b, &s->place);
}

static void add_override(struct cig_build *b, struct cig_interface *common,
			 const struct config_statement *s)
{
	struct cig_addr_override *list, add;

	if (config_ip(&s->word[0], add.from, b->diag) < 0 ||
	    config_ip(&s->word[1], add.to, b->diag) < 0)
		return;
	/* cig_config_override() gives back the very address where it knows none. */
	if (cig_config_override(common, add.from) != add.from) {
		diag_error(b->diag, &s->word[0].place, "%s has an override already", add.from);
		return;
	}
	list = cig_grow(b, common->overrides, &common->override_count, sizeof(*list));
	if (!list)
		return;
	list[common->override_count - 1] = add;
	common->overrides = list;
}

/* What both interfaces have; false for another statement. */
static bool read_common(struct cig_build *b, enum route_interface interface,
			struct cig_interface *common, const struct config_statement *s)
{
	if (cig_is(s, "extension map"))
		use_map(b, interface, ROUTE_EXTENSION, &s->word[0]);
	else if (cig_is(s, "source map"))
		use_map(b, interface, ROUTE_SOURCE, &s->word[0]);
	else if (cig_is(s, "bind"))
		config_ip(&s->word[0], common->bind, b->diag);
	else if (cig_is(s, "bind_media"))
		config_ip(&s->word[0], common->bind_media, b->diag);
	else if (cig_is(s, "rtp_port_range"))
		read_range(b, s, &common->rtp);
	else if (cig_is(s, "rtp_remote_addr_override"))
		add_override(b, common, s);
	else
		return false;
	return true;
}

/* An id as people copy it, in groups and in either case, to the spelling of domain_id_text().
 * False: it is none. */
static bool read_domain_id(const char *text, char id_out[DOMAIN_ID_TEXT])
{
	char digits[DOMAIN_ID_TEXT];
	uint8_t id[DOMAIN_ID];
	size_t n = 0, octets;

	for (; *text && n < DOMAIN_ID_TEXT; text++)
		if (*text != ' ')
			digits[n++] = *text;
	if (n != DOMAIN_ID_TEXT - 1 || hex_decode(slice_of(digits, n), id, sizeof(id), &octets))
		return false;
	hex_encode(slice_of(id, sizeof(id)), id_out);
	return true;
}

static void add_trusted_domain(struct cig_build *b, const struct config_word *word)
{
	struct cig_tel *tel = &b->object->pub.tel;
	char id[DOMAIN_ID_TEXT];
	const char **list;

	if (!read_domain_id(word->text, id)) {
		diag_error(b->diag, &word->place,
			   "found \"%s\", expected the %d hexadecimal digits of a domain's id",
			   word->text, DOMAIN_ID_TEXT - 1);
		return;
	}
	list = cig_grow(b, tel->trust_domains, &tel->trust_domain_count, sizeof(const char *));
	if (!list)
		return;
	list[tel->trust_domain_count - 1] = cig_keep_text(b, id);
	tel->trust_domains = list;
}

static void read_crs_address(struct cig_build *b, const struct config_word *word)
{
	struct cig_tel *tel = &b->object->pub.tel;
	char host[256];

	if (config_host_port(word, host, sizeof(host), &tel->crs_port, b->diag) == 0)
		tel->crs_host = cig_keep_text(b, host);
}

static void read_tel(struct cig_build *b, const struct config_statement *s)
{
	for (s = s->first; s && !b->err; s = s->next) {
		if (read_common(b, ROUTE_TEL, &b->object->pub.tel.common, s))
			continue;
		if (cig_is(s, "crs_address"))
			read_crs_address(b, &s->word[0]);
		else
			add_trusted_domain(b, &s->word[0]);
	}
}

static void add_nameserver(struct cig_build *b, const struct config_word *word)
{
	struct cig_sip *sip = &b->object->pub.sip;
	struct net_addr server, *list;

	if (net_parse(word->text, 53, &server) || net_port(&server) == 0) {
		diag_error(b->diag, &word->place,
			   "found \"%s\", expected an IP address, or IP:PORT", word->text);
		return;
	}
	if (sip->nameserver_count == NAMES_SERVERS_MAX) {
		diag_error(b->diag, &word->place, "more than %d name servers", NAMES_SERVERS_MAX);
		return;
	}
	list = cig_grow(b, sip->nameservers, &sip->nameserver_count, sizeof(*list));
	if (!list)
		return;
	list[sip->nameserver_count - 1] = server;
	sip->nameservers = list;
}

static void add_trusted(struct cig_build *b, const struct config_word *word)
{
	struct cig_sip *sip = &b->object->pub.sip;
	struct config_net net, *list;

	if (config_net(word, &net, b->diag) < 0)
		return;
	list = cig_grow(b, sip->trusted, &sip->trusted_count, sizeof(*list));
	if (!list)
		return;
	list[sip->trusted_count - 1] = net;
	sip->trusted = list;
}

/* The statements of sip that are one number. */
static void read_sip_number(struct cig_build *b, struct cig_sip *sip,
			    const struct config_statement *s)
{
	/* In one place: a number of sip is a line here, a line of the grammar, and a line of what
	 * is printed. */
	const struct {
		const char *keyword;
		unsigned long least, most;
		unsigned *to;
	} numbers[] = {
		{ "session_expires_s", 0, 86400, &sip->session_expires_s },
		/* RFC 4028 5: never below 90 */
		{ "min_session_expires_s", 90, 86400, &sip->min_session_expires_s },
		{ "media_timeout_s", 1, 3600, &sip->media_timeout_s },
		{ "max_call_s", 0, 604800, &sip->max_call_s }, /* a week */
		{ "udp_max_bytes", 0, 65535, &sip->udp_max_bytes },
		{ "max_calls", 0, 1000000, &sip->max_calls },
	};
	unsigned long number;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (cig_is(s, numbers[i].keyword) &&
		    config_uint(&s->word[0], numbers[i].least, numbers[i].most, &number, b->diag) ==
			    0)
			*numbers[i].to = (unsigned)number;
}

static void read_sip(struct cig_build *b, const struct config_statement *s)
{
	struct cig_sip *sip = &b->object->pub.sip;

	for (s = s->first; s && !b->err; s = s->next) {
		if (read_common(b, ROUTE_SIP, &sip->common, s))
			continue;
		if (cig_is(s, "port"))
			read_port(&s->word[0], &sip->port, b->diag);
		else if (cig_is(s, "messaging"))
			config_bool(&s->word[0], &sip->messaging, b->diag);
		else if (cig_is(s, "sip_trace"))
			config_bool(&s->word[0], &sip->sip_trace, b->diag);
		else if (cig_is(s, "trusted"))
			add_trusted(b, &s->word[0]);
		else if (cig_is(s, "nameserver"))
			add_nameserver(b, &s->word[0]);
		else if (cig_is(s, "tls"))
			cig_build_tls(b, s);
		else if (cig_is(s, "hep"))
			cig_build_hep(b, s);
		else
			read_sip_number(b, sip, s);
	}
}

/* cig-sip, which would refuse them all, cannot be asked here, nor tell a reload. */
static void check_networks(struct cig_build *b, const struct config_statement *s)
{
	const struct cig_config *pub = &b->object->pub;
	size_t n = pub->sip.trusted_count;

	for (size_t i = 0; i < pub->pbx_count; i++)
		n += pub->pbxs[i].network_count;
	if (n > CIG_MAX_NETWORKS)
		diag_error(b->diag, &s->place,
			   "%zu networks in \"trusted\" and \"pbx\" blocks: at most %d are looked "
			   "through for each message",
			   n, CIG_MAX_NETWORKS);
}

void cig_build_interfaces(struct cig_build *b, const struct config_statement *s)
{
	struct cig_interface *commons[] = { &b->object->pub.tel.common,
					    &b->object->pub.sip.common };

	for (; s; s = s->next) {
		if (!cig_is(s, "interfaces"))
			continue;
		for (const struct config_statement *i = s->first; i && !b->err; i = i->next) {
			if (cig_is(i, "tel"))
				read_tel(b, i);
			else
				read_sip(b, i);
		}
		check_networks(b, s);
	}
	/* The manual has one bind for both; bind_media is ours. */
	for (size_t i = 0; i < 2; i++)
		if (!commons[i]->bind_media[0])
			memcpy(commons[i]->bind_media, commons[i]->bind, CONFIG_IP_SIZE);
}
