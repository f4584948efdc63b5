# tests of maps/
