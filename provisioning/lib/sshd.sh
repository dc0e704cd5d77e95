# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Of whom the SSH server takes passwords. It is asked itself (sshd -T), for everybody here and from each kind of place
# that its rules tell apart. Its files are read to say where that is written, and for rules about people who are not here.

SSHD_CONFIG=/etc/ssh/sshd_config
SSHD_DEFAULTS=/etc/default/ssh # options of its service, which go before all files
SSHD='' SSHD_OPTIONS=()
# What asks for a password, as sshd -T and as sshd_config(5) write it.
declare -A PASSWORD_SETTING=(
  [passwordauthentication]=PasswordAuthentication
  [kbdinteractiveauthentication]=KbdInteractiveAuthentication
  [permitemptypasswords]=PermitEmptyPasswords
)

sshd_at_fault_here() {
  local word before='' config=$SSHD_CONFIG
  SSHD=$(command -v sshd || printf /usr/sbin/sshd)
  [ -x "$SSHD" ] || return 0
  mkdir -p /run/sshd # sshd -T wants it, as its service would make it
  read -ra SSHD_OPTIONS <<<"$(sshd_options)"
  for word in "${SSHD_OPTIONS[@]}"; do
    if [ "$before" = -f ]; then config=$word; fi
    before=$word
  done
  { option_rules; sshd_rules "$config" '' 0; } | sshd_at_fault
}

# As systemd reads them; never run.
sshd_options() { [ ! -r "$SSHD_DEFAULTS" ] || sed -n 's/^[[:space:]]*SSHD_OPTS=//p' "$SSHD_DEFAULTS" | tail -n 1 | tr -d "\"'"; }

# ask_sshd USER PLACE: what holds for such a login, "key value" in each line.
ask_sshd() { "$SSHD" "${SSHD_OPTIONS[@]}" -T -C "user=$1,$2" 2>&1; }

# Of what sshd_rules says: a sentence for each setting that lets somebody in.
sshd_at_fault() {
  local rules users places place words user told asked=0 let_in='' key value
  rules=$(cat)
  users=$(who_could_come_in)
  places=$(places_told_apart <<<"$rules")
  while IFS=$'\t' read -r place words; do
    for user in $users; do
      if ! told=$(ask_sshd "$user" "$place"); then
        printf '  * SSH does not say whom it lets in: sshd ends with "%s": put that right (sshd -t says it too; ssh-keygen -A makes host keys that are missing)\n' "$(tail -n 2 <<<"$told" | paste -sd ' ')"
        return 0
      fi
      asked=$((asked + 1))
      while read -r key value; do
        [ -z "${PASSWORD_SETTING[${key:-none}]:-}" ] || [ "$value" = no ] || let_in+="$key"$'\t'"$user"$'\t'"$words"$'\n'
      done <<<"$told"
    done
  done <<<"$places"
  for key in passwordauthentication kbdinteractiveauthentication permitemptypasswords; do
    tell_sshd_at_fault "$key" "$(people_let_in "$key" "$asked" <<<"$let_in")" "$(lines_that_allow "$key" <<<"$rules")"
  done
}

# tell_sshd_at_fault KEY PEOPLE LINES: lines without people are a rule that waits for somebody.
tell_sshd_at_fault() {
  local setting=${PASSWORD_SETTING[$1]} people=${2:-whoever fits a rule} lines=$3 what=passwords
  local why="$setting, by $lines" how='make it no there'
  [ -n "$2$lines" ] || return 0
  [ "$1" != permitemptypasswords ] || what='empty passwords'
  if [ -z "$lines" ]; then
    why="$setting, which no file forbids to all"
    how="put the line  $setting no  into /etc/ssh/sshd_config.d/10-safepoint.conf"
  fi
  [ "$1" != kbdinteractiveauthentication ] || why="the password at the keyboard, $why"
  printf '  * SSH takes %s of %s (%s): see that your key is in ~/.ssh/authorized_keys and works, %s, and run  systemctl restart ssh\n' "$what" "$people" "$why" "$how"
}

# Everybody with a shell or a password: under a rule with a command of its own nobody needs a shell.
who_could_come_in() {
  {
    getent passwd | awk -F: '$7 !~ "/(nologin|false|sync)$" { print $1 }'
    passwd --status --all | awk '$2 != "L" { print $1 }'
  } | sort -u
}

# people_let_in KEY ASKED: of the lines KEY, USER, FROM WHERE, those people, and from where if that was told.
people_let_in() {
  awk -F '\t' -v key="$1" -v asked="$2" '
    $1 == key { all++; if (!($2 in from)) { name[++people] = $2; from[$2] = $3 } }
    END {
      if (all == asked) { if (all) printf "everybody"; exit }
      for (i = 1; i <= people; i++) {
        place = from[name[i]]
        printf "%s%s%s", (i > 1 ? ", " : ""), name[i], (place == "" || (i < people && place == from[name[i + 1]]) ? "" : " " place)
      }
    }'
}

