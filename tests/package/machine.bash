# machine.bash - a machine of name spaces: systemd as process 1 of a Debian's directory, with
# processes, mounts, network and control groups of its own, and a second host in its network.
#
#   machine_missing              what this computer does not allow, or nothing
#   machine_boot ROOT NAME FILE  what the others need to know of it goes into FILE
#   machine_found FILE           takes that up in another shell
#   on COMMAND...                on the machine, as root, by its own programs
#   far COMMAND...               the same, at the other host: same files, another address
#   far_ours COMMAND...          a program of this computer at the other host
#   machine_off                  systemd ends everything; machine_gone NAME does so by force
#
# Load ../scenarios/helpers.bash first.  What is outside is not changed: kernel settings are
# read-only in there, and systemd sees no control group but its own.

MACHINE_IP=192.0.2.1 FAR_IP=192.0.2.2 # RFC 5737

machine_hierarchy() { # where control groups of version 2 are, alone or beside version 1
	awk '$3 == "cgroup2" && $4 ~ /(^|,)rw/ { print $2; exit }' /proc/mounts
}

machine_missing() {
	local program
	[ "$(id -u)" -eq 0 ] || { echo "root"; return; }
	for program in unshare nsenter setpriv ip pgrep; do
		command -v $program >/dev/null || { echo "the program $program"; return; }
	done
	[ -w "$(machine_hierarchy)/cgroup.procs" ] || { echo "a writable hierarchy of cgroup2"; return; }
	unshare --cgroup --fork --pid --mount --uts --ipc --net --mount-proc true 2>/dev/null ||
		{ echo "the right to make name spaces"; return; }
	unshare --net ip link add a0 type veth peer name a1 2>/dev/null || echo "veth devices"
}

# Process 1 before systemd.  Anything here that fails ends it.
machine_inside() { # ROOT
	set -e
	mount --make-rprivate /
	mount --bind "$1" "$1"
	cd "$1"
	mount -t proc proc proc
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys # the kernel is everybody's
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=1777 tmpfs tmp
	mount -t tmpfs -o mode=755 tmpfs dev
	local node
	for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
		mknod -m 666 dev/${node/ / c }
	done
	touch dev/outside # what PrivateDevices= hides
	mkdir dev/pts dev/shm run/outside
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
	mount -t tmpfs tmpfs dev/shm
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s /proc/self/fd/0 dev/stdin
	ln -s /proc/self/fd/1 dev/stdout
	ln -s /proc/self/fd/2 dev/stderr
	hostname tandem
	ip link set lo up
	pivot_root . run/outside
	umount -l /run/outside
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=tandem \
		setpriv --bounding-set -sys_module,-sys_time /lib/systemd/systemd --log-target=journal
}

machine_is_up() {
	[ "$(cat "/proc/$MACHINE/comm")" = systemd ] && on systemctl is-system-running | grep -qE 'running|degraded'
}

machine_has_child() { # PID: in $MACHINE
	MACHINE=$(pgrep -P "$1")
}

other_network() { # PID: has it left ours?
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

machine_boot() { # ROOT NAME FILE
	local group holder
	group=$(machine_hierarchy)/$2
	mkdir -p "$group"
	(echo "$BASHPID" >"$group/cgroup.procs" && exec unshare --cgroup --fork --kill-child --pid --mount --uts --ipc --net \
		bash -c "$(declare -f machine_inside); machine_inside '$1'") >"$3.log" 2>&1 3>&- </dev/null &
	holder=$!
	(echo "$BASHPID" >"$group/cgroup.procs" && exec unshare --net tail -f /dev/null) >/dev/null 2>&1 3>&- </dev/null &
	FAR=$!
	await 10 "process 1" machine_has_child $holder && await 10 "the other host" other_network $FAR &&
		await 90 "systemd" machine_is_up || { cat "$3.log" >&2; return 1; }
	nsenter -t "$MACHINE" -n ip link add near type veth peer name far netns $FAR || return
	nsenter -t "$MACHINE" -n sh -c "ip addr add $MACHINE_IP/24 dev near && ip link set near up" &&
		nsenter -t $FAR -n sh -c "ip link set lo up && ip addr add $FAR_IP/24 dev far && ip link set far up" || return
	echo "MACHINE=$MACHINE FAR=$FAR HOLDER=$holder" >"$3"
}

machine_found() { # FILE
	source "$1"
}

MACHINE_ENV=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive)

on() { # COMMAND...
	nsenter -t "$MACHINE" -m -u -i -n -p -C "${MACHINE_ENV[@]}" "$@"
}

far() { # COMMAND...
	nsenter -t "$MACHINE" -m -u -i -p -C --net="/proc/$FAR/ns/net" "${MACHINE_ENV[@]}" "$@"
}

far_ours() { # COMMAND...
	nsenter -t "$FAR" -n "$@"
}

machine_off() { # as the button does it
	kill -RTMIN+4 "$MACHINE"
	await 60 "the machine's end" stopped "$HOLDER" || return
	kill "$FAR"
}

machine_gone() { # NAME: nothing of it is left
	local group
	group=$(machine_hierarchy)/$1
	[ -d "$group" ] || return 0
	echo 1 >"$group/cgroup.kill"
	await 20 "the end of $1" group_removed "$group"
}

group_removed() { # DIRECTORY
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$1" ]
}
