/* cig.conf: what is read, what is refused, what is warned of. */
#include "tests/gateway/cig_text.h"

static void check_pbx(const struct cig_config *c)
{
	const struct cig_pbx *pbx = cig_config_pbx_of_host(c, "PBX.org");
	struct sockaddr_in from = { .sin_family = AF_INET };

	inet_pton(AF_INET, "10.1.2.3", &from.sin_addr);
	assert_non_null(pbx);
	assert_null(cig_config_pbx_of_host(c, "pbx.net"));
	assert_ptr_equal(cig_config_pbx_from(c, (struct sockaddr *)&from), pbx);
	assert_true(cig_config_trusts(c, (struct sockaddr *)&from));
	assert_int_equal(pbx->server_count, 3);
	assert_int_equal(pbx->servers[0].port, 5080);
	assert_int_equal(pbx->servers[0].priority, 1);
	assert_string_equal(pbx->servers[1].host, "2001:db8::5");
	assert_int_equal(pbx->servers[1].weight, 7);
	assert_string_equal(pbx->servers[2].host, "sip.pbx.com");
	assert_int_equal(pbx->servers[2].port, 0);
	assert_int_equal(pbx->transport, SIP_TCP);
	assert_int_equal(pbx->dtmf, CIG_DTMF_INFO);
	assert_true(pbx->reliable && pbx->asserted_identity && pbx->assert_identity &&
		    pbx->remote_party_id);
	assert_int_equal(pbx->redirects, CIG_DIVERT_MAPS);
	assert_int_equal(pbx->srtp, CIG_SRTP_OPTIONAL);
	assert_int_equal(cig_pbx_srtp(pbx, SIP_UDP), CIG_SRTP_OPTIONAL);
	assert_int_equal(cig_pbx_srtp(NULL, SIP_TLS), CIG_SRTP_OFF);
	assert_string_equal(pbx->challenge->name, "acc");
	assert_string_equal(pbx->register_uri, "sip:gw@pbx.com");
	assert_int_equal(pbx->register_s, 600);
}

/* CIG-025, CIG-026, CIG-027, CIG-028, CIG-039, CIG-040, CIG-041, CIG-042, CIG-044, CIG-045,
 * CIG-046, CIG-061, CIG-062 */
