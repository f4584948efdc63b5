/* cig_build_pbx.c - cig.conf's pbx blocks and sip's tls block: what the manual lacks.
 *
 * A pbx block says how the PBX of certain hosts is to be treated.  Entries of maps are
 * tied to it by the host of their sip pattern, calls from it by its networks, so that a
 * file with only the manual's statements means what it meant.
 */
#include <string.h>

#include "base/suggest.h"
#include "gateway/cig_config_priv.h"
#include "maps/map.h"
#include "maps/route.h"

enum { DEFAULT_PROBE_S = 30, DEFAULT_REGISTER_S = 3600, DEFAULT_WEIGHT = 1 };

/* One of the words in known, whose number goes to *choice_out. */
static void read_choice(const struct config_word *word, const char *const *known, size_t n,
			int *choice_out, struct diag *diag)
{
	const char *near;

	for (size_t i = 0; i < n; i++)
		if (strcmp(word->text, known[i]) == 0) {
			*choice_out = (int)i;
			return;
		}
	near = suggest_near(word->text, known, n);
	diag_error(diag, &word->place, "found \"%.200s\", expected %s%s%s or %s%s%s%s", word->text,
		   n > 2 ? known[0] : "", n > 2 ? ", " : "", known[n - 2], known[n - 1],
		   near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

/* *out stays as it is where the word is no such number. */
static void read_number(const struct config_word *word, unsigned long min, unsigned long max,
			unsigned *out, struct diag *diag)
{
	unsigned long value;

	if (config_uint(word, min, max, &value, diag) == 0)
		*out = (unsigned)value;
}

/* A name or numeric address that can stand in a sip URI. */
static bool is_host(const char *text)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-:[]_";

	return text[0] && strlen(text) < 256 && text[strspn(text, known)] == '\0';
}

static void add_host(struct cig_build *b, struct cig_pbx *pbx, const struct config_word *word)
{
	const struct cig_pbx *other;
	const char **list;

	/* Bounded in the message: what stands in the file may be of any length. */
	if (!is_host(word->text)) {
		diag_error(b->diag, &word->place, "found \"%.200s\", expected a host", word->text);
		return;
	}
	other = cig_config_pbx_of_host(&b->object->pub, word->text);
	if (other) {
		diag_error(b->diag, &word->place, "host %s belongs to pbx %s already", word->text,
			   other->name);
		return;
	}
	list = cig_grow(b, pbx->hosts, &pbx->host_count, sizeof(*list));
	if (!list)
		return;
	list[pbx->host_count - 1] = cig_keep_text(b, word->text);
	pbx->hosts = list;
}

/* "host", "host:5080", "[2001:db8::1]:5080" or a bare IPv6 address; no port: 0. */
/* A second colon without brackets is an IPv6 address, not a port. */
static int read_server_host(struct cig_build *b, const struct config_word *word,
			    struct cig_pbx_server *server)
{
	const char *colon = strchr(word->text, ':');
	bool has_port = colon && (word->text[0] == '[' ? strstr(word->text, "]:") != NULL
						       : !strchr(colon + 1, ':'));
	char host[256];

	if (has_port) {
		if (config_host_port(word, host, sizeof(host), &server->port, b->diag))
			return -1;
	} else if (is_host(word->text)) {
		/* Kept without brackets: they belong to URIs, not to addresses. */
		size_t bracket = word->text[0] == '[';

		strncpy(host, word->text + bracket, sizeof(host) - 1);
		host[sizeof(host) - 1] = '\0';
		host[strcspn(host, "]")] = '\0';
	} else {
		diag_error(b->diag, &word->place, "found \"%.200s\", expected a host", word->text);
		return -1;
	}
	server->host = cig_keep_text(b, host);
	return 0;
}

static void add_server(struct cig_build *b, struct cig_pbx *pbx, const struct config_statement *s)
{
	struct cig_pbx_server server = { .weight = DEFAULT_WEIGHT }, *list;

	if (read_server_host(b, &s->word[0], &server))
		return;
	/* As of SRV records (RFC 2782): the lowest priority is tried first. */
	for (size_t w = 1; w < s->words; w += 2) {
		bool priority = strcmp(s->word[w].text, "priority") == 0;

		if ((!priority && strcmp(s->word[w].text, "weight") != 0) || w + 1 == s->words) {
			diag_error(b->diag, &s->word[w].place, "found \"%.200s\", expected %s %s",
				   s->word[w].text, s->keyword->keyword, s->keyword->usage);
			return;
		}
		read_number(&s->word[w + 1], 0, 65535, priority ? &server.priority : &server.weight,
			    b->diag);
	}
	list = cig_grow(b, pbx->servers, &pbx->server_count, sizeof(*list));
	if (!list)
		return;
	list[pbx->server_count - 1] = server;
	pbx->servers = list;
}

static void add_network(struct cig_build *b, struct cig_pbx *pbx, const struct config_word *word)
{
	struct config_net net, *list;

	if (config_net(word, &net, b->diag) < 0)
		return;
	list = cig_grow(b, pbx->networks, &pbx->network_count, sizeof(*list));
	if (!list)
		return;
	list[pbx->network_count - 1] = net;
	pbx->networks = list;
}

static const struct cig_account *find_account(struct cig_build *b, const struct config_word *word)
{
	int i = cig_names_use(&b->accounts, "auth", word, b->diag);

	return i < 0 ? NULL : &b->object->pub.accounts[i];
}

/* register "sip:USER@HOST" auth ACCOUNT [expires SECONDS]; */
static void read_register(struct cig_build *b, struct cig_pbx *pbx,
			  const struct config_statement *s)
{
	struct uri uri;
	struct sip_target target;

	if (strcmp(s->word[1].text, "auth") != 0 || s->words == 4 ||
	    (s->words == 5 && strcmp(s->word[3].text, "expires") != 0)) {
		diag_error(b->diag, &s->place, "expected %s %s", s->keyword->keyword,
			   s->keyword->usage);
		return;
	}
	if (uri_parse(slice_str(s->word[0].text), &uri, NULL) < 0 ||
	    uri_sip_target(&uri, &target) < 0 || uri.user.n == 0)
		diag_error(b->diag, &s->word[0].place,
			   "found \"%.200s\", expected \"sip:USER@HOST\"", s->word[0].text);
	/* Kept even where it is faulty: the file is refused, and nothing is told twice. */
	pbx->register_uri = cig_keep_text(b, s->word[0].text);
	pbx->register_account = find_account(b, &s->word[2]);
	if (s->words == 5)
		read_number(&s->word[4], 60, 86400, &pbx->register_s, b->diag);
}

/* The statements that choose one of a few words. */
static bool read_word(struct cig_build *b, struct cig_pbx *pbx, const struct config_statement *s)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	static const char *const dtmf[] = { "events", "info", "tones" };
	static const char *const diversions[] = { "refuse", "maps" };
	static const char *const srtp[] = { "off", "optional", "required" };
	int choice = 0;

	if (cig_is(s, "transport")) {
		read_choice(&s->word[0], transports, 3, &choice, b->diag);
		pbx->transport = (enum sip_transport)choice;
		pbx->has_transport = true;
	} else if (cig_is(s, "dtmf")) {
		read_choice(&s->word[0], dtmf, 3, &choice, b->diag);
		pbx->dtmf = (enum cig_dtmf)choice;
	} else if (cig_is(s, "srtp")) {
		read_choice(&s->word[0], srtp, 3, &choice, b->diag);
		pbx->srtp = (enum cig_srtp)choice;
	} else if (cig_is(s, "redirects")) {
		read_choice(&s->word[0], diversions, 2, &choice, b->diag);
		pbx->redirects = (enum cig_diversion)choice;
	} else {
		return false;
	}
	return true;
}

