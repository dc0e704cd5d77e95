# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# What only a person knows: who and where this unit is. Asked once, before the long work, shown, and remembered when the
# person has said that it is right.

declare -A MEANING=(
  [profile]="What kind of unit is this? safe-point, safe-space, public-space, rapid-deployable or roadside"
  [unit_id]="The unit's id, as on the site plan: lower-case letters, digits and hyphens (hk-safepoint-001)"
  [org]="Who runs the scheme, in one word (ashfield)"
  [name]="What do people call it? (Hucknall Safe Point - Central Walk)"
  [location]="Where does it stand, in words that a patrol can follow? (Central Walk, opposite Boots)"
  [broker]="The control room's address (mqtts://control.example.org:8883)"
  [footage]="Where does footage go? A disk of its own (/dev/sda1), or 'card' for the system's own card"
  [latitude]="Latitude in degrees (53.0388)"
  [longitude]="Longitude in degrees (-1.2033)"
  [timezone]="The time zone of schedules (Europe/London)"
  [voice_model_url]="Where a larger voice model is fetched from"
  [voice_model_sha256]="The SHA-256 of that file"
  [second_engine]="Is a second engine asked about what the voice model took for an English phrase? yes or no"
  [token_file]="A file on this machine with the one-time token of the authority"
  [update_key]="A file on this machine with the public key of whoever signs updates (release.pem)"
  [hardware_kit]="The hardware kit: pi, or street on a bench without hardware"
  [street_socket]="The socket of the simulated street, on a bench without hardware"
)
declare -A USUAL=([profile]=safe-point [footage]=card)
ZONES=/usr/share/zoneinfo
ASKED=(profile unit_id org name location broker footage)
# What an --answers file leaves out of these, it takes back: nobody could else do without a model that cannot be fetched.
TAKEN_BACK=(voice_model_url voice_model_sha256 second_engine)

answers_step() {
  local key what
  if [ -f "$STATE/answers" ]; then read_answers "$STATE/answers"; fi
  local known_id=${ANSWER[unit_id]:-}
  if [ -n "$ANSWERS" ]; then
    for key in "${TAKEN_BACK[@]}"; do unset "ANSWER[$key]"; done
    read_answers "$ANSWERS"
  fi
  # Until there is a configuration or a key, an id is only what somebody typed, and can be put right.
  if [ -n "$known_id" ] && [ "$known_id" != "$(answer unit_id)" ] && id_is_in_use; then
    refuse "this is the unit $known_id by $STATE/answers, and $ANSWERS is for $(answer unit_id): take the other file, or decommission this unit first (provisioning/decommission.sh)"
  fi
  if [ -f "$CONFIG" ] && [ -z "$known_id" ] && [ -z "$ANSWERS" ]; then
    say "   $CONFIG is there already: nothing is asked"
    return 0
  fi
  for key in "${ASKED[@]}"; do answered "$key"; done
  if [ "$QUESTIONS" != 0 ]; then
    until confirmed; do
      for key in "${ASKED[@]}"; do
        if [ "$key" = unit_id ] && [ -n "$known_id" ] && id_is_in_use; then continue; fi
        ask "$key" "$(answer "$key")"
      done
    done
  fi
  if what=$(pair_at_fault); then refuse "$what"; fi
  put_folder 700 root:root "$STATE"
  written_answers | put_file 600 root:root "$STATE/answers"
}

id_is_in_use() { [ -e "$CONFIG" ] || has_keys; }

has_keys() { [ -n "$(find "$TLS" -name '*.pem' 2>/dev/null)" ]; }

