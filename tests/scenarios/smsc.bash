# smsc.bash - message centers for the scenarios: the npm package "smpp" in processes of its
# own (tests/peers/smsc.js).  Load helpers first.
#
#   smsc_install               the package in $BUILD/peers; fails with SMSC_WHY set
#   smsc_start NAME [KEY CERT] a center on SMSC_PORT[NAME], its events in $D/NAME.log
#   smsc NAME JSON             tells it something, and waits until it is done
#   smsc_events NAME JQ        what it told, by a filter of jq, since smsc_mark
#   smsc_mark                  the test begins here

declare -gA SMSC_PORT SMSC_MARK

smsc_install() { # npm ci, once for a build directory
	local dir=$BUILD/peers
	[ ! -d "$dir/node_modules/smpp" ] || return 0
	SMSC_WHY="nodejs and npm are not installed"
	command -v node >/dev/null && command -v npm >/dev/null || return 1
	mkdir -p "$dir" && cp "$TOP/tests/peers/package.json" "$TOP/tests/peers/package-lock.json" "$dir/" || return 1
	SMSC_WHY="npm cannot fetch the package smpp (tests/peers/package.json)"
	timeout 120 npm ci --prefix "$dir" --no-audit --no-fund >"$dir/npm.log" 2>&1 </dev/null 3>&-
}

smsc_start() { # NAME [KEY CERTIFICATE]
	[ -n "${SMSC_PORT[$1]:-}" ] || { free_port && SMSC_PORT[$1]=$PORT; }
	[ -p "$D/$1.in" ] || mkfifo "$D/$1.in"
	SMPP_MODULE=$BUILD/peers/node_modules/smpp \
		start "$D/$1.log" node "$TOP/tests/peers/smsc.js" "${SMSC_PORT[$1]}" "$D/$1.in" "${@:2}"
	await 10 "message center $1" in_log "$D/$1.log" '"event":"listening"'
}

smsc_done() { # NAME COUNT: has it done so many commands?
	[ "$(grep -c '^{"event":"done"}$' "$D/$1.log")" -gt "$2" ]
}

smsc() { # NAME JSON
	local n
	n=$(grep -c '^{"event":"done"}$' "$D/$1.log") || : # none yet is no fault
	# a FIFO whose reader has died would keep its writer for ever
	timeout 10 bash -c 'printf "%s\n" "$1" >"$2"' smsc "$2" "$D/$1.in"
	await 5 "center $1 to take a command" smsc_done "$1" "$n"
}

smsc_mark() {
	local name
	for name in "${!SMSC_PORT[@]}"; do SMSC_MARK[$name]=$(wc -l <"$D/$name.log"); done
}

smsc_events() { # NAME JQ
	tail -n "+$((${SMSC_MARK[$1]:-0} + 1))" "$D/$1.log" | jq -c "$2"
}

smsc_has() { # NAME JQ_CONDITION [COUNT]: are there at least so many such events?
	[ "$(smsc_events "$1" "select($2)" | wc -l)" -ge "${3:-1}" ]
}
