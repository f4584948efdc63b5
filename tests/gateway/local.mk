# tests of gateway/
include tests/gateway/sip.mk
