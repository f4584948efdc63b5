/* Mail files that others wrote, well or ill. */
#include "tests/mailbox/mime_scene.h"

/* --- reading what others write --- */

#define HEAD "To: <sip:46701@secure.com>\nFrom: <sip:456@x>\n"

static const struct {
	const char *file;
	const char *text; /* NULL: refused */
	size_t attachments;
} files[] = {
	/* the manual's examples (E15), their lines as they are meant */
	{ "To: <sip:124@example.com>\nFrom: <sip:456@example.net>\n"
	  "Date: 26 Nov 2015 17:15:44 +0000\nAuto-Submitted: no\nX-Sender-URI: tel:+12345\n"
	  "X-Sender-Domain: Example Domain\nContent-Type: text/plain; charset=\"UTF-8\"\n"
	  "Content-Transfer-Encoding: 8bit\n\nThis is the text message in plaintext.\n",
	  "This is the text message in plaintext.", 0 },
	{ "To: <sip:124@example.com>\nFrom: <sip:456@example.net>\n"
	  "Date: 26 Nov 2015 17:15:44 +0000\nAuto-Submitted: no\nX-Sender-URI: tel:+12345\n"
	  "X-Sender-Domain: Example Domain\nContent-Transfer-Encoding: 8bit\n"
	  "Content-Type: multipart/mixed;\nboundary=e9lafbk45d361b43c2f051a6b732e44n\n"
	  "\n--e9lafbk45d361b43c2f051a6b732e44n\nContent-Type: text/plain; charset=\"UTF-8\"\n\n"
	  "This is the text message in plaintext.\n--e9lafbk45d361b43c2f051a6b732e44n\n"
	  "Content-Type: image/png\nContent-Transfer-Encoding: base64\n"
	  "Content-Disposition: attachment; filename=\"filename.png\"\n\n"
	  "YwF6Iq1GI8fUeBNAVJIJez4e8pLu3jzENEMGLrtVyTC5QVMJ/yr5xDC6n\n"
	  "--e9lafbk45d361b43c2f051a6b732e44n--\n",
	  "This is the text message in plaintext.", 1 },
	/* the same, repaired: the line with the boundary is a folded one */
	{ "To: <sip:124@example.com>\nFrom: <sip:456@example.net>\nMIME-Version: 1.0\n"
	  "X-Responder-Type: tel-uri\nContent-Type: multipart/mixed;\n"
	  " boundary=e9lafbk45d361b43c2f051a6b732e44n\n"
	  "\n--e9lafbk45d361b43c2f051a6b732e44n\nContent-Type: text/plain; charset=\"UTF-8\"\n\n"
	  "This is the text message in plaintext.\n--e9lafbk45d361b43c2f051a6b732e44n\n"
	  "Content-Type: image/png\nContent-Transfer-Encoding: base64\n"
	  "Content-Disposition: attachment; filename=\"filename.png\"\n\nYwF6\n"
	  "--e9lafbk45d361b43c2f051a6b732e44n--\n",
	  "This is the text message in plaintext.", 1 },
	/* CIG-081 and CIG-082; no Content-Type at all */
	{ HEAD "X-Foo: bar\nSubject: ignored\n\nhi\n\n", "hi", 0 },
	{ HEAD "\n", "", 0 },
	{ "to: sip:1@a\nFROM: \"Bob <x>\" <sip:456@x> (comment)\n\nhi", "hi", 0 },
	{ "To: =?utf-8?q?J=C3=B6?=\n <sip:1@a>\nFrom:\n <sip:456@x>\n\nhi", "hi", 0 },
	{ "To: <sip:1@a>\r\nFrom: <sip:456@x>\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"
	  "\r\na\r\nb\r\n\r\n",
	  "a\nb", 0 },
	{ HEAD "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=UTF-8\n\n"
	       "R3LDvMOfZQo=\n",
	  "Grüße", 0 },
	{ HEAD "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9F=\ne\n", "Grüße", 0 },
	{ HEAD "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
	       "Gr\xfc\xdf"
	       "e\n",
	  "Grüße", 0 },
	{ HEAD "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b\"\n\n--b\n"
	       "Content-Type: text/html\n\n<b>hi</b>\n--b\nContent-Type: text/plain\n\nhi\n--b--\n",
	  "hi", 0 },
	/* preamble, epilogue, no final boundary, a part whose name is RFC 2231 */
	{ HEAD "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\nhi\n--b\n"
	       "Content-Type: a/b\nContent-Disposition: attachment;\n filename*0*=UTF-8''K%C3%A4;\n"
	       " filename*1=se.txt\n\ndata\n",
	  "hi", 1 },
	{ HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
	       "Subject: x\n\ny\n--b--\nepilogue\n",
	  "", 1 },
	{ HEAD "Content-Type: image/png; name=x.png\nContent-Transfer-Encoding: base64\n\nAAEC\n",
	  "", 1 },
	/* refused */
	{ "", NULL, 0 },
	{ "\n\n\n", NULL, 0 },
	{ "no header at all", NULL, 0 },
	{ "To: <sip:1@a>\n\nhi", NULL, 0 },
	{ "From: <sip:1@a>\n\nhi", NULL, 0 },
	{ "To: <>\nFrom: <sip:1@a>\n\nhi", NULL, 0 },
	{ HEAD "To: <sip:2@b>\n\nhi", NULL, 0 },
	{ "To: <sip:1@a>, <sip:2@b>\nFrom: <sip:1@a>\n\nhi", NULL, 0 },
	{ "To: <sip:1@a\nFrom: <sip:1@a>\n\nhi", NULL, 0 },
	{ "To: sip:1@a>\nFrom: <sip:1@a>\n\nhi", NULL, 0 },
	{ "To: <sip:\xff@a>\nFrom: <sip:1@a>\n\nhi", NULL, 0 },
	{ HEAD "\nnot UTF-8 \xff\n", NULL, 0 },
	{ HEAD "Content-Transfer-Encoding: base64\n\nAAAA\n", NULL, 0 }, /* NUL */
	{ HEAD "Content-Type: text/plain; charset=ISO-2022-CN-EXT\n\nhi\n", NULL, 0 },
};

