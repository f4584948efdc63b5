/* test_cig_slips.c - a trunk's cig.conf with one slip in each case, and what an administrator is
 * told: place, what was found, what was expected; no second fault that is only the first one's
 * consequence. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/cig_config.h"

static const char good[] =
	"// a trunk\n"
	"auth branch {\n"
	"\tuser \"gateway\";\n"
	"\tpassword \"secret\";\n"
	"}\n"
	"map out {\n"
	"\tentry office tel \"tel:+8888;1{ext}\" sip \"sip:1{ext}@pbx.example.com\";\n"
	"\tentry branch tel \"tel:+8888;2{ext}\" sip "
	"\"sip:2{ext}@branch.example.com:5080;transport=tcp\" auth branch;\n"
	"}\n"
	"map shown {\n"
	"\tentry all sip \"sip:{ext}@{discard}\" tel \"tel:+8888;{ext}\";\n"
	"}\n"
	"map in {\n"
	"\tentry zero sip \"sip:00{number}@{discard}\" tel \"tel:+{number}\";\n"
	"}\n"
	"map callers {\n"
	"\tentry all tel \"tel:+{number}\" sip \"sip:00{number}@secure.example.com\";\n"
	"}\n"
	"pbx main {\n"
	"\thost \"pbx.example.com\";\n"
	"\tserver \"192.168.1.10\" priority 1;\n"
	"\tserver \"192.168.1.11\" priority 2 weight 3;\n"
	"\tnetwork \"192.168.1.0/24\";\n"
	"\tprobe_s 30;\n"
	"}\n"
	"translate_map u2m { rule match \"tel:+{n}\" translation \"{n}@secure.example.com\"; }\n"
	"translate_map m2u { rule match \"{n}@secure.example.com\" translation \"tel:+{n}\"; }\n"
	"translate_map e2m { rule match \"tel:+8888;{e}\" translation \"{e}@pbx.example.com\"; }\n"
	"translate_map m2e { rule match \"{e}@pbx.example.com\" translation \"tel:+8888;{e}\"; }\n"
	"mailboxes {\n"
	"\twrite { path \"/mail/out\"; map_from translate_map u2m; map_to translate_map e2m; }\n"
	"\tread { path \"/mail/in\"; map_from translate_map m2e; map_to translate_map m2u; }\n"
	"}\n"
	"interfaces {\n"
	"\ttel {\n"
	"\t\textension map out;\n"
	"\t\tsource map shown;\n"
	"\t\trtp_port_range 20000 20999;\n"
	"\t}\n"
	"\tsip {\n"
	"\t\textension map in;\n"
	"\t\tsource map callers;\n"
	"\t\tbind 192.168.1.1;\n"
	"\t\trtp_port_range 16384 17383;\n"
	"\t\ttrusted \"192.168.1.0/24\";\n"
	"\t}\n"
	"}\n"
	"message_centers {\n"
	"\tsmpp {\n"
	"\t\thostname \"smsc.example.com\";\n"
	"\t\tport 2775;\n"
	"\t\tuser \"tandem\";\n"
	"\t\tpassword \"secret\";\n"
	"\t\tread { map_from translate_map m2e; map_to translate_map m2u; }\n"
	"\t\twrite { map_from translate_map u2m; map_to translate_map e2m; }\n"
	"\t}\n"
	"}\n"
	"expect \"tel:+8888;101\" from \"tel:+46701\" => \"sip:101@pbx.example.com\" from "
	"\"sip:0046701@secure.example.com\";\n";

/* The first old in good is replaced by slip.  told is all of it: errors and warnings. */
static const struct {
	const char *old, *slip, *told;
} cases[] = {
	{ "user \"gateway\";", "user \"gateway\"",
	  "4:2: error: \";\" missing before \"password\"?\n" },
	{ "@pbx.example.com\";\n\tentry", "@pbx.example.com\"\n\tentry",
	  "8:2: error: \";\" missing before \"entry\"?\n" },
	{ "auth branch;\n}", "auth branch;\n",
	  "10:1: error: \"}\" missing before \"map\": \"map out\", opened in line 6, is still "
	  "open\n" },
	{ "map shown {", "map shown", "11:2: error: \"{\" missing behind \"map\"?\n" },
	{ "auth branch;\n}", "auth branch;\n}\n}",
	  "10:1: error: \"}\" closes nothing: no block is open\n" },
	{ "\"sip:1{ext}@pbx.example.com\";", "\"sip:1{ext}@pbx.example.com;",
	  "7:42: error: this string does not end in its line: a closing quote is missing\n" },
	{ "tel \"tel:+8888;1{ext}\"", "tel tel:+8888;1{ext}",
	  "7:19: error: \"tel:+8888\" and what follows must stand in quotes: outside of them \";\" "
	  "ends a statement\n" },
	{ "extension map out", "extention map out",
	  "36:3: error: unknown keyword \"extention\" (did you mean \"extension map\"?)\n" },
	{ "rtp_port_range 16384", "rtp_port_rang 16384",
	  "44:3: error: unknown keyword \"rtp_port_rang\" (did you mean \"rtp_port_range\"?)\n" },
	{ "probe_s 30", "probes 30",
	  "24:2: error: unknown keyword \"probes\" (did you mean \"probe_s\"?)\n" },
	{ "bind 192.168.1.1;", "host \"x\";",
	  "43:3: error: \"host\" does not stand here but inside \"pbx\"\n" },
	{ "// a trunk", "bind 192.168.1.1;",
	  "1:1: error: \"bind\" does not stand here but inside \"tel\", \"sip\", \"smpp\", "
	  "\"control\", \"metrics\"\n" },
	{ "bind 192.168.1.1;", "Bind 192.168.1.1;",
	  "43:3: error: unknown keyword \"Bind\" (did you mean \"bind\"?)\n" },
	{ "probe_s 30;", "probe_s 30 s;", "24:13: error: found \"s\", expected probe_s SECONDS\n" },
	{ "bind 192.168.1.1", "bind 192.168.1",
	  "43:8: error: found \"192.168.1\", expected an IP address\n" },
	{ "bind 192.168.1.1", "bind gw.example.com",
	  "43:8: error: found \"gw.example.com\", expected an IP address\n" },
	{ "bind 192.168.1.1", "bind 192.168.1.1:5060",
	  "43:8: error: found \"192.168.1.1:5060\", expected an IP address\n" },
	{ "trusted \"192.168.1.0/24\"", "trusted \"192.168.1.0/33\"",
	  "45:11: error: found \"192.168.1.0/33\", expected IP/MASK with a mask of the address's "
	  "length\n" },
	{ "trusted \"192.168.1.0/24\"", "trusted \"pbx.example.com\"",
	  "45:11: error: found \"pbx.example.com\", expected IP/MASK\n" },
	{ "port 2775", "port 0", "51:8: error: found \"0\", expected a number from 1 to 65535\n" },
	{ "port 2775", "port 70000",
	  "51:8: error: found \"70000\", expected a number from 1 to 65535\n" },
	{ "port 2775", "port smpp",
	  "51:8: error: found \"smpp\", expected a number from 1 to 65535\n" },
	{ "port 2775", "port -1",
	  "51:8: error: found \"-1\", expected a number from 1 to 65535\n" },
	{ "probe_s 30;", "probe_s 30s;",
	  "24:10: error: found \"30s\", expected a number from 0 to 3600\n" },
	{ "16384 17383", "17383 16384",
	  "44:18: error: found 17383 16384, expected the lower port first\n" },
	{ "16384 17383", "16384", "44:23: error: found \";\", expected rtp_port_range LOW HIGH\n" },
	{ "16384 17383", "16384-17383",
	  "44:29: error: found \";\", expected rtp_port_range LOW HIGH\n" },
	{ "16384 17383", "16384 77383",
	  "44:24: error: found \"77383\", expected a number from 1 to 65535\n" },
	{ "20000 20999", "17000 18000",
	  "44:3: warning: the rtp_port_range of tel (17000 18000) and of sip (16384 17383) "
	  "overlap\n" },
	{ "map shown {", "map out {",
	  "10:1: error: map out is declared twice, first in t.conf:6\n37:14: error: unknown map "
	  "\"shown\"\n" },
	{ "entry branch", "entry office",
	  "8:2: warning: map out: entry office is repeated, it stands in line 7, too\n" },
	{ "bind 192.168.1.1;", "bind 192.168.1.1; bind 192.168.1.2;",
	  "43:21: error: \"bind\" is repeated: it stands in t.conf:43, too\n" },
	{ "message_centers {", "interfaces { }\nmessage_centers {",
	  "48:1: error: \"interfaces\" is repeated: it stands in t.conf:34, too\n" },
	{ "sip {\n\t\textension map in", "sip { }\n\tsip {\n\t\textension map in",
	  "41:2: error: \"sip\" is repeated: it stands in t.conf:40, too\n" },
	{ "translate_map u2m", "pbx main { host \"b\"; }\ntranslate_map u2m",
	  "26:1: error: pbx main is declared twice, first in t.conf:19\n" },
	{ "translate_map u2m", "pbx other { host \"pbx.example.com\"; }\ntranslate_map u2m",
	  "26:18: error: host pbx.example.com belongs to pbx main already\n" },
	{ "source map shown", "source map show",
	  "37:14: error: unknown map \"show\" (did you mean \"shown\"?)\n" },
	{ "auth branch;\n}", "auth brach;\n}",
	  "8:98: error: unknown auth \"brach\" (did you mean \"branch\"?)\n" },
	{ "map_from translate_map u2m", "map_from translate_map u2n",
	  "31:51: error: unknown translate_map \"u2n\" (did you mean \"u2m\"?)\n" },
	{ "map_from translate_map u2m", "map_from translate_map out",
	  "31:51: error: \"out\" is a map, expected a translate_map here\n" },
	{ "source map shown", "source map u2m",
	  "37:14: error: \"u2m\" is a translate_map, expected a map here\n" },
	{ "map_from translate_map u2m", "map_from map u2m",
	  "31:37: error: found \"map\", expected \"translate_map\" behind \"map_from\"\n" },
	{ "tel {\n\t\textension", "phone {\n\t\textension",
	  "35:2: error: unknown keyword \"phone\", expected \"tel\", \"sip\"\n" },
	{ "password \"secret\";\n}\nmap",
	  "password \"secret\"; password_file \"tight.secret\";\n}\nmap",
	  "4:21: error: auth has a password already\n" },
	{ "password \"secret\";\n}\nmap", "}\nmap",
	  "2:1: error: auth branch: \"password\" is missing\n" },
	{ "sip \"sip:1{ext}@pbx.example.com\";", ";",
	  "7:38: error: found \";\", expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth "
	  "ACCOUNT]\n" },
	{ "tel \"tel:+8888;1{ext}\" sip \"sip:1{ext}@pbx.example.com\"",
	  "tel \"tel:+8888;1{ext}\" tel \"tel:+88881{ext}\"",
	  "7:38: error: found \"tel\", expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth "
	  "ACCOUNT]\n" },
	{ "entry office tel", "entry tel",
	  "7:63: error: found \";\", expected entry NAME sip \"SIP-URI\" tel \"TEL-URI\" [auth "
	  "ACCOUNT]\n" },
	{ "tel \"tel:+8888;1{ext}\" sip \"sip:1{ext}@pbx.example.com\"",
	  "sip \"tel:+8888;1{ext}\" tel \"sip:1{ext}@pbx.example.com\"",
	  "7:2: warning: entry office: the sides are swapped: \"sip:1{ext}@pbx.example.com\" is "
	  "the sip side\n" },
	{ "{ext}@pbx.example.com\"", "{ext@pbx.example.com\"",
	  "7:2: error: \"sip:1{ext@pbx.example.com\": \"{\" without \"}\"\n" },
	{ "sip:1{ext}@pbx", "sip:1{}@pbx",
	  "7:2: error: \"sip:1{}@pbx.example.com\": a parameter without a name\n" },
	{ "\"tel:+8888;1{ext}\"", "\"tel:+8888;{ext}1{ext}\"",
	  "7:2: error: \"tel:+8888;{ext}1{ext}\": a parameter stands twice\n" },
	{ "\"tel:+8888;1{ext}\"", "\"+8888;1{ext}\"",
	  "7:2: error: entry office: found sip \"sip:1{ext}@pbx.example.com\" and tel "
	  "\"+8888;1{ext}\", expected one that begins with \"sip:\" and one that begins with "
	  "\"tel:\"\n" },
	{ "\"sip:1{ext}@pbx.example.com\"", "\"sips:1{ext}@pbx.example.com\"",
	  "7:2: error: entry office: found sip \"sips:1{ext}@pbx.example.com\" and tel "
	  "\"tel:+8888;1{ext}\", expected one that begins with \"sip:\" and one that begins with "
	  "\"tel:\"\n" },
	{ "\"sip:1{ext}@pbx.example.com\"", "\"sip:1{ext}\"",
	  "7:2: warning: entry office: the sip side has no \"@\": all of it is a host\n58:1: "
	  "error: expectation failed: tel:+8888;101 is rejected: 484, new to-URI: the user part is "
	  "empty\n" },
	{ "\"sip:1{ext}@pbx.example.com\"", "\"sip:1{ext}@{host}\"",
	  "58:1: error: expectation failed: tel:+8888;101 is rejected: 404, new to-URI: there is "
	  "no host\n" },
	{ "@branch.example.com:5080", "@branch.example.com:508000",
	  "8:2: error: entry branch: the sip side is no URI: the port is no number from 1 to "
	  "65535\n" },
	{ "transport=tcp", "transport=sctp",
	  "8:2: error: entry branch: the sip side is no URI: its transport is none of udp, tcp, "
	  "tls\n" },
	{ "\"tel:+8888;1{ext}\"", "\"tel:+8888; 1{ext}\"",
	  "7:2: warning: \"tel:+8888; 1{ext}\": the blank is ignored, URIs have none\n" },
	{ "\"tel:+8888;1{ext}\"", "\"tel:8888;1{ext}\"",
	  "7:2: warning: entry office: the tel side is never met: a number begins with "
	  "\"+\"\n58:1: error: expectation failed: tel:+8888;101 is rejected: 404, no extension "
	  "map of interface tel matches the to-URI (out)\n" },
	{ "\"tel:+8888;1{ext}\" sip \"sip:1{ext}", "\"tel:+8888;1{ext}\" sip \"sip:1{EXT}",
	  "7:2: warning: entry office: {EXT} stands on the sip side only: dropped one way, empty "
	  "the other\n7:2: warning: entry office: {ext} stands on the tel side only: dropped one "
	  "way, empty the other\n58:1: error: expectation failed: tel:+8888;101 from tel:+46701 "
	  "becomes sip:1@pbx.example.com from sip:0046701@secure.example.com, by entry office "
	  "(t.conf:7)\n" },
	{ "\"tel:+8888;1{ext}\"", "\"tel:+8888;1[0-9]*\"",
	  "7:2: warning: entry office: \"[\" stands for itself: a pattern knows {name} only, which "
	  "is any text\n7:2: warning: entry office: {ext} stands on the sip side only: dropped one "
	  "way, empty the other\n58:1: error: expectation failed: tel:+8888;101 is rejected: 404, "
	  "no extension map of interface tel matches the to-URI (out)\n" },
	{ "sip:1{ext}@pbx", "sip:1{ext}\xff@pbx",
	  "7:53: error: octet 0xff is not UTF-8: save the file as UTF-8\n" },
	{ "sip:1{ext}@pbx", "sip:1{ext}\x01@pbx",
	  "7:53: error: a control character inside of a text: take it out\n" },
	{ "sip:1{ext}@pbx", "sip:1\t{ext}@pbx",
	  "7:48: error: a tab inside of a text: take it out\n" },
	{ "user \"gateway\";", "user \xe2\x80\x9cgateway\xe2\x80\x9d;",
	  "3:7: error: a typographic quote: write plain \" quotes\n" },
	{ "user \"gateway\";", "user\xc2\xa0\"gateway\";",
	  "3:6: warning: a no-break space, taken as a blank\n" },
	{ "// a trunk", "/* a trunk", "1:1: error: this comment never ends: \"*/\" is missing\n" },
	{ "// a trunk", "# a trunk",
	  "1:1: error: \"#\" begins no comment here: write // or /* ... */\n" },
	{ "// a trunk", "a trunk */",
	  "1:1: error: found \"a\", text outside of a comment: is \"/*\" missing before it?\n" },
	{ "port 2775;", "port = 2775;",
	  "51:8: error: \"=\" does not stand between a keyword and its value: write port "
	  "NUMBER\n" },
	{ "port 2775;", "port: 2775;",
	  "51:3: error: found \"port:\": write \"port\", a blank and the value, without \":\" or "
	  "\"=\"\n" },
	{ "host \"pbx.example.com\";\n", "", "19:1: error: pbx main: \"host\" is missing\n" },
	{ "priority 1", "prio 1",
	  "21:24: error: found \"prio\", expected server \"HOST[:PORT]\" [priority NUMBER] [weight "
	  "NUMBER]\n" },
	{ "priority 1", "priority -1",
	  "21:33: error: found \"-1\", expected a number from 0 to 65535\n" },
	{ "probe_s 30", "transport sctp",
	  "24:12: error: found \"sctp\", expected udp, tcp or tls (did you mean \"tcp\"?)\n" },
	{ "probe_s 30", "transport tls",
	  "19:1: error: pbx main: transport tls, and sip has no tls block: write tls { "
	  "certificate \"FILE\"; ca \"FILE\"; } there\n" },
	{ ";transport=tcp", ";transport=TLS",
	  "8:2: error: entry branch: transport=tls, and sip has no tls block: write tls { "
	  "certificate \"FILE\"; ca \"FILE\"; } there\n" },
	/* by a source map no call goes anywhere */
	{ "map callers {\n",
	  "map callers {\n\tentry tls tel \"tel:+99{n}\" sip "
	  "\"sip:0099{n}@x.example;transport=tls\";\n",
	  "" },
	{ "probe_s 30", "challenge nobody", "24:12: error: unknown auth \"nobody\"\n" },
	{ "probe_s 30", "register \"a@b\" auth branch",
	  "24:11: error: found \"a@b\", expected \"sip:USER@HOST\"\n" },
	{ "/mail/out", "box/out", "31:15: error: found \"box/out\", expected an absolute path\n" },
	{ "/mail/in", "/mail/out",
	  "32:14: error: the mailbox of t.conf:31 has this path already\n" },
	{ "map_to translate_map e2m; }\n\tread", "}\n\tread",
	  "31:2: error: write: \"map_to translate_map NAME;\" is missing\n" },
	{ " translation \"{n}@secure.example.com\"", "",
	  "26:42: error: found \";\", expected rule match \"TEXT\" translation \"TEXT\"\n" },
	{ "\"{n}@secure.example.com\"; }\ntranslate_map m2u",
	  "\"{m}@secure.example.com\"; }\ntranslate_map m2u",
	  "26:21: warning: {m} stands in the translation only: it is always empty\n" },
	{ "=> \"sip:101@", "=> \"sip:102@",
	  "58:1: error: expectation failed: tel:+8888;101 from tel:+46701 becomes "
	  "sip:101@pbx.example.com from sip:0046701@secure.example.com, by entry office "
	  "(t.conf:7)\n" },
	{ "=> \"sip:101@", "\"sip:101@",
	  "58:42: error: found \"sip:101@pbx.example.com\", expected expect \"URI\" [from \"URI\"] "
	  "=> \"URI\" [from \"URI\"] | reject [CODE]\n" },
	{ "\t\tuser \"tandem\";\n", "", "49:2: error: smpp: \"user\" is missing\n" },
	{ "password \"secret\";\n\t\tread", "password \"longer than eight\";\n\t\tread",
	  "49:2: error: smpp: a password has at most 8 octets in SMPP\n" },
	{ "map shown {", "map {",
	  "10:5: error: found \"{\", expected map NAME\n37:14: error: unknown map \"shown\"\n" },
	{ "map shown {", "map \"shown map\" {",
	  "10:5: error: found \"shown map\", expected a map's name: 1 to 64 letters, digits, "
	  "\"_\", \".\", \"-\"\n37:14: error: unknown map \"shown\"\n" },
	{ "user \"gateway\";", "user 'gateway;",
	  "3:7: error: this string does not end in its line: a closing quote is missing\n" },
	{ "expect \"tel:+8888;101\"", "}\nexpect \"tel:+8888;101\"",
	  "58:1: error: \"}\" closes nothing: no block is open\n" },
};

