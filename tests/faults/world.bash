# world.bash - a whole Tandem with four users and two phones, whose services are started again
# when they die, as systemd does it (Restart=always, RestartSec=1).

bats_require_minimum_version() { :; } # the helpers serve the scenarios, too
. tests/scenarios/helpers.bash
. tests/scenarios/phone.bash
. tests/scenarios/lab.bash
LAB_USERS=(+46701234567 +46707654321 +46703333333 +46704444444)
LISTENER=${LAB_USERS[0]} SENDER=${LAB_USERS[1]} CALLER=${LAB_USERS[2]} ANSWERER=${LAB_USERS[3]}

# Memory that was freed is used again soon, so that what grows is seen.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=4

SERVICES=(crs-relay crs cig-relay cig-server)
declare -A PID=() # of the services, and of the callers under way

world_lacks() {
	local program
	for program in baresip jq redis-cli redis-server python3 flite sox ss; do
		command -v "$program" >/dev/null || echo -n "$program "
	done
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

service_run() { # NAME: replaces the shell; in a session of its own, where Ctrl-C does not reach it
	case $1 in
	crs-relay) exec setsid crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT" ;;
	crs) exec setsid crs --root "$D/crs" --now "$D/clock.crs" ;;
	cig-relay) exec setsid cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log" --now "$D/clock.cig" ;;
	cig-server) exec setsid cig-server --config "$D/cig/cig.conf" --now "$D/clock.cig" ;;
	esac
}

no_descriptors() { # but the first three: services count theirs
	local fd
	for fd in "/proc/$BASHPID/fd"/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
}

service_start() { # NAME
	(no_descriptors && service_run "$1") >>"$D/$1.log" 2>&1 </dev/null &
	PID[$1]=$!
	disown # its end is looked for, and no news
}

service_keep() { # NAME: starts it again if it is dead
	running "${PID[$1]}" || service_start "$1"
}

clock_write() { # FILE MILLISECONDS: steps a clock of the test builds (base/clock.h)
	python3 -c 'import struct, sys; open(sys.argv[1], "r+b" if sys.argv[3] else "wb").write(struct.pack("=q", int(sys.argv[2])))' \
		"$1" "$2" "$([ -e "$1" ] && echo there)"
}

small_disk() { # DIRECTORY MEBIBYTES: a file system of its own, where that is permitted
	mkdir -p -m 700 "$1"
	[ "$FAULTS_INSIDE" = spaces ] && mount -t tmpfs -o "size=${2}m,mode=700" tmpfs "$1" 2>/dev/null &&
		DISKS="${DISKS:-} $1"
	return 0
}

world_network() {
	[ "$FAULTS_INSIDE" = spaces ] || return 0
	ip link set lo up
	nft add table inet faults 2>/dev/null &&
		nft add chain inet faults in '{ type filter hook input priority 0; }' && NETWORK=yes
	return 0
}

world_begin() {
	local user
	TICK=$D/tick DISKS='' NETWORK=''
	mkfifo "$TICK"
	mkdir "$D/out"
	world_network
	clock_write "$D/clock.crs" 0
	clock_write "$D/clock.cig" 0
	cca --now "$D/clock.crs" --version >/dev/null 2>&1 || { echo "needs --enable-test-clock"; return 1; }
	lab_domain >"$D/domain.log" || return
	lab_crs_conf
	small_disk "$D/crs/data" 200
	small_disk "$D/cig/userdata" 20
	small_disk "$D/cig/mail" 40
	for user in crs-relay crs; do service_start $user; done
	await 15 "the rendezvous" lab_crs_answers || return
	lab_crs_cli create account $LAB_ACCOUNT -s "$(cat "$D/secret")" >/dev/null && lab_apply >/dev/null || return
	lab_gateway_files >"$D/files.log" 2>&1 || return
	relay_start
	for user in cig-relay cig-server; do service_start $user; done
	for user in "${LAB_USERS[@]}"; do lab_enrol "$user" >"$D/enrol.log" || return; done
	await 30 "the gateway" lab_cig_status '.problems == []' || return
	speech "$D/caller.wav" "This is the secure caller. The quick brown fox jumps over the lazy dog." 600
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back tomorrow." 600
	PHONE_IP2=${LAB_PHONE_IP%.*}.13
	free_port
	phone_start 101 "$LAB_PHONE_IP" "$LAB_PHONE_CTRL" "$D/phone-long.wav" 'answermode=auto' &&
		phone_start 102 "$PHONE_IP2" "$PORT" "$D/phone-long.wav" 'answermode=manual'
}

# The callers and the gateway's media go through a relay of the test's own, which may delay.
relay_start() {
	free_port
	DELAYED_PORT=$PORT DELAYED_IP=127.0.7.7
	echo 0 >"$D/delay"
	python3 tests/faults/delay_relay.py "$D/delay" "127.0.0.1:$DELAYED_PORT=127.0.0.1:$LAB_CRS_PORT" \
		"$DELAYED_IP:$LAB_MEDIA_PORT=127.0.0.1:$LAB_MEDIA_PORT" >"$D/delay.log" 2>&1 3>&- &
	DELAY_PID=$!
	sed -i "s/^\(\t*\)bind $LAB_BLACK;/&\n\1rtp_remote_addr_override 127.0.0.1 $DELAYED_IP;/" "$D/cig/cig.conf"
	await 10 "the delaying relay" listening "$DELAYED_PORT"
}

user_cca() { # NUMBER COMMAND...: replaces the shell
	# Started in the background by bash it would ignore an interrupt until it has begun.
	exec env --default-signal=INT setsid cca --now "$D/clock.crs" --store "$D/$1" --crs "127.0.0.1:$DELAYED_PORT" "${@:2}"
}

# ---- is everything there? ----

all_services() {
	lab_crs_cli --json show services | jq -e 'length >= 4 and all(.status == "active")'
}

attached() { # NUMBER...: all of them?
	local list number
	list=$(lab_crs_cli --json show attach) || return
	for number; do
		jq -e --arg uri "tel:$number" 'any(.uri == $uri)' <<<"$list" || return
	done
}

all_back() {
	lab_cig_status '.problems == []' && all_services && attached "$LAB_GATEWAY" "$LISTENER" "$ANSWERER"
}

world_end() {
	local pid dir
	touch "$D/quiet" "$D/silent"
	phone_stop_all
	for pid in $(cat "$D"/pid.* 2>/dev/null) "${PID[@]}" "${DELAY_PID:-}" "${LOOPS[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	for pid in "${PID[@]}" "${LOOPS[@]}"; do
		await 10 "the end of $pid" stopped "$pid" || kill -KILL "$pid"
	done
	for pid in $(cat "$D"/pid.* 2>/dev/null); do kill "$pid" 2>/dev/null; done # begun meanwhile
	for dir in ${DISKS:-}; do umount -l "$dir"; done
}
