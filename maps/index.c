#include "maps/index.h"

#include <errno.h>
#include <stdlib.h>

#include "maps/uri.h"

/* One pattern while the index is built. */
struct key {
	uint64_t beginning, end; /* hashes */
	uint16_t beginning_len, end_len;
	uint32_t number;
};

/* Patterns that share beginning and end: order[first .. first + count). */
struct group {
	uint64_t key; /* 0: free */
	uint32_t first, count;
};

/* Patterns that share their beginning: ends[first .. first + count) are the lengths
 * of their ends. */
struct node {
	uint64_t key; /* 0: free */
	uint32_t first, count;
};

struct index {
	struct key *keys; /* until finished */
	size_t n;
	uint32_t *order; /* numbers, group by group, rising within a group */
	uint16_t *ends;
	struct node *nodes;
	struct group *groups;
	uint64_t node_mask, group_mask;     /* sizes less one, powers of two */
	uint64_t seed;                      /* with which no two keys are equal */
	uint64_t lengths[URI_MAX / 64 + 1]; /* which lengths beginnings have */
};

static const uint64_t HASH_START = 0xcbf29ce484222325u, HASH_STEP = 0x100000001b3u;

/* Spreads all bits over all bits (splitmix64's finish). */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t node_key(const struct index *index, uint64_t beginning, size_t len)
{
	return mix(index->seed ^ mix(beginning + len)) | 1;
}

static uint64_t group_key(uint64_t node, uint64_t end, size_t len)
{
	return mix(node ^ mix(end + len)) | 1;
}

static uint64_t hash_forward(struct slice s)
{
	uint64_t h = HASH_START;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * HASH_STEP;
	return h;
}

static uint64_t hash_backward(struct slice s)
{
	uint64_t h = HASH_START;

	for (size_t i = s.n; i > 0; i--)
		h = (h ^ s.p[i - 1]) * HASH_STEP;
	return h;
}

struct index *index_new(size_t patterns)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->keys = calloc(patterns + 1, sizeof(*index->keys));
	if (!index->keys)
		index_free(&index);
	return index;
}

void index_free(struct index **indexp)
{
	struct index *index = *indexp;

	if (!index)
		return;
	free(index->keys);
	free(index->order);
	free(index->ends);
	free(index->nodes);
	free(index->groups);
	free(index);
	*indexp = NULL;
}

void index_add(struct index *index, uint32_t number, struct slice beginning, struct slice end)
{
	index->keys[index->n++] = (struct key){ .beginning = hash_forward(beginning),
						.end = hash_backward(end),
						.beginning_len = (uint16_t)beginning.n,
						.end_len = (uint16_t)end.n,
						.number = number };
	index->lengths[beginning.n / 64] |= (uint64_t)1 << beginning.n % 64;
}

static int sign(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int c = sign(x->beginning_len, y->beginning_len);

	if (!c)
		c = sign(x->beginning, y->beginning);
	if (!c)
		c = sign(x->end_len, y->end_len);
	if (!c)
		c = sign(x->end, y->end);
	return c ? c : sign(x->number, y->number);
}

static bool same_beginning(const struct key *a, const struct key *b)
{
	return a->beginning_len == b->beginning_len && a->beginning == b->beginning;
}

static bool same_group(const struct key *a, const struct key *b)
{
	return same_beginning(a, b) && a->end_len == b->end_len && a->end == b->end;
}

/* The place of key in a table, or the free place where it belongs. */
static struct node *find_node(const struct index *index, uint64_t key)
{
	uint64_t i = key & index->node_mask;

	while (index->nodes[i].key != 0 && index->nodes[i].key != key)
		i = (i + 1) & index->node_mask;
	return &index->nodes[i];
}

static struct group *find_group(const struct index *index, uint64_t key)
{
	uint64_t i = key & index->group_mask;

	while (index->groups[i].key != 0 && index->groups[i].key != key)
		i = (i + 1) & index->group_mask;
	return &index->groups[i];
}

/* A power of two with room for n at most half full. */
static uint64_t table_size(size_t n)
{
	uint64_t size = 2;

	while (size < 2 * (uint64_t)n)
		size *= 2;
	return size;
}

static void count(const struct index *index, size_t *nodes, size_t *groups)
{
	*nodes = *groups = index->n ? 1 : 0;
	for (size_t i = 1; i < index->n; i++) {
		*nodes += !same_beginning(&index->keys[i - 1], &index->keys[i]);
		*groups += !same_group(&index->keys[i - 1], &index->keys[i]);
	}
}

