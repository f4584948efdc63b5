/* metrics.c - figures in Prometheus' text form; a scrape reads them, nothing is
 * gathered between scrapes. */
#include "gateway/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/figures.h"
#include "build-config.h"
#include "gateway/call_figures.h"
#include "gateway/calls.h"
#include "gateway/pbxs.h"
#include "gateway/secure_side.h"
#include "gateway/texts.h"
#include "umsg/end_reason.h"

struct metrics {
	struct metrics_parts parts;
	struct figures_port *port;
};

/* ---- calls ---- */

/* The side on which a call came in. */
static const char *const sides[ROUTE_INTERFACES] = { [ROUTE_TEL] = "secure", [ROUTE_SIP] = "pbx" };

static void by_side(FILE *to, const char *name, const char *help,
		    const uint64_t value[ROUTE_INTERFACES])
{
	figures_head(to, name, "counter", help);
	for (size_t i = 0; i < ROUTE_INTERFACES; i++)
		fprintf(to, "%s{from=\"%s\"} %" PRIu64 "\n", name, sides[i], value[i]);
}

static void write_ends(const struct call_figures *figures, FILE *to)
{
	static const char name[] = "cig_calls_ended_total";

	figures_head(to, name, "counter", "Calls that have ended, by reason.");
	for (size_t i = 0; i < ROUTE_INTERFACES; i++)
		for (unsigned r = 0; r < CALL_FIGURES_REASONS; r++)
			/* only what has happened: eighteen zeros a side help nobody */
			if (figures->ended[i][r])
				fprintf(to, "%s{from=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name,
					sides[i], umsg_end_reason_text((Umsg__EndReason)r),
					figures->ended[i][r]);
}

static void write_calls(const struct metrics_parts *parts, FILE *to)
{
	const struct call_figures *figures = parts->figures;
	const struct calls_world *world = calls_world(parts->calls);

	figures_gauge(to, "cig_calls_active", "Calls that hold a crypto engine.",
		      calls_active(parts->calls));
	figures_gauge(to, "cig_crypto_engines", "Calls at once that the letter allows.",
		      world->engines);
	by_side(to, "cig_calls_begun_total", "Calls that came in.", figures->begun);
	by_side(to, "cig_calls_unrouted_total", "Calls that the maps rejected.", figures->unrouted);
	by_side(to, "cig_calls_answered_total", "Calls that were answered.", figures->answered);
	write_ends(figures, to);
	figures_seconds(to, "cig_call_setup_seconds_total",
			"From the first message to the answer, of all answered calls.",
			figures->setup_ms);
	figures_seconds(to, "cig_call_talk_seconds_total",
			"From answer to end, of all ended calls.", figures->talk_ms);
}

/* ---- media ---- */

static void by_leg(FILE *to, const char *name, const char *help, uint64_t plain, uint64_t secure)
{
	figures_head(to, name, "counter", help);
	fprintf(to, "%s{leg=\"pbx\"} %" PRIu64 "\n%s{leg=\"secure\"} %" PRIu64 "\n", name, plain,
		name, secure);
}

static void write_media(const struct metrics_parts *parts, FILE *to)
{
	const struct call_media_figures *plain = &parts->figures->plain;
	const struct call_media_figures *secure = &parts->figures->secure;

	by_leg(to, "cig_media_packets_received_total", "RTP packets of ended calls.",
	       plain->received, secure->received);
	by_leg(to, "cig_media_packets_sent_total", "RTP packets of ended calls.", plain->sent,
	       secure->sent);
	by_leg(to, "cig_media_packets_lost_total", "RTP packets that never came.", plain->lost,
	       secure->lost);
	by_leg(to, "cig_media_packets_refused_total",
	       "Packets that were not authentic, replayed, malformed, or of strangers.",
	       plain->refused, secure->refused);
}

