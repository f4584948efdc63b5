#include "tests/unit.h"

#include "tests/gateway/tls_kit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { PATIENCE_MS = 5000, DAY_S = 86400 };

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *make_cert(const char *name, const char *alternatives, EVP_PKEY *key, X509 *issuer,
		       EVP_PKEY *issuer_key)
{
	static long serial;
	X509 *cert = X509_new();

	assert_non_null(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
	add_extension(cert, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
	if (alternatives)
		add_extension(cert, NID_subject_alt_name, alternatives);
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	if (key)
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
}

static void issue(const char *path, const char *name, const char *alternatives, X509 *issuer,
		  EVP_PKEY *issuer_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_cert(name, alternatives, key, issuer, issuer_key);

	write_pem(path, cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void tls_kit_make(struct tls_kit *kit)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
	X509 *ca = make_cert("test authority", NULL, key, NULL, key);
	X509 *other = make_cert("test authority", NULL, other_key, NULL, other_key);

	snprintf(kit->dir, sizeof(kit->dir), "/tmp/tls-kit.XXXXXX");
	assert_non_null(mkdtemp(kit->dir));
	snprintf(kit->ca, sizeof(kit->ca), "%s/ca.pem", kit->dir);
	snprintf(kit->agent, sizeof(kit->agent), "%s/agent.pem", kit->dir);
	snprintf(kit->pbx, sizeof(kit->pbx), "%s/pbx.pem", kit->dir);
	snprintf(kit->rogue, sizeof(kit->rogue), "%s/rogue.pem", kit->dir);
	write_pem(kit->ca, ca, NULL);
	issue(kit->agent, "gw.test", "DNS:gw.test,IP:127.0.0.1", ca, key);
	issue(kit->pbx, "pbx.test", "DNS:pbx.test", ca, key);
	issue(kit->rogue, "pbx.test", "DNS:pbx.test", other, other_key);
	X509_free(ca);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

void tls_kit_remove(struct tls_kit *kit)
{
	unlink(kit->ca);
	unlink(kit->agent);
	unlink(kit->pbx);
	unlink(kit->rogue);
	rmdir(kit->dir);
}

static struct sockaddr_in loopback(const char *host, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

int tls_kit_listen(unsigned *port_out)
{
	struct sockaddr_in a = loopback("127.0.0.1", 0);
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	*port_out = ntohs(a.sin_port);
	return fd;
}

static SSL *handshake(int fd, const char *file, bool server, int max_version)
{
	const struct timeval patience = { PATIENCE_MS / 1000, 0 };
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	assert_non_null(ctx);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (file) {
		assert_int_equal(SSL_CTX_use_certificate_file(ctx, file, SSL_FILETYPE_PEM), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM), 1);
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	if ((server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1)
		return ssl;
	tls_kit_close(ssl);
	return NULL;
}

SSL *tls_kit_accept(int listener, const char *file)
{
	struct pollfd p = { listener, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return handshake(accept(listener, NULL, NULL), file, true, 0);
}

int tls_kit_connect_plain(unsigned port, const char *from)
{
	struct sockaddr_in own = loopback(from, 0), to = loopback("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

SSL *tls_kit_connect(unsigned port, const char *file, int max_version)
{
	return handshake(tls_kit_connect_plain(port, "127.0.0.1"), file, false, max_version);
}

void tls_kit_close(SSL *ssl)
{
	if (!ssl)
		return;
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}
