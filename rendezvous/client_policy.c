/* client_policy.c - the keep-alive and detach-cleanup lines of crs.conf (CRS manual 4.12).
 *
 * The supervisor reads and checks them, and each worker gets the lines themselves, in the order
 * of the file, from which it makes the same rules: the first line that fits a client counts in
 * every process alike.
 */
#include "rendezvous/client_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DELAY_MIN_MS = 1000 };

/* The lines of one directive.  A worker's and the supervisor's are made alike from the
 * same messages, which hold what a line says; rules find the line. */
struct rule_list {
	struct client_rules *rules;
	CrsWorker__ClientRule **rule; /* by the number that rules gives */
	size_t n, cap;
};

struct client_policy {
	const char *file;
	struct rule_list keep_alive, cleanup;
};

static void list_free(struct rule_list *list)
{
	client_rules_free(&list->rules);
	for (size_t i = 0; i < list->n; i++)
		crs_worker__client_rule__free_unpacked(list->rule[i], NULL);
	free(list->rule);
}

struct client_policy *client_policy_new(const char *file)
{
	struct client_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->file = file;
	policy->keep_alive.rules = client_rules_new("keep-alive");
	policy->cleanup.rules = client_rules_new("detach-cleanup");
	if (!policy->keep_alive.rules || !policy->cleanup.rules)
		client_policy_free(&policy);
	return policy;
}

void client_policy_free(struct client_policy **policyp)
{
	struct client_policy *policy = *policyp;

	if (!policy)
		return;
	*policyp = NULL;
	list_free(&policy->keep_alive);
	list_free(&policy->cleanup);
	free(policy);
}

/* A rule of its own memory, for who. */
static CrsWorker__ClientRule *make_rule(const char *who, unsigned line)
{
	CrsWorker__ClientRule *rule = malloc(sizeof(*rule));

	if (!rule)
		return NULL;
	crs_worker__client_rule__init(rule);
	rule->line = line;
	rule->who = strdup(who);
	if (!rule->who) {
		free(rule);
		return NULL;
	}
	return rule;
}

/* The rule for who behind all others; its values are the caller's to fill in.  NULL:
 * refused, and told in diag. */
static CrsWorker__ClientRule *add(struct rule_list *list, const struct config_word *who,
				  struct diag *diag)
{
	CrsWorker__ClientRule *rule, **grown;
	int number;

	if (list->n == list->cap) {
		grown = realloc(list->rule, (list->cap + 16) * sizeof(*grown));
		if (!grown)
			return NULL;
		list->rule = grown;
		list->cap += 16;
	}
	rule = make_rule(who->text, who->place.line);
	if (!rule)
		return NULL;
	/* Numbers count up from 0 with each rule that is taken: they are places in list->rule.
	 * So a rule is put there at once, or none was added. */
	number = client_rules_add(list->rules, who, diag);
	if (number < 0) {
		crs_worker__client_rule__free_unpacked(rule, NULL);
		return NULL;
	}
	list->rule[list->n++] = rule;
	return rule;
}

static void read_ms(const struct config_word *word, unsigned long min, uint32_t *ms_out,
		    struct diag *diag)
{
	unsigned long ms;

	if (config_uint(word, min, CLIENT_DELAY_MAX_MS, &ms, diag) == 0)
		*ms_out = (uint32_t)ms;
}

