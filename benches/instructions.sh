#!/bin/sh
# Builds the programs and counts instructions and allocations: benches/instructions.sh [--assert]
set -eu
cd "$(dirname "$0")/.."
. benches/valgrind.sh
cargo build --quiet --release --package benches --bins
exec cargo run --quiet --release --package benches --bin instructions -- "$@"
