# rendezvous/
noinst_LIBRARIES += %D%/librelay.a
%C%_librelay_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS)
%C%_librelay_a_SOURCES = \
	%D%/relay/control.c %D%/relay/control.h \
	%D%/relay/rate.c %D%/relay/rate.h \
	%D%/relay/requests.c %D%/relay/requests.h \
	%D%/relay/table.c %D%/relay/table.h \
	%D%/relay/thread.c %D%/relay/thread.h
nodist_%C%_librelay_a_SOURCES = %D%/relay_control.pb-c.c %D%/relay_control.pb-c.h
BUILT_SOURCES += %D%/relay_control.pb-c.h
CLEANFILES += %D%/relay_control.pb-c.c %D%/relay_control.pb-c.h
EXTRA_DIST += %D%/relay_control.proto

bin_PROGRAMS += %D%/crs-relay
%C%_crs_relay_SOURCES = %D%/crs_relay.c
%C%_crs_relay_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(CRS_PLACES)
%C%_crs_relay_LDADD = %D%/librelay.a media/libmedia.a base/libbase.a $(EVENT_LIBS) \
	$(OPENSSL_LIBS) $(PROTOBUF_C_LIBS) $(CONFUSE_LIBS) -lpthread

# crs
BUILT_SOURCES += %D%/worker.pb-c.h
CLEANFILES += %D%/worker.pb-c.c %D%/worker.pb-c.h
EXTRA_DIST += %D%/worker.proto
noinst_LIBRARIES += %D%/libcrs_proto.a %D%/libcrs.a
%C%_libcrs_proto_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_C_CFLAGS) -w
nodist_%C%_libcrs_proto_a_SOURCES = %D%/worker.pb-c.c %D%/worker.pb-c.h
%C%_libcrs_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(PROTOBUF_C_CFLAGS) \
	$(HIREDIS_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(CRS_PLACES)
%C%_libcrs_a_SOURCES = \
	%D%/account_set.c %D%/account_set.h \
	%D%/accounts.c %D%/accounts.h \
	%D%/accounts_json.c \
	%D%/admin_service.c %D%/admin_service.h \
	%D%/admin_set.c %D%/admin_set.h \
	%D%/admins.c %D%/admins.h \
	%D%/apns.c %D%/apns.h \
	%D%/apns_refusal.c %D%/apns_refusal.h \
	%D%/apns_token.c %D%/apns_token.h \
	%D%/apply.c %D%/apply.h \
	%D%/audit.c %D%/audit.h \
	%D%/client_data.c %D%/client_data.h \
	%D%/client_lists.c \
	%D%/client_policy.c %D%/client_policy.h \
	%D%/control_api.c %D%/control_api.h %D%/control_api_priv.h \
	%D%/control_accounts.c %D%/control_admins.c \
	%D%/control_data.c \
	%D%/control_listings.c \
	%D%/control_statistics.c \
	%D%/control_traces.c \
	%D%/complaints.c %D%/complaints.h \
	%D%/counters.c %D%/counters.h \
	%D%/fanouts.c %D%/fanouts.h \
	%D%/floors.c %D%/floors.h \
	%D%/guests.c %D%/guests.h \
	%D%/heartbeat.c %D%/heartbeat.h \
	%D%/holder.c %D%/holder.h %D%/holder_priv.h \
	%D%/holder_admin.c \
	%D%/holder_frames.c \
	%D%/holder_homes.c \
	%D%/holder_months.c \
	%D%/home.c %D%/home.h %D%/home_priv.h \
	%D%/home_attach.c \
	%D%/home_calls.c \
	%D%/home_channels.c \
	%D%/home_data.c \
	%D%/home_fetch.c \
	%D%/allowances.c %D%/allowances.h \
	%D%/home_mail.c %D%/home_mail_store.c \
	%D%/home_push.c \
	%D%/home_sleepers.c \
	%D%/home_unheard.c \
	%D%/keyhash.c %D%/keyhash.h \
	%D%/mail_parts.c \
	%D%/mailbox.c \
	%D%/mailbox_index.c %D%/mailboxes.c %D%/mailboxes.h %D%/mailboxes_priv.h \
	%D%/mesh.c %D%/mesh.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/passing.c %D%/passing.h \
	%D%/paths.c %D%/paths.h \
	%D%/peer_limits.c %D%/peer_limits.h \
	%D%/pseudonyms.c %D%/pseudonyms.h \
	%D%/pusher.c %D%/pusher.h \
	%D%/queries.c \
	%D%/recent.c %D%/recent.h \
	%D%/redis_server.c %D%/redis_server.h \
	%D%/relay_client.c %D%/relay_client.h \
	%D%/request_limits.c %D%/request_limits.h \
	%D%/retention.c %D%/retention.h \
	%D%/roster.c %D%/roster.h \
	%D%/run_lock.c %D%/run_lock.h \
	%D%/sessions.c %D%/sessions.h \
	%D%/settings.c %D%/settings.h %D%/settings_priv.h \
	%D%/settings_push.c \
	%D%/slot.c %D%/slot.h \
	%D%/statistics.c %D%/statistics.h %D%/statistics_print.c \
	%D%/store.c %D%/store.h %D%/store_priv.h \
	%D%/store_commands.c %D%/store_deletes.c %D%/store_group.c %D%/store_packs.c \
	%D%/store_replies.c \
	%D%/supervisor.c %D%/supervisor.h %D%/supervisor_priv.h %D%/supervisor_start.c \
	%D%/trace.c %D%/trace.h \
	%D%/updates.c %D%/updates.h \
	%D%/worker.c %D%/worker.h %D%/worker_priv.h \
	%D%/worker_accounts.c \
	%D%/worker_figures.c %D%/worker_figures.h \
	%D%/worker_process.c \
	%D%/worker_queries.c %D%/worker_queries.h \
	%D%/worker_traces.c
CRS_LIBS = %D%/libcrs.a %D%/libcrs_proto.a %D%/librelay.a umsg/libumsg.a umsg/libumsg_proto.a \
	maps/libmaps.a keys/libkeys.a base/libbase.a $(HIREDIS_LIBS) $(CURL_LIBS) $(CONTROL_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) \
	$(PROTOBUF_C_LIBS) $(CONFUSE_LIBS) -lwslay

CRS_PLACES = -DCRS_DIR='"$(CRS_DIR)"' -DCRS_RUN_DIR='"$(CRS_RUN_DIR)"' \
	-DCRS_LOG_DIR='"$(CRS_LOG_DIR)"'
bin_PROGRAMS += %D%/crs
%C%_crs_SOURCES = %D%/crs.c
%C%_crs_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS) \
	$(CRS_PLACES)
