# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Users, groups and folders, as systemd/sysusers.d and systemd/tmpfiles.d of the release say, and what systemd needs of
# the release itself.

people_step() {
  local file
  for file in "$SOURCE"/systemd/sysusers.d/*.conf; do
    copy_file 644 "$file" "/usr/lib/sysusers.d/${file##*/}"
    make_users "$file"
  done
  for file in "$SOURCE"/systemd/tmpfiles.d/*.conf; do
    copy_file 644 "$file" "/usr/lib/tmpfiles.d/${file##*/}"
    make_folders "$file"
  done
  if user_exists safepoint; then
    put_folder 755 safepoint:safepoint /var/lib/safepoint # as systemd would: StateDirectory=
  fi
}

user_exists() { getent passwd "$1" >/dev/null; }

make_users() {
  local kind name missing=()
  while read -r kind name _; do
    case $kind in
      u) user_exists "$name" || missing+=("user $name") ;;
      g) getent group "$name" >/dev/null || missing+=("group $name") ;;
    esac
  done <"$1"
  [ ${#missing[@]} -gt 0 ] || return 0
  changing "make the $(IFS=, && printf '%s' "${missing[*]}" | sed 's/,/, the /g')" || return 0
  quietly systemd-sysusers "$1"
}

make_folders() {
  local kind path mode owner group wrong=()
  while read -r kind path mode owner group _; do
    [ "$kind" = d ] || continue
    # In a root file system that does not run, /run is not the unit's.
    [[ $path != /run/* ]] || [ -d /run/systemd/system ] || continue
    [ "$(rights_of "$path" 2>/dev/null || true)" = "${mode#0} $owner:$group" ] || wrong+=("$path")
  done <"$1"
  [ ${#wrong[@]} -gt 0 ] || return 0
  changing "make the folders ${wrong[*]}" || return 0
  # A footage volume that is mounted gets its owner in its own step.
  quietly systemd-tmpfiles --create "$1"
}