# lines_that_allow KEY: of the lines of sshd_rules; of those without a Match the first alone holds, as sshd has it.
lines_that_allow() {
  awk -F '\t' -v key="$1" '
    $3 != key || ($2 == "" && without++) || tolower($4) == "no" { next }
    { printf "%s%s%s", (told++ ? " and " : ""), $1, ($2 == "" ? "" : " under \047" $2 "\047") }'
}

# What the service's own options say, as sshd_rules would.
option_rules() {
  local word
  for word in "${SSHD_OPTIONS[@]}"; do
    word=${word#-o}
    [[ $word != *=* ]] || sshd_rule "SSHD_OPTS in $SSHD_DEFAULTS" '' "${word%%=*}" "${word#*=}"
  done
}

# sshd_rules FILE MATCH DEPTH: FILE:LINE, the Match around it, name and value (tabs between) of each Match and of what is
# said of passwords. Files are followed through Include as sshd does: relative ones from /etc/ssh, and a Match of the
# including file holds in them too.
sshd_rules() {
  local file=$1 match=$2 depth=$3 line key value number=0 pattern each
  [ -r "$file" ] && ((depth < 16)) || return 0 # sshd itself goes no deeper
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%%#*} line=${line//$'\t'/ } line=${line%$'\r'} line=${line//\"/}
    [[ $line =~ ^[[:space:]]*([A-Za-z]+)[[:space:]]*[=[:space:]][[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]] || continue
    key=${BASH_REMATCH[1],,} value=${BASH_REMATCH[2]}
    case $key in
      match)
        match="Match $value"
        printf '%s:%s\t%s\tmatch\t%s\n' "$file" "$number" "$match" "$value"
        ;;
      include)
        for pattern in $value; do
          [[ $pattern == /* ]] || pattern=/etc/ssh/$pattern
          # shellcheck disable=SC2086 # a pattern
          for each in $pattern; do sshd_rules "$each" "$match" $((depth + 1)); done
        done
        ;;
      *) sshd_rule "$file:$number" "$match" "$key" "$value" ;;
    esac
  done <"$file"
}

# sshd_rule WHERE MATCH NAME VALUE
sshd_rule() {
  local key=${3,,}
  case $key in challengeresponseauthentication | skeyauthentication) key=kbdinteractiveauthentication ;; esac
  [ -z "${PASSWORD_SETTING[$key]:-}" ] || printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$key" "$4"
}

# Of what sshd_rules says: each kind of place that a Match tells apart, as sshd -C wants it, a tab, and in words. A
# criterion that some Match looks at is tried with a value for each of its patterns, and with some that stand for all
# others: a rule that forbids passwords from one place allows them from elsewhere. (Addresses of RFC 5737 and 3849.)
places_told_apart() {
  awk -F '\t' '
    BEGIN {
      criteria = split("address host localaddress localport rdomain", criterion, " ")
      key["address"] = "addr"; said["address"] = "from "; tried["address"] = "203.0.113.9,127.0.0.1,2001:db8::9"
      key["host"] = "host"; said["host"] = "from the host "; tried["host"] = "elsewhere.example,localhost"
      key["localaddress"] = "laddr"; said["localaddress"] = "at "; tried["localaddress"] = "192.0.2.9,127.0.0.1"
      key["localport"] = "lport"; said["localport"] = "at port "; tried["localport"] = "22,65535"
      key["rdomain"] = "rdomain"; said["rdomain"] = "in the routing domain "; tried["rdomain"] = ",other"
    }
    $3 == "match" {
      gsub("=", " ", $4)
      words = split($4, word, " ")
      for (i = 1; i < words; i++) if (tolower(word[i]) in key) patterns[tolower(word[i])] = patterns[tolower(word[i])] "," word[i + 1]
    }
    function specimen(pattern, of) {
      sub(/^!/, "", pattern)
      if (of !~ /address/) { gsub(/[*?]/, "x", pattern); return pattern }
      sub("/.*", "", pattern)
      gsub(/[?]/, "1", pattern)
      if (pattern ~ /:/) { sub(/:+[*]$/, "::1", pattern); return pattern }
      gsub(/[*]/, "1", pattern)
      while (pattern !~ /[.].*[.].*[.]/) pattern = pattern ".1"
      return pattern
    }
    function places(level, spec, where,    of, values, value, i, seen) {
      if (level > criteria) { sub(/ $/, "", where); print substr(spec, 2) "\t" where; return }
      of = criterion[level]
      values = split(tried[of] patterns[of], value, ",")
      for (i = 1; i <= values; i++) {
        if (i > split(tried[of], seen_value, ",")) value[i] = specimen(value[i], of)
        if (seen[value[i]]++) continue
        places(level + 1, spec "," key[of] "=" value[i], where (i == 1 ? "" : said[of] value[i] " "))
        if (patterns[of] == "") break
      }
    }
    END { places(1, "", "") }'
}
