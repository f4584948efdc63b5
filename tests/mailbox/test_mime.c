/* Mail files that we write, as we and an independent reader read them. */
#include "tests/mailbox/mime_scene.h"

#include "base/text.h"

/* --- writing --- */

/* CIG-071, CIG-073, CIG-074, CIG-075, CIG-076, CIG-077, CIG-078, CIG-079, CIG-080 */
static void a_text_is_written_as_the_manual_prints_it(void **state)
{
	struct message m;
	char *text;

	(void)state;
	fill(&m, "This is the text message in plaintext.");
	text = written(&m);
	assert_string_equal(text, "To: <sip:124@example.com>\n"
				  "From: <sip:456@example.net>\n"
				  "Date: 26 Nov 2015 17:15:44 +0000\n"
				  "Message-ID: <000102030405060708090a0b0c0d0e0f@cig>\n"
				  "Auto-Submitted: no\n"
				  "X-Responder-Type: tel-uri\n"
				  "X-Sender-URI: tel:+12345\n"
				  "X-Sender-Domain: Example Domain\n"
				  "MIME-Version: 1.0\n"
				  "Content-Type: text/plain; charset=\"UTF-8\"\n"
				  "Content-Transfer-Encoding: 8bit\n"
				  "\n"
				  "This is the text message in plaintext.\n");
	free(text);
	message_clear(&m);
}

/* CIG-066: what a translation yields is written as it is. */
static void addresses_need_not_be_uris(void **state)
{
	struct message m;
	char *text;

	(void)state;
	fill(&m, "x");
	assert_int_equal(message_set(&m.to, slice_str("Grüße an 101")), 0);
	assert_int_equal(message_set(&m.from, slice_str("")), 0);
	text = written(&m);
	assert_true(matches(text, "^To: <Grüße an 101>$"));
	assert_true(matches(text, "^From: <>$"));
	free(text);
	message_clear(&m);
}

/* CIG-077, CIG-078: each value in its case. */
static void every_kind_of_message_is_named(void **state)
{
	static const char *const kinds[] = { "no", "auto-generated", "auto-replied",
					     "auto-notified" };
	static const char *const responders[] = { "unknown", "tel-uri", "channel" };
	struct message m;

	(void)state;
	fill(&m, "x");
	for (unsigned i = 0; i < COUNT(kinds) * COUNT(responders); i++) {
		char want[80], *text;

		m.auto_submitted = (enum message_auto)(i % COUNT(kinds));
		m.responder = (enum message_responder)(i / COUNT(kinds));
		snprintf(want, sizeof(want), "^Auto-Submitted: %s$", kinds[i % COUNT(kinds)]);
		text = written(&m);
		assert_true(matches(text, want));
		snprintf(want, sizeof(want), "^X-Responder-Type: %s$",
			 responders[i / COUNT(kinds)]);
		assert_true(matches(text, want));
		free(text);
	}
	message_clear(&m);
}

/* CIG-071, CIG-072, CIG-076: 8bit where it fits, else base64; no CR, no long line. */
static void a_text_that_does_not_fit_8bit_is_base64(void **state)
{
	char at_limit[MIME_MAX_LINE_BYTES + 1], too_long[MIME_MAX_LINE_BYTES + 2];
	const struct {
		const char *text, *encoding;
	} cases[] = {
		{ "", "8bit" },          { "Grüße\n\n\tein\n", "8bit" }, { at_limit, "8bit" },
		{ too_long, "base64" },  { "a\r\nb", "base64" },         { "bell \a", "base64" },
		{ "\x1b[2J", "base64" }, { "delete \x7f", "base64" },
	};

	(void)state;
	memset(at_limit, 'x', sizeof(at_limit));
	at_limit[sizeof(at_limit) - 1] = '\0';
	memset(too_long, 'x', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message m;
		char want[64], *text;

		fill(&m, cases[i].text);
		text = written(&m);
		snprintf(want, sizeof(want), "^Content-Transfer-Encoding: %s$", cases[i].encoding);
		assert_true(matches(text, want));
		assert_null(strchr(text, '\r'));
		free(text);
		message_clear(&m);
	}
}

