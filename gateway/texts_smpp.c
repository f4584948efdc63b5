/* texts_smpp.c - message centers as ports of texts: made, kept or dropped by the
 * configuration, and the loop in which what they brought becomes durable. */
#include "gateway/texts_smpp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/timer.h"
#include "gateway/texts_smpp_priv.h"

#define MODULE "smpp"

/* ---- the loop -------------------------------------------------------------------- */

static void go_on(struct texts_smpp *smpp)
{
	/* Nothing is answered or passed on before what it stands for is durable. */
	if (keep_sync(smpp)) {
		if (!smpp->broken)
			log_warn(MODULE, "centers.journal cannot be written: cig-server stops, and "
					 "goes on where it was when it is started again");
		smpp->broken = true;
		texts_give_up(smpp->texts);
		return;
	}
	for (struct port_center *pc = smpp->centers; pc; pc = pc->next)
		center_pass_on(pc);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

/* The earliest of what the centers wait for, at most CENTER_TIDY_MS away. */
static void arm(struct texts_smpp *smpp, bool soon)
{
	int64_t now_ms = clock_mono_ms(), due_ms = now_ms + (soon ? 0 : CENTER_TIDY_MS);

	for (const struct port_center *pc = smpp->centers; pc; pc = pc->next) {
		int64_t join_ms = smpp_reassembly_due_ms(pc->joining);

		if (join_ms >= 0 && join_ms < due_ms)
			due_ms = join_ms;
		if (pc->awaited && pc->awaited->until_ms < due_ms)
			due_ms = pc->awaited->until_ms;
	}
	/* What is over time and cannot be passed on is tried again, though not at once. */
	if (due_ms < now_ms + TEXT_RETRY_MS / 2)
		due_ms = now_ms + TEXT_RETRY_MS / 2;
	timer_arm(smpp->timer, due_ms - now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct texts_smpp *smpp = arg;
	bool soon;

	(void)fd;
	(void)what;
	soon = keep_tidy(smpp);
	for (struct port_center *pc = smpp->centers; pc; pc = pc->next)
		center_tidy_awaited(pc, clock_mono_ms());
	go_on(smpp);
	arm(smpp, soon);
}

/* ---- a center -------------------------------------------------------------------- */

static void add_hosts(struct smpp_center_options *o, const struct cig_message_center *config)
{
	o->hosts[0] = (struct smpp_host){ config->hostname, config->port };
	memcpy(&o->hosts[1], config->alternatives, config->alternative_count * sizeof(o->hosts[1]));
	o->n_hosts = 1 + config->alternative_count;
}

static struct smpp_center_options options_of(const struct port_center *pc)
{
	const struct cig_message_center *config = pc->config;
	struct smpp_center_options o = {
		.name = pc->name,
		.session = { .system_id = config->user,
			     .password = config->password,
			     .system_type = config->system_type,
			     .address_range = config->address_range,
			     .window = config->window,
			     .rate_per_s = config->rate_per_s,
			     .enquire_ms = config->enquire_link_s * 1000,
			     .response_ms = config->response_timeout_s * 1000 },
		.pair = config->pair,
		.tls = config->tls.on,
		.files = config->tls.files,
		.standard = config->alphabet,
		.long_form = config->long_texts,
		.source = config->source,
		.dest = config->destination,
		.service_type = config->service_type,
		.receipts = config->receipts,
		.validity = config->validity,
		.give_back = !config->repeat_unanswered,
		.throttle_ms = config->throttle_ms,
	};

	add_hosts(&o, config);
	memcpy(o.rules, config->rules, config->rule_count * sizeof(o.rules[0]));
	o.n_rules = config->rule_count;
	if (config->bind[0])
		net_parse(config->bind, 0, &o.from); /* was checked when it was read */
	return o;
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

/* What a connection depends on, as one text; NULL when memory is out. */
static char *signature_of(const struct cig_message_center *c)
{
	char *text;
	int n = asprintf(
		&text,
		"%s %u %s %s %s %d %d %s %s %s %s %s %s %u %u %u %u %u %d %d %u %d %d %d %d %d %d "
		"%d %d",
		c->hostname, c->port, c->user, c->password, c->bind, c->pair, c->tls.on,
		or_none(c->tls.files.ca), or_none(c->tls.files.certificate),
		or_none(c->tls.files.key), or_none(c->system_type), or_none(c->address_range),
		or_none(c->service_type), c->window, c->rate_per_s, c->enquire_link_s,
		c->response_timeout_s, c->throttle_ms, (int)c->alphabet, (int)c->long_texts,
		c->join_timeout_s, c->source.ton, c->source.npi, c->destination.ton,
		c->destination.npi, c->source.keep_plus, c->receipts, c->validity,
		c->repeat_unanswered);

	for (size_t i = 0; n >= 0 && i < c->alternative_count; i++) {
		char *longer;

		n = asprintf(&longer, "%s %s:%u", text, c->alternatives[i].host,
			     c->alternatives[i].port);
		explicit_bzero(text, strlen(text)); /* the password is in it */
		free(text);
		text = longer;
	}
	for (size_t i = 0; n >= 0 && i < c->rule_count; i++) {
		char *longer;

		n = asprintf(&longer, "%s %" PRIu32 "=%d", text, c->rules[i].status,
			     (int)c->rules[i].fate);
		explicit_bzero(text, strlen(text));
		free(text);
		text = longer;
	}
	return n < 0 ? NULL : text;
}

static void free_center(struct port_center *pc)
{
	/* The port hears of texts that are on their way and must not go twice. */
	if (pc->center && pc->port)
		smpp_center_stop(pc->center);
	texts_remove_port(&pc->port);
	smpp_center_free(&pc->center);
	smpp_reassembly_free(&pc->joining);
	center_free_incoming(pc);
	while (pc->awaited) {
		struct awaited *awaited = pc->awaited;

		pc->awaited = awaited->next;
		free(awaited);
	}
	if (pc->signature)
		explicit_bzero(pc->signature, strlen(pc->signature));
	free(pc->signature);
	free(pc);
}

static struct port_center *new_center(struct texts_smpp *smpp,
				      const struct cig_message_center *config, const char *name)
{
	struct port_center *pc = calloc(1, sizeof(*pc));

	if (!pc)
		return NULL;
	pc->all = smpp;
	pc->config = config;
	pc->kept.tail = &pc->kept.head;
	pc->parts.tail = &pc->parts.head;
	pc->stored.tail = &pc->stored.head;
	pc->fresh_tail = &pc->fresh;
	pc->awaited_tail = &pc->awaited;
	snprintf(pc->name, sizeof(pc->name), "%s", name);
	pc->signature = signature_of(config);
	pc->joining = smpp_reassembly_new((int64_t)config->join_timeout_s * 1000);
	if (!pc->signature || !pc->joining) {
		free_center(pc);
		return NULL;
	}
	return pc;
}

/* Returns 0, or -errno with diag set where the configuration is at fault. */
static int add_center(struct texts_smpp *smpp, const struct cig_message_center *config,
		      const char *name, struct diag *diag)
{
	struct port_center *pc = new_center(smpp, config, name);
	struct smpp_center_options options;
	int err;

	if (!pc)
		return -ENOMEM;
	options = options_of(pc);
	err = smpp_center_new(smpp->base, &options, center_event, pc, &pc->center, diag);
	if (!err)
		err = texts_add_port(smpp->texts, pc->name, "center", &center_ops, pc, &pc->port);
	if (err) {
		free_center(pc);
		return err;
	}
	/* Behind the port: what was kept is passed on to it. */
	keep_restore(pc);
	pc->next = smpp->centers;
	smpp->centers = pc;
	return 0;
}

/* ---- the configuration ----------------------------------------------------------- */

/* Two blocks may name one center: the later ones get a number. */
static void name_center(const struct cig_config *config, size_t number, char out[CENTER_NAME])
{
	const struct cig_message_center *c = &config->message_centers[number];
	unsigned same = 1;

	for (size_t i = 0; i < number; i++) {
		const struct cig_message_center *other = &config->message_centers[i];

		same += strcmp(other->hostname, c->hostname) == 0 && other->port == c->port &&
			strcmp(other->user, c->user) == 0;
	}
	if (same > 1)
		snprintf(out, CENTER_NAME, "smpp://%s@%s:%u#%u", c->user, c->hostname, c->port,
			 same);
	else
		snprintf(out, CENTER_NAME, "smpp://%s@%s:%u", c->user, c->hostname, c->port);
}

static struct port_center *find_center(struct texts_smpp *smpp, const char *name)
{
	struct port_center *pc = smpp->centers;

	while (pc && strcmp(pc->name, name) != 0)
		pc = pc->next;
	return pc;
}

static bool is_unchanged(const struct port_center *pc, const struct cig_message_center *config)
{
	char *signature = signature_of(config);
	bool same = signature && strcmp(signature, pc->signature) == 0;

	if (signature)
		explicit_bzero(signature, strlen(signature));
	free(signature);
	return same;
}

/* Those that are as they were get their place in the new configuration, with its maps. */
static void keep_unchanged(struct texts_smpp *smpp)
{
	const struct cig_config *config = smpp->config;
	char name[CENTER_NAME];

	for (struct port_center *pc = smpp->centers; pc; pc = pc->next)
		pc->stays = false;
	for (size_t i = 0; i < config->message_center_count; i++) {
		struct port_center *pc;

		name_center(config, i, name);
		pc = find_center(smpp, name);
		if (pc && is_unchanged(pc, &config->message_centers[i])) {
			pc->config = &config->message_centers[i];
			pc->stays = true;
		}
	}
}

static void drop_others(struct texts_smpp *smpp)
{
	for (struct port_center **at = &smpp->centers; *at;) {
		struct port_center *pc = *at;

		if (pc->stays) {
			at = &pc->next;
			continue;
		}
		*at = pc->next;
		free_center(pc);
	}
}

/* A center that cannot be made is told and left out; the others go on. */
static int use_config(struct texts_smpp *smpp)
{
	const struct cig_config *config = smpp->config;
	char name[CENTER_NAME];
	int failed = 0;

	/* In this order: a center that changed goes before its successor asks for the same
	 * name. */
	keep_unchanged(smpp);
	drop_others(smpp);
	for (size_t i = 0; i < config->message_center_count; i++) {
		struct diag *diag = diag_new();
		int err = 0;

		name_center(config, i, name);
		if (!find_center(smpp, name))
			err = add_center(smpp, &config->message_centers[i], name, diag);
		if (err)
			log_warn(MODULE, "center=%s cannot be used: %s", name,
				 diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
		failed = err ? err : failed;
		diag_free(&diag);
	}
	arm(smpp, false);
	return failed;
}

int texts_smpp_set_config(struct texts_smpp *smpp, const struct cig_config *config)
{
	const struct cig_config *before = smpp->config;
	int err;

	smpp->config = cig_config_hold(config);
	err = use_config(smpp);
	cig_config_release(&before);
	return err;
}

/* ---- life ------------------------------------------------------------------------ */

int texts_smpp_new(struct event_base *base, struct texts *texts, const struct cig_config *config,
		   struct texts_smpp **smpp_out, struct diag *diag)
{
	struct texts_smpp *smpp = calloc(1, sizeof(*smpp));
	int err;

	if (!smpp)
		return -ENOMEM;
	smpp->base = base;
	smpp->texts = texts;
	smpp->config = cig_config_hold(config);
	smpp->soon = event_new(base, -1, 0, on_soon, smpp);
	smpp->timer = evtimer_new(base, on_timer, smpp);
	/* Tells the marks of may_go_once() from those of an earlier run. */
	err = smpp->soon && smpp->timer && RAND_bytes((uint8_t *)&smpp->run, sizeof(smpp->run)) == 1
		      ? keep_open(smpp, diag)
		      : -ENOMEM;
	if (err) {
		texts_smpp_free(&smpp);
		return err;
	}
	use_config(smpp);
	event_active(smpp->soon, EV_TIMEOUT, 0); /* texts that were whole when it stopped */
	*smpp_out = smpp;
	return 0;
}

void texts_smpp_free(struct texts_smpp **smppp)
{
	struct texts_smpp *smpp = *smppp;

	if (!smpp)
		return;
	*smppp = NULL;
	/* None stays. */
	for (struct port_center *pc = smpp->centers; pc; pc = pc->next)
		pc->stays = false;
	drop_others(smpp);
	if (smpp->journal)
		keep_sync(smpp);
	journal_free(&smpp->journal);
	if (smpp->soon)
		event_free(smpp->soon);
	if (smpp->timer)
		event_free(smpp->timer);
	cig_config_release(&smpp->config);
	free(smpp);
}

/* ---- what is to be seen ---------------------------------------------------------- */

static json_t *report_center(const struct port_center *pc)
{
	struct smpp_center_figures f;

	smpp_center_figures(pc->center, &f);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I}",
		"name", pc->name, "state", f.state, "peer", f.peer, "why", f.why, "since_s",
		(json_int_t)((clock_mono_ms() - f.since_ms) / 1000), "in_hand", (int)f.in_hand,
		"outstanding", (int)f.outstanding, "awaited", (int)f.awaited, "throttled",
		(int)f.throttled, "submitted", (json_int_t)f.submitted, "taken",
		(json_int_t)f.taken, "refused", (json_int_t)f.refused, "throttles",
		(json_int_t)f.throttles, "unanswered", (json_int_t)f.unanswered, "incoming",
		(json_int_t)f.incoming, "receipts", (json_int_t)f.receipts, "unknown_receipts",
		(json_int_t)f.unknown_receipts, "connections", (json_int_t)f.connections);
}

json_t *texts_smpp_report(const struct texts_smpp *smpp)
{
	json_t *list = json_array();

	/* The newest is in front; people know them in the order of the file. */
	for (const struct port_center *pc = smpp->centers; pc; pc = pc->next)
		json_array_insert_new(list, 0, report_center(pc));
	return list;
}
