# cig_cli.bats - what an administrator types.

load helpers
load lab

setup_file() {
	lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
}

@test "CIG-094 CIG-096 CIG-097: interactive mode prompts, runs actions one after the other and says how each went" {
	printf 'echo hello there\nhelp\nnonsense\nexit\n' | lab_cig_cli >"$T/out" 2>&1 || :
	grep -q '^cig-cli\$ hello there$' "$T/out"
	grep -q '^OK$' "$T/out"
	grep -q 'show call|umsg' "$T/out"
	grep -q 'unknown action "nonsense"' "$T/out"
	# I-06: help names everything there is; I-07: OK and FAILED are interactive mode's
	local action
	for action in echo show message status read reload route trace set-key help; do
		grep -qE "^  $action( |$)" "$T/out"
	done
	grep -qx FAILED "$T/out"
}

@test "CIG-095: direct mode runs one action and has an exit status" {
	run -0 lab_cig_cli echo one two
	[ "$output" = "one two" ] # I-07: no OK
	run -2 lab_cig_cli nonsense
	run -2 lab_cig_cli show nothing
	run -1 cig-cli --address 127.0.0.1:9 status
	[[ $output == *"cig-server is not running on 127.0.0.1:9"* ]]
}

@test "CIG-103: read tells every fault of a file and changes nothing" {
	run -0 lab_cig_cli read "$D/cig/cig.conf"
	sed 's/extension map tel2sip/extension map tel2spi/; s/port [0-9]*;/port banana;/' "$D/cig/cig.conf" >"$T/bad.conf"
	run -1 lab_cig_cli read "$T/bad.conf"
	[[ $output == *"tel2spi"*"tel2sip"* ]]
	[[ $output == *banana* ]]
	lab_cig_status '.problems == []'
}

@test "CIG-047: cig-server reads the file that it is given, and starts nothing on one with faults" {
	run -0 cig-server --config "$D/cig/cig.conf" --check
	echo 'map x { entry e tel "tel:+1" ' >"$T/bad.conf"
	run -2 cig-server --config "$T/bad.conf"
	[[ $output == *"bad.conf:1:"* ]]
	run -2 cig-server --config "$T/missing.conf"
}

@test "CIG-007: route tells both new URIs and the entry that gave them" {
	run -0 lab_cig_cli route 'tel:+8888;101' 'tel:+46701234567'
	[[ $output == *"sip:101@$LAB_PHONE_IP"* ]]
	[[ $output == *"sip:46701234567@secure.com"* ]]
	[[ $output == *"entry extensions"*"cig.conf:"* ]]
	run -0 lab_cig_cli route --config "$D/cig/cig.conf" 'sip:46701@gateway' 'sip:101@pbx'
	[[ $output == *"tel:+46701"* ]]
	[[ $output == *"tel:+8888;101"* ]]
	run -1 lab_cig_cli route 'tel:+9999' 'tel:+46701234567'
	[[ $output == *"rejected"*404* ]]
}

# The worked example of the manual (E6, E6c): tel has no source map.
@test "CIG-009 CIG-034: without a source map the extension map, read the other way, gives the from-URI; a prefix is taken off" {
	run -0 lab_cig_cli route --config "$TOP/tests/manual/E6-repaired.conf" sip:94670123456@secure.com sip:101@pbx.com
	[[ $output == *"to         tel:+4670123456"* ]]
	[[ $output == *"from       tel:+8888;101"* ]]
	[[ $output == *"from by    entry telext2sip"* ]]
	run -1 lab_cig_cli route --config "$TOP/tests/manual/E6-repaired.conf" sip:94670123456@secure.com sip:101@elsewhere
	[[ $output == *"rejected   403 no source map of interface tel matches the from-URI (maptel2sip)"* ]]
}

@test "CIG-026 CIG-032: an entry says the same in either order, and one map serves on both interfaces, both ways" {
	local order from=sip:102@pbx.com
	for order in 'sip "sip:{x}@pbx.com" tel "tel:+8888;{x}"' 'tel "tel:+8888;{x}" sip "sip:{x}@pbx.com"'; do
		printf 'map m { entry e %s; }\ninterfaces { tel { extension map m; } sip { extension map m; } }\n' \
			"$order" >"$T/both.conf"
		run -0 lab_cig_cli route --config "$T/both.conf" 'tel:+8888;101' 'tel:+8888;102'
		[[ $output == *"to         sip:101@pbx.com"*"from       $from"* ]]
		run -0 lab_cig_cli route --config "$T/both.conf" sip:101@pbx.com $from
		[[ $output == *"to         tel:+8888;101"*"from       tel:+8888;102"* ]]
	done
}

@test "CIG-029: an empty extension matches, and shows what it would become: nobody can be called by it" {
	run -1 lab_cig_cli route --explain 'tel:+8888;' tel:+46701
	[[ $output == *"tel:+8888;{ext} matches with ext= "* ]]
	[[ $output == *"tel:+8888; becomes sip:@$LAB_PHONE_IP"* ]]
	[[ $output == *"rejected   484 "* ]]
}

