/* tls.c - what the library's TLS lacks, or does wrongly.
 *
 * It takes one certificate without its chain from a fixed file name, allows any version and
 * most ciphers, and never frees an SSL object, so that each connection, even one that sends
 * nothing, costs memory for ever.  It calls OpenSSL through the program's own symbol table:
 * these functions stand before OpenSSL's.  Verification of names is the library's: hop.c
 * gives it the name as the host of the route, names_of() what the certificate holds.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/sip/agent.h"

enum { VERIFY_DEPTH = 6, TLS_IDLE_MS = 600000, TLS_MESSAGE_MS = 30000 };

/* Forward secrecy and authenticated encryption; what TLS 1.3 has is all right. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!PSK";

/* OpenSSL's own function behind ours.  Its type is that of the caller's pointer. */
static void find_real(const char *name, void *function_out)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	memcpy(function_out, &symbol, sizeof(symbol));
}

static const struct tls_files *files(void)
{
	const struct agent *agent = door_agent();

	return agent && agent->tls.ca ? &agent->tls : NULL;
}

/* What the library leaves at OpenSSL's defaults: no TLS before 1.2 (RFC 8996), no
 * renegotiation, no compression, no session kept. */
BEFORE_LIBRARIES SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	SSL_CTX *(*real)(const SSL_METHOD *);
	SSL_CTX *ctx;

	find_real("SSL_CTX_new", &real);
	ctx = real ? real(method) : NULL;
	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

/* The library's own list has ciphers that nobody should speak any more. */
BEFORE_LIBRARIES int SSL_CTX_set_cipher_list(SSL_CTX *ctx, const char *text)
{
	int (*real)(SSL_CTX *, const char *);

	(void)text;
	find_real("SSL_CTX_set_cipher_list", &real);
	return real ? real(ctx, ciphers) : 0;
}

/* The library would read one certificate of a directory; ours is a file with its chain. */
BEFORE_LIBRARIES int SSL_CTX_use_certificate_file(SSL_CTX *ctx, const char *file, int type)
{
	(void)file, (void)type;
	return files() ? SSL_CTX_use_certificate_chain_file(ctx, files()->certificate) : 0;
}

/* The library looks for agent.pem in its directory; ours has a name of its own. */
BEFORE_LIBRARIES int SSL_CTX_use_PrivateKey_file(SSL_CTX *ctx, const char *file, int type)
{
	int (*real)(SSL_CTX *, const char *, int);

	(void)file;
	find_real("SSL_CTX_use_PrivateKey_file", &real);
	return real && files() ? real(ctx, files()->key, type) : 0;
}

/* As the key's file; no directory of certificates besides. */
BEFORE_LIBRARIES int SSL_CTX_load_verify_locations(SSL_CTX *ctx, const char *file, const char *dir)
{
	int (*real)(SSL_CTX *, const char *, const char *);

	(void)file, (void)dir;
	find_real("SSL_CTX_load_verify_locations", &real);
	return real && files() ? real(ctx, files()->ca, NULL) : 0;
}

/* Whose certificates we ask clients for. */
BEFORE_LIBRARIES STACK_OF(X509_NAME) * SSL_load_client_CA_file(const char *file)
{
	STACK_OF(X509_NAME) * (*real)(const char *);

	(void)file;
	find_real("SSL_load_client_CA_file", &real);
	return real && files() ? real(files()->ca) : NULL;
}

/* The library shuts an object down when it is done with it, and then gives up the BIO and the
 * context (a reference that only the object ever took), but not the object itself. */
BEFORE_LIBRARIES int SSL_shutdown(SSL *ssl)
{
	int (*real)(SSL *);
	BIO *bio = SSL_get_rbio(ssl);
	int result;

	find_real("SSL_shutdown", &real);
	result = real ? real(ssl) : -1;
	ERR_clear_error();
	if (bio)
		BIO_up_ref(bio);
	SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl));
	SSL_free(ssl);
	return result;
}

/* Called once a handshake: the place to tell why a peer is not believed. */
BEFORE_LIBRARIES long SSL_get_verify_result(const SSL *ssl)
{
	long (*real)(const SSL *);
	struct agent *agent = door_agent();
	char text[160];
	long result;

	find_real("SSL_get_verify_result", &real);
	result = real ? real(ssl) : X509_V_ERR_UNSPECIFIED;
	if (result != X509_V_OK && agent) {
		snprintf(text, sizeof(text), "a certificate that does not verify: %s",
			 X509_verify_cert_error_string(result));
		agent_refused(agent, &agent->tls_limit, NULL, text);
	}
	return result;
}

/* ---- the names of a certificate ---- */

/* The library leaks the two lists by which it reads a certificate's names, copying each
 * name: so they are kept here until the next certificate comes, or the end. */
void tls_forget_names(struct agent *a)
{
	sk_CONF_VALUE_pop_free(a->tls_values, X509V3_conf_free);
	GENERAL_NAMES_free(a->tls_names);
	a->tls_values = NULL;
	a->tls_names = NULL;
}

