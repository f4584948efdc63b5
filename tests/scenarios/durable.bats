# durable.bats - what readers of a Maildir see while the gateway is killed, and what becomes of
# texts while the rendezvous's store has no room.

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
	needs jq
	lab_load
	OUT=$D/cig/mail/from-secure IN=$D/cig/mail/to-secure
	low=$D/crs/run/redis_low.sock
}

teardown() {
	redis-cli -s "$low" config set maxmemory 1gb >/dev/null 2>&1 || :
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] ||
		tail -n 20 "$T"/{watch,heard,refused} "$D"/*/log/c[ir][gs].log 2>/dev/null
	find "$OUT"/{new,tmp} "$IN"/{new,tmp,.failed} -mindepth 1 -delete 2>/dev/null || :
}

again_cig_server() { # as systemd does
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
}

whole_text() { # NUMBER OCTETS
	printf 'begin %d %s end %d' "$1" "$(head -c "$2" /dev/urandom | base64 -w 76)" "$1"
}

moved_in() { # COUNT
	[ "$(grep -c '^whole' "$T/watch")" -ge "$1" ]
}

@test "CIG-069 CIG-075: readers never see a part of a file in new, whenever the gateway is killed; plain and multipart come" {
	local i attachment=$T/attachment killed=0
	head -c 300000 /dev/urandom >"$attachment"
	kill "$LAB_CIG_SERVER"
	await 10 "the end of cig-server" stopped "$LAB_CIG_SERVER"
	for i in {1..12}; do
		caller $ALICE send "$LAB_GATEWAY;101" "$(whole_text "$i" 20000)" >"$T/send" 3>&- &
		caller $BOB send --attach "$attachment" "$LAB_GATEWAY;102" "$(whole_text 1$i 30)" >"$T/send2" 3>&-
		wait $!
		in_log "$T/send" '^posted'
		in_log "$T/send2" '^posted'
	done
	start "$T/watch" python3 -u "$TOP/tests/scenarios/watch_new.py" "$OUT/new"
	await 10 "the watch" in_log "$T/watch" '^watching'
	for i in 1 4 9 15 20; do # at the moment when a file is moved in, others are being written
		again_cig_server
		await 30 "file $i" moved_in "$i"
		kill -KILL "$LAB_CIG_SERVER"
		await 5 "its end" stopped "$LAB_CIG_SERVER"
		killed=$((killed + 1))
	done
	again_cig_server
	await 30 "all files" moved_in 24
	await 20 "the gateway" lab_cig_status '.problems == [] and .texts.queued == 0'
	files_in "$OUT/new" 24
	files_in "$OUT/tmp" 0
	! grep -vE '^(watching|moved|whole)' "$T/watch" || false
	[ "$(grep -c '^moved' "$T/watch")" -eq 24 ]
	[ "$(grep -c ' text/plain$' "$T/watch")" -eq 12 ]
	local hash
	hash=$(sha256sum "$attachment" | cut -d ' ' -f 1)
	[ "$(grep -c " multipart/mixed $hash\$" "$T/watch")" -eq 12 ]
	[ "$(cat "$OUT"/new/* | grep -ciE '^Content-Type: text/plain; charset="UTF-8"$')" -ge 24 ]
	[ "$(cat "$OUT"/new/* | grep -ciE '^Content-Type: multipart/mixed; boundary=')" -eq 12 ]
	# and the other way: what the gateway wrote as multipart, it reads
	local file
	file=$(grep -lim1 '^Content-Type: multipart/mixed' "$OUT"/new/* | head -n 1)
	sed -e "s/^To:.*/To: <sip:${ALICE#+}@secure.com>/" -e 's/^From:.*/From: <sip:101@pbx.com>/' \
		-e '/^X-/d' "$file" >"$IN/tmp/multipart"
	mkdir "$T/saved"
	mv "$IN/tmp/multipart" "$IN/new/multipart"
	timeout 30 cca --store "$D/$ALICE" listen --count 1 --save "$T/saved" >"$T/heard"
	in_log "$T/heard" '^attachment name="?attachment"? .*octets=300000'
	cmp "$attachment" "$T"/saved/*
}

drop() { # NAME TEXT: for Alice
	printf '%s\n' "To: <sip:${ALICE#+}@secure.com>" 'From: <sip:101@pbx.com>' \
		"Date: $(LC_ALL=C date -u '+%d %b %Y %H:%M:%S +0000')" \
		'Content-Type: text/plain; charset="UTF-8"' 'Content-Transfer-Encoding: 8bit' '' "$2" >"$IN/tmp/$1"
	mv "$IN/tmp/$1" "$IN/new/$1"
}

fewer_files() { # THAN
	[ "$(find "$IN/new" -type f | wc -l)" -lt "$1" ]
}

heard() { # COUNT
	[ "$(grep -c '^message' "$T/heard")" -ge "$1" ]
}

settled() { # are those that are left waiting, all of them?
	lab_cig_status ".texts.queued >= 1" && in_log "$D/cig/log/cig.log" 'store full'
}

@test "Redis without memory: posts are refused with the reason and tried again, and all arrive once when there is room" {
	local used i
	used=$(redis-cli -s "$low" info memory | tr -d '\r' | sed -n 's/^used_memory://p')
	redis-cli -s "$low" config set maxmemory $((used + 1500000))
	for i in {1..60}; do drop "f$i" "$(whole_text "$i" 30000)"; done
	await 30 "the refusal" settled
	# who posts from elsewhere is told, too, and what is stored can be fetched all the time
	redis-cli -s "$low" config set maxmemory 1 >/dev/null
	run -1 caller $BOB send $ALICE "$(whole_text 99 30)"
	[[ $output == *refused*"store full"* ]]
	! files_in "$IN/new" 0 || false
	[ "$(ls "$IN/.failed" | wc -l)" -eq 0 ]
	redis-cli -s "$low" config set maxmemory $((used + 1500000))
	# fetching makes room, and the rest follows by itself
	start "$T/heard" cca --store "$D/$ALICE" listen
	await 60 "all texts" heard 60
	await 30 "the files' end" files_in "$IN/new" 0
	[ "$(ls "$IN/.failed" | wc -l)" -eq 0 ]
	for i in {1..60}; do [ "$(grep -c "text=\"begin $i " "$T/heard")" -eq 1 ]; done
	[ "$(grep -c '^message' "$T/heard")" -eq 60 ]
	await 5 "an empty journal" lab_cig_status '.texts.queued == 0 and .problems == []'
}
