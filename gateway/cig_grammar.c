/* cig_grammar.c - what may stand where in cig.conf. */
#include "gateway/cig_config_priv.h"

/* Columns: keyword, least and most words behind it, flags, usage for messages, what may stand in
 * the block, a word that comes first (struct config_keyword). */
static const struct config_keyword in_map[] = {
	{ "entry", 5, 7, 0, "NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth ACCOUNT]", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_auth[] = {
	{ "user", 1, 1, CONFIG_ONCE, "\"USER\"", NULL, NULL },
	{ "password", 1, 1, CONFIG_ONCE, "\"PASSWORD\"", NULL, NULL },
	{ "password_file", 1, 1, CONFIG_ONCE, "\"FILE\"", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_tel[] = {
	{ "extension map", 1, 1, 0, "NAME", NULL, NULL },
	{ "source map", 1, 1, 0, "NAME", NULL, NULL },
	{ "bind", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "bind_media", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "rtp_port_range", 2, 2, CONFIG_ONCE, "LOW HIGH", NULL, NULL },
	{ "rtp_remote_addr_override", 2, 2, 0, "OLD-IP NEW-IP", NULL, NULL },
	{ "crs_address", 1, 1, CONFIG_ONCE, "\"HOST:PORT\"", NULL, NULL },
	{ "trust_domain", 1, 1, 0, "\"DOMAIN-ID\"", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_tls[] = {
	{ "port", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "certificate", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ "key", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ "ca", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ "verify_clients", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_hep[] = {
	{ "collector", 1, 1, CONFIG_ONCE, "\"IP[:PORT]\"", NULL, NULL },
	{ "id", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "password", 1, 1, CONFIG_ONCE, "\"PASSWORD\"", NULL, NULL },
	{ "password_file", 1, 1, CONFIG_ONCE, "\"FILE\"", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_sip[] = {
	{ "extension map", 1, 1, 0, "NAME", NULL, NULL },
	{ "source map", 1, 1, 0, "NAME", NULL, NULL },
	{ "bind", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "bind_media", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "port", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "messaging", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "sip_trace", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "rtp_port_range", 2, 2, CONFIG_ONCE, "LOW HIGH", NULL, NULL },
	{ "rtp_remote_addr_override", 2, 2, 0, "OLD-IP NEW-IP", NULL, NULL },
	{ "trusted", 1, 1, 0, "\"IP/MASK\"", NULL, NULL },
	{ "nameserver", 1, 1, 0, "\"IP[:PORT]\"", NULL, NULL },
	{ "max_calls", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "max_call_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "udp_max_bytes", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "media_timeout_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "session_expires_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "min_session_expires_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "tls", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_tls, NULL },
	{ "hep", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_hep, NULL },
	{ 0 },
};

static const struct config_keyword in_pbx[] = {
	{ "host", 1, 1, 0, "\"HOST\"", NULL, NULL },
	{ "server", 1, 5, 0, "\"HOST[:PORT]\" [priority NUMBER] [weight NUMBER]", NULL, NULL },
	{ "network", 1, 1, 0, "\"IP/MASK\"", NULL, NULL },
	{ "transport", 1, 1, CONFIG_ONCE, "udp|tcp|tls", NULL, NULL },
	{ "probe_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "answer_timeout_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "dtmf", 1, 1, CONFIG_ONCE, "events|info|tones", NULL, NULL },
	{ "reliable", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "asserted_identity", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "assert_identity", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "remote_party_id", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "srtp", 1, 1, CONFIG_ONCE, "off|optional|required", NULL, NULL },
	{ "srtp_without_tls", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "redirects", 1, 1, CONFIG_ONCE, "refuse|maps", NULL, NULL },
	{ "challenge", 1, 1, CONFIG_ONCE, "ACCOUNT", NULL, NULL },
	{ "register", 3, 5, CONFIG_ONCE, "\"sip:USER@HOST\" auth ACCOUNT [expires SECONDS]", NULL,
	  NULL },
	{ 0 },
};

static const struct config_keyword in_interfaces[] = {
	{ "tel", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_tel, NULL },
	{ "sip", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_sip, NULL },
	{ 0 },
};

static const struct config_keyword in_translate_map[] = {
	{ "rule", 4, 4, 0, "match \"TEXT\" translation \"TEXT\"", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_mailbox[] = {
	{ "path", 1, 1, CONFIG_ONCE, "\"/PATH\"", NULL, NULL },
	{ "map_from", 1, 1, CONFIG_ONCE, "NAME", NULL, "translate_map" },
	{ "map_to", 1, 1, CONFIG_ONCE, "NAME", NULL, "translate_map" },
	{ 0 },
};

static const struct config_keyword in_mailboxes[] = {
	{ "read", 0, 0, CONFIG_BLOCK, "", in_mailbox, NULL },
	{ "write", 0, 0, CONFIG_BLOCK, "", in_mailbox, NULL },
	{ 0 },
};

static const struct config_keyword in_direction[] = {
	{ "map_from", 1, 1, CONFIG_ONCE, "NAME", NULL, "translate_map" },
	{ "map_to", 1, 1, CONFIG_ONCE, "NAME", NULL, "translate_map" },
	{ 0 },
};

static const struct config_keyword in_center_tls[] = {
	{ "ca", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ "certificate", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ "key", 1, 1, CONFIG_ONCE, "\"/FILE\"", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_smpp[] = {
	{ "hostname", 1, 1, CONFIG_ONCE, "\"HOST\"", NULL, NULL },
	{ "port", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "user", 1, 1, CONFIG_ONCE, "\"USER\"", NULL, NULL },
	{ "password", 1, 1, CONFIG_ONCE, "\"PASSWORD\"", NULL, NULL },
	{ "password_file", 1, 1, CONFIG_ONCE, "\"FILE\"", NULL, NULL },
	{ "read", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_direction, NULL },
	{ "write", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_direction, NULL },
	/* What the manual lacks. */
	{ "alternative", 1, 1, 0, "\"HOST:PORT\"", NULL, NULL },
	{ "bind", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "mode", 1, 1, CONFIG_ONCE, "transceiver|pair", NULL, NULL },
	{ "tls", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_center_tls, NULL },
	{ "system_type", 1, 1, CONFIG_ONCE, "\"TEXT\"", NULL, NULL },
	{ "address_range", 1, 1, CONFIG_ONCE, "\"TEXT\"", NULL, NULL },
	{ "service_type", 1, 1, CONFIG_ONCE, "\"TEXT\"", NULL, NULL },
	{ "window", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "rate_per_s", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "enquire_link_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "response_timeout_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "throttle_ms", 1, 1, CONFIG_ONCE, "MILLISECONDS", NULL, NULL },
	{ "alphabet", 1, 1, CONFIG_ONCE, "gsm|latin1|ascii", NULL, NULL },
	{ "long_texts", 1, 1, CONFIG_ONCE, "udh8|udh16|sar|payload", NULL, NULL },
	{ "join_timeout_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "source_ton", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "source_npi", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "destination_ton", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "destination_npi", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ "keep_plus", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "receipts", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "receipt_timeout_s", 1, 1, CONFIG_ONCE, "SECONDS", NULL, NULL },
	{ "validity", 1, 1, CONFIG_ONCE, "true|false", NULL, NULL },
	{ "unanswered", 1, 1, CONFIG_ONCE, "repeat|fail", NULL, NULL },
	{ "attachments", 1, 1, CONFIG_ONCE, "placeholder|refuse|drop", NULL, NULL },
	{ "on_status", 2, 2, 0, "CODE pause|retry|fail", NULL, NULL },
	{ 0 },
};

static const struct config_keyword in_message_centers[] = {
	{ "smpp", 0, 0, CONFIG_BLOCK, "", in_smpp, NULL },
	{ 0 },
};

/* The two ports that answer HTTP: control and metrics. */
static const struct config_keyword in_control[] = {
	{ "bind", 1, 1, CONFIG_ONCE, "IP", NULL, NULL },
	{ "port", 1, 1, CONFIG_ONCE, "NUMBER", NULL, NULL },
	{ 0 },
};

const struct config_keyword cig_grammar[] = {
	{ "map", 1, 1, CONFIG_BLOCK, "NAME", in_map, NULL },
	{ "auth", 1, 1, CONFIG_BLOCK, "NAME", in_auth, NULL },
	{ "pbx", 1, 1, CONFIG_BLOCK, "NAME", in_pbx, NULL },
	{ "interfaces", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_interfaces, NULL },
	{ "translate_map", 1, 1, CONFIG_BLOCK, "NAME", in_translate_map, NULL },
	{ "mailboxes", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_mailboxes, NULL },
	{ "message_centers", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_message_centers, NULL },
	{ "expect", 3, 7, 0, "\"URI\" [from \"URI\"] => \"URI\" [from \"URI\"] | reject [CODE]",
	  NULL, NULL },
	{ "userdata", 1, 1, CONFIG_ONCE, "\"/DIR\"", NULL, NULL },
	{ "log_dir", 1, 1, CONFIG_ONCE, "\"/DIR\"", NULL, NULL },
	{ "run_dir", 1, 1, CONFIG_ONCE, "\"/DIR\"", NULL, NULL },
	{ "mail_group", 1, 1, CONFIG_ONCE, "\"GROUP\"", NULL, NULL },
	{ "control", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_control, NULL },
	{ "metrics", 0, 0, CONFIG_BLOCK | CONFIG_ONCE, "", in_control, NULL },
	{ 0 },
};
