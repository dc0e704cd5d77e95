# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# A bundle of provisioning/make-bundle: everything that would come from the network, checked before anything is used.

BUNDLE_APT=() # how apt is told to use the bundle and nothing else
BUNDLE_PIP=() # and pip
BUNDLE=''     # the opened bundle

open_bundle() {
  [ -n "$OFFLINE" ] || return 0
  [ -e "$OFFLINE" ] || refuse "there is no bundle $OFFLINE"
  BUNDLE=$WORK/bundle
  mkdir "$BUNDLE"
  chmod 755 "$WORK" "$BUNDLE" # apt reads it as a user of its own
  if [ -d "$OFFLINE" ]; then
    cp -r "$OFFLINE/." "$BUNDLE"
  else
    tar --extract --file "$OFFLINE" --directory "$BUNDLE" --no-same-owner || refuse "$OFFLINE cannot be unpacked: copy it once more"
  fi
  check_bundle
  mkdir -p "$BUNDLE/apt/lists/partial"
  printf 'deb [trusted=yes] file:%s/debs ./\n' "$BUNDLE" >"$BUNDLE/apt/sources.list"
  BUNDLE_APT=(-o "Dir::Etc::SourceList=$BUNDLE/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$BUNDLE/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Get::List-Cleanup=false)
  BUNDLE_PIP=(--no-index --find-links "$BUNDLE/wheels")
}

# Every file is listed with its sum, and no file is there that is not listed.
check_bundle() {
  local manifest=$BUNDLE/MANIFEST listed there
  [ -f "$manifest" ] || refuse "$OFFLINE has no MANIFEST: it is no bundle of make-bundle"
  if [ -n "$BUNDLE_SHA256" ]; then
    [ "$(sha256sum <"$manifest" | cut -d' ' -f1)" = "${BUNDLE_SHA256,,}" ] ||
      refuse "the bundle is not the one with the sum $BUNDLE_SHA256: do not use it, and ask who gave it to you"
  fi
  listed=$(sed -n 's/^[0-9a-f]\{64\}  //p' "$manifest" | LC_ALL=C sort)
  there=$(cd "$BUNDLE" && find . -type f ! -path ./MANIFEST -printf '%P\n' | LC_ALL=C sort)
  [ "$listed" = "$there" ] || refuse "the files of $OFFLINE are not those of its MANIFEST: copy it once more"
  (cd "$BUNDLE" && grep -v '^#' MANIFEST | sha256sum --check --quiet --strict >/dev/null 2>&1) ||
    refuse "a file of $OFFLINE is damaged: copy it once more"
  local here
  here="$(dpkg --print-architecture) $(os_says VERSION_CODENAME)"
  grep -qx "# for $here" "$manifest" ||
    refuse "$OFFLINE is $(sed -n 's/^# //p' "$manifest" | head -n 1), and this unit needs one for $here"
}
