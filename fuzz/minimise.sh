#!/usr/bin/env bash
# Takes what fuzz/run.sh has found worth keeping into fuzz/corpus, as few and as small files as reach what all of them
# reach: fuzz/minimise.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd fuzz/fuzz_targets && ls ./*.rs | sed 's,^./,,; s/\.rs$//')
source fuzz/build.sh
for target in "${targets[@]}"; do
    mkdir -p "$CARGO_TARGET_DIR/corpus/$target" "fuzz/corpus/$target"
    rm -rf "$CARGO_TARGET_DIR/merged" && mkdir -p "$CARGO_TARGET_DIR/merged"
    # Without counters: an edge that was reached more often is not worth a file.
    nice -n 19 "$built/$target" -merge=1 -use_counters=0 -max_len=4096 "$CARGO_TARGET_DIR/merged" \
        "fuzz/corpus/$target" "$CARGO_TARGET_DIR/corpus/$target" >/dev/null 2>&1
    rm -rf "fuzz/corpus/$target" && mkdir -p "fuzz/corpus/$target"
    # At most 200 of them, of all sizes.
    find "$CARGO_TARGET_DIR/merged" -type f -size -4097c -printf '%s %p\n' | sort -n >"$CARGO_TARGET_DIR/sizes"
    awk -v n="$(wc -l <"$CARGO_TARGET_DIR/sizes")" 'n <= 200 || int(NR * 200 / n) > int((NR - 1) * 200 / n) { print $2 }' \
        "$CARGO_TARGET_DIR/sizes" | xargs -r cp -t "fuzz/corpus/$target"
    echo "$target: $(ls "fuzz/corpus/$target" | wc -l) files, $(du -sb "fuzz/corpus/$target" | cut -f1) bytes"
done
