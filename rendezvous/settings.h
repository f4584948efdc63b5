/* settings.h - crs.conf and crs-local.conf as one immutable object.
 *
 * Source: CRS manual 4.1.2, 4.5, 4.8, 4.10 to 4.12.  Ours, in either file (the
 * local one counts): listen-address ADDRESS, listen-port PORT, relay-socket PATH,
 * relay-address HOST[:PORT], workers N, redis-max-memory MEBIBYTES,
 * metrics-listen ADDRESS:PORT, mailbox-quota MEBIBYTES MESSAGES,
 * post-rate AT-ONCE PER-SECOND, statistics-retention DAYS, hang-limit SECONDS.
 */
#ifndef RENDEZVOUS_SETTINGS_H
#define RENDEZVOUS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct client_policy;
struct crs_paths;
struct diag;

enum {
	SETTINGS_NAME = 65,
	SETTINGS_HOST = 256,
	SETTINGS_PORT_DEFAULT = 5223, /* CRS manual 2, Table 1 */
	SETTINGS_REDIS_MIB_DEFAULT = 1024,
	SETTINGS_WORKERS_MAX = 64,
	SETTINGS_HANG_LIMIT_MIN_S = 3, /* a look or two at a worker need their time */
	SETTINGS_MIN_FREE_MIB = 64,    /* less on the data disk: posts are refused */
};

enum settings_backup { BACKUP_NONE, BACKUP_REPLICATE_FROM_PEER, BACKUP_READ_FROM };

/* Direct push (CRS manual 4.8); ours: where the key and its names are. */
struct push_settings {
	bool direct, complete; /* complete: there is all that it needs */
	char url[SETTINGS_HOST], topic[SETTINGS_HOST], ca_file[SETTINGS_HOST];
	char key_file[SETTINGS_HOST], key_id[SETTINGS_HOST], team_id[SETTINGS_HOST];
};

struct settings {
	char name[SETTINGS_NAME]; /* crsname */
	char ip[SETTINGS_HOST];   /* public address of this server */
	char listen_address[SETTINGS_HOST];
	uint16_t listen_port;
	char relay_socket[SETTINGS_HOST];
	char relay_host[SETTINGS_HOST]; /* announced to clients */
	uint16_t relay_port;            /* 0: what the relay itself says */
	unsigned workers;
	unsigned long redis_max_mib;
	unsigned long quota_mib, quota_messages;       /* of what is stored for one user */
	unsigned long posts_at_once, posts_per_second; /* of one client; at most 1000 a second */
	unsigned long statistics_days; /* after so many they are forgotten; 0: never */
	unsigned long hang_limit_s;    /* of a worker without an answer (heartbeat.h); 0: none */
	char metrics_address[SETTINGS_HOST];
	uint16_t metrics_port; /* 0: no figures for Prometheus */
	enum settings_backup backup;
	bool push;
	struct push_settings apns;
	struct client_policy *policy;
};

/* Reads both files.  diag gets every error and warning, not only the first.
 * Returns 0, -EINVAL, or -ENOMEM; settings_clear() in any case. */
int settings_read(const struct crs_paths *paths, struct settings *settings_out, struct diag *diag);
/* Frees what settings holds, but not settings itself. */
void settings_clear(struct settings *settings);

#endif
