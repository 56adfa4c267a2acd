#!/bin/sh
# Builds the programs and measures how long one peer waits while another one of the same thread is flooded, in ms, on
# both runtimes: benches/waits.sh [SECONDS]. Each figure takes twice the seconds, which are 3. Ends with 1 if one is too
# long.
set -eu
cd "$(dirname "$0")/.."
secs=${1:-3}
cargo build --quiet --locked --release -p http-tokio --example serve --example waits
cargo build --quiet --locked --release -p http-async-std --example serve-async-std --example waits-async-std
bin=${CARGO_TARGET_DIR:-target}/release/examples

# A core for the one who is measured and one for the load, where there are two.
on() {
    core=$1
    shift
    if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then exec taskset -c "$core" "$@"; else exec "$@"; fi
}

failed=0
for server in serve serve-async-std; do
    for level in exchange service; do
        echo "== $server, $level level: p50 p99 max (requests)"
        for flood in gets echoes chunks busy; do
            said=$(mktemp)
            (on 0 "$bin/$server" --port 0 --level "$level") >"$said" &
            pid=$!
            while [ ! -s "$said" ] && kill -0 "$pid"; do sleep 0.05; done
            port=$(sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/' "$said")
            (on 1 "$bin/waits" --flood "$flood" --port "$port" --pid "$pid" --secs "$secs") || failed=1
            kill "$pid" 2>/dev/null || true
            wait "$pid" || true
            rm -f "$said"
        done
    done
done
for client in waits waits-async-std; do
    echo "== $client, as a client: p50 p99 max (requests)"
    for flood in interim tiny; do
        ASYNC_STD_THREAD_COUNT=1 "$bin/$client" --flood "$flood" --secs "$secs" || failed=1
    done
done
exit $failed
