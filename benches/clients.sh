#!/bin/sh
# Builds the clients and counts the instructions and allocations of requests over a socket:
# benches/clients.sh [--assert] [--only CLIENT,…] [--kinds KIND,…]
set -eu
cd "$(dirname "$0")/.."
. benches/valgrind.sh
# Ours as the example is built by itself, with the features that its users get.
cargo build --quiet --locked --release --package http-tokio --example load
cargo build --quiet --locked --release --package benches --bin asker --bin clients
exec "${CARGO_TARGET_DIR:-target}/release/clients" "$@"
