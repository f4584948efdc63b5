# What goes with the programs on a host: notification script, completion, logrotate.
load helpers

setup() {
	setup_common
	# logger's place is taken by a file
	mkdir -p "$D/bin" "$D/crs/scripts/notify.d" "$D/cig/scripts"
	printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s/syslog"\n' "$D" >"$D/bin/logger"
	chmod +x "$D/bin/logger"
	cp "$TOP/etc/notify.sh" "$D/crs/scripts/"
	cp "$TOP/etc/notify.sh" "$D/cig/scripts/"
	PATH=$D/bin:$PATH
}
teardown() { teardown_common; }

words_after() { # COMMAND WORD...: what TAB offers for the last word
	# shellcheck disable=SC1090 # the file is named by the command
	. "$TOP/etc/bash-completion/$1"
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	"_${1//-/_}"
	echo "${COMPREPLY[*]}"
}

@test "CRS-133 CIG-052 notify.sh writes the event to the system log" {
	run -0 "$D/crs/scripts/notify.sh" crs "redis_low stopped"
	run -0 "$D/cig/scripts/notify.sh" cig-server stop
	[ "$(cat "$D/syslog")" = "-t crs -p daemon.notice -- crs: redis_low stopped
-t cig -p daemon.notice -- cig-server: stop" ]
}

# systemd cannot run here: the units' own lines, as it would run them.
@test "CIG-006 CIG-052: when one of the gateway's two services stops, its unit has notify.sh say how" {
	local unit line
	for unit in cig-server cig-relay; do
		line=$(sed -n 's/^ExecStopPost=-//p' "$TOP/etc/systemd/$unit.service.in")
		line=${line//@CIG_DIR@/$D/cig}
		SERVICE_RESULT=signal sh -c "${line//%p/$unit}"
	done
	[ "$(cat "$D/syslog")" = "-t cig -p daemon.notice -- cig-server: stop signal
-t cig -p daemon.notice -- cig-relay: stop signal" ]
}

@test "CRS-134 notify.sh runs what an administrator added" {
	printf '#!/bin/sh\necho "$1 and $2" >"%s/trap"\n' "$D" >"$D/crs/scripts/notify.d/10-snmp"
	printf '#!/bin/sh\nexit 1\n' >"$D/crs/scripts/notify.d/20-broken"
	printf 'not executable\n' >"$D/crs/scripts/notify.d/30-readme"
	chmod +x "$D"/crs/scripts/notify.d/[12]*
	run -0 "$D/crs/scripts/notify.sh" crs started
	[ "$(cat "$D/trap")" = "crs and started" ]
	grep -q "20-broken failed on crs: started" "$D/syslog"
}

@test "CRS-133 no text of an event can forge a line of the log" {
	run -0 "$D/crs/scripts/notify.sh" crs $'a\nforged: line\e[2J'
	[ "$(wc -l <"$D/syslog")" -eq 1 ]
	grep -q 'crs: aforged: line\[2J$' "$D/syslog"
}

@test "CRS-124 TAB completes actions, elements and options of crs-cli" {
	[ "$(words_after crs-cli sh)" = show ]
	[ "$(words_after cms user re)" = rekey ]
	[ "$(words_after cms --dir /x letter +46701 --format ba)" = "base64 base45" ]
	[ "$(words_after cms gateway add +8888 Name --e)" = --engines ]
	[ "$(words_after cca --store /x c)" = call ]
	[ "$(words_after cca call --codec PCM)" = "PCMU PCMA" ]
	[ "$(words_after cca answer --rej)" = --reject ]
	[ "$(words_after cra --server a --admin b stats e)" = "enable export" ]
	[ "$(words_after crs-cli show bl)" = blacklist ]
	[ "$(words_after crs-cli trace attach se)" = session ]
	[ "$(words_after crs-cli create account --)" = "--json --root --socket --help" ]
	[ "$(words_after crs-cli apply --p)" = --partial ]
	[ "$(words_after crs-cli --root /x --socket /y show up)" = updates ]
	[ "$(words_after crs-cli create sh)" = sharedSecret ]
	[ "$(words_after crs-cli health-check system --output-format '')" = "json summary tsv" ]
	[ "$(words_after crs-cli add admin-account-authorization olga acme '')" = "statistics update" ]
	[ -z "$(words_after crs-cli nonsense x)" ]
	# every action of the usage is found, verb and object
	local verb object rest
	while read -r verb object rest; do
		[ "$(words_after crs-cli "$verb")" = "$verb" ] || [[ " $(words_after crs-cli "$verb") " == *" $verb "* ]]
		[[ $object != [a-z]* || $verb == trace ]] || [[ " $(words_after crs-cli "$verb" "$object") " == *" $object "* ]]
	done < <(crs-cli --help | sed -n 's/^  \([a-z]\)/\1/p')
	mkdir -p "$D/root/accounts"
	run -0 crs-cli --root "$D/root" create account dom-1
	run -0 crs-cli --root "$D/root" create account dom_2
	[ "$(words_after crs-cli --root "$D/root" blacklist add '')" = "dom-1 dom_2" ]
	[ "$(words_after crs-cli --root "$D/root" show blacklist dom_)" = dom_2 ]
	# behind an account a user follows, and administrators are known to a crs that runs
	local words
	for words in "purge client" "stats enable" "update-notification disable" "blacklist remove" "wakeup client"; do
		[ "$(words_after crs-cli --root "$D/root" $words '')" = "dom-1 dom_2" ]
		[ -z "$(words_after crs-cli --root "$D/root" $words dom-1 '')" ]
	done
	crs-cli() { [[ "$*" == *"--json show admins" ]] && printf '[{"accounts": ["dom-1"], "name": "olga"}, {"name": "Per-1"}]\n'; }
	for words in "show admin" "show admin-accounts" "delete admin" "add admin-account" "delete admin-account-authorization"; do
		[ "$(words_after crs-cli $words '')" = "olga Per-1" ]
	done
	unset -f crs-cli
	[ "$(words_after crs-cli --root "$D/root" add admin-account olga '')" = "dom-1 dom_2" ]
	[ -z "$(words_after crs-cli --root "$D/root" add admin-account olga dom-1 '')" ]
	[ -z "$(words_after crs-cli add admin-account-authorization olga dom-1 update '')" ]
}

@test "TAB completes actions of cig-cli" {
	[ "$(words_after cig-cli show '')" = "call center message umsg" ]
	[ "$(words_after cig-cli trace '')" = "call sip" ]
	[ "$(words_after cig-cli read --)" = --json ]
	[ "$(words_after cig-cli show call --l)" = --long ]
	[ "$(words_after cig-cli st)" = status ]
	[ "$(words_after cig-cli '' | tr ' ' '\n')" = "$(cig-cli help | sed -n 's/^  \([a-z-]\+\)\( \|$\).*/\1/p' | sort)" ]
	[ "$(words_after cig-cli --config x.conf sh)" = show ]
	[ "$(words_after cig-cli route --e)" = --explain ]
	cd "$D" && touch new.conf
	[ "$(words_after cig-cli read new)" = new.conf ]
	[ "$(words_after cig-cli --config new)" = new.conf ]
}

# The commands of a program's help: a line each, "WORD [WORD|WORD...] OPTIONS...".
commands_of() { # PROGRAM
	"$1" --help | awk '
		/^      +[^ ]/ && line { line = line $0; next }                 # the command goes on
		{ if (line) print line; line = "" }
		/^  [a-z]/ {
			rest = $0
			if (!sub(/^  [^ ]+  +[a-z].*/, "", rest)) {             # only what it does
				sub(/^ *[^ ]+ +/, "", rest)
				sub(/  .*/, "", rest)
			}
			line = $1 " " rest
		}
		/^$|^[A-Za-z]/ { if (seen && !/ommands?:/) exit }               # what follows are no commands
		line { seen = 1 }
		END { if (line) print line }'
}

offers() { # WORD COMMAND WORD...: is it among what TAB offers?
	local word=$1
	shift
	[[ " $(words_after "$@") " == *" $word "* ]] || { echo "$* <TAB> does not offer $word: $(words_after "$@")"; return 1; }
}

@test "CRS-124 TAB completes every command and option that the help of a program names" {
	local program first rest second option n=0
	for program in cig-cli crs-cli cca cms cra; do
		while read -r first rest; do
			offers "$first" "$program" ''
			second=
			[[ $rest =~ ^([a-z][a-z|-]*)( |\.|$) ]] && second=${BASH_REMATCH[1]}
			# "show call|message" says two commands.
			for second in ${second//|/ } ''; do
				[ -z "$second" ] || offers "$second" "$program" "$first" ''
				for option in $(grep -oE '(^|[[ |])--?[A-Za-z][a-z-]*' <<<"$rest" | tr -d '[ |'); do
					[ -z "$second" ] && [[ $rest =~ ^[a-z] ]] ||
						offers "$option" "$program" "$first" $second -
				done
			done
			n=$((n + 1))
		done < <(commands_of "$program")
	done
	[ "$n" -ge 70 ] # the help is read
	# the options of a call have a list of their own
	for option in $(cca --help | sed -n '/^Call options:/,/^$/s/^  \(--[a-z]*\).*/\1/p'); do
		offers "$option" cca call -
		offers "$option" cca answer -
	done
	[ "$option" = --hangup ]
}

@test "TAB completes directories and groups of create_cig_maildir" {
	mkdir -p "$D/mail/of-the-gateway"
	[ "$(words_after create_cig_maildir "$D/mail/of")" = "$D/mail/of-the-gateway" ]
	[ "$(words_after create_cig_maildir --g)" = --group ]
	[ "$(words_after create_cig_maildir --)" = "--group --help --version" ]
	[ "$(words_after create_cig_maildir --group roo)" = root ]
	[ "$(words_after create_cig_maildir --)" = "--group --help --version" ]
}

@test "bash finds the completion of every program that is installed for people" {
	local program
	for program in cig-cli crs-cli cca cms cra create_cig_maildir; do
		grep -q "bash-completion/$program\( \|$\)" "$TOP/etc/local.mk"
		[ "$(bash -c '. "$1"; complete -p "$2"' - "$TOP/etc/bash-completion/$program" "$program")" = \
			"complete -F _${program//-/_} $program" ]
	done
}

@test "logrotate accepts its files" {
	needs logrotate
	local file
	for file in cig crs; do
		cp "$TOP/etc/logrotate/$file" "$D/$file.conf"
		chmod 644 "$D/$file.conf"
		# the users need not exist here
		sed -i -E "/^\\s*(su|create) /d" "$D/$file.conf"
		run -0 logrotate -d -s "$D/state" "$D/$file.conf"
		[[ $output != *error:* ]]
	done
}

@test "logrotate moves the logs away and has the services open them anew" {
	needs logrotate
	local name
	mkdir -p "$D/log"
	printf '#!/bin/sh\necho "$*" >>"%s/asked"\n' "$D" >"$D/bin/systemctl"
	chmod +x "$D/bin/systemctl"
	for name in cig.log relay.log session.log calls.jsonl crs.log crs_relay.log redis_low.log; do
		echo line >"$D/log/$name"
		chmod 640 "$D/log/$name"
	done
	for name in cig crs; do # the users need not exist here
		sed -E "/^\\s*su /d; s,^(\\s*create 0640).*,\\1,; s,/var/log/(cig|crs)/,$D/log/,g" "$TOP/etc/logrotate/$name" >"$D/$name.conf"
		chmod 644 "$D/$name.conf"
	done
	sed -i "s,$D/log/\*\.log,$D/log/cig.log $D/log/relay.log $D/log/session.log," "$D/cig.conf"
	chmod 755 "$D" "$D/log"
	run -0 logrotate -f -s "$D/state" "$D/cig.conf" "$D/crs.conf"
	for name in cig.log relay.log session.log calls.jsonl crs.log crs_relay.log redis_low.log; do
		[ "$(cat "$D/log/$name".1*)" = line ] || [ "$(zcat "$D/log/$name".1.gz)" = line ]
		[ ! -s "$D/log/$name" ]
	done
	[ "$(cat "$D/asked")" = "kill -s HUP --kill-who=main cig-server.service cig-relay.service
kill -s HUP --kill-who=main crs.service crs_relay.service" ]
}

@test "systemd accepts the units" {
	needs systemd-analyze
	local program unit
	for program in cig-server cig-relay crs crs-relay; do
		printf '#!/bin/sh\n' >"$D/bin/$program"
		chmod +x "$D/bin/$program"
	done
	for unit in cig-server cig-relay crs crs_relay; do
		unit_file "$unit" >"$D/$unit.service"
	done
	run -0 systemd-analyze verify --man=no "$D"/*.service
	[ -z "$output" ]
}

unit_file() { # UNIT: as it is installed, but for the programs, which are in $D/bin
	sed "s,@bindir@,$D/bin,; s,@CIG_DIR@,/opt/cig,; s,@CIG_RUN_DIR@,/run/cig,; s,@CIG_LOG_DIR@,/var/log/cig,
		s,@CRS_DIR@,/opt/crs,; s,@CRS_LOG_DIR@,/var/log/crs," "$TOP/etc/systemd/$1.service.in"
}

@test "CIG-051 the services run as plain users, and are shut in: exposure 2.0 or better" {
	needs systemd-analyze
	local unit
	for unit in cig-server cig-relay crs crs_relay; do
		unit_file "$unit" >"$D/$unit.service"
		run -0 systemd-analyze security --offline=yes --threshold=20 "$D/$unit.service"
	done
	grep -qx User=ciguser "$D/cig-server.service"
	grep -qx User=ciguser "$D/cig-relay.service"
	grep -qx AmbientCapabilities=CAP_NET_BIND_SERVICE "$D/crs_relay.service" # I-32: port 146
}

@test "systemd makes users and directories" {
	needs systemd-sysusers systemd-tmpfiles
	run -0 systemd-sysusers --dry-run "$TOP/etc/systemd/sysusers.conf"
	mkdir -p "$D/host/etc"
	local user # whoever runs this stands for all of them
	for user in ciguser crsuser; do
		echo "$user:x:$(id -u):$(id -g)::/:" >>"$D/host/etc/passwd"
	done
	for user in ciguser crsadmin; do echo "$user:x:$(id -g):" >>"$D/host/etc/group"; done
	sed 's/root  *root/- -/' "$TOP/etc/systemd/tmpfiles.conf" >"$D/tmpfiles.conf"
	run -0 systemd-tmpfiles --create --root="$D/host" "$D/tmpfiles.conf"
	[ "$(cd "$D/host" && stat -c '%a %n' opt/cig/userdata opt/crs/accounts var/log/crs)" = \
		"750 opt/cig/userdata
750 opt/crs/accounts
750 var/log/crs" ]
}

@test "crs accepts its sample configuration" {
	cp "$TOP/etc/crs.conf.sample" "$D/crs/crs.conf"
	cp "$TOP/etc/crs-local.conf.sample" "$D/crs/crs-local.conf"
	run -0 crs --root "$D/crs" -n
	[[ $output == *"crs.conf:"*"warning: the key is still the sample's: put in what \"crs-cli create sharedSecret\" prints" ]]
	[ "${#lines[@]}" -eq 1 ]
	sed -i "s|REPLACE-ME|$(crs-cli create sharedSecret)|" "$D/crs/crs.conf"
	run -0 crs --root "$D/crs" -n
	[ -z "$output" ]
}
