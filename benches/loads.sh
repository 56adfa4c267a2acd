#!/bin/sh
# Builds what asks and what answers, and tells what a client with a pool costs its machine, kernel and all: requests,
# a download, connections that wait: benches/loads.sh [--rounds N] [--only requests,alone,download,idle] [--assert]
set -eu
cd "$(dirname "$0")/.."
cargo build --quiet --locked --release --package http-tokio --example serve
cargo build --quiet --locked --release --package benches --bin peer --bin loads
# A file for each connection, on both sides.
ulimit -n "$(ulimit -H -n)"
exec "${CARGO_TARGET_DIR:-target}/release/loads" "$@"
