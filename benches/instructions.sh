#!/bin/sh
# Builds the programs and counts instructions and allocations: benches/instructions.sh [--assert]
set -eu
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing; installing it" >&2
    (apt-get update && apt-get install -y --no-install-recommends valgrind) >&2
fi
cargo build --quiet --release --package benches --bins
exec cargo run --quiet --release --package benches --bin instructions -- "$@"
