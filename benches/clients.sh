#!/bin/sh
# Builds the clients and counts the instructions and allocations of requests over a socket:
# benches/clients.sh [--assert] [--peers] [--only CLIENT,…] [--kinds KIND,…]
# With --peers, or named, reqwest, ureq and evhttp as well, which nothing else builds.
set -eu
cd "$(dirname "$0")/.."
. benches/valgrind.sh
built=${CARGO_TARGET_DIR:-target}/release
# Ours as the example is built by itself, with the features that its users get.
cargo build --quiet --locked --release --package http-tokio --example load
cargo build --quiet --locked --release --package benches --bin asker --bin clients
case "$*" in
*--peers* | *reqwest* | *ureq* | *evhttp*)
    cargo build --quiet --locked --release --manifest-path benches/peers/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}"
    rm -f "$built/evhttp-client"
    ${CC:-cc} -O2 -o "$built/evhttp-client" benches/peers/evhttp.c -levent ||
        echo "SKIPPED: evhttp, for there is no libevent to build it with: apt-get install libevent-dev" >&2
    ;;
esac
exec "$built/clients" "$@"
