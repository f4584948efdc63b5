# seeing.bats - what an administrator sees of a gateway at work, and how he changes it.

load helpers
load phone
load lab
load talk

eval "$(declare -f lab_cig_conf | sed '1s/lab_cig_conf/plain_cig_conf/')"

lab_cig_conf() { # with figures, and with tests that its maps must pass
	plain_cig_conf
	cat <<-C
		metrics { port $LAB_METRICS_PORT; }
		pbx phones { host "$LAB_PHONE_IP"; }
		expect "tel:$LAB_GATEWAY;101" from "tel:$ALICE"
			=> "sip:101@$LAB_PHONE_IP" from "sip:${ALICE#+}@secure.com";
		expect "tel:+9999" => reject 404;
	C
}

setup_file() {
	free_port && export LAB_METRICS_PORT=$PORT
	lab_setup_file
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back tomorrow." 60
	cp "$D/cig/cig.conf" "$D/good.conf"
}

teardown_file() {
	lab_teardown_file
}

setup() {
	talk_setup
}

teardown() {
	talk_teardown
	[ ! -e "$D/good.conf" ] || cp "$D/good.conf" "$D/cig/cig.conf"
	lab_cig_cli reload >/dev/null 2>&1 || :
}

change() { # SED_SCRIPT: the configuration, without a reload
	sed -i "$1" "$D/cig/cig.conf"
}

talking() { # a call from Alice to extension 101 that is up
	phone_101 'answermode=auto'
	dial_out --play "$D/phone-long.wav" "$@" "${LAB_GATEWAY};101"
	phone_await 101 CALL_ESTABLISHED 15
	await 5 "talk" in_log "$T/call" '^talk'
}

hang_up() {
	kill -INT "$CALL"
	await 10 "the call's end" stopped "$CALL"
	await 5 "the gateway's end of it" no_calls
}

metric() { # NAME_WITH_LABELS: its value
	curl -sf "http://127.0.0.1:$LAB_METRICS_PORT/metrics" | sed -n "s/^$(sed 's/[][*.]/\\&/g' <<<"$1") //p"
}

# --- changing the configuration ---

@test "reload says what it adds, changes and removes; new calls use it, and a call goes on" {
	talking
	change 's/entry extensions tel "tel:+8888;{ext}" sip "sip:{ext}@'"$LAB_PHONE_IP"'";/entry extensions tel "tel:+8888;1{ext}" sip "sip:1{ext}@'"$LAB_PHONE_IP"'"; entry desk tel "tel:+8888;0" sip "sip:desk@127.0.0.9";/
		/trusted/s/$/ max_calls 77;/
		/translate_map users2mail/,/}/!b'
	run -0 lab_cig_cli reload
	[[ $output == *"2 added, 1 changed, 0 removed"* ]]
	[[ $output == *'+ map tel2sip: entry desk tel "tel:+8888;0" sip "sip:desk@127.0.0.9";'* ]]
	[[ $output == *'* map tel2sip: entry extensions tel "tel:+8888;1{ext}" sip'* ]]
	[[ $output == *'+ interfaces sip: max_calls 77;'* ]]
	run -0 lab_cig_cli route 'tel:+8888;0' tel:$ALICE
	[[ $output == *"sip:desk@127.0.0.9"* ]]
	run -1 lab_cig_cli route 'tel:+8888;222' tel:$ALICE
	running "$CALL"
	lab_cig_shows call ANSWER
	run -0 lab_cig_cli --json reload
	[ "$(jq -c '[.added, .changed, .removed]' <<<"$output")" = "[0,0,0]" ]
	hang_up
}

lab_cig_shows() { # call|umsg STATE
	lab_cig_cli show "$1" | grep -qw "$2"
}

