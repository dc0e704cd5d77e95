# shellcheck shell=bash disable=SC2034,SC2154 # sourced by provision.sh, which has the rest
# A larger voice model, where the answers name one by URL and SHA-256. Without it the agent's own is used.

voice_step() {
  local sum url folder
  sum=$(answer voice_model_sha256)
  [ -n "$sum" ] || return 0
  url=$(answer voice_model_url)
  folder=$PREFIX/models/${sum:0:12}
  [ -z "$(voice_model)" ] || return 0
  [ -z "$OFFLINE" ] || refuse "the answers name a voice model at ${url%%\?*}, which --offline cannot fetch: leave it out of the --answers file now, and run this again with it and a network"
  changing "fetch the voice model from ${url%%\?*}" || return 0
  # It installs the model as a whole or not at all, and continues a download that broke off.
  quietly "$PREFIX/bin/python" "$HERE/fetch-voice-model" --sha256 "$sum" "$url" "$folder" || {
    tail -n 1 "$LAST_OUTPUT" >&2
    refuse "the voice model cannot be used (the line above says why): correct voice_model_url and voice_model_sha256"
  }
}

# The folder of the model that was fetched, if it is there.
voice_model() {
  local sum found
  sum=$(answer voice_model_sha256)
  for found in "$PREFIX/models/${sum:0:12}"/*/; do
    [ -n "$sum" ] && printf '%s' "${found%/}"
    return 0
  done
}
