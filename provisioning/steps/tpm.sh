# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# A key in a TPM: what the service needs to use it, put there while the unit has such a key, and taken away when it has
# none any more. How the key comes into the TPM: provisioning/authority/README.md.

TPM_DEVICE=/dev/tpmrm0
TPM_OPENSSL=/etc/safepoint/openssl-tpm.cnf
TPM_DROP_INS=/etc/systemd/system
TPM_FILES=(safepoint-agent.service.d/tpm.conf dev-tpmrm0.device.d/timeout.conf)

tpm_step() {
  local file key
  key=$(held_key)
  if [ -n "$key" ]; then
    look_at_tpm "$key"
    copy_file 644 "$SOURCE/provisioning/authority/tpm/openssl.cnf" "$TPM_OPENSSL"
    for file in "${TPM_FILES[@]}"; do
      OWES="daemon-reload restart" copy_file 644 "$SOURCE/systemd/tpm/$file" "$TPM_DROP_INS/$file"
    done
  else
    for file in "${TPM_FILES[@]}"; do take_away "$TPM_DROP_INS/$file"; done
  fi
  [ -n "$DRY_RUN" ] || tell_systemd
}

# The first of the unit's key files that is no key but tells OpenSSL where a TPM has it; nothing where there is none.
held_key() {
  local file named=''
  [ ! -r "$CONFIG" ] || named=$(sed -n 's/^ *key_file: *"\{0,1\}\([^"# ]*\).*/\1/p' "$CONFIG" | head -n 1)
  for file in "$named" "$TLS/key.pem" "$TLS/a/key.pem" "$TLS/b/key.pem" "/etc/safepoint/tls/unit-key.pem"; do
    if [ -n "$file" ] && [ -f "$file" ] && grep -q '^-----BEGIN TSS2 PRIVATE KEY-----' "$file"; then
      printf '%s' "$file"
      return 0
    fi
  done
}

# systemd does not start a service at all whose group is unknown: then not even the lamp would answer.
look_at_tpm() {
  if ! getent group tss >/dev/null ||
    ! dpkg-query -W -f '${db:Status-Status}' tpm2-openssl 2>/dev/null | grep -qx installed; then
    refuse "the key $1 lies in a TPM, and the system has no way to it: apt-get install tpm2-openssl tpm-udev, then run this again"
  fi
  [ -c "$TPM_DEVICE" ] || [ -n "$TEST_ROOT" ] ||
    refuse "the key $1 lies in a TPM, and there is no $TPM_DEVICE: look at its wiring and at dtoverlay= in /boot/firmware/config.txt"
}

# take_away FILE, and its folder if nothing else is in it
take_away() {
  [ -e "$1" ] || return 0
  changing "remove $1" || return 0
  owe daemon-reload restart
  rm "$1"
  rmdir --ignore-fail-on-non-empty "$(dirname "$1")"
}
