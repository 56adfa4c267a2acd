#!/bin/sh
# Builds the servers and counts the instructions of requests over a socket, by kinds of traffic,
# and with --assert those of long content as well:
# benches/sockets.sh [--assert] [--only SERVER,…] [--kinds KIND,…]
set -eu
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing; installing it" >&2
    (apt-get update && apt-get install -y --no-install-recommends valgrind) >&2
fi
# Ours as the examples are built by themselves, with the features that their users get.
cargo build --quiet --locked --release --package http-tokio --example serve --example serve-axum
cargo build --quiet --locked --release --package benches --bin peer --bin sockets --bin bodies
case " $* " in
    *" --assert "*) "${CARGO_TARGET_DIR:-target}/release/bodies" --assert ;;
esac
exec "${CARGO_TARGET_DIR:-target}/release/sockets" "$@"
