# Which lines the tests run, and races between threads: builds of their own, on demand
EXTRA_DIST += %D%/run tests/races/run
.PHONY: coverage races
coverage:
	'$(abs_top_srcdir)/tests/coverage/run'
races:
	'$(abs_top_srcdir)/tests/races/run'
