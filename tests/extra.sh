#!/usr/bin/env bash
# Tools that take minutes to install: run where they are there, and skipped loudly where not.
#
#     tests/extra.sh             supply chain, semver and public API: seconds each
#     tests/extra.sh mutants     mutation tests of the pure tables: minutes
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

libraries=(http-core http-driver http-tokio http-async-std)

# has TOOL: whether `cargo TOOL` is there; skips it if not.
has() {
    if cargo "$1" --version >/dev/null 2>&1; then return 0; fi
    skip "cargo-$1" "not installed; cargo install --locked cargo-$1"
    return 1
}

if [ "${1:-}" = mutants ]; then
    if has mutants; then
        cargo mutants --package http-core --file http-core/src/connection/exchange.rs --file http-core/src/read/framing.rs
    fi
    exit
fi

if has deny; then
    cargo deny --offline check bans licenses sources
    # The advisory database comes from the network.
    if ! cargo deny fetch >/dev/null 2>&1; then
        skip "cargo-deny advisories" "the advisory database cannot be fetched"
    else
        cargo deny check advisories
    fi
fi

if has semver-checks; then
    baseline=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
    if [ -z "$baseline" ]; then
        skip "cargo-semver-checks" "no release tag to compare with"
    else
        for crate in "${libraries[@]}"; do cargo semver-checks -p "$crate" --baseline-rev "$baseline"; done
    fi
fi

if has public-api; then
    mkdir -p "$CARGO_TARGET_DIR/public-api"
    for crate in "${libraries[@]}"; do
        cargo public-api --simplified -p "$crate" >"$CARGO_TARGET_DIR/public-api/$crate.txt"
    done
    echo "public API: written to $CARGO_TARGET_DIR/public-api"
fi
