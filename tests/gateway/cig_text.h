/* cig_text.h - texts of cig.conf for tests, and reading them. */
#ifndef TESTS_GATEWAY_CIG_TEXT_H
#define TESTS_GATEWAY_CIG_TEXT_H

#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "gateway/cig_config.h"
#include "maps/map.h"

#define MAPS                                                                                       \
	"map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\"; }\n"                       \
	"map s { entry b tel \"tel:+{x}\" sip \"sip:{x}@secure.com\"; }\n"
#define CALLS                                                                                      \
	MAPS "interfaces { tel { extension map t; } sip { extension map s; "                       \
	     "trusted \"10.0.0.0/8\"; %s } }"

static const char full[] =
	"auth acc { user \"u\"; password \"p;{w}\\\"; }\n"
	"map t { entry a tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\" auth acc; }\n"
	"map s { entry b sip \"sip:{x}@secure.com\" tel \"tel:+{x}\"; }\n"
	"interfaces {\n"
	" tel { extension map t; bind 10.0.0.1; rtp_port_range 30000 30999;\n"
	"  rtp_remote_addr_override 1.1.1.1 2.2.2.2; rtp_remote_addr_override 3.3.3.3 4.4.4.4;\n"
	"  crs_address \"crs.example:5223\"; trust_domain \"00112233445566778899aabbccddeeff\";\n"
	"  trust_domain \"0123 4567 89AB CDEF 0123 4567 89AB CDEF\"; }\n"
	" sip { extension map s; source map s; bind 192.168.1.1; bind_media 192.168.1.2; port "
	"5070;\n"
	"  messaging true; rtp_port_range 40000 40999; max_calls 50; max_call_s 7200; sip_trace "
	"true; "
	"udp_max_bytes 1300; media_timeout_s 5; hep { collector \"192.0.2.9\"; id 7; password "
	"\"p\"; }\n"
	"  session_expires_s 1800; min_session_expires_s 120;\n"
	"  tls { port 5062; certificate \"/c.pem\"; ca \"/ca.pem\"; verify_clients true; }\n"
	"  trusted \"192.168.0.0/16\"; trusted \"2001:db8::/32\";\n"
	"  nameserver \"192.168.1.9\"; nameserver \"[2001:db8::9]:5353\"; }\n"
	"}\n"
	"pbx main { host \"pbx.com\"; host \"pbx.org\"; server \"10.1.0.1:5080\" priority 1;\n"
	" server \"[2001:db8::5]:5060\" weight 7 priority 2; server \"sip.pbx.com\";\n"
	" network \"10.1.0.0/16\"; transport tcp; probe_s 10; answer_timeout_s 2;\n"
	" dtmf info; reliable true; asserted_identity true; assert_identity true;\n"
	" remote_party_id true;\n"
	" srtp optional; srtp_without_tls true;\n"
	" redirects maps; challenge acc;\n"
	" register \"sip:gw@pbx.com\" auth acc expires 600; }\n"
	"translate_map out { rule match \"tel:+{n}\" translation \"{n}@h\"; }\n"
	"translate_map in { rule translation \"tel:+{n}\" match \"{n}@h\"; }\n"
	"mailboxes { read { path \"/m/r\"; map_from translate_map in; map_to translate_map in; }\n"
	" write { path \"/m/w\"; map_from translate_map out; map_to translate_map out; } }\n"
	"message_centers { smpp { hostname \"smsc\"; port 2775; user \"su\"; password \"sp\";\n"
	" on_status ESME_RSUBMITFAIL fail; on_status 0x401 pause; on_status rsyserr retry;\n"
	" write { map_from translate_map out; map_to translate_map out; } } }\n"
	"userdata \"/u\"; log_dir \"/l\"; run_dir \"/r\"; mail_group \"\";\n"
	"control { bind 127.0.0.1; port 18083; } metrics { bind ::1; port 9090; }\n";

static const struct cig_config *parse(const char *text, struct diag *diag)
{
	const struct cig_config *config = NULL;
	int err = cig_config_parse("cig.conf", slice_str(text), diag, &config);

	assert_int_equal(err == 0, config != NULL);
	return config;
}

#endif
