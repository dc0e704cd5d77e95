# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# systemd: units, their helpers and the settings of journal and hardware watchdog. What a unit is for, it says itself.
# In a running system they are started too, and the step ends when the agent is armed.
#
#   systemd/*.service *.path *.timer *.socket   -> /etc/systemd/system; enabled if it has an [Install] section
#   systemd/NAME.conf.d/*.conf                  -> /etc/systemd/NAME.conf.d
#   systemd/* that can be run                   -> /opt/safepoint/systemd, owned by root
# (sysusers.d and tmpfiles.d belong to the step people.)

AGENT_UNIT=safepoint-agent.service
ARMED_WITHIN=60 # seconds; it takes 2, and a slow card with other things to do some more

services_step() {
  local file before=$CHANGES enable=() start=()
  for file in "$SOURCE"/systemd/*; do
    if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
    copy_file 755 "$file" "$PREFIX/systemd/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.conf.d/*.conf; do
    copy_file 644 "$file" "/etc/systemd/$(basename "$(dirname "$file")")/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.{service,path,timer,socket}; do
    copy_file 644 "$file" "/etc/systemd/system/${file##*/}"
    grep -qx '\[Install\]' "$file" || continue
    enable+=("${file##*/}")
    # What runs once at boot has nothing to do now, and would be found ended by every later run.
    grep -qx 'Type=oneshot' "$file" || start+=("${file##*/}")
  done
  for file in "${enable[@]}"; do
    [ "$(systemctl --root=/ is-enabled "$file" 2>/dev/null || true)" = enabled ] ||
      ! changing "enable $file" || quietly systemctl enable "$file"
  done
  # In a root file system they start with it.
  if [ -n "$DRY_RUN" ] || ! systemd_runs; then return 0; fi
  if [ "$CHANGES" != "$before" ]; then
    quietly systemctl daemon-reload
    NEXT+=("Restart the machine once: the watchdog, the journal and the disk begin with it.")
  fi
  start_now "${start[@]}"
  wait_until_armed
}

systemd_runs() { [ -d /run/systemd/system ]; }

# start_now UNIT...: an agent that is at work stays at work, unless it is another one by now.
start_now() {
  local unit at_work=''
  ! systemctl --quiet is-active "$AGENT_UNIT" || at_work=yes
  for unit in "$@"; do
    systemctl --quiet is-active "$unit" || ! changing "start $unit" || quietly systemctl start --no-block "$unit"
  done
  [ -n "$at_work" ] || return 0
  if [ -n "$AGENT_CHANGED" ]; then
    changing "restart the agent" && quietly systemctl restart --no-block "$AGENT_UNIT"
  elif [ -n "$CONFIGURATION_CHANGED" ] && lacks_certificate; then
    # A daemon at work refuses a file that names what is not there yet; a new one starts with it, and waits.
    changing "restart the agent, which has no certificate yet" && quietly systemctl restart --no-block "$AGENT_UNIT"
  elif [ -n "$CONFIGURATION_CHANGED" ]; then
    changing "let the agent read its configuration again" && quietly systemctl reload --no-block "$AGENT_UNIT"
  fi
}

# The agent tells systemd that it is ready when it is armed: all inputs were read, or it is known that there are none.
wait_until_armed() {
  local until=$((SECONDS + ARMED_WITHIN))
  until is_armed; do
    [ "$SECONDS" -lt "$until" ] ||
      refuse "everything is installed and started, and the agent is not armed after $ARMED_WITHIN s: run  safepoint doctor , which says what is wrong, put it right, and run this again"
    sleep 0.2
  done
  say "   the agent is armed"
}

# Active, and nothing that was asked of it is still to be done.
is_armed() {
  local told
  told=$(systemctl show --property=ActiveState,Job "$AGENT_UNIT")
  grep -qx ActiveState=active <<<"$told" && ! grep -q '^Job=[1-9]' <<<"$told"
}
