/* hep.h - one SIP message as a packet of HEP3, which Homer and other collectors take.
 *
 * "HEP3", the packet's length, then chunks: vendor 0, type, length with these six octets, value;
 * all numbers in network order.  Source: "The Hep/EEP Protocol" rev. 32 (sipcapture.org).
 */
#ifndef GATEWAY_HEP_H
#define GATEWAY_HEP_H

#include "base/buf.h"
#include "base/net.h"

enum { HEP_MAX_PACKET = 65507 /* octets that UDP over IPv4 carries */ };

struct hep_message {
	struct net_addr from, to; /* of one family, with their ports */
	bool stream;              /* TCP, or TLS over it; else UDP */
	int64_t wall_ms;
	uint32_t capture_id;  /* which of the collector's agents we are */
	const char *password; /* "": the collector asks for none */
	struct slice text;    /* the SIP message */
};

/* Appends the packet to b, which should be empty and have room for HEP_MAX_PACKET and a NUL; of a
 * longer text only the beginning, with its headers.  Returns 0, -EINVAL (addresses of no or of
 * two families) or -ENOBUFS, and then b is not to be sent. */
int hep_write(const struct hep_message *message, struct buf *b);

#endif
