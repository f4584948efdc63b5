# tests of gateway/
include tests/gateway/relay.mk
include tests/gateway/sip.mk
include tests/gateway/config.mk
include tests/gateway/server.mk
