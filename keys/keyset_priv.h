/* keyset_priv.h - what messages need of a period's keys. */
#ifndef KEYS_KEYSET_PRIV_H
#define KEYS_KEYSET_PRIV_H

#include "keys/eccsi.h"
#include "keys/identity.h"
#include "keys/keyset.h"
#include "keys/sakke.h"

/* The receiver secret key with its tables, to open what was sealed to the identity. */
const struct sakke_receiver *period_keys_receiver(const struct period_keys *keys);

/* Meaningful where period_keys_can_sign() is true. */
const struct eccsi_signer *period_keys_signer(const struct period_keys *keys);

/* The identifier that the keys were issued for. */
struct slice period_keys_identifier(const struct period_keys *keys);

#endif
