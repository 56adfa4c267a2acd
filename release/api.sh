#!/usr/bin/env bash
# The public API of the libraries: what it is, and whether it still is what was released.
#
#     release/api.sh             compares it with release/api/*.txt, and with the last release by semver's rules
#     release/api.sh --write     writes release/api/*.txt anew: for the commit that changes the API
#
# The lists are made by cargo-public-api with a nightly Rust, the comparison by cargo-semver-checks with any. What is
# not here is skipped loudly. Both are asked with all features.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

libraries=(http-core http-driver http-tokio http-async-std)
export CARGO_INCREMENTAL=0

# has TOOL: whether `cargo TOOL` is there; skips it if not.
has() {
    if cargo "$1" --version >/dev/null 2>&1; then return 0; fi
    skip "cargo-$1" "not installed; cargo install --locked cargo-$1"
    return 1
}

differs=
if has public-api; then
    if ! rustc +nightly --version >/dev/null 2>&1; then
        skip "cargo-public-api" "needs a nightly Rust beside; rustup toolchain install nightly --profile minimal"
    else
        made=$CARGO_TARGET_DIR/public-api
        mkdir -p "$made" release/api
        for library in "${libraries[@]}"; do
            # Without the implementations that every type has.
            if ! cargo public-api -sss --all-features -p "$library" >"$made/$library.txt" 2>"$made/log"; then
                skip "public API of $library" "this nightly and cargo-public-api do not go together, see $made/log"
            elif [ "${1:-}" = --write ]; then
                cp "$made/$library.txt" "release/api/$library.txt"
            elif ! diff -u "release/api/$library.txt" "$made/$library.txt"; then
                differs="$differs $library"
            fi
        done
    fi
fi
[ "${1:-}" != --write ] || exit 0

if has semver-checks; then
    released=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
    if [ -z "$released" ]; then
        skip "cargo-semver-checks" "no release tag to compare with"
    else
        for library in "${libraries[@]}"; do
            cargo semver-checks --all-features -p "$library" --baseline-rev "$released"
        done
    fi
fi

if [ -n "$differs" ]; then
    echo "the public API is not what release/api says:$differs; if it is meant, release/api.sh --write" >&2
    exit 1
fi