static void read_pbx(struct cig_build *b, struct cig_pbx *pbx, const struct config_statement *s)
{
	if (read_word(b, pbx, s))
		return;
	if (cig_is(s, "host"))
		add_host(b, pbx, &s->word[0]);
	else if (cig_is(s, "server"))
		add_server(b, pbx, s);
	else if (cig_is(s, "network"))
		add_network(b, pbx, &s->word[0]);
	else if (cig_is(s, "probe_s"))
		read_number(&s->word[0], 0, 3600, &pbx->probe_s, b->diag);
	else if (cig_is(s, "answer_timeout_s"))
		/* 32 s is Timer B (RFC 3261 17.1.1.2): no answer comes after it */
		read_number(&s->word[0], 1, 32, &pbx->answer_timeout_s, b->diag);
	else if (cig_is(s, "srtp_without_tls"))
		config_bool(&s->word[0], &pbx->srtp_without_tls, b->diag);
	else if (cig_is(s, "reliable"))
		config_bool(&s->word[0], &pbx->reliable, b->diag);
	else if (cig_is(s, "asserted_identity"))
		config_bool(&s->word[0], &pbx->asserted_identity, b->diag);
	else if (cig_is(s, "assert_identity"))
		config_bool(&s->word[0], &pbx->assert_identity, b->diag);
	else if (cig_is(s, "remote_party_id"))
		config_bool(&s->word[0], &pbx->remote_party_id, b->diag);
	else if (cig_is(s, "challenge"))
		pbx->challenge = find_account(b, &s->word[0]);
	else
		read_register(b, pbx, s);
}

