/* cig_config_print.c - the loaded configuration for the log, without passwords. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/cig_config_priv.h"
#include "maps/map.h"

enum { MAX_LINE = 2048, MAX_PRINTED = 1000 /* entries or rules of a map */ };

struct printer {
	void (*line)(void *arg, const char *text);
	void *arg;
	bool whole; /* all entries, and passwords as they are */
};

static const char *shown(const struct printer *p, const char *password)
{
	return p->whole ? password : "***";
}

static void print(const struct printer *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void print(const struct printer *p, const char *fmt, ...)
{
	char text[MAX_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->line(p->arg, text);
}

static void print_map(const struct printer *p, const struct map *map)
{
	char text[MAX_LINE];
	size_t n = map_entries(map);

	print(p, "map %s {", map_name(map));
	for (size_t i = 0; i < n && (p->whole || i < MAX_PRINTED); i++) {
		struct buf b = BUF_OF(text);

		map_entry_write(map_entry_at(map, i), &b);
		print(p, "    %s", text);
	}
	if (n > MAX_PRINTED && !p->whole)
		print(p, "    // and %zu more", n - MAX_PRINTED);
	p->line(p->arg, "}");
}

static void print_translate_map(const struct printer *p, const struct translate_map *map)
{
	char text[MAX_LINE];
	size_t n = translate_map_rules(map);

	print(p, "translate_map %s {", translate_map_name(map));
	for (size_t i = 0; i < n && (p->whole || i < MAX_PRINTED); i++) {
		struct buf b = BUF_OF(text);

		translate_map_write_rule(map, i, &b);
		print(p, "    %s", text);
	}
	if (n > MAX_PRINTED && !p->whole)
		print(p, "    // and %zu more", n - MAX_PRINTED);
	p->line(p->arg, "}");
}

static void print_common(const struct printer *p, const struct router *router,
			 enum route_interface interface, const struct cig_interface *common)
{
	static const char *const uses[] = {
		[ROUTE_EXTENSION] = "extension", [ROUTE_SOURCE] = "source"
	};
	const struct map *map;

	for (int use = ROUTE_EXTENSION; use <= ROUTE_SOURCE; use++)
		for (size_t i = 0;
		     (map = router_used_map(router, interface, (enum route_use)use, i)); i++)
			print(p, "        %s map %s;", uses[use], map_name(map));
	if (common->bind[0])
		print(p, "        bind %s;", common->bind);
	if (common->bind_media[0])
		print(p, "        bind_media %s;", common->bind_media);
	if (common->rtp.low)
		print(p, "        rtp_port_range %u %u;", common->rtp.low, common->rtp.high);
	for (size_t i = 0; i < common->override_count; i++)
		print(p, "        rtp_remote_addr_override %s %s;", common->overrides[i].from,
		      common->overrides[i].to);
}

static void print_tel(const struct printer *p, const struct cig_config *config)
{
	const struct cig_tel *tel = &config->tel;

	p->line(p->arg, "    tel {");
	print_common(p, cig_config_router(config), ROUTE_TEL, &tel->common);
	if (tel->crs_host[0])
		print(p, "        crs_address \"%s:%u\";", tel->crs_host, tel->crs_port);
	for (size_t i = 0; i < tel->trust_domain_count; i++)
		print(p, "        trust_domain \"%s\";", tel->trust_domains[i]);
	p->line(p->arg, "    }");
}

static void print_net(const struct printer *p, const char *keyword, const struct config_net *net)
{
	char address[CONFIG_IP_SIZE];

	inet_ntop(net->family, net->address, address, sizeof(address));
	print(p, "%s \"%s/%u\";", keyword, address, net->prefix_bits);
}

static void print_tls(const struct printer *p, const struct cig_tls *tls)
{
	if (!tls->ca)
		return;
	p->line(p->arg, "        tls {");
	print(p, "            port %u;", tls->port);
	print(p, "            certificate \"%s\";", tls->certificate);
	print(p, "            key \"%s\";", tls->key);
	print(p, "            ca \"%s\";", tls->ca);
	print(p, "            verify_clients %s;", tls->verify_clients ? "true" : "false");
	p->line(p->arg, "        }");
}

static void print_hep(const struct printer *p, const struct cig_hep *hep)
{
	char collector[NET_TEXT_SIZE];

	if (!hep->collector.len)
		return;
	net_format(&hep->collector, collector);
	p->line(p->arg, "        hep {");
	print(p, "            collector \"%s\";", collector);
	print(p, "            id %u;", hep->id);
	if (hep->password[0])
		print(p, "            password \"%s\";", shown(p, hep->password));
	p->line(p->arg, "        }");
}

static void print_sip(const struct printer *p, const struct cig_config *config)
{
	const struct cig_sip *sip = &config->sip;

	p->line(p->arg, "    sip {");
	print_common(p, cig_config_router(config), ROUTE_SIP, &sip->common);
	print(p, "        port %u;", sip->port);
	print(p, "        messaging %s;", sip->messaging ? "true" : "false");
	if (sip->sip_trace)
		p->line(p->arg, "        sip_trace true;");
	if (sip->max_calls)
		print(p, "        max_calls %u;", sip->max_calls);
	if (sip->max_call_s)
		print(p, "        max_call_s %u;", sip->max_call_s);
	if (sip->udp_max_bytes)
		print(p, "        udp_max_bytes %u;", sip->udp_max_bytes);
	print(p, "        media_timeout_s %u;", sip->media_timeout_s);
	print(p, "        session_expires_s %u;", sip->session_expires_s);
	print(p, "        min_session_expires_s %u;", sip->min_session_expires_s);
	print_tls(p, &sip->tls);
	print_hep(p, &sip->hep);
	for (size_t i = 0; i < sip->trusted_count; i++)
		print_net(p, "        trusted", &sip->trusted[i]);
	for (size_t i = 0; i < sip->nameserver_count; i++) {
		char server[NET_TEXT_SIZE];

		net_format(&sip->nameservers[i], server);
		print(p, "        nameserver \"%s\";", server);
	}
	p->line(p->arg, "    }");
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

static void print_server(const struct printer *p, const struct cig_pbx_server *server)
{
	bool v6 = strchr(server->host, ':') != NULL;
	char port[8] = "";

	if (server->port)
		snprintf(port, sizeof(port), ":%u", server->port);
	print(p, "    server \"%s%s%s%s\" priority %u weight %u;", v6 ? "[" : "", server->host,
	      v6 ? "]" : "", port, server->priority, server->weight);
}

static void print_pbx(const struct printer *p, const struct cig_pbx *pbx)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	static const char *const dtmf[] = { "events", "info", "tones" };
	static const char *const diversions[] = { "refuse", "maps" };
	static const char *const srtp[] = { "off", "optional", "required" };

	print(p, "pbx %s {", pbx->name);
	for (size_t i = 0; i < pbx->host_count; i++)
		print(p, "    host \"%s\";", pbx->hosts[i]);
	for (size_t i = 0; i < pbx->server_count; i++)
		print_server(p, &pbx->servers[i]);
	for (size_t i = 0; i < pbx->network_count; i++)
		print_net(p, "    network", &pbx->networks[i]);
	if (pbx->has_transport)
		print(p, "    transport %s;", transports[pbx->transport]);
	print(p, "    probe_s %u;", pbx->probe_s);
	if (pbx->answer_timeout_s)
		print(p, "    answer_timeout_s %u;", pbx->answer_timeout_s);
	print(p, "    dtmf %s;", dtmf[pbx->dtmf]);
	print(p, "    reliable %s;", truth(pbx->reliable));
	print(p, "    asserted_identity %s;", truth(pbx->asserted_identity));
	print(p, "    assert_identity %s;", truth(pbx->assert_identity));
	print(p, "    remote_party_id %s;", truth(pbx->remote_party_id));
	print(p, "    srtp %s;", srtp[pbx->srtp]);
	print(p, "    srtp_without_tls %s;", truth(pbx->srtp_without_tls));
	print(p, "    redirects %s;", diversions[pbx->redirects]);
	if (pbx->challenge)
		print(p, "    challenge %s;", pbx->challenge->name);
	if (pbx->register_uri)
		print(p, "    register \"%s\" auth %s expires %u;", pbx->register_uri,
		      pbx->register_account->name, pbx->register_s);
	p->line(p->arg, "}");
}

static void print_maps(const struct printer *p, const char *indent,
		       const struct cig_address_maps *maps)
{
	print(p, "%smap_from translate_map %s;", indent, translate_map_name(maps->from));
	print(p, "%smap_to translate_map %s;", indent, translate_map_name(maps->to));
}

static void print_mailboxes(const struct printer *p, const char *keyword,
			    const struct cig_mailbox *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print(p, "    %s {", keyword);
		print(p, "        path \"%s\";", list[i].path);
		print_maps(p, "        ", &list[i].maps);
		p->line(p->arg, "    }");
	}
}

static void print_direction(const struct printer *p, const char *keyword,
			    const struct cig_address_maps *maps)
{
	print(p, "        %s {", keyword);
	print_maps(p, "            ", maps);
	p->line(p->arg, "        }");
}

static void print_rule(const struct printer *p, const char *side,
		       const struct smpp_address_rule *rule)
{
	if (rule->ton >= 0)
		print(p, "        %s_ton %d;", side, rule->ton);
	if (rule->npi >= 0)
		print(p, "        %s_npi %d;", side, rule->npi);
}

static void print_center_tls(const struct printer *p, const struct smpp_tls_files *files)
{
	p->line(p->arg, "        tls {");
	if (files->ca)
		print(p, "            ca \"%s\";", files->ca);
	if (files->certificate)
		print(p, "            certificate \"%s\";", files->certificate);
	if (files->key)
		print(p, "            key \"%s\";", files->key);
	p->line(p->arg, "        }");
}

/* How a center is spoken to, which also tells two configurations of it apart. */
static void print_center_wire(const struct printer *p, const struct cig_message_center *center)
{
	for (size_t i = 0; i < center->alternative_count; i++)
		print(p, "        alternative \"%s:%u\";", center->alternatives[i].host,
		      center->alternatives[i].port);
	if (center->bind[0])
		print(p, "        bind %s;", center->bind);
	if (center->tls.on)
		print_center_tls(p, &center->tls.files);
	if (center->system_type)
		print(p, "        system_type \"%s\";", center->system_type);
	if (center->address_range)
		print(p, "        address_range \"%s\";", center->address_range);
	if (center->service_type)
		print(p, "        service_type \"%s\";", center->service_type);
	print(p, "        mode %s;", center->pair ? "pair" : "transceiver");
	print(p, "        window %u;", center->window);
	print(p, "        rate_per_s %u;", center->rate_per_s);
	print(p, "        enquire_link_s %u;", center->enquire_link_s);
	print(p, "        response_timeout_s %u;", center->response_timeout_s);
	print(p, "        throttle_ms %u;", center->throttle_ms);
}

static void print_center_ours(const struct printer *p, const struct cig_message_center *center)
{
	static const char *const policies[] = { "placeholder", "refuse", "drop" };

	print_center_wire(p, center);
	print(p, "        alphabet %s;", smpp_alphabet_name(center->alphabet));
	print(p, "        long_texts %s;", smpp_long_form_name(center->long_texts));
	print(p, "        join_timeout_s %u;", center->join_timeout_s);
	print_rule(p, "source", &center->source);
	print_rule(p, "destination", &center->destination);
	print(p, "        keep_plus %s;", center->source.keep_plus ? "true" : "false");
	print(p, "        receipts %s;", center->receipts ? "true" : "false");
	print(p, "        receipt_timeout_s %u;", center->receipt_timeout_s);
	print(p, "        validity %s;", center->validity ? "true" : "false");
	print(p, "        unanswered %s;", center->repeat_unanswered ? "repeat" : "fail");
	print(p, "        attachments %s;", policies[center->attachments]);
	for (size_t i = 0; i < center->rule_count; i++) {
		char number[SMPP_STATUS_TEXT];

		print(p, "        on_status %s %s;",
		      smpp_status_name(center->rules[i].status, number),
		      cig_fate_name(center->rules[i].fate));
	}
}

static void print_center(const struct printer *p, const struct cig_message_center *center)
{
	p->line(p->arg, "    smpp {");
	print(p, "        hostname \"%s\";", center->hostname);
	print(p, "        port %u;", center->port);
	print(p, "        user \"%s\";", center->user);
	print(p, "        password \"%s\";", shown(p, center->password));
	print_center_ours(p, center);
	if (center->reads)
		print_direction(p, "read", &center->read);
	if (center->writes)
		print_direction(p, "write", &center->write);
	p->line(p->arg, "    }");
}

static void print_messages(const struct printer *p, const struct cig_config *config)
{
	if (config->read_mailbox_count + config->write_mailbox_count > 0) {
		p->line(p->arg, "mailboxes {");
		print_mailboxes(p, "read", config->read_mailboxes, config->read_mailbox_count);
		print_mailboxes(p, "write", config->write_mailboxes, config->write_mailbox_count);
		p->line(p->arg, "}");
	}
	if (config->message_center_count > 0) {
		p->line(p->arg, "message_centers {");
		for (size_t i = 0; i < config->message_center_count; i++)
			print_center(p, &config->message_centers[i]);
		p->line(p->arg, "}");
	}
}

static void print_all(const struct printer *p, const struct cig_config *config)
{
	const struct cig_config_object *object = (const struct cig_config_object *)config;
	const struct map *map;

	/* In the order in which a reader needs them, with what is pointed to before what
	 * points. */
	for (size_t i = 0; i < config->account_count; i++)
		print(p, "auth %s { user \"%s\"; password \"%s\"; }", config->accounts[i].name,
		      config->accounts[i].user, shown(p, config->accounts[i].password));
	for (size_t i = 0; i < config->pbx_count; i++)
		print_pbx(p, &config->pbxs[i]);
	for (size_t i = 0; (map = router_map_at(object->router, i)); i++)
		print_map(p, map);
	p->line(p->arg, "interfaces {");
	print_tel(p, config);
	print_sip(p, config);
	p->line(p->arg, "}");
	for (size_t i = 0; i < object->translate_map_count; i++)
		print_translate_map(p, object->translate_maps[i]);
	print_messages(p, config);
	print(p, "userdata \"%s\";", config->userdata);
	print(p, "log_dir \"%s\";", config->log_dir);
	print(p, "run_dir \"%s\";", config->run_dir);
	print(p, "mail_group \"%s\";", config->mail_group);
	print(p, "control { bind %s; port %u; }", config->control_bind, config->control_port);
	if (config->metrics_port)
		print(p, "metrics { bind %s; port %u; }", config->metrics_bind,
		      config->metrics_port);
}

void cig_config_print(const struct cig_config *config, void (*line)(void *arg, const char *text),
		      void *arg)
{
	const struct printer p = { line, arg, false };

	print_all(&p, config);
}

void cig_config_write(const struct cig_config *config, void (*line)(void *arg, const char *text),
		      void *arg)
{
	const struct printer p = { line, arg, true };

	print_all(&p, config);
}

static void put_count(struct buf *b, size_t n, const char *one, const char *many)
{
	buf_printf(b, "%s%zu %s", b->len ? ", " : "", n, n == 1 ? one : many);
}

void cig_config_summary(const struct cig_config *config, char *out, size_t outsz)
{
	const struct cig_config_object *object = (const struct cig_config_object *)config;
	struct buf b = buf_over(out, outsz);
	size_t maps = 0, entries = 0;
	const struct map *map;

	for (; (map = router_map_at(object->router, maps)); maps++)
		entries += map_entries(map);
	put_count(&b, maps, "map", "maps");
	buf_printf(&b, " with %zu %s", entries, entries == 1 ? "entry" : "entries");
	put_count(&b, object->translate_map_count, "translate map", "translate maps");
	put_count(&b, config->account_count, "account", "accounts");
	put_count(&b, config->read_mailbox_count, "read mailbox", "read mailboxes");
	put_count(&b, config->write_mailbox_count, "write mailbox", "write mailboxes");
	put_count(&b, config->message_center_count, "message center", "message centers");
}