static void reads_every_setting(void **state)
{
	struct diag *diag = diag_new();
	const struct cig_config *c = parse(full, diag);

	(void)state;
	assert_int_equal(diag_errors(diag) + diag_warnings(diag), 0);
	assert_string_equal(cig_config_account(c, "acc")->password, "p;{w}\\");
	assert_null(cig_config_account(c, "other"));
	assert_string_equal(c->tel.common.bind, "10.0.0.1");
	assert_string_equal(c->tel.common.bind_media, "10.0.0.1");
	assert_int_equal(c->tel.common.rtp.low, 30000);
	assert_int_equal(c->tel.common.rtp.high, 30999);
	assert_string_equal(cig_config_override(&c->tel.common, "3.3.3.3"), "4.4.4.4");
	assert_string_equal(c->tel.crs_host, "crs.example");
	assert_int_equal(c->tel.crs_port, 5223);
	assert_int_equal(c->tel.trust_domain_count, 2);
	assert_string_equal(c->tel.trust_domains[1], "0123456789abcdef0123456789abcdef");
	assert_string_equal(c->sip.common.bind, "192.168.1.1");
	assert_string_equal(c->sip.common.bind_media, "192.168.1.2");
	assert_int_equal(c->sip.port, 5070);
	assert_true(c->sip.messaging);
	assert_int_equal(c->sip.max_calls, 50);
	assert_int_equal(c->sip.max_call_s, 7200);
	assert_true(c->sip.sip_trace);
	assert_int_equal(net_port(&c->sip.hep.collector), 9060);
	assert_int_equal(c->sip.hep.id, 7);
	assert_string_equal(c->sip.hep.password, "p");
	assert_int_equal(c->sip.udp_max_bytes, 1300);
	assert_int_equal(c->sip.session_expires_s, 1800);
	assert_int_equal(c->sip.min_session_expires_s, 120);
	assert_int_equal(c->sip.tls.port, 5062);
	assert_string_equal(c->sip.tls.key, "/c.pem");
	assert_true(c->sip.tls.verify_clients);
	check_pbx(c);
	assert_int_equal(c->sip.media_timeout_s, 5);
	assert_string_equal(c->read_mailboxes[0].path, "/m/r");
	assert_string_equal(translate_map_name(c->write_mailboxes[0].maps.to), "out");
	assert_int_equal(c->message_center_count, 1);
	assert_int_equal(c->message_centers[0].port, 2775);
	assert_false(c->message_centers[0].reads);
	assert_true(c->message_centers[0].writes);
	assert_int_equal(c->message_centers[0].rule_count, 3);
	assert_int_equal(c->message_centers[0].rules[0].status, SMPP_RSUBMITFAIL);
	assert_int_equal(c->message_centers[0].rules[0].fate, SMPP_FATE_FAIL);
	assert_int_equal(c->message_centers[0].rules[1].status, 0x401);
	assert_int_equal(c->message_centers[0].rules[1].fate, SMPP_FATE_PAUSE);
	assert_int_equal(c->message_centers[0].rules[2].status, SMPP_RSYSERR);
	assert_int_equal(c->message_centers[0].rules[2].fate, SMPP_FATE_RETRY);
	assert_string_equal(c->userdata, "/u");
	assert_string_equal(c->log_dir, "/l");
	assert_string_equal(c->run_dir, "/r");
	assert_string_equal(c->mail_group, "");
	assert_int_equal(c->control_port, 18083);
	assert_string_equal(c->metrics_bind, "::1");
	assert_int_equal(c->metrics_port, 9090);
	cig_config_release(&c);
	assert_null(c);
	diag_free(&diag);
}

/* CIG-047 and the manual's other defaults; that CIG_DIR is /opt/cig unless configure is told another
 * is what tests/scenarios/install.bats sees. */
static void has_the_manuals_defaults(void **state)
{
	const struct cig_config *c = parse("", NULL);

	(void)state;
	assert_string_equal(CIG_CONFIG_PATH, CIG_DIR "/cig.conf");
	assert_string_equal(c->userdata, CIG_DIR "/userdata");
	assert_string_equal(c->log_dir, "/var/log/cig");
	assert_string_equal(c->mail_group, "cigmail");
	assert_string_equal(c->control_bind, "127.0.0.1");
	assert_int_equal(c->control_port, 8083);
	assert_int_equal(c->metrics_port, 0);
	assert_int_equal(c->sip.port, 5060);
	assert_int_equal(c->sip.media_timeout_s, 30);
	assert_int_equal(c->sip.max_call_s + c->sip.udp_max_bytes, 0);
	assert_false(c->sip.messaging);
	assert_int_equal(c->sip.common.rtp.low, 0);
	assert_string_equal(c->sip.common.bind, "");
	assert_string_equal(c->tel.crs_host, "");
	cig_config_release(&c);
}

static void the_sample_has_neither_faults_nor_warnings(void **state)
{
	const char *top = getenv("top_srcdir");
	struct diag *diag = diag_new();
	const struct cig_config *c;
	uint8_t *text;
	size_t size;
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/cig.conf.sample", top ? top : ".");
	assert_int_equal(file_read(path, 1 << 20, &text, &size), 0);
	c = parse((const char *)text, diag);
	assert_string_equal(diag_first_error(diag), "");
	assert_non_null(c);
	assert_int_equal(diag_warnings(diag), 0);
	assert_string_equal(c->userdata, CIG_DIR "/userdata");
	cig_config_release(&c);
	free(text);
	diag_free(&diag);
}

