# tests of gateway/
include tests/gateway/sip.mk
include tests/gateway/config.mk
