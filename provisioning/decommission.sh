#!/usr/bin/env bash
# Takes a unit out of service: wipes its keys, its configuration and its footage, and leaves a record that says so.
#
#   sudo /opt/safepoint/provisioning/decommission.sh --record /media/stick/hk-001.json --by "J. Smith"
#
#   --record FILE       where the record goes: a stick, or anything that leaves the site with you
#   --by NAME           who takes it out of service
#   --reason TEXT       why, for the record
#   --handed-over REF   this held footage was handed over; once for each reference that is held. Nothing is wiped while
#                       anything is held that is not named here.
#   --accept-unreadable the disk with the footage cannot be read any more, so nobody knows what was held
#   --confirm UNIT      the unit's id, instead of typing it
#   --overwrite         also fill the free space of the footage's disk once: hours on a large disk. Without it freed
#                       blocks are discarded (TRIM) where the disk can do that.
#   --list              only say what is held, and end
#
# What it can promise: after it, nothing of this is left for anybody who uses the disks as disks. What it cannot: flash
# keeps spare blocks that no command reaches, so somebody who takes the chips off may find parts. Where that matters, burn
# or shred the card. A second run after a power cut continues, with the same record.
#
# It ends with 0: done; 2: refused, nothing was wiped; 1: something could not be wiped, and the record says what.
set -euo pipefail
shopt -s nullglob inherit_errexit dotglob

CONFIG=/etc/safepoint/unit.yaml
PREFIX=/opt/safepoint
STATE=/var/lib/safepoint
FOOTAGE=/srv/safepoint
# All that is of this unit and not of the system. The last ones hold what a second run needs.
KEYS=(/var/lib/safepoint/tls /etc/safepoint/tls)
UNITS=/etc/systemd/system

RECORD='' BY='' REASON='' CONFIRM='' OVERWRITE='' LIST='' ACCEPT_UNREADABLE='' HANDED_OVER=() LEFT=() DONE=()
OVERWRITTEN=() # disks whose free space was filled to its end

refuse() {
  printf 'REFUSED, nothing was wiped: %s\n' "$*" >&2
  exit 2
}

say() { printf '%s\n' "$*"; }

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --overwrite) OVERWRITE=yes ;;
      --accept-unreadable) ACCEPT_UNREADABLE=yes ;;
      --list) LIST=yes ;;
      --help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
      --record | --by | --reason | --handed-over | --confirm)
        [ $# -ge 2 ] || refuse "$1 needs a value after it (see --help)"
        case $1 in
          --record) RECORD=$2 ;;
          --by) BY=$2 ;;
          --reason) REASON=$2 ;;
          --confirm) CONFIRM=$2 ;;
          *) HANDED_OVER+=("$2") ;;
        esac
        shift
        ;;
      *) refuse "there is no option '$1' (see --help)" ;;
    esac
    shift
  done
}