/* keep-alive WHO tcp|ws INTERVAL [GRACE] */
static void read_keep_alive(struct rule_list *list, const struct config_line *line,
			    const struct config_word *who, struct diag *diag)
{
	const struct config_word *word = line->word;
	bool tcp = strcmp(word[2].text, "tcp") == 0;
	uint32_t interval = CLIENT_PING_MS, grace = CLIENT_PING_GRACE_MS;
	/* Added before its values are looked at: one reading tells all mistakes of a line. With
	 * an error nothing is started, so that a rule of half a line is never asked. */
	CrsWorker__ClientRule *rule = add(list, who, diag);

	if (!tcp && strcmp(word[2].text, "ws") != 0)
		diag_error(diag, &word[2].place, "\"%s\": expected tcp or ws", word[2].text);
	read_ms(&word[3], DELAY_MIN_MS, &interval, diag);
	if (line->words > 4 && tcp)
		diag_error(diag, &word[4].place, "a grace period is possible with ws only");
	else if (line->words > 4)
		read_ms(&word[4], DELAY_MIN_MS, &grace, diag);
	if (!rule)
		return;
	rule->tcp = tcp;
	rule->interval_ms = interval;
	rule->grace_ms = grace;
}

void client_policy_read(struct client_policy *policy, const struct config_line *line,
			struct diag *diag)
{
	const struct config_word *word = line->word;
	struct config_word who = word[1];
	CrsWorker__ClientRule *rule;
	uint32_t delay = 0;

	who.place.file = policy->file; /* the lines go before the policy does */
	if (strcmp(word[0].text, "keep-alive") == 0) {
		read_keep_alive(&policy->keep_alive, line, &who, diag);
		return;
	}
	rule = add(&policy->cleanup, &who, diag);
	read_ms(&word[2], 0, &delay, diag);
	if (rule)
		rule->interval_ms = delay;
}

void client_policy_pack(const struct client_policy *policy, CrsWorker__Setup *setup)
{
	/* Borrowed: the setup is packed and forgotten before the policy goes. */
	setup->keep_alive = policy->keep_alive.rule;
	setup->n_keep_alive = policy->keep_alive.n;
	setup->detach_cleanup = policy->cleanup.rule;
	setup->n_detach_cleanup = policy->cleanup.n;
}

static int take_over(struct rule_list *list, CrsWorker__ClientRule *const *rule, size_t n)
{
	struct diag *diag = diag_new(); /* what it warns of was told by the supervisor */
	int err = diag ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		const struct config_word who = {
			.text = rule[i]->who, .place = { .file = "crs.conf", .line = rule[i]->line }
		};
		CrsWorker__ClientRule *copy = add(list, &who, diag);

		if (!copy) {
			err = -ENOMEM;
			break;
		}
		copy->tcp = rule[i]->tcp;
		copy->interval_ms = rule[i]->interval_ms;
		copy->grace_ms = rule[i]->grace_ms;
	}
	diag_free(&diag);
	return err;
}

struct client_policy *client_policy_unpack(const CrsWorker__Setup *setup)
{
	struct client_policy *policy = client_policy_new("crs.conf");

	if (policy && (take_over(&policy->keep_alive, setup->keep_alive, setup->n_keep_alive) ||
		       take_over(&policy->cleanup, setup->detach_cleanup, setup->n_detach_cleanup)))
		client_policy_free(&policy);
	return policy;
}

static const CrsWorker__ClientRule *find(const struct rule_list *list,
					 const struct client_subject *client)
{
	int number = client_rules_find(list->rules, client, NULL);

	return number < 0 ? NULL : list->rule[number];
}

struct keep_alive client_policy_keep_alive(const struct client_policy *policy,
					   const struct client_subject *client, unsigned *line_out)
{
	const CrsWorker__ClientRule *rule = find(&policy->keep_alive, client);

	*line_out = rule ? rule->line : 0;
	if (!rule)
		return (struct keep_alive){ .interval_ms = CLIENT_PING_MS,
					    .grace_ms = CLIENT_PING_GRACE_MS };
	return (struct keep_alive){ .tcp = rule->tcp,
				    .interval_ms = rule->interval_ms,
				    .grace_ms = rule->grace_ms };
}

long client_policy_cleanup_ms(const struct client_policy *policy,
			      const struct client_subject *client)
{
	const CrsWorker__ClientRule *rule = find(&policy->cleanup, client);

	/* -1: without a line such a client may stay. */
	return rule ? (long)rule->interval_ms : -1;
}