/* Returns false when two keys are equal. */
static bool fill(struct index *index)
{
	struct node *node = NULL;
	struct group *group = NULL;
	uint32_t ends = 0;

	for (size_t i = 0; i < index->n; i++) {
		const struct key *k = &index->keys[i];
		uint64_t key = node_key(index, k->beginning, k->beginning_len);
		bool new_node = i == 0 || !same_beginning(k - 1, k);

		if (new_node) {
			node = find_node(index, key);
			if (node->key)
				return false;
			*node = (struct node){ key, ends, 0 };
		}
		if (new_node || (k - 1)->end_len != k->end_len) {
			index->ends[ends++] = k->end_len;
			node->count++;
		}
		if (i == 0 || !same_group(k - 1, k)) {
			key = group_key(key, k->end, k->end_len);
			group = find_group(index, key);
			if (group->key)
				return false;
			*group = (struct group){ key, (uint32_t)i, 0 };
		}
		group->count++;
		index->order[i] = k->number;
	}
	return true;
}

int index_finish(struct index *index)
{
	size_t nodes, groups;

	qsort(index->keys, index->n, sizeof(*index->keys), compare_keys);
	count(index, &nodes, &groups);
	index->node_mask = table_size(nodes) - 1;
	index->group_mask = table_size(groups) - 1;
	index->order = calloc(index->n + 1, sizeof(*index->order));
	index->ends = calloc(groups + 1, sizeof(*index->ends));
	index->nodes = calloc(index->node_mask + 1, sizeof(*index->nodes));
	index->groups = calloc(index->group_mask + 1, sizeof(*index->groups));
	if (!index->order || !index->ends || !index->nodes || !index->groups)
		return -ENOMEM;
	while (!fill(index)) { /* once in 2^63 pairs of keys */
		index->seed++;
		memset(index->nodes, 0, (index->node_mask + 1) * sizeof(*index->nodes));
		memset(index->groups, 0, (index->group_mask + 1) * sizeof(*index->groups));
	}
	free(index->keys);
	index->keys = NULL;
	return 0;
}

/* An address with the hashes of its beginnings (forward[i]: of i octets) and ends. */
struct hashed {
	size_t n;
	uint64_t forward[URI_MAX + 1], backward[URI_MAX + 1];
};

static void hash_all(struct slice address, struct hashed *out)
{
	out->n = address.n;
	out->forward[0] = out->backward[0] = HASH_START;
	for (size_t i = 0; i < address.n; i++) {
		uint8_t back = address.p[address.n - 1 - i];

		out->forward[i + 1] = (out->forward[i] ^ address.p[i]) * HASH_STEP;
		out->backward[i + 1] = (out->backward[i] ^ back) * HASH_STEP;
	}
}

/* The best so far, with what tells whether another one is. */
struct search {
	const struct index *index;
	const struct hashed *hashed;
	uint32_t best;
	index_match_fn match;
	const void *arg;
};

static void try_group(struct search *s, uint64_t key)
{
	const struct group *group = find_group(s->index, key);

	for (uint32_t i = 0; group->key != 0 && i < group->count; i++) {
		uint32_t number = s->index->order[group->first + i];

		if (number >= s->best)
			return;
		if (s->match(s->arg, number)) {
			s->best = number;
			return;
		}
	}
}

static void try_beginning(struct search *s, size_t len)
{
	uint64_t key = node_key(s->index, s->hashed->forward[len], len);
	const struct node *node = find_node(s->index, key);

	for (uint32_t i = 0; node->key != 0 && i < node->count; i++) {
		size_t end = s->index->ends[node->first + i];

		if (len + end <= s->hashed->n)
			try_group(s, group_key(key, s->hashed->backward[end], end));
	}
}

uint32_t index_find(const struct index *index, struct slice address, uint32_t limit,
		    index_match_fn match, const void *arg)
{
	struct hashed hashed;
	struct search s = { index, &hashed, limit, match, arg };

	if (address.n > URI_MAX || index->n == 0)
		return INDEX_NONE;
	hash_all(address, &hashed);
	for (size_t word = 0; word <= address.n / 64; word++) {
		uint64_t lengths = index->lengths[word];

		for (; lengths; lengths &= lengths - 1) {
			size_t len = word * 64 + (size_t)__builtin_ctzll(lengths);

			if (len <= address.n)
				try_beginning(&s, len);
		}
	}
	return s.best == limit ? INDEX_NONE : s.best;
}

size_t index_largest_group(const struct index *index, uint32_t *first_out)
{
	size_t largest = 0;

	for (uint64_t i = 0; i <= index->group_mask; i++)
		if (index->groups[i].count > largest) {
			largest = index->groups[i].count;
			*first_out = index->order[index->groups[i].first];
		}
	return largest;
}
