#include "tests/rendezvous/cast.h"

#include "tests/unit.h"

#include <stdlib.h>

#include "rendezvous/slot.h"

const char alice[] = "tel:+46700000002", bob[] = "tel:+46700000001", carol[] = "tel:+46700000500";

int cast_names(void **state)
{
	(void)state;
	assert_int_equal(slot_home(slice_str(alice), 2), 0);
	assert_int_equal(slot_home(slice_str(bob), 2), 1);
	assert_int_equal(slot_home(slice_str(carol), 2), 0);
	return 0;
}

int cast_open(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	*state = scene;
	scene_open(scene, "MAX_RTP_RELAYS=2\n");
	scene_start(scene);
	return 0;
}

int cast_close(void **state)
{
	return scene_tear_down(state);
}

int cast_close_unharmed(void **state)
{
	assert_true(scene_is_unharmed(*state));
	return cast_close(state);
}

void cast_attach(struct party *party, struct scene *scene, const char *uri, uint8_t device)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = device });
	assert_true(party_hears(party, "registered primary"));
}
