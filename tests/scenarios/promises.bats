# promises.bats - the short form of tests/faults/run: harm to a whole Tandem while calls and
# texts pass in both directions.  The long form is run by hand (docs/testing.md).
#
# Sanitizers and a busy host make everything slower; the long form has the five seconds.

load helpers

harm() { # ARGUMENTS...
	FAULTS_BACK_MS=20000 run "$TOP/tests/faults/run" "$@"
	[ "$status" -ne 77 ] || skip "${lines[-1]}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"every promise was kept"* ]]
}

@test "every part is killed once while texts and calls pass: no text is lost or comes twice, everything is back by itself" {
	harm --seed 20261121 --rounds 1 --only kill
}

@test "fifty calls, all abandoned at some moment: descriptors, ports, relays and memory are as before" {
	harm --seed 7 --rounds 25 --only abandon
}

@test "hanging parts, lost packets, full disks and clocks that step: no text is lost or comes twice" {
	harm --seed 5 --rounds 1 --only stop-redis,stop-cig,net,disk,clock
}
