/* cig_build_center.c - cig.conf's smpp blocks: the manual's directives, and ours. */
#include "gateway/cig_config_priv.h"

#include <string.h>

enum { DAY_S = 86400, MONTH_S = 30 * DAY_S };

/* A word of a list, as its number; tells what was expected.  Returns false for another. */
static bool read_word(struct cig_build *b, const struct config_statement *s,
		      const struct config_word *word, const char *const *choices, size_t n,
		      unsigned *out)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(word->text, choices[i]) != 0)
			continue;
		*out = i;
		return true;
	}
	diag_error(b->diag, &word->place, "found \"%s\", expected %s", word->text,
		   s->keyword->usage);
	return false;
}

static bool read_choice(struct cig_build *b, const struct config_statement *s,
			const char *const *choices, size_t n, unsigned *out)
{
	return read_word(b, s, &s->word[0], choices, n, out);
}

/* ---- numbers --------------------------------------------------------------------- */

struct number {
	const char *keyword;
	size_t at; /* in struct cig_message_center */
	unsigned long min, max;
};

#define NUMBER(keyword, member, min, max)                                                          \
	{                                                                                          \
		keyword, offsetof(struct cig_message_center, member), min, max                     \
	}

static const struct number numbers[] = {
	NUMBER("window", window, 1, 1000),
	NUMBER("rate_per_s", rate_per_s, 0, 100000),
	NUMBER("enquire_link_s", enquire_link_s, 1, 3600),
	NUMBER("response_timeout_s", response_timeout_s, 1, 3600),
	NUMBER("throttle_ms", throttle_ms, 10, 600000),
	NUMBER("join_timeout_s", join_timeout_s, 1, MONTH_S),
	NUMBER("receipt_timeout_s", receipt_timeout_s, 1, MONTH_S),
	NUMBER("source_ton", source.ton, 0, 255),
	NUMBER("source_npi", source.npi, 0, 255),
	NUMBER("destination_ton", destination.ton, 0, 255),
	NUMBER("destination_npi", destination.npi, 0, 255),
};

/* The offset stands for a member of type unsigned or, where -1 means "not set", int: both have
 * one size, and the values fit both. */
static bool read_number(struct cig_build *b, const struct config_statement *s,
			struct cig_message_center *center)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		unsigned long value;

		if (!cig_is(s, numbers[i].keyword))
			continue;
		if (config_uint(&s->word[0], numbers[i].min, numbers[i].max, &value, b->diag) == 0)
			*(unsigned *)(void *)((char *)center + numbers[i].at) = (unsigned)value;
		return true;
	}
	return false;
}

/* ---- texts: each is bounded by its field (SMPP 3.4, 4.1.1 and 4.4.1) ------------- */

struct text {
	const char *keyword;
	size_t at, max;
};

#define TEXT(keyword, member, max)                                                                 \
	{                                                                                          \
		keyword, offsetof(struct cig_message_center, member), max                          \
	}

static const struct text texts[] = {
	TEXT("hostname", hostname, 253),       TEXT("user", user, 15),
	TEXT("system_type", system_type, 12),  TEXT("address_range", address_range, 40),
	TEXT("service_type", service_type, 5),
};

static bool read_text(struct cig_build *b, const struct config_statement *s,
		      struct cig_message_center *center)
{
	const struct config_word *word = &s->word[0];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!cig_is(s, texts[i].keyword))
			continue;
		if (strlen(word->text) > texts[i].max)
			diag_error(b->diag, &word->place, "%s has at most %zu octets",
				   texts[i].keyword, texts[i].max);
		*(const char **)(void *)((char *)center + texts[i].at) =
			cig_keep_text(b, word->text);
		return true;
	}
	return false;
}

/* ---- choices --------------------------------------------------------------------- */

static bool read_choices(struct cig_build *b, const struct config_statement *s,
			 struct cig_message_center *center)
{
	static const char *const alphabets[] = { "gsm", "latin1", "ucs2", "ascii" };
	static const char *const forms[] = { "udh8", "udh16", "sar", "payload" };
	static const char *const modes[] = { "transceiver", "pair" };
	static const char *const policies[] = { "placeholder", "refuse", "drop" };
	static const char *const unanswered[] = { "fail", "repeat" };
	unsigned value = 0;

