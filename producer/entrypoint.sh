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
#   non-blocking changes the open file description, and with it every duplicate. Node does, and a
#   killed Node leaves it so.
# - Each run starts with an LF, so that the torn last line of a killed run cannot glue itself to the
#   next run's first. The child writes it: when the pipe is full, this script must not be the one
#   that blocks.
# - What takes long runs in the background and is waited for: a shell puts a trap off until its
#   foreground child has ended.
# - A signal is passed on as SIGTERM, and this script ends when the generator has; a second one ends
#   a generator that does not listen.
set -u

# Until there is something to end.
trap 'exit 0' TERM INT HUP

usage() {
  cat <<'EOF'
Usage: entrypoint.sh [command [argument…]]

Runs the command, or else GENERATOR_CMD (a shell command line), or else the bundled generator, with
its standard output redirected into the FIFO $FIFO_DIR/events-$PRODUCER_NAME.fifo. A command that
fails is run again after 1, 2, 4, … 30 s. One that ends with 0 is not; the FIFO is held open until
SIGTERM or SIGINT.

  FIFO_DIR       folder of the FIFO, made if missing (default: run)
  PRODUCER_NAME  name of this producer (default: the host's name)
  GENERATOR_CMD  command line to run when no command is given
EOF
}

say() { printf 'producer: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

BACKOFF_SECONDS_MAX=30
# A run this long was a healthy one: the next failure starts again with the shortest wait.
HEALTHY_SECONDS=60

case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
esac

name=${PRODUCER_NAME-$(uname -n)}
dir=${FIFO_DIR:-run}
here=$(dirname -- "$0")

case $name in
  '') die 'PRODUCER_NAME is empty; give the producer a name, or unset it for the name of the host' ;;
  */*) die "PRODUCER_NAME is '$name', but a name cannot contain a /" ;;
esac
case $dir in
  /* | ./* | ../*) ;;
  # A name that starts with - would be taken for an option.
  *) dir=./$dir ;;
esac
fifo=$dir/events-$name.fifo

# Before each run, so that a FIFO that somebody removed is made again: the generator's own `>` would
# make a regular file of it, which grows until the disk is full. Opening anew does not let go of the
# one that was held until the new one is there, so nothing in the pipe is lost.
hold_fifo() {
  mkdir -p "$dir" 2>/dev/null ||
    die "cannot make the folder $dir; set FIFO_DIR to a folder that this user may write to"
  if [ ! -p "$fifo" ]; then
    if [ -e "$fifo" ] || [ -L "$fifo" ]; then
      die "$fifo is there, but is no FIFO; remove it, or set another PRODUCER_NAME or FIFO_DIR"
    fi
    # Two may start at once: the one that comes second finds the FIFO made.
    mkfifo "$fifo" 2>/dev/null || [ -p "$fifo" ] ||
      die "cannot make a FIFO in $dir; set FIFO_DIR to a folder that this user may write to and" \
        'whose file system has FIFOs (a volume, not a folder shared from a macOS host)'
  fi
  # In a subshell first: a failing redirection of `exec` ends the shell with a message of its own.
  (exec 3<>"$fifo") 2>/dev/null ||
    die "cannot open $fifo for reading and writing; give it to this user, or remove it"
  exec 3<>"$fifo"
}

if [ $# -eq 0 ] && [ -z "${GENERATOR_CMD:-}" ]; then set -- node "$here/dist/generator.js"; fi
shown=$*
if [ $# -eq 0 ]; then
  shown=$GENERATOR_CMD
  set -- sh -c "$GENERATOR_CMD"
fi

# A program's own buffer would hand on its lines some 4 KiB at a time, minutes late at a low rate.
export PYTHONUNBUFFERED=1
if command -v stdbuf >/dev/null; then set -- stdbuf -oL "$@"; fi
own_session=
if command -v setsid >/dev/null; then
  own_session=yes
  set -- setsid "$@"
fi

# The shell gives background commands /dev/null for standard input; a generator may want ours.
if (exec 4<&0) 2>/dev/null; then exec 4<&0; else exec 4</dev/null; fi

generator= # process id, and process group where there is setsid
sleeper=   # process id
stopping=

# A signal to the generator with all the processes that it started. Fails when there are none left.
signal_group() {
  [ -n "$generator" ] && [ -n "$own_session" ] && kill -s "$1" -- "-$generator" 2>/dev/null
}

# A child that was only just forked still has our trap, and then forgets it together with a signal
# that came meanwhile: SIGTERM could be lost. So a sleep, which has nothing to tidy up, gets SIGKILL,
# and a generator that has no group of its own yet is told again.
stop() {
  stopping=yes
  if [ -n "$sleeper" ]; then kill -s KILL "$sleeper" 2>/dev/null; fi
  for _ in 1 2 3 4 5; do
    if signal_group TERM || [ -z "$generator" ]; then return; fi
    kill -s TERM "$generator" 2>/dev/null || return
    sleep 0.05
  done
}
trap stop TERM INT HUP

# A trapped signal ends a `wait`, and is passed on to the child: the second one is for its end.
wait_for() {
  # It may have come before the child's id was known.
  if [ -n "$stopping" ]; then stop; fi
  # Some shells would tell here of a child that a signal ended; that line is ours to write.
  wait "$1" 2>/dev/null
  status=$?
  if [ -n "$stopping" ]; then wait "$1" 2>/dev/null; fi
}

pause() {
  sleep "$1" 3<&- 4<&- >/dev/null &
  sleeper=$!
  wait_for "$sleeper"
  sleeper=
}

run_generator() {
  (
    exec 3<&- <&4 4<&- >"$fifo"
    printf '\n'
    exec "$@"
  ) &
  generator=$!
  wait_for "$generator"
}

# The generator is gone; what it started and left behind must not write on beside the next run, or
# after this script.
end_leftovers() {
  if signal_group TERM; then
    for _ in 1 2 3; do
      sleep 0.1
      signal_group 0 || break
    done
    signal_group KILL
  fi
  # The number may be somebody else's tomorrow.
  generator=
}

backoff_seconds=1
while :; do
  hold_fifo
  started=$(date +%s)
  if [ -n "$stopping" ]; then break; fi
  run_generator "$@"
  if [ -n "$stopping" ] || [ "$status" -eq 0 ]; then break; fi
  end_leftovers

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
  if [ -n "$stopping" ]; then break; fi
  backoff_seconds=$((backoff_seconds * 2))
  if [ $backoff_seconds -gt $BACKOFF_SECONDS_MAX ]; then backoff_seconds=$BACKOFF_SECONDS_MAX; fi
done

if [ -z "$stopping" ]; then
  say 'the generator ended with exit code 0; the FIFO is held open until SIGTERM'
  # It may have left something behind that writes on, and that the end is to be passed on to.
  signal_group 0 || generator=
  while [ -z "$stopping" ]; do pause 86400; done
fi
end_leftovers
exit 0
