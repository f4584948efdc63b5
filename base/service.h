/* service.h - tells systemd that our event loop turns.
 *
 * A service that its manager started with WatchdogSec= is ended and started anew when it has
 * said nothing for so long: whoever watches others (crs its workers, cig-server its cig-sip) is
 * watched by the manager.  Source: sd_notify(3), sd_watchdog_enabled(3); the protocol is one
 * datagram to the Unix socket of NOTIFY_SOCKET, so no library is needed.  A program that
 * nobody watches does nothing of all this.
 *
 * Threads: one event loop.
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

struct event_base;
struct service_watch;

enum { SERVICE_SIGNS = 4 }; /* of life, in the time within which the manager wants one */

/* Says so at once, and from then on as long as the loop of base turns.  Returns NULL where nobody
 * wants to hear it (the environment does not say so, or means another process), where what the
 * environment says makes no sense, and when memory is out. */
struct service_watch *service_watch_new(struct event_base *base);
/* Says nothing more; *watchp may be NULL. */
void service_watch_free(struct service_watch **watchp);

#endif
