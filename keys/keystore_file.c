/* keystore_file.c - a store as octets: "KS", version, protobuf (keystore.proto)
 * and SHA-256 over everything before that.
 */
#include "keys/keystore_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/net.h"
#include "keys/keystore.pb-c.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

enum { HEAD_SIZE = 3, VERSION = 1 };

/* Everything that a message points at while it is packed. */
struct packing {
	Keys__KeyStore store;
	Keys__StoreDomain domain, *trusted, **trusted_list;
	Keys__StoreLogin logins[STORE_LOGINS_MAX], *login_list[STORE_LOGINS_MAX];
	Keys__StoreMonth months[STORE_MONTHS_MAX], *month_list[STORE_MONTHS_MAX];
	Keys__StoreChannel channels[STORE_MONTHS_MAX][UPDATE_CHANNELS_MAX];
	Keys__StoreChannel *channel_lists[STORE_MONTHS_MAX][UPDATE_CHANNELS_MAX];
	Keys__StorePin *pins, **pin_list;
	char periods[STORE_LOGINS_MAX + STORE_MONTHS_MAX][PERIOD_TEXT_SIZE];
};

/* ---- writing ---- */

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c's members are not const */
}

static void pack_domain(const struct update_domain *domain, Keys__StoreDomain *m)
{
	keys__store_domain__init(m);
	m->name = text_of(domain->name);
	m->kpak = wire_data(domain->kpak, sizeof(domain->kpak));
	m->z = wire_data(domain->z, sizeof(domain->z));
	m->not_before = domain->not_before;
	m->not_after = domain->not_after;
}

static void pack_login(const struct store_login *login, char *period, Keys__StoreLogin *m)
{
	keys__store_login__init(m);
	period_text(login->month, period);
	m->period = period;
	m->generation = login->generation;
	m->address = text_of(login->address);
	m->account = text_of(login->account);
	m->tls_identity = text_of(login->tls_identity);
	m->tls_key = wire_data(login->tls_key, sizeof(login->tls_key));
}

static void pack_month(struct packing *p, size_t i, const struct store_month *month)
{
	Keys__StoreMonth *m = &p->months[i];

	keys__store_month__init(m);
	m->period = p->periods[STORE_LOGINS_MAX + i];
	period_text(month->keys.month, m->period);
	m->revision = month->keys.revision;
	m->created = month->keys.created;
	m->keys = wire_data(month->keys.packed, month->packed_n);
	for (size_t j = 0; j < month->n_channels; j++) {
		Keys__StoreChannel *channel = &p->channels[i][j];

		keys__store_channel__init(channel);
		channel->uri = text_of(month->channels[j].uri);
		channel->name = text_of(month->channels[j].name);
		channel->rsk = wire_data(month->channels[j].rsk, ISSUED_PACKED_RECEIVER);
		p->channel_lists[i][j] = channel;
	}
	m->channels = p->channel_lists[i];
	m->n_channels = month->n_channels;
	p->month_list[i] = m;
}

static void pack_lists(const struct store *store, struct packing *p)
{
	for (size_t i = 0; i < store->n_logins; i++) {
		pack_login(&store->logins[i], p->periods[i], &p->logins[i]);
		p->login_list[i] = &p->logins[i];
	}
	for (size_t i = 0; i < store->n_months; i++)
		pack_month(p, i, &store->months[i]);
	for (size_t i = 0; i < store->common.n_domains; i++) {
		pack_domain(&store->common.domains[i], &p->trusted[i]);
		p->trusted_list[i] = &p->trusted[i];
	}
	for (size_t i = 0; i < store->n_pins; i++) {
		keys__store_pin__init(&p->pins[i]);
		p->pins[i].uri = store->pins[i].uri;
		p->pins[i].domain = wire_data(store->pins[i].domain, STORE_DOMAIN_ID);
		p->pin_list[i] = &p->pins[i];
	}
	p->store.logins = p->login_list;
	p->store.n_logins = store->n_logins;
	p->store.months = p->month_list;
	p->store.n_months = store->n_months;
	p->store.trusted = p->trusted_list;
	p->store.n_trusted = store->common.n_domains;
	p->store.pins = p->pin_list;
	p->store.n_pins = store->n_pins;
	p->store.users = store->common.users;
	p->store.n_users = store->common.n_users;
}

static void pack_fields(const struct store *store, struct packing *p)
{
	Keys__KeyStore *m = &p->store;

	keys__key_store__init(m);
	m->uri = text_of(store->uri);
	m->generation = store->generation;
	m->letter_created = store->letter_created;
	m->device = wire_data(store->device, sizeof(store->device));
	m->update_key = wire_data(store->update_key, sizeof(store->update_key));
	pack_domain(&store->domain, &p->domain);
	m->domain = &p->domain;
	m->settings_created = store->settings_created;
	m->engines = store->engines;
	m->max_message_lifetime = store->settings.max_message_lifetime;
	m->default_message_lifetime = store->settings.default_message_lifetime;
	m->intercept = store->settings.intercept;
	m->multipath = store->settings.multipath;
}

