#!/usr/bin/env bash
# Real peers over loopback, against the example servers and the example clients, in plain and over TLS.
#
#     tests/interop/run.sh [--quick] [--within SECONDS] [--except] [peer...]
#
# --quick     one server, one client and small content
# --within    begins nothing more after so many seconds, and says what was left out
# --except    all peers but the named ones
#
# Peers come from Debian packages, pip and npm (below the target directory); one that cannot be had is skipped loudly.
# Prints a table at the end; exit status 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/tools.sh

cargo build --quiet --locked --release -p http-tokio --examples
cargo build --quiet --locked --release -p http-async-std --examples
exec python3 -u tests/interop/run.py "$@"
