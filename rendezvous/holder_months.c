/* holder_months.c - a month has begun: whoever has no keys of it is locked out. */
#include "base/clock.h"
#include "keys/period.h"
#include "rendezvous/holder_priv.h"

/* The month of whose keys a client must hold some.  The first minutes of a month still belong
 * to the one before, as they do for calls. */
static int64_t month_wanted(void)
{
	return period_of(clock_wall_s() - HOLDER_MONTH_GRACE_S);
}

/* Operation guidance 3.5, "locked out": what the others seal is of this month, so a client
 * without it could open nothing that comes. */
bool client_take_month(struct client *client, const Umsg__Register *r)
{
	int64_t month;

	/* Who names no month and says that it has keys has those of now, not of later. */
	if (!r->newest || period_parse(slice_str(r->newest->month), &month))
		month = r->has_keys ? period_of(clock_wall_s()) : 0;
	client->said.newest_month = (int32_t)month;
	return r->has_keys && month >= month_wanted();
}

static void lock_out(struct client *client)
{
	static const char why[] = "no keys of this month";

	client_detach(client, why);
	client_trace(client, "unregistered", why);
	client->state = CLIENT_UNREGISTERED;
	client_unregistered(client, UMSG__UNREGISTER_REASON__UNREGISTER_NO_KEYS, why);
	/* It registers again, for updates only; who does not has nothing to do here. */
	client_be_patient(client, HOLDER_REGISTER_MS);
}

void client_check_month(struct client *client)
{
	if (!client->said.updates_only && client->said.newest_month < client->holder->month)
		lock_out(client);
}

void holder_tick(struct holder *holder)
{
	int64_t month = month_wanted();
	struct client *client;
	size_t n = 0;

	if (holder->month == month)
		return;
	holder->month = month;
	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		if (client->state != CLIENT_REGISTERED || client->said.updates_only ||
		    client->said.newest_month >= month)
			continue;
		lock_out(client);
		n++;
	}
	if (n)
		log_info("attach", "%zu clients have no keys of the month that began", n);
}
