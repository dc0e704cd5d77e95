# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# systemd: units, their helpers and the settings of journal and hardware watchdog. What a unit is for, it says itself.
# In a running system they are started too, and the step ends when the agent is armed.
#
#   systemd/*.service *.path *.timer *.socket   -> /etc/systemd/system; enabled if it has an [Install] section
#   systemd/NAME.conf.d/*.conf                  -> /etc/systemd/NAME.conf.d
#   systemd/* that can be run                   -> /opt/safepoint/systemd, owned by root
# (sysusers.d and tmpfiles.d belong to the step people.)

AGENT_UNIT=safepoint-agent.service
UNTIL_RESTART=/run/safepoint-restart-machine # gone with the restart that it asks for
ARMED_WITHIN=60 # seconds; it takes 2, and a slow card with other things to do some more

services_step() {
  local file enable=() start=()
  for file in "$SOURCE"/systemd/*; do
    if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
    copy_file 755 "$file" "$PREFIX/systemd/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.conf.d/*.conf; do
    OWES=daemon-reload copy_file 644 "$file" "/etc/systemd/$(basename "$(dirname "$file")")/${file##*/}"
  done
  for file in "$SOURCE"/systemd/*.{service,path,timer,socket}; do
    OWES=daemon-reload copy_file 644 "$file" "/etc/systemd/system/${file##*/}"
    grep -qx '\[Install\]' "$file" || continue
    enable+=("${file##*/}")
    # What runs once at boot has nothing to do now, and would be found ended by every later run.
    grep -qx 'Type=oneshot' "$file" || start+=("${file##*/}")
  done
  for file in "${enable[@]}"; do
    [ "$(systemctl --root=/ is-enabled "$file" 2>/dev/null || true)" = enabled ] ||
      ! changing "enable $file" || quietly systemctl enable "$file"
  done
  [ -z "$DRY_RUN" ] || return 0
  tell_systemd "${start[@]}"
  if systemd_runs; then wait_until_armed; fi
  [ ! -e "$UNTIL_RESTART" ] ||
    NEXT+=("Restart the machine once: the watchdog, the journal and the disk begin with it.")
}

# tell_systemd [UNIT...]: what it is owed; and these are to run.
tell_systemd() {
  if ! systemd_runs; then
    paid daemon-reload reload restart # all of it starts with the root file system
    return 0
  fi
  if is_owed daemon-reload; then
    : >"$UNTIL_RESTART"
    quietly systemctl daemon-reload
    paid daemon-reload
  fi
  start_now "$@"
}

systemd_runs() { [ -d /run/systemd/system ]; }

# start_now UNIT...: an agent that is at work stays at work, unless it is another one by now.
start_now() {
  local unit at_work=''
  ! systemctl --quiet is-active "$AGENT_UNIT" || at_work=yes
  for unit in "$@"; do
    systemctl --quiet is-active "$unit" || ! changing "start $unit" || quietly systemctl start --no-block "$unit"
  done
  if [ -z "$at_work" ]; then
    : # it starts with all of it
  elif is_owed restart; then
    changing "restart the agent" && quietly systemctl restart --no-block "$AGENT_UNIT"
  elif is_owed reload && lacks_certificate; then
    # A daemon at work refuses a file that names what is not there yet; a new one starts with it, and waits.
    changing "restart the agent, which has no certificate yet" && quietly systemctl restart --no-block "$AGENT_UNIT"
  elif is_owed reload; then
    changing "let the agent read its configuration again" && quietly systemctl reload --no-block "$AGENT_UNIT"
  fi
  paid restart reload
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
