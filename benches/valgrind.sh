# Sourced by what counts: installs valgrind if it is missing.
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing; installing it" >&2
    (apt-get update && apt-get install -y --no-install-recommends valgrind) >&2
fi