static void add_pbx(struct cig_build *b, const struct config_statement *s)
{
	struct cig_config *pub = &b->object->pub;
	struct cig_pbx pbx = { .name = cig_keep_text(b, s->word[0].text),
			       .probe_s = DEFAULT_PROBE_S,
			       .register_s = DEFAULT_REGISTER_S,
			       .place = cig_keep_place(b, &s->place) };
	struct cig_pbx *list;

	if (b->err || config_name(&s->word[0], "a pbx's name", b->diag) < 0)
		return;
	for (const struct config_statement *c = s->first; c && !b->err; c = c->next)
		read_pbx(b, &pbx, c);
	if (pbx.host_count == 0 && cig_lacks(s, "host"))
		diag_error(b->diag, &s->place, "pbx %s: \"host\" is missing", pbx.name);
	if (pbx.challenge && pbx.network_count == 0 && cig_lacks(s, "network"))
		diag_error(b->diag, &s->place,
			   "pbx %s: \"network\" is missing: whom is \"challenge\" for?", pbx.name);
	/* where the transport is the block's own: an entry's is seen with each call */
	if (pbx.srtp && !pbx.srtp_without_tls && (pbx.has_transport || pbx.server_count) &&
	    pbx.transport != SIP_TLS)
		diag_error(b->diag, &s->place,
			   "pbx %s: \"srtp\" needs \"transport tls\": its keys stand in SDP "
			   "(or \"srtp_without_tls true\")",
			   pbx.name);
	if (cig_names_add(&b->pbxs, "pbx", pbx.name, &pbx.place, b->diag))
		return;
	list = cig_grow(b, pub->pbxs, &pub->pbx_count, sizeof(*list));
	if (!list)
		return;
	list[pub->pbx_count - 1] = pbx;
	pub->pbxs = list;
}

void cig_build_pbxs(struct cig_build *b, const struct config_statement *s)
{
	for (; s && !b->err; s = s->next)
		if (cig_is(s, "pbx"))
			add_pbx(b, s);
}

void cig_build_tls(struct cig_build *b, const struct config_statement *s)
{
	struct cig_tls *tls = &b->object->pub.sip.tls;
	unsigned long port;

	for (const struct config_statement *c = s->first; c; c = c->next) {
		const struct config_word *word = &c->word[0];

		if (cig_is(c, "port")) {
			if (config_uint(word, 1, 65535, &port, b->diag) == 0)
				tls->port = (uint16_t)port;
		} else if (cig_is(c, "verify_clients")) {
			config_bool(word, &tls->verify_clients, b->diag);
		} else {
			if (word->text[0] != '/')
				diag_error(b->diag, &word->place,
					   "found \"%.200s\", expected an absolute path",
					   word->text);
			*(cig_is(c, "certificate") ? &tls->certificate
			  : cig_is(c, "key")       ? &tls->key
						   : &tls->ca) = cig_keep_text(b, word->text);
		}
	}
	if (!tls->ca && cig_lacks(s, "ca"))
		diag_error(b->diag, &s->place, "tls: \"ca\" is missing: no peer could be verified");
	if (!tls->certificate && cig_lacks(s, "certificate"))
		diag_error(b->diag, &s->place, "tls: \"certificate\" is missing");
	/* As above: one PEM file with both. */
	if (!tls->key)
		tls->key = tls->certificate;
}

