# verdict.bash - what was promised, and whether it was kept.

BACK_LIMIT_MS=${FAULTS_BACK_MS:-5000} # everything is back in so long, once the cause is gone
BROKEN=0
declare -A OMITTED=() BACK_MS=() DONE=()

broken() { # TEXT
	BROKEN=$((BROKEN + 1))
	echo "faults: BROKEN: $1"
}

left_out() { # HARM
	[ -n "${OMITTED[$1]:-}" ] || echo "faults: $1 cannot be done here: left out"
	OMITTED[$1]=yes
}

came_back() { # ROUND HARM MILLISECONDS
	DONE[$2]=$((${DONE[$2]:-0} + 1))
	[ "$3" -le "${BACK_MS[$2]:-0}" ] || BACK_MS[$2]=$3
	[ "$3" -le "$BACK_LIMIT_MS" ] || broken "round $1 $2: everything was back after $3 ms only"
}

first_calls() { # both come up and end
	calls_begin
	await 15 "the first calls" calls_are_up
	local up=$?
	calls_end
	await 20 "the caller's end" caller_is_done || kill -KILL $CALL
	await 20 "idle phones" phones_are_idle && await 20 "the end of calls" no_calls_at_gateway &&
		await 20 "the end of calls" no_calls_at_rendezvous && [ $up -eq 0 ]
}

warm_up() { # calls and texts that nobody disturbs: what is made once is made
	local try
	await 60 "the users" all_back || broken "not everything is there: $(what_is_not_back)"
	for try in 1 2 3 4 5; do # a host that has much else to do may be too slow at first
		first_calls && break
	done
	[ "$try" -lt 5 ] || first_calls || broken "the first calls did not come up"
	await 20 "the first texts" first_texts || broken "the first texts did not arrive"
}

first_texts() {
	in_log "$D/heard" '^message' && [ -n "$(ls "$D/cig/mail/from-secure/new")" ]
}

# ---- texts ----

texts_have_settled() {
	[ -z "$(ls "$D/cig/mail/to-secure/new")" ] && lab_cig_status '.texts.queued == 0' &&
		[ -z "$(missing_out)" ] && [ -z "$(missing_in)" ]
}

shown_out() {
	find "$D/cig/mail/from-secure/new" -type f -exec grep -haoE '^out [0-9]+\.[0-9]+\.$' {} + | sort
}

acknowledged_out() {
	(cd "$D/out" && grep -laE '^posted' -- * 2>/dev/null) | sed 's/.*/out &./' | sort
}

missing_out() {
	comm -13 <(shown_out | uniq) <(acknowledged_out)
}

shown_in() {
	grep -aoE 'text="in [0-9]+\."' "$D/heard" | cut -d '"' -f 2 | sort
}

missing_in() {
	comm -13 <(shown_in | uniq) <(sort "$D/dropped")
}

stopped_sending() { # the attempt that was under way when the making of texts ended
	[ ! -e "$D/pid.sender" ]
}

judge_texts() {
	local list
	await 60 "the last sender" stopped_sending || broken "a sender hangs: $(tail -n 1 "$D/sender.err")"
	loop fetch_receipts
	await 60 "the texts that are under way" texts_have_settled || :
	list=$(missing_out) && [ -z "$list" ] || broken "acknowledged texts that were lost: ${list//$'\n'/ }"
	list=$(missing_in) && [ -z "$list" ] || broken "texts from the mailbox that were lost: ${list//$'\n'/ }"
	list=$(shown_out | uniq -d) && [ -z "$list" ] || broken "texts written twice: ${list//$'\n'/ }"
	list=$(shown_in | uniq -d) && [ -z "$list" ] || broken "texts shown twice: ${list//$'\n'/ }"
	list=$(ls "$D/cig/mail/to-secure/new" "$D/cig/mail/to-secure/.failed" 2>/dev/null | grep -v :)
	[ -z "$list" ] || broken "files left in the read mailbox: ${list//$'\n'/ }"
	list=$(find "$D/cig/mail/from-secure/tmp" -type f | wc -l)
	[ "$list" -eq 0 ] || broken "$list files left in tmp of the write mailbox"
	lab_cig_status '.texts.queued == 0' >/dev/null ||
		broken "texts are left in the gateway's journal: $(lab_cig_cli --json status | jq -c .texts)"
	SHOWN="$(shown_out | wc -l) texts out, $(shown_in | wc -l) in"
}

