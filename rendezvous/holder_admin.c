/* holder_admin.c - what remote administrators ask, and what they are answered.
 *
 * The worker only carries: it puts the parts of an update file together, in a file of its
 * own, and passes everything on to the supervisor, which alone decides who may do what.  It is
 * asked behind the first part already, so that nobody fills the disk with what he may not apply.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/net.h"
#include "rendezvous/apply.h"
#include "rendezvous/holder_priv.h"

struct admin_upload {
	int fd;
	uint32_t size;
	bool whole; /* else the supervisor is asked whether it may come at all */
	char path[];
};

/* A connection's number begins with the index of its worker, and so does its file's. */
void holder_drop_old_uploads(const CrsWorker__Setup *setup)
{
	char pattern[PATH_MAX];
	glob_t found;

	if (snprintf(pattern, sizeof(pattern), "%s/upload-%02x*.upd", setup->run_dir,
		     (unsigned)setup->index) >= (int)sizeof(pattern) ||
	    glob(pattern, GLOB_NOSORT, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

static void answer(struct client *client, uint64_t request, Umsg__ErrorCode error, const char *text)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__AdminAnswer body = UMSG__ADMIN_ANSWER__INIT;

	body.error = error;
	body.text = frame_text(text);
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_ANSWER;
	frame.admin_answer = &body;
	client_send(client, &frame);
}

void client_drop_upload(struct client *client)
{
	struct admin_upload *upload = client->upload;

	if (!upload)
		return;
	client->upload = NULL;
	close(upload->fd);
	unlink(upload->path);
	free(upload);
}

static struct admin_upload *begin_upload(const struct client *client)
{
	const CrsWorker__Setup *setup = worker_setup(client->holder->worker);
	size_t cap = strlen(setup->run_dir) + 48;
	struct admin_upload *upload = calloc(1, sizeof(*upload) + cap);
	struct buf b;

	if (!upload)
		return NULL;
	b = buf_over(upload->path, cap);
	buf_printf(&b, "%s/upload-%016llx.upd", setup->run_dir,
		   (unsigned long long)client_connection(client));
	upload->fd = open(upload->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (upload->fd < 0) {
		free(upload);
		return NULL;
	}
	return upload;
}

/* A part of the file, which continues what came.  Returns what was wrong, or NULL. */
static const char *take_part(struct client *client, const Umsg__AdminRequest *r)
{
	/* A first part begins anew, whatever came before: that is how an administrator tries
	 * again. */
	if (r->offset == 0) {
		client_drop_upload(client);
		client->upload = begin_upload(client);
	}
	if (!client->upload)
		return r->offset ? "begin with the first part" : "no room for the file";
	if (r->offset != client->upload->size)
		return "not the part that follows";
	if (r->data.len > APPLY_FILE_MAX - client->upload->size)
		return "larger than any update";
	if (file_write_all(client->upload->fd, frame_bytes(r->data)))
		return "no room for the file";
	client->upload->size += (uint32_t)r->data.len;
	client->upload->whole = r->last;
	return NULL;
}

static void ask_supervisor(struct client *client, uint64_t request, const Umsg__AdminRequest *r)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__AdminAsk ask = CRS_WORKER__ADMIN_ASK__INIT;
	char peer[NET_TEXT_SIZE];

	net_format(link_peer(client->link), peer);
	ask.connection = client_connection(client);
	ask.admin = client->admin;
	ask.peer = peer;
	ask.action = r->action;
	ask.account = r->account;
	if (client->upload && client->upload->whole)
		ask.path = client->upload->path;
	message.body_case = CRS_WORKER__CONTROL__BODY_ADMIN_ASK;
	message.admin_ask = &ask;
	/* One request at a time, so one number is enough; an administrator does not register,
	 * and its place is free. */
	client->register_request = request;
	client->admin_waits = true;
	if (worker_tell(client->holder->worker, &message)) {
		client->admin_waits = false;
		client_drop_upload(client); /* nobody has said that it may come */
		answer(client, request, UMSG__ERROR_CODE__ERROR_BUSY, "the server is busy");
	}
}

static void on_request(struct client *client, uint64_t request, const Umsg__AdminRequest *r)
{
	bool apply = r->action == UMSG__ADMIN_ACTION__ADMIN_APPLY;
	const char *wrong = NULL;

	/* The supervisor reads the file while it decides: no part may be written into it
	 * meanwhile. */
	if (client->admin_waits) {
		answer(client, request, UMSG__ERROR_CODE__ERROR_BUSY, "one request at a time");
		return;
	}
	client_be_patient(client, HOLDER_ADMIN_IDLE_MS);
	if (apply)
		wrong = take_part(client, r);
	else
		client_drop_upload(client);
	if (wrong)
		answer(client, request, UMSG__ERROR_CODE__ERROR_MALFORMED, wrong);
	else if (apply && !r->last && r->offset > 0)
		answer(client, request, UMSG__ERROR_CODE__OK, "");
	else
		ask_supervisor(client, request, r);
}

void client_admin_frame(struct client *client, struct slice octets)
{
	Umsg__Frame *frame = NULL;

	if (frame_decode(octets, FRAME_FROM_CLIENT, &frame))
		/* RFC 6455 7.4.1: a policy is violated. */
		link_close(client->link, 1008);
	else if (frame->body_case != UMSG__FRAME__BODY_ADMIN_REQUEST)
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED,
			     "administrators administer", 0);
	else
		on_request(client, frame->request, frame->admin_request);
	frame_free(&frame);
}

void client_admin_reply(struct client *client, const CrsWorker__AdminReply *m)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__AdminAnswer body = UMSG__ADMIN_ANSWER__INIT;

	if (!client->admin_waits)
		return;
	body.error = (Umsg__ErrorCode)m->error;
	body.text = m->text;
	body.data = m->data;
	body.more = m->more;
	frame.request = client->register_request;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_ANSWER;
	frame.admin_answer = &body;
	client_send(client, &frame);
	if (m->more)
		return;
	client->admin_waits = false;
	if (client->upload && !client->upload->whole && m->error == UMSG__ERROR_CODE__OK)
		return; /* the other parts may come */
	client_drop_upload(client);
}