static const struct {
	const char *text, *told; /* all errors, a line each */
} faults[] = {
	/* CIG-028 */
	{ "interfaces { tel { trust_domain \"0123456789abcdef0123456789abcde\";\n"
	  "trust_domain \"0123456789abcdef0123456789abcdefg\"; trust_domain \"x\"; } }",
	  "1:33 found \"0123456789abcdef0123456789abcde\", expected the 32 hexadecimal digits of a "
	  "domain's id\n"
	  "2:14 found \"0123456789abcdef0123456789abcdefg\", expected the 32 hexadecimal digits of "
	  "a domain's id\n"
	  "2:64 found \"x\", expected the 32 hexadecimal digits of a domain's id\n" },
	{ "map m { entry a tel \"tel:+1\" sip \"sip:1@h\" auth acc; }\n"
	  "auth acd { user \"u\"; password \"p\"; }",
	  "1:49 unknown auth \"acc\" (did you mean \"acd\"?)\n" },
	{ "auth a { user \"u\"; password_file \"/etc/hostname\"; }",
	  "1:34 \"password_file\" needs a file to stand in\n" },
	{ "auth a { user \"u\"; password \"p\"; password_file \"f\"; }",
	  "1:34 auth has a password already\n" },
	{ "metrics { bind ::1; }", "1:1 metrics: \"port\" is missing\n" },
	{ "pbx a { host \"h\"; transport tcp; srtp required; }\n"
	  "pbx b { host \"i\"; transport tls; srtp required; }\n"
	  "pbx c { host \"j\"; srtp optional; }\n"
	  "pbx d { host \"k\"; server \"10.1.1.1\"; srtp maybe; }",
	  "1:1 pbx a: \"srtp\" needs \"transport tls\": its keys stand in SDP (or "
	  "\"srtp_without_tls true\")\n"
	  "4:43 found \"maybe\", expected off, optional or required\n" },
	{ "interfaces { sip { nameserver \"ns.test\"; nameserver \"10.0.0.1:0\"; } }",
	  "1:31 found \"ns.test\", expected an IP address, or IP:PORT\n"
	  "1:53 found \"10.0.0.1:0\", expected an IP address, or IP:PORT\n" },
	{ "interfaces { sip { hep { collector \"homer.test\"; id 4294967296; } } }",
	  "1:36 found \"homer.test\", expected an IP address, or IP:PORT\n"
	  "1:53 found \"4294967296\", expected a number from 0 to 4294967295\n" },
	{ "interfaces { sip { hep { id 1; } } }", "1:20 hep: \"collector\" is missing\n" },
	/* CIG-039 */
	{ "interfaces { ham { } }", "1:14 unknown keyword \"ham\", expected \"tel\", \"sip\"\n" },
	/* CIG-025 */
	{ "map m { }\nmap m { }", "2:1 map m is declared twice, first in cig.conf:1\n" },
	{ "translate_map m { }\ntranslate_map m { }",
	  "2:1 translate_map m is declared twice, first in cig.conf:1\n" },
	{ "auth a { user \"u\"; }\nauth b { password \"p\"; }\nauth b { }",
	  "1:1 auth a: \"password\" is missing\n2:1 auth b: \"user\" is missing\n"
	  "3:1 auth b: \"user\" is missing\n3:1 auth b: \"password\" is missing\n3:1 auth b is "
	  "declared twice, first in cig.conf:2\n" },
	{ "map m { entry a tel \"tel:+1\" tell \"sip:1@h\"; }",
	  "1:30 found \"tell\", expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth ACCOUNT] "
	  "(did "
	  "you mean \"tel\"?)\n" },
	{ "map m { entry a tel \"tel:+1\" tel \"sip:1@h\"; }",
	  "1:30 found \"tel\", expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth "
	  "ACCOUNT]\n" },
	{ "map m { entry a tel \"tel:+1\" auth x; }",
	  "1:9 \"sip\" is missing, expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth "
	  "ACCOUNT]\n" },
	{ "map m { entry a tel \"tel:+1;{x\" sip \"sip:1@h\"; entry b tel \"x\" sip \"y\"; }",
	  "1:9 \"tel:+1;{x\": \"{\" without \"}\"\n"
	  "1:48 entry b: found sip \"y\" and tel \"x\", expected one that begins with \"sip:\" and "
	  "one "
	  "that begins with \"tel:\"\n" },
	/* CIG-042, CIG-043, CIG-044, CIG-045 */
	{ "interfaces { sip { bind here; messaging maybe; rtp_port_range 10 x; port 0;\n"
	  " rtp_remote_addr_override a 1.1.1.1; max_calls -1; trusted \"10.0.0.0/40\";"
	  " media_timeout_s 0; }\n"
	  " tel { rtp_port_range 2048 1024; crs_address \"x\"; extension map none; } }",
	  "1:25 found \"here\", expected an IP address\n"
	  "1:41 found \"maybe\", expected true or false\n"
	  "1:66 found \"x\", expected a number from 1 to 65535\n"
	  "1:74 found \"0\", expected a number from 1 to 65535\n"
	  "2:27 found \"a\", expected an IP address\n"
	  "2:48 found \"-1\", expected a number from 0 to 1000000\n"
	  "2:60 found \"10.0.0.0/40\", expected IP/MASK with a mask of the address's length\n"
	  "2:91 found \"0\", expected a number from 1 to 3600\n"
	  "3:23 found 2048 1024, expected the lower port first\n"
	  "3:46 found \"x\", expected HOST:PORT\n"
	  "3:65 unknown map \"none\"\n" },
	{ "interfaces { tel { rtp_remote_addr_override 1.1.1.1 2.2.2.2; rtp_remote_addr_override "
	  "1.1.1.1 3.3.3.3; } }",
	  "1:87 1.1.1.1 has an override already\n" },
	/* CIG-061, CIG-062 */
	{ "mailboxes { read { path \"m\"; map_from translate_map a; } write { } }",
	  "1:25 found \"m\", expected an absolute path\n1:53 unknown translate_map \"a\"\n"
	  "1:13 read: \"map_to translate_map NAME;\" is missing\n"
	  "1:58 write: \"map_from translate_map NAME;\" is missing\n"
	  "1:58 write: \"map_to translate_map NAME;\" is missing\n"
	  "1:58 write: \"path\" is missing\n" },
	{ "translate_map t { rule match \"a\" translation \"b\"; }\n"
	  "mailboxes { read { path \"/m\"; map_from translate_map t; map_to translate_map t; }\n"
	  "write { path \"/m\"; map_from translate_map t; map_to translate_map t; } }",
	  "3:14 the mailbox of cig.conf:2 has this path already\n" },
	{ "message_centers { smpp { hostname \"h\"; user \"u\"; } }",
	  "1:19 smpp: \"port\" is missing\n1:19 smpp: \"password\" is missing\n" },
	{ "message_centers { smpp { hostname \"h\"; port 1; user \"u\"; password \"p\"; read { }\n"
	  "on_status ESME_RNONSENSE fail; on_status ESME_ROK fail; on_status 0x14x fail;\n"
	  "on_status 20 later; on_status 0x58 fail; on_status ESME_RTHROTTLED retry; } }",
	  "1:72 read: \"map_from translate_map NAME;\" is missing\n"
	  "1:72 read: \"map_to translate_map NAME;\" is missing\n"
	  "2:11 found \"ESME_RNONSENSE\", expected an error such as ESME_RSUBMITFAIL or 0x401\n"
	  "2:42 found \"ESME_ROK\", expected an error such as ESME_RSUBMITFAIL or 0x401\n"
	  "2:67 found \"0x14x\", expected an error such as ESME_RSUBMITFAIL or 0x401\n"
	  "3:14 found \"later\", expected CODE pause|retry|fail\n"
	  "3:52 on_status \"ESME_RTHROTTLED\" stands twice\n" },
	{ "translate_map t { rule match \"a\" match \"b\"; rule match \"{\" translation \"b\"; }",
	  "1:34 found \"match\", expected rule match \"TEXT\" translation \"TEXT\"\n"
	  "1:45 \"{\": \"{\" without \"}\"\n" },
	{ "userdata \"u\"; control { port 99999; }",
	  "1:10 found \"u\", expected an absolute path\n"
	  "1:30 found \"99999\", expected a number from 1 to 65535\n" },
	{ "pbx a { host \"h@x\"; transport tpc; dtmf no; server \"h:99999\"; server \"h\" wait 1; "
	  "}",
	  "1:14 found \"h@x\", expected a host\n"
	  "1:31 found \"tpc\", expected udp, tcp or tls (did you mean \"tcp\"?)\n"
	  "1:41 found \"no\", expected events, info or tones\n"
	  "1:52 found \"h:99999\", expected HOST:PORT\n"
	  "1:74 found \"wait\", expected server \"HOST[:PORT]\" [priority NUMBER] [weight "
	  "NUMBER]\n" },
	{ "pbx a { host \"h\"; }\npbx b { host \"H\"; challenge x; register \"tel:+1\" auth y; }",
	  "2:14 host H belongs to pbx a already\n2:29 unknown auth \"x\"\n"
	  "2:41 found \"tel:+1\", expected \"sip:USER@HOST\"\n2:55 unknown auth \"y\"\n" },
	{ "interfaces { sip { tls { key \"k\"; } } }",
	  "1:30 found \"k\", expected an absolute path\n"
	  "1:20 tls: \"ca\" is missing: no peer could be verified\n"
	  "1:20 tls: \"certificate\" is missing\n" },
	/* I-05 */
	{ "translation_map t { }",
	  "1:1 unknown keyword \"translation_map\" (did you mean \"translate_map\"?)\n" },
};

