/* sip_texts_hosts.c - targets none of whose servers answered rest for a while, so that a
 * hundred texts for them cost one try.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/sip_texts_priv.h"

static struct sip_host *find_host(const struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = texts->hosts;

	while (host && (host->port != target->port || strcmp(host->host, target->host) != 0))
		host = host->next;
	return host;
}

/* Hosts stand in map entries only, so there are few.  Each failure doubles the rest. */
void sip_host_failed(struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = find_host(texts, target);
	int64_t wait_ms;

	if (!host) {
		host = calloc(1, sizeof(*host));
		if (!host)
			return;
		snprintf(host->host, sizeof(host->host), "%s", target->host);
		host->port = target->port;
		host->next = texts->hosts;
		texts->hosts = host;
	}
	/* Bounded by the maximum: failures counts no further than it. */
	wait_ms = (int64_t)SIP_TEXT_BACKOFF_MIN_MS << host->failures;
	if (wait_ms > SIP_TEXT_BACKOFF_MAX_MS)
		wait_ms = SIP_TEXT_BACKOFF_MAX_MS;
	else
		host->failures++;
	host->down_until_ms = clock_mono_ms() + wait_ms;
}

void sip_host_answered(struct sip_texts *texts, const struct sip_target *target)
{
	struct sip_host *host = find_host(texts, target);

	if (host)
		host->failures = 0;
}

unsigned sip_host_rests_ms(const struct sip_texts *texts, const struct sip_target *target)
{
	const struct sip_host *host = find_host(texts, target);
	/* A host that answered once rests no more, whatever down_until_ms says. */
	int64_t left = host && host->failures ? host->down_until_ms - clock_mono_ms() : 0;

	return left > 0 ? (unsigned)left : 0;
}

void sip_hosts_forget(struct sip_texts *texts)
{
	while (texts->hosts) {
		struct sip_host *host = texts->hosts;

		texts->hosts = host->next;
		free(host);
	}
}
