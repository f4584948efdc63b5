# gateway/
include gateway/relay.mk