/* Only while it is known: a gap in a graph is true, a zero is not. */
static void write_load(const struct relay_link *relay, FILE *to)
{
	const Relay__Polled *load = relay_link_load(relay);

	if (!load)
		return;
	figures_gauge(to, "cig_relay_calls", "Calls that cig-relay holds.", load->calls);
	figures_gauge(to, "cig_relay_capacity", "Calls that cig-relay takes at most.",
		      relay_link_capacity(relay));
	figures_gauge(to, "cig_relay_cpu_ratio", "Of a processor, by its busiest thread.",
		      load->cpu_percent / 100.0);
	figures_gauge(to, "cig_relay_late_seconds",
		      "How late its latest thread is served, on average.", load->late_ms / 1000.0);
	figures_gauge(to, "cig_relay_opus_complexity", "Of encoding, 0 to 10; it falls with load.",
		      load->complexity);
	figures_gauge(to, "cig_relay_busy", "1: calls are refused, for they would harm the others.",
		      load->busy[0] != '\0');
	figures_counter(to, "cig_relay_calls_refused_total", "Calls that were refused for that.",
			load->refused);
	figures_counter(to, "cig_relay_packets_dropped_total",
			"Packets that were not read in time.", load->dropped);
}

/* ---- links ---- */

static void write_sip(const SipAgent__Counters *sip, FILE *to)
{
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
		{ "cig_sip_requests_total", "SIP requests received.", sip->requests },
		{ "cig_sip_responses_total", "SIP responses received.", sip->responses },
		{ "cig_sip_malformed_total", "Messages and SDP that were refused.",
		  sip->malformed },
		{ "cig_sip_strangers_total", "Requests from networks that are not trusted.",
		  sip->strangers },
		{ "cig_sip_options_total", "OPTIONS answered.", sip->options },
		{ "cig_sip_overload_total", "Calls refused with 503.", sip->overload },
		{ "cig_sip_retransmits_total", "SIP messages that came again.", sip->retransmits },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		figures_counter(to, rows[i].name, rows[i].help, rows[i].value);
}

/* The figures of each pbx block, by its name in cig.conf. */
static void write_pbxs(const struct pbxs *pbxs, FILE *to)
{
	json_t *report = pbxs_report(pbxs), *pbx;
	size_t i;

	figures_head(to, "cig_pbx_up", "gauge",
		     "1: a server of the PBX answers, or was never asked.");
	json_array_foreach(report, i, pbx)
	{
		const char *state = json_string_value(json_object_get(pbx, "state"));

		fprintf(to, "cig_pbx_up{pbx=\"%s\"} %d\n",
			json_string_value(json_object_get(pbx, "name")),
			state && strcmp(state, "DOWN") != 0);
	}
	json_decref(report);
}

static void write_links(const struct metrics_parts *parts, FILE *to)
{
	const struct umsg_client *umsg = calls_world(parts->calls)->umsg;
	const SipAgent__Counters *sip = sip_link_counters(parts->sip);

	figures_gauge(to, "cig_relay_up", "1: cig-relay is connected.",
		      relay_link_is_up(parts->relay));
	figures_gauge(to, "cig_umsg_up", "1: attached to the rendezvous.",
		      umsg && umsg_client_state(umsg) == UMSG_ATTACHED);
	figures_gauge(to, "cig_sip_up", "1: cig-sip has bound its port.",
		      sip_link_is_ready(parts->sip));
	figures_gauge(to, "cig_keys_current", "1: there are keys of this month.",
		      secure_side_has_keys(parts->secure));
	/* Counted by cig-sip since its own start: a new child begins at zero, as Prometheus
	 * expects of a process. */
	if (sip)
		write_sip(sip, to);
	write_pbxs(parts->pbxs, to);
}

/* ---- texts ---- */

static void write_text_counters(const struct texts_counters *texts, FILE *to)
{
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
		{ "cig_texts_received_total", "Messages from the secure side, journaled.",
		  texts->received },
		{ "cig_texts_delivered_total", "Of these: at least one destination has it.",
		  texts->delivered },
		{ "cig_texts_failed_total", "Of these: no destination has it, or there was none.",
		  texts->failed },
		{ "cig_texts_expired_total", "Of these: the end came first.", texts->expired },
		{ "cig_texts_posted_total", "Texts from outside that the rendezvous has.",
		  texts->posted },
		{ "cig_texts_refused_total", "Texts from outside that cannot be sent.",
		  texts->refused },
		{ "cig_texts_left_total", "Left at the rendezvous: they could not be journaled.",
		  texts->left_at_rendezvous },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		figures_counter(to, rows[i].name, rows[i].help, rows[i].value);
}

