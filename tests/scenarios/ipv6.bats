# ipv6.bats - the gateway bound to an IPv6 address: calls both ways with media, and a PBX that
# has addresses of both families.

load helpers
load phone
load lab
load talk
load sipp

LAB_RED='\[::1\]' # as talk.bash looks for it in what ss prints

lab_cig_conf() {
	local NET=${LAB_PHONE_IP%.*}
	free_port && echo "$PORT" >"$D/callee_port"
	cat <<-C
		map out {
			entry direct tel "tel:$LAB_GATEWAY;1{ext}" sip "sip:{ext}@[::1]:$PORT";
			entry both tel "tel:$LAB_GATEWAY;2{ext}" sip "sip:{ext}@both.test";
			entry phone tel "tel:$LAB_GATEWAY;3{ext}" sip "sip:{ext}@[::1]";
		}
		map sources { entry all sip "sip:{ext}@{discard}" tel "tel:$LAB_GATEWAY;{ext}"; }
		map users { entry users sip "sip:46{number}@{discard}" tel "tel:+46{number}"; }
		map callers { entry users tel "tel:+46{number}" sip "sip:0{number}@secure.com"; }
		// The first server would be better, but cannot be reached from ::1.
		pbx both {
			host "both.test";
			server "$NET.31:5080" priority 1;
			server "[::1]:$PORT" priority 2;
			network "127.0.0.0/8";
			network "::1";
			probe_s 0;
		}
		interfaces {
			tel {
				extension map out;
				source map sources;
				bind_media 127.0.0.1;
			}
			sip {
				extension map users;
				source map callers;
				bind ::1;
				port $LAB_SIP_PORT;
				rtp_port_range $LAB_RTP;
			}
		}
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

setup_file() {
	[ -e /proc/net/if_inet6 ] || return 0
	lab_setup_file
	speech "$D/alice.wav" "The quick brown fox jumps over the lazy dog." 60
	speech "$D/phone.wav" "Hello from the ordinary telephone. Please call me back." 60
	sox "$D/phone-long.wav" -t al -r 8000 -c 1 "$D/phone.alaw"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/lab" ] || lab_teardown_file
}

setup() {
	needs sipp
	[ -e /proc/net/if_inet6 ] || skip "this host has no IPv6"
	talk_setup
	CALLEE=$(cat "$D/callee_port")
}

teardown() {
	talk_teardown
}

echoes() { # EXTENSION: a call to it, which says what it hears
	sipp_start callee uas_answers.xml ::1 "$CALLEE" u1 -rtp_echo
	await 5 "the extension" udp_bound "[::1]:$CALLEE"
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 5 "$LAB_GATEWAY;$1"
	call_ended 20 'reason=hangup by=initiator'
	sipp_ended callee 10
	in_log "$T/callee.msg" '^c=IN IP6 ::1'
	speech-match "$D/alice.wav" "$T/heard.wav" 0.9 # it went through Opus twice
	logged 'media pbx=PCMA/\[::1\]:.* strangers=0 '
	all_clear
}

@test "a call to an IPv6 address, and what is said comes back over IPv6" {
	echoes 1101
	grep -q "^INVITE sip:101@\[::1\]:$CALLEE " "$T/callee.msg"
}

@test "a call from an IPv6 address is heard" {
	answer_in --record "$T/heard.wav" --count 1
	free_port
	sipp_start trunk uac_speaks.xml ::1 "$PORT" u1 -s 46701234567 "[::1]:$LAB_SIP_PORT"
	sipp_ended trunk 20
	await 5 "the call's end" stopped "$ANSWER"
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	all_clear
}

@test "of a PBX with servers of both families the one that can be reached is called" {
	await 5 "the block" lab_cig_status \
		".sip.pbxs[0].servers | map(.address) == [\"[::1]:$CALLEE\"]"
	echoes 2101
}

@test "a phone on ::1 is called, hears and is heard" {
	rm -rf "$D/101"
	phone_start 101 '[::1]' "$LAB_PHONE_CTRL" "$D/phone-long.wav" 'answermode=auto'
	dial_out --play "$D/alice-long.wav" --record "$T/heard.wav" --hangup 6 "$LAB_GATEWAY;3101"
	phone_await 101 CALL_ESTABLISHED 15
	call_ended 20 'reason=hangup by=initiator'
	speech-match "$D/phone.wav" "$T/heard.wav" 0.9
	speech-match "$D/alice.wav" "$(phone_heard 101)" 0.9
	all_clear
}
