# smpp.bats - text messages between secure callers and SMPP message centers: two processes
# of the npm package "smpp", one plain by its address, one with TLS by its name.

load helpers
load lab
load smsc

ALICE=+46701234567

# The lab's configuration with two message centers.  Its write mailbox takes other
# extensions, so that what a center does is all that the sender hears of.
eval "$(declare -f lab_cig_conf | sed '1s/lab_cig_conf/mail_cig_conf/')"
lab_cig_conf() {
	mail_cig_conf | sed 's/"tel:+8888;{ext}" translation "sip:{ext}@pbx.com"/"tel:+8888;mail{ext}" translation "sip:{ext}@pbx.com"/'
	cat <<-C
		translate_map users2sms { rule match "tel:+{number}" translation "+{number}"; }
		translate_map extensions2sms { rule match "tel:+8888;{extension}" translation "+{extension}"; }
		translate_map swedes2sms { rule match "tel:+8888;46{extension}" translation "46{extension}"; }
		translate_map sms2extensions { rule match "+{number}" translation "tel:+8888;{number}"; }
		translate_map sms2users {
			rule match "+{number}" translation "tel:+{number}";
			rule match "bad" translation "mailto:bad";
		}
		translate_map foreign2extensions { rule match "foreign" translation "tel:+9999"; rule match "+{number}" translation "tel:+8888;{number}"; }
		message_centers {
			smpp {
				hostname "${SMSC_ONE_HOST:-127.0.0.1}";
				port ${SMSC_PORT[one]};
				user "tandem";
				password "s3cret";
				response_timeout_s 2;
				throttle_ms 200;
				on_status ESME_RSUBMITFAIL fail;
				${SMSC_ONE:-}
				read {
					map_from translate_map foreign2extensions;
					map_to translate_map sms2users;
				}
				write {
					map_from translate_map users2sms;
					map_to translate_map extensions2sms;
				}
			}
			smpp {
				hostname "localhost";
				port ${SMSC_PORT[two]};
				user "tandem";
				password "${SMSC_TWO_PASSWORD:-s3cret}";
				tls { ca "$D/${SMSC_TWO_CA:-smsc.pem}"; }
				long_texts sar;
				mode pair;
				attachments refuse;
				read {
					map_from translate_map sms2extensions;
					map_to translate_map sms2users;
				}
				write {
					map_from translate_map users2sms;
					map_to translate_map swedes2sms;
				}
			}
		}
	C
}

certificate() { # NAME: a key and a certificate of localhost
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout "$D/$1.key" -out "$D/$1.pem" 2>/dev/null
}

lab() { # in setup_file(): the centers are there before the gateway
	certificate smsc && certificate other && smsc_start one && smsc_start two "$D/smsc.key" "$D/smsc.pem" &&
		lab_domain && lab_rendezvous && lab_gateway && lab_enrol "${LAB_USERS[0]}"
}

setup_file() {
	export SMSC_WHY=
	command -v jq >/dev/null && command -v openssl >/dev/null || SMSC_WHY="jq and openssl are not installed"
	[ -n "$SMSC_WHY" ] || smsc_install || :
	[ -z "$SMSC_WHY" ] || [ -d "$BUILD/peers/node_modules/smpp" ] || { echo "$SMSC_WHY" >"$BATS_FILE_TMPDIR/skip"; return; }
	free_port && SMSC_PORT[one]=$PORT
	free_port && SMSC_PORT[two]=$PORT
	[ "${SMSC_PORT[one]}" != "${SMSC_PORT[two]}" ] || SMSC_PORT[two]=$((SMSC_PORT[one] + 1))
	declare -p SMSC_PORT | sed 's/^declare -A/declare -gA/' >"$BATS_FILE_TMPDIR/smsc"
	lab_setup_file
}

teardown_file() {
	[ -e "$BATS_FILE_TMPDIR/skip" ] || lab_teardown_file
}

