/* home_unheard.c - clients whose answer could not be written.
 *
 * Without memory there is no frame that could say so.  A client that heard nothing would wait for
 * as long as its connection lives; so the connection ends, and the client asks again over another
 * one. To say that to its holder may need memory, too: then it is said with the next tick.
 */
#include <errno.h>
#include <string.h>

#include "rendezvous/home_priv.h"

static int end_connection(struct home *home, const struct endpoint *at)
{
	const struct passed_down down = { .connection = at->connection, .lost = true };

	return worker_pass_down(home->worker, at->holder, &down);
}

/* -EPIPE: of a holder that is gone all connections have ended.  One that lives, and only is being
 * connected to anew (mesh.c), has heard by holder_home_down() that this home is gone; by the number
 * of the connection, kept until then, another client might be meant if it was started anew. */
static bool is_over(int err)
{
	return err == 0 || err == -EPIPE;
}

void home_unheard(struct home *home, const struct endpoint *at)
{
	if (is_over(end_connection(home, at)))
		return;
	/* So many at once: the first ones go on waiting, and end with their own limits. */
	if (home->n_unheard == HOME_UNHEARD_MAX) {
		home->n_unheard--;
		memmove(home->unheard, home->unheard + 1, home->n_unheard * sizeof(*home->unheard));
	}
	home->unheard[home->n_unheard++] = *at;
}

void home_end_unheard(struct home *home)
{
	size_t kept = 0;

	for (size_t i = 0; i < home->n_unheard; i++) {
		struct endpoint at = home->unheard[i];

		if (!is_over(end_connection(home, &at)))
			home->unheard[kept++] = at;
	}
	home->n_unheard = kept;
}
