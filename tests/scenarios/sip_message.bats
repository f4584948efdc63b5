# sip_message.bats - texts by SIP MESSAGE, both ways, through the same maps as calls.

load helpers
load phone
load lab

ALICE=+46701234567

setup_file() {
	LAB_SIP_SETTINGS='trusted "127.0.0.0/8"; messaging true;' lab_setup_file
}

teardown_file() {
	lab_teardown_file
}

setup() {
	lab_load
	OUT=$D/cig/mail/from-secure
}

teardown() {
	phone_stop_all
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || { tail -n 60 "$D"/cig/log/cig.log; cat "$T"/*.json "$T"/listen; } 2>/dev/null
	find "$OUT/new" -type f -delete 2>/dev/null || :
}

sip_text() {
	"$TOP/tests/scenarios/sip_text.py" "$@"
}

phone_listens() { # [OPTION...]: the user agent of all extensions; what it hears is in $T/heard.json
	: >"$T/heard.json"
	start "$T/phone.log" "$TOP/tests/scenarios/sip_text.py" phone "$LAB_PHONE_IP" 5060 "$T/heard.json" "$@"
	PHONE_PID=$STARTED_PID
	await 10 "the phone" in_log "$T/phone.log" '^ready'
}

heard() { # COUNT: so many MESSAGEs
	[ "$(wc -l <"$T/heard.json")" -eq "$1" ]
}

field() { # LINE NAME
	sed -n "$1p" "$T/heard.json" | jq -r ".$2"
}

to_alice() { # OPTION...: stdin as a MESSAGE of extension 101
	sip_text send "$LAB_PHONE_IP" "127.0.0.1:$LAB_SIP_PORT" "sip:${ALICE#+}@127.0.0.1" \
		"sip:101@$LAB_PHONE_IP" "$@"
}

alice_listens() { # COUNT
	start "$T/listen" cca --store "$D/$ALICE" listen --count "$1"
	LISTEN=$STARTED_PID
}

@test "CIG-043: with messaging true a text reaches the SIP user and the mailbox, each once, and the sender hears of it" {
	phone_listens
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "Grüße, 101 €" >"$T/send"
	in_log "$T/send" '^delivered'
	heard 1
	[ "$(field 1 body)" = "Grüße, 101 €" ]
	[ "$(field 1 uri)" = "sip:101@$LAB_PHONE_IP" ]
	[ "$(field 1 from)" = "sip:${ALICE#+}@secure.com" ]
	[[ $(field 1 type) == text/plain*[Uu][Tt][Ff]-8* ]]
	files_in "$OUT/new" 1
}

@test "a MESSAGE reaches the secure user; its 202 says that it is stored" {
	alice_listens 1
	run -0 to_alice <<<'Crème brûlée?'
	[[ $output == "SIP/2.0 202 "* ]]
	await 20 "the message" stopped "$LISTEN"
	in_log "$T/listen" '^message from=tel:\+8888 extension=101 domain=Demonstration .*text="Crème brûlée\?"'
}

@test "CIG-043: a real phone's MESSAGE reaches the secure user, and the secure user's text its screen" {
	needs baresip
	phone_contact 101 "sip:${ALICE#+}@127.0.0.1:$LAB_SIP_PORT"
	phone_start 101 "$LAB_PHONE_IP" "$LAB_PHONE_CTRL" /dev/null 'answermode=manual'
	exec {console}<>"/dev/tcp/127.0.0.1/$((LAB_PHONE_CTRL + 1000))"
	cat <&"$console" >"$T/screen" 3>&- &
	STARTED+=("$!")
	alice_listens 1
	phone 101 message 'Grüße vom Telefon'
	await 20 "the message" stopped "$LISTEN"
	in_log "$T/listen" '^message from=tel:\+8888 extension=101 .*text="Grüße vom Telefon"'
	phone_await 101 '^SIP/2.0 202 ' 5 log
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "Grüße, Telefon €" >"$T/send"
	in_log "$T/send" '^delivered'
	await 5 "the text on its screen" in_log "$T/screen" "sip:${ALICE#+}@secure.com: \"Grüße, Telefon €\""
	exec {console}>&-
}

@test "a MESSAGE for somebody who is not attached waits at the rendezvous; a request sent anew to the next cig-server is not a second text" {
	run -0 to_alice --call-id once --tag once <<<'only once'
	[[ $output == "SIP/2.0 202 "* ]]
	kill -KILL "$LAB_CIG_SERVER"
	restart
	run -0 to_alice --call-id once --tag once <<<'only once'
	[[ $output == "SIP/2.0 202 "* ]]
	run -0 to_alice --call-id once --tag once --cseq 2 <<<'the next one'
	[[ $output == "SIP/2.0 202 "* ]]
	timeout 20 cca --store "$D/$ALICE" listen --count 2 >"$T/listen"
	[ "$(grep -c 'text="only once"' "$T/listen")" -eq 1 ]
	[ "$(grep -c 'text="the next one"' "$T/listen")" -eq 1 ]
}

restart() { # cig-server, which lives as long as the lab
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_restarted
	await 20 "the gateway" lab_cig_status '.problems == []'
}

@test "what cannot be sent gets a response that says why: no map, a foreign type, no text, an unknown user" {
	run -0 sip_text send "$LAB_PHONE_IP" "127.0.0.1:$LAB_SIP_PORT" "sip:reception@127.0.0.1" \
		"sip:101@$LAB_PHONE_IP" <<<'to nobody'
	[[ $output == "SIP/2.0 4"* ]]
	run -0 to_alice --type application/im-iscomposing+xml <<<'<isComposing/>'
	[[ $output == "SIP/2.0 415 "* ]]
	run -0 to_alice --type 'text/plain;charset=UTF-8' < <(printf 'no \377 text')
	[[ $output == "SIP/2.0 400 "* ]]
	run -0 sip_text send "$LAB_PHONE_IP" "127.0.0.1:$LAB_SIP_PORT" "sip:46799999999@127.0.0.1" \
		"sip:101@$LAB_PHONE_IP" <<<'to nobody'
	[[ $output == "SIP/2.0 404 "* ]]
}

@test "a MESSAGE of several parts: the text is taken, the rest becomes attachments" {
	alice_listens 1
	run -0 to_alice --type 'multipart/mixed;boundary=here' <<-'M'
		--here
		Content-Type: text/plain; charset=iso-8859-1
		Content-Transfer-Encoding: quoted-printable

		See the caf=E9
		--here
		Content-Type: image/png
		Content-Disposition: attachment; filename="café.png"
		Content-Transfer-Encoding: base64

		iVBORw0KGgo=
		--here--
	M
	[[ $output == "SIP/2.0 202 "* ]]
	await 20 "the message" stopped "$LISTEN"
	in_log "$T/listen" 'text="See the café"'
	in_log "$T/listen" 'attachments=1'
}

@test "a long text goes in numbered parts of whole characters, and all of it arrives in order" {
	local text i
	text=$(printf 'Grüße an alle %.0s' {1..300})end
	phone_listens
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "$text" >"$T/send"
	in_log "$T/send" '^delivered'
	heard 5
	for i in 1 2 3 4 5; do
		[[ $(field $i body) == "($i/5) "* ]]
		[ "$(field $i body | wc -c)" -le 1032 ]
	done
	[ "$(jq -j '.body | sub("^\\([0-9]+/[0-9]+\\) "; "")' "$T/heard.json")" = "$text" ]
	[ "$(jq -r .call_id "$T/heard.json" | sort -u | wc -l)" -eq 5 ]
}

@test "an attachment is named in the text, not sent" {
	phone_listens
	printf 'not a picture' >"$T/photo.png"
	caller $ALICE send --receipt --attach "$T/photo.png" "$LAB_GATEWAY;101" "look" >"$T/send"
	in_log "$T/send" '^delivered'
	[ "$(field 1 body)" = "look
[attachment photo.png, $(field 1 body | sed -n 's/.*photo.png, \([^,]*\),.*/\1/p'), 13 octets: not sent by SIP]" ]
}

@test "a SIP user who is away delays that destination alone; the text is listed, tried by order, and arrives once" {
	phone_listens --answers 480,200
	caller $ALICE send "$LAB_GATEWAY;101" "see you" >"$T/send"
	await 10 "the first try" heard 1
	await 10 "the file" files_in "$OUT/new" 1
	await 5 "the row" row_of sip
	[ "$(lab_cig_cli --json show message | jq '.messages | length')" -eq 1 ]
	lab_cig_cli show message >"$T/list"
	in_log "$T/list" '^ID +DIRECTION +FROM +TO +WHERE +STATE +TRIES +WHY'
	in_log "$T/list" "out +tel:\\$ALICE +tel:\\$LAB_GATEWAY;101 +sip +waiting +1 +SIP 480"
	lab_cig_cli message retry "$(row_of sip)"
	await 10 "the second try" heard 2
	await 5 "an empty list" list_is_empty
	[ "$(field 2 body)" = "see you" ]
	files_in "$OUT/new" 1
}

row_of() { # WHERE: the id of the message that waits there
	lab_cig_cli --json show message | jq -er ".messages[] | select(.where == \"$1\") | .id"
}

list_is_empty() {
	lab_cig_cli --json show message | jq -e '.messages == []'
}

@test "a text is dropped by order: the sender hears of the destination that does not have it" {
	phone_listens --answers 480
	start "$T/send" cca --store "$D/$ALICE" send --receipt "$LAB_GATEWAY;101" "never mind"
	local sender=$STARTED_PID
	await 10 "the try" heard 1
	await 5 "the row" row_of sip
	run -1 lab_cig_cli message drop bm90IGFuIGlkIGF0IGFsbA==
	run -2 lab_cig_cli message forget x
	lab_cig_cli message drop "$(row_of sip)"
	await 10 "the receipt" stopped "$sender"
	in_log "$T/send" "^delivered"
	await 5 "an empty list" list_is_empty
	in_log "$D/cig/log/cig.log" 'receipt=delivered: .*sip=failed\(given up by the gateway.s administrator\)'
}

@test "a refusal for good is not tried again; the reason is in the receipt where nothing else has the text" {
	phone_listens --answers 404
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "wrong number" >"$T/send"
	heard 1
	in_log "$T/send" '^delivered' # the mailbox has it
	in_log "$D/cig/log/cig.log" 'port=sip state=failed SIP 404'
}

with_account() { # the lab's configuration with an account for the PBX
	sed -e 's/\(sip "sip:{ext}@[0-9.]*"\);/\1 auth desk;/' "$D/cig/cig.conf"
	echo 'auth desk { user "gateway"; password "s3cret"; }'
}

reload() { # with the configuration of stdin
	cat >"$T/new.conf"
	cp "$T/new.conf" "$D/cig/cig.conf"
	local before=$(reloads)
	kill -HUP "$LAB_CIG_SERVER"
	await 10 "the reload" reloaded "$before"
}

reloads() {
	grep -c 'new calls use' "$D/cig/log/cig.log" || :
}

reloaded() { # BEFORE
	[ "$(reloads)" -gt "$1" ]
}

@test "a digest is answered with the account of the map entry, and a wrong one is a refusal" {
	cp "$D/cig/cig.conf" "$T/before.conf"
	with_account | reload
	phone_listens --digest gateway:s3cret
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "with a password" >"$T/send"
	in_log "$T/send" '^delivered'
	[ "$(field 1 body)" = "with a password" ]
	stop "$PHONE_PID"
	phone_listens --digest gateway:other
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "with a wrong one" >"$T/send"
	in_log "$D/cig/log/cig.log" 'port=sip state=failed the PBX refuses the account'
	heard 0
	reload <"$T/before.conf"
}

with_pbx() { # the lab's configuration with pbx blocks; the extensions are at the first one
	sed -e "s/@$LAB_PHONE_IP\"/@two.test\"/" "$T/before.conf"
	cat <<-C
		auth trunk { user "trunk"; password "s3cret"; }
		pbx two {
			host "two.test";
			server "${LAB_PHONE_IP%.*}.41" priority 1;
			server "$LAB_PHONE_IP" priority 2;
			assert_identity true;
			answer_timeout_s 1;
			probe_s 0;
		}
		pbx asks {
			host "asks.test";
			network "${LAB_PHONE_IP%.*}.33";
			challenge trunk;
			asserted_identity true;
			probe_s 0;
		}
	C
}

server_is() { # ADDRESS STATE
	lab_cig_status ".sip.pbxs[].servers[] | select(.address == \"$1:5060\") | .state == \"$2\""
}

@test "a text goes where a call would: to the second server of the PBX where the first is silent, and then there first" {
	local i silent
	cp "$D/cig/cig.conf" "$T/before.conf"
	with_pbx | reload
	: >"$T/silent.json"
	start "$T/silent.log" "$TOP/tests/scenarios/sip_text.py" phone "${LAB_PHONE_IP%.*}.41" 5060 \
		"$T/silent.json" --answers 0
	silent=$STARTED_PID
	await 10 "the silent server" in_log "$T/silent.log" '^ready'
	phone_listens
	for i in 1 2 3; do
		caller $ALICE send --receipt "$LAB_GATEWAY;101" "text $i" >"$T/send"
		in_log "$T/send" '^delivered'
	done
	[ "$(jq -r .body "$T/heard.json" | tr '\n' ,)" = 'text 1,text 2,text 3,' ]
	[ "$(field 1 uri)" = sip:101@two.test ]
	[ "$(field 1 asserted)" = "<sip:${ALICE#+}@secure.com>" ]
	# The same Call-ID at both: a PBX that has taken it after all may know it by that.
	[ "$(head -n 1 "$T/silent.json" | jq -r .call_id)" = "$(field 1 call_id)" ]
	in_log "$D/cig/log/cig.log" "message=.* server=${LAB_PHONE_IP%.*}.41:5060 fails: 408"
	# Two silences in a row are what a call would take for a server that is down, too.
	server_is "${LAB_PHONE_IP%.*}.41" DOWN
	server_is "$LAB_PHONE_IP" UP
	[ "$(wc -l <"$T/silent.json")" -eq 2 ]
	stop "$silent"
	reload <"$T/before.conf"
}

@test "a PBX that must prove itself does so for texts, too; its P-Asserted-Identity is their sender" {
	local net=${LAB_PHONE_IP%.*}
	cp "$D/cig/cig.conf" "$T/before.conf"
	with_pbx | reload
	alice_listens 1
	run -0 sip_text send "$net.33" "127.0.0.1:$LAB_SIP_PORT" "sip:${ALICE#+}@127.0.0.1" \
		"sip:someone@$net.33" --asserted "sip:101@asks.test" --text "no password"
	[[ $output == "SIP/2.0 401 "* ]]
	run -0 sip_text send "$net.33" "127.0.0.1:$LAB_SIP_PORT" "sip:${ALICE#+}@127.0.0.1" \
		"sip:someone@$net.33" --digest trunk:guess --text "a wrong one"
	[[ $output == "SIP/2.0 401 "* ]]
	in_log "$D/cig/log/cig.log" "pbx=asks source=$net.33 from=sip:someone@$net.33: wrong user or password"
	run -0 sip_text send "$net.33" "127.0.0.1:$LAB_SIP_PORT" "sip:${ALICE#+}@127.0.0.1" \
		"sip:someone@$net.33" --asserted "sip:101@asks.test" --digest trunk:s3cret --text "the right one"
	[[ $output == "SIP/2.0 202 "* ]]
	await 20 "the message" stopped "$LISTEN"
	[ "$(grep -c '^message' "$T/listen")" -eq 1 ]
	in_log "$T/listen" 'from=tel:\+8888 extension=101 .*text="the right one"'
	reload <"$T/before.conf"
}

@test "CIG-043: messaging is switched off and on by a reload: texts wait, and MESSAGE gets 405" {
	cp "$D/cig/cig.conf" "$T/before.conf"
	sed 's/messaging true/messaging false/' "$T/before.conf" | reload
	run -0 to_alice <<<'nobody listens'
	[[ $output == "SIP/2.0 405 "* ]]
	phone_listens
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "to the mailbox only" >"$T/send"
	in_log "$T/send" '^delivered'
	heard 0
	reload <"$T/before.conf"
	caller $ALICE send --receipt "$LAB_GATEWAY;101" "to both" >"$T/send"
	heard 1
}

@test "kill -9 of cig-server with texts under way in both directions: each is there once" {
	local i
	phone_listens
	for i in 1 2 3; do caller $ALICE send "$LAB_GATEWAY;101" "out $i"; done
	kill -KILL "$LAB_CIG_SERVER"
	start "$T/in" to_alice --call-id over-the-crash --tag x --text 'in 1'
	local sender=$STARTED_PID
	restart
	await 35 "the answer" stopped "$sender"
	in_log "$T/in" "^SIP/2.0 202 "
	await 20 "three texts" all_out
	# One that was under way at the kill may come again: by the same Call-ID it is known.
	[ "$(jq -r .call_id "$T/heard.json" | sort -u | wc -l)" -eq 3 ]
	timeout 20 cca --store "$D/$ALICE" listen --count 1 >"$T/listen"
	[ "$(grep -c 'text="in 1"' "$T/listen")" -eq 1 ]
}

all_out() {
	[ "$(jq -r .body "$T/heard.json" | sort -u | tr '\n' ,)" = 'out 1,out 2,out 3,' ]
}
