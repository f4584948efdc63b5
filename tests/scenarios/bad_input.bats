# bad_input.bats - what configurations, letters, updates, connections and invitations get
# that are damaged, forged, old or for somebody else.  (SIP, SDP and RTP: pbx.bats.)

load helpers
load lab

ALICE=+46701234567 BOB=+46707654321

setup_file() {
	lab_setup_file
	lab_enrol $BOB
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
}

show_lab() { # what the test wrote, and the ends of the lab's logs
	tail -n 20 "$T"/answer* "$T/rude" "$T/trace" "$T/old" "$D"/*.log "$D"/*/log/*.log 2>/dev/null
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_lab
}

# --- configurations ---

told() { # TEXT...: each is in a line of $output
	local text
	for text; do
		grep -qF -- "$text" <<<"$output" || {
			echo "not told: $text" >&2
			return 1
		}
	done
}

told_in_order() { # FILE: faults come by their place in it
	local places
	places=$(grep -F "$1:" <<<"$output" | sed -nE 's/^[^:]*:([0-9]+):([0-9]+): .*/\1 \2/p')
	[ -n "$places" ] && [ "$places" = "$(sort -n -k1,1 -k2,2 <<<"$places")" ]
}

@test "CIG-038 CIG-039 CIG-103: all faults of a cig.conf are told with place, found and expected; nothing starts" {
	local conf=$T/cig.conf
	mkdir "$T/run" "$T/log"
	cat >"$conf" <<-C
		map tel2sip {
			entry extensions tel "tel:+8888;{ext}" sip "sip:{ext}@127.0.0.12"
		}
		map sip2tel {
			entry users sip "sip:{number}@{discard}" tel "tel:+{number}";
			entry two sip "sip:{number}@{discard" tel "tel:+{number}" auth nobody;
		}
		interfaces {
			tel {
				extention map tel2sip;
				source map sip2tle;
				bind_media 127.0.0.300;
			}
			sip {
				port banana;
				rtp_port_range 40000 30000;
				messaging maybe;
			}
			sipp { }
		}
		translate_map m { rule match "tel:+1{a}{a}" translation "x"; }
		mailboxes { write { path "relative"; map_from translate_map n; map_to translate_map m; } }
		nonsense 3;
		run_dir "$T/run";
		log_dir "$T/log";
		userdata "/tmp/x
	C
	run -2 cig-server --config "$conf"
	told "$conf:3:1: error: \";\" missing" \
		"$conf:6:1: error: \"sip:{number}@{discard\": \"{\" without \"}\"" \
		"$conf:6:64: error: unknown auth \"nobody\"" \
		"$conf:10:1: error: unknown keyword \"extention\" (did you mean \"extension map\"?)" \
		"$conf:11:12: error: unknown map \"sip2tle\" (did you mean \"sip2tel\"?)" \
		"$conf:12:12: error: found \"127.0.0.300\", expected an IP address" \
		"$conf:15:6: error: found \"banana\", expected a number from 1 to 65535" \
		"$conf:16:16: error: found 40000 30000, expected the lower port first" \
		"$conf:17:11: error: found \"maybe\", expected true or false" \
		"$conf:19:1: error: unknown keyword \"sipp\" (did you mean \"sip\"?)" \
		"$conf:21:19: error: \"tel:+1{a}{a}\": a parameter stands twice" \
		"$conf:22:26: error: found \"relative\", expected an absolute path" \
		"$conf:22:61: error: unknown translate_map \"n\"" \
		"$conf:23:1: error: unknown keyword \"nonsense\", expected \"map\"" \
		"$conf:26:10: error: this string does not end in its line" \
		"nothing was started"
	told_in_order "$conf"
	files_in "$T/run" 0
	files_in "$T/log" 0
	local faults=$output
	run -1 lab_cig_cli read "$conf" # the same without a start
	[ "$(grep -c "$conf:[0-9]*:[0-9]*: error: " <<<"$output")" -eq \
		"$(grep -c "$conf:[0-9]*:[0-9]*: error: " <<<"$faults")" ]
	told "16 errors"
	lab_cig_status '.problems == []'
}

