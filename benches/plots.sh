#!/bin/sh
# Counts what the book's page about performance shows, and writes its tables and pictures anew: benches/plots.sh
# With --draw it draws from the figures of the last run, benches/plots/figures.md. Takes ten minutes, builds and all.
set -eu
cd "$(dirname "$0")/.."
figures=benches/plots/figures.md
if [ "${1:-}" != --draw ]; then
    . benches/valgrind.sh
    cargo build --quiet --locked --release --package benches --bin fields
    # section NAME COMMAND...: what the command prints, under its name.
    section() {
        echo
        echo "== $1"
        shift
        echo "counting: $*" >&2
        "$@"
    }
    {
        rust=$(rustc --version | cut -d' ' -f2)
        hyper=$(cargo tree --locked -p benches --depth 1 --prefix none | sed -n 's/^hyper v\([0-9.]*\).*/\1/p')
        echo "# Rust $rust, $(uname -m), hyper $hyper, $(date -u +%F)"
        section instructions sh benches/instructions.sh
        section fields "${CARGO_TARGET_DIR:-target}/release/fields"
        section sockets sh benches/sockets.sh
        section clients sh benches/clients.sh
        section bodies sh benches/bodies.sh
        section idle sh benches/idle.sh
    } >"$figures.new"
    mv "$figures.new" "$figures"
fi
cargo run --quiet --locked --package plots
