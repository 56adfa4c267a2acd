#!/usr/bin/env bash
# Builds and runs the program without std, and checks that the build fails as soon as something pulls std in.
set -euo pipefail
cd "$(dirname "$0")"

cargo run --quiet --locked
if output=$(cargo build --locked --features std-below 2>&1); then
    echo "no_std: a dependency on std went unnoticed; the proof proves nothing" >&2
    exit 1
elif ! grep -q 'duplicate lang item' <<<"$output"; then
    printf '%s\nno_std: the build with std failed, but not for the reason expected\n' "$output" >&2
    exit 1
fi
echo "no_std: with std below, the build fails as it should"