@test "status tells which configuration is live, and read whether a file is that one" {
	local live
	live=$(lab_cig_cli --json status | jq -r .config.digest)
	[[ $live =~ ^[0-9a-f]{16}$ ]]
	lab_cig_cli status | grep -qE "^Digest +$live$"
	lab_cig_cli read "$D/cig/cig.conf" | grep -q "; digest $live$"
	change '/trusted/s/$/ max_calls 55;/'
	! lab_cig_cli read "$D/cig/cig.conf" | grep -q "$live" || false
	[ "$(lab_cig_cli --json status | jq -r .config.digest)" = "$live" ]
	run -0 lab_cig_cli reload
	live=$(lab_cig_cli --json status | jq -r .config.digest)
	lab_cig_cli read "$D/cig/cig.conf" | grep -q "; digest $live$"
	# and that one can be had back, whatever becomes of the file
	cmp "$D/cig/cig.conf" "$D/cig/userdata/.cig.conf.live"
	[ "$(stat -c %a "$D/cig/userdata/.cig.conf.live")" = 600 ]
	change 's/map/mop/'
	run -1 lab_cig_cli reload
	! cmp -s "$D/cig/cig.conf" "$D/cig/userdata/.cig.conf.live" || false
	cp "$D/cig/userdata/.cig.conf.live" "$D/cig/cig.conf"
	lab_cig_cli read "$D/cig/cig.conf" | grep -q "; digest $live$"
}

@test "CIG-103: a file with faults changes nothing, by reload and by SIGHUP, and every fault is told" {
	change 's/extension map tel2sip/extension map tel2spi/; s/mail_group/mail_gruop/'
	run -1 lab_cig_cli reload
	[[ $output == *"cig.conf:"*'unknown map "tel2spi" (did you mean "tel2sip"?)'* ]]
	[[ $output == *"cig.conf:"*'unknown keyword "mail_gruop"'* ]]
	run -0 lab_cig_cli route 'tel:+8888;101' tel:$ALICE
	kill -HUP "$LAB_CIG_SERVER"
	await 5 "the faults in the log" logged 'not reloaded: .*unknown map "tel2spi"'
	run -0 lab_cig_cli route 'tel:+8888;101' tel:$ALICE
}

@test "a configuration whose own tests fail does not go live" {
	change "s/=> \"sip:101@/=> \"sip:102@/"
	run -1 lab_cig_cli read "$D/cig/cig.conf"
	[[ $output == *"expectation failed: tel:+8888;101 from tel:+46701234567 becomes sip:101@$LAB_PHONE_IP"*"by entry extensions"* ]]
	run -1 lab_cig_cli reload
	[[ $output == *"expectation failed"* ]]
	run -2 cig-server --config "$D/cig/cig.conf" --check
}

@test "what is bound once is refused by a reload, each directive by its name" {
	change "s/port $LAB_SIP_PORT;/port 5999;/; /trusted/s/\$/ max_calls 9;/"
	run -1 lab_cig_cli reload
	[[ $output == *"changed interfaces sip: port 5999;: this needs a restart of cig-server"* ]]
	[[ $output != *max_calls* ]]
	lab_cig_status ".sip.address | endswith(\":$LAB_SIP_PORT\")"
	change "s/port 5999;/port $LAB_SIP_PORT;/"
	run -0 lab_cig_cli reload
	[[ $output == *"1 added, 0 changed, 0 removed"*"max_calls 9"* ]]
}

@test "a reload opens other mailboxes" {
	create_cig_maildir --group "$(id -gn)" "$D/cig/mail/second"
	change "s,cig/mail/from-secure,cig/mail/second,"
	run -0 lab_cig_cli reload
	[[ $output == *'+ mailboxes write path "'*'/cig/mail/second";'* ]]
	caller $ALICE send --receipt "$LAB_GATEWAY;101" 'to the second box'
	await 10 "the text in the second box" files_in "$D/cig/mail/second/new" 1
	files_in "$D/cig/mail/from-secure/new" 0
}

