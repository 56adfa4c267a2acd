#!/usr/bin/env bash
# SIGTERM ends the example servers in order: within 2 s although connections are open, with exit status 0.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh
bin=$CARGO_TARGET_DIR/release/examples

for server in serve serve-async-std; do
    for level in service exchange; do
        coproc SERVER { exec "$bin/$server" --port 0 --level "$level"; }
        pid=$SERVER_PID
        read -r line <&"${SERVER[0]}"
        port=$(sed 's|.*:\([0-9]*\)/.*|\1|' <<<"$line")
        # One connection idles, one is inside of a request.
        exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
        printf 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc' >&6
        read -r answer <&6
        [[ $answer == "HTTP/1.1 200"* ]] || { echo "$server: $answer" >&2; exit 1; }
        began=${EPOCHREALTIME/[.,]/}
        kill -TERM "$pid"
        wait "$pid" || { echo "$server, level $level: exit status $?" >&2; exit 1; }
        took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
        exec 5>&- 6>&-
        [ "$took" -lt 2000 ] || { echo "$server, level $level: took $took ms" >&2; exit 1; }
        echo "$server, level $level: ended after $took ms"
    done
done
