/* TLS towards a message center: whom we believe, and whom not. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "smpp/wire_priv.h"
#include "tests/gateway/tls_kit.h"

struct kit {
	struct tls_kit files; /* its "PBX" is the center, "pbx.test" */
	struct diag *diag;
};

static int set_up(void **state)
{
	struct kit *kit = calloc(1, sizeof(*kit));

	tls_kit_make(&kit->files);
	kit->diag = diag_new();
	*state = kit;
	return kit->diag ? 0 : -1;
}

static int tear_down(void **state)
{
	struct kit *kit = *state;

	diag_free(&kit->diag);
	tls_kit_remove(&kit->files);
	free(kit);
	return 0;
}

static SSL *server_on(int fd, const char *file, int max_version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	assert_non_null(context);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(context, file), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM), 1);
	SSL_CTX_set_max_proto_version(context, max_version);
	SSL_CTX_set_security_level(context, 0); /* so that the old one is possible at all */
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* Both ends in turn, until one is up or has failed.  Returns whether the client is up;
 * why, of 256 octets, is told when it is not. */
static bool shake(const struct smpp_tls *tls, const char *center, const char *host, bool numeric,
		  int max_version, char *why)
{
	SSL *server, *client;
	int fds[2], ours = 0, turns;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	client = smpp_tls_client(tls, fds[0], host, numeric);
	assert_non_null(client);
	server = server_on(fds[1], center, max_version);
	for (turns = 0; turns < 100 && ours != 1; turns++) {
		ours = SSL_do_handshake(client);
		if (ours != 1 && SSL_get_error(client, ours) != SSL_ERROR_WANT_READ)
			break;
		SSL_do_handshake(server);
	}
	if (ours != 1)
		smpp_tls_why(client, why, 256);
	SSL_free(client);
	SSL_free(server);
	close(fds[0]);
	close(fds[1]);
	return ours == 1;
}

static void a_center_is_believed_for_its_name_and_authority_only(void **state)
{
	struct kit *kit = *state;
	const struct {
		const char *center, *host;
		bool numeric;
		int max_version;
		const char *why; /* NULL: it is believed */
	} cases[] = {
		{ kit->files.pbx, "pbx.test", false, 0, NULL },
		{ kit->files.pbx, "pbx.test", false, TLS1_2_VERSION, NULL },
		{ kit->files.pbx, "other.test", false, 0, "certificate: " },
		{ kit->files.pbx, "192.0.2.1", true, 0, "certificate: " },
		{ kit->files.rogue, "pbx.test", false, 0, "certificate: " },
		{ kit->files.pbx, "pbx.test", false, TLS1_1_VERSION, "TLS: " },
	};
	struct smpp_tls *tls;

	assert_int_equal(
		smpp_tls_new(&(struct smpp_tls_files){ .ca = kit->files.ca }, &tls, kit->diag), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char why[256] = "";
		bool up = shake(tls, cases[i].center, cases[i].host, cases[i].numeric,
				cases[i].max_version, why);

		assert_int_equal(up, !cases[i].why);
		if (cases[i].why)
			assert_non_null(strstr(why, cases[i].why));
	}
	smpp_tls_free(&tls);
	assert_null(tls);
	smpp_tls_free(&tls);
}

static void files_that_are_of_no_use_are_named(void **state)
{
	struct kit *kit = *state;
	const struct smpp_tls_files cases[] = {
		{ .ca = "/nonexistent/ca.pem" },
		{ .ca = kit->files.ca, .certificate = "/nonexistent/own.pem" },
		{ .ca = kit->files.ca, .certificate = kit->files.agent, .key = kit->files.ca },
		{ .ca = kit->files.ca, .certificate = kit->files.agent, .key = kit->files.pbx },
	};
	const char *const named[] = { cases[0].ca, cases[1].certificate, cases[2].key,
				      cases[3].key };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		struct smpp_tls *tls = NULL;

		assert_int_not_equal(smpp_tls_new(&cases[i], &tls, diag), 0);
		assert_null(tls);
		assert_int_equal(diag_errors(diag), 1);
		assert_non_null(strstr(diag_first_error(diag), named[i]));
		diag_free(&diag);
	}
}

static void a_certificate_of_our_own_is_taken(void **state)
{
	struct kit *kit = *state;
	const struct smpp_tls_files own = { kit->files.ca, kit->files.agent, kit->files.agent };
	const struct smpp_tls_files systems = { NULL, NULL, NULL };
	struct smpp_tls *tls;
	char why[256] = "";

	assert_int_equal(smpp_tls_new(&own, &tls, kit->diag), 0);
	assert_true(shake(tls, kit->files.pbx, "pbx.test", false, 0, why));
	smpp_tls_free(&tls);
	/* The system's authorities do not know ours. */
	assert_int_equal(smpp_tls_new(&systems, &tls, kit->diag), 0);
	assert_false(shake(tls, kit->files.pbx, "pbx.test", false, 0, why));
	smpp_tls_free(&tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_center_is_believed_for_its_name_and_authority_only),
		cmocka_unit_test(files_that_are_of_no_use_are_named),
		cmocka_unit_test(a_certificate_of_our_own_is_taken),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
