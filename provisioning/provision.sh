#!/usr/bin/env bash
# shellcheck disable=SC2034 # what is set here is used by the parts in lib/ and steps/
# Makes a Raspberry Pi a unit of the scheme. Run it as root from the unpacked release:
#
#   sudo provisioning/provision.sh
#
# Run it again whenever you like, also after the power failed or you pressed Ctrl-C: it looks at what is there, does what
# is missing, and says so. A second run on a finished unit changes nothing.
#
#   --dry-run           only say what would be done
#   --answers FILE      ask nothing: take the answers from this file (provisioning/answers.example says which there are)
#   --offline BUNDLE    use no network: everything comes from a bundle (provisioning/make-bundle makes one elsewhere)
#   --bundle-sha256 SUM what make-bundle said of that bundle; without it only damage is found, not a forged bundle
#   --test-root         this is no Raspberry Pi but a root file system for tests (any board, amd64 too, no camera stack)
#
# It ends with 0: done; 2: refused, with what to do; 1: something failed, and running it again continues.
# What it did is in /var/log/safepoint-provision.log, which holds no secret: send it to whoever helps you.
#
# Each step is a file in provisioning/steps, in this order:
STEPS=(machine answers packages people agent footage voice configuration enrolment access services tpm)
set -euo pipefail
shopt -s nullglob inherit_errexit lastpipe # lastpipe: what "... | put_file" counts counts here

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(dirname "$HERE") # the unpacked release: agent/, systemd/, provisioning/
STATE=/var/lib/safepoint-provision
LOG=/var/log/safepoint-provision.log
CONFIG=/etc/safepoint/unit.yaml
PREFIX=/opt/safepoint
DRY_RUN='' ANSWERS='' OFFLINE='' BUNDLE_SHA256='' TEST_ROOT=''

for part in "$HERE"/lib/*.sh "$HERE"/steps/*.sh; do
  # shellcheck disable=SC1090 # each of them is checked by itself
  source "$part"
done

usage() { sed -n '3,/^# Each step/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d'; }

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) DRY_RUN=yes ;;
      --test-root) TEST_ROOT=yes ;;
      --answers | --offline | --bundle-sha256)
        [ $# -ge 2 ] || refuse "$1 needs a value after it (see --help)"
        case $1 in
          --answers) ANSWERS=$2 ;;
          --offline) OFFLINE=$2 ;;
          *) BUNDLE_SHA256=$2 ;;
        esac
        shift
        ;;
      --help | -h) usage && exit 0 ;;
      *) refuse "there is no option '$1' (see --help)" ;;
    esac
    shift
  done
}

main() {
  local step begun=$SECONDS
  read_options "$@"
  [ "$(id -u)" = 0 ] || refuse "this changes the system: run it as root, with sudo before the command"
  only_one_at_a_time
  begin_log
  for step in "${STEPS[@]}"; do
    begin_step "$step"
    "${step}_step"
  done
  finish
  tell_the_end $((SECONDS - begun))
}

main "$@"
