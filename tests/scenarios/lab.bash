# lab.bash - a whole Tandem in one private directory: a security domain with two
# users and a gateway, the rendezvous with its relay, the gateway with its relay.
# The scenarios and ./quickstart use it.  Load helpers first.
#
#   lab_domain                 keys, letters, an update; users +46701234567 and +46707654321
#   lab_rendezvous             crs-relay and crs; the account, the update
#   lab_gateway                cig-relay and cig-server, with the configuration of lab_cig_conf
#   lab_enrol NUMBER           a caller's store in $D/NUMBER
#   lab_refresh NUMBER         and the updates that wait for it
#   caller NUMBER COMMAND...   runs cca with it
#
# Everything listens on loopback and on ports that were free.
#
# A lab whose clock stands elsewhere: LAB_CLOCK=(--now TIME) before a start (test builds).

LAB_GATEWAY=+8888
LAB_USERS=(+46701234567 +46707654321)
LAB_ACCOUNT=demo
LAB_CLOCK=()
# Extension 101 of the PBX side; labs that run beside each other have phones of their own.
LAB_PHONE_IP=${LAB_PHONE_IP:-127.0.$((1 + LAB_LANE * 84 + RANDOM % 84)).12}
# The gateway's addresses: red towards the PBX, black towards the rendezvous.
LAB_RED=127.0.0.1
LAB_BLACK=127.0.0.1

lab_ports() { # chooses the ports once
	[ -z "${LAB_CRS_PORT:-}" ] || return 0
	free_port && LAB_CRS_PORT=$PORT
	free_port && LAB_MEDIA_PORT=$PORT
	free_port && LAB_CONTROL_PORT=$PORT
	free_port && LAB_SIP_PORT=$PORT
	free_port && LAB_PHONE_CTRL=$PORT # baresip's control port; its console is 1000 above
	local low=$((32768 + LAB_LANE * 10000 + RANDOM % 100 * 100))
	LAB_RTP="$low $((low + 99))"
}

lab_cms() { # COMMAND...
	cms --dir "$D/cms" --passphrase-file "$D/passphrase" "${LAB_CLOCK[@]}" "$@"
}