@test "pieces of a configuration lie in a directory, and passwords in files of their own" {
	mkdir "$D/cig/pieces"
	echo 'auth desk { user "gateway"; password_file "desk.secret"; }' >"$D/cig/pieces/20-desk.conf"
	echo 'map deskmap { entry desk tel "tel:+8888;0" sip "sip:0@127.0.0.9" auth desk; }' >"$D/cig/pieces/10-map.conf"
	echo 'secret of the desk' >"$D/cig/pieces/desk.secret"
	chmod 644 "$D/cig/pieces/desk.secret"
	change "1i include \"pieces/*.conf\";
		s/extension map tel2sip;/& extension map deskmap;/"
	run -1 lab_cig_cli reload
	[[ $output == *"20-desk.conf:1:"*"has mode 0644: chmod 600 it"* ]]
	chmod 600 "$D/cig/pieces/desk.secret"
	run -0 lab_cig_cli reload
	[[ $output == *"+ auth desk"* && $output != *"secret of"* ]]
	echo 'another secret' >"$D/cig/pieces/desk.secret"
	run -0 lab_cig_cli reload
	[[ $output == *"0 added, 1 changed, 0 removed"*"* auth desk"* && $output != *"another"* ]]
	! grep -r "secret of the desk" "$D/cig/log" || false
	rm -r "$D/cig/pieces"
}

@test "CIG-045: rtp_remote_addr_override of sip sends media elsewhere than the PBX's SDP says" {
	change "/trusted/s/\$/ rtp_remote_addr_override $LAB_PHONE_IP $NET.99;/"
	run -0 lab_cig_cli reload
	talking
	await 5 "the other address" media_goes_to "$NET.99"
	hang_up
}

# The second of two rules, of which each is for one rendezvous.
@test "CIG-046: of the overrides of several rendezvous each serves its own" {
	change "s/source map sip2source;/& rtp_remote_addr_override 192.0.2.7 $NET.97; rtp_remote_addr_override 127.0.0.1 $NET.98;/"
	run -0 lab_cig_cli reload
	talking
	await 5 "the other address" media_goes_to "$NET.98" secure
	hang_up
	change "s/_override 127.0.0.1 $NET.98/_override 192.0.2.8 $NET.98/"
	run -0 lab_cig_cli reload
	talking
	await 5 "the address that was announced" media_goes_to 127.0.0.1 secure
	hang_up
}

media_goes_to() { # IP [SIDE]: the PBX's side unless given
	lab_cig_cli show call --long --json |
		jq -e --arg ip "$1:" --arg side "${2:-pbx}" '.calls[0][$side].remote | startswith($ip)'
}

# --- asking ---

