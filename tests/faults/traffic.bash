# traffic.bash - texts and calls in both directions, and a record of what was acknowledged.
#
# A text outwards is "out N.A.": attempt A of text N.  It is acknowledged when cca said "posted",
# which stands in $D/out/N.A.  Inwards a text is "in N.", acknowledged as soon as its file is in
# the read mailbox; $D/dropped has them.  What was shown is in the write mailbox's new, and in
# $D/heard.
#
# $D/quiet ends the making of texts, $D/silent everything.

LOOPS=()

loop() { # FUNCTION: in the background until $D/silent is there
	(
		exec 3>&- >>"$D/$1.log" 2>&1 </dev/null
		while [ ! -e "$D/silent" ]; do "$1" || pause; done
	) &
	LOOPS+=($!)
}

as_user() { # ROLE OUTPUT NUMBER COMMAND...: runs cca, whose pid is in $D/pid.ROLE meanwhile
	local status=0
	(user_cca "${@:3}") >>"$2" 2>>"$D/$1.err" &
	echo $! >"$D/pid.$1"
	wait $! || status=$?
	rm -f "$D/pid.$1"
	return $status
}

send_texts() { # one text, attempt by attempt until it is acknowledged
	local n attempt=0
	[ ! -e "$D/quiet" ] || { pause; return; }
	n=$(($(cat "$D/sent" 2>/dev/null || echo 0) + 1))
	echo $n >"$D/sent"
	until [ -e "$D/quiet" ]; do
		attempt=$((attempt + 1))
		as_user sender "$D/out/$n.$attempt" "$SENDER" --timeout 20 \
			send "$LAB_GATEWAY;101" "out $n.$attempt." && break
	done
	for ((attempt = 0; attempt < 15; attempt++)); do pause; done
}

text_file() { # TEXT: as an external system writes a message for the listener
	printf '%s\n' "To: <sip:${LISTENER#+}@secure.com>" 'From: <sip:101@pbx.com>' \
		"Date: $(LC_ALL=C date -u '+%d %b %Y %H:%M:%S +0000')" \
		'Content-Type: text/plain; charset="UTF-8"' 'Content-Transfer-Encoding: 8bit' '' "$1"
}

drop_texts() {
	local n i box=$D/cig/mail/to-secure
	[ ! -e "$D/quiet" ] || { pause; return; }
	n=$(($(wc -l <"$D/dropped") + 1))
	if text_file "in $n." >"$box/tmp/$n" && mv "$box/tmp/$n" "$box/new/$n"; then
		echo "in $n." >>"$D/dropped"
	fi 2>/dev/null # the disk may be full
	for ((i = 0; i < 15; i++)); do pause; done
}

hear_texts() {
	as_user listener "$D/heard" "$LISTENER" --timeout 0 listen
}

answer_calls() {
	as_user answerer "$D/answered" "$ANSWERER" --timeout 0 answer --play "$D/caller-long.wav"
}

traffic_begin() {
	: >"$D/dropped"
	: >"$D/heard"
	: >"$D/answered"
	loop hear_texts
	loop answer_calls
	loop send_texts
	loop drop_texts
}

traffic_end() { # no new texts; those that are there shall arrive
	touch "$D/quiet"
	# What was sent while a clock was an hour ahead is early for its receiver until then.
	clock_write "$D/clock.crs" $HOUR_MS
	clock_write "$D/clock.cig" $HOUR_MS
}

fetch_receipts() { # those that came while the sender was not there
	[ ! -e "$D/silent" ] || return 0
	as_user sender "$D/receipts" "$SENDER" --timeout 20 listen
}

# ---- calls: one in each direction ----

calls_begin() {
	(user_cca "$CALLER" --timeout 20 call --play "$D/caller-long.wav" "$LAB_GATEWAY;101") \
		>"$D/call" 2>&1 3>&- </dev/null &
	CALL=$!
	disown
	echo $CALL >"$D/pid.caller"
	phone 102 dial "sip:${ANSWERER#+}@127.0.0.1:$LAB_SIP_PORT"
}

calls_are_up() {
	in_log "$D/call" '^talk' && in_log "$D/102/events" CALL_ESTABLISHED
}

open_calls() { # ids of calls at both phones that were established and not closed
	cat "$D"/10[12]/events | grep -aoE '"CALL_(ESTABLISHED|CLOSED)"[^}]*"id":"[^"]+"' |
		sed -E 's/.*CALL_([A-Z]+)".*"id":"(.*)"/\1 \2/' |
		awk '$1 == "ESTABLISHED" { open[$2] } $1 == "CLOSED" { delete open[$2] } END { for (id in open) print id }'
}

calls_end() { # everybody hangs up
	kill -INT $CALL 2>/dev/null
	phone 102 hangup
	phone 101 hangup
}

caller_is_done() {
	running $CALL && return 1
	rm -f "$D/pid.caller"
}

phones_are_idle() {
	[ -z "$(open_calls)" ] && return
	phone 101 hangup # one whose other side died without a word
	phone 102 hangup
	return 1
}

no_calls_at_gateway() {
	lab_cig_status '.engines.available == .engines.total' && [ -z "$(media_ports)" ]
}

media_ports() { # those of the PBX side that are open
	ss -Hlun | awk -v red="$LAB_RED" -v low="${LAB_RTP% *}" -v high="${LAB_RTP#* }" \
		'{ n = split($4, a, ":") } a[1] == red && a[n] >= low && a[n] <= high { print a[n] }'
}

no_calls_at_rendezvous() { # ended ones stay in the list for ten seconds
	[ "$(lab_crs_cli --json show relays)" = '[]' ] &&
		lab_crs_cli --json show session |
		jq -e 'all(.state | test("^(hangup|responder not)"))'
}
