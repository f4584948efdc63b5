# tests of rendezvous/
