/* client_watch.c - what was asked of the rendezvous and is not answered: one timer for all of it,
 * which runs while there is something.
 *
 * The part of the rendezvous that was asked may be gone, and the connection lives on: nobody else
 * would tell us.  Whoever asks notes when, and says at each look what becomes of its silence.
 */
#include "umsg/client_priv.h"

#include "base/timer.h"

void client_watch(struct umsg_client *client)
{
	if (!evtimer_pending(client->watch, NULL))
		timer_arm(client->watch, CLIENT_LOOK_MS);
}

unsigned client_rest_s(uint32_t wanted_s)
{
	return wanted_s < CLIENT_REST_MAX_S ? wanted_s : CLIENT_REST_MAX_S;
}

void client_look(struct umsg_client *client)
{
	/* Each is asked, whatever the ones before it say. */
	bool waits = client_look_at_lookups(client);

	waits |= client_look_at_fetch(client);
	waits |= client_look_at_longs(client);
	waits |= client_look_at_posts(client);
	waits |= client_look_at_update(client);
	waits |= client_look_at_kept(client);
	if (waits)
		client_watch(client);
}