@test "a cig.conf of any octets is refused, not believed" {
	head -c 20000 /dev/urandom >"$T/random.conf"
	run -2 cig-server --config "$T/random.conf"
	run -2 cig-server --config "$T"
	run -2 cig-server --config "$T/none.conf"
	told "none.conf"
	printf 'interfaces %s' "$(printf '{ x %.0s' {1..3000})" >"$T/deep.conf"
	run -2 cig-server --config "$T/deep.conf"
}

@test "CRS-034: all faults of crs.conf and crs-local.conf are told, a foreign crsname too; nothing starts" {
	mkdir "$T/crs"
	cat >"$T/crs/crs.conf" <<-C
		key
		ip crs1 127.0.0.1.5
		host crs1
		key "open
		ip crs2 127.0.0.2
		keepalive 10.0.0.0/8 ws 5000
		keep-alive 10.0.0.0/40 wss 5000
		keep-alive 10.0.0.0/8 tcp 500 1000
		iw-listen-port 99999
		features pull
	C
	cat >"$T/crs/crs-local.conf" <<-C
		crsname crs3
		db-backup sometimes
		lisen-address 127.0.0.1
		listen-port 0
	C
	run -1 crs --root "$T/crs"
	local conf=$T/crs/crs.conf localconf=$T/crs/crs-local.conf
	told "$conf:1:1: error: found 0 words, expected key SHARED-SECRET" \
		"$conf:2:9: error: found \"127.0.0.1.5\", expected an IP address" \
		"$conf:4:5: error: a closing quote is missing" \
		"$conf:5:4: error: \"crs2\" is not declared by a \"host crs2\" line" \
		"$conf:6:1: error: unknown keyword \"keepalive\" (did you mean \"keep-alive\"?)" \
		"$conf:7:12: error: found \"10.0.0.0/40\", expected IP/MASK" \
		"$conf:7:24: error: \"wss\": expected tcp or ws" \
		"$conf:8:27: error: found \"500\", expected a number from 1000 to 86400000" \
		"$conf:8:31: error: a grace period is possible with ws only" \
		"$conf:9:16: error: found \"99999\", expected a number from 1 to 65535" \
		"$conf:10:10: error: unknown feature \"pull\": expected push" \
		"$localconf:1:9: error: crsname \"crs3\" must match" \
		"$localconf:2:11: error: \"sometimes\": expected none, replicate-from-peer or read-from" \
		"$localconf:3:1: error: unknown keyword \"lisen-address\" (did you mean \"listen-address\"?)" \
		"$localconf:4:13: error: found \"0\", expected a number from 1 to 65535" \
		"not started"
	told_in_order "$conf"
	files_in "$T/crs" 2
	run -1 crs --root "$T/crs" -n
	run -1 crs --root "$T/nowhere"
	told "$T/nowhere/crs.conf" "$T/nowhere/crs-local.conf"
}

@test "all faults of crs-relay.conf are told; nothing starts" {
	printf 'MAX_RTP_RELAYS=many\nMAX_RTP_RELAY=10\nMAX_OPAQUE_RELAYS\nMAX_RTP_RELAYS=4\n' \
		>"$T/crs-relay.conf"
	echo MAX_SESSION_KBIT_PER_S=5 >>"$T/crs-relay.conf"
	run -2 crs-relay --root "$T" --listen 127.0.0.1:1
	told "crs-relay.conf:1:16: error: found \"many\", expected a number" \
		"crs-relay.conf:2:1: error: unknown keyword \"MAX_RTP_RELAY\" (did you mean \"MAX_RTP_RELAYS\"?)" \
		"crs-relay.conf:3:1: error: expected KEY=VALUE" \
		"crs-relay.conf:4:1: error: \"MAX_RTP_RELAYS\" is repeated: it stands in line 1, too" \
		"crs-relay.conf:5:24: error: found \"5\", expected a number from 128 to 10000000" \
		"not started"
	[ ! -e "$T/run" ]
	: >"$T/crs-relay.conf"
	run -1 crs-relay --root "$T" --log - --listen "127.0.0.1:$LAB_MEDIA_PORT" # taken
	told "cannot serve 127.0.0.1:$LAB_MEDIA_PORT"
}