/* The hash finds damage, no forgery: who may write the file may write its hash. */
static int seal_file(const Keys__KeyStore *m, uint8_t **out, size_t *len_out)
{
	uint8_t *packed, *octets;
	size_t n;
	int err = wire_pack(&m->base, HEAD_SIZE, &packed, &n);

	if (err)
		return err;
	octets = malloc(n + SHA256_DIGEST_LENGTH);
	if (octets) {
		memcpy(octets, packed, n);
		memcpy(octets, "KS", 2);
		octets[2] = VERSION;
		SHA256(octets, n, octets + n);
		*out = octets;
		*len_out = n + SHA256_DIGEST_LENGTH;
	}
	wipe(packed, n);
	free(packed);
	return octets ? 0 : -ENOMEM;
}

int store_encode(const struct store *store, uint8_t **out, size_t *len_out)
{
	/* Some 80 KB with room for all months and channels: too much for a stack. */
	struct packing *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->trusted = calloc(store->common.n_domains + 1, sizeof(*p->trusted));
	p->trusted_list = calloc(store->common.n_domains + 1, sizeof(Keys__StoreDomain *));
	p->pins = calloc(store->n_pins + 1, sizeof(*p->pins));
	p->pin_list = calloc(store->n_pins + 1, sizeof(Keys__StorePin *));
	if (p->trusted && p->trusted_list && p->pins && p->pin_list) {
		pack_fields(store, p);
		pack_lists(store, p);
		err = seal_file(&p->store, out, len_out);
	}
	free(p->trusted);
	free(p->trusted_list);
	free(p->pins);
	free(p->pin_list);
	free(p);
	return err;
}

/* ---- reading ---- */

static bool read_domain(const Keys__StoreDomain *m, struct update_domain *domain)
{
	domain->not_before = m->not_before;
	domain->not_after = m->not_after;
	return wire_text(domain->name, sizeof(domain->name), m->name) && domain->name[0] &&
	       wire_octets(domain->kpak, sizeof(domain->kpak), &m->kpak) &&
	       wire_octets(domain->z, sizeof(domain->z), &m->z);
}

static bool read_login(const Keys__StoreLogin *m, struct store_login *login)
{
	login->generation = m->generation;
	return period_parse(slice_str(m->period), &login->month) == 0 &&
	       wire_text(login->address, sizeof(login->address), m->address) &&
	       net_is_host_port(login->address) &&
	       wire_text(login->account, sizeof(login->account), m->account) &&
	       wire_text(login->tls_identity, sizeof(login->tls_identity), m->tls_identity) &&
	       wire_octets(login->tls_key, sizeof(login->tls_key), &m->tls_key);
}

static bool read_channel(const Keys__StoreChannel *m, struct update_channel *channel)
{
	enum identity_kind kind;

	return wire_text(channel->uri, sizeof(channel->uri), m->uri) &&
	       identity_check(slice_str(channel->uri), &kind) == 0 && kind == IDENTITY_CHANNEL &&
	       wire_text(channel->name, sizeof(channel->name), m->name) &&
	       wire_octets(channel->rsk, sizeof(channel->rsk), &m->rsk);
}

/* A past month has its receiver key alone: signing keys are wiped when it ends. */
static int read_month(const Keys__StoreMonth *m, struct store_month *month)
{
	month->keys.revision = m->revision;
	month->keys.created = m->created;
	month->packed_n = m->keys.len;
	if (period_parse(slice_str(m->period), &month->keys.month) ||
	    (m->keys.len != ISSUED_PACKED && m->keys.len != ISSUED_PACKED_RECEIVER) ||
	    m->n_channels > UPDATE_CHANNELS_MAX)
		return -EBADMSG;
	memcpy(month->keys.packed, m->keys.data, m->keys.len);
	month->channels = calloc(m->n_channels + 1, sizeof(*month->channels));
	if (!month->channels)
		return -ENOMEM;
	/* Counted as they are filled, so that half of a list can be freed. */
	for (; month->n_channels < m->n_channels; month->n_channels++)
		if (!read_channel(m->channels[month->n_channels],
				  &month->channels[month->n_channels]))
			return -EBADMSG;
	return 0;
}

static int read_months(const Keys__KeyStore *m, struct store *store)
{
	if (m->n_months > STORE_MONTHS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < m->n_months; i++) {
		int err = read_month(m->months[i], &store->months[store->n_months++]);

		if (err)
			return err;
		/* Ascending and each once, which keystore_newest_month() and expiry rely on. */
		if (i && store->months[i].keys.month <= store->months[i - 1].keys.month)
			return -EBADMSG;
	}
	return 0;
}

