/* sip_texts.c - the port "sip" of texts: opened while messaging is on, and told of
 * cig-sip's life and death. */
#include "gateway/sip_texts.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "gateway/sip_texts_priv.h"

static const struct text_port_ops port_ops = {
	.match = sip_out_match,
	.offer = sip_out_offer,
	.flush = sip_out_flush,
	.kept = sip_out_kept,
	.forget = sip_out_forget,
	.stored = sip_in_stored,
	.posted = sip_in_posted,
	.forgotten = sip_in_forgotten,
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sip_in_due(arg);
}

static int open_port(struct sip_texts *texts)
{
	if (!texts->config->sip.messaging || texts->port)
		return 0;
	return texts_add_port(texts->world.texts, "sip", "sip", &port_ops, texts, &texts->port);
}

int sip_texts_new(const struct sip_texts_world *world, const struct cig_config *config,
		  struct sip_texts **texts_out)
{
	struct sip_texts *texts = calloc(1, sizeof(*texts));
	int err;

	if (!texts)
		return -ENOMEM;
	texts->world = *world;
	texts->config = cig_config_hold(config);
	texts->out_tail = &texts->out;
	texts->in_tail = &texts->in;
	texts->timer = evtimer_new(world->base, on_timer, texts);
	err = texts->timer ? open_port(texts) : -ENOMEM;
	if (err) {
		sip_texts_free(&texts);
		return err;
	}
	*texts_out = texts;
	return 0;
}

/* What is in hand is offered anew by the next port of that name; who waits for a response
 * gets the agent's 504, and is known by its key when it asks again. */
static void close_port(struct sip_texts *texts, const char *why)
{
	sip_out_stop(texts, why);
	sip_in_forget(texts);
	texts_remove_port(&texts->port);
}

void sip_texts_free(struct sip_texts **textsp)
{
	struct sip_texts *texts = *textsp;

	if (!texts)
		return;
	*textsp = NULL;
	close_port(texts, "the gateway stops");
	sip_hosts_forget(texts);
	if (texts->timer)
		event_free(texts->timer);
	cig_config_release(&texts->config);
	free(texts);
}

int sip_texts_set_config(struct sip_texts *texts, const struct cig_config *config)
{
	const struct cig_config *before = texts->config;
	int err;

	/* What is in hand is offered and routed anew; but what is under way may have been shown by
	 * now, and would be shown twice. */
	if (!config->sip.messaging)
		close_port(texts, "messaging is switched off");
	else
		sip_out_reroute(texts, "the configuration changed");
	sip_hosts_forget(texts); /* their servers may be others now */
	texts->config = cig_config_hold(config);
	cig_config_release(&before);
	err = open_port(texts);
	if (texts->port)
		text_port_ready(texts->port);
	return err;
}

void sip_texts_ready(struct sip_texts *texts)
{
	if (!texts->port)
		return;
	text_port_trouble(texts->port, "");
	text_port_ready(texts->port);
}

/* Its transactions died with it: a request without an answer may have arrived, and goes again
 * under the same Call-ID. */
void sip_texts_lost(struct sip_texts *texts)
{
	if (!texts->port)
		return;
	text_port_trouble(texts->port, "cig-sip is not running");
	sip_out_stop(texts, "cig-sip died before the answer came");
	sip_in_forget(texts);
}

bool sip_texts_event(struct sip_texts *texts, const SipAgent__FromAgent *event)
{
	switch (event->body_case) {
	case SIP_AGENT__FROM_AGENT__BODY_TEXT_IN:
		sip_in_take(texts, event->text_in);
		return true;
	case SIP_AGENT__FROM_AGENT__BODY_TEXT_CHALLENGED:
		sip_out_challenged(texts, event->text_challenged);
		return true;
	case SIP_AGENT__FROM_AGENT__BODY_TEXT_DONE:
		sip_out_done(texts, event->text_done);
		return true;
	default:
		return false;
	}
}