# What the unit says of itself, as one JSON object: id, folders, holds. While it can still be asked it is asked afresh:
# since a run that was broken off somebody may have placed a hold, and a stick may come from another unit. What that run
# saw is added, because it may have been wiped; it stands alone only once the configuration is gone.
look_at_unit() {
  local begun=
  [ -z "$RECORD" ] || [ ! -e "$RECORD.begun" ] || begun=$RECORD.begun
  if [ ! -e "$CONFIG" ]; then
    [ -n "$begun" ] || refuse "there is no unit here: $CONFIG is missing"
    same_board "$begun"
    cat "$begun"
    return
  fi
  "$PREFIX/bin/python" - "$CONFIG" "$STATE" "$begun" <<'PYTHON'
import hashlib, json, pathlib, ssl, sys
from datetime import UTC, datetime
from agent.config.load import load_config
from agent.footage.keep.holds import Holds, HoldsDamaged
from agent.footage.store.volume import volume_of
config = load_config(pathlib.Path(sys.argv[1]), judge_files=False).config
# A disk that died shall not keep a unit in service; but then nobody knows what was held on it, and the record says so.
holds, damaged = [], None
try:
    volume_of(config).check()
    for folder in (config.footage_folder, *config.footage_folder.glob("closed/*")):  # of sites before, too
        holds += Holds(folder).all()
except HoldsDamaged as damage:
    holds, damaged = holds + damage.readable, str(damage)
except OSError as error:
    damaged = error.strerror or str(error)
certificates = {}
folders = [pathlib.Path("/etc/safepoint"), pathlib.Path(sys.argv[2]), config.state_folder]
for file in sorted({file for folder in folders for file in folder.rglob("*.pem")}):
    text = file.read_text(errors="replace")
    parts = text.split("-----BEGIN CERTIFICATE-----")[1:]
    for part in parts:
        pem = "-----BEGIN CERTIFICATE-----" + part.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        certificates.setdefault(digest, str(file))
footage = config.footage_folder
files = [file for file in footage.rglob("*") if file.is_file()] if footage.exists() else []
unit = {
    "record": "safepoint-decommissioning/1",
    "unit": config.unit.id, "org": config.unit.org, "name": config.unit.name, "location": config.unit.location,
    "begun": datetime.now(UTC).isoformat(timespec="seconds"),
    "holds": [
        {"ref": hold.ref, "reason": hold.reason, "by": hold.by}
        | {key: at.astimezone(UTC).isoformat() for key, at in (("made", hold.made), ("from", hold.start), ("to", hold.end))}
        for hold in holds
    ],
    "holds_damaged": damaged,
    "certificates_sha256": certificates,
    "footage_folder": str(footage), "footage_files": len(files), "footage_bytes": sum(f.stat().st_size for f in files),
    "state_folder": str(config.state_folder), "mount": None if config.footage.mount is None else str(config.footage.mount),
}
if sys.argv[3]:
    def refuse(why):
        print(f"REFUSED, nothing was wiped: {sys.argv[3]} {why}: give --record another name", file=sys.stderr)
        raise SystemExit(2)
    try:
        before = json.loads(pathlib.Path(sys.argv[3]).read_text(encoding="utf-8"))
        if before["unit"] != unit["unit"]:
            refuse(f"was begun for the unit {before['unit']}, and this is {unit['unit']}")
        known = {hold["ref"] for hold in unit["holds"]}
        unit["holds"] += [hold for hold in before["holds"] if hold["ref"] not in known]
        unit["holds_damaged"] = unit["holds_damaged"] or before["holds_damaged"]
        unit["certificates_sha256"] = before["certificates_sha256"] | unit["certificates_sha256"]
        unit["begun"] = before["begun"]
        for count in ("footage_files", "footage_bytes"):  # that run may have removed some
            unit[count] = max(unit[count], before[count])
    except (OSError, ValueError, LookupError, TypeError) as error:
        refuse(f"cannot be read ({error})")
print(json.dumps(unit, indent=2))
PYTHON
}

# same_board FILE: what was begun on another board is not continued here, as far as boards have numbers.
same_board() {
  local there
  there=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["board_serial"] or "")' "$1") || refuse "$1 cannot be read: give --record another name"
  [ -z "$there" ] || [ "$there" = "$(tr -d '\0' 2>/dev/null </proc/device-tree/serial-number || true)" ] ||
    refuse "$1 was begun on another board ($there): give --record another name"
}

# of KEY: what the unit said, from $UNIT.
of() { UNIT=$UNIT python3 -c 'import json, os, sys; value = json.loads(os.environ["UNIT"])[sys.argv[1]]; print("" if value is None else value)' "$1"; }

held() { UNIT=$UNIT python3 -c 'import json, os; [print(hold["ref"]) for hold in json.loads(os.environ["UNIT"])["holds"]]'; }