/* One figure of each port and read mailbox, in lines that stand together. */
struct port_figure {
	const char *name, *type, *help;
	uint64_t (*value)(const struct texts_port_state *port);
	FILE *to;
};

/* Its name may be an administrator's path. */
static void write_port(void *arg, const struct texts_port_state *port)
{
	const struct port_figure *figure = arg;

	fprintf(figure->to, "%s{kind=\"%s\",name=\"", figure->name, port->kind);
	figures_label(figure->to, port->name);
	fprintf(figure->to, "\"} %" PRIu64 "\n", figure->value(port));
}

static uint64_t port_waiting(const struct texts_port_state *port)
{
	return port->waiting;
}

static uint64_t port_delivered(const struct texts_port_state *port)
{
	return port->counters.delivered;
}

static uint64_t port_failed(const struct texts_port_state *port)
{
	return port->counters.failed;
}

static uint64_t port_expired(const struct texts_port_state *port)
{
	return port->counters.expired;
}

static uint64_t port_submitted(const struct texts_port_state *port)
{
	return port->counters.submitted;
}

static void write_ports(const struct texts *texts, FILE *to)
{
	struct port_figure figures[] = {
		{ "cig_texts_port_waiting", "gauge", "Open destinations of a mailbox or center.",
		  port_waiting, to },
		{ "cig_texts_port_delivered_total", "counter", "Texts that it has.", port_delivered,
		  to },
		{ "cig_texts_port_failed_total", "counter", "Texts that it refused.", port_failed,
		  to },
		{ "cig_texts_port_expired_total", "counter", "Texts whose end came first.",
		  port_expired, to },
		{ "cig_texts_port_submitted_total", "counter", "Texts that came in by it.",
		  port_submitted, to },
	};

	/* Figure by figure, not port by port: Prometheus wants the lines of a figure together. */
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		figures_head(to, figures[i].name, figures[i].type, figures[i].help);
		texts_each_port(texts, write_port, &figures[i]);
	}
}

static void write_texts(const struct texts *texts, FILE *to)
{
	struct texts_gauges gauges = texts_gauges(texts);

	figures_gauge(to, "cig_texts_inward", "Messages that are not everywhere yet.",
		      (double)gauges.inward);
	figures_gauge(to, "cig_texts_posts", "Texts and receipts that wait for the rendezvous.",
		      (double)gauges.posts);
	write_text_counters(texts_counters(texts), to);
	write_ports(texts, to);
}

void metrics_write(const struct metrics_parts *parts, FILE *to)
{
	figures_head(to, "cig_info", "gauge", "The program.");
	fputs("cig_info{version=\"" PACKAGE_VERSION "\"} 1\n", to);
	figures_gauge(to, "cig_uptime_seconds", "Since cig-server was started.",
		      (double)((clock_mono_ms() - parts->started_ms) / 1000));
	write_calls(parts, to);
	write_media(parts, to);
	write_load(parts->relay, to);
	write_links(parts, to);
	write_texts(parts->texts, to);
}

/* ---- the port ---- */

static void write_all(FILE *to, void *arg)
{
	metrics_write(arg, to);
}

static void ask(struct control_request *request, void *arg)
{
	struct metrics *metrics = arg;

	figures_answer(request, write_all, &metrics->parts);
}

int metrics_new(struct event_base *base, const struct cig_config *config,
		const struct metrics_parts *parts, struct metrics **metrics_out, struct diag *diag)
{
	struct metrics *metrics;
	int err;

	*metrics_out = NULL;
	/* No port, no listener: metrics are off unless asked for. */
	if (!config->metrics_port)
		return 0;
	metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return -ENOMEM;
	metrics->parts = *parts;
	err = figures_port_new(base, config->metrics_bind, config->metrics_port, ask, metrics,
			       &metrics->port, diag);
	if (err)
		metrics_free(&metrics);
	else
		*metrics_out = metrics;
	return err;
}

void metrics_free(struct metrics **metricsp)
{
	struct metrics *metrics = *metricsp;

	if (!metrics)
		return;
	figures_port_free(&metrics->port);
	free(metrics);
	*metricsp = NULL;
}