#define WRITE_TLS "write tls { certificate \"FILE\"; ca \"FILE\"; } there"

static void check_entries(const struct map *map, struct diag *diag)
{
	const struct map_entry *entry;
	struct sip_target target;

	for (size_t i = 0; (entry = map_entry_at(map, i)); i++) {
		struct diag_place place = map_entry_place(entry);

		if (map_entry_target(entry, &target) == 0 && target.transport == SIP_TLS)
			diag_error(diag, &place,
				   "entry %s: transport=tls, and sip has no tls block: " WRITE_TLS,
				   map_entry_name(entry));
	}
}

void cig_check_tls(const struct cig_build *b)
{
	const struct cig_config *pub = &b->object->pub;
	const struct map *map;

	if (pub->sip.tls.ca)
		return;
	for (size_t i = 0; i < pub->pbx_count; i++)
		if (pub->pbxs[i].has_transport && pub->pbxs[i].transport == SIP_TLS)
			diag_error(b->diag, &pub->pbxs[i].place,
				   "pbx %s: transport tls, and sip has no tls block: " WRITE_TLS,
				   pub->pbxs[i].name);
	/* Only these lead to the PBX: those of sip, and source maps, give names. */
	for (size_t i = 0;
	     (map = router_used_map(b->object->router, ROUTE_TEL, ROUTE_EXTENSION, i)); i++)
		check_entries(map, b->diag);
}

void cig_build_hep(struct cig_build *b, const struct config_statement *s)
{
	enum { HEP_PORT = 9060 }; /* of heplify-server, and of Homer's own */
	struct cig_hep *hep = &b->object->pub.sip.hep;
	const char *password = NULL;
	unsigned long id;

	hep->place = cig_keep_place(b, &s->place);
	for (const struct config_statement *c = s->first; c; c = c->next) {
		const struct config_word *word = &c->word[0];

		if (cig_is(c, "id")) {
			if (config_uint(word, 0, UINT32_MAX, &id, b->diag) == 0)
				hep->id = (unsigned)id;
		} else if (!cig_is(c, "collector")) {
			cig_build_password(b, s, c, &password);
		} else if (net_parse(word->text, HEP_PORT, &hep->collector) ||
			   net_port(&hep->collector) == 0) {
			/* A name would have to be asked for by whom nothing may hold up. */
			diag_error(b->diag, &word->place,
				   "found \"%.200s\", expected an IP address, or IP:PORT",
				   word->text);
		}
	}
	if (password)
		hep->password = password;
	if (!hep->collector.len && cig_lacks(s, "collector"))
		diag_error(b->diag, &s->place, "hep: \"collector\" is missing");
	if (strlen(hep->password) > CIG_MAX_HEP_PASSWORD)
		diag_error(b->diag, &s->place, "hep: a password of more than %d octets",
			   CIG_MAX_HEP_PASSWORD);
}

/* ---- looking it up ---- */

const struct cig_pbx *cig_config_pbx_of_host(const struct cig_config *config, const char *host)
{
	for (size_t i = 0; i < config->pbx_count; i++)
		for (size_t h = 0; h < config->pbxs[i].host_count; h++)
			if (strcasecmp(config->pbxs[i].hosts[h], host) == 0)
				return &config->pbxs[i];
	return NULL;
}

const struct cig_pbx *cig_config_pbx_from(const struct cig_config *config,
					  const struct sockaddr *address)
{
	for (size_t i = 0; i < config->pbx_count; i++)
		for (size_t n = 0; n < config->pbxs[i].network_count; n++)
			if (config_net_holds(&config->pbxs[i].networks[n], address))
				return &config->pbxs[i];
	return NULL;
}
