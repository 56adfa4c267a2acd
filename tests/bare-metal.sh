#!/usr/bin/env bash
# What the host cannot show of the libraries: that http-core builds for machines without an operating system, and
# http-driver for WebAssembly, that the tests of the core pass on a big-endian machine, and that all of them build with
# the oldest Rust they promise.
#
#     tests/bare-metal.sh [targets] [big-endian] [msrv]        all three by default
#     tests/bare-metal.sh webassembly                          Node's sockets, and HTTP by WebAssembly
#
# rustup's stable toolchain has no library source and no other targets, but Debian packages a current and an old Rust
# (rustc-web). They are unpacked below the target directory; only the cross compiler and the emulator of the big-endian
# run are installed. A step whose packages cannot be had is skipped loudly.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/tools.sh

ours=$CARGO_TARGET_DIR
unpacked=$ours/toolchains
# Other compilers than the workspace's, so a target directory of their own.
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/bare-metal CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
mkdir -p "$unpacked"

# newest_package PATTERN: the newest version of Debian's rustc-web that matches.
newest_package() {
    { apt-cache madison rustc-web 2>/dev/null || true; } | awk -v like="$1" '$3 ~ like {print $3; exit}'
}

# unpack VERSION FOLDER [PACKAGE...]: a toolchain, and what it needs that the machine lacks, into a folder.
unpack() {
    local version=$1 folder=$2 minor named libraries package
    [ ! -e "$folder/complete" ] || return 0
    minor=$(cut -d. -f1,2 <<<"$version")
    shift 2
    named=(rustc-web cargo-web libstd-rust-web-dev "libstd-rust-web-$minor" "$@")
    named=("${named[@]/%/=$version}")
    rm -rf "$folder" && mkdir -p "$folder/packages" && cd "$folder/packages" || return 1
    libraries=$(apt-get install -s --no-install-recommends --allow-downgrades "${named[@]}" |
        awk '$1 == "Inst" && $2 !~ /rust|cargo/ {print $2}')
    # shellcheck disable=SC2086 # one word for each package
    timeout 300 apt-get download -qq "${named[@]}" $libraries || return 1
    for package in *.deb; do dpkg -x "$package" .. || return 1; done
    rm -rf "$folder/packages"
    touch "$folder/complete"
}

# with_toolchain FOLDER cargo-arguments...
with_toolchain() {
    local folder=$1 libraries
    libraries=$folder/usr/lib/x86_64-linux-gnu:$folder/lib/x86_64-linux-gnu
    shift
    LD_LIBRARY_PATH=$libraries RUSTC=$folder/usr/bin/rustc RUSTDOC=$folder/usr/bin/rustdoc \
        "$folder/usr/bin/cargo" "$@"
}

# toolchain PATTERN WHAT [PACKAGE...]: sets `folder` to an unpacked toolchain, or skips WHAT.
toolchain() {
    local pattern=$1 what=$2 version
    shift 2
    refresh_packages
    version=$(newest_package "$pattern")
    folder=$unpacked/rust-$version
    if [ -z "$version" ]; then
        skip "$what" "no Debian package rustc-web of version $pattern"
    elif ! (unpack "$version" "$folder" "$@") >"$folder.log" 2>&1; then
        skip "$what" "the packages of rustc-web $version cannot be unpacked, see $folder.log"
    else
        return 0
    fi
    return 1
}

# current_toolchain WHAT: a Rust with library source, not older than the workspace's.
current_toolchain() {
    toolchain '^1[.](9[6-9]|[1-9][0-9][0-9])' "$1" rust-web-src
}

targets() {
    current_toolchain "bare metal" || return 0
    local chosen=(x86_64-unknown-none thumbv7em-none-eabihf wasm32-unknown-unknown)
    RUSTC_BOOTSTRAP=1 with_toolchain "$folder" build --locked -p http-core --no-default-features \
        -Zbuild-std=core,alloc "${chosen[@]/#/--target=}"
    echo "bare metal: http-core builds for ${chosen[*]}"
    # What the driver wants of a system it is not given there: time and sockets are its runtime's.
    RUSTC_BOOTSTRAP=1 with_toolchain "$folder" check --locked -p http-driver --lib --no-default-features \
        -Zbuild-std=std,panic_abort --target=wasm32-unknown-unknown
    echo "bare metal: http-driver builds for wasm32-unknown-unknown"
}

big_endian() {
    current_toolchain "big endian" || return 0
    if ! install_packages gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user; then
        skip "big endian" "gcc-s390x-linux-gnu, libc6-dev-s390x-cross and qemu-user cannot be installed"
        return 0
    fi
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_RUNNER="qemu-s390x -L /usr/s390x-linux-gnu"
    # Optimized, for the emulator's sake; the checks of debug builds stay on.
    CARGO_PROFILE_DEV_OPT_LEVEL=1 RUSTC_BOOTSTRAP=1 with_toolchain "$folder" test --locked -p http-core --lib --tests \
        -Zbuild-std --target=s390x-unknown-linux-gnu
    echo "big endian: the tests of http-core pass on s390x"
}

msrv() {
    local oldest
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    toolchain "^${oldest//./[.]}[.]" "msrv" || return 0
    # No tests: dev-dependencies may need a newer Rust.
    with_toolchain "$folder" check --locked --lib --all-features \
        -p http-core -p http-driver -p http-tokio -p http-async-std
    with_toolchain "$folder" check --locked --lib --no-default-features -p http-core
    echo "msrv: the libraries build with Rust $oldest"
}

# What wasm-bindgen writes for JavaScript, it writes for one version of itself: that of the lock file. It takes minutes
# to build, so this is not among what is done by default.
webassembly() {
    local what=webassembly version bindgen linker built=$ours/webassembly
    command -v node >/dev/null || { skip "$what" "there is no Node"; return 0; }
    current_toolchain "$what" || return 0
    linker=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
    [ -x "$linker" ] || { skip "$what" "this Rust has no rust-lld"; return 0; }
    version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"/\1/p}' Cargo.lock)
    bindgen=$unpacked/wasm-bindgen-$version
    if [ ! -x "$bindgen/bin/wasm-bindgen" ] &&
        ! (cd / && CARGO_TARGET_DIR=$bindgen/target cargo install --quiet --debug --root "$bindgen" \
            "wasm-bindgen-cli@$version") >"$bindgen.log" 2>&1; then
        skip "$what" "wasm-bindgen-cli $version cannot be installed, see $bindgen.log"
        return 0
    fi
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker with_toolchain "$folder" build --locked \
        --release -p webassembly -Zbuild-std=std,panic_abort --target=wasm32-unknown-unknown
    "$bindgen/bin/wasm-bindgen" --target nodejs --out-dir "$built" \
        "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/webassembly.wasm"
    printf '#!/bin/sh\nexec node "%s" "%s"\n' "$PWD/examples/webassembly/server.cjs" "$built" >"$built/server"
    chmod +x "$built/server"
    CARGO_TARGET_DIR=$ours CARGO_PROFILE_DEV_DEBUG=line-tables-only WEBASSEMBLY_SERVER=$built/server \
        cargo test --quiet --locked -p loops --test loops -- --ignored webassembly
    echo "webassembly: Node's sockets serve HTTP, $(wc -c <"$built/webassembly_bg.wasm") bytes of WebAssembly"
}

[ $# -gt 0 ] || set -- targets big-endian msrv
for step; do
    case $step in
    targets) targets ;;
    big-endian) big_endian ;;
    msrv) msrv ;;
    webassembly) webassembly ;;
    *) echo "unknown step: $step" >&2 && exit 2 ;;
    esac
done
