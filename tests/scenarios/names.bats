# names.bats - where a PBX is, by a real name server: SRV records with priorities and ports,
# answers that are kept, a name server that goes away, names that change.

load helpers
load phone
load lab
load talk
load sipp

lab_cig_conf() {
	free_port && DNS_PORT=$PORT
	echo "$DNS_PORT" >"$D/dns_port"
	cat <<-C
		map out {
			entry trunk tel "tel:$LAB_GATEWAY;1{ext}" sip "sip:{ext}@trunk.test";
			entry port tel "tel:$LAB_GATEWAY;2{ext}" sip "sip:{ext}@live.test:5080";
			entry gone tel "tel:$LAB_GATEWAY;3{ext}" sip "sip:{ext}@gone.test";
			entry closed tel "tel:$LAB_GATEWAY;4{ext}" sip "sip:{ext}@closed.test";
			entry both tel "tel:$LAB_GATEWAY;5{ext}" sip "sip:{ext}@both.test:5080";
			entry six tel "tel:$LAB_GATEWAY;6{ext}" sip "sip:{ext}@six.test";
			entry block tel "tel:$LAB_GATEWAY;7{ext}" sip "sip:{ext}@block.test";
			entry again tel "tel:$LAB_GATEWAY;8{ext}" sip "sip:{ext}@again.test:5080";
		}
		map sources { entry all sip "sip:{ext}@{discard}" tel "tel:$LAB_GATEWAY;{ext}"; }
		map users { entry users sip "sip:46{number}@{discard}" tel "tel:+46{number}"; }
		map callers { entry users tel "tel:+46{number}" sip "sip:0{number}@secure.com"; }
		// pbx block { host "block.test"; server "moving.test"; probe_s 1; }
		interfaces {
			tel {
				extension map out;
				source map sources;
				bind_media 127.0.0.1;
			}
			sip {
				extension map users;
				source map callers;
				bind 127.0.0.1;
				port $LAB_SIP_PORT;
				rtp_port_range $LAB_RTP;
				trusted "127.0.0.0/8";
				nameserver "127.0.0.1:$DNS_PORT";
			}
		}
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

# The records of the whole file; those that a test changes are arguments.
name_server() { # ARGUMENTS...
	local NET=${LAB_PHONE_IP%.*} port
	port=$(cat "$D/dns_port")
	start "$D/dns.log" dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= \
		--user="$(id -un)" --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 \
		--port="$port" --log-queries --log-facility=- --local=/test/ \
		--srv-host=_sip._udp.trunk.test,dead.test,5066,10 \
		--srv-host=_sip._udp.trunk.test,live.test,5080,20 \
		--srv-host=_sip._udp.closed.test \
		--host-record=closed.test,"$NET.31" \
		--host-record=dead.test,"$NET.41" \
		--host-record=live.test,"$NET.31" \
		--host-record=both.test,"$NET.31",2001:db8::31 \
		--host-record=six.test,2001:db8::31 "$@"
	DNS=$STARTED_PID
	await 5 "the name server" listening "$port"
}

setup_file() {
	command -v dnsmasq >/dev/null || return 0
	lab_setup_file
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back." 60
	sox "$D/phone-long.wav" -t al -r 8000 -c 1 "$D/phone.alaw"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/lab" ] || lab_teardown_file
}

setup() {
	needs sipp dnsmasq
	talk_setup
}

teardown() {
	talk_teardown
}

asked() { # NAME: how often the name server was asked for it
	grep -cE "query\[[A-Z0-9]+\] $1 " "$D/dns.log"
}

calls() { # EXTENSION: a call that its callee answers and ends
	sipp_uas callee uas_hangs_up.xml "$NET.31" 5080 u1
	dial_out "$LAB_GATEWAY;$1"
	call_ended 15 'reason=hangup by=responder'
	sipp_ended callee 10
}

@test "SRV records lead to the PBX and its port; the first priority is dead, so the call goes to the second" {
	name_server --local-ttl=600
	calls 1101
	logged "server=$NET.41:5066 fails: .*; trying the next one"
	grep -q '^INVITE sip:101@trunk.test ' "$T/callee.msg"
	[ "$(asked _sip._udp.trunk.test)" -eq 1 ]
	all_clear
}

@test "an answer is kept for its time to live, also while the name server is away" {
	name_server --local-ttl=600
	calls 2101
	[ "$(asked _sip._udp.live.test)" -eq 0 ] # a port says where
	stop "$DNS"
	calls 2101
	all_clear
}

@test "a name that was known for a moment only still leads to the PBX when no name server answers" {
	name_server --local-ttl=0 --host-record=again.test,"$NET.31"
	calls 8101
	calls 8101
	[ "$(asked again.test)" -ge 4 ] # A and AAAA, each time
	stop "$DNS"
	calls 8101
	all_clear
}

@test "a name that is not there, and a service that says it is not, end the call with the reason" {
	name_server --local-ttl=600
	dial_out "$LAB_GATEWAY;3101"
	call_ended 15 'reason='
	logged 'why=.*PBX gone.test: there is no such name'
	dial_out "$LAB_GATEWAY;4101"
	call_ended 15 'reason='
	logged 'why=.*PBX closed.test: its SRV record says that there is no such service'
	all_clear
}

@test "of a PBX with addresses of both families the gateway takes those of its own" {
	name_server --local-ttl=600
	calls 5101
	dial_out "$LAB_GATEWAY;6101"
	call_ended 15 'reason='
	logged 'why=.*six.test: no address of the family'
	all_clear
}

@test "a block's servers come from SRV, with their order; a name that changes is followed" {
	name_server --local-ttl=1 --srv-host=_sip._udp.moving.test,dead.test,5066,10 \
		--srv-host=_sip._udp.moving.test,live.test,5080,20
	reload 's#// pbx block#pbx block#'
	await 10 "both servers" lab_cig_status \
		".sip.pbxs[0].servers | map(.address) | sort == [\"$NET.31:5080\", \"$NET.41:5066\"]"
	await 10 "the dead one down" lab_cig_status \
		".sip.pbxs[0].servers[] | select(.address == \"$NET.41:5066\") | .state == \"DOWN\""
	stop "$DNS"
	name_server --local-ttl=1 --srv-host=_sip._udp.moving.test,moved.test,5070,5 \
		--host-record=moved.test,"$NET.42"
	await 10 "the new one" lab_cig_status \
		".sip.pbxs[0].servers | map(.address) | any(. == \"$NET.42:5070\")"
	all_clear
}
