#!/usr/bin/env bash
# From nothing to four layers: bash installers/quickstart.sh [PICTURE]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

picture="${1:-$ROOT/examples/fox.png}"
if [ ! -f "$picture" ]; then
    say "There is no picture $picture; name a PNG, JPEG, WebP, TIFF, PSD or OpenRaster file."
    exit 2
fi
install_celwright ""

name="$(basename "${picture%.*}")"
mkdir -p "$ROOT/out"
# A layered file of an earlier run may have been painted on: never replace it.
free="$name"
for number in $(seq 2 999); do
    [ -e "$ROOT/out/$free.psd" ] || [ -e "$ROOT/out/$free-layers.png" ] || break
    free="$name-$number"
done
"$ROOT/.venv/bin/celwright" decompose "$picture" \
    -o "$ROOT/out/$free.psd" --contact-sheet "$ROOT/out/$free-layers.png"
