#include "tests/unit.h"

#include "base/idmap.h"

struct thing {
	struct idmap_node node;
	unsigned number;
};

enum { THINGS = 5000 };

static void every_thing_is_found_while_the_map_grows_and_shrinks(void **state)
{
	static struct thing things[THINGS];
	struct idmap map;

	(void)state;
	assert_int_equal(idmap_init(&map), 0);
	for (unsigned i = 0; i < THINGS; i++) {
		things[i].number = i;
		idmap_put(&map, &things[i].node, (uint64_t)i << 40);
	}
	for (unsigned i = 0; i < THINGS; i += 2)
		idmap_remove(&map, &things[i].node);
	for (unsigned i = 0; i < THINGS; i++) {
		struct idmap_node *node = idmap_first(&map, (uint64_t)i << 40);

		if (i % 2 == 0) {
			assert_null(node);
			continue;
		}
		assert_non_null(node);
		assert_int_equal(IDMAP_OWNER(node, struct thing, node)->number, i);
		assert_null(idmap_next(node));
	}
	assert_int_equal(map.used, THINGS / 2);
	idmap_done(&map);
}

static void things_may_share_a_key(void **state)
{
	struct thing a = { .number = 1 }, b = { .number = 2 };
	struct idmap map;
	unsigned sum = 0;

	(void)state;
	assert_int_equal(idmap_init(&map), 0);
	idmap_put(&map, &a.node, 7);
	idmap_put(&map, &b.node, 7);
	for (struct idmap_node *n = idmap_first(&map, 7); n; n = idmap_next(n))
		sum += IDMAP_OWNER(n, struct thing, node)->number;
	assert_int_equal(sum, 3);
	idmap_remove(&map, &b.node);
	idmap_remove(&map, &b.node); /* a second time is harmless */
	assert_ptr_equal(idmap_first(&map, 7), &a.node);
	idmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thing_is_found_while_the_map_grows_and_shrinks),
		cmocka_unit_test(things_may_share_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
