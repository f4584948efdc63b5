/* mime_scene.h - a message to write, and what becomes of it. */
#ifndef TESTS_MAILBOX_MIME_SCENE_H
#define TESTS_MAILBOX_MIME_SCENE_H

#include "tests/unit.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "mailbox/message.h"
#include "mailbox/mime.h"

/* The manual's example: 26 Nov 2015 17:15:44 +0000. */
#define EXAMPLE_DATE_S 1448558144

static inline void fill(struct message *m, const char *text)
{
	message_init(m);
	for (size_t i = 0; i < sizeof(m->id); i++)
		m->id[i] = (uint8_t)i;
	assert_int_equal(message_set(&m->to, slice_str("sip:124@example.com")), 0);
	assert_int_equal(message_set(&m->from, slice_str("sip:456@example.net")), 0);
	assert_int_equal(message_set(&m->sender_uri, slice_str("tel:+12345")), 0);
	assert_int_equal(message_set(&m->sender_domain, slice_str("Example Domain")), 0);
	assert_int_equal(message_set(&m->text, slice_str(text)), 0);
	m->date_s = EXAMPLE_DATE_S;
	m->responder = MESSAGE_RESPONDER_TEL_URI;
}

/* Writes m; the caller frees. */
static inline char *written(const struct message *m)
{
	uint8_t *octets;
	size_t n;

	assert_int_equal(mime_write(m, &octets, &n, NULL), 0);
	octets = realloc(octets, n + 1);
	assert_non_null(octets);
	octets[n] = '\0';
	assert_int_equal(strlen((char *)octets), n);
	return (char *)octets;
}

static inline bool matches(const char *text, const char *pattern)
{
	regex_t re;
	bool found;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static inline void read_back(const char *text, struct message *m)
{
	assert_int_equal(mime_read(slice_str(text), m, NULL), 0);
}

#endif
