# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# What the engineer reads, what the log keeps, and how a run ends.

STEP=''        # the step at work
WORK=''        # this run's own folder, gone at its end
LAST_OUTPUT='' # of the last long command
FINISHED=''

say() {
  printf '%s\n' "$*"
  if [ -n "${LOG_OPEN:-}" ]; then printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" | without_secrets >>"$LOG"; fi
}

# An address can carry a password before its host, or a signature after its question mark.
without_secrets() { sed -E 's#(://)[^/@ ]+@#\1***@#g; s#(://[^? ]+\?)[^ ]+#\1***#g'; }

# Wrong input or a wrong place: one sentence, with what to do.
refuse() {
  say "REFUSED${STEP:+ in step $STEP}: $*" >&2
  FINISHED=yes
  exit 2
}

begin_log() {
  if [ -z "$DRY_RUN" ]; then
    (umask 027 && : >>"$LOG") || refuse "the log $LOG cannot be written: is the card read-only or full?"
    LOG_OPEN=yes
    printf '\n%s provision.sh begins, on %s\n' "$(date -u +%FT%TZ)" "$(uname -srm)" >>"$LOG"
  fi
  trap ended EXIT
  trap 'exit 130' INT TERM
  # What a run that was killed left behind; the lock says that it is nobody's now.
  [ -n "$DRY_RUN" ] || rm -rf /var/tmp/safepoint-provision.*
  WORK=$(mktemp -d /var/tmp/safepoint-provision.XXXXXX)
}

begin_step() {
  STEP=$1
  say "-- $STEP"
}

finish() {
  FINISHED=yes
  STEP=''
}

ended() {
  local code=$?
  if [ -z "$FINISHED" ]; then tell_failure "$code"; fi
  [ -z "$WORK" ] || rm -rf "$WORK"
  [ -n "$FINISHED" ] || exit 1
}

tell_failure() {
  local code=$1
  [ -z "$LAST_OUTPUT" ] || [ ! -s "$LAST_OUTPUT" ] || tail -n 15 "$LAST_OUTPUT" >&2
  say "FAILED in step $STEP (code $code). Nothing is half done that a second run would not put right: run the same command again. If it fails again, send ${LOG_OPEN:+$LOG and }the lines above to whoever helps you." >&2
}

# Run something long and talkative: its output goes into the log, and onto the screen only when it fails.
quietly() {
  local code=0
  LAST_OUTPUT=$(mktemp -p "$WORK")
  "$@" >"$LAST_OUTPUT" 2>&1 </dev/null || code=$?
  [ -z "${LOG_OPEN:-}" ] || sed 's/^/    /' "$LAST_OUTPUT" | without_secrets >>"$LOG"
  [ "$code" = 0 ] || return "$code"
  rm "$LAST_OUTPUT"
  LAST_OUTPUT=''
}

only_one_at_a_time() {
  local lock=/run/safepoint-provision.lock
  exec 9>"$lock"
  flock --nonblock 9 || refuse "another run of this script is at work on this unit: wait for it"
}
