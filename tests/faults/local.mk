# harm done to a whole Tandem; the short form runs as tests/scenarios/promises.bats
EXTRA_DIST += %D%/run %D%/world.bash %D%/traffic.bash %D%/harms.bash %D%/verdict.bash \
	%D%/delay_relay.py
