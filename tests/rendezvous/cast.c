#include "tests/rendezvous/cast.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "rendezvous/slot.h"

char alice[32], bob[32], carol[32];

static void name(char out[32], unsigned home, int from)
{
	for (int i = from; i < 1000; i++) {
		snprintf(out, 32, "tel:+46700%06d", i);
		if (slot_home(slice_str(out), 2) == home)
			return;
	}
}

int cast_names(void **state)
{
	(void)state;
	name(alice, 0, 1);
	name(bob, 1, 1);
	name(carol, 0, 500);
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
	struct scene *scene = *state;

	scene_close(scene);
	free(scene);
	return 0;
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
