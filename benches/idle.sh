#!/bin/sh
# Builds the servers and tells how many bytes of memory the process of a server holds for each of many connections that
# wait, before and after a request on each, beside a loop on tokio that understands nothing: benches/idle.sh [COUNT]
set -eu
cd "$(dirname "$0")/.."
count=${1:-10000}
cargo build --quiet --locked --release --package http-tokio --example serve --example load
cargo build --quiet --locked --release --package benches --bin peer
bin=${CARGO_TARGET_DIR:-target}/release
# A file for each connection, on both sides.
ulimit -n "$(ulimit -H -n)"

# idle NAME COMMAND...: a line of the table.
idle() {
    name=$1
    shift
    said=$(mktemp)
    "$@" >"$said" &
    pid=$!
    while [ ! -s "$said" ] && kill -0 "$pid"; do sleep 0.05; done
    port=$(sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/' "$said")
    status=0
    found=$("$bin/examples/load" --mode idle --conns "$count" --port "$port" --pid "$pid") || status=$?
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    rm -f "$said"
    [ "$status" = 0 ] || return "$status"
    field() { echo "$found" | sed "s/.*\"$1\": \([0-9]*\).*/\1/"; }
    echo "| $name | $(field bytes_each_unused) | $(field bytes_each) |"
}

echo "| bytes for each of $count connections that wait | before a request | after it |"
echo "|---|---:|---:|"
idle floor "$bin/peer" floor
idle "exchange level" "$bin/examples/serve" --port 0 --level exchange
idle "service level" "$bin/examples/serve" --port 0 --level service
idle hyper "$bin/peer" hyper
