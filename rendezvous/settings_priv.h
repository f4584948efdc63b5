/* settings_priv.h - what the files that read crs.conf share. */
#ifndef RENDEZVOUS_SETTINGS_PRIV_H
#define RENDEZVOUS_SETTINGS_PRIV_H

#include "base/config_lines.h"
#include "rendezvous/settings.h"

#define SETTINGS_APNS_URL "https://api.push.apple.com"

/* Takes a push-config line over; what is wrong with it is told in diag. */
void settings_read_push(struct push_settings *push, const struct config_line *line,
			struct diag *diag);

/* When all lines were read: what is missing for push is warned of at place. */
void settings_check_push(struct settings *settings, const struct diag_place *place,
			 struct diag *diag);

#endif
