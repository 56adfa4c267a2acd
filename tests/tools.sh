# Sourced by the scripts that need tools which a machine may lack.
#
# A tool that cannot be had is skipped loudly: a line on stderr, and one in the file that SKIPS names, if it names one,
# so that whoever called the script can repeat it at the end.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

# skip WHAT WHY
skip() {
    echo "SKIPPED  $1: $2" >&2
    if [ -n "${SKIPS:-}" ]; then echo "$1: $2" >>"$SKIPS"; fi
}

# refresh_packages: reads the lists of Debian packages, once for each run of a script.
refresh_packages() {
    if [ -z "${packages_refreshed:-}" ]; then
        packages_refreshed=1
        [ "$(id -u)" != 0 ] || timeout 120 apt-get update -qq >/dev/null 2>&1 || true
    fi
}

# install_packages PACKAGE...: whether they are there now.
install_packages() {
    if dpkg -s "$@" >/dev/null 2>&1; then return 0; fi
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    refresh_packages
    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}
