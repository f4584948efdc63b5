/* peer_domain.h - whether the domain of somebody on the secure side is known, so that a call
 * or a text to it goes under the right keys.
 *
 * The users of the own domain are known from the update, and cost nothing here.  Of all others
 * only the rendezvous can say whose they are (docs/umsg.md, "Lookup").
 */
#ifndef GATEWAY_PEER_DOMAIN_H
#define GATEWAY_PEER_DOMAIN_H

struct umsg_client;

/* Asks the rendezvous where need be.  Returns
 *   0             go on; also with somebody whom nobody has: the rendezvous says so itself
 *   -EINPROGRESS  it was asked: once again after umsg/client.h's looked_up()
 *   an error of which peer_domain_refusal() tells the reason: it is not to be reached
 * or -ENOTCONN, -ENOBUFS, -ENOMEM: not now. */
int peer_domain_ask(struct umsg_client *client, const char *uri);

/* Why somebody is not to be reached, for people; NULL where err is no such refusal. */
const char *peer_domain_refusal(int err);

#endif