static void tells_every_fault_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct diag *diag = diag_new();
		char told[2048];
		struct buf b = BUF_OF(told);
		struct diag_item item;

		assert_null(parse(faults[i].text, diag));
		for (size_t k = 0; diag_get(diag, k, &item); k++)
			if (item.severity == DIAG_ERROR)
				buf_printf(&b, "%u:%u %s\n", item.place.line, item.place.column,
					   item.text);
		assert_string_equal(told, faults[i].told);
		diag_free(&diag);
	}
}

static const struct {
	const char *sip, *told; /* the only warning, or the first */
} warned[] = {
	{ "rtp_port_range 1025 2048;",
	  "sip: rtp_port_range 1025 2048 begins odd: RTP takes even ports" },
	{ "rtp_port_range 2000 2003;", "sip: rtp_port_range 2000 2003 has room for 2 calls" },
	{ "rtp_port_range 1000 2047;",
	  "sip: rtp_port_range 1000 2047: ports below 1024 need a privilege" },
	{ "port 100;", "sip: port 100 needs a privilege" },
	/* I-20 */
	{ "messaging true;",
	  "messaging is true without mailboxes: texts of secure callers go to the SIP side only" },
	{ "extension map s;", "map s is named twice" },
	{ "} } auth a { user \"u\"; password \"p\"; } control { bind 127.0.0.1;",
	  "auth a is not used" },
	{ "} } control { bind 0.0.0.0;", "control: 0.0.0.0 is no loopback address" },
	{ "} } metrics { port 9090; bind 0.0.0.0;", "metrics: 0.0.0.0 is no loopback address" },
	{ "source map n; } } map n { } control { bind 127.0.0.1;", "map n has no entries" },
	{ "source map n; } } map n { entry a tel \"tel:+{x}\" sip \"sip:{x}@{d}\"; } control { ",
	  "map n: what entry a yields can never be used (sip:1@): there is no host" },
};