static void no_line_is_longer_than_the_manual_allows(void **state)
{
	static char huge[300000];
	struct message m;
	char *text, *line, *end;

	(void)state;
	memset(huge, 'y', sizeof(huge) - 1);
	fill(&m, huge);
	assert_int_equal(message_attach(&m, slice_str("a.bin"), slice_str("a/b"),
					slice_of(huge, sizeof(huge))),
			 0);
	text = written(&m);
	for (line = text; (end = strchr(line, '\n')); line = end + 1)
		assert_true(end - line <= MIME_MAX_LINE_BYTES);
	assert_string_equal(line, "");
	free(text);
	message_clear(&m);
}

/* Nobody's name or URI may add a header line or leave its brackets. */
static void nothing_can_add_a_header(void **state)
{
	static const struct {
		const char *value;
		bool domain_takes_it;
	} cases[] = {
		{ "x\nBcc: <y>", false },
		{ "x\rBcc: y", false },
		{ "x\x7f", false },
		{ "x\xc2\x85y", false }, /* NEL */
		{ "x\xe2\x80\xa8y", false },
		{ "x\xff", false },
		{ "sip:1@a>\t<sip:2@b", false },
		{ "sip:1@a> <sip:2@b", true },
		{ "\xc3\xa4", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		bool plain = cases[i].domain_takes_it && !strchr(cases[i].value, '<');
		struct message m;
		uint8_t *octets;
		size_t n;

		fill(&m, "x");
		assert_int_equal(message_set(&m.to, slice_str(cases[i].value)), 0);
		assert_int_equal(mime_write(&m, &octets, &n, diag), plain ? 0 : -EINVAL);
		assert_int_equal(diag_errors(diag), !plain);
		if (plain)
			free(octets);
		assert_int_equal(message_set(&m.to, slice_str("x")), 0);
		assert_int_equal(message_set(&m.sender_domain, slice_str(cases[i].value)), 0);
		assert_int_equal(mime_write(&m, &octets, &n, diag),
				 cases[i].domain_takes_it ? 0 : -EINVAL);
		if (cases[i].domain_takes_it)
			free(octets);
		message_clear(&m);
		diag_free(&diag);
	}
}

static void what_cannot_be_written_is_refused_with_its_reason(void **state)
{
	static char big[MIME_MAX_LINE_BYTES + 1];
	struct diag *diag = diag_new();
	struct message m;
	uint8_t *octets;
	size_t n;

	(void)state;
	fill(&m, "not UTF-8: \xc3");
	assert_int_equal(mime_write(&m, &octets, &n, diag), -EINVAL);
	assert_string_equal(diag_first_error(diag), "the text is not UTF-8");
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(message_set(&m.text, slice_str("x")), 0);
	assert_int_equal(message_set(&m.sender_domain, slice_str(big)), 0);
	assert_int_equal(mime_write(&m, &octets, &n, NULL), -E2BIG);
	assert_int_equal(message_set(&m.sender_domain, slice_str("")), 0);
	free(m.from);
	m.from = NULL;
	assert_int_equal(mime_write(&m, &octets, &n, NULL), -EINVAL);
	message_clear(&m);
	diag_free(&diag);
}

static void the_same_message_gives_the_same_octets(void **state)
{
	struct message m;
	char *one, *two;

	(void)state;
	fill(&m, "x");
	assert_int_equal(message_attach(&m, slice_str("a"), slice_str("a/b"), slice_str("data")),
			 0);
	one = written(&m);
	two = written(&m);
	assert_string_equal(one, two);
	free(one);
	free(two);
	message_clear(&m);
}

/* --- both ways --- */

/* CIG-083: attachment octets are identical both ways; CIG-075: multipart. */
static void attachments_come_back_as_they_were(void **state)
{
	uint8_t all[1027];
	struct message m, back;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 7);
	fill(&m, "Grüße\nmit Anhang");
	for (size_t n = 0; n < 60; n++)
		assert_int_equal(message_attach(&m, slice_str("bild \"1\".png"),
						slice_str("image/png"),
						slice_of(all, n == 59 ? sizeof(all) : n)),
				 0);
	text = written(&m);
	assert_true(matches(text, "^Content-Type: multipart/mixed; boundary=[0-9a-f]+$"));
	assert_true(matches(text, "^Content-Disposition: attachment; filename=\"bild"));
	read_back(text, &back);
	assert_string_equal(back.text, m.text);
	assert_int_equal(back.attachment_count, m.attachment_count);
	for (size_t i = 0; i < m.attachment_count; i++) {
		assert_string_equal(back.attachments[i].filename, m.attachments[i].filename);
		assert_string_equal(back.attachments[i].content_type, "image/png");
		assert_int_equal(back.attachments[i].n, m.attachments[i].n);
		assert_memory_equal(back.attachments[i].data, m.attachments[i].data,
				    m.attachments[i].n);
	}
	free(text);
	message_clear(&m);
	message_clear(&back);
}

