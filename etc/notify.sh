#!/bin/sh
# notify.sh UNIT EVENT - runs at every system event of the CIG or the CRS.
#
# It writes the event to the system log.  For anything else (SNMP traps, mail, ...)
# put programs into notify.d beside this file: each is run with UNIT and EVENT, for
# 30 seconds at most.  An upgrade replaces this file and leaves notify.d alone.

clean() { # one line, without controls
	printf '%s' "${1:-unknown}" | tr -d '[:cntrl:]' | cut -c 1-500
}
unit=$(clean "$1")
event=$(clean "$2")
here=$(cd "$(dirname "$0")" && pwd) || exit 1

case $here in
*/crs/*) tag=crs ;;
*) tag=cig ;;
esac
logger -t "$tag" -p daemon.notice -- "$unit: $event"

for program in "$here"/notify.d/*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	timeout -k 5 30 "$program" "$unit" "$event" </dev/null ||
		logger -t "$tag" -p daemon.warning -- "$program failed on $unit: $event"
done
exit 0
