# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# What comes from apt: Python and its environment, sound, and all that is built for this very system.

# numpy: picamera2's own parts are built for the system's (setup.cfg says more); libportaudio2: the microphone;
# libatomic1: the voice recogniser's library on a Pi; alsa-utils: the speaker; ca-certificates: uploads.
PACKAGES=(python3 python3-venv python3-numpy libportaudio2 libatomic1 alsa-utils ca-certificates)
# Only where a camera and pins are: never from pip, which has no lgpio for Python 3.13 but an empty package of that name.
BOARD_PACKAGES=(python3-picamera2 python3-lgpio)

packages_step() {
  local missing=()
  [ -n "$TEST_ROOT" ] || PACKAGES+=("${BOARD_PACKAGES[@]}")
  open_bundle
  mend_packages
  find_missing
  [ ${#missing[@]} -gt 0 ] || return 0
  changing "install the packages ${missing[*]}" || return 0
  apt_update
  quietly apt_get install --yes --no-install-recommends "${missing[@]}" || say_why_apt_failed
  find_missing
  [ ${#missing[@]} = 0 ] || refuse "apt installed without an error but ${missing[*]} are still missing: run 'apt-get -f install' and look at what it says"
}

find_missing() {
  local package
  missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
}

# Power that failed during an installation leaves packages half installed; apt then refuses everything else.
mend_packages() {
  [ -n "$(half_installed)" ] || [ -n "$(find /var/lib/dpkg/updates -type f 2>/dev/null)" ] || return 0
  changing "finish an installation of packages that was interrupted" || return 0
  quietly env DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold || true # what it cannot do, apt can
  [ -n "$(half_installed)" ] || return 0
  apt_update
  quietly apt_get install --yes --fix-broken || say_why_apt_failed
  local broken
  mapfile -t broken < <(half_installed)
  [ ${#broken[@]} = 0 ] || quietly apt_get install --yes --reinstall "${broken[@]}" || say_why_apt_failed
}

# Neither installed nor gone, or marked to be installed again (dpkg-query's second and third letter). Not by
# dpkg --audit, which on a sound system too names packages that were built without sums.
half_installed() { dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' | sed -n 's/^.\([^nci].\|.R\)|//p' | sort -u; }

apt_update() {
  local try
  for try in 1 2 3; do
    if quietly apt_get update; then return 0; fi
    say "   the package lists cannot be fetched (try $try of 3)"
  done
  refuse "the package lists cannot be fetched: look at the network, or use --offline; the end of $LOG says more"
}

apt_get() {
  # The lock: the system's own unattended updates may be at work after the start.
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
    "${BUNDLE_APT[@]}" "$@"
}

say_why_apt_failed() {
  tail -n 8 "$LAST_OUTPUT" >&2
  refuse "apt could not install the packages (its last lines are above, all of them in $LOG): look at the network and at the sources in /etc/apt, then run this again. If python3-picamera2 cannot be found, this is not Raspberry Pi OS"
}
