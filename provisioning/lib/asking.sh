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
  local key=$1
  [ -z "${ANSWER[$key]+known}" ] || return 0
  if [ -n "$ANSWERS" ]; then
    refuse "$ANSWERS has no answer for $key (${MEANING[$key]}): add a line '$key = ...'"
  fi
  [ -t 0 ] || refuse "nobody is here to answer (standard input is no terminal): use --answers FILE"
  ask "$key" "${USUAL[$key]:-}"
}

# ask KEY USUAL: the person at the terminal, until there is an answer that can be used; an empty line takes the usual one.
ask() {
  local key=$1 usual=$2 typed what
  QUESTIONS=$((QUESTIONS + 1))
  while true; do
    read_typed "${MEANING[$key]}" "${usual:-no usual answer}"
    typed=${typed:-$usual}
    if what=$(mistake_in "$key" "$typed"); then break; fi
    printf '   That %s. Once more, please.\n' "$what"
  done
  ANSWER[$key]=$typed
}

# confirmed: whether the person says that all answers are right, which are shown once more.
confirmed() {
  local key typed
  QUESTIONS=$((QUESTIONS + 1))
  printf '   These are the answers; nothing of them is saved yet:\n'
  for key in $(known_in_order); do printf '     %-10s %s\n' "${key//_/ }" "${ANSWER[$key]}"; done
  while true; do
    read_typed "Is this right? (n asks again, with these answers as the usual ones)" "y / n"
    case ${typed,,} in
      y | yes) return 0 ;;
      n | no) return 1 ;;
    esac
    printf '   That is neither y nor n. Once more, please.\n'
  done
}

# read_typed QUESTION HINT: a line, into the caller's variable typed.
read_typed() {
  printf '   %s\n   [%s] > ' "$1" "$2"
  IFS= read -r typed || refuse "the terminal was closed, and no answer was saved: run the script again to be asked again"
}

# The keys of all that is known: what is asked for in its order, then the others.
known_in_order() {
  local key
  for key in "${ASKED[@]}"; do [ -z "${ANSWER[$key]+known}" ] || printf '%s\n' "$key"; done
  printf '%s\n' "${!ANSWER[@]}" | grep -vxF "$(printf '%s\n' "${ASKED[@]}")" | sort || true
}

answer() { printf '%s' "${ANSWER[$1]:-}"; }

# All answers as a file, for the next run.
written_answers() {
  local key
  printf '# What provision.sh was told; it asks no question twice.\n'
  for key in $(printf '%s\n' "${!ANSWER[@]}" | sort); do printf '%s = %s\n' "$key" "${ANSWER[$key]}"; done
}
