# harms.bash - what a round may do, each at a moment and for a time that the plan chose.
#
# A harm is a name and a function harm_NAME LENGTH_MS ANY, "-" in names being "_" there.  It
# returns when the cause is gone and what died is being started again; 77: not possible here.

HARMS=(
	kill-cig-server kill-cig-sip kill-cig-relay
	kill-crs kill-crs-worker kill-crs-relay kill-redis-low kill-redis-high
	kill-sender kill-listener kill-caller kill-answerer
	stop-redis-low stop-crs-worker stop-cig-relay
	net-down net-loss net-delay
	disk-userdata disk-mail disk-crs
	clock-gateway clock-all
	abandon
)

rest_ms() { # MILLISECONDS: time is what these harms are made of
	local end=$(($(now_ms) + $1))
	while [ "$(now_ms)" -lt $end ]; do pause; done
}

kill_pid() { # PID: with everything that it had in hand
	[ -n "$1" ] && kill -KILL "$1" 2>/dev/null
}

kill_service() { # NAME: and systemd starts it after a second
	kill_pid "${PID[$1]}" || return
	rest_ms 1000
	service_keep "$1"
}

harm_kill_cig_server() { kill_service cig-server; }
harm_kill_cig_relay() { kill_service cig-relay; }
harm_kill_crs() { kill_service crs; }
harm_kill_crs_relay() { kill_service crs-relay; }

harm_kill_cig_sip() { kill_pid "$(pgrep -P "${PID[cig-server]}" cig-sip)"; }

crs_worker() { # ANY: one of them
	local workers
	workers=($(pgrep -P "${PID[crs]}" -f -- --worker))
	echo "${workers[$(($1 % ${#workers[@]}))]}"
}

redis() { # low|high
	pgrep -P "${PID[crs]}" -f "redis_$1.sock"
}

harm_kill_crs_worker() { kill_pid "$(crs_worker "$2")"; }
harm_kill_redis_low() { kill_pid "$(redis low)"; }
harm_kill_redis_high() { kill_pid "$(redis high)"; }

kill_user() { # ROLE: its loop starts it again
	kill_pid "$(cat "$D/pid.$1" 2>/dev/null)" || return 0 # between two runs
}

harm_kill_sender() { kill_user sender; }
harm_kill_listener() { kill_user listener; }
harm_kill_caller() { kill_user caller; }
harm_kill_answerer() { kill_user answerer; }

stop_for() { # PID MILLISECONDS: it hangs
	kill -STOP "$1" 2>/dev/null || return 0
	rest_ms "$2"
	kill -CONT "$1" 2>/dev/null || :
}

harm_stop_redis_low() { stop_for "$(redis low)" "$1"; }
harm_stop_crs_worker() { stop_for "$(crs_worker "$2")" "$1"; }
harm_stop_cig_relay() { stop_for "${PID[cig-relay]}" "$1"; }

# The network between the rendezvous and all others.
with_rules() { # MILLISECONDS RULE...
	local rule
	[ -n "$NETWORK" ] || return 77
	for rule in "${@:2}"; do nft add rule inet faults in $rule || return 77; done
	rest_ms "$1"
	nft flush chain inet faults in
}

harm_net_down() {
	with_rules $(($1 * 3)) "tcp sport $LAB_CRS_PORT drop" "tcp dport $LAB_CRS_PORT drop" \
		"udp sport $LAB_MEDIA_PORT drop" "udp dport $LAB_MEDIA_PORT drop"
}

harm_net_loss() { # a third of the packets
	with_rules $(($1 * 2)) "tcp sport $LAB_CRS_PORT numgen random mod 3 0 drop" \
		"tcp dport $LAB_CRS_PORT numgen random mod 3 0 drop" \
		"udp dport $LAB_MEDIA_PORT numgen random mod 3 0 drop"
}

harm_net_delay() {
	echo $((100 + $2 % 700)) >"$D/delay"
	rest_ms $(($1 * 2))
	echo 0 >"$D/delay"
}

fill() { # DIRECTORY MILLISECONDS
	mountpoint -q "$1" || return 77
	dd if=/dev/zero of="$1/filler" bs=64k status=none 2>/dev/null
	rest_ms "$2"
	rm "$1/filler"
}

harm_disk_userdata() { fill "$D/cig/userdata" "$1"; }
harm_disk_mail() { fill "$D/cig/mail" "$1"; }
harm_disk_crs() { fill "$D/crs/data" "$1"; }

HOUR_MS=3600000

step_clocks() { # MILLISECONDS ANY FILE...: there and back
	local file step=$HOUR_MS
	[ $(($2 % 2)) -eq 0 ] || step=-$HOUR_MS
	for file in "${@:3}"; do clock_write "$file" $step; done
	rest_ms "$1"
	for file in "${@:3}"; do clock_write "$file" 0; done
}

harm_clock_gateway() { step_clocks "$1" "$2" "$D/clock.cig"; }
harm_clock_all() { step_clocks "$1" "$2" "$D/clock.cig" "$D/clock.crs"; }

harm_abandon() { # nobody dies: somebody just goes
	case $(($2 % 3)) in
	0) kill -INT "$CALL" 2>/dev/null ;;
	1) phone 101 hangup ;;
	2) phone 102 hangup ;;
	esac
	return 0
}

# ---- a round ----

play_round() { # NUMBER HARM MOMENT_MS LENGTH_MS ANY
	local harm=$2 status=0 began
	calls_begin
	rest_ms "$3"
	"harm_${harm//-/_}" "$4" "$5" || status=$?
	if [ $status -eq 77 ]; then
		left_out "$harm"
	else
		[ $status -eq 0 ] || broken "round $1 $harm could not be done: status $status"
		began=$(now_ms)
		if await 60 "everything to be back" seen_back; then
			came_back "$1" "$harm" $((SEEN_MS - began))
		else
			broken "round $1 $harm: not back after a minute: $(what_is_not_back)"
		fi
	fi
	calls_end
	await 20 "the caller's end" caller_is_done || {
		broken "round $1 $harm: the caller hangs: $(tail -n 1 "$D/call")"
		kill -KILL $CALL
	}
	await 20 "idle phones" phones_are_idle || broken "round $1 $harm: a phone's call did not end"
	await 40 "the end of calls at the gateway" no_calls_at_gateway ||
		broken "round $1 $harm: calls are left at the gateway: $(lab_cig_cli show call | tail -n +2), ports $(media_ports | tr '\n' ' ')"
	await 40 "the end of calls at the rendezvous" no_calls_at_rendezvous ||
		broken "round $1 $harm: calls are left at the rendezvous: $(lab_crs_cli --json show session | jq -c '[.[].state]') $(lab_crs_cli --json show relays | jq -c .)"
	for began in "${SERVICES[@]}"; do
		running "${PID[$began]}" || {
			broken "round $1 $harm: $began died: $(tail -n 3 "$D/$began.log" | tr '\n' '|')"
			service_keep "$began"
		}
	done
}

seen_back() { # SEEN_MS: when the look began that found everything
	SEEN_MS=$(now_ms)
	all_back
}

what_is_not_back() {
	lab_cig_cli --json status 2>&1 | jq -c .problems 2>/dev/null
	lab_crs_cli --json show services 2>&1 | jq -c '[.[] | select(.status != "active") | .service]' 2>/dev/null
	lab_crs_cli --json show attach 2>&1 | jq -c '[.[].uri]' 2>/dev/null
}
