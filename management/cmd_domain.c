/* cmd_domain.c - cms certificate and cms domain ... */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/certificate.h"
#include "management/listing.h"
#include "management/page.h"
#include "management/peer.h"

enum { FILE_MAX = 16384, GROUPS_SIZE = 81 };

/* ---- the own certificate ---- */

static void write_heading(struct buf *b, const struct settings *settings)
{
	char groups[GROUPS_SIZE];

	buf_printf(b, "Certificate of the security domain %s\n\n", settings->domain);
	cms_groups(settings->fingerprint, 32, groups, sizeof(groups));
	buf_printf(b, "  Id:          %s\n", groups);
	cms_groups(settings->fingerprint, 64, groups, sizeof(groups));
	buf_printf(b, "  Fingerprint: %s\n\n", groups);
	buf_printf(b, "Nothing here is secret, but it must come from the right person: compare the "
		      "fingerprint.\nThe last group of each row, behind the colon, is its "
		      "checksum.\n\n");
}

/* "cms certificate": what another domain's key manager needs of this one. */
int cmd_certificate(struct cms *cms)
{
	uint8_t octets[CERTIFICATE_OCTETS_MAX], page[PAGE_SIZE];
	/* From now on, without an end: who wants it to end deletes it at the other key manager. */
	struct update_domain domain = { .not_before = (uint64_t)cms->now_s };
	struct buf b = BUF_OF(page);
	struct settings settings;
	enum page_format format;
	size_t n;
	int err = page_take_format(cms, &format);

	if (!err)
		err = settings_load(cms->db, &settings, cms->diag);
	if (err)
		return err;
	memcpy(domain.name, settings.domain, sizeof(domain.name));
	memcpy(domain.kpak, settings.kpak, sizeof(domain.kpak));
	memcpy(domain.z, settings.z, sizeof(domain.z));
	err = certificate_encode(&domain, octets, &n);
	if (!err && format == PAGE_TEXT)
		write_heading(&b, &settings);
	if (!err)
		err = page_write(format, slice_of(octets, n), &b);
	return err ? err : page_deliver(cms, buf_slice(&b));
}

/* ---- others' ---- */

/* Takes rows from standard input until they make a whole certificate; a row that is
 * not right must be typed again before the next. */
static int read_rows(struct cms *cms, uint8_t *out, size_t *len_out)
{
	struct update_domain domain;
	char line[256];
	unsigned row = 1;
	size_t len = 0, n;

	for (;;) {
		if (isatty(STDIN_FILENO))
			fprintf(stderr, "Row %u: ", row);
		if (!fgets(line, sizeof(line), stdin)) {
			diag_error(cms->diag, NULL, "the certificate ends before its last row");
			return -EBADMSG;
		}
		if (len > LETTER_OCTETS_MAX - LETTER_LINE_OCTETS)
			return -EMSGSIZE;
		if (letter_text_line(slice_str(line), row, out + len, &n)) {
			fprintf(stderr, "cms: row %u is not right, type it again\n", row);
			continue;
		}
		len += n;
		row++;
		/* Nothing says how many rows there are: the checksum at the end does. */
		if (certificate_decode(slice_of(out, len), &domain, NULL) == 0)
			break;
	}
	*len_out = len;
	return 0;
}

static int read_certificate(struct cms *cms, const char *path, uint8_t *out, size_t *len_out)
{
	uint8_t *data;
	size_t n;
	int err;

	if (strcmp(path, "-") == 0)
		return read_rows(cms, out, len_out);
	err = file_read(path, FILE_MAX, &data, &n);
	if (err) {
		diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = letter_text_read(slice_of(data, n), out, len_out, cms->diag);
	free(data);
	return err;
}

static void print_peer(const struct peer *peer)
{
	char groups[GROUPS_SIZE];

	printf("Domain:      %s\n", peer->domain.name);
	cms_groups(peer->id, 32, groups, sizeof(groups));
	printf("Id:          %s\n", groups);
	cms_groups(peer->fingerprint, 64, groups, sizeof(groups));
	printf("Fingerprint: %s\n", groups);
	/* Before the question, which goes to standard error. */
	fflush(stdout);
}

/* The last group of the fingerprint, as the other side reads it out, shows that the
 * two were compared. */
static int confirm(struct cms *cms, const struct peer *peer)
{
	/* It shows that somebody looked; sixteen bits are no protection by themselves. */
	const char *want = peer->fingerprint + strlen(peer->fingerprint) - 4;
	const char *given = cms->value[OPTION_CONFIRM];
	char line[32];

	if (!given && isatty(STDIN_FILENO)) {
		fprintf(stderr,
			"Ask the other administrator for the fingerprint and compare it.  Its "
			"last group: ");
		given = fgets(line, sizeof(line), stdin);
	}
	if (!given) {
		diag_error(cms->diag, NULL,
			   "compare the fingerprint with the other administrator and give its last "
			   "group: --confirm GROUP");
		return -EINVAL;
	}
	for (size_t i = 0; i < 4; i++)
		if (tolower((unsigned char)given[i]) != want[i] || (i == 3 && isxdigit(given[4]))) {
			diag_error(
				cms->diag, NULL,
				"that is not the last group of this fingerprint: the certificate "
				"is not the one of that domain");
			return -EINVAL;
		}
	return 0;
}

/* "cms domain add FILE": trusts the domain of a certificate, once its fingerprint is
 * confirmed. */
int cmd_domain_add(struct cms *cms)
{
	uint8_t octets[LETTER_OCTETS_MAX];
	struct settings settings;
	struct peer peer;
	size_t n;
	int err = read_certificate(cms, cms->args[0], octets, &n);

	if (!err)
		err = peer_read(slice_of(octets, n), &peer, cms->diag);
	if (err)
		return err;
	print_peer(&peer);
	err = confirm(cms, &peer);
	if (!err)
		err = settings_load(cms->db, &settings, cms->diag);
	if (!err)
		err = peer_add(cms->db, &settings, &peer, cms->now_s, cms->diag);
	return err ? err : cms_log(cms, "domain", "added \"%s\" %s", peer.domain.name, peer.id);
}

/* "cms domain delete NAME": trusts it no more from the next update on. */
int cmd_domain_delete(struct cms *cms)
{
	int err = peer_delete(cms->db, cms->args[0], cms->diag);

	return err ? err : cms_log(cms, "domain", "deleted \"%s\"", cms->args[0]);
}

static int add_row(struct table *table, const struct peer *peer)
{
	char groups[GROUPS_SIZE], added[CMS_TIME_SIZE];
	const char *const cells[] = { peer->domain.name, groups, added };
	int err;

	cms_groups(peer->id, 32, groups, sizeof(groups));
	cms_time(peer->added, added);
	err = table_add(table, cells);
	return err ? err : 1;
}

static int next_domain(struct cms *cms, sqlite3_stmt *rows, json_t *list, struct table *table)
{
	struct peer peer;
	int more = peer_next(rows, &peer, cms->diag);

	if (more <= 0)
		return more;
	if (!list)
		return add_row(table, &peer);
	return listing_append(list, json_pack("{s:s, s:s, s:I}", "name", peer.domain.name, "id",
					      peer.id, "added", (json_int_t)peer.added));
}

/* "cms domain list": those trusted. */
int cmd_domain_list(struct cms *cms)
{
	static const char *const head[] = { "NAME", "ID", "ADDED" };
	const struct listing listing = { head, sizeof(head) / sizeof(head[0]), next_domain };
	sqlite3_stmt *rows;
	int err = peer_list(cms->db, &rows, cms->diag);

	return err ? err : listing_print(cms, rows, &listing);
}