# ---- what is left behind ----

resources() { # lines "NAME DESCRIPTORS KIBIBYTES"
	local pid
	{
		printf '%s\n' "${PID[@]}"
		for pid in "${PID[cig-server]}" "${PID[crs]}"; do pgrep -P "$pid"; done
	} | while read -r pid; do
		echo "$(resource_name "$pid") $(ls "/proc/$pid/fd" | wc -l) $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")"
	done | sort
}

resource_name() { # PID
	local words
	words=$(tr '\0' ' ' <"/proc/$1/cmdline")
	case $words in
	*redis_low*) echo redis-low ;;
	*redis_high*) echo redis-high ;;
	*--worker*) echo crs-worker ;;
	*) basename "${words%% *}" ;;
	esac
}

resources_note() { # WHEN
	resources >"$D/resources.$1"
}

rows() { # in both Redis servers, of messages, parts and calls
	local key
	for key in $(redis-cli -s "$D/crs/run/redis_low.sock" --scan --pattern '[mp]:*'); do
		case $key in
		m:*) [ "$(redis-cli -s "$D/crs/run/redis_low.sock" xlen "$key")" -eq 0 ] || echo "$key" ;;
		*) echo "$key" ;;
		esac
	done
	redis-cli -s "$D/crs/run/redis_high.sock" --scan --pattern 'relay:*'
}

no_more_descriptors() { # than before, per kind of process
	resources_note after
	awk 'NR == FNR { if ($2 > had[$1]) had[$1] = $2; next } $2 > had[$1] { print; more = 1 } END { exit more }' \
		"$D/resources.before" "$D/resources.after" >"$D/more"
}

no_rows() {
	[ -z "$(rows)" ]
}

judge_rest() {
	local list
	await 20 "empty stores" no_rows || broken "rows left in Redis: $(rows | tr '\n' ' ')"
	touch "$D/silent" # the users go, too: what they held is given back
	for list in sender listener answerer; do kill -INT "$(cat "$D/pid.$list" 2>/dev/null)" 2>/dev/null; done
	await 20 "descriptors as before" no_more_descriptors ||
		broken "more descriptors than before: $(tr '\n' ';' <"$D/more")"
	list=$(awk 'NR == FNR { if ($3 > had[$1]) had[$1] = $3; next } $3 > had[$1] + 65536 { print $1, had[$1], $3 }' \
		"$D/resources.before" "$D/resources.after")
	[ -z "$list" ] || broken "more memory than before, in KiB: $list"
	list=$(grep -lE 'ERROR: (Address|Leak|Undefined)|runtime error:|WARNING: ThreadSanitizer' "$D"/*.log "$D"/*.err "$D"/call 2>/dev/null)
	[ -z "$list" ] || broken "sanitizers complain in $list: $(grep -hE 'ERROR: |runtime error:|SUMMARY' $list | head -n 5)"
}

verdict() {
	local harm
	for harm in "${HARMS[@]}"; do
		[ -z "${DONE[$harm]:-}" ] || echo "faults: $harm: ${DONE[$harm]} times, back within ${BACK_MS[$harm]:-0} ms"
	done
	echo "faults: $SHOWN; seed $SEED"
	if [ "$BROKEN" -eq 0 ]; then
		echo "faults: every promise was kept"
		exit 0
	fi
	echo "faults: $BROKEN promises were broken"
	exit 1
}
