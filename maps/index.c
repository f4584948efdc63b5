/* index.c - from an address to the patterns that may match it, in a time that does not grow with
 * their number.
 *
 * A pattern's literal beginning and end are hashed.  A lookup hashes all beginnings of its
 * address in one pass, then asks for each length that any pattern's beginning has:
 *
 *     filter (one bit)  -->  node (this beginning)  -->  run of numbers, all with one end
 *                                              \-->  lengths of ends  -->  group  -->  run
 *
 * Cost: the address's length, plus the distinct lengths of beginnings and, in a node, of ends,
 * plus the patterns of a group that are tried.  Two strings with one hash only make a try more,
 * as all that is found is matched again.
 */
#include "maps/index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/huge.h"
#include "maps/uri.h"

/* One pattern while the index is built. */
struct key {
	uint64_t beginning, end; /* hashes */
	uint16_t beginning_len, end_len;
	uint32_t number;
};

/* Numbers: order[first .. first + count), or first itself when there is one; so that a
 * lookup reads one place of memory less. */
struct run {
	uint32_t first, count;
};

/* Patterns that share beginning and end. */
struct group {
	uint64_t key; /* 0: free */
	struct run run;
};

/* Patterns that share their beginning.  Where all have one end, their run is here; else
 * the lengths of their ends are, ends[first .. first + count).  Four nodes fill a line
 * of the processor's cache, which a lookup reads one of. */
struct node {
	uint64_t key; /* 0: free */
	uint32_t first;
	uint32_t count : 31, by_end : 1;
};

struct index {
	struct key *keys; /* until finished */
	size_t n;
	uint32_t *order; /* numbers, group by group, rising within a group */
	uint16_t *ends;
	struct node *nodes;
	struct group *groups;
	uint64_t *filter;               /* a bit for each node's key, small enough for a cache */
	uint64_t node_mask, group_mask; /* sizes less one, powers of two */
	uint64_t filter_mask;           /* in bits */
	uint64_t seed;                  /* with which no two keys are equal */
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

/* Never 0, which marks a free place. */
static uint64_t node_key(const struct index *index, uint64_t beginning, size_t len)
{
	return mix(index->seed ^ mix(beginning + len)) | 1;
}

static uint64_t group_key(uint64_t node, uint64_t end, size_t len)
{
	return mix(node ^ mix(end + len)) | 1;
}

/* FNV-1a, octet by octet, so that hashing an address once gives the hashes of all its
 * beginnings. */
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
	free(index->filter);
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

/* Patterns that share a beginning become neighbours, within them those that share an end, and
 * within those the file's order, in which the first match wins. */
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

/* The lowest bit is set in every key: the next ones choose, or half of the places would only be
 * come to by probing. */
static uint64_t home_of(uint64_t key, uint64_t mask)
{
	return key >> 1 & mask;
}

/* The place of key in a table, or the free place where it belongs.  Linear probing; a table is
 * at most half full, so a free place ends each search. */
static struct node *find_node(const struct index *index, uint64_t key)
{
	uint64_t i = home_of(key, index->node_mask);

