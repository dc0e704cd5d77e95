# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Is this a machine that can become a unit? Board, system, power, memory, storage. Changes nothing.

NEEDED_MB=1500       # packages 500 MB, the agent 250 MB for each of its two slots, and room to unpack
MEMORY_MB=900        # the agent takes 220 MB; the smallest board that we build on has 1 GB

machine_step() {
  local model arch
  arch=$(dpkg --print-architecture)
  model=$([ ! -r /proc/device-tree/model ] || tr -d '\0' </proc/device-tree/model)
  if [ -z "$TEST_ROOT" ]; then
    is_our_board "$arch" "$model" || refuse "this is '${model:-no Raspberry Pi}' with $arch; a unit is a Raspberry Pi with the 64-bit system (arm64): flash Raspberry Pi OS (64-bit). For a root file system on another machine there is --test-root"
  fi
  is_our_system "$(os_says ID) $(os_says VERSION_CODENAME)" ||
    refuse "this system is '$(os_says PRETTY_NAME)'; flash Raspberry Pi OS bookworm or trixie"
  say "   ${model:-a test root} ($arch), $(os_says PRETTY_NAME), Python $(python_version)"
  judge_power
  judge_memory
  judge_storage
  local wrong
  wrong=$(access_at_fault)
  [ -z "$wrong" ] || say "   NOTE: the last step will refuse this, so put it right meanwhile:"$'\n'"$wrong"
}

# is_our_board ARCHITECTURE MODEL
is_our_board() { [ "$1" = arm64 ] && [[ $2 == "Raspberry Pi "* ]]; }

# is_our_system "ID CODENAME": Raspberry Pi OS (64-bit) says that it is Debian.
is_our_system() {
  case $1 in
    "debian bookworm" | "debian trixie" | "raspbian bookworm" | "raspbian trixie") ;;
    *) return 1 ;;
  esac
}

# os_says KEY: what the system calls itself.
os_says() {
  # shellcheck disable=SC1091 # read there, not here
  (source /etc/os-release && printf '%s' "${!1:-unknown}")
}

# The system's own.
python_version() {
  case $(os_says VERSION_CODENAME) in
    bookworm) printf 3.11 ;;
    *) printf 3.13 ;;
  esac
}

judge_power() {
  command -v vcgencmd >/dev/null || return 0
  local told
  told=$(vcgencmd get_throttled 2>/dev/null) || return 0
  case $(power_by "$told") in
    weak-now) refuse "the board has too little voltage now ($told): use the supply that came with it (Pi 5: 5 V 5 A) and a short, thick cable" ;;
    weak-before) NEXT+=("The board had too little voltage since it started ($told): check supply and cable before you close the housing.") ;;
  esac
}

# power_by "throttled=0x50005": bit 0 is undervoltage now, bit 16 since the start (vcgencmd's documentation).
power_by() {
  local bits=${1#throttled=}
  [[ $bits =~ ^0x[0-9a-fA-F]+$ ]] || { printf unknown && return; }
  if ((bits & 1)); then
    printf weak-now
  elif ((bits & 1 << 16)); then
    printf weak-before
  else
    printf good
  fi
}

judge_memory() {
  local mb
  mb=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  ((mb >= MEMORY_MB)) || refuse "the board has $mb MB of memory; a unit needs 1 GB or more: take a larger board"
}

judge_storage() {
  local free
  [ -n "$DRY_RUN" ] || [ -w /etc ] || refuse "the card is read-only: it may be worn out; try another one"
  free=$(df --output=avail -BM /var | tail -n 1 | tr -dc 0-9)
  [ -e "$PREFIX/slots/current" ] || ((free >= NEEDED_MB)) ||
    refuse "only $free MB are free on the card; $NEEDED_MB MB are needed: use a card of 16 GB or more, and let the first start grow the file system"
}
