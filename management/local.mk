# management/
