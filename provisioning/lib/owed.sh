# shellcheck shell=bash disable=SC2154 # sourced by provision.sh, which has the rest
# What a running system has yet to be told of: on the disk before the change that it is for, and off it when the system
# was told. Whatever stops us in between, or refuses to go on, the next run knows.
#
#   daemon-reload   systemd reads its units again
#   reload          the agent reads its configuration again
#   restart         the agent is started anew

OWED=$STATE/owed

# owe WHAT...: before the change.
owe() {
  local what
  for what in "$@"; do
    is_owed "$what" || { [ ! -e "$OWED" ] || cat "$OWED"; printf '%s\n' "$what"; } | write_owed
  done
}

is_owed() { grep -qsx -- "$1" "$OWED"; }

# paid WHAT...: after the system was told.
paid() {
  local what
  for what in "$@"; do
    ! is_owed "$what" || { grep -vx -- "$what" "$OWED" || true; } | write_owed
  done
}

write_owed() {
  mkdir -p "$STATE"
  cat >"$OWED.coming"
  sync "$OWED.coming"
  mv -T "$OWED.coming" "$OWED"
  sync "$STATE"
}
