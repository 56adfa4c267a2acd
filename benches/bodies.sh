#!/bin/sh
# Builds the servers and reports what long content costs them, in instructions and in seconds of the processor, beside
# a loop on tokio that copies: benches/bodies.sh [--rounds N|--assert]
set -eu
cd "$(dirname "$0")/.."
. benches/valgrind.sh
cargo build --quiet --locked --release --package http-tokio --example serve
cargo build --quiet --locked --release --package benches --bin peer --bin bodies
exec "${CARGO_TARGET_DIR:-target}/release/bodies" "$@"
