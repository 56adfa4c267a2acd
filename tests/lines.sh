#!/usr/bin/env bash
# Lines of the libraries' code by room: without comments, empty lines and tests.
#
#     tests/lines.sh [LIBRARY...]
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- http-core http-driver http-tokio http-async-std
for library in "$@"; do
    find "$library/src" -name '*.rs' ! -name '*tests.rs' ! -path '*/tests/*' -print0 | sort -z | xargs -0 awk \
        -v library="$library" '
        FNR == 1 { tests = 0; split(FILENAME, path, "/"); room = path[3] ~ /\.rs$/ ? "(root)" : path[3] }
        /^mod tests \{/ { tests = 1 }
        !tests && !/^[ \t]*(\/\/|$|#\[cfg\(test\)\]$)/ { lines[room]++; all++ }
        END {
            printf "%-16s %6d\n", library, all
            for (room in lines) printf "  %-14s %6d\n", room, lines[room] | "sort"
        }'
done
