# tests of caller/