/* Found by fuzz_mime: such a part was lost on its way back. */
static void an_attachment_that_calls_itself_a_multipart_comes_back(void **state)
{
	static const char *const types[] = { "multipart/mixed", "Multipart/alternative",
					     "message/rfc822" };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct message m, back;
		char *text;

		fill(&m, "");
		assert_int_equal(message_attach(&m, slice_str("x"), slice_str(types[i]),
						slice_str("--b\n\ny\n--b--")),
				 0);
		text = written(&m);
		read_back(text, &back);
		assert_int_equal(back.attachment_count, 1);
		assert_string_equal(back.attachments[0].content_type, "application/octet-stream");
		assert_int_equal(back.attachments[0].n, 12);
		free(text);
		message_clear(&m);
		message_clear(&back);
	}
}

static void all_fields_come_back(void **state)
{
	static const char *const texts[] = {
		"plain",
		"Grüße 🙂",
		"two\nlines",
		"a\nb\n\n--c",
		"",
		"bell \a here",
		"--000102030405060708090a0b0c0d0e0f",
		"From me\n.\nTo: <you>\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (int with_attachment = 0; with_attachment < 2; with_attachment++) {
			size_t n = strlen(texts[i]);
			struct message m, back;
			char *text;

			fill(&m, texts[i]);
			m.auto_submitted = MESSAGE_AUTO_REPLIED;
			m.responder = MESSAGE_RESPONDER_CHANNEL;
			if (with_attachment)
				assert_int_equal(message_attach(&m, slice_str("a"),
								slice_str("a/b"),
								slice_str("--\n")),
						 0);
			text = written(&m);
			read_back(text, &back);
			while (n && texts[i][n - 1] == '\n')
				n--; /* CIG-082 */
			assert_int_equal(strlen(back.text), n);
			assert_memory_equal(back.text, texts[i], n);
			assert_string_equal(back.from, m.from);
			assert_string_equal(back.to, m.to);
			assert_string_equal(back.sender_uri, m.sender_uri);
			assert_string_equal(back.sender_domain, m.sender_domain);
			assert_int_equal(back.date_s, m.date_s);
			assert_int_equal(back.auto_submitted, m.auto_submitted);
			assert_int_equal(back.responder, m.responder);
			assert_int_equal(back.attachment_count, with_attachment);
			free(text);
			message_clear(&m);
			message_clear(&back);
		}
	}
}