/* Errors and warnings as "LINE:COLUMN: error: TEXT", by their places. */
static void read_told(const char *text, char *out, size_t outsz)
{
	struct diag *diag = diag_new();
	const struct cig_config *config = NULL;
	char *printed = NULL;
	size_t size;
	FILE *to = open_memstream(&printed, &size);
	struct buf b = buf_over(out, outsz);

	cig_config_parse("t.conf", slice_str(text), diag, &config);
	cig_config_release(&config);
	diag_print(diag, to);
	fclose(to);
	for (const char *line = printed; *line; line += strcspn(line, "\n") + 1) {
		line += strlen("t.conf:");
		buf_printf(&b, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
	free(printed);
	diag_free(&diag);
}

static void replace(const char *old, const char *with, char *out, size_t outsz)
{
	const char *at = strstr(good, old);

	assert_non_null(at);
	snprintf(out, outsz, "%.*s%s%s", (int)(at - good), good, with, at + strlen(old));
}

static void the_trunk_itself_is_sound(void **state)
{
	char told[256];

	(void)state;
	read_told(good, told, sizeof(told));
	assert_string_equal(told, "");
}

/* CIG-025, CIG-028, CIG-037, CIG-038, CIG-039, CIG-103 */
static void each_slip_is_told_with_place_and_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[8192], told[4096];

		replace(cases[i].old, cases[i].slip, text, sizeof(text));
		read_told(text, told, sizeof(told));
		if (strcmp(told, cases[i].told) != 0)
			fail_msg("\"%s\" for \"%s\":\n%s", cases[i].slip, cases[i].old, told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_trunk_itself_is_sound),
		cmocka_unit_test(each_slip_is_told_with_place_and_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
