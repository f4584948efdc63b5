/* update_shared.c - the part of an update file that all clients share: who belongs
 * to the own domain, and which other domains are trusted.
 */
#include "keys/update.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "base/text.h"
#include "keys/box.h"
#include "keys/secret.h"
#include "keys/update.pb-c.h"
#include "keys/update_priv.h"
#include "keys/wire_priv.h"

bool update_user_valid(const char *uri)
{
	enum identity_kind kind;

	return identity_check(slice_str(uri), &kind) == 0 && kind == IDENTITY_USER;
}

bool update_domain_valid(const struct update_domain *domain)
{
	return domain->name[0] && text_is_clean(slice_str(domain->name)) &&
	       wire_point_valid(domain->kpak) && wire_point_valid(domain->z);
}

/* Sorted without repetitions, so that a client finds a URI by halving. */
static bool common_valid(const struct update_common *common)
{
	for (size_t i = 0; i < common->n_users; i++)
		if (!update_user_valid(common->users[i]) ||
		    (i && strcmp(common->users[i - 1], common->users[i]) >= 0))
			return false;
	for (size_t i = 0; i < common->n_domains; i++)
		if (!update_domain_valid(&common->domains[i]))
			return false;
	return common->n_users <= UPDATE_USERS_MAX && common->n_domains <= UPDATE_DOMAINS_MAX;
}

void update_domain_message(const struct update_domain *domain, Keys__UpdateDomain *m)
{
	keys__update_domain__init(m);
	m->name = (char *)(uintptr_t)domain->name;
	m->kpak = wire_data(domain->kpak, sizeof(domain->kpak));
	m->z = wire_data(domain->z, sizeof(domain->z));
	m->not_before = domain->not_before;
	m->not_after = domain->not_after;
}

static int pack_common(const struct update_common *common, uint8_t **out, size_t *len_out)
{
	Keys__UpdateDomain *domains = calloc(common->n_domains + 1, sizeof(*domains));
	Keys__UpdateDomain **list =
		calloc(common->n_domains + 1, sizeof(struct Keys__UpdateDomain *));
	Keys__UpdateShared m = KEYS__UPDATE_SHARED__INIT;
	int err = -ENOMEM;

	if (domains && list) {
		for (size_t i = 0; i < common->n_domains; i++) {
			update_domain_message(&common->domains[i], &domains[i]);
			list[i] = &domains[i];
		}
		m.users = common->users;
		m.n_users = common->n_users;
		m.domains = list;
		m.n_domains = common->n_domains;
		err = wire_pack(&m.base, 0, out, len_out);
	}
	free(list);
	free(domains);
	return err;
}

/* Under a fresh key for each update, which every entry of that update holds. */
int update_shared_seal(const struct update_common *common, const struct update_head *head,
		       const uint8_t key[UPDATE_SHARED_KEY_SIZE], uint8_t **out, size_t *len_out)
{
	uint8_t aad[UPDATE_AAD_MAX], *packed, *box;
	struct buf b = BUF_OF(aad);
	size_t n;
	int err;

	if (!common_valid(common))
		return -EINVAL;
	err = pack_common(common, &packed, &n);
	if (err)
		return err;
	/* The additional data tie it to one file: a month's next revision has another creation
	 * time. */
	box = malloc(n + BOX_OVERHEAD);
	update_shared_aad(&b, head->month, head->revision, head->created);
	err = box ? box_seal(key, buf_slice(&b), slice_of(packed, n), box) : -ENOMEM;
	wipe(packed, n);
	free(packed);
	if (err) {
		free(box);
		return err;
	}
	*out = box;
	*len_out = n + BOX_OVERHEAD;
	return 0;
}

bool update_domain_read(const Keys__UpdateDomain *m, struct update_domain *domain)
{
	domain->not_before = m->not_before;
	domain->not_after = m->not_after;
	return wire_text(domain->name, sizeof(domain->name), m->name) &&
	       wire_octets(domain->kpak, sizeof(domain->kpak), &m->kpak) &&
	       wire_octets(domain->z, sizeof(domain->z), &m->z);
}

int update_common_begin(struct update_common *common, char *const *users, size_t n_users,
			size_t n_domains)
{
	/* Before anything is allocated by these counts. */
	if (n_users > UPDATE_USERS_MAX || n_domains > UPDATE_DOMAINS_MAX)
		return -EBADMSG;
	/* one more than wanted: calloc(0) may be NULL */
	common->users = calloc(n_users + 1, sizeof(*common->users));
	common->domains = calloc(n_domains + 1, sizeof(*common->domains));
	if (!common->users || !common->domains)
		return -ENOMEM;
	for (; common->n_users < n_users; common->n_users++) {
		common->users[common->n_users] = strdup(users[common->n_users]);
		if (!common->users[common->n_users])
			return -ENOMEM;
	}
	return 0;
}

static int read_common(const Keys__UpdateShared *m, struct update_common *common)
{
	int err = update_common_begin(common, m->users, m->n_users, m->n_domains);

	if (err)
		return err;
	for (; common->n_domains < m->n_domains; common->n_domains++)
		if (!update_domain_read(m->domains[common->n_domains],
					&common->domains[common->n_domains]))
			return -EBADMSG;
	return common_valid(common) ? 0 : -EBADMSG;
}

static int read_plain(struct slice plain, struct update_common *common)
{
	struct wire_memory memory;
	Keys__UpdateShared *m;
	int err;

	wire_memory_init(&memory, plain.n);
	m = keys__update_shared__unpack(&memory.allocator, plain.n, plain.p);
	if (!m)
		return wire_unpack_error(&memory);
	err = read_common(m, common);
	keys__update_shared__free_unpacked(m, &memory.allocator);
	return err;
}

/* The hash comes from the entry, which is authentic: the rendezvous cannot hand out the
 * shared part of another update. */
int update_shared_open(struct slice sealed, const struct update_entry *entry,
		       struct update_common *common_out)
{
	uint8_t aad[UPDATE_AAD_MAX], hash[SHA256_DIGEST_LENGTH], *plain;
	struct buf b = BUF_OF(aad);
	int err;

	*common_out = (struct update_common){ 0 };
	SHA256(sealed.p, sealed.n, hash);
	/* Hash and additional data say the same; the hash also tells damage from a wrong key. */
	if (sealed.n < BOX_OVERHEAD || memcmp(hash, entry->shared_sha256, sizeof(hash)) != 0)
		return -EACCES;
	plain = malloc(sealed.n);
	if (!plain)
		return -ENOMEM;
	update_shared_aad(&b, entry->keys.month, entry->keys.revision, entry->keys.created);
	err = box_open(entry->shared_key, buf_slice(&b), sealed, plain);
	if (err == -EBADMSG)
		err = -EACCES;
	if (!err)
		err = read_plain(slice_of(plain, sealed.n - BOX_OVERHEAD), common_out);
	wipe(plain, sealed.n);
	free(plain);
	if (err)
		update_common_free(common_out);
	return err;
}

void update_common_free(struct update_common *common)
{
	for (size_t i = 0; i < common->n_users; i++)
		free(common->users[i]);
	free(common->users);
	free(common->domains);
	*common = (struct update_common){ 0 };
}
