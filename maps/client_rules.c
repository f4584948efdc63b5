/* client_rules.c - which of a list's rules is for this client: the first, by network or by name.
 *
 * A linear look over all rules: they are as many as an administrator writes by hand.
 */
#include "maps/client_rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "maps/explain.h"
#include "maps/uri.h"

struct rule {
	const char *who; /* as written */
	struct diag_place place;
	bool by_net;
	struct config_net net;
	struct slice uri, account; /* uri normalised */
};

struct client_rules {
	struct arena arena;
	const char *what;
	struct rule *rule;
	size_t n;
};

struct client_rules *client_rules_new(const char *what)
{
	struct client_rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	rules->what = arena_text(&rules->arena, slice_str(what));
	if (!rules->what)
		client_rules_free(&rules);
	return rules;
}

void client_rules_free(struct client_rules **rulesp)
{
	struct client_rules *rules = *rulesp;

	if (!rules)
		return;
	free(rules->rule);
	arena_free(&rules->arena);
	free(rules);
	*rulesp = NULL;
}

static int keep(struct client_rules *rules, const struct config_word *word, struct slice uri,
		struct slice account, struct rule *rule)
{
	const char *who = arena_text(&rules->arena, slice_str(word->text));
	const char *kept_uri = arena_text(&rules->arena, uri);
	const char *kept_account = arena_text(&rules->arena, account);

	if (!who || !kept_uri || !kept_account)
		return -ENOMEM;
	rule->who = who;
	rule->uri = slice_of(kept_uri, uri.n);
	rule->account = slice_of(kept_account, account.n);
	return 0;
}

/* "URI@ACCOUNT": the account is behind the last "@". */
static int read_credentials(struct client_rules *rules, const struct config_word *who,
			    struct rule *rule, struct diag *diag)
{
	struct slice text = slice_str(who->text);
	/* There is one: read_who() looked.  The URI in front of the last may be a sip one, with
	 * its own. */
	const uint8_t *at = memrchr(text.p, '@', text.n);
	struct slice account = slice_from(text, (size_t)(at - text.p) + 1);
	const char *why = NULL;
	struct uri uri;

	if (account.n == 0) {
		diag_error(diag, &who->place, "found \"%s\", expected an account behind \"@\"",
			   who->text);
		return -EINVAL;
	}
	if (uri_parse(slice_of(text.p, (size_t)(at - text.p)), &uri, &why) < 0) {
		diag_error(diag, &who->place, "found \"%s\", expected URI@ACCOUNT: %s", who->text,
			   why);
		return -EINVAL;
	}
	return keep(rules, who, uri.text, account, rule);
}

static int read_who(struct client_rules *rules, const struct config_word *who, struct rule *rule,
		    struct diag *diag)
{
	int err;

	if (strchr(who->text, '@'))
		return read_credentials(rules, who, rule, diag);
	rule->by_net = true;
	err = config_net(who, &rule->net, diag);
	return err ? err : keep(rules, who, slice_str(""), slice_str(""), rule);
}

/* A network that is as wide or wider, and the same in the bits that it has. */
static bool net_holds_net(const struct config_net *outer, const struct config_net *inner)
{
	unsigned bits = outer->prefix_bits;

	if (outer->family != inner->family || bits > inner->prefix_bits)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if ((outer->address[i / 8] ^ inner->address[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* Rules by network and by name are compared with their like only: whether they meet depends on
 * where a client happens to be. */
static bool hides(const struct rule *before, const struct rule *rule)
{
	if (before->by_net != rule->by_net)
		return false;
	if (rule->by_net)
		return net_holds_net(&before->net, &rule->net);
	return slice_eq(before->uri, rule->uri) && slice_eq(before->account, rule->account);
}

static void check_hidden(const struct client_rules *rules, const struct rule *rule,
			 struct diag *diag)
{
	for (size_t i = 0; i < rules->n; i++)
		if (hides(&rules->rule[i], rule)) {
			diag_warning(diag, &rule->place,
				     "%s %s is never used: %s in line %u comes first", rules->what,
				     rule->who, rules->rule[i].who, rules->rule[i].place.line);
			return;
		}
}

int client_rules_add(struct client_rules *rules, const struct config_word *who, struct diag *diag)
{
	struct rule rule = { .place = who->place }, *grown;
	int err = read_who(rules, who, &rule, diag);

	if (err)
		return err;
	grown = realloc(rules->rule, (rules->n + 1) * sizeof(rule));
	if (!grown)
		return -ENOMEM;
	rules->rule = grown;
	check_hidden(rules, &rule, diag);
	/* Numbers are handed out in the order of the file, which is the order of looking. */
	grown[rules->n] = rule;
	return (int)rules->n++;
}

static bool applies(const struct rule *rule, const struct client_subject *client, struct slice uri)
{
	if (rule->by_net)
		return client->address && config_net_holds(&rule->net, client->address);
	return uri.n > 0 && slice_eq(rule->uri, uri) && slice_eq(rule->account, client->account);
}

int client_rules_find(const struct client_rules *rules, const struct client_subject *client,
		      struct explain *explain)
{
	struct slice normal = { NULL, 0 };
	struct uri uri;

	/* A URI that cannot be read matches no rule by name; those by network still hold. */
	if (client->uri.n > 0 && uri_parse(client->uri, &uri, NULL) == 0)
		normal = uri.text;
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->rule[i];

		if (!applies(rule, client, normal))
			continue;
		explain_add(explain, EXPLAIN_MATCH, NULL, NULL, &rule->place,
			    "%s %s applies (rule %zu of %zu)", rules->what, rule->who, i + 1,
			    rules->n);
		return (int)i;
	}
	explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL, "none of %zu %s rules applies",
		    rules->n, rules->what);
	return -1;
}
