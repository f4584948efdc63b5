/* domain_priv.h - what messages need of a domain. */
#ifndef KEYS_DOMAIN_PRIV_H
#define KEYS_DOMAIN_PRIV_H

#include "keys/curves_priv.h"
#include "keys/domain.h"

/* Those that the domain was made with; borrowed from its maker. */
const struct curves *domain_curves(const struct domain *domain);

/* Z with its table. */
const struct sakke_kms *domain_kms(const struct domain *domain);

#endif
