# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# The agent itself: an environment of its own in one of two slots, from pinned files only, taken into use by one rename.
# agent/update/slots.py says what lies in the slots; an update fills the other one.

agent_step() {
  local slots=$PREFIX/slots in_use wanted target
  in_use=$(readlink "$slots/current" || true)
  wanted=$(agent_fingerprint)
  put_checker
  if [ -e "$slots/trial" ]; then
    refuse "an update of the agent is on trial: wait for its end (journalctl -u safepoint-update), then run this again"
  fi
  if [ -n "$in_use" ] && [ ! -e "$slots/$in_use/provisioned-from" ]; then
    if [ "$(answer second_engine)" = yes ] && ! has_second_engine "$slots/$in_use"; then
      refuse "slot $in_use was filled by an update without the second engine of the voice, and is kept: say second_engine = no in an --answers file until an update has it (provisioning/updates.md says how one is made)"
    fi
    say "   slot $in_use was filled by an update and is kept"
  elif [ -z "$in_use" ] || [ "$(cat "$slots/$in_use/provisioned-from")" != "$wanted" ]; then
    target=a
    [ "$in_use" != a ] || target=b
    if changing "install the agent into slot $target"; then
      fill_slot "$slots/$target" "$wanted"
      sync --file-system "$slots/$target"
      owe restart
      ln -sfn "$target" "$slots/.current.new"
      mv -T "$slots/.current.new" "$slots/current"
      sync "$slots"
    fi
  fi
  put_ways_in
}

# What the installed agent is made of: another code, another set of packages or another Python is another agent.
agent_fingerprint() {
  {
    constraints | xargs -d '\n' cat
    cat "$SOURCE/setup.cfg" "$SOURCE/pyproject.toml"
    cd "$SOURCE" || return
    find agent fakes -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum | cut -d' ' -f1
}

# The lists of packages that this unit gets, the first of them with the builder.
constraints() {
  local python
  python=cp$(python_version | tr -d .)
  printf '%s\n' "$HERE/constraints-$python.txt"
  [ "$(answer second_engine)" != yes ] || printf '%s\n' "$HERE/constraints-verifier-$python.txt"
}

fill_slot() {
  local slot=$1 wanted=$2 build=$WORK/build pip lists owner=root:root
  ! user_exists safepoint-update || owner=safepoint-update:safepoint-update
  second_engine_is_there
  mapfile -t lists < <(constraints)
  rm -rf "$slot" "$build"
  mkdir -p "$(dirname "$slot")" "$build"
  quietly /usr/bin/python3 -m venv --system-site-packages "$slot"
  pip=("$slot/bin/python" -m pip --disable-pip-version-check install --no-cache-dir --no-deps --ignore-installed)
  # The builder first: one package of the list has no wheel (provisioning/lock_constraints.py says which).
  awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' "${lists[0]}" >"$build/builder.txt"
  from_index "${pip[@]}" --require-hashes --only-binary=:all: --requirement "$build/builder.txt"
  from_index "${pip[@]}" --require-hashes --no-build-isolation "${lists[@]/#/--requirement=}"
  # Of a copy: the release may lie on a stick that cannot be written, and shall stay as it is.
  mkdir "$build/release"
  tar --create --directory "$SOURCE" --exclude=__pycache__ agent fakes setup.cfg pyproject.toml README.md |
    tar --extract --directory "$build/release"
  quietly "${pip[@]}" --no-index --no-build-isolation "$build/release"
  rm -rf "$build"
  prove_slot "$slot"
  printf '%s\n' "$wanted" >"$slot/provisioned-from"
  # From here on any change in it is told (agent/software).
  quietly /usr/bin/python3 -I -S -B "$PREFIX/check" list "$slot"
  chown -R "$owner" "$slot"
}

# Before anything is removed for it.
second_engine_is_there() {
  local wheels=("$BUNDLE"/wheels/moonshine_voice-*.whl)
  [ "$(answer second_engine)" = yes ] && [ -n "$BUNDLE" ] && [ ${#wheels[@]} = 0 ] || return 0
  refuse "the answers want a second engine for the voice, which $OFFLINE has not: make a bundle with make-bundle --second-engine, or say second_engine = no now and run this again with yes and a network"
}

has_second_engine() { "$1/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("moonshine_voice") is None)'; }

# pip, which may need the network: a line that breaks is tried again.
from_index() {
  local try
  for try in 1 2 3; do
    if quietly env "PIP_NO_INPUT=1" "$@" "${BUNDLE_PIP[@]}"; then return 0; fi
    say "   pip did not get the packages (try $try of 3)"
  done
  tail -n 8 "$LAST_OUTPUT" >&2
  refuse "pip could not install the agent's packages (its last lines are above): look at the network, or use --offline. A sum that does not match means that a file is not the one we checked: do not go around it"
}

# All of it loads, and what a board needs beside it is the real thing.
prove_slot() {
  local python=$1/bin/python
  quietly "$1/bin/safepoint" --version
  quietly "$python" -m pip --disable-pip-version-check check
  quietly "$python" -c 'import agent.daemon, agent.footage.recorder, agent.voice.listener, vosk, sounddevice, av'
  [ "$(answer second_engine)" != yes ] || quietly "$python" -c 'from agent.voice import verifier; verifier.load()'
  [ -n "$TEST_ROOT" ] || quietly env LG_WD="$WORK" "$python" -c 'import lgpio, picamera2; lgpio.gpiochip_open' ||
    refuse "the camera's or the pins' software does not load beside the agent (the reason is at the end of $LOG): update the system with 'apt full-upgrade', restart, and run this again"
}

# What looks whether a slot was changed: root's, outside of the slots, and run by the system's own Python.
put_checker() {
  local file
  for file in "$SOURCE"/agent/software/*.py; do
    copy_file 644 "$file" "$PREFIX/check/agent/software/${file##*/}"
  done
  printf '' | put_file 644 root:root "$PREFIX/check/agent/__init__.py"
  printf 'import sys\n\nfrom agent.software.__main__ import main\n\nsys.exit(main())\n' |
    put_file 644 root:root "$PREFIX/check/__main__.py"
}

# The fixed paths that units, scripts and engineers use, whichever slot is in use.
put_ways_in() {
  put_folder 755 root:root "$PREFIX/bin"
  put_link ../slots/current/bin/safepoint "$PREFIX/bin/safepoint"
  # Not a link: Python finds its environment beside the name that it was called by.
  printf '#!/bin/sh\nexec %s/slots/current/bin/python "$@"\n' "$PREFIX" | put_file 755 root:root "$PREFIX/bin/python"
  put_link "$PREFIX/bin/safepoint" /usr/local/bin/safepoint
  copy_file 644 "$SOURCE/README.md" "$PREFIX/README.md"
  local tool
  for tool in fetch-voice-model decommission.sh; do
    [ ! -e "$HERE/$tool" ] || copy_file 755 "$HERE/$tool" "$PREFIX/provisioning/$tool"
  done
}