@test "route answers a batch, of the running gateway and of a file, and fails when one matches nothing" {
	printf '%s\n' 'tel:+8888;101 tel:+46701234567' '' 'sip:46701@x sip:101@y' >"$T/asked"
	run -0 lab_cig_cli route - <"$T/asked"
	[ "${lines[0]}" = $'tel:+8888;101\tsip:101@'"$LAB_PHONE_IP"$'\tsip:46701234567@secure.com' ]
	[ "${lines[1]}" = $'sip:46701@x\ttel:+46701\ttel:+8888;101' ]
	[ ${#lines[@]} -eq 2 ]
	echo 'tel:+9999 tel:+46701' >>"$T/asked"
	run -1 lab_cig_cli route --config "$D/cig/cig.conf" - <"$T/asked"
	[[ ${lines[2]} == $'tel:+9999\trejected 404\tno extension map of interface tel matches the to-URI (tel2sip)' ]]
	run -1 lab_cig_cli route --json - <"$T/asked"
	[ "$(jq -r '.asked + " " + (.routed | tostring)' <<<"$output" | tail -n 1)" = "tel:+9999 false" ]
	run -1 lab_cig_cli route --explain 'tel:+9999' tel:$ALICE
	[[ $output == *"miss: map tel2sip, entry extensions (/"*"cig.conf:"* ]]
}

@test "CIG-098 CIG-100 CIG-102: show has the manual's columns, and with --long duration, codecs and losses" {
	talking
	run -0 lab_cig_cli show call
	[[ ${lines[0]} =~ ^IN-FROM\ +IN-TO\ +OUT-FROM\ +OUT-TO\ +STATE$ ]]
	[[ ${lines[1]} =~ ^tel:\+46701234567\ +tel:\+8888\;101\ +sip:46701234567@secure.com\ +sip:101@$LAB_PHONE_IP\ +ANSWER$ ]]
	run -0 lab_cig_cli show umsg
	[[ ${lines[0]} =~ ^FROM\ +TO\ +STATE\ +TIME\ +ID$ ]]
	[[ ${lines[1]} =~ TALK\ +[0-9]+\ +[A-Za-z0-9+/]+=*$ ]]
	[[ ${lines[-1]} =~ ZERO\ +[0-9]+\ +umsg$ ]]
	await 10 "codecs" long_listing_has_codecs
	run -0 lab_cig_cli show call --json --long
	jq -e '.calls[0] | .pbx.received > 0 and .secure.received > 0 and .pbx.lost == 0' <<<"$output"
	hang_up
}

long_listing_has_codecs() {
	lab_cig_cli show call --long |
		grep -qE 'ANSWER +[0-9]+ +[0-9]+ +PCM[UA] +[0-9.]+% +[0-9.]+ +(opus|PCM[UA]) +[0-9.]+% +[0-9.]+$'
}

# Opus otherwise, for that is what this caller would rather speak (gateway/call_codec.h).
@test "a caller that offers G.711 is bridged without transcoding, whichever law it names first" {
	talking --record "$T/heard.wav" --codec PCMA --codec PCMU
	in_log "$T/call" '^talk .*codec=PCM[UA]'
	lab_cig_cli show call --json --long | jq -e '.calls[0] | .pbx.codec == .secure.codec and (.pbx.codec | startswith("PCM"))'
	await 15 "sound both ways" sound_both_ways 6
	hang_up
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	talking
	in_log "$T/call" '^talk .*codec=opus'
	hang_up
}

sound_both_ways() { # SECONDS of it
	lab_cig_cli show call --json --long |
		jq -e --argjson n "$(($1 * 50))" '.calls[0] | .pbx.received >= $n and .secure.received >= $n'
}

@test "show --watch prints again and again, until the server is gone" {
	start "$T/watched" cig-cli --config "$D/cig/cig.conf" show call --watch 1
	await 10 "the second list" listed_twice
	running "$STARTED_PID"
	stop "$STARTED_PID"
	run -2 lab_cig_cli show call --watch 0
}

listed_twice() {
	[ "$(grep -c '^IN-FROM' "$T/watched")" -ge 2 ]
}

@test "trace call tells every step of a call as it happens, and of that call only" {
	start "$T/trace" cig-cli --config "$D/cig/cig.conf" trace call
	start "$T/other" cig-cli --config "$D/cig/cig.conf" trace call sip:nobody@example
	start "$T/json" cig-cli --config "$D/cig/cig.conf" --json trace call $ALICE
	await 5 "three readers" readers 3
	talking
	# a relay that has much to do says so later than those who talk
	await 10 "our leg in the trace" in_log "$T/trace" 'media  .*bound our leg'
	hang_up
	await 5 "the end in the trace" in_log "$T/trace" ' call   gone$'
	local step
	for step in 'call   routing from=tel:\+46701234567 to=tel:\+8888;101' 'call   routed from=sip:46701234567@secure.com' \
		'media  port [0-9]+ is open' 'sip    (ringing code=180|answered)' 'call   talk' 'media  .*bound our leg' \
		'call   ends: hangup' 'media  closed'; do
		in_log "$T/trace" "^[0-9T:.Z-]+ call=[0-9]+ $step"
	done
	[ ! -s "$T/other" ]
	await 5 "the end in JSON" in_log "$T/json" '"event":"gone"'
	[ "$(jq -r .state "$T/json" | tail -n 1)" = HANGUP ]
}

readers() { # COUNT: traces that the control port serves
	[ "$(ss -Htn "sport = :$LAB_CONTROL_PORT" | grep -c ESTAB)" -ge "$1" ]
}

@test "sip_trace writes whole SIP messages to sip.log, from one reload to the next" {
	local file=$D/cig/log/sip.log size id
	[ ! -e "$file" ]
	change '/trusted/s/$/ sip_trace true;/'
	run -0 lab_cig_cli reload
	talking
	run -0 lab_cig_cli trace sip "$(lab_cig_cli --json show call | jq -r '.calls[0].number')"
	[ "$(grep -c '^   INVITE sip:' <<<"$output")" -eq 1 ]
	hang_up
	[ "$(stat -c %a "$file")" = 640 ]
	grep -q "^ *INVITE sip:101@$LAB_PHONE_IP" "$file"
	grep -qE "^recv [0-9]+ bytes from udp/\[$LAB_PHONE_IP\]" "$file"
	await 5 "the end of the call" grep -qE '^ *CSeq: [0-9]+ BYE' "$file"
	change 's/ sip_trace true;//'
	run -0 lab_cig_cli reload
	await 5 "the answer to BYE" no_calls
	size=$(stat -c %s "$file")
	# of one call, whatever stands around it, and in a body
	id=$(jq -r .sip_call_id "$D/cig/log/calls.jsonl" | tail -n 1)
	sed "s/$id/another/" "$file" >"$T/both.log"
	printf '   SIP/2.0 200 OK\n   \n   Call-ID: %s\n' "$id" >>"$T/both.log"
	cat "$file" >>"$T/both.log"
	run -0 lab_cig_cli trace sip "$id"
	[ "$(grep -cE '^ *CSeq: [0-9]+ BYE' <<<"$output")" -eq 2 ]
	[ "$(lab_cig_cli trace sip "$id" "$T/both.log")" = "$output" ]
	run -1 lab_cig_cli trace sip "${id}0"
	[[ $output == *"has no message of that call" ]]
	talking
	hang_up
	[ "$(stat -c %s "$file")" -eq "$size" ]
}

asked_and_logged() { # TEXT: a message goes over the wire; is the line in the log?
	printf '%s\n' "OPTIONS sip:x@gateway.test SIP/2.0" "Via: SIP/2.0/UDP @ME@;branch=z9hG4bK@ID@" \
		"From: <sip:ask@x.test>;tag=@ID@" "To: <sip:x@gateway.test>" "Call-ID: @ID@" "CSeq: 1 OPTIONS" "" |
		python3 "$TOP/tests/scenarios/sip_ask.py" "${LAB_PHONE_IP%.*}.77" "127.0.0.1:$LAB_SIP_PORT" 1
	grep -qF "$1" "$D/cig/log/cig.log"
}

@test "a collector gets every SIP message as HEP3, from one reload to the next, and is missed in the log" {
	local port place sip=127.0.0.1:$LAB_SIP_PORT phone=$LAB_PHONE_IP:5060
	start "$T/hep" python3 "$TOP/tests/scenarios/hep.py" 127.0.0.1
	await 5 "the collector" in_log "$T/hep" '^port'
	port=$(sed -n 's/^port //p' "$T/hep")
	stop "$STARTED_PID"
	change '/trusted/s/$/ hep { collector "127.0.0.1:'"$port"'"; id 2001; password "seen"; }/'
	run -0 lab_cig_cli reload
	[[ $output == *'collector "127.0.0.1:'"$port"'"'* ]]
	place=$D/cig/cig.conf:$(grep -n ' hep {' "$D/cig/cig.conf" | cut -d: -f1)
	await 5 "the collector missed" asked_and_logged "$place: hep: the collector 127.0.0.1:$port cannot be reached"
	start "$T/hep" python3 "$TOP/tests/scenarios/hep.py" 127.0.0.1 "$port"
	await 5 "the collector" in_log "$T/hep" '^port'
	talking
	hang_up
	await 5 "the call" in_log "$T/hep" "^$sip>$phone udp 2001 seen INVITE sip:101@$LAB_PHONE_IP SIP/2.0$"
	in_log "$T/hep" "^$phone>$sip udp 2001 seen SIP/2.0 200 "
	await 5 "its end" in_log "$T/hep" "^$sip>$phone udp 2001 seen BYE sip:"
	await 10 "the collector found" asked_and_logged "$place: hep: the collector 127.0.0.1:$port takes packets again"
	[ "$(grep -c "collector 127.0.0.1:$port cannot" "$D/cig/log/cig.log")" -eq 1 ]
	change 's/ hep {.*//'
	run -0 lab_cig_cli reload
	talking
	hang_up
	[ "$(grep -c ' INVITE sip:' "$T/hep")" -eq 1 ]
	[ ! -e "$D/cig/log/sip.log" ] || ! grep -q seen "$D/cig/log/cig.log"
}

@test "a reader that has stopped reading holds nobody up" {
	start "$T/trace" cig-cli --config "$D/cig/cig.conf" trace call
	local reader=$STARTED_PID
	await 5 "the reader" readers 1
	kill -STOP "$reader"
	talking
	lab_cig_status '.problems == []'
	hang_up
	kill -CONT "$reader"
	await 5 "what it missed" in_log "$T/trace" ' call   gone$'
}

# --- what is written down ---

only_lines() { # REGEX FILE: shows those that are otherwise, and fails
	[ -s "$2" ] && ! grep -avE -- "$1" "$2"
}

@test "CIG-023: cig.log tells which version of the protocol the rendezvous speaks, and that it has extensions" {
	grep -q 'umsg\[INFO\]: the rendezvous speaks umsg.1: calls and texts carry extensions' "$D/cig/log/cig.log"
}

@test "CIG-108 CIG-109 CIG-110 CIG-111: cig.log and relay.log have the manual's form, and the configuration" {
	local stamp='\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\]'
	only_lines "^$stamp [A-Za-z_.-]+\[(DEBUG|INFO|WARN|INIT)\]: ." "$D/cig/log/cig.log"
	only_lines "^$stamp [A-Za-z_.-]+\[(DEBUG|INFO|WARN|INIT|Nothing)\]: ." "$D/cig/log/relay.log"
	in_log "$D/cig/log/cig.log" 'config\[INIT\]: +extension map tel2sip;'
	in_log "$D/cig/log/relay.log" '\[INIT\]: '
	in_log "$D/cig/log/relay.log" 'connection from cig-server' # I-09: not in cig.log
}

@test "CIG-024: the start tells of the machine, and warns when it is less than a gateway should have" {
	local warned
	in_log "$D/cig/log/cig.log" "cig-server\[INIT\]: $(nproc --all) processors, [0-9]+ MiB" ||
		in_log "$D/cig/log/cig.log" "cig-server\[INIT\]: $(getconf _NPROCESSORS_ONLN) processors, [0-9]+ MiB"
	# as the machine that runs this has it, or has it not
	warned=$(grep -c 'the processor has no RdRand' "$D/cig/log/cig.log" || :)
	if [ "$(uname -m)" = x86_64 ] && ! grep -qw rdrand /proc/cpuinfo; then [ "$warned" -gt 0 ]; else [ "$warned" -eq 0 ]; fi
}

@test "CIG-010: a rejected call is one line that says which maps were tried and what was missing" {
	dial_out "$LAB_GATEWAY"
	await 20 "the refusal" stopped "$CALL"
	logged_times 'rejected'
	[ "$(logged_times 'rejected')" -eq 1 ]
	logged 'rejected code=404 from=tel:\+46701234567 to=tel:\+8888 in=tel: no extension map of interface tel matches the to-URI \(tel2sip\)'
}

@test "every call leaves one record, of what was dialled, how it went and what was heard" {
	local before
	before=$(wc -l <"$D/cig/log/calls.jsonl")
	talking
	hang_up
	dial_out "$LAB_GATEWAY"
	await 20 "the refusal" stopped "$CALL"
	tail -n "+$((before + 1))" "$D/cig/log/calls.jsonl" >"$T/records"
	[ "$(wc -l <"$T/records")" -eq 2 ]
	jq -es '.[0] | .in == "tel" and .in_to == "tel:+8888;101" and .out_from == "sip:46701234567@secure.com"
		and .state == "HANGUP" and .reason == "hangup" and .duration_s > 0 and .setup_ms > 0
		and .pbx.received > 0 and .secure.sent > 0 and (.pbx.codec | startswith("PCM"))
		and .start < .answer and .answer < .end' "$T/records"
	jq -es '.[1] | .out_to == null and .answer == null and .code == 404 and .pbx == null
		and (.why | startswith("no extension map"))' "$T/records"
}

@test "Prometheus gets the figures, on a port of its own that shows nothing else" {
	local begun answered
	begun=$(metric 'cig_calls_begun_total{from="secure"}')
	answered=$(metric 'cig_calls_answered_total{from="secure"}')
	talking
	[ "$(metric cig_calls_active)" -eq 1 ]
	hang_up
	dial_out "$LAB_GATEWAY"
	await 20 "the refusal" stopped "$CALL"
	[ "$(metric 'cig_calls_begun_total{from="secure"}')" -eq $((begun + 2)) ]
	[ "$(metric 'cig_calls_answered_total{from="secure"}')" -eq $((answered + 1)) ]
	[ "$(metric 'cig_calls_ended_total{from="secure",reason="hangup"}')" -ge 1 ]
	[ "$(metric 'cig_calls_unrouted_total{from="secure"}')" -ge 1 ]
	[ "$(metric 'cig_media_packets_received_total{leg="pbx"}')" -gt 0 ]
	[ "$(metric cig_relay_up) $(metric cig_umsg_up) $(metric cig_sip_up) $(metric cig_keys_current)" = "1 1 1 1" ]
	[ "$(metric cig_crypto_engines)" -eq 8 ]
	[ "$(metric 'cig_pbx_up{pbx="phones"}')" -eq 1 ]
	curl -sf "http://127.0.0.1:$LAB_METRICS_PORT/metrics" >"$T/metrics"
	only_lines '^(# (HELP|TYPE) cig_[a-z_]+ .*|cig_[a-z_]+([{][a-z]+="[^"]*"(,[a-z]+="[^"]*")*[}])? [0-9.e+]+)$' "$T/metrics"
	[ "$(curl -so /dev/null -w '%{http_code}' "http://127.0.0.1:$LAB_METRICS_PORT/status")" = 404 ]
	run -1 listening "$LAB_METRICS_PORT" 127.0.0.2
	! curl -s "http://127.0.0.1:$LAB_METRICS_PORT/metrics" | grep -q 46701234567 || false
}

port_metric() { # NAME KIND PORT
	curl -sf "http://127.0.0.1:$LAB_METRICS_PORT/metrics" |
		awk -v name="cig_texts_port_$1{kind=\"$2\",name=\"$3\"} " 'index($0, name) == 1 { print $2 }'
}

@test "Prometheus gets the texts of each mailbox" {
	local out=$D/cig/mail/from-secure in=$D/cig/mail/to-secure delivered
	delivered=$(port_metric delivered_total mailbox "$out")
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "counted" >"$T/send"
	in_log "$T/send" '^delivered'
	[ "$(port_metric delivered_total mailbox "$out")" -eq $((delivered + 1)) ]
	[ "$(port_metric waiting mailbox "$out")" -eq 0 ]
	[ "$(port_metric failed_total mailbox "$out") $(port_metric expired_total mailbox "$out")" = "0 0" ]
	[ "$(port_metric submitted_total read "$in")" -ge 0 ]
}

@test "logs that were moved away are opened anew, call records, too" {
	local name
	for name in cig session calls; do
		mv "$D/cig/log/$name.log" "$T/" 2>/dev/null || mv "$D/cig/log/$name.jsonl" "$T/"
	done
	kill -HUP "$LAB_CIG_SERVER"
	await 5 "the new cig.log" test -e "$D/cig/log/cig.log"
	LOGGED=0
	await 5 "the end of the reload" logged 'new calls use'
	dial_out "$LAB_GATEWAY"
	await 20 "the refusal" stopped "$CALL"
	[ "$(wc -l <"$D/cig/log/calls.jsonl")" -eq 1 ]
	in_log "$D/cig/log/session.log" ', failed, '
}

# --- keys, and what to keep of a gateway ---

@test "CIG-049 CIG-107: set-key asks for the letter line by line, and a line with a slip once more" {
	sed -n '/^[0-9][0-9]\. /p' "$D/letters/$LAB_GATEWAY" >"$T/lines"
	mkdir -m 700 "$D/fresh"
	sed "s,^userdata .*,userdata \"$D/fresh\";,; s,port $LAB_CONTROL_PORT,port 9," "$D/cig/cig.conf" >"$T/fresh.conf"
	{ sed -n 1p "$T/lines" && sed -n 2p "$T/lines" | tr '[:upper:][:lower:]' '[:lower:][:upper:]' && sed -n '2,$p' "$T/lines" && echo; } |
		cig-cli --config "$T/fresh.conf" set-key >"$T/dialogue"
	grep -q '^01: 02: This is not line 2, or it has a slip: type it again.' "$T/dialogue"
	grep -q "The keys of tel:+8888 are in $D/fresh/.ks.tel:+8888" "$T/dialogue"
	grep -q 'cig-server loads them when it starts' "$T/dialogue"
	[ "$(stat -c %a "$D/fresh/.ks.tel:+8888")" = 600 ]
}

@test "CIG-054 CIG-055 CIG-006: a backup of cig.conf and userdata makes a gateway that works, whatever was lost" {
	# I-11: a "-" before the date, and a blank behind the owner of chown, as cig-server(8) has it
	tar -C "$D/cig" -cf "$T/cig-backup-lab-$(date +%F).tar" cig.conf userdata
	talking
	kill "$LAB_CIG_SERVER"
	await 10 "the server's end" stopped "$LAB_CIG_SERVER"
	# a call that was up then has its record, too
	tail -n 1 "$D/cig/log/calls.jsonl" | jq -e '.answer != null and .end != null and .state == "HANGUP"'
	await 10 "the call's end" stopped "$CALL"
	rm -r "$D/cig/userdata" "$D/cig/cig.conf"
	tar -C "$D/cig" -xf "$T"/cig-backup-lab-*.tar
	kill "$LAB_CIG_RELAY"
	await 5 "the relay's end" stopped "$LAB_CIG_RELAY"
	start "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log"
	LAB_CIG_RELAY=$STARTED_PID
	lab_restarted
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
	await 20 "the gateway" lab_cig_status '.problems == [] and .umsg.crypto == "OK"'
	talking
	hang_up
}

@test "CIG-104 CIG-105: the next month's keys take over at the month's turn, without a restart" {
	cca --now 2026-12-01T00:00:00Z --version || skip "the clock of this build cannot be set"
	free_port && LAB_METRICS_PORT=$PORT
	D=$T/lab LAB_CRS_PORT=''
	mkdir "$D"
	LAB_CLOCK=(--now 2026-11-30T23:58:00Z)
	lab_domain && lab_enrol $ALICE
	lab_rendezvous
	LAB_CLOCK=(--now 2026-11-30T23:59:48Z)
	lab_gateway
	in_log "$D/cig/log/cig.log" '^.2026-11-30T.*keys of tel:.8888 are loaded'
	await 40 "December" lab_cig_status '.umsg.periods[0].month == "2026-12" and .umsg.crypto == "OK"'
	# A caller whose clock is well in December uses December's keys, and is understood.
	LAB_CLOCK=(--now 2026-12-01T00:02:00Z)
	run caller $ALICE call "$LAB_GATEWAY"
	in_log "$D/cig/log/session.log" "tel:\\$ALICE, tel:\\+8888, -, -, failed"
}
