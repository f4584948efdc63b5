/* fake_link.h - umsg/link.h without sockets, for fuzz targets: what a link is given to
 * send goes to a function of the target, and what comes in is what the target says.
 *
 * Linked before umsg/libumsg.a, whose link*.c are then left out.
 */
#ifndef TESTS_FUZZ_FAKE_LINK_H
#define TESTS_FUZZ_FAKE_LINK_H

#include "umsg/link.h"

typedef void fake_link_sent_fn(void *arg, struct link *link, struct slice octets);

/* Who is given what links send. */
void fake_link_on_sent(fake_link_sent_fn *sent, void *arg);

/* From now on link_connect() tells the owner at once that the link is negotiated. */
void fake_link_connect_at_once(void);

/* A link as if it had been accepted or connected; NULL when memory is out. */
struct link *fake_link_new(const struct link_ops *ops, void *arg);

/* The youngest link that is not freed, or NULL. */
struct link *fake_link_youngest(void);

/* Tells the owner; a frame or the end are what it may answer by freeing the link. */
void fake_link_frame(struct link *link, struct slice octets);
void fake_link_negotiated(struct link *link);

/* Was it asked to close?  Then tell its end. */
bool fake_link_is_closing(const struct link *link);
void fake_link_end(struct link *link, enum link_reason reason);

#endif
