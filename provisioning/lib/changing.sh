# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# How something is changed: only if it is not so already, as a whole or not at all, told, and counted.

CHANGES=0

# Say what is about to change; false in a dry run, so `changing "..." || return 0` goes on only for real.
changing() {
  CHANGES=$((CHANGES + 1))
  if [ -n "$DRY_RUN" ]; then
    say "   would: $*"
    return 1
  fi
  say "   $*"
}

# MODE and OWNER:GROUP of something that is there, as it would be written here.
rights_of() { stat -c '%a %U:%G' -- "$1"; }

# put_file MODE OWNER:GROUP PATH: what comes on standard input becomes this file. OWES="WHAT..." before it says what the
# running system has to be told when it changes (owed.sh).
put_file() {
  local mode=$1 owner=$2 path=$3 new
  new=$(mktemp -p "$WORK")
  cat >"$new"
  if [ -f "$path" ] && [ ! -L "$path" ] && cmp -s "$new" "$path" && [ "$(rights_of "$path")" = "$mode $owner" ]; then
    rm "$new"
    return 0
  fi
  if changing "write $path"; then
    mkdir -p "$(dirname "$path")"
    # Beside its place, so that the rename is one step and the power may fail at any moment.
    rm -f "$path.coming"
    install -m "$mode" -o "${owner%:*}" -g "${owner#*:}" "$new" "$path.coming"
    sync "$path.coming"
    # shellcheck disable=SC2086 # one word for each
    owe ${OWES:-}
    mv -T "$path.coming" "$path"
    sync "$(dirname "$path")"
  fi
  rm "$new"
}

# copy_file MODE FROM PATH: a file of the release, owned by root.
copy_file() { put_file "$1" root:root "$3" <"$2"; }

# put_folder MODE OWNER:GROUP PATH
put_folder() {
  local mode=$1 owner=$2 path=$3
  if [ -d "$path" ] && [ ! -L "$path" ] && [ "$(rights_of "$path")" = "$mode $owner" ]; then return 0; fi
  [ ! -e "$path" ] || [ -d "$path" ] || refuse "$path is in the way: it must be a folder; look at it and move it away"
  [ ! -L "$path" ] || refuse "$path is a link: it must be a folder; look at where it leads and remove it"
  changing "make the folder $path (mode $mode, owner $owner)" || return 0
  mkdir -p "$path"
  chown "$owner" "$path"
  chmod "$mode" "$path"
}

# put_link TARGET PATH
put_link() {
  if [ "$(readlink "$2" || true)" = "$1" ]; then return 0; fi
  [ -L "$2" ] || [ ! -e "$2" ] || refuse "$2 is in the way: it must be a link to $1; look at it and move it away"
  changing "link $2 to $1" || return 0
  mkdir -p "$(dirname "$2")"
  ln -sfn "$1" "$2.coming"
  mv -T "$2.coming" "$2"
}

tell_the_end() {
  local took="in $1 s, with ${QUESTIONS} questions asked"
  if [ -n "$DRY_RUN" ]; then
    say "Dry run: $CHANGES things would be changed, nothing was."
  elif [ "$CHANGES" = 0 ]; then
    say "Nothing to do: this unit is as it should be; nothing was changed ($took)."
  else
    say "Done $took: $CHANGES things changed."
  fi
  [ ${#NEXT[@]} = 0 ] || say "What is left for you to do:"
  local line
  for line in "${NEXT[@]}"; do say "  * $line"; done
}

NEXT=() # what is left for the engineer, told at the end
