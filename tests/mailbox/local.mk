# tests of mailbox/
