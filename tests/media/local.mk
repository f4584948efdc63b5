# tests of media/
