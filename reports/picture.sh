#!/usr/bin/env bash
# Takes the picture of the HTML report that the README shows, in Chromium without a window.
set -euo pipefail
cd "$(dirname "$0")"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
    --user-data-dir="$profile" --window-size=1280,1900 --virtual-time-budget=2000 \
    --screenshot="$PWD/office/report.png" "file://$PWD/office/report.html"
