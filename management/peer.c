/* peer.c - trusted domains in the database, as the certificates they came in. */
#include "management/peer.h"

#include <errno.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/encode.h"
#include "keys/certificate.h"
#include "keys/curves.h"
#include "keys/domain.h"

int peer_read(struct slice certificate, struct peer *peer, struct diag *diag)
{
	struct curves *curves;
	struct domain *domain;
	int err;

	*peer = (struct peer){ 0 };
	err = certificate_decode(certificate, &peer->domain, diag);
	if (err)
		return err;
	curves = curves_new();
	if (!curves)
		return -ENOMEM;
	/* Sees, too, whether the keys are points of their curves. */
	err = domain_new(curves, peer->domain.name,
			 slice_of(peer->domain.kpak, sizeof(peer->domain.kpak)),
			 slice_of(peer->domain.z, sizeof(peer->domain.z)), &domain);
	if (!err) {
		hex_encode(slice_of(domain_id(domain), DOMAIN_ID), peer->id);
		hex_encode(slice_of(domain_fingerprint(domain), 32), peer->fingerprint);
		domain_free(&domain);
	} else {
		diag_error(diag, NULL, "the certificate's keys are not what they should be");
	}
	curves_free(&curves);
	return err;
}

/* The bound is that of update files: a domain more would be left out of them. */
static int check_room(sqlite3 *db, struct diag *diag)
{
	int64_t count;
	int err = database_integer(db, "SELECT COUNT(*) FROM domains", NULL, 0, 0, &count, diag);

	if (!err && count >= UPDATE_DOMAINS_MAX) {
		diag_error(diag, NULL, "%d domains are trusted, which is as many as there may be",
			   UPDATE_DOMAINS_MAX);
		return -ENOSPC;
	}
	return err;
}

int peer_add(sqlite3 *db, const struct settings *own, const struct peer *peer, int64_t now_s,
	     struct diag *diag)
{
	uint8_t octets[CERTIFICATE_OCTETS_MAX];
	size_t n;
	int err;

	/* Trusting oneself would have every user in two domains. */
	if (strcmp(peer->fingerprint, own->fingerprint) == 0) {
		diag_error(diag, NULL, "this is the certificate of the own domain");
		return -EINVAL;
	}
	err = check_room(db, diag);
	/* As we write it, not as it came: fields that we do not know are not passed on. */
	if (!err)
		err = certificate_encode(&peer->domain, octets, &n);
	if (err)
		return err;
	err = database_run(db,
			   "INSERT INTO domains (id, name, certificate, added) VALUES (?, ?, ?, ?)",
			   (const struct db_value[]){ db_text(peer->id), db_text(peer->domain.name),
						      db_octets(octets, n), db_integer(now_s) },
			   4, diag);
	if (err == -EEXIST)
		diag_error(diag, NULL, "a domain of that name or id is trusted already");
	return err;
}

int peer_delete(sqlite3 *db, const char *name, struct diag *diag)
{
	const struct db_value values[] = { db_text(name) };
	int err = database_run(db, "DELETE FROM domains WHERE name = ?", values, 1, diag);

	/* To SQLite the deletion of nothing is a success. */
	if (!err && sqlite3_changes(db) == 0) {
		diag_error(diag, NULL, "there is no trusted domain \"%s\"", name);
		return -ENOENT;
	}
	return err;
}

int peer_list(sqlite3 *db, sqlite3_stmt **rows_out, struct diag *diag)
{
	return database_query(db, "SELECT id, certificate, added FROM domains ORDER BY name", NULL,
			      0, rows_out, diag);
}

int peer_next(sqlite3_stmt *rows, struct peer *peer, struct diag *diag)
{
	int err = database_next(rows, diag);
	struct slice certificate;

	*peer = (struct peer){ 0 };
	if (err != 1)
		return err;
	certificate = slice_of(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1));
	peer->added = sqlite3_column_int64(rows, 2);
	if (database_column_text(rows, 0, peer->id, sizeof(peer->id)) ||
	    certificate_decode(certificate, &peer->domain, diag)) {
		diag_error(diag, NULL, "the database's row of domain %s is damaged", peer->id);
		return -EIO;
	}
	return 1;
}
