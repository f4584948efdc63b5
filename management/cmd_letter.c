/* cmd_letter.c - cms letter: an initiation letter on paper, or for a QR code. */
#include "management/cms.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/rand.h>

#include "base/buf.h"
#include "base/diag.h"
#include "keys/letter_text.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "management/issue.h"
#include "management/page.h"

/* What people read above the lines that they type.  No line of it begins with a
 * number and a dot. */
static void write_heading(struct buf *b, const struct person *person, const struct letter *letter,
			  bool protected)
{
	char made[CMS_TIME_SIZE], first[PERIOD_TEXT_SIZE], second[PERIOD_TEXT_SIZE];

	cms_time((int64_t)letter->created, made);
	period_text(letter->months[0].month, first);
	period_text(letter->months[1].month, second);
	buf_printf(b, "Initiation letter for %s\n\n", person->name);
	buf_printf(b, "  Number:      %s\n", person->uri + strlen("tel:"));
	buf_printf(b, "  Domain:      %s\n", letter->domain);
	buf_printf(b, "  Rendezvous:  %s, account %s\n", letter->address, letter->account);
	buf_printf(b, "  Made:        %s UTC, with keys for %s and %s\n", made, first, second);
	if (person->engines)
		buf_printf(b, "  Gateway:     %u crypto engines\n", person->engines);
	if (protected)
		buf_printf(b, "  Protected:   the QR key, which comes another way, is asked for\n");
	buf_printf(b, "\nThis letter holds private keys.  Hand it over in person, and destroy it "
		      "after use.\nThe last group of each line, behind the colon, is its "
		      "checksum.\n\n");
}

static int write_page(enum page_format format, const struct person *person,
		      const struct letter *letter, bool protected, struct slice octets,
		      struct buf *b)
{
	if (format == PAGE_TEXT)
		write_heading(b, person, letter, protected);
	return page_write(format, octets, b);
}

/* Encodes, and protects under a new QR key where that is wanted. */
static int encode(struct cms *cms, const struct letter *letter, uint8_t *qr_key, uint8_t *out,
		  size_t *n)
{
	uint8_t plain[LETTER_OCTETS_MAX];
	size_t plain_n;
	int err = letter_encode(letter, plain, &plain_n);

	/* A key for one letter, never kept: who loses it gets another letter. */
	if (!err && cms->value[OPTION_QR_KEY]) {
		err = RAND_priv_bytes(qr_key, LETTER_QR_KEY_SIZE) == 1 ? 0 : -EIO;
		if (!err)
			err = letter_protect(slice_of(plain, plain_n), qr_key, out, n);
	} else if (!err) {
		memcpy(out, plain, plain_n);
		*n = plain_n;
	}
	wipe(plain, sizeof(plain));
	if (err == -EMSGSIZE)
		diag_error(cms->diag, NULL,
			   "the letter would exceed %d octets: the address and the domain's name "
			   "are too long",
			   LETTER_OCTETS_MAX);
	else if (err)
		diag_error(cms->diag, NULL, "the letter cannot be made: %s", strerror(-err));
	return err;
}

static void print_qr_key(struct cms *cms, const uint8_t *qr_key)
{
	char text[LETTER_QR_KEY_TEXT_SIZE];

	letter_qr_key_format(qr_key, text);
	/* Apart from the letter: whoever has both has the keys. */
	fprintf(cms->value[OPTION_OUTPUT] ? stdout : stderr, "QR key: %s\n", text);
	wipe(text, sizeof(text));
}

/* The letter's record is made durable before the letter leaves: one that is lost
 * on the way does no harm, one that nobody knows of would. */
static int finish(struct cms *cms, const struct person *person, const struct letter *letter,
		  enum page_format format)
{
	uint8_t octets[LETTER_OCTETS_MAX], qr_key[LETTER_QR_KEY_SIZE], page[PAGE_SIZE];
	bool protected = cms->value[OPTION_QR_KEY] != NULL;
	struct buf b = BUF_OF(page);
	size_t n;
	int err = encode(cms, letter, qr_key, octets, &n);

	if (!err)
		err = write_page(format, person, letter, protected, slice_of(octets, n), &b);
	if (!err)
		err = cms_log(cms, "letter", "%s, generation %u%s", person->uri, person->generation,
			      protected ? ", protected" : "");
	if (!err)
		err = cms_commit(cms);
	if (!err)
		err = page_deliver(cms, buf_slice(&b));
	if (!err && protected)
		print_qr_key(cms, qr_key);
	wipe(octets, sizeof(octets));
	wipe(qr_key, sizeof(qr_key));
	wipe(page, sizeof(page));
	return err;
}

/* "cms letter NUMBER": the initiation letter of a user or gateway. */
int cmd_letter(struct cms *cms)
{
	char uri[IDENTITY_URI_MAX + 1];
	struct person person;
	struct issuer issuer;
	struct letter letter;
	enum page_format format;
	int err = page_take_format(cms, &format);

	if (!err)
		err = person_uri(cms->args[0], uri, cms->diag);
	if (!err)
		/* Users and gateways have the same letters but for the engines. */
		err = person_find_any(cms->db, uri, &person, cms->diag);
	if (!err)
		err = issuer_open(cms->db, &cms->vault, cms->now_s, &issuer, cms->diag);
	if (err)
		return err;
	err = issue_letter(&issuer, &person, &letter, cms->diag);
	if (!err)
		err = finish(cms, &person, &letter, format);
	letter_wipe(&letter);
	issuer_close(&issuer);
	return err;
}
