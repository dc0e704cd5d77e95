# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# The unit's key and the request for its certificate. The key is born here and never leaves; the request is no secret.

enrolment_step() {
  [[ $(answer broker) != mqtt://* ]] || return 0
  [ -n "$(answer unit_id)" ] || return 0 # a configuration that somebody wrote by hand: its own affair
  if [ -e "$TLS/cert.pem" ] || [ -e "$TLS/active" ]; then return 0; fi
  local token=() asked=$STATE/request.csr
  if [ ! -e "$asked" ] || [ ! -e "$TLS/requested.pem" ]; then
    changing "make the unit's key, and a request for its certificate" || return 0
    take_token
    request_certificate "$asked" "${token[@]}"
  fi
  NEXT+=(
    "Have a certificate made: give $asked to whoever runs the authority (provisioning/authority/README.md, or the force's own)."
    "Then: safepoint certificate install CERTIFICATE --ca AUTHORITY --config $CONFIG"
  )
  if can_ask_for media; then
    NEXT+=("Likewise for the key that signs footage: safepoint certificate request --media --token --config $CONFIG (see there).")
  fi
}

# request_certificate FILE [OPTION...]
request_certificate() {
  local file=$1
  shift
  (cd / && "$PREFIX/bin/safepoint" certificate request "$@" --config "$CONFIG" </dev/null) >"$WORK/request.csr" ||
    refuse "the request for a certificate could not be made (the line above says why)"
  put_file 644 root:root "$file" <"$WORK/request.csr"
}

# The authority of a pilot gives out slips with a one-time token, which proves whose request it is. It is a secret until
# it was used: it goes through a file that is gone with this run, and never into the log.
take_token() {
  can_ask_for token-file || return 0
  local typed
  if [ -n "$(answer token_file)" ]; then
    [ -r "$(answer token_file)" ] || refuse "the token's file $(answer token_file) cannot be read"
    token=(--token-file "$(answer token_file)")
  elif [ -z "$ANSWERS" ] && [ -t 0 ]; then
    QUESTIONS=$((QUESTIONS + 1))
    printf '   The token on the slip from the authority; nothing, if you have none (it does not show):\n   > '
    IFS= read -rs typed || refuse "the terminal was closed: run the script again to continue"
    printf '\n'
    [ -n "$typed" ] || return 0
    (umask 077 && printf '%s\n' "$typed" >"$WORK/token")
    token=(--token-file "$WORK/token")
  fi
}

# Whether this agent's `certificate request` knows an option.
can_ask_for() { "$PREFIX/bin/safepoint" certificate request --help | grep -q -- "--$1\b"; }