	if (cig_is(s, "alphabet")) {
		/* ucs2 is in the list for its number only: every center takes it beside its own
		 * alphabet, so it is no choice. */
		if (read_choice(b, s, alphabets, 4, &value) && value == SMPP_UCS2)
			diag_error(b->diag, &s->word[0].place, "found \"ucs2\", expected %s",
				   s->keyword->usage);
		center->alphabet = (enum smpp_alphabet)value;
	} else if (cig_is(s, "long_texts")) {
		if (read_choice(b, s, forms, 4, &value))
			center->long_texts = (enum smpp_long_form)value;
	} else if (cig_is(s, "mode")) {
		if (read_choice(b, s, modes, 2, &value))
			center->pair = value == 1;
	} else if (cig_is(s, "attachments")) {
		if (read_choice(b, s, policies, 3, &value))
			center->attachments = (enum cig_attachments)value;
	} else if (cig_is(s, "unanswered")) {
		if (read_choice(b, s, unanswered, 2, &value))
			center->repeat_unanswered = value == 1;
	} else {
		return false;
	}
	return true;
}

static bool read_switch(struct cig_build *b, const struct config_statement *s,
			struct cig_message_center *center)
{
	if (cig_is(s, "receipts"))
		config_bool(&s->word[0], &center->receipts, b->diag);
	else if (cig_is(s, "validity"))
		config_bool(&s->word[0], &center->validity, b->diag);
	else if (cig_is(s, "keep_plus"))
		config_bool(&s->word[0], &center->source.keep_plus, b->diag);
	else
		return false;
	/* keep_plus is of both addresses: there is one directive for the two. */
	center->destination.keep_plus = center->source.keep_plus;
	return true;
}

/* ---- blocks ---------------------------------------------------------------------- */

static void read_direction(struct cig_build *b, const struct config_statement *s,
			   struct cig_address_maps *maps)
{
	unsigned seen = 0;

	for (const struct config_statement *c = s->first; c; c = c->next)
		cig_build_map(b, c, maps, &seen);
	cig_check_maps(b, s, seen);
}

static void read_tls(struct cig_build *b, const struct config_statement *s,
		     struct cig_center_tls *tls)
{
	tls->on = true;
	for (const struct config_statement *c = s->first; c; c = c->next) {
		const struct config_word *word = &c->word[0];

		if (word->text[0] != '/')
			diag_error(b->diag, &word->place, "found \"%s\", expected an absolute path",
				   word->text);
		*(cig_is(c, "ca")            ? &tls->files.ca
		  : cig_is(c, "certificate") ? &tls->files.certificate
					     : &tls->files.key) = cig_keep_text(b, word->text);
	}
	/* One file may hold both, as OpenSSL's PEM readers take it. */
	if (tls->files.certificate && !tls->files.key)
		tls->files.key = tls->files.certificate;
	if (tls->files.key && !tls->files.certificate && cig_lacks(s, "certificate"))
		diag_error(b->diag, &s->place, "tls: \"certificate\" is missing");
}

static void read_alternative(struct cig_build *b, const struct config_statement *s,
			     struct cig_message_center *center)
{
	struct smpp_host *host = &center->alternatives[center->alternative_count];
	char text[254];

	/* The center's own hostname is one of the SMPP_MAX_HOSTS. */
	if (center->alternative_count == SMPP_MAX_HOSTS - 1) {
		diag_error(b->diag, &s->place, "a message center has at most %d hosts",
			   SMPP_MAX_HOSTS);
		return;
	}
	if (config_host_port(&s->word[0], text, sizeof(text), &host->port, b->diag))
		return;
	host->host = cig_keep_text(b, text);
	center->alternative_count++;
}

static const char *const fates[] = { "pause", "retry", "fail" };

const char *cig_fate_name(enum smpp_fate fate)
{
	return fates[fate];
}

/* ESME_ROK is no error, and a status stands once. */
static void read_rule(struct cig_build *b, const struct config_statement *s,
		      struct cig_message_center *center)
{
	struct smpp_status_rule rule = { 0 };
	unsigned fate = 0;

