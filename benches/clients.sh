#!/bin/sh
# Builds the clients and counts the instructions and allocations of requests over a socket:
# benches/clients.sh [--assert] [--only CLIENT,…] [--kinds KIND,…]
set -eu
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing; installing it" >&2
    (apt-get update && apt-get install -y --no-install-recommends valgrind) >&2
fi
# Ours as the example is built by itself, with the features that its users get.
cargo build --quiet --locked --release --package http-tokio --example load
cargo build --quiet --locked --release --package benches --bin asker --bin clients
exec "${CARGO_TARGET_DIR:-target}/release/clients" "$@"
