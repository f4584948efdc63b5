/* status_report.c - /status: the parts' own reports put together, and what is wrong
 * in words. */
#include "gateway/status_report.h"

#include <string.h>

#include "base/clock.h"
#include "build-config.h"
#include "gateway/calls.h"
#include "gateway/control_api.h"
#include "gateway/pbxs.h"
#include "gateway/secure_side.h"
#include "gateway/texts.h"
#include "gateway/texts_smpp.h"

static void add_text_problems(const struct control_api_parts *parts, json_t *list)
{
	json_t *texts = texts_report(parts->texts), *box;
	const char *journal = json_string_value(json_object_get(texts, "journal"));
	size_t i;

	if (*journal)
		json_array_append_new(
			list, json_sprintf("messages are left at the rendezvous: %s", journal));

	json_array_foreach(json_object_get(texts, "mailboxes"), i, box)
	{
		const char *reason = json_string_value(json_object_get(box, "reason"));

		if (*reason)
			json_array_append_new(
				list, json_sprintf("mailbox %s: %s",
						   json_string_value(json_object_get(box, "path")),
						   reason));
	}
	json_decref(texts);
}

/* Only what is known to be wrong: one that was never asked may well be there. */
static void add_pbx_problems(const struct control_api_parts *parts, json_t *list)
{
	json_t *pbxs = pbxs_report(parts->pbxs), *pbx;
	size_t i;

	json_array_foreach(pbxs, i, pbx)
	{
		const json_t *registration = json_object_get(pbx, "registration");
		const char *state = json_string_value(json_object_get(registration, "state"));
		const char *name = json_string_value(json_object_get(pbx, "name"));
		const char *why = json_string_value(json_object_get(pbx, "why"));

		if (strcmp(json_string_value(json_object_get(pbx, "state")), "DOWN") == 0)
			json_array_append_new(list,
					      json_sprintf("pbx %s: no server answers", name));
		else if (state && strcmp(state, "REFUSED") == 0)
			json_array_append_new(
				list, json_sprintf("pbx %s: the registration is refused", name));
		else if (*why)
			json_array_append_new(list, json_sprintf("pbx %s: %s", name, why));
	}
	json_decref(pbxs);
}

static void add_center_problems(const struct control_api_parts *parts, json_t *list)
{
	json_t *centers = texts_smpp_report(parts->smpp), *center;
	size_t i;

	json_array_foreach(centers, i, center)
	{
		const char *why = json_string_value(json_object_get(center, "why"));

		if (*why)
			json_array_append_new(
				list,
				json_sprintf("message center %s: %s",
					     json_string_value(json_object_get(center, "name")),
					     why));
	}
	json_decref(centers);
}

/* Sentences for people, in the order in which an administrator would mend them: without
 * keys there is no rendezvous, without a rendezvous no call. */
static json_t *problems(const struct control_api_parts *parts)
{
	const struct calls_world *world = calls_world(parts->calls);
	const Relay__Polled *load = relay_link_load(parts->relay);
	json_t *list = json_array();

	if (!world->umsg)
		json_array_append_new(list, json_string("no keys: run \"cig-cli set-key\""));
	else if (umsg_client_state(world->umsg) != UMSG_ATTACHED)
		json_array_append_new(list, json_string("not attached to the rendezvous"));
	if (!relay_link_is_up(parts->relay))
		json_array_append_new(list, json_string("cig-relay is not connected"));
	if (load && load->busy[0])
		json_array_append_new(list, json_sprintf("calls are refused: %s", load->busy));
	if (!sip_link_is_ready(parts->sip))
		json_array_append_new(list, json_string("cig-sip is not running"));
	add_pbx_problems(parts, list);
	add_text_problems(parts, list);
	add_center_problems(parts, list);
	return list;
}

static json_t *sip_report(const struct control_api_parts *parts)
{
	const SipAgent__Counters *counters = sip_link_counters(parts->sip);
	json_t *sip = json_pack("{s:s, s:s}", "bind", calls_config(parts->calls)->sip.common.bind,
				"state", sip_link_is_ready(parts->sip) ? "READY" : "DOWN");

	json_object_set_new(sip, "address", json_string(sip_link_address(parts->sip)));
	json_object_set_new(sip, "pbxs", pbxs_report(parts->pbxs));
	if (counters)
		json_object_update_new(sip, json_pack("{s:I, s:I, s:I}", "requests",
						      (json_int_t)counters->requests, "malformed",
						      (json_int_t)counters->malformed, "strangers",
						      (json_int_t)counters->strangers));
	return sip;
}

/* Which configuration is live: the last one that was sound. */
static json_t *config_report(const struct cig_config *config)
{
	char summary[512], digest[CIG_DIGEST_SIZE], when[CLOCK_TEXT_SIZE];

	cig_config_summary(config, summary, sizeof(summary));
	cig_config_digest(config, digest);
	clock_format(config->read_ms, when);
	return json_pack("{s:s, s:s, s:s, s:s}", "path", config->path, "read", when, "digest",
			 digest, "summary", summary);
}

/* Without what is not known yet: a relay that is down has no load. */
static json_t *relay_report(const struct relay_link *link)
{
	const Relay__Polled *load = relay_link_load(link);
	json_t *relay = json_pack("{s:s, s:s}", "state",
				  relay_link_is_up(link) ? "CONNECTED" : "DISCONNECTED", "program",
				  relay_link_program(link));

	if (load)
		json_object_update_new(
			relay, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:s}", "calls",
					 (int)load->calls, "talking", (int)load->talking,
					 "capacity", (int)relay_link_capacity(link), "cpu_percent",
					 (int)load->cpu_percent, "late_ms", (int)load->late_ms,
					 "opus_complexity", (int)load->complexity, "dropped",
					 (json_int_t)load->dropped, "refused",
					 (json_int_t)load->refused, "busy", load->busy));
	return relay;
}

json_t *status_report(const struct control_api_parts *parts)
{
	const struct calls_world *world = calls_world(parts->calls);
	unsigned active = calls_active(parts->calls);
	/* An engine is a call that the letter allows (CIG manual 2.9, "status": n/m). */
	json_t *engines = json_pack("{s:i, s:i}", "available",
				    world->engines > active ? (int)(world->engines - active) : 0,
				    "total", (int)world->engines);

	return json_pack(
		"{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", PACKAGE_VERSION,
		"uptime_s", (json_int_t)((clock_mono_ms() - parts->started_ms) / 1000), "relay",
		relay_report(parts->relay), "engines", engines, "umsg",
		secure_side_report(parts->secure), "sip", sip_report(parts), "texts",
		texts_report(parts->texts), "centers", texts_smpp_report(parts->smpp), "config",
		config_report(calls_config(parts->calls)), "problems", problems(parts));
}
