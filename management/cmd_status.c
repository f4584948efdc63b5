/* cmd_status.c - cms status and cms log: what there is, and what was done. */
#include "management/cms.h"

#include <errno.h>
#include <stdio.h>

#include "base/diag.h"
#include "keys/period.h"
#include "management/issue.h"
#include "management/listing.h"

enum { MONTHS = 2, DUE_DAYS = 3, DAY_S = 86400 };

struct counts {
	int64_t users, gateways, deleted, letters_due;
};

static int count(struct cms *cms, struct counts *counts)
{
	int err = person_count(cms->db, PERSON_USER, &counts->users, cms->diag);

	if (!err)
		err = person_count(cms->db, PERSON_GATEWAY, &counts->gateways, cms->diag);
	if (!err)
		err = database_integer(cms->db, "SELECT COUNT(*) FROM tombstones", NULL, 0, 0,
				       &counts->deleted, cms->diag);
	if (!err)
		err = database_integer(cms->db,
				       /* Those whose present generation has no letter: new ones,
					* and those rekeyed. */
				       "SELECT COUNT(*) FROM people WHERE letter_generation <> "
				       "generation",
				       NULL, 0, 0, &counts->letters_due, cms->diag);
	return err;
}

/* A month's last update file. */
struct month_state {
	char period[PERIOD_TEXT_SIZE];
	int64_t revision, created; /* 0: none */
};

/* Revision 0 is none: the first file of a month has 1 at least. */
static int load_month(struct cms *cms, int64_t month, struct month_state *state)
{
	const struct db_value values[] = { db_integer(month) };
	int err = database_integer(cms->db, "SELECT revision FROM updates WHERE month = ?", values,
				   1, 0, &state->revision, cms->diag);

	period_text(month, state->period);
	return err ? err
		   : database_integer(cms->db, "SELECT created FROM updates WHERE month = ?",
				      values, 1, 0, &state->created, cms->diag);
}

static void print_text(const struct settings *s, const struct counts *counts,
		       const struct month_state *months, int64_t days_left)
{
	char groups[81]; /* 64 digits in groups of four */

	printf("Domain:        %s\n", s->domain);
	cms_groups(s->fingerprint, 32, groups, sizeof(groups));
	printf("Id:            %s\n", groups);
	cms_groups(s->fingerprint, 64, groups, sizeof(groups));
	printf("Fingerprint:   %s\n", groups);
	printf("Rendezvous:    %s, account %s\n", s->address, s->account);
	printf("Users:         %lld, gateways %lld, deleted %lld\n", (long long)counts->users,
	       (long long)counts->gateways, (long long)counts->deleted);
	printf("Letters due:   %lld\n", (long long)counts->letters_due);
	for (size_t i = 0; i < MONTHS; i++) {
		char made[CMS_TIME_SIZE];

		cms_time(months[i].created, made);
		if (months[i].revision)
			printf("Update %s: revision %lld, made %s UTC\n", months[i].period,
			       (long long)months[i].revision, made);
		else
			printf("Update %s: not made\n", months[i].period);
	}
	if (!months[1].revision && days_left >= 0)
		printf("The next month's update is due within %lld days.\n", (long long)days_left);
	else if (!months[1].revision)
		printf("The next month's update is overdue.\n");
}

static int print_json(const struct settings *s, const struct counts *counts,
		      const struct month_state *months, int64_t days_left)
{
	json_t *list = json_array();
	json_t *object;

	for (size_t i = 0; i < MONTHS; i++)
		/* A revision of 0 says that there is none, as in the database. */
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "month", months[i].period,
						      "revision", (json_int_t)months[i].revision,
						      "created", (json_int_t)months[i].created));
	object = json_pack("{s:s, s:s#, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "domain",
			   s->domain, "id", s->fingerprint, 32, "fingerprint", s->fingerprint,
			   "crs", s->address, "account", s->account, "users",
			   (json_int_t)counts->users, "gateways", (json_int_t)counts->gateways,
			   "deleted", (json_int_t)counts->deleted, "letters_due",
			   (json_int_t)counts->letters_due, "days_left", (json_int_t)days_left,
			   "updates", list);
	if (!object)
		return -ENOMEM;
	json_dumpf(object, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(object);
	return 0;
}

/* "cms status": the domain, how many of each there are, and what is due. */
int cmd_status(struct cms *cms)
{
	int64_t month = period_of(cms->now_s);
	/* An update must be there three days before its month (CMS manual, "Monthly key
	 * updates"). */
	int64_t left = (period_start(month + 1) - cms->now_s) / DAY_S - DUE_DAYS;
	struct month_state months[MONTHS];
	struct settings settings;
	struct counts counts;
	int err = settings_load(cms->db, &settings, cms->diag);

	if (!err)
		err = count(cms, &counts);
	for (size_t i = 0; !err && i < MONTHS; i++)
		err = load_month(cms, month + (int64_t)i, &months[i]);
	if (err)
		return err;
	if (cms->value[OPTION_JSON])
		return print_json(&settings, &counts, months, left);
	print_text(&settings, &counts, months, left);
	return 0;
}

static int next_event(struct cms *cms, sqlite3_stmt *rows, json_t *list, struct table *table)
{
	char time[CMS_TIME_SIZE];
	int err, more = database_next(rows, cms->diag);
	int64_t unix_s;

	if (more <= 0)
		return more;
	unix_s = sqlite3_column_int64(rows, 0);
	cms_time(unix_s, time);
	const char *const cells[] = { time, (const char *)sqlite3_column_text(rows, 1),
				      (const char *)sqlite3_column_text(rows, 2) };
	if (list)
		return listing_append(list, json_pack("{s:I, s:s, s:s}", "time", (json_int_t)unix_s,
						      "action", cells[1], "detail", cells[2]));
	err = table_add(table, cells);
	return err ? err : 1;
}

/* "cms log": what was done, line by line. */
int cmd_log(struct cms *cms)
{
	static const char *const head[] = { "TIME", "ACTION", "DETAIL" };
	const struct listing listing = { head, sizeof(head) / sizeof(head[0]), next_event };
	sqlite3_stmt *rows;
	int err = database_query(cms->db, "SELECT time, action, detail FROM events ORDER BY id",
				 NULL, 0, &rows, cms->diag);

	return err ? err : listing_print(cms, rows, &listing);
}