static void warns_of_what_is_usually_a_slip(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(warned); i++) {
		struct diag *diag = diag_new();
		const struct cig_config *config;
		struct diag_item item;
		char text[1024];

		snprintf(text, sizeof(text), CALLS, warned[i].sip);
		if (strchr(warned[i].sip, '}')) /* the row closes the blocks itself */
			text[strlen(text) - 1] = '\0';
		config = parse(text, diag);
		assert_non_null(config);
		assert_true(diag_get(diag, 0, &item));
		assert_string_equal(item.text, warned[i].told);
		/* with a map n that gives no source calls go one way, which is told, too */
		assert_int_equal(diag_warnings(diag), strstr(warned[i].sip, "map n {") ? 2 : 1);
		cig_config_release(&config);
		diag_free(&diag);
	}
}

/* SMPP 3.4, 5.2.8: the plus of the second rule may be left out, so that it fits. */
static void warns_of_addresses_that_smpp_does_not_have(void **state)
{
	static const char text[] =
		"translate_map t { rule match \"tel:+{n}\" translation \"+{n}\";\n"
		"rule match \"a\" translation \"+12345678901234567890\";\n"
		"rule match \"b{n}\" translation \"{n}1234567890123456789012\"; }\n"
		"message_centers { smpp { hostname \"h\"; port 1; user \"u\"; password \"p\";\n"
		"write { map_from translate_map t; map_to translate_map t; } } }";
	struct diag *diag = diag_new();
	const struct cig_config *config = parse(text, diag);
	struct diag_item item;

	(void)state;
	assert_non_null(config);
	assert_true(diag_get(diag, 0, &item));
	assert_string_equal(item.text, "smpp: rule 3 of translate_map t gives more than the 20 "
				       "octets that an address has in SMPP: its texts are refused");
	assert_int_equal(item.place.line, 4);
	/* once, though both maps are that one; and that no call is routed */
	assert_int_equal(diag_warnings(diag), 2);
	cig_config_release(&config);
	diag_free(&diag);
}

