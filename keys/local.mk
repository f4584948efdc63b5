# keys/
