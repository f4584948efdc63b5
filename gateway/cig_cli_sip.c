/* cig_cli_sip.c - trace sip: the SIP messages of one call, out of sip.log.
 *
 * cig-sip writes a line about each message, and then the message with three blanks before each
 * line: a line that begins with anything else begins the next message, whatever a peer sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/visible.h"
#include "gateway/cig_cli.h"
#include "gateway/cig_config.h"

enum {
	MAX_CALL_ID = 256,
	MAX_MESSAGE = 1 << 20, /* octets; the longest SIP message with its blanks and escapes */
};

static bool is_first_line(const char *line)
{
	return strncmp(line, "   ", 3) != 0 && line[0] != '\n';
}

/* RFC 3261 20.8 and 7.3.3: the header's name in any case, or "i"; blanks around the colon. */
static const char *call_id_in(const char *line)
{
	static const char *const names[] = { "Call-ID", "i" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);
		/* Behind the three blanks. */
		const char *rest = line + 3;

		if (strncasecmp(rest, names[i], n) != 0)
			continue;
		rest += n + strspn(rest + n, " \t");
		if (*rest == ':')
			return rest + 1 + strspn(rest + 1, " \t");
	}
	return NULL;
}

/* One message after the other. */
struct reading {
	const char *call_id;
	char *text;     /* MAX_MESSAGE octets */
	struct buf buf; /* over text: the message so far */
	bool in_head;   /* its headers are not over */
	bool wanted;    /* it has that Call-ID */
	size_t found;
};

static void end_message(struct reading *r)
{
	if (r->wanted) {
		/* The log has C0 escaped, and C1 as a peer sent it. */
		visible_print(stdout, buf_slice(&r->buf), "\n\t");
		r->found++;
	}
	r->buf = buf_over(r->text, MAX_MESSAGE);
	r->wanted = false;
	r->in_head = true;
}

static void take_line(struct reading *r, const char *line)
{
	const char *id;
	size_t n;

	if (is_first_line(line))
		end_message(r);
	/* What a message has beyond MAX_MESSAGE octets is left out. */
	buf_put_str(&r->buf, line);
	if (!r->in_head || is_first_line(line))
		return;
	/* A body may hold a line that looks like the header. */
	r->in_head = strcmp(line, "   \n") != 0;
	id = call_id_in(line);
	n = strlen(r->call_id);
	/* Exactly this Call-ID: one may begin with another. */
	if (id && strncmp(id, r->call_id, n) == 0 && strspn(id + n, " \t\n") == strlen(id + n))
		r->wanted = true;
}

static int read_log(const char *path, const char *call_id)
{
	struct reading r = { .call_id = call_id, .text = malloc(MAX_MESSAGE) };
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;

	if (!file || !r.text) {
		fprintf(stderr, "cig-cli: %s: %m; sip_trace true in cig.conf(5) writes it\n", path);
	} else {
		end_message(&r);
		while (getline(&line, &cap, file) >= 0)
			take_line(&r, line);
		end_message(&r);
		if (!r.found)
			fprintf(stderr, "cig-cli: %s has no message of that call\n", path);
	}
	if (file)
		fclose(file);
	free(line);
	free(r.text);
	return r.found ? CLI_OK : CLI_FAILED;
}

/* The Call-ID of a call under way, by the number that the server gave it. */
static int ask_call_id(struct cli *cli, const char *number, char out[MAX_CALL_ID])
{
	json_t *answer, *call;
	size_t i;

	out[0] = '\0';
	if (cli_call(cli, "GET", "/calls", &answer))
		return CLI_FAILED;
	json_array_foreach(json_object_get(answer, "calls"), i, call)
	{
		char text[32];

		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(call, "number")));
		if (strcmp(text, number) == 0)
			snprintf(out, MAX_CALL_ID, "%s", cli_text(call, "sip_call_id"));
	}
	json_decref(answer);
	if (!out[0])
		fprintf(stderr,
			"cig-cli: no call %s with a SIP side is under way; calls.jsonl has the "
			"Call-IDs of those that ended\n",
			number);
	return out[0] ? CLI_OK : CLI_FAILED;
}

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

int cli_trace_sip(struct cli *cli, int argc, char **argv)
{
	const struct cig_config *config = NULL;
	char call_id[MAX_CALL_ID], path[4096];

	if (argc < 3 || argc > 4) {
		fputs("usage: cig-cli trace sip NUMBER|CALL-ID [FILE]\n", stderr);
		return CLI_USAGE;
	}
	snprintf(call_id, sizeof(call_id), "%s", argv[2]);
	if (is_number(argv[2]) && ask_call_id(cli, argv[2], call_id) != CLI_OK)
		return CLI_FAILED;
	if (argc == 4)
		return read_log(argv[3], call_id);
	snprintf(path, sizeof(path), CIG_LOG_DIR "/sip.log");
	if (cig_config_read_places(cli->config_path, &config) == 0) {
		snprintf(path, sizeof(path), "%s/sip.log", config->log_dir);
		cig_config_release(&config);
	}
	return read_log(path, call_id);
}
