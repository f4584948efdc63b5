# scenarios: whole programs, run by ./check with bats
EXTRA_DIST += tests/packages.txt \
	%D%/helpers.bash \
	%D%/phone.bash \
	%D%/create_cig_maildir.bats \
	%D%/etc.bats
EXTRA_DIST += %D%/cms.bats
EXTRA_DIST += %D%/docs.bats
