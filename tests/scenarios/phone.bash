# phone.bash - SIP phones for the scenarios: baresip without a sound card, driven
# over its control port.
#
#   phone_start alice 127.0.0.11 4411 speech.wav 'answermode=auto;audio_codecs=PCMA'
#   phone alice dial sip:bob@127.0.0.12
#   phone_await bob CALL_ESTABLISHED 5
#
# PHONE_LINES, an array, holds more lines of its configuration.
#
# What the phone hears is in $D/NAME/rec/dump-*-dec.wav, its events in $D/NAME/events,
# its SIP messages in $D/NAME/log.  Load helpers first.

declare -gA PHONE=() PHONE_TX=() PHONE_READER=()
declare -ga PHONE_LINES=()

phone_config() { # NAME IP CTRL_PORT WAV
	cat <<-C
		rtp_stats yes
		sip_listen $2:5060
		net_interface ${2//[][]/}
		audio_path /usr/share/baresip
		audio_source aufile,$4
		audio_player aubridge,sink
		audio_alert aubridge,alert
		ausrc_srate 8000
		auplay_srate 8000
		ausrc_channels 1
		auplay_channels 1
		rtp_ports 20000-20999
		module_path $(phone_modules)
		module g711.so
		module aufile.so
		module aubridge.so
		module sndfile.so
		module srtp.so
		module cons.so
		module_tmp uuid.so
		module_tmp account.so
		module_app contact.so
		module_app debug_cmd.so
		module_app menu.so
		module_app ctrl_tcp.so
		ctrl_tcp_listen 127.0.0.1:$3
		cons_listen 127.0.0.1:$(($3 + 1000))
		snd_path $D/$1/rec
		statmode_default off
	C
}

phone_modules() {
	local dir
	for dir in /usr/lib/baresip/modules /usr/lib/*/baresip/modules; do
		[ -d "$dir" ] && echo "$dir" && return
	done
}

phone_connected() { # PORT: opens the control port as descriptor $PHONE_FD
	exec {PHONE_FD}<>"/dev/tcp/127.0.0.1/$1"
}

phone_start() { # NAME IP CTRL_PORT WAV ACCOUNT_PARAMETERS [ACCOUNT_LINE...]
	local d=$D/$1 end=$((SECONDS + 10))
	mkdir -p "$d/rec"
	phone_config "$1" "$2" "$3" "$4" >"$d/config"
	printf '%s\n' "${PHONE_LINES[@]}" >>"$d/config"
	{
		echo "<sip:$1@$2>;regint=0;$5"
		printf '%s\n' "${@:6}"
	} >"$d/accounts"
	[ -e "$d/contacts" ] || : >"$d/contacts"
	start "$d/log" baresip -f "$d" -s
	PHONE[$1]=$STARTED_PID
	# A second connection would end the first: only the one that is kept is tried.
	until phone_connected "$3" 2>/dev/null; do
		running "${PHONE[$1]}" && ((SECONDS < end)) || {
			echo "phone $1 did not start" >&2
			return 1
		}
		pause
	done
	PHONE_TX[$1]=$PHONE_FD
	cat <&"$PHONE_FD" >"$d/events" 3>&- &
	PHONE_READER[$1]=$!
}

phone() { # NAME COMMAND [PARAMETERS]
	local LC_ALL=C json
	json=$(jq -cn --arg c "$2" --arg p "${*:3}" '{command: $c, params: $p, token: "t"}')
	printf '%d:%s,' ${#json} "$json" >&"${PHONE_TX[$1]}"
}

phone_await() { # NAME REGEX SECONDS [events|log]
	await "$3" "$2 at phone $1" in_log "$D/$1/${4:-events}" "$2"
}

phone_contact() { # NAME URI: whom `phone NAME message` reaches; before phone_start
	mkdir -p "$D/$1"
	echo "\"Peer\" <$2>" >"$D/$1/contacts"
}

phone_heard() { # NAME: the recording of what it heard (the newest)
	ls -t "$D/$1"/rec/*-dec.wav 2>/dev/null | head -n 1
}

phone_heard_seconds() { # NAME SECONDS: is so much recorded (8000 samples of 2 octets a second)?
	local file
	file=$(phone_heard "$1")
	[ -n "$file" ] && [ "$(stat -c %s "$file")" -ge $(($2 * 16000)) ]
}

phone_stop() { # NAME
	local fd=${PHONE_TX[$1]}
	stop "${PHONE[$1]}"
	kill "${PHONE_READER[$1]}" 2>/dev/null || :
	wait "${PHONE_READER[$1]}" 2>/dev/null || :
	exec {fd}>&-
	unset "PHONE[$1]" "PHONE_TX[$1]" "PHONE_READER[$1]"
}

phone_stop_all() { # in teardown(), before teardown_common
	local name
	for name in "${!PHONE[@]}"; do phone_stop "$name"; done
}

speech() { # FILE.wav TEXT [PAD_SECONDS]: speech of 8 kHz; FILE-long.wav is followed by silence
	local tmp=$D/speech.$BASHPID.wav
	flite -voice slt -t "$2" -o "$tmp"
	sox "$tmp" -r 8000 -c 1 -b 16 "$1"
	sox "$1" "${1%.wav}-long.wav" pad 0.8 "${3:-60}"
	rm -f "$tmp"
}