static void add_name(const GENERAL_NAME *name, STACK_OF(CONF_VALUE) * *list)
{
	const ASN1_STRING *value = name->d.ia5;
	const uint8_t *octets = ASN1_STRING_get0_data(value);
	int n = ASN1_STRING_length(value);
	char text[AGENT_NAME_SIZE];

	if (name->type == GEN_IPADD) {
		if ((n == 4 && inet_ntop(AF_INET, octets, text, sizeof(text))) ||
		    (n == 16 && inet_ntop(AF_INET6, octets, text, sizeof(text))))
			X509V3_add_value("IP", text, list);
	} else if ((name->type == GEN_DNS || name->type == GEN_URI) && n > 0 &&
		   (size_t)n < sizeof(text) && !memchr(octets, '\0', (size_t)n)) {
		snprintf(text, sizeof(text), "%.*s", n, (const char *)octets);
		X509V3_add_value(name->type == GEN_DNS ? "DNS" : "URI", text, list);
	}
}

/* As the library wants them: RFC 5922 7.1 takes DNS names and sip URIs; addresses are ours. */
static STACK_OF(CONF_VALUE) *
	names_of(const X509V3_EXT_METHOD *method, void *names, STACK_OF(CONF_VALUE) * list)
{
	struct agent *agent = door_agent();
	GENERAL_NAMES *all = names;

	(void)method;
	if (!agent)
		return NULL;
	tls_forget_names(agent);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		if (sk_GENERAL_NAME_value(all, i)->type != GEN_OTHERNAME)
			add_name(sk_GENERAL_NAME_value(all, i), &list);
	agent->tls_names = all;
	agent->tls_values = list;
	return list;
}

/* OpenSSL asks for it, too, so it can do all that OpenSSL's own can. */
BEFORE_LIBRARIES const X509V3_EXT_METHOD *X509V3_EXT_get(X509_EXTENSION *extension)
{
	static const X509V3_EXT_METHOD alternative_names = {
		.ext_nid = NID_subject_alt_name,
		.it = ASN1_ITEM_ref(GENERAL_NAMES),
		.i2v = names_of,
	};
	const X509V3_EXT_METHOD *(*real)(X509_EXTENSION *);

	if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_subject_alt_name)
		return &alternative_names;
	find_real("X509V3_EXT_get", &real);
	return real ? real(extension) : NULL;
}

/* ---- binding ---- */

/* A better reason than the library's, which has none. */
static int check_files(const struct tls_files *f, char *why_out, size_t why_size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	const char *bad = NULL;

	if (!ctx)
		return -ENOMEM;
	if (SSL_CTX_load_verify_locations(ctx, NULL, NULL) != 1)
		bad = f->ca;
	else if (SSL_CTX_use_certificate_file(ctx, NULL, SSL_FILETYPE_PEM) != 1)
		bad = f->certificate;
	else if (SSL_CTX_use_PrivateKey_file(ctx, NULL, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(ctx) != 1)
		bad = f->key;
	if (bad)
		snprintf(why_out, why_size, "tls: %s: %s", bad,
			 access(bad, R_OK) ? strerror(errno)
					   : "no PEM file that fits the certificate");
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return bad ? -EINVAL : 0;
}

/* The port that the system gave where any would do. */
static unsigned bound_port(const struct agent *a)
{
	const sip_via_t *via = nta_agent_via(a->nta);

	for (; via; via = via->v_next)
		if (su_casematch(via->v_protocol, sip_transport_tls))
			return via->v_port ? (unsigned)strtoul(via->v_port, NULL, 10) : 5061;
	return 0;
}

int tls_bind(struct agent *a, const SipAgent__Tls *tls, char *why_out, size_t why_size)
{
	char url[NET_TEXT_SIZE + 48], port[8] = "*";
	unsigned policy =
		TPTLS_VERIFY_SUBJECTS_OUT | (tls->verify_clients ? (unsigned)TPTLS_VERIFY_IN : 0);
	int err;

	/* Kept as long as the process: each connection reads them again. */
	a->tls.certificate = strdup(tls->certificate);
	a->tls.key = strdup(tls->key[0] ? tls->key : tls->certificate);
	a->tls.ca = strdup(tls->ca);
	if (!a->tls.certificate || !a->tls.key || !a->tls.ca)
		return -ENOMEM;
	err = check_files(&a->tls, why_out, why_size);
	if (err)
		return err;
	if (tls->port)
		snprintf(port, sizeof(port), "%u", (unsigned)(uint16_t)tls->port);
	snprintf(url, sizeof(url), "sips:%s:%s;transport=tls", a->host, port);
	if (nta_agent_add_tport(a->nta, (url_string_t *)url, TPTAG_CERTIFICATE("/nonexistent"),
				TPTAG_TLS_VERIFY_POLICY(policy),
				TPTAG_TLS_VERIFY_DEPTH(VERIFY_DEPTH), TPTAG_TLS_VERSION(0),
				TPTAG_IDLE(TLS_IDLE_MS), TPTAG_TIMEOUT(TLS_MESSAGE_MS),
				TPTAG_PONG2PING(1), TPTAG_REUSE(1),
				/* a handshake that fails is a close: its requests hear of it */
				TPTAG_SDWN_ERROR(1), TAG_END()) < 0) {
		err = su_errno() ? -su_errno() : -EADDRINUSE;
		snprintf(why_out, why_size, "cannot bind %s:%s for TLS: %s", a->host, port,
			 strerror(-err));
		return err;
	}
	a->tls_port = bound_port(a);
	return 0;
}
