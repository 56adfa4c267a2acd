#!/usr/bin/env bash
# Makes the packages of the libraries as they would be published, and sees that each is whole: what must be in it is
# in it, and every target of it builds from what is in it. Nothing is sent anywhere.
#
#     release/packages.sh             makes them, looks into them, checks all targets: 1 minute
#     release/packages.sh --verify    has cargo build each of them besides, as `cargo publish` does
#     release/packages.sh --names     asks the registry who has the names
#
# REPOSITORY, if it is set, is the address that the packages give for their source.
#
# The repository has names that the registry does not have for us (`release/names`), so this works on a copy, below the
# target directory: there a package has its name on the registry, and its library and whoever depends on it keep ours.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

work=$CARGO_TARGET_DIR/release-packages
copy=$work/workspace unpacked=$work/unpacked
names=$(grep -v '^#' release/names)
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=line-tables-only

if [ "${1:-}" = --names ]; then
    # Outside of the workspace, whose own packages would answer.
    cd /
    while read -r _ name; do
        if found=$(cargo info --quiet --registry crates-io "$name" 2>&1); then
            echo "$name: taken: $(sed -n 's/^version: //p' <<<"$found")"
        elif grep -q 'could not find' <<<"$found"; then
            echo "$name: free"
        else
            skip "the name $name" "the registry does not answer"
        fi
    done <<<"$names"
    exit
fi

rm -rf "$copy" "$unpacked" && mkdir -p "$copy" "$unpacked"
git ls-files -z --cached --others --exclude-standard -- Cargo.toml Cargo.lock LICENSE-MIT LICENSE-APACHE examples \
    $(cut -d' ' -f1 <<<"$names") | tar --null --files-from=- -cf - | tar -xf - -C "$copy"

python3 - "$copy" "$names" <<'PYTHON'
import os, pathlib, re, sys

copy = pathlib.Path(sys.argv[1])
names = dict(line.split() for line in sys.argv[2].splitlines())


def edit(path, *changes):
    text = path.read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        assert count == 1, f"{path}: {pattern} stands there {count} times"
    path.write_text(text)


members = ", ".join(f'"{folder}"' for folder in names)
changes = [(r"^members = \[[^\]]*\]$", f"members = [{members}]"), (r"^exclude = .*\n", "")]
for folder, name in names.items():
    if name != folder:
        changes.append((rf"^{folder} = \{{ ", f'{folder} = {{ package = "{name}", '))
edit(copy / "Cargo.toml", *changes)

for folder, name in names.items():
    changes = []
    if name != folder:
        changes.append((rf'^name = "{folder}"$', f'name = "{name}"'))
        changes.append((r"^\[features\]$", f'[lib]\nname = "{folder.replace("-", "_")}"\n\n[features]'))
    if repository := os.environ.get("REPOSITORY"):
        changes.append((r"^version\.workspace", f'repository = "{repository}"\nversion.workspace'))
    edit(copy / folder / "Cargo.toml", *changes)
PYTHON

verify=(--no-verify)
[ "${1:-}" != --verify ] || verify=()
# A package has a lock file, for which cargo asks the registry.
if ! (cd "$copy" && cargo package --quiet --workspace --allow-dirty "${verify[@]}" --target-dir "$work/target") \
    >"$work/log" 2>&1; then
    if grep -qE 'Could not resolve|failed to download|network' "$work/log"; then
        skip "packages" "the registry cannot be reached, see $work/log"
        exit 0
    fi
    cat "$work/log" >&2
    exit 1
fi
# What cargo leaves out of a package it only warns of.
if grep -q '^warning: ignoring' "$work/log"; then
    grep '^warning: ignoring' "$work/log" >&2
    exit 1
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$copy/Cargo.toml" | head -1)
patches= members=
while read -r folder name; do
    package=$name-$version
    # Its files are all of one date, by which cargo would take what it has built of an earlier package for built of
    # this one.
    tar -xzmf "$work/target/package/$package.crate" -C "$unpacked"
    for file in README.md LICENSE-MIT LICENSE-APACHE src/lib.rs; do
        [ -s "$unpacked/$package/$file" ] || { echo "$package has no $file" >&2; exit 1; }
    done
    for key in description license rust-version readme keywords categories; do
        grep -q "^$key = " "$unpacked/$package/Cargo.toml" || { echo "$package has no $key" >&2; exit 1; }
    done
    if grep -n 'path = "\.\./' "$unpacked/$package/Cargo.toml"; then
        echo "$package has a path that leaves it" >&2
        exit 1
    fi
    members+="\"$package\", " patches+="$name = { path = \"$package\" }"$'\n'
    printf '%-24s %5d KiB, %3d files, for the folder %s\n' "$package" \
        $(($(stat -c %s "$work/target/package/$package.crate") / 1024)) \
        "$(find "$unpacked/$package" -type f | wc -l)" "$folder"
done <<<"$names"

# The packages alone: nothing beside them but each other, in place of what the registry will have.
printf '[workspace]\nresolver = "3"\nmembers = [%s]\n\n[patch.crates-io]\n%s' "$members" "$patches" >"$unpacked/Cargo.toml"
cp "$copy/Cargo.lock" "$unpacked/Cargo.lock"
cd "$unpacked"
cargo check --quiet --workspace --all-features --all-targets
# Examples that need a feature say so; the others need none.
cargo check --quiet --workspace --examples
# As docs.rs builds them, though by this compiler.
RUSTC_BOOTSTRAP=1 RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo doc --quiet --workspace --no-deps --all-features \
    --target-dir "$work/target"
echo "the packages are whole"
