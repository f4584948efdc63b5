# gateway/
include gateway/relay.mk
include gateway/sip.mk
