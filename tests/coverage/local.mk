# Which lines the tests run, and races between threads: builds of their own, on demand
EXTRA_DIST += %D%/run tests/races/run tests/soak/run \
	tests/soak/drops tests/soak/holdings.bash tests/soak/sip_drops.py
.PHONY: coverage races soak
coverage:
	'$(abs_top_srcdir)/tests/coverage/run'
races:
	'$(abs_top_srcdir)/tests/races/run'
soak:
	BUILD='$(abs_top_builddir)' '$(abs_top_srcdir)/tests/soak/run'
