#!/bin/sh
# Runs a generator, any program that prints events, with its standard output redirected into a FIFO
# of its own, and runs it again when it fails.
#
#   this script ── fd 3, opened read-write, held for life ──▶ FIFO ──▶ consumer
#     └─ generator, in a session of its own ── stdout ──────▶
#
# - Holding the FIFO open keeps what is in the pipe while a consumer restarts, and lets the generator
#   block instead of dying of SIGPIPE.
# - Each run opens the FIFO anew and does not get fd 3: a program that makes its standard output
#   non-blocking, as Node does, would change every duplicate of it as well.
# - Each run starts with an LF, so that the torn last line of a killed run cannot glue itself to the
#   next run's first. The child writes it: when the pipe is full, this script must not block.
# - A shell puts a trap off until its foreground child has ended: so children run in the background.
set -u

say() { printf 'producer: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

BACKOFF_SECONDS_MAX=30
# A run this long was a healthy one: the next failure starts again with the shortest wait.
HEALTHY_SECONDS=60

case ${1-} in -h | --help)
  cat <<'EOF'
Usage: entrypoint.sh [command [argument…]]

Runs the command, or else GENERATOR_CMD (a shell command line), or else the bundled generator, with
its standard output redirected into the FIFO $FIFO_DIR/events-$PRODUCER_NAME.fifo. A command that
fails is run again after 1, 2, 4, … 30 s. One that ends with 0 is not; the FIFO is held open until
SIGTERM or SIGINT.

  FIFO_DIR       folder of the FIFO, made if missing (default: run)
  PRODUCER_NAME  name of this producer (default: the host's name)
  GENERATOR_CMD  command line to run when no command is given
  WHEN_FULL      when the FIFO is full: block, drop_newest or drop_oldest (default: block); for the
                 last two BUFFER_EVENTS and RELAY_INTERVAL_MS, see node dist/relay.js --help
  PIPE_BYTES     what the FIFO holds, where there is perl and as far as the kernel allows; it is never
                 made smaller than it is (default: 524288)
EOF
  exit 0 ;;
esac

here=$(dirname -- "$0")
name=${PRODUCER_NAME:-$(uname -n)}
case $name in */*) die "PRODUCER_NAME is '$name', but a name cannot contain a /" ;; esac
dir=${FIFO_DIR:-run}
# A name that starts with - would be taken for an option.
case $dir in /*) ;; *) dir=./$dir ;; esac
fifo=$dir/events-$name.fifo

pipe_bytes=${PIPE_BYTES:-524288}
case $pipe_bytes in
  *[!0-9]* | ??????????*) die "PIPE_BYTES is '$pipe_bytes', but must be a whole number below 1000000000" ;;
esac

# What a run is: the generator, or, where it must not be blocked, the generator with a relay behind
# it, whose end is waited for, and the generator's exit code.
case ${WHEN_FULL:-block} in
  block) run='printf "\n"; exec "$@"' ;;
  drop_newest | drop_oldest)
    export RELAY="$here/dist/relay.js"
    node "$RELAY" --check || exit 1
    # A relay that fails counts too: some generators end with 0 when their output closes.
    run='exec 4>&1; code=$({ { "$@" 3>&- 4>&-; echo $? >&3; } |
      node "$RELAY" --begin-with-lf >&4 3>&- 4>&-; } 3>&1) || code=$?; exit "${code:-1}"'
    ;;
  *) die "WHEN_FULL is '$WHEN_FULL', but must be block, drop_newest or drop_oldest" ;;
esac

if [ $# -eq 0 ] && [ -z "${GENERATOR_CMD:-}" ]; then set -- node "$here/dist/generator.js"; fi
shown=${*:-${GENERATOR_CMD-}}
if [ $# -eq 0 ]; then set -- sh -c "$GENERATOR_CMD"; fi
# A program's own buffer would hand on its lines some 4 KiB at a time, minutes late at a low rate.
export PYTHONUNBUFFERED=1
if command -v stdbuf >/dev/null; then set -- stdbuf -oL -- "$@"; fi
set -- sh -c "$run" sh "$@"
own_session=
if command -v setsid >/dev/null; then own_session=yes && set -- setsid "$@"; fi

# Before each run, so that a FIFO that somebody removed is made again: the redirection would make a
# file of it, which grows until the disk is full.
hold_fifo() {
  mkdir -p "$dir" 2>/dev/null ||
    die "cannot make the folder $dir; set FIFO_DIR to a folder that this user may write to"
  if [ ! -p "$fifo" ]; then
    if [ -e "$fifo" ] || [ -L "$fifo" ]; then
      die "$fifo is there, but is no FIFO; remove it, or set another PRODUCER_NAME or FIFO_DIR"
    fi
    # Two may start at once: the one that comes second finds the FIFO made.
    problem=$(mkfifo "$fifo" 2>&1) || [ -p "$fifo" ] ||
      die "$problem; set FIFO_DIR to a folder that this user may write to and whose file system" \
        'has FIFOs (a volume, not a folder shared from a macOS host)'
  fi
  # In a subshell first: a failing redirection of `exec` ends the shell with a message of its own.
  (exec 3<>"$fifo") 2>/dev/null ||
    die "cannot open $fifo for reading and writing; give it to this user, or remove it"
  exec 3<>"$fifo"
  if command -v perl >/dev/null; then
    problem=$(perl "$here/set-pipe-size.pl" "$pipe_bytes" 2>&1 <&3 3<&-) ||
      say "the pipe cannot be given PIPE_BYTES ($pipe_bytes): $problem"
  fi
}

# The shell gives background commands /dev/null for standard input; a generator may want ours.
if (exec 4<&0) 2>/dev/null; then exec 4<&0; else exec 4</dev/null; fi

child=    # process id of the generator, its group's too where there is setsid, or of a sleep
stopping= # set by a signal
at_once=  # set by a second one

# A signal to the child with all the processes that it started. Fails when there are none left.
signal_group() { [ -n "$child" ] && kill -s "$1" -- "${own_session:+-}$child" 2>/dev/null; }

# For `kill` zombies are processes too, and not every init takes them away.
group_lives() {
  signal_group 0 && { [ ! -r /proc/self/stat ] ||
    cat /proc/[0-9]*/stat 2>/dev/null | grep -q ") [^XZ] [0-9]* $child "; }
}

