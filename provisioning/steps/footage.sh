# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# Where footage lies: a disk of its own, mounted on /srv/safepoint, or the system's card. Never formats anything.

FOOTAGE=/srv/safepoint
KINDS="ext4 xfs f2fs" # file systems that keep their word in a power cut

footage_step() {
  local device
  device=$(answer footage)
  case $device in
    "") ;; # a configuration that somebody wrote by hand says it
    card)
      NEXT+=("Footage goes onto the system's own card: fine for a trial, too small and soon worn for 31 days.")
      ;;
    *) mount_volume "$device" ;;
  esac
  # On a mounted volume this is the volume's own root folder.
  put_folder 700 safepoint:safepoint "$FOOTAGE"
}

mount_volume() {
  local device=$1 kind uuid
  [ -b "$device" ] || refuse "there is no disk $device: plug it in; lsblk lists the disks and their partitions"
  kind=$(blkid -p -s TYPE -o value "$device" || true)
  [[ " $KINDS " == *" $kind "* ]] ||
    refuse "$device has ${kind:-no file system}; footage needs one of $KINDS. If nothing on it is needed any more, run: mkfs.ext4 -m 1 -L footage $device"
  uuid=$(blkid -p -s UUID -o value "$device")
  put_folder 755 root:root "$(dirname "$FOOTAGE")"
  [ -d "$FOOTAGE" ] || put_folder 700 safepoint:safepoint "$FOOTAGE"
  if ! awk -v at="$FOOTAGE" '$1 !~ /^#/ && $2 == at { found = 1 } END { exit !found }' /etc/fstab; then
    # nofail: a unit whose disk died still starts, lights its lamp and calls. nodev, nosuid, noexec: it is data.
    { cat /etc/fstab && printf 'UUID=%s %s %s defaults,noatime,nofail,nodev,nosuid,noexec,x-systemd.device-timeout=10s 0 2\n' "$uuid" "$FOOTAGE" "$kind"; } |
      put_file 644 root:root /etc/fstab
  elif ! grep -q "^UUID=${uuid}[[:space:]]\+${FOOTAGE}[[:space:]]" /etc/fstab; then
    refuse "/etc/fstab mounts another disk on $FOOTAGE than $device (UUID $uuid): remove that line, or answer with the other disk"
  fi
  if ! mountpoint -q "$FOOTAGE"; then
    changing "mount $device on $FOOTAGE" || return 0
    mount -U "$uuid" -t "$kind" -o noatime,nodev,nosuid,noexec "$FOOTAGE" ||
      refuse "$device cannot be mounted on $FOOTAGE: run 'fsck $device' and look at 'dmesg'"
  fi
  [ "$(findmnt -n -o UUID --mountpoint "$FOOTAGE")" = "$uuid" ] ||
    refuse "another disk than $device is mounted on $FOOTAGE: umount it, then run this again"
}