static void warns_of_overlapping_ranges_and_of_open_doors(void **state)
{
	static const char text[] =
		MAPS "interfaces { tel { extension map t; rtp_port_range 2000 2999; }\n"
		     "sip { extension map s; rtp_port_range 2998 3999; } }";
	struct diag *diag = diag_new();
	const struct cig_config *config = parse(text, diag);
	struct sockaddr_in anyone = { .sin_family = AF_INET };
	struct diag_item item;

	(void)state;
	assert_int_equal(diag_warnings(diag), 2);
	diag_get(diag, 0, &item);
	assert_string_equal(item.text,
			    "sip: everyone who reaches port 5060 may call in: name your PBX "
			    "by \"trusted\"");
	diag_get(diag, 1, &item);
	assert_string_equal(item.text,
			    "the rtp_port_range of tel (2000 2999) and of sip (2998 3999) overlap");
	assert_true(cig_config_trusts(config, (void *)&anyone));
	cig_config_release(&config);
	diag_free(&diag);
}

static void lets_in_whom_it_trusts(void **state)
{
	const struct cig_config *config = parse(full, NULL);
	struct sockaddr_in in = { .sin_family = AF_INET };

	(void)state;
	inet_pton(AF_INET, "192.168.77.1", &in.sin_addr);
	assert_true(cig_config_trusts(config, (void *)&in));
	inet_pton(AF_INET, "192.169.77.1", &in.sin_addr);
	assert_false(cig_config_trusts(config, (void *)&in));
	cig_config_release(&config);
}