setup() {
	[ ! -e "$BATS_FILE_TMPDIR/skip" ] || skip "$(cat "$BATS_FILE_TMPDIR/skip")"
	lab_load
	source "$BATS_FILE_TMPDIR/smsc"
	declare -gA SMSC_MARK=()
	smsc_mark
	LOGGED=$(wc -l <"$D/cig/log/cig.log")
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || { tail -n 40 "$D"/cig/log/cig.log "$D"/*.log; find "$T" -type f -exec tail -n 20 {} +; }
	[ -e "$BATS_FILE_TMPDIR/skip" ] || [ -n "${BATS_TEST_SKIPPED:-}" ] || calm
}

calm() { # both centers as they were
	local quiet='{"behave":{"throttle":0,"refuse":0,"silent":false,"drop":0,"reorder":0,"stat":"DELIVRD","wrong_sequence":false}}'
	smsc one "$quiet" && smsc two "$quiet" && await 20 "the centers" centers_bound
}

centers_bound() {
	lab_cig_status '[.centers[].state] == ["BOUND", "BOUND"]'
}

logged() { # REGEX: is it in cig.log since the test began?
	tail -n "+$((LOGGED + 1))" "$D/cig/log/cig.log" | grep -aqE -- "$1"
}

send() { # EXTENSION TEXT: and waits for what the sender hears
	timeout 20 cca --store "$D/$ALICE" send --receipt "$LAB_GATEWAY;$1" "$2"
}

listen() { # COUNT: a caller that prints what comes, in $T/heard
	start "$T/heard" cca --store "$D/$ALICE" listen --count "$1"
	LISTENER=$STARTED_PID
}

deliver() { # CENTER SOURCE TEXT [FIELDS]: a text for Alice
	local more=${4:-}
	smsc "$1" "$(jq -cn --arg from "$2" --arg text "$3" --argjson more "${more:-null}" \
		'{deliver: ({source_addr_ton: 1, source_addr_npi: 1, source_addr: $from, dest_addr_ton: 1,
		dest_addr_npi: 1, destination_addr: "46701234567", short_message: $text} + ($more // {}))}')"
}

reload() { # with the variables that lab_cig_conf reads
	lab_cig_conf >"$D/cig/cig.conf"
	lab_cig_cli reload >"$T/reload"
}

@test "CIG-086 CIG-087 CIG-093: two centers are bound, one by its address, one by its name and with TLS" {
	smsc_mark
	SMSC_MARK=()
	smsc_has one '.event == "bind" and .kind == "bind_transceiver" and .system_id == "tandem" and .ok'
	smsc_has two '.event == "bind" and .kind == "bind_transmitter" and .ok'
	smsc_has two '.event == "bind" and .kind == "bind_receiver" and .ok'
	lab_cig_cli status | grep -qE "^Message center +smpp://tandem@127.0.0.1:${SMSC_PORT[one]}$"
	lab_cig_cli show center | grep -qE "^smpp://tandem@localhost:${SMSC_PORT[two]} +BOUND "
	! grep -aq s3cret "$D/cig/log/cig.log" || false
}

@test "CIG-089 CIG-092: a text becomes a submit_sm with the translated addresses, and its sender hears that it was delivered" {
	send 49761234567 "Hello, center" >"$T/send"
	in_log "$T/send" '^delivered'
	smsc_has one '.event == "submit_sm" and .to == "49761234567" and .ton == 1 and .npi == 1 and .from == "46701234567" and
		.from_ton == 1 and .text == "Hello, center" and .dcs == 0 and .registered == 1 and .validity'
	smsc_has one '.event == "receipt_resp" and .status == 0'
	[ "$(smsc_events two 'select(.event == "submit_sm")' | wc -l)" -eq 0 ]
}

@test "CIG-090: a text goes to every center whose write maps match" {
	send 46761234567 "For both" >"$T/send"
	in_log "$T/send" '^delivered'
	smsc_has one '.event == "accepted" and .text == "For both"'
	smsc_has two '.event == "submit_sm" and .text == "For both" and .to == "46761234567" and .ton == 0'
}

@test "CIG-088: a deliver_sm of either center reaches the secure caller, and is answered well" {
	listen 2
	deliver one 49761234567 "From one"
	deliver two 49761234568 "Grüße from two"
	await 20 "both texts" stopped "$LISTENER"
	in_log "$T/heard" 'from=tel:\+8888 extension=49761234567 .*text="From one"'
	in_log "$T/heard" 'from=tel:\+8888 extension=49761234568 .*text="Grüße from two"'
	await 5 "the answers" smsc_has one '.event == "deliver_resp" and .status == 0'
	await 5 "the answers" smsc_has two '.event == "deliver_resp" and .status == 0'
}

@test "CIG-091: what the read maps do not bring to our own number and a tel URI is refused with the SMPP error that fits" {
	deliver one x "foreign" '{"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "foreign"}'
	await 5 "ESME_RINVSRCADR" smsc_has one '.event == "deliver_resp" and .status == 10'
	deliver one x "unknown" '{"source_addr_ton": 5, "source_addr": "nobody"}'
	await 5 "ESME_RINVSRCADR" smsc_has one '.event == "deliver_resp" and .status == 10' 2
	deliver one 4976 "no tel" '{"dest_addr_ton": 5, "destination_addr": "bad"}'
	await 5 "ESME_RINVDSTADR" smsc_has one '.event == "deliver_resp" and .status == 11'
	deliver one 4976 x '{"data_coding": 4, "short_message": {"octets": "00ff"}}'
	await 5 "ESME_RX_P_APPN" smsc_has one '.event == "deliver_resp" and .status == 101'
	logged "from=foreign to=\+46701234567 is refused with ESME_RINVSRCADR: From becomes a tel URI that is not this gateway's"
}

@test "a receipt of failure, and a refusal for good, come back to the sender with the reason" {
	smsc one '{"behave":{"stat":"UNDELIV"}}'
	run -1 send 4976 "never read"
	[[ $output == *"failed"*"undeliverable"* ]]
	smsc one '{"behave":{"stat":"DELIVRD","refuse":11}}'
	run -1 send 4976 "nowhere"
	[[ $output == *"failed"*"ESME_RINVDSTADR"* ]]
	[ "$(smsc_events one 'select(.event == "submit_sm" and .text == "nowhere")' | wc -l)" -eq 1 ]
	# ESME_RSUBMITFAIL is tried again, but for a center of which the file says otherwise
	smsc one '{"behave":{"refuse":69}}'
	run -1 send 4976 "in vain"
	[[ $output == *"failed"*"ESME_RSUBMITFAIL"* ]]
}

@test "the narrowest alphabet is used, and long texts go in parts, by UDH or SAR" {
	local text
	send 4976 'Ä € {x}' >/dev/null
	smsc_has one '.event == "submit_sm" and .dcs == 0'
	send 4976 'façade' >/dev/null
	smsc_has one '.event == "submit_sm" and .dcs == 3 and .text == "façade"'
	send 4976 'Привет 😀' >/dev/null
	smsc_has one '.event == "submit_sm" and .dcs == 8 and .text == "Привет 😀"'
	text=$(printf '😀 %.0s' {1..100})
	smsc_mark
	send 46761 "$text" >"$T/send"
	in_log "$T/send" '^delivered'
	smsc_has one '.event == "accepted" and (.udh | test("^0003..0505$"))'
	smsc_has two '.event == "submit_sm" and .sar == 5'
	[ "$(smsc_events one 'select(.event == "accepted") | .text' | jq -rj .)" = "$text" ]
}

@test "parts that come in any order make one text, each answered when it is kept" {
	listen 1
	deliver one 49761 x '{"esm_class": 64, "short_message": {"udh": "050003070302", "message": "middle, "}}'
	await 5 "the first answer" smsc_has one '.event == "deliver_resp" and .status == 0'
	deliver one 49761 x '{"esm_class": 64, "short_message": {"udh": "050003070303", "message": "end"}}'
	await 5 "the second answer" smsc_has one '.event == "deliver_resp" and .status == 0' 2
	# a crash between two parts loses neither
	stop "$LAB_CIG_SERVER" KILL
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
	await 20 "the gateway" lab_cig_status '.problems == []'
	deliver one 49761 x '{"esm_class": 64, "short_message": {"udh": "050003070301", "message": "begin, "}}'
	await 20 "the text" stopped "$LISTENER"
	in_log "$T/heard" 'text="begin, middle, end"'
}

@test "throttling pauses the queue, and keeps its order" {
	local i
	smsc one '{"behave":{"throttle":4}}'
	for i in 1 2 3 4 5 6; do timeout 20 cca --store "$D/$ALICE" send "$LAB_GATEWAY;4976" "turn $i" >/dev/null; done
	await 20 "all of them" smsc_has one '.event == "accepted"' 6
	logged 'is busy \(ESME_RTHROTTLED\): submits pause for 200 ms'
	[ "$(smsc_events one 'select(.event == "accepted") | .text' | sort | uniq | wc -l)" -eq 6 ]
}

@test "a connection that is cut in mid-window loses nothing and repeats only what was not answered" {
	local i
	smsc one '{"behave":{"drop":3}}'
	for i in 1 2 3 4 5 6; do timeout 20 cca --store "$D/$ALICE" send "$LAB_GATEWAY;4976" "cut $i" >/dev/null; done
	await 20 "all of them" smsc_has one '.event == "accepted"' 6
	for i in 1 2 3 4 5 6; do
		[ "$(smsc_events one "select(.event == \"accepted\" and .text == \"cut $i\")" | wc -l)" -eq 1 ]
	done
	smsc_has one '.event == "close"'
}

@test "answers out of order are matched; a center that never answers, or with wrong numbers, is left and tried again" {
	local i
	smsc one '{"behave":{"reorder":3}}'
	for i in 1 2 3; do
		start "$T/send$i" cca --store "$D/$ALICE" send --receipt "$LAB_GATEWAY;4976" "order $i"
	done
	await 20 "three texts" smsc_has one '.event == "receipt_resp"' 3
	smsc one '{"behave":{"reorder":0,"silent":true}}'
	timeout 20 cca --store "$D/$ALICE" send "$LAB_GATEWAY;4976" "unheard" >/dev/null
	await 10 "the end of the connection" logged 'is down: no response to submit_sm'
	smsc one '{"behave":{"silent":false,"wrong_sequence":true}}'
	await 20 "a wrong number" logged 'response 0x80000004 to nothing that was asked'
	smsc one '{"behave":{"wrong_sequence":false}}'
	await 20 "the text" smsc_has one '.event == "receipt_resp"' 4
}

@test "octets that are no PDU, 200 parameters and 64 kB of payload end no more than a connection" {
	local tlvs payload pid=$LAB_CIG_SERVER head
	listen 2
	head=0001013439373600010134363730313233343536370000000000000000
	# deliver_sm with 200 parameters of a vendor's
	tlvs=$(for ((i = 0; i < 200; i++)); do printf '14%02x000200%02x' "$i" "$i"; done)
	raw_deliver "${head}00000474776c76$tlvs" 1
	# 60,000 octets of text in message_payload
	payload=$(printf '61%.0s' {1..60000})
	raw_deliver "${head}0000000424ea60$payload" 2
	await 20 "both texts" stopped "$LISTENER"
	in_log "$T/heard" 'text=twlv '
	in_log "$T/heard" 'text=aaaaaaaaaa'
	smsc one '{"raw":"0000000000000005"}'
	await 10 "the end of the connection" logged 'is down: a command_length below 16'
	await 10 "the center" centers_bound
	smsc one '{"raw":"ffffffff00000005"}'
	await 10 "the end of the connection" logged 'is down: a PDU longer than is taken'
	await 10 "the center" centers_bound
	running "$pid"
}

raw_deliver() { # BODY_HEX SEQUENCE
	smsc one "{\"raw\":\"$(printf '%08x' $((16 + ${#1} / 2)))0000000500000000$(printf '%08x' "$2")$1\"}"
}

@test "attachments become a line with their name, or the text is refused, as the center's policy says" {
	printf 'content' >"$T/plan.pdf"
	timeout 20 cca --store "$D/$ALICE" send --receipt --attach "$T/plan.pdf" "$LAB_GATEWAY;4976" "See this" >/dev/null
	smsc_has one '.event == "accepted" and .text == "See this\n[attachment: plan.pdf]"'
	timeout 20 cca --store "$D/$ALICE" send --receipt --attach "$T/plan.pdf" "$LAB_GATEWAY;4676" "See this" >/dev/null
	[ "$(smsc_events two 'select(.event == "submit_sm")' | wc -l)" -eq 0 ]
	logged "port=smpp://tandem@localhost:${SMSC_PORT[two]} state=failed the message center takes no attachments"
}

@test "a wrong password and a certificate of somebody else are told, and a reload mends them" {
	SMSC_TWO_PASSWORD=wrong reload
	await 20 "the refusal" lab_cig_status '[.problems[] | select(test("the bind was refused: ESME_RINVPASWD"))] | length == 1'
	# the other center kept its connection
	[ "$(smsc_events one 'select(.event == "bind" or .event == "close")' | wc -l)" -eq 0 ]
	SMSC_TWO_CA=other.pem reload
	await 20 "the refusal" lab_cig_status '[.problems[] | select(test("TLS: certificate: "))] | length == 1'
	[ "$(smsc_events two 'select(.event == "bind" and .ok)' | wc -l)" -eq 0 ]
	reload
	await 20 "the centers" centers_bound
}

@test "texts for a center that is down wait, are listed with the reason, and go out in order when it is back" {
	local i pid
	pid=$(pgrep -f "smsc.js ${SMSC_PORT[one]} ")
	kill -KILL "$pid"
	await 10 "the loss" logged "center=smpp://tandem@127.0.0.1:${SMSC_PORT[one]} .*is down"
	for i in 1 2 3; do timeout 20 cca --store "$D/$ALICE" send "$LAB_GATEWAY;4976" "later $i" >/dev/null; done
	lab_cig_status '.texts.queued >= 3'
	smsc_start one
	lab_restarted
	SMSC_MARK[one]=0
	await 70 "all of them" smsc_has one '.event == "accepted"' 3
	[ "$(smsc_events one 'select(.event == "accepted") | .text' | tr '\n' ' ')" = '"later 1" "later 2" "later 3" ' ]
}

@test "kill -9 of cig-server under texts in both directions loses none and repeats none that was answered" {
	local i kills=${TEXT_KILLS:-3}
	for ((i = 1; i <= 2 * kills; i++)); do
		timeout 20 cca --store "$D/$ALICE" send "$LAB_GATEWAY;4976" "storm $i" >/dev/null
		deliver one 4976 "in $i"
		[ $((i % 2)) -eq 0 ] || continue
		stop "$LAB_CIG_SERVER" KILL
		start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
		LAB_CIG_SERVER=$STARTED_PID
		lab_restarted
		await 20 "the gateway" lab_cig_status '.problems == []'
	done
	for ((i = 1; i <= 2 * kills; i++)); do
		await 20 "text $i" smsc_has one ".event == \"accepted\" and .text == \"storm $i\""
	done
	smsc_events one 'select(.event == "deliver_resp" and .status == 0)' | wc -l >"$T/answered"
	timeout 30 cca --store "$D/$ALICE" listen --count "$(cat "$T/answered")" >"$T/heard"
	[ "$(grep -o 'text="in [0-9]*"' "$T/heard" | sort | uniq -d | wc -l)" -eq 0 ]
}

restart_gateway() { # [COMMAND...]: after kill -9, under a command, with the configuration of now
	stop "$LAB_CIG_SERVER" KILL
	start "$D/cig-server.log" "$@" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
	await 20 "the gateway" lab_cig_status '.problems == []'
}

@test "where unanswered texts must not be repeated, a lost connection and a crash fail them instead" {
	SMSC_ONE='unanswered fail;' reload
	await 20 "the centers" centers_bound
	smsc one '{"behave":{"drop":1}}'
	run -1 send 4976 "cut once"
	[[ $output == *"failed"*"did not answer"* ]]
	smsc one '{"behave":{"silent":true}}'
	await 20 "the centers" centers_bound
	start "$T/send" timeout 60 cca --store "$D/$ALICE" send --receipt "$LAB_GATEWAY;4976" "crashed once"
	local sender=$STARTED_PID
	await 10 "the submit" smsc_has one '.event == "submit_sm" and .text == "crashed once"'
	restart_gateway
	smsc one '{"behave":{"silent":false}}'
	await 20 "what the sender hears" stopped "$sender"
	in_log "$T/send" 'failed.*not sent twice'
	for text in "cut once" "crashed once"; do
		[ "$(smsc_events one "select(.event == \"submit_sm\" and .text == \"$text\")" | wc -l)" -eq 1 ]
	done
	# and the next one passes
	send 4976 "afterwards" >/dev/null
	reload
	await 20 "the centers" centers_bound
}

@test "CIG-093: a name that has moved is found at its new address with the next connection" {
	unshare -rm true 2>/dev/null || skip "no namespace of its own for /etc/hosts"
	echo '127.0.0.1 localhost smsc.test' >"$T/hosts"
	SMSC_ONE_HOST=smsc.test lab_cig_conf >"$D/cig/cig.conf"
	SMSC_PORT[three]=${SMSC_PORT[one]}
	SMSC_ADDRESS=127.0.0.3 smsc_start three
	restart_gateway unshare -rm sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$T/hosts"
	smsc_has one '.event == "bind" and .ok'
	printf '127.0.0.1 localhost\n127.0.0.3 smsc.test\n' >"$T/hosts"
	smsc one '{"close":true}'
	await 20 "a bind at the new address" smsc_has three '.event == "bind" and .ok'
	lab_cig_conf >"$D/cig/cig.conf"
	restart_gateway
}