%C%_crs_LDADD = $(CRS_LIBS)

bin_PROGRAMS += %D%/crs-cli
%C%_crs_cli_SOURCES = %D%/crs_cli.c %D%/cli.h %D%/cli_call.c %D%/cli_print.c %D%/cli_accounts.c %D%/cli_show.c %D%/cli_trace.c \
	%D%/cli_admins.c %D%/cli_origin.c %D%/cli_statistics.c %D%/cli_health.c %D%/health_clients.c %D%/health_clients.h \
	%D%/health_report.c %D%/health_report.h %D%/cli_backup.c %D%/backup.h %D%/backup_priv.h %D%/backup_members.c \
	%D%/backup_redis.c %D%/backup_restore.c %D%/backup_sealed.c %D%/backup_sealed.h %D%/backup_write.c
%C%_crs_cli_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS) $(CRS_PLACES) \
	$(HIREDIS_CFLAGS) $(ARCHIVE_CFLAGS)
%C%_crs_cli_LDADD = $(CRS_LIBS) $(ARCHIVE_LIBS)

bin_PROGRAMS += %D%/cra
%C%_cra_SOURCES = %D%/cra.c %D%/cra_client.c %D%/cra_client.h %D%/cra_print.c %D%/cra_print.h
%C%_cra_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
%C%_cra_LDADD = $(CRS_LIBS)
