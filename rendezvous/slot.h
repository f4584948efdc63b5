/* slot.h - which worker is the home of a URI.
 *
 * A slot is CRC16(URI) mod 1024; the CRC is CCITT's as Redis Cluster uses it
 * (XMODEM: polynomial 0x1021, start 0), so that a store on a cluster can be laid
 * out alike.  A URI is taken in its canonical spelling.
 */
#ifndef RENDEZVOUS_SLOT_H
#define RENDEZVOUS_SLOT_H

#include "base/slice.h"

enum { SLOT_COUNT = 1024 };

/* CRC16 of the bare URI, modulo SLOT_COUNT. */
unsigned slot_of(struct slice uri);

/* The worker (0 to workers - 1) at which a URI is at home; workers >= 1. */
unsigned slot_home(struct slice uri, unsigned workers);

#endif
