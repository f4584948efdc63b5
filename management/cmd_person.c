/* cmd_person.c - cms user ... and cms gateway ... */
#include "management/cms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/text.h"
#include "keys/period.h"
#include "management/listing.h"

static const char *kind_of(const struct cms *cms)
{
	return cms->gateway ? "gateway" : "user";
}

static int take_name(struct cms *cms, const char *name, struct person *person)
{
	int n = snprintf(person->name, sizeof(person->name), "%s", name);

	if (n >= 0 && (size_t)n < sizeof(person->name))
		return 0;
	diag_error(cms->diag, NULL, "the name is longer than %d octets", PERSON_NAME_MAX);
	return -EINVAL;
}

static int take_engines(struct cms *cms, struct person *person)
{
	const char *text = cms->value[OPTION_ENGINES];
	unsigned long value;

	if (!text)
		return 0;
	if (!text_number(slice_str(text), LETTER_ENGINES_MIN, LETTER_ENGINES_MAX, &value)) {
		diag_error(cms->diag, NULL, "a gateway has %d to %d crypto engines, not \"%s\"",
			   LETTER_ENGINES_MIN, LETTER_ENGINES_MAX, text);
		return -EINVAL;
	}
	person->engines = (uint32_t)value;
	return 0;
}

/* "cms user add" and "cms gateway add". */
int cmd_person_add(struct cms *cms)
{
	struct person person = { 0 };
	struct settings settings;
	int err = person_uri(cms->args[0], person.uri, cms->diag);

	if (!err)
		err = take_name(cms, cms->args[1], &person);
	if (!err)
		err = take_engines(cms, &person);
	/* engines 0 is what makes a user. */
	if (!err && cms->gateway && !person.engines) {
		diag_error(cms->diag, NULL, "--engines is needed: at least %d", LETTER_ENGINES_MIN);
		err = -EINVAL;
	}
	if (!err)
		err = settings_load(cms->db, &settings, cms->diag);
	if (!err)
		err = person_add(cms->db, &cms->vault, &person, (uint32_t)settings.base + 1,
				 cms->now_s, cms->diag);
	return err ? err : cms_log(cms, "add", "%s %s", kind_of(cms), person.uri);
}

/* Finds the person of the first argument. */
static int find(struct cms *cms, struct person *person)
{
	char uri[IDENTITY_URI_MAX + 1];
	int err = person_uri(cms->args[0], uri, cms->diag);

	return err ? err : person_find(cms->db, uri, cms->gateway, person, cms->diag);
}

/* "cms user edit" and "cms gateway edit". */
int cmd_person_edit(struct cms *cms)
{
	struct person person;
	int err = find(cms, &person);

	/* Whoever edits means to change something: an option was forgotten. */
	if (!err && !cms->value[OPTION_NAME] && !cms->value[OPTION_ENGINES]) {
		diag_error(cms->diag, NULL, "nothing to change: give --name%s",
			   cms->gateway ? " or --engines" : "");
		err = -EINVAL;
	}
	if (!err && cms->value[OPTION_NAME])
		err = take_name(cms, cms->value[OPTION_NAME], &person);
	if (!err)
		err = take_engines(cms, &person);
	if (!err)
		err = person_change(cms->db, &person, cms->diag);
	return err ? err : cms_log(cms, "edit", "%s %s", kind_of(cms), person.uri);
}

/* "cms user delete" and "cms gateway delete". */
int cmd_person_delete(struct cms *cms)
{
	struct person person;
	int err = find(cms, &person);

	if (!err)
		err = person_delete(cms->db, &person, cms->now_s, cms->diag);
	if (!err)
		err = cms_log(cms, "delete", "%s %s", kind_of(cms), person.uri);
	if (!err)
		err = cms_commit(cms);
	/* Without a letter nobody has anything to be shut out with. */
	if (!err && person.letters)
		printf("It is shut out when the rendezvous has applied the next update file.\n");
	return err;
}

/* The last month for which keys may be out in the world. */
static int last_month_out(struct cms *cms, const struct person *person, int64_t *month_out)
{
	int64_t month;
	int err = database_integer(cms->db, "SELECT MAX(month) FROM updates", NULL, 0, -1, &month,
				   cms->diag);

	/* A letter has its month's keys and the next one's. */
	if (!err && person->letters && period_of(person->letter_created) + 1 > month)
		month = period_of(person->letter_created) + 1;
	*month_out = month;
	return err;
}

/* "cms user rekey" and "cms gateway rekey": what the lost device held is of no use any more. */
int cmd_person_rekey(struct cms *cms)
{
	char period[PERIOD_TEXT_SIZE];
	struct person person;
	int64_t month;
	int err = find(cms, &person);

	if (!err)
		err = last_month_out(cms, &person, &month);
	if (!err)
		err = person_rekey(cms->db, &cms->vault, &person, cms->diag);
	if (!err)
		err = cms_log(cms, "rekey", "%s %s, generation %u", kind_of(cms), person.uri,
			      person.generation);
	if (!err)
		err = cms_commit(cms);
	if (err)
		return err;
	printf("%s has generation %u and another update key now.\n", person.uri, person.generation);
	if (month >= period_of(cms->now_s)) {
		period_text(month, period);
		/* Keys of identities cannot be called back (RFC 6507, RFC 6508): they end with
		 * their month. */
		printf("Warning: keys of its identity and channels that were distributed, up to "
		       "those of %s, remain compromised.\n",
		       period);
	}
	printf("Next: \"cms update\" and apply the file at the rendezvous, which shuts the old "
	       "device out; then a new letter for the new one.\n");
	return 0;
}

/* ---- lists ---- */

static json_t *json_of(const struct person *person)
{
	json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:b, s:I}", "uri", person->uri, "name",
				   person->name, "generation", (int)person->generation, "letters",
				   (int)person->letters, "letter_current",
				   person->letter_generation == person->generation, "added",
				   (json_int_t)person->added);

	if (object && person->engines)
		json_object_set_new(object, "engines", json_integer((json_int_t)person->engines));
	return object;
}

static const char *letter_state(const struct person *person)
{
	if (person->letter_generation == person->generation)
		return "made";
	return person->letters ? "to be made again" : "not made";
}

static int add_row(struct cms *cms, struct table *table, const struct person *person)
{
	int err = table_cell(table, person->uri + strlen("tel:"));

	if (!err)
		err = table_cell(table, person->name);
	if (!err && cms->gateway)
		err = table_cellf(table, "%u", person->engines);
	if (!err)
		err = table_cellf(table, "%u", person->generation);
	if (!err)
		err = table_cell(table, letter_state(person));
	return err ? err : 1;
}

static int next_person(struct cms *cms, sqlite3_stmt *rows, json_t *list, struct table *table)
{
	struct person person;
	int more = person_next(rows, &person, cms->diag);

	if (more <= 0)
		return more;
	return list ? listing_append(list, json_of(&person)) : add_row(cms, table, &person);
}

/* "cms user list" and "cms gateway list". */
int cmd_person_list(struct cms *cms)
{
	static const char *const user_head[] = { "NUMBER", "NAME", "GENERATION", "LETTER" };
	static const char *const gateway_head[] = { "NUMBER", "NAME", "ENGINES", "GENERATION",
						    "LETTER" };
	const struct listing users = { user_head, 4, next_person },
			     gateways = { gateway_head, 5, next_person };
	sqlite3_stmt *rows;
	int err =
		person_list(cms->db, cms->gateway ? PERSON_GATEWAY : PERSON_USER, &rows, cms->diag);

	return err ? err : listing_print(cms, rows, cms->gateway ? &gateways : &users);
}