	if (smpp_status_read(s->word[0].text, &rule.status) || rule.status == SMPP_OK) {
		diag_error(b->diag, &s->word[0].place,
			   "found \"%s\", expected an error such as ESME_RSUBMITFAIL or 0x401",
			   s->word[0].text);
		return;
	}
	if (!read_word(b, s, &s->word[1], fates, 3, &fate))
		return;
	rule.fate = (enum smpp_fate)fate;
	for (size_t i = 0; i < center->rule_count; i++)
		if (center->rules[i].status == rule.status) {
			diag_error(b->diag, &s->word[0].place, "on_status \"%s\" stands twice",
				   s->word[0].text);
			return;
		}
	if (center->rule_count == SMPP_MAX_RULES)
		diag_error(b->diag, &s->place, "a message center has at most %d on_status",
			   SMPP_MAX_RULES);
	else
		center->rules[center->rule_count++] = rule;
}

static void read_statement(struct cig_build *b, const struct config_statement *smpp,
			   const struct config_statement *s, struct cig_message_center *center)
{
	unsigned long port;

	if (read_text(b, s, center) || read_number(b, s, center) || read_choices(b, s, center) ||
	    read_switch(b, s, center))
		return;
	if (cig_is(s, "password") || cig_is(s, "password_file")) {
		cig_build_password(b, smpp, s, &center->password);
	} else if (cig_is(s, "port")) {
		if (config_uint(&s->word[0], 1, 65535, &port, b->diag) == 0)
			center->port = (uint16_t)port;
	} else if (cig_is(s, "bind")) {
		config_ip(&s->word[0], center->bind, b->diag);
	} else if (cig_is(s, "alternative")) {
		read_alternative(b, s, center);
	} else if (cig_is(s, "on_status")) {
		read_rule(b, s, center);
	} else if (cig_is(s, "tls")) {
		read_tls(b, s, &center->tls);
	} else if (cig_is(s, "read")) {
		center->reads = true;
		read_direction(b, s, &center->read);
	} else {
		center->writes = true;
		read_direction(b, s, &center->write);
	}
}

/* ---- a center -------------------------------------------------------------------- */

/* What the manual's directives alone give (CIG manual 2.9, "SMPP Interface"): ours are set as the
 * manual's gateway behaves, or as the protocol recommends. */
static struct cig_message_center plain_center(struct cig_build *b, const struct config_statement *s)
{
	return (struct cig_message_center){
		.place = cig_keep_place(b, &s->place),
		.window = 10,
		.enquire_link_s = 30,
		.response_timeout_s = 10,
		.throttle_ms = 1000,
		.alphabet = SMPP_GSM,
		.long_texts = SMPP_UDH8,
		.join_timeout_s = DAY_S,
		.source = { .ton = -1, .npi = -1 },
		.destination = { .ton = -1, .npi = -1 },
		.receipts = true,
		.receipt_timeout_s = DAY_S,
		.validity = true,
		.repeat_unanswered = true,
	};
}

static void check_center(struct cig_build *b, const struct config_statement *s,
			 const struct cig_message_center *center, bool port)
{
	if (!center->hostname && cig_lacks(s, "hostname"))
		diag_error(b->diag, &s->place, "smpp: \"hostname\" is missing");
	if (!port && cig_lacks(s, "port"))
		diag_error(b->diag, &s->place, "smpp: \"port\" is missing");
	if (!center->user && cig_lacks(s, "user"))
		diag_error(b->diag, &s->place, "smpp: \"user\" is missing");
	if (!center->password && cig_lacks(s, "password") && cig_lacks(s, "password_file"))
		diag_error(b->diag, &s->place, "smpp: \"password\" is missing");
	/* SMPP 3.4, 4.1.1: nine octets with the NUL. */
	if (center->password && strlen(center->password) > 8)
		diag_error(b->diag, &s->place, "smpp: a password has at most 8 octets in SMPP");
	if (!center->reads && !center->writes)
		diag_warning(b->diag, &s->place, "smpp: neither read nor write: it does nothing");
}

void cig_build_center(struct cig_build *b, const struct config_statement *smpp)
{
	struct cig_config *pub = &b->object->pub;
	struct cig_message_center center = plain_center(b, smpp), *list;
	bool port = false;

	/* A port of 0 cannot stand in the file, so port is remembered apart from center.port. */
	for (const struct config_statement *c = smpp->first; c; c = c->next) {
		read_statement(b, smpp, c, &center);
		port = port || cig_is(c, "port");
	}
	check_center(b, smpp, &center, port);
	list = cig_grow(b, pub->message_centers, &pub->message_center_count, sizeof(*list));
	if (!list)
		return;
	list[pub->message_center_count - 1] = center;
	pub->message_centers = list;
}
