# mailbox/