# Making a domain is seconds of key derivation, and the same each time: where LAB_KEEP is a
# directory (run sets it) the files of a lane that want the same users share one, with its port.
lab_domain() {
	local kept=''
	lab_ports
	[ -z "${LAB_KEEP:-}" ] || [ ${#LAB_CLOCK[@]} -gt 0 ] ||
		kept=$LAB_KEEP/$LAB_LANE-${LAB_ENGINES:-8}-$(tr ' ' - <<<"${LAB_USERS[*]}")
	[ -z "$kept" ] || ! lab_domain_kept "$kept" || return 0
	lab_domain_new || return
	[ -z "$kept" ] || lab_domain_keep "$kept"
}

lab_domain_kept() { # DIRECTORY: takes it, if there is one whose port nobody has
	local port
	port=$(cat "$1/port" 2>/dev/null) && ! listening "$port" || return
	LAB_CRS_PORT=$port
	cp -a "$1"/{letters,updates,passphrase,secret,cms} "$D/"
}

lab_domain_keep() { # DIRECTORY
	mkdir -p -m 700 "$1" && cp -a "$D"/{letters,updates,passphrase,secret,cms} "$1/" &&
		echo "$LAB_CRS_PORT" >"$1/port"
}

lab_domain_new() {
	local user
	mkdir -p -m 700 "$D/letters" "$D/updates"
	(umask 077 && openssl rand -base64 24 >"$D/passphrase" && openssl rand -base64 16 >"$D/secret")
	lab_cms init --domain "Demonstration" --crs "127.0.0.1:$LAB_CRS_PORT" \
		--account $LAB_ACCOUNT --secret-file "$D/secret" || return
	for user in "${LAB_USERS[@]}"; do
		lab_cms user add "$user" "User $user" || return
		lab_cms letter "$user" --output "$D/letters/$user" || return
	done
	lab_cms gateway add $LAB_GATEWAY "Gateway" --engines "${LAB_ENGINES:-8}" || return
	lab_cms letter $LAB_GATEWAY --output "$D/letters/$LAB_GATEWAY" || return
	lab_cms update --output "$D/updates"
}

lab_crs_conf() {
	mkdir -p "$D/crs/run" "$D/crs/log" "$D/crs/accounts" "$D/crs/data"
	cat >"$D/crs/crs.conf" <<-C
		key $(openssl rand -base64 16)
		ip crs1 127.0.0.1
		host crs1
		features
	C
	cat >"$D/crs/crs-local.conf" <<-C
		crsname crs1
		db-backup none
		listen-address 127.0.0.1
		listen-port $LAB_CRS_PORT
	C
	: >"$D/crs/crs-relay.conf"
}

lab_crs_cli() {
	crs-cli --root "$D/crs" "$@"
}

lab_crs_answers() {
	lab_crs_cli show version
}

lab_rendezvous() {
	[ -e "$D/crs/crs.conf" ] || lab_crs_conf
	start "$D/crs-relay.log" crs-relay --root "$D/crs" --listen "127.0.0.1:$LAB_MEDIA_PORT" "${LAB_CLOCK[@]}"
	LAB_CRS_RELAY=$STARTED_PID
	start "$D/crs.log" crs --root "$D/crs" "${LAB_CLOCK[@]}"
	LAB_CRS=$STARTED_PID
	await 15 "the rendezvous" listening "$LAB_CRS_PORT" || return
	await 15 "the rendezvous's control socket" lab_crs_answers || return
	[ -d "$D/crs/accounts/$LAB_ACCOUNT" ] ||
		lab_crs_cli create account $LAB_ACCOUNT -s "$(cat "$D/secret")" || return
	lab_apply
}

lab_apply() { # every update file that cms has written
	local file
	for file in "$D"/updates/*.upd; do
		lab_crs_cli apply "$file" || return
	done
}

lab_cig_conf() {
	cat <<-C
		// Extension 101 of the PBX is +8888;101 for secure callers; a secure user is
		// sip:NUMBER@gateway for the PBX.
		map tel2sip {
			entry extensions tel "tel:$LAB_GATEWAY;{ext}" sip "sip:{ext}@$LAB_PHONE_IP";
		}
		map sip2source {
			entry extensions sip "sip:{ext}@{discard}" tel "tel:$LAB_GATEWAY;{ext}";
		}
		map sip2tel {
			entry users sip "sip:{number}@{discard}" tel "tel:+{number}";
		}
		map tel2source {
			entry users tel "tel:+{number}" sip "sip:{number}@secure.com";
		}
		interfaces {
			tel {
				extension map tel2sip;
				source map sip2source;
				bind $LAB_BLACK;
			}
			sip {
				extension map sip2tel;
				source map tel2source;
				bind $LAB_RED;
				port $LAB_SIP_PORT;
				rtp_port_range $LAB_RTP;
				${LAB_SIP_SETTINGS:-trusted "127.0.0.0/8";}
			}
		}
		translate_map users2mail {
			rule match "tel:+{number}" translation "sip:{number}@secure.com";
		}
		translate_map extensions2mail {
			rule match "tel:$LAB_GATEWAY;{ext}" translation "sip:{ext}@pbx.com";
		}
		translate_map mail2users {
			rule match "sip:{number}@secure.com" translation "tel:+{number}";
		}
		translate_map mail2extensions {
			rule match "sip:{ext}@pbx.com" translation "tel:$LAB_GATEWAY;{ext}";
		}
		mailboxes {
			write {
				path "$D/cig/mail/from-secure";
				map_from translate_map users2mail;
				map_to translate_map extensions2mail;
			}
			read {
				path "$D/cig/mail/to-secure";
				map_from translate_map mail2extensions;
				map_to translate_map mail2users;
			}
		}
		userdata "$D/cig/userdata";
		log_dir "$D/cig/log";
		run_dir "$D/cig/run";
		mail_group "$(id -gn)";
		control { bind 127.0.0.1; port $LAB_CONTROL_PORT; }
	C
}

lab_cig_cli() {
	cig-cli --config "$D/cig/cig.conf" "$@"
}

lab_cig_status() { # JQ_CONDITION
	local status
	status=$(lab_cig_cli --json status) && jq -e "$1" <<<"$status"
}

lab_gateway_files() {
	mkdir -p -m 700 "$D/cig/userdata" "$D/cig/log" "$D/cig/run" "$D/cig/mail"
	[ -e "$D/cig/cig.conf" ] || lab_cig_conf >"$D/cig/cig.conf"
	local box
	for box in from-secure to-secure; do
		create_cig_maildir --group "$(id -gn)" "$D/cig/mail/$box" || return
	done
	lab_cig_cli set-key --file "$D/letters/$LAB_GATEWAY"
}

lab_gateway() {
	[ -d "$D/cig/userdata" ] || lab_gateway_files || return
	start "$D/cig-relay.log" cig-relay --run-dir "$D/cig/run" --log "$D/cig/log/relay.log" \
		${LAB_RELAY_OPTIONS:-}
	LAB_CIG_RELAY=$STARTED_PID
	start "$D/cig-server.log" cig-server --config "$D/cig/cig.conf" "${LAB_CLOCK[@]}"
	LAB_CIG_SERVER=$STARTED_PID
	await 20 "the gateway" lab_cig_status '.problems == []'
}

lab_enrol() { # NUMBER
	cca "${LAB_CLOCK[@]}" --store "$D/$1" enrol "$D/letters/$1"
}

# A caller that was just enrolled takes two months' updates over with its first connection, beside
# what else it does.  Where those bring what a test needs (channels, trusted domains), or must not
# come in between, it has them before.
lab_refresh() { # NUMBER [ACCOUNT]
	start "$D/refresh.log" cca "${LAB_CLOCK[@]}" --store "$D/$1" listen
	await 20 "the updates of $1" lab_refreshed "$1" "${2:-$LAB_ACCOUNT}" || return
	stop "$STARTED_PID"
}

lab_refreshed() { # NUMBER ACCOUNT: are this and the next month's confirmed?
	lab_crs_cli stats export "$2" | grep -qE "^tel:\\$1.*true.true.true.true$"
}

caller() { # NUMBER COMMAND...
	cca "${LAB_CLOCK[@]}" --store "$D/$1" "${@:2}"
}

lab() { # all of it
	lab_domain && lab_rendezvous && lab_gateway && lab_enrol "${LAB_USERS[0]}"
}

# A lab that serves all tests of a file: made in setup_file(), found again in each
# setup(), ended in teardown_file().

lab_remember() {
	declare -p D LAB_CRS_PORT LAB_MEDIA_PORT LAB_CONTROL_PORT LAB_SIP_PORT LAB_RTP LAB_PHONE_IP \
		LAB_RED LAB_BLACK \
		LAB_PHONE_CTRL LAB_CRS_RELAY LAB_CRS LAB_CIG_RELAY LAB_CIG_SERVER >"$BATS_FILE_TMPDIR/lab"
}

lab_save() {
	lab_remember
	printf '%s\n' "${STARTED[@]}" >"$BATS_FILE_TMPDIR/started"
}

lab_restarted() { # what was started last lives as long as the lab, not as the test
	local p left=()
	for p in "${STARTED[@]}"; do [ "$p" = "$STARTED_PID" ] || left+=("$p"); done
	STARTED=("${left[@]}")
	echo "$STARTED_PID" >>"$BATS_FILE_TMPDIR/started"
	lab_remember
}

lab_load() { # D is the lab's directory, T the test's own
	T=$BATS_TEST_TMPDIR TICK=$BATS_TEST_TMPDIR/tick
	mkfifo "$TICK"
	# declare -p makes local what a function reads
	source <(sed 's/^declare --/declare -g --/' "$BATS_FILE_TMPDIR/lab")
}

lab_setup_file() { # [COMMAND...]: the lab in short-named directory; sockets have 107 octets
	D=$(mktemp -d /tmp/lab.XXXXXX) TICK=$D/tick
	mkfifo "$TICK"
	lab || { show_logs; stop_all; return 1; }
	lab_save
}

lab_teardown_file() {
	local p
	D=$(sed -n 's/^declare -- D="\(.*\)"$/\1/p' "$BATS_FILE_TMPDIR/lab") TICK=$D/tick
	mapfile -t STARTED <"$BATS_FILE_TMPDIR/started"
	for p in "${STARTED[@]}"; do kill "$p" 2>/dev/null; done
	for p in "${STARTED[@]}"; do await 10 "the end of $p" stopped "$p"; done
	STARTED=()
	rm -rf "$D"
}