/* CIG-058, CIG-063 to CIG-068 */
/* They are counted together: cig-sip gets one list. */
static void refuses_more_networks_than_cig_sip_has_room_for(void **state)
{
	enum { TRUSTED = CIG_MAX_NETWORKS - 1 };
	static char text[TRUSTED * 40 + 4096];

	(void)state;
	for (int more = 0; more <= 1; more++) {
		struct buf b = BUF_OF(text);
		struct diag *diag = diag_new();
		const struct cig_config *config = NULL;
		int err;

		buf_put_str(&b, "pbx p { host p.com; network \"192.0.2.1\"; }\n"
				"map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@p.com\"; }\n"
				"map s { entry b tel \"tel:+{x}\" sip \"sip:{x}@s.com\"; }\n"
				"interfaces { tel { extension map t; source map t; }\n"
				" sip { extension map s; source map s;\n");
		for (int i = 0; i < TRUSTED + more; i++)
			buf_printf(&b, "trusted \"10.0.%d.%d\";\n", i / 256, i % 256);
		buf_put_str(&b, "} }\n");
		assert_true(buf_ok(&b));
		err = cig_config_parse("test", buf_slice(&b), diag, &config);
		assert_int_equal(err, more ? -EINVAL : 0);
		if (more)
			assert_non_null(strstr(diag_first_error(diag), "257 networks"));
		cig_config_release(&config);
		diag_free(&diag);
	}
}

static void translates_messages_and_refuses_foreign_senders(void **state)
{
	static const char text[] =
		"translate_map in { rule match \"{n}@h\" translation \"tel:+{n}\";\n"
		" rule match \"x\" translation \"x\"; }\n"
		"translate_map out { rule match \"tel:+{n}\" translation \"Mr {n} & co\"; }\n"
		"mailboxes { read { path \"/r\"; map_from translate_map in; map_to translate_map "
		"in; }\n"
		"write { path \"/w\"; map_from translate_map out; map_to translate_map out; } }";
	static const struct {
		const char *from, *to, *why; /* why NULL: sent */
		enum cig_address_side side;  /* which one of them that is about */
	} in[] = {
		{ "8888@h", "46701@h", NULL, 0 },
		{ "8888;12@h", "46701@h", NULL, 0 },
		{ "88-88@h", "46701@h", NULL, 0 },
		{ "9999@h", "46701@h", "From becomes a tel URI that is not this gateway's",
		  CIG_FROM },
		{ "x", "46701@h", "From does not become a tel URI", CIG_FROM },
		{ "y", "46701@h", "no rule of map_from matches From", CIG_FROM },
		{ "8888@h", "y", "no rule of map_to matches To", CIG_TO },
		{ "8888@h", "x", "To does not become a tel URI", CIG_TO },
		{ "8888@h", "467 01@h", "To does not become a tel URI", CIG_TO },
	};
	const struct cig_config *config = parse(text, NULL);
	struct cig_addresses addresses;

	(void)state;
	for (size_t i = 0; i < COUNT(in); i++) {
		struct cig_address_fault fault;
		int sent = cig_translate_inward(&config->read_mailboxes[0].maps,
						slice_str("tel:+8888"), slice_str(in[i].from),
						slice_str(in[i].to), &addresses, &fault, NULL);

		assert_int_equal(sent, in[i].why == NULL);
		if (in[i].why) {
			assert_string_equal(fault.why, in[i].why);
			assert_int_equal(fault.side, in[i].side);
		} else {
			assert_string_equal(addresses.to, "tel:+46701");
		}
	}
	/* CIG-066: no restriction on the text outwards */
	assert_int_equal(cig_translate_outward(&config->write_mailboxes[0].maps,
					       slice_str("tel:+1"), slice_str("tel:+2"), &addresses,
					       NULL),
			 1);
	assert_string_equal(addresses.from, "Mr 1 & co");
	assert_int_equal(cig_translate_outward(&config->write_mailboxes[0].maps,
					       slice_str("tel:+1"), slice_str("sip:2@h"),
					       &addresses, NULL),
			 0);
	cig_config_release(&config);
}

