# holdings.bash - what the processes of a lab hold, before and after.  Load helpers and lab
# first; who loads it has a function fault TEXT.

programs() { # NAME PID of all that stay
	echo "cig-server $LAB_CIG_SERVER"
	echo "cig-sip $(pgrep -P "$LAB_CIG_SERVER" -x cig-sip)"
	echo "cig-relay $LAB_CIG_RELAY"
	echo "crs $LAB_CRS"
	pgrep -P "$LAB_CRS" -f -- --worker | sed 's/^/worker /'
	echo "crs-relay $LAB_CRS_RELAY"
}

holdings() { # "NAME PID DESCRIPTORS KIBIBYTES" a line
	local name pid
	while read -r name pid; do
		echo "$name $pid $(find "/proc/$pid/fd" -mindepth 1 | wc -l) $(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")"
	done < <(programs)
}

compare() { # BEFORE AFTER [few]: descriptors the same, memory (of few calls it means nothing) not half as much again
	local name pid fds kib before_fds before_kib
	while read -r name pid fds kib; do
		read -r _ _ before_fds before_kib < <(grep "^$name $pid " "$1") || { fault "$name was started again"; continue; }
		printf '%-10s %5d descriptors (%d)  %7d KiB (%d)\n' "$name" "$fds" "$before_fds" "$kib" "$before_kib"
		[ "$fds" -le $((before_fds + 2)) ] || fault "$name holds $fds descriptors, $before_fds before"
		[ "${3:-}" = few ] || [ "$kib" -le $((before_kib * 3 / 2)) ] || fault "$name takes $kib KiB, $before_kib before"
	done <"$2"
}
