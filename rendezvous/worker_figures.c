/* worker_figures.c - what the figures are called, and what they mean.
 *
 * Names end as Prometheus has it: counters in "_total", the others in nothing.  They are what
 * administrators' alarms are made of: a figure may come, but none may change its name or sense.
 */
#include "rendezvous/worker_figures.h"

static const struct {
	const char *name, *help;
} figures[FIGURE_COUNT] = {
	[FIGURE_CONNECTIONS] = { "crs_connections", "Connections of clients, in any state." },
	[FIGURE_REGISTERED] = { "crs_clients_registered", "Devices that are registered." },
	[FIGURE_SESSIONS] = { "crs_calls_active", "Calls that are invited, ring or are up." },
	[FIGURE_MESSAGES_HELD] = { "crs_messages_held",
				   "Messages on their way, and stored ones that are looked at." },
	[FIGURE_STORE_UP] = { "crs_store_up", "1: redis_low answers." },
	[FIGURE_ACCEPTED] = { "crs_connections_total", "Connections that were accepted." },
	[FIGURE_TURNED_AWAY] = { "crs_connections_refused_total",
				 "Connections beyond a limit, closed at once." },
	[FIGURE_HANDSHAKES_FAILED] = { "crs_handshakes_failed_total",
				       "TLS or WebSocket handshakes that failed or took too "
				       "long." },
	[FIGURE_CUT_OFF] = { "crs_clients_cut_off_total",
			     "Clients that broke the rules and were cut off." },
	[FIGURE_DENIED] = { "crs_registrations_denied_total", "Registrations that were denied." },
	[FIGURE_LIMITED] = { "crs_requests_limited_total",
			     "Requests refused because a client asked for too much." },
	[FIGURE_FRAMES] = { "crs_frames_total", "Frames of clients." },
	[FIGURE_CALLS] = { "crs_calls_total", "Invitations to calls." },
	[FIGURE_CALLS_ANSWERED] = { "crs_calls_answered_total", "Calls that were answered." },
	[FIGURE_POSTED] = { "crs_messages_posted_total",
			    "Messages and receipts that were posted, repeats left out." },
	[FIGURE_STORED] = { "crs_messages_stored_total", "Of these: written to the store." },
	[FIGURE_DELIVERED] = { "crs_messages_delivered_total", "Messages and receipts taken." },
	[FIGURE_REFUSED] = { "crs_messages_refused_total", "Posts that were refused." },
	[FIGURE_LOOKUPS] = { "crs_lookups_total", "Questions for the domain of a URI." },
};

const char *worker_figure_name(enum worker_figure figure)
{
	return figures[figure].name;
}

const char *worker_figure_help(enum worker_figure figure)
{
	return figures[figure].help;
}
