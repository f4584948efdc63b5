# foreign.bats - a gateway between a PBX and the users of other security domains: whom it trusts,
# what it says of those whom it does not, and a user who moves to another domain.

load helpers
load phone
load lab
load talk
load peers

CAROL=+4580000001
FRIENDS=friends MOVERS=movers

setup_file() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick LAB_SIP_SETTINGS='trusted "127.0.0.0/8"; messaging true;'
	mkfifo "$TICK"
	lab_domain && lab_rendezvous && lab_gateway && peer_domain $FRIENDS "Friends" $CAROL &&
		lab_enrol $CAROL || { show_logs; stop_all; return 1; }
	lab_crs_cli update-notification enable $LAB_ACCOUNT
	speech "$D/alice.wav" "This is the caller of the other domain. The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back tomorrow." 60
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	talk_setup
	OUT=$D/cig/mail/from-secure IN=$D/cig/mail/to-secure
}

teardown() {
	talk_teardown
	[ -n "${BATS_TEST_COMPLETED:-}" ] || cat "$T"/carol* "$T"/101* 2>/dev/null
	find "$OUT/new" "$IN/new" "$IN/.failed" -type f -delete 2>/dev/null || :
}

carol_answers() { # CCA_ARGUMENTS...
	start "$T/carol" cca --store "$D/$CAROL" answer --count 1 "$@"
	ANSWER=$STARTED_PID
	await 15 "Carol at the rendezvous" in_log "$T/carol" '^attached'
}

to_carol() { # TEXT: as a MESSAGE of extension 101; prints the response
	"$TOP/tests/scenarios/sip_text.py" send "$LAB_PHONE_IP" "127.0.0.1:$LAB_SIP_PORT" \
		"sip:${CAROL#+}@127.0.0.1" "sip:101@$LAB_PHONE_IP" --text "$1"
}

drop_for_carol() { # NAME TEXT: a file in the read mailbox
	printf 'From: <sip:101@pbx.com>\nTo: <sip:%s@secure.com>\n\n%s\n' "${CAROL#+}" "$2" >"$IN/tmp/$1"
	mv "$IN/tmp/$1" "$IN/new/$1"
}

call_carol() { # by extension 101
	phone_101 'answermode=auto'
	phone 101 dial "sip:${CAROL#+}@127.0.0.1:$LAB_SIP_PORT"
}

# The gateway takes the newest update of its domain over.
gateway_updates() { # ACCOUNT...: which are published
	local before
	before=$(logged_times 'update .* is applied' || :)
	publish "$@"
	await 15 "the gateway's update of two months" gateway_updated "$((before + 2))"
}

gateway_updated() { # TIMES
	[ "$(logged_times 'update .* is applied')" -ge "$1" ]
}

refused_call() { # LOG_REGEX: extension 101 cannot call Carol, and the log says why
	carol_answers
	call_carol
	phone_await 101 'SIP/2.0 403' 15 log
	await 5 "the reason" logged "rejected code=403 from=sip:101@.* to=sip:${CAROL#+}@.*: the receiver .*domain"
	logged "$1"
	! in_log "$T/carol" '^incoming' || false
	stop "$ANSWER"
	phone_stop 101
	all_clear
}

@test "a domain whose certificate no update brought is not trusted, neither way, and the log says what to do" {
	local id
	id=$(domain_id_of $FRIENDS)
	refused_call "tel:\\$CAROL is of domain $id, which is not trusted: .*cms domain add"
	# by MESSAGE and by a file, at once and not after the message's end
	[[ $(to_carol "not to be read") == "SIP/2.0 404 the receiver is of a domain that is not trusted" ]]
	drop_for_carol foreign "nor this"
	await 10 "the file's end" files_in "$IN/new" 0
	grep -q 'domain that is not trusted' "$IN/.failed/foreign.reason"
	# and what comes from there
	run -1 caller $CAROL --timeout 10 call --hangup 1 "$LAB_GATEWAY;101"
	logged "call from tel:\\$CAROL.* refused: urn:x-umsg:domain:$id is not trusted: .*cms domain add"
	! logged 'state=ANSWER' || false
	caller $CAROL send "$LAB_GATEWAY;101" "nor that"
	await 5 "the refusal of the text" logged "message from tel:\\$CAROL.* refused: urn:x-umsg:domain:$id is not trusted"
	files_in "$OUT/new" 0
}

