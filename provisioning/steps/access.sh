# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Nobody comes in by a password: refuses to finish while SSH takes one, or the image's own user is there.

DEFAULT_USERS="pi"

access_step() {
  local wrong
  wrong=$(access_at_fault)
  [ -z "$wrong" ] || refuse "this unit is not finished, and does not start its services, while people can come in by a password:"$'\n'"$wrong"$'\n'"When this is put right, run the same command again"
}

access_at_fault() {
  local user
  passwd --status --all | open_accounts
  for user in $DEFAULT_USERS; do ! user_exists "$user" || default_user_at_fault "$user"; done
  sshd_at_fault_here
}

# Accounts without any password; reads the lines of passwd --status.
open_accounts() {
  awk '$2 == "NP" { printf "  * the account %s has an empty password: run  passwd --lock %s\n", $1, $1 }'
}

# default_user_at_fault USER: an account that every image of the world has is one whose password everybody tries. Locked,
# it has none; a key still lets its owner in, but that one is nobody else's.
default_user_at_fault() {
  local shell
  shell=$(getent passwd "$1" | cut -d: -f7)
  [[ $shell != */nologin && $shell != */false ]] || return 0
  [[ $(passwd --status "$1") != "$1 L "* ]] || return 0
  printf '  * the default user %s is enabled, with a password: make a user of your own with your key (adduser NAME; usermod -aG sudo NAME; then ssh-copy-id from your computer), log in as that one, and run  deluser --remove-home %s , or at least  passwd --lock %s\n' "$1" "$1" "$1"
}
