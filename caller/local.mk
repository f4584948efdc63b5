# caller/
