# tests of management/
