# helpers.bash - start programs, wait for conditions, end what was started.
#
# BUILD is the build directory, TOP the source; `check` sets them.  Every test
# has its directory $D; every wait has a limit and a condition.
#
# "! COMMAND" and the left side of "&&" end no test that goes on behind them (errexit exempts
# both): write "! COMMAND || false", and two lines instead of "&&".

TOP=${TOP:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
BUILD=${BUILD:-$TOP/build-check}
PATH=$BUILD/gateway:$BUILD/rendezvous:$BUILD/management:$BUILD/caller:$BUILD/tests/tools:$PATH
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} TOP BUILD
bats_require_minimum_version 1.5.0

declare -ga STARTED=()

setup_common() { # in setup()
	D=$BATS_TEST_TMPDIR
	TICK=$D/tick
	mkfifo "$TICK"
}

teardown_common() { # in teardown(): what ran is ended, its logs are shown after a failure
	stop_all
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_logs
}

show_logs() {
	local log
	for log in "$D"/*.log "$D"/*/log/*.log; do
		[ -s "$log" ] || continue
		echo "--- ${log#"$D"/} (last lines)"
		tail -n 40 "$log"
	done
}

show_ends() { # DIRECTORY...: of every small file there; $TICK, a fifo, would be read for ever
	find "$@" -maxdepth 1 -type f -size -100k -exec tail -n 20 {} +
}

start() { # LOG COMMAND...: runs in the background, its pid in $STARTED_PID
	local log=$1
	shift
	# Before anybody looks: what an earlier program has said there would be taken for this one's.
	: >"$log"
	# Descriptor 3 is bats's own: a program that keeps it makes bats wait for ever.
	"$@" >"$log" 2>&1 3>&- </dev/null &
	STARTED_PID=$!
	STARTED+=("$STARTED_PID")
}

pause() { # [MILLISECONDS]: in which nothing comes; 20 are as short as a wait can be
	local s
	printf -v s '%d.%03d' $((${1:-20} / 1000)) $((${1:-20} % 1000))
	read -rt "$s" <>"$TICK" || :
}

# What is asked is often a program, and asking costs a processor that the answer needs: after a
# second it is asked less often, at most a twentieth of the time later than it could be.
await() { # SECONDS WHAT COMMAND...: until the command succeeds; fails, naming WHAT, at the limit
	local end=$((SECONDS + $1)) what=$2 began=${EPOCHREALTIME/[.,]/} ms
	shift 2
	until "$@" >/dev/null 2>&1; do
		((SECONDS <= end)) || {
			echo "waited in vain for $what" >&2
			return 1
		}
		ms=$(((${EPOCHREALTIME/[.,]/} - began) / 20000))
		pause $((ms < 20 ? 20 : ms > 200 ? 200 : ms))
	done
}

listening() { # PORT [ADDRESS]: does somebody accept on TCP?
	(exec 9<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null
}

running() { # PID
	kill -0 "$1" 2>/dev/null
}

stopped() { # PID
	! running "$1"
}

in_log() { # FILE REGEX
	grep -aqE -- "$2" "$1"
}

files_in() { # DIRECTORY COUNT: does it hold exactly so many files?
	[ "$(find "$1" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$2" ]
}

stop() { # PID [SIGNAL]: ends one program; its exit status is in $STOPPED_STATUS
	local p left=() end=$((SECONDS + 20))
	kill -"${2:-TERM}" "$1" 2>/dev/null || :
	while running "$1"; do
		if ((SECONDS > end)); then
			echo "$1 did not end: $(ps -o stat=,wchan=,args= -p "$1")" >&2
			kill -KILL "$1"
			break
		fi
		pause
	done
	STOPPED_STATUS=0
	wait "$1" 2>/dev/null || STOPPED_STATUS=$?
	for p in "${STARTED[@]}"; do [ "$p" = "$1" ] || left+=("$p"); done
	STARTED=("${left[@]}")
}

stop_all() { # TERM to all, KILL to what is still there after 5 s
	local p end=$((SECONDS + 5))
	for p in "${STARTED[@]}"; do kill "$p" 2>/dev/null; done
	for p in "${STARTED[@]}"; do
		while running "$p" && ((SECONDS < end)); do pause; done
		kill -KILL "$p" 2>/dev/null
		kill -KILL -- "-$p" 2>/dev/null || : # what is left of a group that it led
		wait "$p" 2>/dev/null || :
	done
	STARTED=()
}

set_clock() { # FILE SECONDS: so far both times of who runs with --now FILE are ahead (base/clock.h)
	python3 - "$1" "$2" <<-'P'
		import os, struct, sys
		fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
		ms = int(float(sys.argv[2]) * 1000)
		os.pwrite(fd, struct.pack("=qq", ms, ms), 0)
	P
}

needs() { # PROGRAM...: skips the test where one is not installed
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# Three files of scenarios may run at once: each has its lane, with ports and addresses of its own.
LAB_LANE=${LAB_LANE:-0}

free_port() { # a TCP port of 127.0.0.1 that nobody uses now, in $PORT
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		PORT=$((20000 + LAB_LANE * 4000 + RANDOM % 4000))
		listening $PORT || return 0
	done
	echo "no free port" >&2
	return 1
}
