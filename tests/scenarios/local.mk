# scenarios: whole programs, run by ./check with bats
EXTRA_DIST += tests/packages.txt \
	%D%/helpers.bash \
	%D%/phone.bash \
	%D%/create_cig_maildir.bats
EXTRA_DIST += %D%/cms.bats
