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

# An account that every image of the world has is one that everybody tries.
default_user_at_fault() {
  local shell
  shell=$(getent passwd "$1" | cut -d: -f7)
  [[ $shell != */nologin && $shell != */false ]] || return 0
  printf '  * the default user %s is enabled: make a user of your own with your key (adduser NAME; usermod -aG sudo NAME; then ssh-copy-id from your computer), log in as that one, and run  deluser --remove-home %s\n' "$1" "$1"
}

sshd_at_fault_here() {
  local sshd user told=
  sshd=$(command -v sshd || printf /usr/sbin/sshd)
  [ -x "$sshd" ] || return 0
  mkdir -p /run/sshd # sshd -T wants it, as its service would make it
  # Rules can differ by user ("Match User"): asked for everybody who has a shell.
  while IFS=: read -r user _ _ _ _ _ shell; do
    [[ $shell != */nologin && $shell != */false && $shell != */sync ]] || continue
    told+=$("$sshd" -T -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null || printf 'passwordauthentication unknown')$'\n'
  done < <(getent passwd)
  sshd_at_fault <<<"$told"
  matched_passwords /etc/ssh/sshd_config
}

# matched_passwords FILE: what sshd -T does not tell, because it answers for one address: a Match block, for whomever,
# that turns passwords on. Files are followed through Include, as sshd does: relative ones from /etc/ssh, and a Match
# of the including file holds in them too.
matched_passwords() { sshd_lines "$1" '' 0 | awk -F '\t' '
  { print "  * SSH takes passwords of some: " $1 " has \047" $3 "\047 under \047" $2 "\047: make it no there, and run  systemctl restart ssh" }'; }

# sshd_lines FILE MATCH DEPTH: FILE:LINE, the Match that it is in, and the line, of each that lets passwords in.
sshd_lines() {
  local file=$1 match=$2 depth=$3 line key value number=0 pattern each
  [ -r "$file" ] && ((depth < 16)) || return 0 # sshd itself goes no deeper
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%%#*} line=${line//$'\t'/ } line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*([A-Za-z]+)[[:space:]]*[=[:space:]][[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]] || continue
    key=${BASH_REMATCH[1],,} value=${BASH_REMATCH[2]//\"/}
    case $key in
      match) match="Match $value" ;;
      include)
        for pattern in $value; do
          [[ $pattern == /* ]] || pattern=/etc/ssh/$pattern
          # shellcheck disable=SC2086 # a pattern
          for each in $pattern; do sshd_lines "$each" "$match" $((depth + 1)); done
        done
        ;;
      passwordauthentication | kbdinteractiveauthentication | challengeresponseauthentication | permitemptypasswords)
        [ -z "$match" ] || [ "${value,,}" = no ] || printf '%s:%s\t%s\t%s\n' "$file" "$number" "$match" "$key $value"
        ;;
    esac
  done <"$file"
}

# Reads what sshd -T says.
sshd_at_fault() {
  awk '
    BEGIN { words = "^(passwordauthentication|kbdinteractiveauthentication|challengeresponseauthentication|permitemptypasswords)$" }
    tolower($1) ~ words && tolower($2) != "no" && !told {
      print "  * SSH takes passwords (" $1 " " $2 "): see that your key is in ~/.ssh/authorized_keys and works, then put these two lines into /etc/ssh/sshd_config.d/10-safepoint.conf:  PasswordAuthentication no  and  KbdInteractiveAuthentication no  and run  systemctl restart ssh"
      told = 1
    }'
}
