# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Answers: from a file, from an earlier run, or from the engineer. Text only, never run by the shell.

declare -A ANSWER=()    # what is known, by key
QUESTIONS=0             # asked of a person in this run

# read_answers FILE: "key = value" lines; # begins a comment line. Every mistake is told at once.
read_answers() {
  local file=$1 line key value number=0 wrong=() what
  declare -A seen=()
  if [ ! -f "$file" ] || [ ! -r "$file" ]; then refuse "the answers file $file is not there or cannot be read"; fi
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    if ! [[ $line =~ ^[[:space:]]*([a-z][a-z0-9_]*)[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      wrong+=("$file:$number: needs 'key = value'")
      continue
    fi
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    value=${value%"${value##*[![:space:]]}"}
    if [ -z "${MEANING[$key]:-}" ]; then
      wrong+=("$file:$number: there is no answer called $key; there are ${!MEANING[*]}")
    elif [ -n "${seen[$key]:-}" ]; then
      wrong+=("$file:$number: $key was answered in line ${seen[$key]} already")
    elif ! what=$(mistake_in "$key" "$value"); then
      wrong+=("$file:$number: $key $what")
    else
      ANSWER[$key]=$value
    fi
    seen[$key]=$number
  done <"$file"
  [ ${#wrong[@]} = 0 ] || refuse "$(printf '%s\n' "these answers cannot be used:" "${wrong[@]}")"
}

# answered KEY: make sure that it has an answer, by asking if need be.
answered() {
  local key=$1 typed what
  [ -z "${ANSWER[$key]+known}" ] || return 0
  if [ -n "$ANSWERS" ]; then
    refuse "$ANSWERS has no answer for $key (${MEANING[$key]}): add a line '$key = ...'"
  fi
  [ -t 0 ] || refuse "nobody is here to answer (standard input is no terminal): use --answers FILE"
  QUESTIONS=$((QUESTIONS + 1))
  while true; do
    printf '   %s\n   [%s] > ' "${MEANING[$key]}" "${USUAL[$key]:-no usual answer}"
    IFS= read -r typed || refuse "the terminal was closed: run the script again to continue"
    typed=${typed:-${USUAL[$key]:-}}
    if what=$(mistake_in "$key" "$typed"); then break; fi
    printf '   That %s. Once more, please.\n' "$what"
  done
  ANSWER[$key]=$typed
}

answer() { printf '%s' "${ANSWER[$1]:-}"; }

# All answers as a file, for the next run.
written_answers() {
  local key
  printf '# What provision.sh was told; it asks no question twice.\n'
  for key in $(printf '%s\n' "${!ANSWER[@]}" | sort); do printf '%s = %s\n' "$key" "${ANSWER[$key]}"; done
}