static int read_common(const Keys__KeyStore *m, struct store *store)
{
	struct update_common *common = &store->common;
	int err = update_common_begin(common, m->users, m->n_users, m->n_trusted);

	if (err)
		return err;
	for (; common->n_domains < m->n_trusted; common->n_domains++)
		if (!read_domain(m->trusted[common->n_domains],
				 &common->domains[common->n_domains]))
			return -EBADMSG;
	return 0;
}

static int read_pins(const Keys__KeyStore *m, struct store *store)
{
	if (m->n_pins > STORE_PINS_MAX)
		return -EBADMSG;
	store->pins = calloc(m->n_pins + 1, sizeof(*store->pins));
	if (!store->pins)
		return -ENOMEM;
	for (; store->n_pins < m->n_pins; store->n_pins++) {
		struct store_pin *pin = &store->pins[store->n_pins];

		if (!wire_text(pin->uri, sizeof(pin->uri), m->pins[store->n_pins]->uri) ||
		    !wire_octets(pin->domain, STORE_DOMAIN_ID, &m->pins[store->n_pins]->domain))
			return -EBADMSG;
	}
	return 0;
}

static bool read_fields(const Keys__KeyStore *m, struct store *store)
{
	enum identity_kind kind;

	store->generation = m->generation;
	store->letter_created = m->letter_created;
	store->settings_created = m->settings_created;
	store->engines = m->engines;
	store->settings.max_message_lifetime = m->max_message_lifetime;
	store->settings.default_message_lifetime = m->default_message_lifetime;
	store->settings.intercept = m->intercept;
	store->settings.multipath = m->multipath;
	/* At least one login: keystore_login_at() gives the last where no month has begun. */
	if (m->n_logins < 1 || m->n_logins > STORE_LOGINS_MAX || !m->domain)
		return false;
	for (; store->n_logins < m->n_logins; store->n_logins++)
		if (!read_login(m->logins[store->n_logins], &store->logins[store->n_logins]))
			return false;
	return wire_text(store->uri, sizeof(store->uri), m->uri) &&
	       identity_check(slice_str(store->uri), &kind) == 0 && kind == IDENTITY_USER &&
	       wire_octets(store->device, sizeof(store->device), &m->device) &&
	       wire_octets(store->update_key, sizeof(store->update_key), &m->update_key) &&
	       read_domain(m->domain, &store->domain);
}

static int read_message(const Keys__KeyStore *m, struct store *store)
{
	int err = read_fields(m, store) ? 0 : -EBADMSG;

	if (!err)
		err = read_months(m, store);
	if (!err)
		err = read_common(m, store);
	return err ? err : read_pins(m, store);
}

int store_decode(struct slice octets, struct store *store_out)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct wire_memory memory;
	Keys__KeyStore *m;
	struct slice body;
	int err;

	*store_out = (struct store){ 0 };
	if (octets.n < HEAD_SIZE + sizeof(hash) || memcmp(octets.p, "KS", 2) != 0)
		return -EBADMSG;
	SHA256(octets.p, octets.n - sizeof(hash), hash);
	if (memcmp(hash, octets.p + octets.n - sizeof(hash), sizeof(hash)) != 0)
		return -EBADMSG;
	/* Behind the hash: a damaged version is damage, not a newer program's file. */
	if (octets.p[2] != VERSION)
		return -EPROTONOSUPPORT;
	body = slice_of(octets.p + HEAD_SIZE, octets.n - HEAD_SIZE - sizeof(hash));
	/* protobuf-c allocates as the octets say; a small file must not ask for gigabytes. */
	wire_memory_init(&memory, body.n);
	m = keys__key_store__unpack(&memory.allocator, body.n, body.p);
	if (!m)
		return wire_unpack_error(&memory);
	err = read_message(m, store_out);
	keys__key_store__free_unpacked(m, &memory.allocator);
	if (err)
		store_clear(store_out);
	return err;
}

/* ---- its life ---- */

void store_month_clear(struct store_month *month)
{
	if (month->channels)
		wipe(month->channels, month->n_channels * sizeof(*month->channels));
	free(month->channels);
	wipe(month, sizeof(*month));
}

void store_clear(struct store *store)
{
	for (size_t i = 0; i < store->n_months; i++)
		store_month_clear(&store->months[i]);
	update_common_free(&store->common);
	free(store->pins);
	wipe(store, sizeof(*store));
}

/* By way of the file's form: what can be written and read back is all that a store is. */
int store_copy(const struct store *store, struct store *copy_out)
{
	uint8_t *octets;
	size_t n;
	int err = store_encode(store, &octets, &n);

	if (err)
		return err;
	err = store_decode(slice_of(octets, n), copy_out);
	wipe(octets, n);
	free(octets);
	return err;
}
