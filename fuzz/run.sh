#!/usr/bin/env bash
# Runs fuzz targets, one after the other: fuzz/run.sh SECONDS [TARGET...]
#
# Does what cargo-fuzz does, but on any toolchain: the coverage that the fuzzer is guided by is a pass of the compiler.
# What is found goes to fuzz/artifacts, what is worth keeping to $CARGO_TARGET_DIR/corpus; fuzz/minimise.sh takes that
# into the tree.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd fuzz/fuzz_targets && ls ./*.rs | sed 's,^./,,; s/\.rs$//')
source fuzz/build.sh
for target in "${targets[@]}"; do
    mkdir -p "$CARGO_TARGET_DIR/corpus/$target" "fuzz/corpus/$target" "fuzz/artifacts/$target"
    echo "=== $target"
    nice -n 19 "$built/$target" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 -max_len=4096 \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" \
        "$CARGO_TARGET_DIR/corpus/$target" "fuzz/corpus/$target" 2>&1 |
        grep -E 'panicked|^  left|^ right|ERROR|Test unit written|stat::(number_of_executed_units|new_units_added)' || true
done
