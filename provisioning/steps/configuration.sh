# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# /etc/safepoint: unit.yaml from the answers, where what somebody changed by hand is never overwritten; and whose updates
# the unit takes.

TLS=/var/lib/safepoint/tls # the agent's own: keys are born here, and renewed beside
UPDATE_KEYS=/etc/safepoint/update-keys

configuration_step() {
  local text sum written=$STATE/written-configurations
  put_folder 750 root:safepoint /etc/safepoint
  take_update_key
  if [ -z "$(answer unit_id)" ]; then
    check_configuration
    return 0
  fi
  text=$(configuration_text)
  sum=$(printf '%s\n' "$text" | sha256sum | cut -d' ' -f1)
  if [ ! -e "$CONFIG" ] || grep -qsx "$(sha256sum <"$CONFIG" | cut -d' ' -f1)" "$written"; then
    # Remembered before it is written: whatever stops us in between, the next run knows its own file again.
    if ! grep -qsx "$sum" "$written"; then
      { [ ! -e "$written" ] || cat "$written"; printf '%s\n' "$sum"; } | put_file 600 root:root "$written"
    fi
    printf '%s\n' "$text" | OWES=reload put_file 640 root:safepoint "$CONFIG"
  elif [ "$(sed -n 's/^  id: "\(.*\)"$/\1/p; s/^  id: \([a-z0-9-]*\)$/\1/p' "$CONFIG" | head -n 1)" != "$(answer unit_id)" ]; then
    refuse "$CONFIG is not of the unit $(answer unit_id): correct the answers, or decommission this unit first"
  else
    say "   $CONFIG was changed by hand and is kept; what the answers say differently goes in there by hand too"
  fi
  check_configuration
}

take_update_key() {
  local file kept
  file=$(answer update_key)
  kept=$UPDATE_KEYS/$(basename "$file" .pem).pem
  if [ -n "$file" ] && [ ! -e "$file" ] && [ -e "$kept" ]; then return 0; fi # an earlier run took it
  if [ -n "$file" ]; then
    grep -qsx -- '-----BEGIN PUBLIC KEY-----' "$file" ||
      refuse "the update key $file cannot be read, or is not the public half of a key: provisioning/make-update new-key makes both"
    copy_file 644 "$file" "$kept"
  elif [ -z "$(find "$UPDATE_KEYS" -name '*.pem' 2>/dev/null)" ]; then
    NEXT+=("This unit takes no update until $UPDATE_KEYS has the public key of whoever signs them (provisioning/updates.md).")
  fi
}

configuration_text() {
  local key model
  model=$(voice_model)
  printf '# Written by provision.sh from the answers; safepoint config %s shows all that applies.\n' "$CONFIG"
  printf 'profile: %s\n\nunit:\n' "$(answer profile)"
  printf '  id: "%s"\n  org: "%s"\n' "$(answer unit_id)" "$(answer org)"
  printf '  name: %s\n  location: %s\n' "$(yaml_text "$(answer name)")" "$(yaml_text "$(answer location)")"
  for key in latitude longitude timezone; do
    [ -z "${ANSWER[$key]+known}" ] || printf '  %s: %s\n' "$key" "$(answer "$key")"
  done
  printf '\nuplink:\n  broker: %s\n' "$(answer broker)"
  if [[ $(answer broker) == mqtt://* ]]; then
    printf '  insecure_lab: true\n'
  else
    printf '  ca_file: %s/ca.pem\n  cert_file: %s/cert.pem\n  key_file: %s/key.pem\n' "$TLS" "$TLS" "$TLS"
  fi
  [ -z "${ANSWER[hardware_kit]+known}" ] || printf '\nhardware:\n  kit: %s\n' "$(answer hardware_kit)"
  [ -z "${ANSWER[street_socket]+known}" ] || printf '  options: {street: %s}\n' "$(yaml_text "$(answer street_socket)")"
  [ -z "$model" ] && [ "$(answer second_engine)" != yes ] || printf '\nvoice:\n'
  [ -z "$model" ] || printf '  model: %s\n' "$(yaml_text "$model")"
  [ "$(answer second_engine)" != yes ] || printf '  verifier: true\n'
  if [ "$(answer footage)" != card ]; then
    printf '\nfootage:\n  folder: %s/footage\n  mount: %s\n' "$FOOTAGE" "$FOOTAGE"
  else
    printf '\nfootage:\n  folder: %s/footage\n  # The card is small: %s MB of it, the oldest go first.\n  rolling_max_mb: %s\n' "$FOOTAGE" "$(card_share_mb)" "$(card_share_mb)"
  fi
}

# Half of the card, rounded to full GB so that a second run says the same.
card_share_mb() {
  local mb
  mb=$(df --output=size -BM "$(dirname "$FOOTAGE")" | tail -n 1 | tr -dc 0-9)
  mb=$((mb / 2000))
  printf '%s' $((mb > 1 ? mb * 1000 : 1000))
}

# A text in double quotes, as JSON and YAML both have it.
yaml_text() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# As the user that the agent runs as: it must be able to read what the file names.
check_configuration() {
  local wrong
  if [ ! -e "$CONFIG" ] || [ ! -e "$PREFIX/bin/safepoint" ]; then
    say "   would: check $CONFIG"
    return 0
  fi
  wrong=$(cd / && runuser -u safepoint -- "$PREFIX/bin/safepoint" check "$CONFIG" 2>&1 >/dev/null) && return 0
  # Before the enrolment these are not there yet.
  wrong=$(printf '%s\n' "$wrong" | grep -vE ': uplink\.(ca_file|cert_file|key_file): .* cannot be read: No such file or directory$' || true)
  [ -z "$wrong" ] || refuse "$CONFIG cannot be used:"$'\n'"$wrong"$'\n'"correct it there, or in the answers, and run this again"
}
