# tests of keys/