# within VALUE LOW HIGH: as numbers.
within() { awk -v value="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(value + 0 >= low && value + 0 <= high) }'; }

# port_of ADDRESS: the port that it names, or the usual one.
port_of() { if [[ $1 =~ :([0-9]+)$ ]]; then printf '%s' "${BASH_REMATCH[1]}"; else printf 8883; fi; }

# mistake_in KEY VALUE: prints what is wrong, and is then false.
mistake_in() {
  local key=$1 value=$2
  if [[ $value == *[[:cntrl:]]* ]]; then
    printf 'has a control character in it' && return 1
  fi
  case $key in
    profile)
      [ -f "$SOURCE/agent/profiles/$value.yaml" ] && [[ $value != */* ]] && return 0
      printf "is no profile: there are %s" "$(cd "$SOURCE/agent/profiles" && printf '%s ' *.yaml | sed 's/\.yaml//g')"
      ;;
    unit_id | org)
      [[ $value =~ ^[a-z0-9][a-z0-9-]{0,62}$ ]] && return 0
      printf 'needs lower-case letters, digits and hyphens (at most 63)'
      ;;
    name | location)
      [ -n "$value" ] && [ ${#value} -le 200 ] && return 0
      printf 'needs some text, of at most 200 characters'
      ;;
    broker)
      if ! within "$(port_of "$value")" 1 65535; then printf 'has a port that is not 1 to 65535' && return 1; fi
      [[ $value =~ ^mqtts://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$ ]] && return 0
      [ -n "$TEST_ROOT" ] && [[ $value =~ ^mqtt://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?$ ]] && return 0
      printf 'needs mqtts://HOST or mqtts://HOST:PORT, without user name, password or path'
      ;;
    footage)
      [[ $value == card || $value =~ ^/dev/[A-Za-z0-9/_.-]+$ ]] && return 0
      printf "needs 'card' or the name of a partition, such as /dev/sda1 (lsblk lists them)"
      ;;
    latitude | longitude)
      local most=90
      [ "$key" = latitude ] || most=180
      [[ $value =~ ^-?[0-9]{1,3}(\.[0-9]{1,8})?$ ]] && within "$value" "-$most" "$most" && return 0
      printf 'needs degrees such as 53.0388, from -%s to %s' "$most" "$most"
      ;;
    timezone)
      # A system without the list of zones cannot say; safepoint check will.
      [[ $value =~ ^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$ ]] && { [ -f "$ZONES/$value" ] || [ ! -e "$ZONES/Europe/London" ]; } && return 0
      printf 'needs a zone such as Europe/London'
      ;;
    voice_model_url)
      # No user and password before the host: nobody would send them, and they would lie in the answers.
      [[ $value =~ ^https://[^][:space:]\"@/?#]+([/?#][^[:space:]\"]*)?$ ]] && return 0
      printf 'needs an address that begins with https://, without a user and password in it'
      ;;
    voice_model_sha256)
      [[ $value =~ ^[0-9a-fA-F]{64}$ ]] && return 0
      printf 'needs 64 hexadecimal digits'
      ;;
    second_engine)
      [[ $value == yes || $value == no ]] && return 0
      printf 'needs yes or no'
      ;;
    token_file | update_key | street_socket)
      [[ $value == /* ]] && return 0
      printf 'needs the whole path of a file'
      ;;
    hardware_kit)
      [[ $value =~ ^[a-z0-9-]+$ ]] && return 0
      printf 'needs the name of a hardware kit'
      ;;
  esac
  return 1
}

# Prints which of two answers that belong together is missing.
pair_at_fault() {
  local pair first second
  for pair in "latitude longitude" "voice_model_url voice_model_sha256"; do
    read -r first second <<<"$pair"
    if [ -n "${ANSWER[$first]+known}" ] && [ -z "${ANSWER[$second]+known}" ]; then
      printf '%s needs %s beside it' "$first" "$second" && return 0
    elif [ -n "${ANSWER[$second]+known}" ] && [ -z "${ANSWER[$first]+known}" ]; then
      printf '%s needs %s beside it' "$second" "$first" && return 0
    fi
  done
  if [ "$(answer hardware_kit)" = street ] && [ -z "${ANSWER[street_socket]+known}" ]; then
    printf 'hardware_kit = street needs street_socket beside it' && return 0
  elif [ "$(answer hardware_kit)" != street ] && [ -n "${ANSWER[street_socket]+known}" ]; then
    printf 'street_socket needs hardware_kit = street beside it' && return 0
  fi
  return 1
}
