#!/bin/sh
# Builds the servers and counts the instructions of requests over a socket, by kinds of traffic,
# and with --assert those of long content as well:
# benches/sockets.sh [--assert] [--only SERVER,…] [--kinds KIND,…]
set -eu
cd "$(dirname "$0")/.."
. benches/valgrind.sh
# Ours as the examples are built by themselves, with the features that their users get.
cargo build --quiet --locked --release --package http-tokio --example serve --example serve-axum
cargo build --quiet --locked --release --package benches --bin peer --bin sockets --bin bodies
case " $* " in
    *" --assert "*) "${CARGO_TARGET_DIR:-target}/release/bodies" --assert ;;
esac
exec "${CARGO_TARGET_DIR:-target}/release/sockets" "$@"
