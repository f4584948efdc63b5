# gateway/
include gateway/relay.mk
include gateway/maildir.mk
include gateway/sip.mk
include gateway/config.mk
include gateway/server.mk
