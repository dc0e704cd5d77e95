# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# systemd: units, their helpers and the settings of journal and hardware watchdog. What a unit is for, it says itself.
#
#   systemd/*.service *.path *.timer *.socket   -> /etc/systemd/system; enabled if it has an [Install] section
#   systemd/NAME.conf.d/*.conf                  -> /etc/systemd/NAME.conf.d
#   systemd/* that can be run                   -> /opt/safepoint/systemd, owned by root
# (sysusers.d and tmpfiles.d belong to the step people.)

services_step() {
  local file before=$CHANGES enable=()
  for file in "$SOURCE"/systemd/*; do
    if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
    copy_file 755 "$file" "$PREFIX/systemd/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.conf.d/*.conf; do
    copy_file 644 "$file" "/etc/systemd/$(basename "$(dirname "$file")")/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.{service,path,timer,socket}; do
    copy_file 644 "$file" "/etc/systemd/system/${file##*/}"
    ! grep -qx '\[Install\]' "$file" || enable+=("${file##*/}")
  done
  local units=("${enable[@]}")
  for file in "${units[@]}"; do
    [ "$(systemctl --root=/ is-enabled "$file" 2>/dev/null || true)" = enabled ] ||
      ! changing "enable $file" || quietly systemctl enable "$file"
  done
  start_now "$before" "${units[@]}"
}

# In a running system; in a root file system they start with it.
start_now() {
  local before=$1 unit
  shift
  [ -d /run/systemd/system ] && [ -z "$DRY_RUN" ] || return 0
  if [ "$CHANGES" != "$before" ]; then
    quietly systemctl daemon-reload
    NEXT+=("Restart the machine once: the watchdog, the journal and the disk begin with it.")
  fi
  for unit in "$@"; do
    systemctl --quiet is-active "$unit" || ! changing "start $unit" || quietly systemctl start --no-block "$unit"
  done
  if [ -n "$AGENT_CHANGED" ] && systemctl --quiet is-active safepoint-agent.service; then
    changing "restart the agent" && quietly systemctl restart --no-block safepoint-agent.service
  fi
}
