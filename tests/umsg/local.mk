# tests of umsg/
