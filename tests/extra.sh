#!/usr/bin/env bash
# Tools that take minutes to install: run where they are there, and skipped loudly where not.
#
#     tests/extra.sh             supply chain; the public API and semver (release/api.sh): seconds each
#     tests/extra.sh mutants     mutation tests of the pure tables: minutes
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

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
    cargo deny --locked check bans licenses sources
    # The advisory database comes from the network.
    if ! cargo deny fetch >/dev/null 2>&1; then
        skip "cargo-deny advisories" "the advisory database cannot be fetched"
    else
        cargo deny check advisories
    fi
fi

# The public API, compared with what the repository says it is, and with the last release.
release/api.sh
