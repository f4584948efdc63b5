# domains.bats - two security domains on one rendezvous: certificates come with updates, and
# users of one call and write to users of the other.  What /metrics says of it.

load helpers
load lab
load peers

ALICE=+46701234567 BOB=+46707654321 CAROL=+4580000001
FRIENDS=friends

setup_file() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	lab_domain && lab_crs_conf && free_port || return 1
	echo "metrics-listen 127.0.0.1:$PORT" >>"$D/crs/crs-local.conf"
	echo "$PORT" >"$D/metrics_port"
	lab_rendezvous && lab_enrol $ALICE && lab_enrol $BOB &&
		peer_domain $FRIENDS "Friends" $CAROL && lab_enrol $CAROL || { show_logs; stop_all; return 1; }
	lab_crs_cli update-notification enable $LAB_ACCOUNT
	LAB_CIG_RELAY= LAB_CIG_SERVER=
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs jq
	lab_load
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_ends "$T" "$D/crs/log"
}

@test "CRS-052 CCA-012: users of two domains call and write to each other once the certificates came with an update" {
	# before: nobody trusts the other domain
	listener $CAROL --count 1
	run -1 caller $ALICE --timeout 10 call --hangup 1 $CAROL
	trust $LAB_ACCOUNT $FRIENDS
	trust $FRIENDS $LAB_ACCOUNT
	publish $LAB_ACCOUNT $FRIENDS
	stop "$STARTED_PID"
	lab_refresh $CAROL $FRIENDS
	lab_refresh $ALICE $LAB_ACCOUNT
	# a text, with its receipt: each is pinned by the other
	listener $CAROL --count 1
	run -0 caller $ALICE send --receipt $CAROL "from another domain"
	[[ $output == *delivered* ]]
	in_log "$T/$CAROL" "^message from=tel:\\$ALICE .*domain=Demonstration .*text=\"from another domain\""
	await 5 "the end of the listener" stopped "$STARTED_PID"
	# a call, back
	start "$T/answer" cca --store "$D/$ALICE" answer --count 1
	await 15 "the answerer" in_log "$T/answer" '^attached'
	run -0 caller $CAROL call --hangup 1 $ALICE
	in_log "$T/answer" "^incoming from=tel:\\$CAROL .*domain=Friends"
}

@test "CRS-069: lookup client tells where a user is, in which domain, and both tokens" {
	local id
	id=$(domain_id_of $FRIENDS)
	run -0 lab_crs_cli lookup client $LAB_ACCOUNT "tel:$CAROL"
	[[ ${lines[0]} == SOURCE*URI*DOMAIN* ]]
	grep -qE "^- +tel:\\$CAROL +$FRIENDS *$" <<<"${lines[1]}"
	listener $CAROL
	run -0 lab_crs_cli --json lookup client $LAB_ACCOUNT "tel:$CAROL" -v
	[ "$(jq -r '.[0] | .source, .domain, ."domain-token"' <<<"$output" | xargs)" = "crs1 $FRIENDS $id" ]
	run -0 lab_crs_cli lookup client $LAB_ACCOUNT "tel:$CAROL" -v
	[[ ${lines[0]} == SOURCE*URI*DOMAIN*CLIENT-TOKEN*DOMAIN-TOKEN ]]
	run -1 lab_crs_cli lookup client $LAB_ACCOUNT tel:+499999
	[[ $output == *"nobody has this URI"* ]]
	run -1 lab_crs_cli lookup client nobody "tel:$CAROL"
	run -2 lab_crs_cli lookup client $LAB_ACCOUNT
	run -2 lab_crs_cli lookup client $LAB_ACCOUNT "tel:$CAROL" -x
}

metrics() { # into $T/metrics
	curl -sf "http://127.0.0.1:$(<"$D/metrics_port")/metrics" >"$T/metrics"
}

sum_of() { # NAME: over all workers
	metrics && awk -v name="$1" 'index($0, name "{") == 1 { n += $2 } END { print n + 0 }' "$T/metrics"
}

sum_is() { # NAME VALUE
	[ "$(sum_of "$1")" -eq "$2" ]
}

@test "figures for Prometheus: counts of every worker, well-formed, of nobody by name" {
	local posted frames
	needs curl
	metrics
	! grep -qE 'tel:|urn:|[0-9]{8}' "$T/metrics" || false
	# each name has its help and its type, once, and only samples that can be read
	[ -z "$(awk '/^# TYPE/ { print $3 }' "$T/metrics" | sort | uniq -d)" ]
	[ "$(grep -c '^# TYPE' "$T/metrics")" -eq "$(grep -c '^# HELP' "$T/metrics")" ]
	! grep -vE '^#|^[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+$' "$T/metrics" || false
	! awk '/^# TYPE/ { t[$3] } !/^#/ { sub(/[{ ].*/, ""); if (!($0 in t)) print }' "$T/metrics" | grep . || false
	grep -qE '^crs_info\{version="[^"]+"\} 1$' "$T/metrics"
	grep -q '^crs_relay_up 1$' "$T/metrics"
	grep -q '^crs_process_up{process="redis_low"} 1$' "$T/metrics"
	# they move with what happens
	posted=$(sum_of crs_messages_posted_total) frames=$(sum_of crs_frames_total)
	sum_is crs_clients_registered 0
	listener $BOB
	await 5 "the client in the figures" sum_is crs_clients_registered 1
	caller $ALICE send --receipt $BOB "counted"
	await 5 "text and receipt in the figures" sum_is crs_messages_posted_total $((posted + 2))
	[ "$(sum_of crs_frames_total)" -gt "$frames" ]
	# and nothing else is to be had there
	run -22 curl -sf "http://127.0.0.1:$(<"$D/metrics_port")/accounts"
	run -22 curl -sf -X POST "http://127.0.0.1:$(<"$D/metrics_port")/metrics"
}
