# umsg/