# Without a group yet it has not begun; a fresh fork still has our trap, and could lose a SIGTERM.
end_child() { signal_group TERM || kill -s KILL "$child" 2>/dev/null; }

stop() {
  at_once=$stopping
  stopping=yes
  end_child
}
trap stop TERM INT HUP

# A trapped signal ends a `wait`, and is passed on to the child: the second one is for its end.
wait_for_child() {
  child=$!
  if [ -n "$stopping" ]; then end_child; fi # it came before the child's id was known
  wait "$child" 2>/dev/null # without the line by which some shells tell of a signal
  status=$?
  if [ -n "$stopping" ] && [ -z "$at_once" ]; then wait "$child" 2>/dev/null; fi
}

pause() {
  if [ -n "$own_session" ]; then set -- setsid sleep "$1"; else set -- sleep "$1"; fi
  "$@" 3<&- 4<&- >/dev/null &
  wait_for_child
}

# What a generator started and left behind must not write on beside the next run. When all is to end,
# a shell is often gone before what it runs, which has been told too and has the time that it takes.
end_leftovers() {
  while [ -n "$stopping" ] && [ -z "$at_once" ] && group_lives; do sleep 0.1; done
  if signal_group TERM; then
    for _ in 1 2 3; do
      sleep 0.1
      group_lives || return 0
    done
    signal_group KILL
  fi
}

backoff_seconds=1
while [ -z "$stopping" ]; do
  hold_fifo
  started=$(date +%s)
  (exec 3<&- <&4 4<&- >"$fifo" && exec "$@") &
  wait_for_child
  if [ -z "$stopping" ] && [ "$status" -eq 0 ]; then
    say 'the generator ended with exit code 0; the FIFO is held open until SIGTERM'
    generator=$child
    while [ -z "$stopping" ]; do pause 86400; done
    child=$generator
    signal_group TERM
  fi
  end_leftovers
  if [ -n "$stopping" ]; then break; fi

  if [ $(($(date +%s) - started)) -ge $HEALTHY_SECONDS ]; then backoff_seconds=1; fi
  case $status in
    126) how="cannot be executed (exit code 126): $shown" ;;
    127) how="was not found (exit code 127): $shown" ;;
    *)
      how="failed with exit code $status"
      if [ "$status" -gt 128 ] && signal=$(kill -l "$status" 2>/dev/null); then
        how="was ended by signal $signal (exit code $status)"
      fi
      ;;
  esac
  say "the generator $how; it runs again in $backoff_seconds s"
  pause $backoff_seconds
  backoff_seconds=$((backoff_seconds * 2))
  if [ $backoff_seconds -gt $BACKOFF_SECONDS_MAX ]; then backoff_seconds=$BACKOFF_SECONDS_MAX; fi
done