# --- letters and updates ---

damaged_letters() { # LETTER DIRECTORY: copies of it, each with its own fault
	mkdir -p "$2"
	sed '/^03\./s/\([^ ]*\) :/XXXX :/' "$1" >"$2/typing-error"
	sed '/^05\./d' "$1" >"$2/line-left-out"
	sed -n '/^04\./{h;n;G};p' "$1" >"$2/lines-swapped"
	head -c 800 "$1" >"$2/cut"
	: >"$2/empty"
	head -c 3000 /dev/urandom >"$2/random"
	{ cat "$1" && cat "$1"; } >"$2/twice"
}

@test "CCA-001: a letter that is damaged, older or for somebody else changes nothing of a caller's keys" {
	local store=$D/$ALICE/.ks.tel:$ALICE letter
	cp "$store" "$T/before"
	damaged_letters "$D/letters/$ALICE" "$T/letters"
	for letter in "$T"/letters/* "$T/missing" "$T"; do
		run -1 caller $ALICE enrol "$letter"
		told "not enrolled: "
		cmp "$store" "$T/before"
	done
	run -1 caller $ALICE enrol "$T/letters/typing-error"
	told "line 3 of the letter is not right"
	run -1 caller $ALICE enrol "$D/letters/$BOB"
	told "the letter is for tel:$BOB, this key store belongs to tel:$ALICE"
	lab_cms letter $ALICE --qr-key --output "$T/newer" >"$T/key"
	run -1 caller $ALICE enrol "$T/newer" </dev/null
	told "protected"
	run -1 caller $ALICE enrol --qr-key 00000000000000000000000000000000 "$T/newer"
	cmp "$store" "$T/before"
	files_in "$D/$ALICE" "$(find "$D/$ALICE" -mindepth 1 -not -name '*.tmp' | wc -l)"
	run -0 caller $ALICE enrol --qr-key "$(sed -n 's/^QR key: //p' "$T/key" | tr -d ' ')" "$T/newer"
	cp "$store" "$T/before"
	run -1 caller $ALICE enrol "$D/letters/$ALICE"
	told "older"
	cmp "$store" "$T/before"
}

@test "CIG-049: set-key refuses a damaged, a user's, another gateway's and an older letter, and works on" {
	local store=$D/cig/userdata/.ks.tel:$LAB_GATEWAY letter
	lab_cms gateway add +9999 "Other" --engines 3
	lab_cms letter +9999 --output "$T/other"
	cp "$store" "$T/before"
	damaged_letters "$D/letters/$LAB_GATEWAY" "$T/letters"
	for letter in "$T"/letters/* "$D/letters/$ALICE" "$T/other" "$T/missing"; do
		run -1 lab_cig_cli set-key --file "$letter"
		told "the keys are not changed: "
		cmp "$store" "$T/before"
	done
	told "$T/missing: No such file"
	run -1 lab_cig_cli set-key --file "$T/other"
	told "the letter is for tel:+9999, this key store belongs to tel:$LAB_GATEWAY"
	run -1 lab_cig_cli set-key --file "$D/letters/$ALICE"
	told "not a gateway's"
	lab_cms letter $LAB_GATEWAY --output "$T/newer"
	run -0 lab_cig_cli set-key --file "$T/newer"
	told "cig-server has loaded them"
	cp "$store" "$T/before"
	run -1 lab_cig_cli set-key --file "$D/letters/$LAB_GATEWAY"
	told "older"
	cmp "$store" "$T/before"
	lab_cig_status '.problems == []'
	lab_cms gateway delete +9999
}

account_digest() {
	sha256sum "$D/crs/accounts/$LAB_ACCOUNT"/*
}

bend() { # FILE OFFSET: another octet there
	printf '\xa5' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "CRS-047: an update that is damaged anywhere, under another secret or older changes nothing" {
	local old=("$D"/updates/*.upd) update size at before
	lab_cms update --output "$T"
	update=$(ls "$T"/*.upd | head -n 1)
	size=$(stat -c %s "$update")
	before=$(account_digest)
	for at in 0 3 5 40 100 300 1000 $((size / 2)) $((size - 1)); do
		cp "$update" "$T/bent"
		bend "$T/bent" "$at"
		run -1 lab_crs_cli apply "$T/bent"
		[[ $output =~ damaged|"not an update file"|"not open"|"of version" ]]
		[ "$(account_digest)" = "$before" ]
	done
	for at in 0 10 1000 $((size - 1)); do
		head -c "$at" "$update" >"$T/cut"
		run -1 lab_crs_cli apply "$T/cut"
		[ "$(account_digest)" = "$before" ]
	done
	run -1 lab_crs_cli apply "${old[0]}"
	told "not newer than the update of"
	run -1 lab_crs_cli apply "$T/missing"
	run -1 lab_crs_cli apply "$D/letters/$ALICE"

	# Another domain's, for an account of the same name under another secret.
	(umask 077 && openssl rand -base64 16 >"$T/secret")
	cms --dir "$T/cms" --passphrase-file "$D/passphrase" init --domain Other \
		--crs "127.0.0.1:$LAB_CRS_PORT" --account $LAB_ACCOUNT --secret-file "$T/secret"
	mkdir "$T/others"
	cms --dir "$T/cms" --passphrase-file "$D/passphrase" update --output "$T/others"
	run -1 lab_crs_cli apply "$(ls "$T"/others/*.upd | head -n 1)"
	told "another shared secret"
	[ "$(account_digest)" = "$before" ]
	run -0 lab_crs_cli apply "$update"
	[ "$(account_digest)" != "$before" ]
}

attached() { # NUMBER [COUNT]
	[ "$(lab_crs_cli show attach | grep -c "^tel:$1 ")" -eq "${2:-1}" ]
}

@test "CRS-051 CRS-094: whose keys were destroyed is shut out at once, and comes back with a new letter" {
	local old
	mkdir "$T/updates"
	start "$T/old" cca --store "$D/$BOB" listen
	old=$STARTED_PID
	await 10 "Bob" in_log "$T/old" '^attached'
	start "$T/trace" crs-cli --root "$D/crs" trace attach
	lab_cms user rekey $BOB
	lab_cms letter $BOB --output "$T/letter"
	lab_cms update --output "$T/updates"
	for file in "$T"/updates/*.upd; do lab_crs_cli apply "$file"; done
	await 10 "the end of the old device" stopped "$old"
	in_log "$T/old" '^denied reason='
	attached $BOB 0
	run -1 caller $BOB send $ALICE "from the old device"
	told "denied reason="
	run -0 caller $BOB enrol "$T/letter"
	start "$T/new" cca --store "$D/$BOB" listen
	await 10 "Bob's new device" in_log "$T/new" '^attached'
	attached $BOB
	await 5 "the trace" in_log "$T/trace" "^event,[^,]+,[0-9]+,primary,tel:\\$BOB,$LAB_ACCOUNT,127.0.0.1,[0-9]+,denied,"
	in_log "$T/trace" ",tel:\\$BOB,$LAB_ACCOUNT,127.0.0.1,[0-9]+,registered,"
}

# --- what comes to the rendezvous's port ---

rude() { # ACT...: Bob breaks the rules
	rude-client "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" "$@" >"$T/rude" 2>&1
}

crs_log_lines() { # REGEX: since the test began
	tail -n "+$((LOG_LINES + 1))" "$D/crs/log/crs.log" | grep -cE -- "$1"
}

others_are_served() { # a text goes through, Alice keeps her connection
	caller $BOB send "$LAB_GATEWAY;101" "still here" >"$T/text"
	in_log "$T/text" '^posted'
	running "$ATTACHED" && ! in_log "$T/attached" 'lost|closed'
	[ "$(grep -c '^attached' "$T/attached")" -eq 1 ]
}

with_others() { # Alice is attached meanwhile
	LOG_LINES=$(wc -l <"$D/crs/log/crs.log")
	start "$T/attached" cca --store "$D/$ALICE" listen
	ATTACHED=$STARTED_PID
	await 10 "Alice" in_log "$T/attached" '^attached'
}

ended_by_peer() { # FD: has the other side closed it?
	local rest
	read -rt 0.05 -u "$1" rest
	[ $? -le 128 ]
}

@test "CRS-002: octets of any kind, TLS without a key and connections that say nothing harm nobody" {
	local fd fds=() i psk
	with_others
	for ((i = 0; i < 100; i++)); do # half open: not a word
		exec {fd}<>"/dev/tcp/127.0.0.1/$LAB_CRS_PORT"
		fds+=("$fd")
	done
	printf '\x16\x03\x01\x02\x00\x01' >&"${fds[0]}" # a hello that does not go on
	for ((i = 0; i < 20; i++)); do
		head -c 2000 /dev/urandom >"/dev/tcp/127.0.0.1/$LAB_CRS_PORT" 2>/dev/null || :
		printf 'GET / HTTP/1.1\r\n\r\n' >"/dev/tcp/127.0.0.1/$LAB_CRS_PORT" 2>/dev/null || :
	done
	for psk in '' '-tls1_2' '-psk 00112233 -psk_identity someone' '-tls1_3 -psk 0011 -psk_identity x'; do
		# shellcheck disable=SC2086
		run -1 openssl s_client -connect "127.0.0.1:$LAB_CRS_PORT" $psk </dev/null
		told "alert"
	done
	others_are_served
	for fd in "${fds[@]}"; do
		await 12 "the end of a silent connection" ended_by_peer "$fd"
		exec {fd}>&-
	done
	others_are_served
	# One line, not one for each.
	[ "$(crs_log_lines 'handshake failed')" -le 4 ]
	[ "$(crs_log_lines 'handshake failed')" -ge 1 ]
}

@test "CCA-002: a wrong key and an unknown identity get the same alert" {
	local first
	with_others
	run -1 rude-client "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" psk=wrong tls
	first=$output
	told "tls: " "alert"
	run -1 rude-client "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" identity=none tls
	[ "$output" = "$first" ]
	run -1 rude-client "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" identity=x tls
	[ "$output" = "$first" ]
	run -1 rude-client "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" psk=wrong identity=x tls
	[ "$output" = "$first" ]
	others_are_served
	[ "$(crs_log_lines "tel:\\$BOB")" -eq 0 ] # who fails is not told as who he says he is
}

@test "a caller that cannot attach says why" {
	run -1 cca --store "$D/$BOB" --crs 127.0.0.1:9 --timeout 1 listen
	[[ $output == *"cca: not attached to 127.0.0.1:9 within 1 s: "*"refused"* ]]
}

@test "bad upgrades are answered and end the connection" {
	local case status
	with_others
	while read -r status case; do
		rude tls "$case" http hear
		grep -qx "http: $status" "$T/rude"
		grep -qx 'hear: end' "$T/rude"
	done <<-'C'
		426 say=GET / HTTP/1.1\r\nHost: x\r\n\r\n
		405 say=POST / HTTP/1.1\r\nHost: x\r\n\r\n
		400 say=\r\n\r\n
		400 say=nonsense\r\n\r\n
		431 zeros=5000
		404 say=GET /other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: umsg.1\r\n\r\n
		426 say=GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Protocol: umsg.1\r\n\r\n
	C
	others_are_served
}

@test "frames that are unmasked, too large, none, too early or in another's name are refused, and told once" {
	local acts i
	with_others
	while read -r code acts; do
		# shellcheck disable=SC2086
		rude tls upgrade http $acts hear
		grep -qx "hear: ${code//_/ }" "$T/rude" || {
			cat "$T/rude"
			return 1
		}
	done <<-C
		closed_1002 hex=8205aabbccddee
		closed_1003 hex=8183000000006162630a
		closed_1002 hex=f280000000000000
		closed_1009 hex=82ff000000000001000100000000 zeros=70000
		closed_1009 hex=82ff7fffffffffffffff00000000 zeros=1
		closed_1008 hex=82850000000001020304ff
		closed_1008 from=tel:$ALICE lookup=tel:+1
		error_4_not_registered lookup=tel:+1
	C
	for ((i = 0; i < 30; i++)); do
		rude tls upgrade http register until=registered from=tel:$ALICE lookup=tel:+1 hear
		grep -qx 'hear: closed 1008' "$T/rude"
	done
	others_are_served
	# Each of the two workers tells a cause of a client once in ten minutes, with how many
	# more there were; there were five causes.
	[ "$(crs_log_lines "WARN.*uri=tel:\\$BOB.*in another's name: cut off")" -ge 1 ]
	[ "$(crs_log_lines "in another's name: cut off")" -le 2 ]
	[ "$(crs_log_lines 'cut off')" -le 10 ]
}

# --- invitations ---

answer() { # NUMBER CCA_OPTIONS...
	start "$T/answer" cca "${LAB_CLOCK[@]}" --store "$D/$1" answer --reject busy
	await 10 "$1" in_log "$T/answer" '^attached'
}

no_session() {
	[ "$(lab_crs_cli show session | wc -l)" -le 1 ]
}

@test "a repeated invitation is dropped, also after a restart; one moved or bent is refused with the reason" {
	answer $ALICE
	rude tls upgrade http register until=registered call=tel:$ALICE keep="$T/bang" until=hangup again hear \
		renamed until=hangup
	grep -qx 'until: hangup reason=2 who=1' "$T/rude"                 # busy
	grep -qx 'hear: error 10 this session id is in use' "$T/rude"     # the rendezvous knows it yet
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=9 who=1'     # it belongs to one session
	[ "$(grep -c '^incoming' "$T/answer")" -eq 1 ]
	in_log "$T/answer" "call from tel:\\$BOB refused: [a-z-]"
	await 15 "the session's end at the rendezvous" no_session
	stop "$STARTED_PID" INT
	mv "$T/answer" "$T/answer.1"
	answer $ALICE
	rude tls upgrade http register until=registered found="$T/bang" again hear hear
	grep -qx 'hear: bang_answer' "$T/rude"                            # the rendezvous passes it on
	await 5 "the refusal" in_log "$T/answer" "call from tel:\\$BOB refused: repeated"
	tail -n 1 "$T/rude" | grep -qx 'hear: nothing'                    # and it gets no answer
	! in_log "$T/answer" '^incoming' || false
	stop "$STARTED_PID" INT
	answer $ALICE
	rude tls upgrade http register until=registered call=tel:$ALICE until=hangup bent until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=9 who=1'
	in_log "$T/answer" "call from tel:\\$BOB refused: bad-signature"
}

@test "CIG-012: the gateway refuses forged and bent invitations, with the reason in its log" {
	local before
	before=$(wc -l <"$D/cig/log/session.log")
	rude tls upgrade http register until=registered call=tel:$LAB_GATEWAY';none' until=hangup bent until=hangup
	[ "$(grep -cx 'until: hangup reason=15 who=1' "$T/rude")" -eq 0 ] || [ "$(grep -c hangup "$T/rude")" -eq 2 ]
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=9 who=1'
	in_log "$D/cig/log/cig.log" "call from tel:\\$BOB refused: (bad-signature|malformed)"
	# Only the good one came as far as a session.
	[ "$(tail -n "+$((before + 1))" "$D/cig/log/session.log" | grep -c ', routing, ')" -eq 1 ]
}

rude_at() { # TIME ACT...
	rude-client --now "$1" "$D/$BOB" "127.0.0.1:$LAB_CRS_PORT" tls upgrade http register until=registered \
		"${@:2}" >"$T/rude" 2>&1
}

answer_at() { # TIME: Alice, whose clock stands there
	LAB_CLOCK=(--now "$1")
	[ -z "${ANSWER:-}" ] || stop "$ANSWER" INT
	answer $ALICE
	ANSWER=$STARTED_PID
}

@test "last month's keys open calls in the first five minutes of a month, and none of later" {
	cca --now 2026-12-01T00:00:00Z --version || skip "the clock of this build cannot be set"
	D=$T/lab LAB_CRS_PORT=''
	mkdir "$D"
	LAB_CLOCK=(--now 2026-11-21T12:00:00Z)
	lab_domain && lab_enrol $ALICE && lab_enrol $BOB
	LAB_CLOCK=(--now 2026-12-01T00:03:30Z)
	lab_rendezvous
	answer_at 2026-12-01T00:03:30Z
	rude_at 2026-11-30T23:59:20Z call=tel:$ALICE until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=2 who=1' # busy: it was opened
	in_log "$T/answer" "^incoming from=tel:\\$BOB"
	answer_at 2026-12-01T00:05:30Z
	rude_at 2026-11-30T23:59:50Z call=tel:$ALICE until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=17 who=1'
	in_log "$T/answer" "call from tel:\\$BOB refused: too-old"
	! in_log "$T/answer" '^incoming' || false
	rude_at 2026-12-01T00:05:20Z call=tel:$ALICE until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=2 who=1'
	answer_at 2026-11-30T23:54:30Z # and next month's in the last five minutes
	rude_at 2026-12-01T00:00:10Z call=tel:$ALICE until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=17 who=1'
	in_log "$T/answer" "call from tel:\\$BOB refused: too-new"
	answer_at 2026-11-30T23:55:40Z
	rude_at 2026-12-01T00:00:10Z call=tel:$ALICE until=hangup
	tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=2 who=1'
}

# --- who is dialled ---

@test "CIG-007 CIG-029: a dialled extension cannot name a host: not typed, not sealed, not asked for" {
	local dialled before
	before=$(wc -l <"$D/cig/log/session.log")
	for dialled in '101@evil.example' '101@evil.example:5060' '%40evil.example' '101;maddr=evil' '101>' '1 2' \
		'101?x=y' $'101\r\nTo:x' "$(printf '1%.0s' {1..65})"; do
		run -2 caller $ALICE call "$LAB_GATEWAY;$dialled"
		told "is no extension"
		run -2 caller $ALICE send "$LAB_GATEWAY;$dialled" text
		told "is no extension"
		rude tls upgrade http register until=registered call="tel:$LAB_GATEWAY;$dialled" until=hangup
		tail -n 1 "$T/rude" | grep -qx 'until: hangup reason=9 who=1'
		run lab_cig_cli --json route "tel:$LAB_GATEWAY;$dialled" "tel:$ALICE"
		[ "$status" -ne 0 ] || [[ $(jq -r .to <<<"$output") == sip:*@$LAB_PHONE_IP ]]
		[[ $output != *@evil* ]] || [ "$status" -ne 0 ]
	done
	for dialled in sip:101@evil.example 101 tel:101 +12345678901234567 +4670@evil; do
		run -2 caller $ALICE call "$dialled"
		told "is no number"
	done
	[ "$(wc -l <"$D/cig/log/session.log")" -eq "$before" ] # nothing was routed
	lab_cig_status '.problems == []'
}
