# rendezvous/