judge_holds() {
  local ref known=() open=()
  mapfile -t known < <(held)
  for ref in "${known[@]}"; do
    in_list "$ref" "${HANDED_OVER[@]}" || open+=("$ref")
  done
  for ref in "${HANDED_OVER[@]}"; do
    in_list "$ref" "${known[@]}" || refuse "nothing is held here for '$ref': look at the hold list again (--list), this may be another unit"
  done
  [ ${#open[@]} = 0 ] || refuse "footage is held for ${open[*]@Q}. Hand it over (safepoint footage clip), then name each with --handed-over. What is held: $0 --list"
  [ -z "$(of holds_damaged)" ] || [ -n "$ACCEPT_UNREADABLE" ] ||
    refuse "nobody knows all that is held: $(of holds_damaged). Have somebody look at that disk first; if it is lost for good, say --accept-unreadable, and the record will say so too"
}

in_list() {
  local wanted=$1 each
  shift
  for each in "$@"; do [ "$each" != "$wanted" ] || return 0; done
  return 1
}

judge_record() {
  local folder wiped
  [ -n "$RECORD" ] || refuse "say where the record goes: --record FILE, on a stick"
  [ -n "$BY" ] || refuse "say who does this: --by NAME"
  folder=$(realpath -m "$(dirname "$RECORD")")
  [ -d "$folder" ] || refuse "there is no folder $folder"
  for wiped in "$STATE" "$(of state_folder)" "$(of footage_folder)" "$FOOTAGE" "$(dirname "$CONFIG")" "$PREFIX"; do
    wiped=$(realpath -m "$wiped")
    [[ $folder/ != "$wiped"/* ]] || refuse "$folder is wiped too: give another place, such as a stick"
  done
  wiped=$(of mount)
  [ -z "$wiped" ] || [[ $folder/ != "$(realpath -m "$wiped")"/* ]] || refuse "$folder is on the disk with the footage: give another place, such as a stick"
  [ ! -e "$RECORD" ] || refuse "$RECORD is there already: give another name"
  (: >"$RECORD.try" && rm "$RECORD.try") || refuse "$folder cannot be written"
}

confirmed() {
  local typed=$CONFIRM
  if [ -z "$typed" ]; then
    [ -t 0 ] || refuse "nobody is here to confirm: give --confirm $(of unit)"
    say "This wipes all keys, the configuration and $(of footage_files) files of footage of $(of unit) ($(of location))."
    IFS= read -rp "Type the unit's id to go on: " typed
  fi
  [ "$typed" = "$(of unit)" ] || refuse "'$typed' is not this unit's id"
}

# Each of these goes on though one fails: what could not be wiped is in the record.
did() { DONE+=("$*"); say "   $*"; }
left() { LEFT+=("$*"); say "   NOT DONE: $*" >&2; }

stop_services() {
  local unit
  for unit in "$UNITS"/safepoint-*; do
    [ -f "$unit" ] || continue
    if [ -d /run/systemd/system ]; then systemctl --quiet stop "${unit##*/}" || left "${unit##*/} did not stop"; fi
    systemctl --quiet disable "${unit##*/}" 2>/dev/null || true # some have nothing to disable
    rm -f "$unit"
  done
  rm -rf "$UNITS/safepoint-agent.service.d" "$UNITS/dev-tpmrm0.device.d/timeout.conf" # of a key in a TPM
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  did "services stopped and removed"
}

# Keys first: whatever happens later, nobody is this unit any more.
wipe_keys() {
  local folder file count=0
  for folder in "${KEYS[@]}" "$(of state_folder)/tls"; do
    [ -d "$folder" ] || continue
    while IFS= read -r -d '' file; do
      if shred --force --iterations=1 --zero --remove "$file"; then count=$((count + 1)); else left "$file could not be overwritten"; fi
    done < <(find "$folder" -xdev -type f -print0)
    remove "$folder"
  done
  did "$count files of keys and certificates overwritten and removed"
}

remove() {
  rm -rf --one-file-system "$1" 2>/dev/null || true
  [ ! -e "$1" ] || left "$1 could not be removed"
}

# The unit's own folder, wherever that is. Of a disk that others use too only that folder is emptied; the folder that
# provision.sh made is the unit's alone.
wipe_footage() {
  local folder mount where before=${#LEFT[@]}
  folder=$(of footage_folder) mount=$(of mount)
  if [ -n "$mount" ] && ! mountpoint -q "$mount"; then
    left "the disk of $mount is not mounted: what is on it was not wiped, destroy it or wipe it elsewhere"
  fi
  for where in "$folder"/* "$FOOTAGE"/*; do
    [[ $where == */lost+found ]] || remove "$where"
  done
  [ ${#LEFT[@]} != "$before" ] || did "footage removed: $(of footage_files) files, $(of footage_bytes) bytes in $folder"
  while IFS= read -r where; do
    if [ -n "$OVERWRITE" ]; then overwrite_free_space "$where"; fi
    [ "$where" = / ] || discard "$where" # / comes last, when all else on it was removed
  done < <({
    disk_of "$folder" "$mount"
    if [ -d "$FOOTAGE" ] && [ "$FOOTAGE" != "$mount" ]; then disk_of "$FOOTAGE" ''; fi
  } | sort -u)
}

# disk_of FOLDER MOUNT: where the file system is mounted that footage lies on; nothing if its disk is not here.
disk_of() {
  local there=$1
  [ -z "$2" ] || mountpoint -q "$2" || return 0
  while [ ! -e "$there" ]; do there=$(dirname "$there"); done
  stat -c %m "$there"
}

discard() {
  if fstrim "$1" 2>/dev/null; then
    did "freed blocks of $1 discarded (TRIM)"
  elif [ "$1" != / ] && in_list "$1" "${OVERWRITTEN[@]}"; then
    did "the disk of $1 does not discard blocks, and was overwritten instead"
  else
    left "the disk of $1 does not discard blocks: what was there can be found until it is overwritten"
  fi
}

overwrite_free_space() {
  local filler=$1/.filling
  sync -f "$1" # ext4 gives the blocks of removed files back only with its next commit
  # It ends when the disk is full, which is what is wanted.
  dd if=/dev/urandom of="$filler" bs=4M conv=fsync status=none 2>/dev/null || true
  if (($(df --output=avail -BM "$1" | tail -n 1 | tr -dc 0-9) > 16)); then
    left "the free space of $1 was not overwritten to its end"
  else
    OVERWRITTEN+=("$1")
    did "the free space of $1 overwritten once"
  fi
  rm -f "$filler"
}

wipe_the_rest() {
  local what
  # The journal names incidents, and the log whoever installed.
  if [ -d /var/log/journal ]; then empty_journal; fi
  for what in "$(of state_folder)" /var/lib/safepoint-reboot /var/lib/private/safepoint-reboot /var/lib/safepoint-update \
    /var/lib/safepoint-software /var/lib/safepoint-provision /var/log/safepoint-provision.log /etc/safepoint /usr/local/bin/safepoint; do
    [ -e "$what" ] || [ -L "$what" ] || continue
    remove "$what"
  done
  did "configuration, outbox, state and logs of this unit removed"
  discard /
  sync
}

empty_journal() {
  # What is being written becomes an old file first: only those are removed.
  if [ -d /run/systemd/system ] && ! journalctl --quiet --rotate; then
    left "the journal could not be emptied"
  elif journalctl --quiet --vacuum-time=1s >/dev/null 2>&1; then
    did "the journal emptied"
  else
    left "the journal could not be emptied"
  fi
}

# put_record PATH STATE: as a whole, safe on the disk.
put_record() {
  UNIT=$UNIT BY=$BY REASON=$REASON python3 - "$1" "$2" "${#HANDED_OVER[@]}" "${#DONE[@]}" \
    "${HANDED_OVER[@]}" "${DONE[@]}" "${LEFT[@]}" <<'PYTHON'
import json, os, platform, sys
from datetime import UTC, datetime
path, state, handed, done, *words = sys.argv[1:]
handed, done = int(handed), int(done)
def text(path):
    try:
        return open(path, errors="replace").read().strip("\0\n") or None
    except OSError:
        return None
record = json.loads(os.environ["UNIT"])
record |= {
    "by": os.environ["BY"], "reason": os.environ["REASON"], "state": state,
    "board": text("/proc/device-tree/model"), "board_serial": text("/proc/device-tree/serial-number"),
    "host": platform.node(), "handed_over": words[:handed], "done": words[handed:handed + done],
    "not_done": words[handed + done:],
    "promise": "Nothing of this is left for whoever uses the disks as disks. Flash keeps spare blocks that no command "
    "reaches: parts may be found there by somebody who takes the chips off. Only destroying the card is a proof.",
}
if state == "ended":
    record["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
with open(path + ".coming", "w") as file:
    json.dump(record, file, indent=2)
    file.write("\n")
    file.flush()
    os.fsync(file.fileno())
os.replace(path + ".coming", path)
os.sync()
PYTHON
}

main() {
  read_options "$@"
  [ "$(id -u)" = 0 ] || refuse "this needs root: put sudo before the command"
  # What a killed run started may be at work for a moment yet.
  exec 9>/run/safepoint-decommission.lock
  flock --wait 30 9 || refuse "another run of this script is at work: wait for it"
  UNIT=$(look_at_unit)
  if [ -n "$LIST" ]; then
    UNIT=$UNIT python3 -c 'import json, os
unit = json.loads(os.environ["UNIT"])
for hold in unit["holds"]: print("{ref}: {from} to {to}, by {by}: {reason}".format(**hold))
print(len(unit["holds"]), "holds", "NOT ALL CAN BE READ: " + unit["holds_damaged"] if unit["holds_damaged"] else "")'
    exit 0
  fi
  judge_record
  judge_holds
  confirmed
  put_record "$RECORD.begun" begun
  UNIT=$(cat "$RECORD.begun")
  stop_services
  wipe_keys
  wipe_footage
  wipe_the_rest
  remove "$PREFIX" # this script too, which is read to its end by now
  put_record "$RECORD" ended
  rm -f "$RECORD.begun"
  say "The record is $RECORD; its SHA-256: $(sha256sum <"$RECORD" | cut -d' ' -f1)"
  [ ${#LEFT[@]} = 0 ] || { say "Not all could be done: see not_done in the record." && exit 1; }
  exit 0
}

main "$@"