static void files_of_others_are_read_as_they_are_meant(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct diag *diag = diag_new();
		struct message m;
		int err = mime_read(slice_str(files[i].file), &m, diag);

		if (err != (files[i].text ? 0 : -EBADMSG))
			fail_msg("case %zu: %d %s", i, err, diag_first_error(diag));
		assert_int_equal(diag_errors(diag), err != 0);
		if (files[i].text)
			assert_string_equal(m.text, files[i].text);
		assert_int_equal(m.attachment_count, files[i].attachments);
		message_clear(&m);
		diag_free(&diag);
	}
}

static void the_addresses_are_what_stands_in_brackets(void **state)
{
	struct message m;

	(void)state;
	read_back("To: =?utf-8?q?J=C3=B6?=\n <sip:1@a>\nFROM: \"Bob <x>\" <sip:456@x> (c)\n\nhi",
		  &m);
	assert_string_equal(m.to, "sip:1@a");
	assert_string_equal(m.from, "sip:456@x");
	message_clear(&m);
	read_back("To: tel:+8888;101\nFrom: 4711\nAuto-Submitted: auto-mystery; x=y\n"
		  "Date: Thu, 26 Nov 2015 18:15:44 +0100\n\nhi",
		  &m);
	assert_string_equal(m.to, "tel:+8888;101");
	assert_string_equal(m.from, "4711");
	assert_int_equal(m.auto_submitted, MESSAGE_AUTO_GENERATED);
	assert_int_equal(m.date_s, EXAMPLE_DATE_S);
	assert_null(m.sender_uri);
	message_clear(&m);
}

