# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# The unit's key and the request for its certificate. The key is born here and never leaves; the request is no secret.

enrolment_step() {
  local request=$STATE/request.csr
  [[ $(answer broker) != mqtt://* ]] || return 0
  if [ -e /etc/safepoint/tls/unit.pem ] || [ -e /var/lib/safepoint/tls/active ]; then
    return 0
  fi
  if [ ! -e "$request" ] || [ ! -e /var/lib/safepoint/tls/requested.pem ]; then
    changing "make the unit's key, and a request for its certificate" || return 0
    (cd / && "$PREFIX/bin/safepoint" certificate request --config "$CONFIG" </dev/null) >"$WORK/request.csr" ||
      refuse "the request for a certificate could not be made (the line above says why)"
    put_file 644 root:root "$request" <"$WORK/request.csr"
  fi
  NEXT+=(
    "Have a certificate made: give $request to whoever runs the authority (provisioning/authority, or the force's own)."
    "Then: safepoint certificate install CERTIFICATE --ca AUTHORITY --config $CONFIG"
  )
}