@test "CIG-037: what stands in comments is not there" {
	printf '%s\n' 'map m { // entry a tel "tel:+1" sip "sip:1@a";' \
		'/* entry b tel "tel:+2" sip "sip:2@a"; */ entry c tel "tel:+3" sip "sip:3@a"; }' \
		'interfaces { tel { extension map m; } sip { extension map m; } } // }' >"$T/comments.conf"
	run -0 lab_cig_cli route --config "$T/comments.conf" tel:+3 tel:+3
	[[ $output == *"to         sip:3@a"* ]]
	run -1 lab_cig_cli route --config "$T/comments.conf" tel:+1 tel:+3
	[[ $output == *404* ]]
	run -1 lab_cig_cli route --config "$T/comments.conf" tel:+2 tel:+3
	[[ $output == *404* ]]
}

@test "route: slips in what is asked are told, each by its exit status" {
	run -2 lab_cig_cli route +8888w101
	[[ $output == *'"+8888w101": write tel:+8888w101 '* ]]
	run -2 lab_cig_cli route 'tel:+8888;101' 46701
	run -2 lab_cig_cli route
	[[ $output == *"usage: cig-cli route "* ]]
	run -2 lab_cig_cli route --explian 'tel:+8888;101'
	[[ $output == *"usage: cig-cli route "* ]]
	run -1 lab_cig_cli route --config "$T/none.conf" 'tel:+8888;101'
	[[ $output == *"cannot read $T/none.conf"* ]]
	printf '%s\n' '# numbers of the branch' '' 'tel:+8888;101' 'tel:+8888;101 tel:+46701 x' >"$T/asked"
	run -1 lab_cig_cli route - <"$T/asked"
	[ "${#lines[@]}" -eq 2 ]
	[[ $output == *"found a third word"* ]]
	sed -i '$d' "$T/asked"
	run -0 lab_cig_cli route - <"$T/asked"
}

@test "CIG-010 CIG-031: nothing dialled chooses the host" {
	local dialled
	for dialled in 'tel:+8888;x@evil.example' 'tel:+8888;101@evil.example:5060' 'tel:+8888;%40evil.example'; do
		run lab_cig_cli --json route "$dialled" 'tel:+46701234567'
		if [ "$status" -eq 0 ]; then
			[[ $(jq -r .to <<<"$output") == sip:*@$LAB_PHONE_IP ]]
		fi
	done
	run -1 lab_cig_cli route 'tel:+8888;' 'tel:+46701234567'
	[[ $output == *484* ]]
}

@test "CIG-104 CIG-105 CIG-106 CIG-011: status prints the manual's page" {
	run -0 lab_cig_cli status
	# I-21: the version is that of the build
	[ "${lines[0]}" = "Tandem interconnect gateway v$(cig-server --version | cut -d' ' -f2)" ]
	[[ $output == *"Relay connection state    CONNECTED"* ]]
	[[ $output == *"Crypto engines available  8/8"* ]]
	[[ $output == *"Public ID                 tel:+8888"* ]]
	[[ $output == *"Security Domain           Demonstration"* ]]
	[[ $output == *"Connection state          CONNECTED"* ]]
	[[ $output == *"Crypto state              OK"* ]]
	[[ $output =~ "Crypto period 1           "[0-9]{4}-[0-9]{2}-[0-9]+ ]]
	[[ $output == *"SIP Bind address          127.0.0.1"* ]]
}

@test "CIG-102: the message descriptor is always listed" {
	lab_cig_cli show umsg | grep -E 'ZERO +[0-9]+ +umsg$'
	lab_cig_cli --json show umsg | jq -e '.sessions[-1].state == "ZERO"'
}

@test "set-key refuses a user's letter and a damaged one, and keeps the keys it has" {
	local store=$D/cig/userdata/.ks.tel:+8888
	cp "$store" "$T/before"
	run -1 lab_cig_cli set-key --file "$D/letters/+46701234567"
	[[ $output == *"not a gateway's"* ]]
	head -c 300 "$D/letters/+8888" >"$T/cut"
	run -1 lab_cig_cli set-key --file "$T/cut"
	cmp "$store" "$T/before"
}

@test "CIG-006: a relay that dies is told by the server, in status and log, and taken back when it returns" {
	local told
	told=$(grep -c 'cig-relay' "$D/cig/log/cig.log")
	kill -KILL "$LAB_CIG_RELAY"
	await 10 "the problem in the status" lab_cig_status '.relay.state == "DISCONNECTED"'
	start "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log"
	echo "$STARTED_PID" >>"$BATS_FILE_TMPDIR/started"
	STARTED=()
	await 10 "the relay in the status" lab_cig_status '.relay.state == "CONNECTED"'
	tail -n "+$((told + 1))" < <(grep 'cig-relay' "$D/cig/log/cig.log") >"$T/told"
	cat "$T/told"
	grep -q 'WARN.*connection .*lost\|WARN.*gone\|WARN.*closed' "$T/told"
	grep -q 'INFO.*connected' "$T/told"
	in_log "$D/cig/log/relay.log" 'connection from cig-server'
}

@test "a SIP agent that dies is started again" {
	local agent
	agent=$(pgrep -P "$LAB_CIG_SERVER" cig-sip)
	kill -KILL "$agent"
	await 10 "another agent" other_agent "$agent"
	await 10 "a ready one" lab_cig_status '.sip.state == "READY"'
}

other_agent() { # PID
	local now
	now=$(pgrep -P "$LAB_CIG_SERVER" cig-sip) && [ "$now" != "$1" ]
}
