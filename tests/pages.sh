#!/usr/bin/env bash
# The pages of the example programs in Chromium: the chat, the upload, the news. What they show is left as pictures.
#
#     tests/pages.sh [FOLDER]         the pictures go there; below the target directory by default
#
# Chromium is spoken to through the example `talk`: its own WebSocket, over our client. Without it, this is skipped
# loudly.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

pictures=${1:-$CARGO_TARGET_DIR/pages}
if ! command -v chromium >/dev/null && ! install_packages chromium; then
    skip "pages" "chromium cannot be installed"
    exit 0
fi
cargo build --quiet --locked -p programs --bins
mkdir -p "$pictures"
exec python3 -u tests/interop/pages.py "$CARGO_TARGET_DIR/debug" "$pictures"
