# tests of gateway/
