/* cast.h - who plays in the tests of the whole crs, and the stage. */
#ifndef TESTS_RENDEZVOUS_CAST_H
#define TESTS_RENDEZVOUS_CAST_H

#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

/* URIs: alice and carol are at home with worker 0, bob with worker 1 of two. */
extern const char alice[], bob[], carol[];

/* For cmocka: the group's setup, which sees to it that this is so, and a test's own scene with crs
 * running in *state. */
int cast_names(void **state);
int cast_open(void **state);
int cast_close(void **state);
/* The same, where no worker may have died since scene_note_workers(). */
int cast_close_unharmed(void **state);

/* Opens a party that registers as primary. */
void cast_attach(struct party *party, struct scene *scene, const char *uri, uint8_t device);

#endif