	while (index->nodes[i].key != 0 && index->nodes[i].key != key)
		i = (i + 1) & index->node_mask;
	return &index->nodes[i];
}

static struct group *find_group(const struct index *index, uint64_t key)
{
	uint64_t i = home_of(key, index->group_mask);

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
	/* Neighbours that differ, as the keys are sorted. */
	*nodes = *groups = index->n ? 1 : 0;
	for (size_t i = 1; i < index->n; i++) {
		*nodes += !same_beginning(&index->keys[i - 1], &index->keys[i]);
		*groups += !same_group(&index->keys[i - 1], &index->keys[i]);
	}
}

/* How many keys from i on make a group, or share a beginning. */
static size_t run_of(const struct index *index, size_t i,
		     bool (*same)(const struct key *, const struct key *))
{
	size_t n = 1;

	while (i + n < index->n && same(&index->keys[i], &index->keys[i + n]))
		n++;
	return n;
}

static struct run make_run(const struct index *index, size_t i, size_t n)
{
	return (struct run){ n == 1 ? index->keys[i].number : (uint32_t)i, (uint32_t)n };
}

/* Adds the groups of a node that has several, and the lengths of their ends. */
static bool fill_groups(struct index *index, struct node *node, size_t i, size_t end)
{
	for (size_t n; i < end; i += n) {
		const struct key *k = &index->keys[i];
		uint64_t key = group_key(node->key, k->end, k->end_len);
		struct group *group = find_group(index, key);
		uint32_t last = node->first + node->count;

		n = run_of(index, i, same_group);
		if (group->key)
			return false;
		*group = (struct group){ key, make_run(index, i, n) };
		/* Sorted by length of end: one that is new differs from the last. */
		if (node->count == 0 || index->ends[last - 1] != k->end_len) {
			index->ends[last] = k->end_len;
			node->count++;
		}
	}
	return true;
}

/* Returns false when two keys are equal. */
static bool fill(struct index *index)
{
	uint32_t ends = 0;

	for (size_t i = 0, n; i < index->n; i += n) {
		const struct key *k = &index->keys[i];
		uint64_t key = node_key(index, k->beginning, k->beginning_len);
		struct node *node = find_node(index, key);
		struct run run;

		n = run_of(index, i, same_beginning);
		if (node->key)
			return false;
		run = make_run(index, i, n);
		*node = (struct node){ .key = key,
				       .first = run.first,
				       .count = run.count & INT32_MAX };
		index->filter[(key >> 32 & index->filter_mask) / 64] |= (uint64_t)1
									<< (key >> 32) % 64;
		/* One end for all of them: the run in the node itself is enough. */
		if (run_of(index, i, same_group) == n)
			continue;
		*node = (struct node){ .key = key, .first = ends, .by_end = 1 };
		if (!fill_groups(index, node, i, i + n))
			return false;
		ends += node->count;
	}
	return true;
}

/* With eight bits a node or more the filter says "no" to most of what is not there. */
static int make_tables(struct index *index)
{
	size_t nodes, groups;

	count(index, &nodes, &groups);
	index->node_mask = table_size(nodes) - 1;
	index->group_mask = table_size(groups) - 1;
	index->filter_mask = 4 * table_size(nodes + 16) - 1;
	index->order = calloc(index->n + 1, sizeof(*index->order));
	index->ends = calloc(groups + 1, sizeof(*index->ends));
	index->nodes = huge_alloc((index->node_mask + 1) * sizeof(*index->nodes));
	index->groups = huge_alloc((index->group_mask + 1) * sizeof(*index->groups));
	index->filter = huge_alloc((index->filter_mask / 64 + 1) * sizeof(*index->filter));
	return index->order && index->ends && index->nodes && index->groups && index->filter
		       ? 0
		       : -ENOMEM;
}

int index_finish(struct index *index)
{
	int err;

	qsort(index->keys, index->n, sizeof(*index->keys), compare_keys);
	err = make_tables(index);
	if (err)
		return err;
	for (size_t i = 0; i < index->n; i++)
		index->order[i] = index->keys[i].number;
	while (!fill(index)) { /* once in 2^63 pairs of keys */
		index->seed++;
		memset(index->nodes, 0, (index->node_mask + 1) * sizeof(*index->nodes));
		memset(index->groups, 0, (index->group_mask + 1) * sizeof(*index->groups));
	}
	free(index->keys);
	index->keys = NULL;
	return 0;
}

/* An address with the hashes of its beginnings (forward[i]: of i octets) and, once they
 * were asked for, of its ends. */
struct hashed {
	struct slice address;
	bool has_backward;
	uint64_t forward[URI_MAX + 1], backward[URI_MAX + 1];
};

static void hash_beginnings(struct slice address, struct hashed *out)
{
	uint64_t h = HASH_START;

	out->address = address;
	out->has_backward = false;
	out->forward[0] = h;
	for (size_t i = 0; i < address.n; i++) {
		h = (h ^ address.p[i]) * HASH_STEP;
		out->forward[i + 1] = h;
	}
}

/* Most lookups never come to an end: half of the hashing saved. */
static uint64_t hash_of_end(struct hashed *hashed, size_t len)
{
	struct slice address = hashed->address;
	uint64_t h = HASH_START;

	if (!hashed->has_backward) {
		hashed->has_backward = true;
		hashed->backward[0] = h;
		for (size_t i = 0; i < address.n; i++) {
			h = (h ^ address.p[address.n - 1 - i]) * HASH_STEP;
			hashed->backward[i + 1] = h;
		}
	}
	return hashed->backward[len];
}

/* The best so far, with what tells whether another one is. */
struct search {
	const struct index *index;
	struct hashed *hashed;
	uint32_t best;
	index_match_fn match;
	const void *arg;
};

/* Numbers rise within a run: behind the best so far nothing is better. */
static void try_run(struct search *s, const struct run *run)
{
	for (uint32_t i = 0; i < run->count; i++) {
		uint32_t number = run->count == 1 ? run->first : s->index->order[run->first + i];

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
	const struct index *index = s->index;
	uint64_t key = node_key(index, s->hashed->forward[len], len), bit = key >> 32;
	const struct node *node;

	if (!(index->filter[(bit & index->filter_mask) / 64] & (uint64_t)1 << bit % 64))
		return;
	node = find_node(index, key);
	if (node->key == 0)
		return;
	if (!node->by_end) {
		try_run(s, &(struct run){ node->first, node->count });
		return;
	}
	for (uint32_t i = 0; i < node->count; i++) {
		size_t end = index->ends[node->first + i];

		if (len + end <= s->hashed->address.n)
			try_run(s,
				&find_group(index, group_key(key, hash_of_end(s->hashed, end), end))
					 ->run);
	}
}

uint32_t index_find(const struct index *index, struct slice address, uint32_t limit,
		    index_match_fn match, const void *arg)
{
	struct hashed hashed;
	struct search s = { index, &hashed, limit, match, arg };

	if (address.n > URI_MAX || index->n == 0)
		return INDEX_NONE;
	/* Every length that some beginning has is tried: a handful in practice, whatever the
	 * number of patterns.  The lengths lie in a bit set, so that those no pattern has cost
	 * nothing. */
	hash_beginnings(address, &hashed);
	for (size_t word = 0; word <= address.n / 64; word++) {
		uint64_t lengths = index->lengths[word];

		for (; lengths; lengths &= lengths - 1) {
			size_t len = word * 64 + (size_t)__builtin_ctzll(lengths);

			if (len <= address.n)
				try_beginning(&s, len);
		}
	}
	/* Longer beginnings do not go first: the file's order decides, so each length is tried
	 * with the best so far as its bound. */
	return s.best == limit ? INDEX_NONE : s.best;
}

static void look_at_run(const struct index *index, const struct run *run, size_t *largest,
			uint32_t *first_out)
{
	if (run->count <= *largest)
		return;
	*largest = run->count;
	*first_out = run->count == 1 ? run->first : index->order[run->first];
}

size_t index_largest_group(const struct index *index, uint32_t *first_out)
{
	size_t largest = 0;

	for (uint64_t i = 0; i <= index->node_mask; i++)
		if (!index->nodes[i].by_end)
			look_at_run(index,
				    &(struct run){ index->nodes[i].first, index->nodes[i].count },
				    &largest, first_out);
	for (uint64_t i = 0; i <= index->group_mask; i++)
		look_at_run(index, &index->groups[i].run, &largest, first_out);
	return largest;
}
