# holdings.bash - what the processes of a lab hold, before and after.  Load helpers and lab
# first; who loads it has a function fault TEXT, and CALLS.

programs() { # NAME PID of all that stay
	echo "cig-server $LAB_CIG_SERVER"
	echo "cig-sip $(pgrep -P "$LAB_CIG_SERVER" -x cig-sip)"
	echo "cig-relay $LAB_CIG_RELAY"
	echo "crs $LAB_CRS"
	pgrep -P "$LAB_CRS" -f -- --worker | sed 's/^/worker /'
	echo "crs-relay $LAB_CRS_RELAY"
}

holdings() { # "NAME PID DESCRIPTORS PORTS KIBIBYTES" a line
	local name pid
	while read -r name pid; do
		echo "$name $pid $(find "/proc/$pid/fd" -mindepth 1 | wc -l) $(ports "$pid") $(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")"
	done < <(programs)
}

ports() { # PID: how many it is bound to, TCP and UDP
	ss -Hlntup | grep -c "pid=$1,"
}

# Descriptors and ports the same, memory not half as much again.  After few calls memory means
# nothing, and not every media thread may have made its socket towards the rendezvous.
compare() { # BEFORE AFTER [few]
	local name pid fds ports kib before_fds before_ports before_kib
	local slack=0
	[ "${3:-}" != few ] || slack=$(nproc)
	echo "after $CALLS calls (after $((CALLS / 10)) of them)"
	while read -r name pid fds ports kib; do
		read -r _ _ before_fds before_ports before_kib < <(grep "^$name $pid " "$1") ||
			{ fault "$name was started again"; continue; }
		printf '%-10s %5d descriptors (%d)  %3d ports (%d)  %7d KiB (%d)\n' "$name" \
			"$fds" "$before_fds" "$ports" "$before_ports" "$kib" "$before_kib"
		[ "$fds" -le $((before_fds + 2 + slack)) ] || fault "$name holds $fds descriptors, $before_fds before"
		[ "$ports" -le $((before_ports + slack)) ] || fault "$name holds $ports ports, $before_ports before"
		[ "${3:-}" = few ] || [ "$kib" -le $((before_kib * 3 / 2)) ] ||
			fault "$name takes $kib KiB, $before_kib before"
	done <"$2"
}
