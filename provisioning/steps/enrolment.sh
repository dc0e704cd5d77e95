# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# The unit's two keys, for the control room and for signing footage, and the requests for their certificates. The keys
# are born here and never leave; the requests are no secret.

# A configuration that somebody wrote by hand has its own, and a bench without TLS needs none.
lacks_certificate() {
  [[ $(answer broker) != mqtt://* ]] && [ -n "$(answer unit_id)" ] && [ ! -e "$TLS/cert.pem" ] && [ ! -e "$TLS/active" ]
}

enrolment_step() {
  lacks_certificate || return 0
  local token=() slip='' link=$STATE/request.csr media=$STATE/request-media.csr
  if [ ! -e "$link" ] || [ ! -e "$TLS/requested.pem" ] || [ ! -e "$media" ]; then
    changing "make the unit's two keys, and the requests for their certificates" || return 0
    take_token
    # The same keys again while nothing is installed: a run that was broken off between the two leaves no third one.
    request_certificate "$link" "${token[@]}"
    request_certificate "$media" --media "${token[@]}"
  fi
  [ ${#token[@]} -gt 0 ] || slip=" If there is a slip with a token, make them once more with it: safepoint certificate request --token, and the same with --media."
  NEXT+=(
    "Have two certificates made, for the control room and for signing footage: give $link and $media to whoever runs the authority (provisioning/authority/README.md, or the force's own).$slip"
    "Then: safepoint certificate install ANSWER --ca AUTHORITY --config $CONFIG, and: safepoint certificate install --media ANSWER --config $CONFIG"
  )
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
  local typed
  if [ -n "$(answer token_file)" ]; then
    [ -r "$(answer token_file)" ] || refuse "the token's file $(answer token_file) cannot be read"
    token=(--token-file "$(answer token_file)")
  elif [ -z "$ANSWERS" ] && [ -t 0 ]; then
    QUESTIONS=$((QUESTIONS + 1))
    printf '   The token on the slip from the authority, if you have one (it does not show)\n   [no slip] > '
    IFS= read -rs typed || refuse "the terminal was closed: run the script again to continue"
    printf '\n'
    [ -n "$typed" ] || return 0
    (umask 077 && printf '%s\n' "$typed" >"$WORK/token")
    token=(--token-file "$WORK/token")
  fi
}