/* Many parts, deep nesting, a long header: refused before they cost anything. */
static void floods_are_refused(void **state)
{
	static char file[400000];
	struct message m;
	size_t n;

	(void)state;
	n = (size_t)snprintf(file, sizeof(file),
			     HEAD "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < MIME_MAX_PARTS; i++)
		n += (size_t)snprintf(file + n, sizeof(file) - n, "--b\n\nx\n");
	assert_int_equal(mime_read(slice_of(file, n), &m, NULL), -EFBIG);

	n = (size_t)snprintf(file, sizeof(file), HEAD);
	for (int i = 0; i < MIME_MAX_NESTING + 2; i++)
		n += (size_t)snprintf(file + n, sizeof(file) - n,
				      "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
				      i);
	assert_int_equal(mime_read(slice_of(file, n), &m, NULL), -EFBIG);

	n = (size_t)snprintf(file, sizeof(file), HEAD);
	for (int i = 0; i < 5000; i++)
		n += (size_t)snprintf(file + n, sizeof(file) - n,
				      "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
				      i);
	assert_int_equal(mime_read(slice_of(file, n), &m, NULL), -EFBIG);

	n = (size_t)snprintf(file, sizeof(file), HEAD "X: ");
	memset(file + n, 'x', MIME_MAX_HEADER_BYTES);
	n += MIME_MAX_HEADER_BYTES;
	n += (size_t)snprintf(file + n, sizeof(file) - n, "\nY: z\n\nhi");
	assert_int_equal(mime_read(slice_of(file, n), &m, NULL), -EFBIG);
	message_clear(&m);
}

static void attachments_have_a_number_that_is_bounded(void **state)
{
	struct message m;

	(void)state;
	message_init(&m);
	for (int i = 0; i < MESSAGE_MAX_ATTACHMENTS; i++)
		assert_int_equal(
			message_attach(&m, slice_str("a"), slice_str("a/b"), slice_str("")), 0);
	assert_int_equal(message_attach(&m, slice_str("a"), slice_str("a/b"), slice_str("")),
			 -E2BIG);
	message_clear(&m);
}

/* Expires (RFC 4021, section 2.1.50) and its older name; what is no date is no end. */
static void the_end_of_a_message_stands_in_expires(void **state)
{
	static const struct {
		const char *header;
		int64_t want_s;
	} cases[] = {
		{ "Expires: 26 Nov 2015 17:15:44 +0000\n", EXAMPLE_DATE_S },
		{ "expires: Thu, 26 Nov 2015\n 18:15:44 +0100\n", EXAMPLE_DATE_S },
		{ "Expiry-Date: 26 Nov 2015 17:15:44 +0000\n", EXAMPLE_DATE_S },
		{ "Expires: soon\n", 0 },
		{ "", 0 },
	};
	struct message m, back;
	char *text;

	(void)state;
	fill(&m, "x");
	m.end_s = EXAMPLE_DATE_S;
	text = written(&m);
	assert_true(matches(text, "^Expires: 26 Nov 2015 17:15:44 \\+0000$"));
	assert_int_equal(mime_read(slice_str(text), &back, NULL), 0);
	assert_int_equal(back.end_s, EXAMPLE_DATE_S);
	message_clear(&back);
	free(text);
	m.end_s = 0;
	text = written(&m);
	assert_false(matches(text, "^Expires"));
	free(text);
	message_clear(&m);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char mail[256];

		snprintf(mail, sizeof(mail), "From: <a>\nTo: <b>\n%s\nx", cases[i].header);
		assert_int_equal(mime_read(slice_str(mail), &back, NULL), 0);
		assert_int_equal(back.end_s, cases[i].want_s);
		message_clear(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_others_are_read_as_they_are_meant),
		cmocka_unit_test(the_addresses_are_what_stands_in_brackets),
		cmocka_unit_test(floods_are_refused),
		cmocka_unit_test(the_end_of_a_message_stands_in_expires),
		cmocka_unit_test(attachments_have_a_number_that_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
