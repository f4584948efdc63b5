/* client_keep.c - what the rendezvous keeps for the client (docs/umsg.md "Frames", ClientData):
 * one value at a time, told when it is durable. */
#include <errno.h>

#include "base/clock.h"
#include "umsg/client_priv.h"

int umsg_client_keep(struct umsg_client *client, const char *name, const char *type,
		     struct slice value)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__ClientData data = UMSG__CLIENT_DATA__INIT;
	int err;

	if (value.n > FRAME_CLIENT_DATA)
		return -EMSGSIZE;
	if (!client_attached(client))
		return -ENOTCONN;
	if (client->keeping)
		return -EBUSY;
	data.name = frame_text(name);
	data.type = frame_text(type);
	data.value = frame_data(value);
	frame.request = ++client->requests;
	frame.body_case = UMSG__FRAME__BODY_CLIENT_DATA;
	frame.client_data = &data;
	/* A name or type that the rules forbid would cost us the link. */
	frame.version = FRAME_VERSION;
	if (frame_check(&frame, FRAME_FROM_CLIENT))
		return -EINVAL;
	err = client_send(client, &frame);
	if (err)
		return err;
	client->keeping = frame.request;
	client->kept_ms = clock_mono_ms();
	client_watch(client);
	return 0;
}

void client_on_kept(struct umsg_client *client, uint64_t request, Umsg__ErrorCode error,
		    const char *text)
{
	if (request == 0 || request != client->keeping)
		return;
	client->keeping = 0;
	if (client->ops->kept)
		client->ops->kept(client->arg, error, text);
}

bool client_look_at_kept(struct umsg_client *client)
{
	if (client->keeping && clock_mono_ms() - client->kept_ms >= CLIENT_SILENCE_MS)
		client_on_kept(client, client->keeping, UMSG__ERROR_CODE__ERROR_BUSY, "no answer");
	return client->keeping != 0;
}