static const char one_way[] = "map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\"; }\n"
			      "map s { entry b sip \"sip:{x}@{discard}\" tel \"tel:+{x}\"; }\n"
			      "map source { entry c sip \"sip:{x}@%s\" tel \"tel:+8888;%s{x}\"; }\n"
			      "interfaces { tel { extension map t; source map source; }\n"
			      " sip { extension map s; trusted \"10.0.0.0/8\"; } }";

static const struct {
	const char *host, *prefix, *told;
} ways_back[] = {
	{ "pbx.com", "", NULL },
	{ "{discard}", "", NULL },
	{ "other.com", "",
	  "entry a: one-way: calls from sip:101@pbx.com are rejected, for no source map of "
	  "interface tel matches it" },
	{ "pbx.com", "9",
	  "entry a: cannot be called back: sip:101@pbx.com appears as tel:+8888;9101, which does "
	  "not lead to it" },
};

static void warns_of_whom_nobody_can_call_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways_back); i++) {
		struct diag *diag = diag_new();
		const struct cig_config *config;
		struct diag_item item = { .text = NULL };
		char text[1024];

		snprintf(text, sizeof(text), one_way, ways_back[i].host, ways_back[i].prefix);
		config = parse(text, diag);
		assert_non_null(config);
		/* the sip side has no source map: map s, read the other way, gives sip:N@ */
		for (size_t k = 0; diag_get(diag, k, &item); k++)
			if (strncmp(item.text, "entry a: ", 9) == 0)
				break;
		if (ways_back[i].told)
			assert_string_equal(item.text, ways_back[i].told);
		else
			assert_true(!item.text || strncmp(item.text, "entry a: ", 9) != 0);
		cig_config_release(&config);
		diag_free(&diag);
	}
}

static void lives_until_the_last_hold_is_released(void **state)
{
	const struct cig_config *config = parse(full, NULL), *held = cig_config_hold(config);

	(void)state;
	cig_config_release(&config);
	assert_null(config);
	assert_string_equal(held->userdata, "/u");
	cig_config_release(&held);
}

static void reads_a_file_and_tells_who_else_can(void **state)
{
	char path[] = "/tmp/test_cig_config.XXXXXX";
	struct diag *diag = diag_new();
	const struct cig_config *config = NULL;
	int fd = mkstemp(path);
	struct diag_item item;

	(void)state;
	assert_int_equal(write(fd, full, strlen(full)), strlen(full));
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(cig_config_read(path, diag, &config), 0);
	assert_int_equal(diag_warnings(diag), 0);
	assert_string_equal(config->path, path);
	cig_config_release(&config);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(cig_config_read(path, diag, &config), 0);
	diag_get(diag, 0, &item);
	assert_string_equal(item.text, "holds passwords and can be read by everyone: chmod o-r");
	cig_config_release(&config);
	close(fd);
	unlink(path);
	config = NULL;
	assert_int_equal(cig_config_read(path, diag, &config), -ENOENT);
	assert_null(config);
	diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_setting),
		cmocka_unit_test(has_the_manuals_defaults),
		cmocka_unit_test(the_sample_has_neither_faults_nor_warnings),
		cmocka_unit_test(tells_every_fault_at_once),
		cmocka_unit_test(warns_of_what_is_usually_a_slip),
		cmocka_unit_test(warns_of_addresses_that_smpp_does_not_have),
		cmocka_unit_test(warns_of_overlapping_ranges_and_of_open_doors),
		cmocka_unit_test(lets_in_whom_it_trusts),
		cmocka_unit_test(refuses_more_networks_than_cig_sip_has_room_for),
		cmocka_unit_test(translates_messages_and_refuses_foreign_senders),
		cmocka_unit_test(warns_of_whom_nobody_can_call_back),
		cmocka_unit_test(lives_until_the_last_hold_is_released),
		cmocka_unit_test(reads_a_file_and_tells_who_else_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