static void filenames_are_encoded_and_never_paths(void **state)
{
	static const struct {
		const char *given, *want;
	} cases[] = {
		{ "filename.png", "filename.png" },
		{ "Grüße & Küsse.txt", "Grüße & Küsse.txt" },
		{ "a\"b\\c.txt", "c.txt" },
		{ "a\"b;c=d.txt", "a\"b;c=d.txt" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\Users\\x.doc", "x.doc" },
		{ "..", "attachment-1" },
		{ ".bashrc", "bashrc" },
		{ "\x01. .bashrc", "bashrc" },
		{ "=?utf-8?q?x?=", "=?utf-8?q?x?=" },
		{ "", "attachment-1" },
		{ "dir/", "attachment-1" },
		{ "x\r\nBcc: y", "xBcc: y" },
		{ "not \xff UTF-8", "attachment-1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message m, back;
		char *text;

		fill(&m, "x");
		assert_int_equal(message_attach(&m, slice_str(cases[i].given),
						slice_str("text/plain"), slice_str("data")),
				 0);
		assert_string_equal(m.attachments[0].filename, cases[i].want);
		text = written(&m);
		assert_null(strstr(text, "\nBcc"));
		read_back(text, &back);
		assert_int_equal(back.attachment_count, 1);
		assert_string_equal(back.attachments[0].filename, cases[i].want);
		free(text);
		message_clear(&m);
		message_clear(&back);
	}
}

static void long_filenames_are_cut_between_characters(void **state)
{
	char name[601];
	struct message m, back;
	char *text;

	(void)state;
	for (size_t i = 0; i < 600; i += 3)
		memcpy(name + i, "\xe2\x82\xac", 4);
	fill(&m, "x");
	assert_int_equal(message_attach(&m, slice_str(name), slice_str("nonsense"), slice_str("")),
			 0);
	assert_true(text_is_utf8(slice_str(m.attachments[0].filename)));
	assert_int_equal(strlen(m.attachments[0].filename), 198);
	assert_string_equal(m.attachments[0].content_type, "application/octet-stream");
	text = written(&m);
	read_back(text, &back);
	assert_string_equal(back.attachments[0].filename, m.attachments[0].filename);
	free(text);
	message_clear(&m);
	message_clear(&back);
}

/* --- an independent reader --- */

static json_t *read_by_python(const char *text)
{
	char path[] = "/tmp/mime-test.XXXXXX", command[512];
	const char *top = getenv("top_srcdir");
	int fd = mkstemp(path);
	json_t *json;
	FILE *from;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(command, sizeof(command), "python3 '%s/tests/mailbox/read_strict.py' %s",
		 top ? top : ".", path);
	from = popen(command, "r");
	assert_non_null(from);
	json = json_loadf(from, 0, NULL);
	assert_int_equal(pclose(from), 0);
	unlink(path);
	assert_non_null(json);
	return json;
}

static const char *part_of(json_t *json, size_t i, const char *field)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(json, "parts"), i), field));
}

/* CIG-071, CIG-073, CIG-074, CIG-075, CIG-076, CIG-083: python's email package finds
 * no defect in what we write. */
static void pythons_strict_parser_reads_what_we_write(void **state)
{
	struct message m;
	json_t *json, *headers;
	char *text;

	(void)state;
	if (system("python3 -c 'import email.policy' 2>/dev/null") != 0)
		skip();
	fill(&m, "Grüße\r\naus Kiel");
	assert_int_equal(message_set(&m.sender_domain, slice_str("Behörde 7")), 0);
	assert_int_equal(message_attach(&m, slice_str("Käse.png"), slice_str("image/png"),
					slice_of("\x00\x01\xff", 3)),
			 0);
	assert_int_equal(message_attach(&m, slice_str("a \"b\".txt"), slice_str("text/csv"),
					slice_str("1;2\n")),
			 0);
	text = written(&m);
	json = read_by_python(text);
	headers = json_object_get(json, "headers");
	assert_string_equal(json_string_value(json_object_get(headers, "X-Sender-Domain")),
			    "Behörde 7");
	assert_string_equal(json_string_value(json_object_get(headers, "From")),
			    "<sip:456@example.net>");
	assert_string_equal(part_of(json, 0, "type"), "text/plain");
	assert_string_equal(part_of(json, 0, "content"), "Grüße\r\naus Kiel");
	assert_string_equal(part_of(json, 1, "name"), "Käse.png");
	assert_string_equal(part_of(json, 1, "content"), "0001ff");
	assert_string_equal(part_of(json, 2, "name"), "a \"b\".txt");
	json_decref(json);
	free(text);
	message_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_written_as_the_manual_prints_it),
		cmocka_unit_test(addresses_need_not_be_uris),
		cmocka_unit_test(every_kind_of_message_is_named),
		cmocka_unit_test(a_text_that_does_not_fit_8bit_is_base64),
		cmocka_unit_test(no_line_is_longer_than_the_manual_allows),
		cmocka_unit_test(nothing_can_add_a_header),
		cmocka_unit_test(what_cannot_be_written_is_refused_with_its_reason),
		cmocka_unit_test(the_same_message_gives_the_same_octets),
		cmocka_unit_test(attachments_come_back_as_they_were),
		cmocka_unit_test(an_attachment_that_calls_itself_a_multipart_comes_back),
		cmocka_unit_test(all_fields_come_back),
		cmocka_unit_test(filenames_are_encoded_and_never_paths),
		cmocka_unit_test(long_filenames_are_cut_between_characters),
		cmocka_unit_test(pythons_strict_parser_reads_what_we_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
