/* as_owner.h - root writes into another user's directory as that user.
 *
 * An operator types the manuals' commands as root; what they leave in a directory of a service has
 * to be the service's own, or it can neither read nor replace it.  Taking on its user, instead of
 * giving files away afterwards, also follows no link that this user may have laid there.
 *
 * Threads: the ids are the process's; for programs of one thread.
 */
#ifndef BASE_AS_OWNER_H
#define BASE_AS_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/* Who we were; made by as_owner_begin(). */
struct as_owner {
	bool changed;
	uid_t uid;
	gid_t gid;
};

/* Takes on the effective user and group of dir's owner, if we are root and it is somebody else's.
 * Nothing changes for others, and where dir is not there.  Returns 0 or -errno (nothing changed);
 * *was_out is for as_owner_end() in both cases. */
int as_owner_begin(const char *dir, struct as_owner *was_out);

/* Is again who was before.  A process that cannot go back ends (abort): it would go on as a user
 * that its caller does not expect. */
void as_owner_end(const struct as_owner *was);

#endif
