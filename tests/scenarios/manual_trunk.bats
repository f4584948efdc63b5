# manual_trunk.bats - the trunk of cig.conf(5)'s third example, as it stands there but for its
# names and addresses: a provider over TLS with SRTP, who wants it registered.

load helpers
load phone
load lab
load talk
load sipp

LAB_USERS=(+4670100017)

example() { # NUMBER: of those of cig.conf(5)
	awk -v wanted="$1" '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh DIAG/ { on = 0 }
		on && /^\.Bd/ { body = ++n == wanted; next } /^\.Ed/ { body = 0 } body' "$TOP/docs/man/cig.conf.5"
}

lab_cig_conf() {
	local NET=${LAB_PHONE_IP%.*}
	certificate
	(umask 077 && echo s3cret >"$D/cig/provider.secret")
	example 3 | sed "s/sip1.provider.example:5061/$NET.41:5061/; s/sip2.provider.example:5061/$NET.36:5061/
		s#203.0.113.0/24#$NET.36#; s#192.168.1.0/24#$NET.30#; s/192.168.1.10\"/$NET.31:5080\"/
		s/192.168.1.11\"/$NET.32:5080\"/; s/bind 192.168.1.1;/bind 127.0.0.1; port $LAB_SIP_PORT;/
		s#/etc/ssl/private/gateway.pem#$D/tls.pem#; s#/etc/ssl/certs/ca-certificates.crt#$D/ca.pem#
		s/rtp_port_range .*/rtp_port_range $LAB_RTP;/; s/tls {/tls { port $((LAB_SIP_PORT + 1));/"
	cat <<-C
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

certificate() { # the provider's and, for both live in one lab, the gateway's
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/ca.key" -out "$D/ca.pem" -subj /CN=ca -days 2
	openssl req -newkey rsa:2048 -nodes -keyout "$D/tls.key" -subj /CN=provider -out "$D/tls.csr"
	openssl x509 -req -in "$D/tls.csr" -CA "$D/ca.pem" -CAkey "$D/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=DNS:sip.provider.example) >"$D/tls.pem"
	cat "$D/tls.key" >>"$D/tls.pem"
} 2>/dev/null

# Until the provider is there the gateway is not without problems, so this is not lab().
setup_file() {
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	lab_domain && lab_rendezvous && lab_gateway_files
	start "$D/provider" python3 -B "$TOP/tests/scenarios/provider.py" \
		"${LAB_PHONE_IP%.*}.36:5061" "$D/tls.pem" 4685550100 s3cret
	start "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log"
	LAB_CIG_RELAY=$STARTED_PID
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf"
	LAB_CIG_SERVER=$STARTED_PID
	lab_enrol "${LAB_USERS[0]}"
	await 20 "the gateway" lab_cig_status '.umsg.connection == "CONNECTED" and .sip.state == "READY"' ||
		{ show_logs; stop_all; return 1; }
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	lab_save
}

teardown_file() {
	lab_teardown_file
}

setup() {
	needs python3 openssl jq
	lab_load
	NET=${LAB_PHONE_IP%.*}
	LOGGED=$(wc -l <"$D/cig/log/cig.log")
}

teardown() {
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 30 "$D/provider" "$T"/* "$D/cig/log/cig.log"
}

@test "the trunk of cig.conf(5) registers with a provider over TLS by its password" {
	await 20 "the registration" in_log "$D/provider" '^registered .*transport=tls'
	await 10 "its state" lab_cig_status '.sip.pbxs[] | select(.name == "provider") | .registration.state == "REGISTERED"'
}

@test "CIG-027: a call to the provider goes to its second server, with SRTP and the numbers of both plans" {
	start "$T/call" cca --store "$D/${LAB_USERS[0]}" call --play "$D/alice-long.wav" "$LAB_GATEWAY;0701234567"
	CALL=$STARTED_PID
	await 30 "talk" in_log "$T/call" '^talk'
	await 10 "protected packets" in_log "$D/provider" '^media [0-9]+ 170$' # 160 octets and ten to authenticate
	grep -F 'call sip:+46701234567@sip.provider.example' "$D/provider" | grep -F '<sip:+4685550117@sip.provider.example>'
	kill -INT "$CALL"
	await 10 "the call's end" stopped "$CALL"
	await 5 "the provider's end of it" in_log "$D/provider" '^ended'
}

@test "a provider that prefers AES-256 to AES-128 gets it, with short tags and a key without padding" {
	start "$T/call" cca --store "$D/${LAB_USERS[0]}" call --play "$D/alice-long.wav" "$LAB_GATEWAY;0701234256"
	CALL=$STARTED_PID
	await 30 "talk" in_log "$T/call" '^talk'
	await 10 "protected packets" in_log "$D/provider" '^media [0-9]+ 164$' # 160 octets and four to authenticate
	kill -INT "$CALL"
	await 10 "the call's end" stopped "$CALL"
}

@test "who is not of the trunk's networks gets 403, and the office of the network may call" {
	local offer
	offer=$(sip_sdp 'm=audio 6000 RTP/AVP 8')
	[ "$(sip_invite 946701000 <<<"$offer" | sip_ask 127.9.9.9)" = "SIP/2.0 403 Forbidden" ]
	[ "$(sip_invite 94670100099 <<<"$offer" | sip_ask "$NET.30" 10)" = "SIP/2.0 404 Not Found" ]
	grep -F 'tel:+4670100099' "$D/cig/log/session.log" | grep -q 'routed'
}