@test "CRS-052 CMS-045: once both have the other's certificate, calls pass between a PBX and a user of another domain" {
	trust $FRIENDS $LAB_ACCOUNT
	trust $LAB_ACCOUNT $FRIENDS
	gateway_updates $FRIENDS $LAB_ACCOUNT
	lab_refresh $CAROL $FRIENDS
	carol_answers --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 8
	call_carol
	await 15 "the call" in_log "$T/carol" '^talk'
	in_log "$T/carol" '^incoming from=tel:\+8888 extension=101 .*domain=Demonstration'
	await 20 "the call's end" stopped "$ANSWER"
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	logged "tel:\\$CAROL is of domain $(domain_id_of $FRIENDS) from now on"
	# and back
	start "$T/call" cca --store "$D/$CAROL" call --hangup 2 "$LAB_GATEWAY;101"
	CALL=$STARTED_PID
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 10 'reason=hangup'
	in_log "$T/call" '^talk .*domain=Demonstration'
	all_clear
}

@test "CIG-080 CIG-057: texts pass between mailboxes, MESSAGEs and a user of another domain" {
	listener $CAROL --count 2
	[[ $(to_carol "by MESSAGE") == "SIP/2.0 202"* ]]
	drop_for_carol friendly "by file"
	await 15 "both texts" stopped "$STARTED_PID"
	in_log "$T/$CAROL" '^message from=tel:\+8888 extension=101 domain=Demonstration .*text="by MESSAGE"'
	in_log "$T/$CAROL" '^message from=tel:\+8888 extension=101 domain=Demonstration .*text="by file"'
	caller $CAROL send "$LAB_GATEWAY;101" "from another domain"
	await 5 "the file" files_in "$OUT/new" 1
	grep -qx 'X-Sender-Domain: Friends' "$OUT"/new/*
	grep -qx "X-Sender-URI: tel:$CAROL" "$OUT"/new/*
}

trust_domain() { # ID: in the running gateway
	reload "s/source map sip2source;/& trust_domain \"$1\";/"
}

carol_moves() { # to the third domain, under the same number
	peer_domain $MOVERS "Movers" && trust $MOVERS $LAB_ACCOUNT && trust $LAB_ACCOUNT $MOVERS &&
		domain_cms $FRIENDS user delete $CAROL && publish $FRIENDS &&
		rm -rf "$D/$CAROL" "$D/letters/$CAROL" && peer_user $MOVERS $CAROL &&
		gateway_updates $MOVERS $LAB_ACCOUNT && lab_enrol $CAROL && lab_refresh $CAROL $MOVERS
}

@test "who was met in one domain is refused in another, unless trust_domain names it" {
	local id was
	was=$(domain_id_of $FRIENDS)
	carol_moves
	id=$(domain_id_of $MOVERS)
	refused_call "tel:\\$CAROL was met in domain $was and is refused in domain $id; .*say trust_domain \"$id\"; in the tel block"
	[[ $(to_carol "not to be read") == "SIP/2.0 404 the receiver was met in another domain than where it is now" ]]
	# the log's line about it is limited with those of the test before
	run -1 caller $CAROL --timeout 10 call --hangup 1 "$LAB_GATEWAY;101"
	! logged 'state=ANSWER' || false
	# the operator knows that she has moved: at once, without a restart
	trust_domain "${id^^}"
	carol_answers
	call_carol
	phone_await 101 CALL_ESTABLISHED 15
	logged "tel:\\$CAROL is of domain $id from now on"
	phone 101 hangup
	await 10 "the call's end" stopped "$ANSWER"
	all_clear
	# the new pin stays when trust_domain is gone
	reload 's/trust_domain [^;]*;//'
	[[ $(to_carol "to be read") == "SIP/2.0 202"* ]]
}

@test "trust_domain moves a pin for a call and a text that come in, too" {
	local id
	id=$(domain_id_of $FRIENDS)
	domain_cms $MOVERS user delete $CAROL
	publish $MOVERS
	rm -rf "${D:?}/$CAROL" "$D/letters/$CAROL"
	peer_user $FRIENDS $CAROL
	publish $FRIENDS
	lab_enrol $CAROL
	lab_refresh $CAROL $FRIENDS
	run -1 caller $CAROL --timeout 10 call --hangup 1 "$LAB_GATEWAY;101"
	trust_domain "$id"
	caller $CAROL send "$LAB_GATEWAY;101" "I am back"
	await 5 "the file" files_in "$OUT/new" 1
	logged "tel:\\$CAROL is of domain $id from now on"
	phone_101 'answermode=auto'
	start "$T/call" cca --store "$D/$CAROL" call --hangup 1 "$LAB_GATEWAY;101"
	CALL=$STARTED_PID
	call_ended 15 'reason=hangup'
	in_log "$T/call" '^talk'
	all_clear
}

@test "CMS-046: a domain that is deleted is refused after the next update" {
	domain_cms $LAB_ACCOUNT domain delete "Friends"
	gateway_updates $LAB_ACCOUNT
	refused_call "tel:\\$CAROL is of domain $(domain_id_of $FRIENDS), which is not trusted"
	run -1 caller $CAROL --timeout 10 call --hangup 1 "$LAB_GATEWAY;101"
	! logged 'state=ANSWER' || false
}
