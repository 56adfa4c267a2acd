"""Runs the scenes and prints the table. `run.sh` is the way in."""

import argparse
import atexit
import os
import signal
import sys
import time

# These register their scenes.
import against_serve
import in_front  # noqa: F401
import over_tls  # noqa: F401
import browser  # noqa: F401
import against_fetch  # noqa: F401
import behind_proxies  # noqa: F401
import harness
from harness import CLIENT_SCENES, SERVER_SCENES, Failed, Missing
from programs import Client, Server

SERVERS = {
    "tokio": ["serve", "--level", "service"],
    "tokio exchange": ["serve", "--level", "exchange"],
    "async-std": ["serve-async-std", "--level", "service"],
    "async-std exchange": ["serve-async-std", "--level", "exchange"],
}
CLIENTS = {"fetch": ["fetch"], "fetch async-std": ["fetch-async-std"]}


def in_time(seconds, scene, program):
    """The scene's outcome; one that hangs fails."""
    def late(*_):
        raise Failed(f"not over after {seconds} s")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        scene(program)
        return "ok", ""
    except Missing as missing:
        return "skipped", str(missing)
    except Failed as failed:
        return "FAILED", str(failed)
    except Exception as error:  # whatever a scene meets is its failure, not the run's
        return "FAILED", f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


def note_skip(what, why):
    print(f"SKIPPED  {what}: {why}", file=sys.stderr)
    if path := os.environ.get("SKIPS"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"interop {what}: {why}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--within", type=int, default=3600)
    parser.add_argument("--except", dest="others", action="store_true")
    parser.add_argument("peers", nargs="*")
    options = parser.parse_args()
    known = {peer for peer, *_ in SERVER_SCENES + CLIENT_SCENES}
    if unknown := set(options.peers) - known:
        parser.error(f"unknown peer {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    chosen = (known - set(options.peers)) if options.others else set(options.peers) or known
    atexit.register(harness.stop_all)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    end = time.monotonic() + options.within
    harness.QUICK = options.quick

    table, missing = [], {}

    def attempt(peer, name, column, scene, program):
        if peer in missing:
            outcome, why = "skipped", missing[peer]
        elif time.monotonic() > end:
            outcome, why = "no time", "no time left"
        else:
            start = time.monotonic()
            outcome, why = in_time(90, scene, program)
            print(f"{outcome:8} {peer}: {name} [{column}] {time.monotonic() - start:.1f} s {why}")
            if outcome == "skipped":
                missing[peer] = why
        table.append((peer, name, column, outcome, why))

    def wanted(scenes):
        return [scene for scene in scenes if scene[0] in chosen]

    for column, words in list(SERVERS.items())[:1 if options.quick else None]:
        if not wanted(SERVER_SCENES):
            break
        server = Server(*words)
        for peer, name, scene in wanted(SERVER_SCENES):
            attempt(peer, name, column, scene, server)
            if server.child.poll() is not None:
                table.append((peer, name, column, "FAILED", "the server has ended"))
                server = Server(*words)
        if "raw" in chosen:
            attempt("raw", "SIGTERM ends it within 2 s", column, against_serve.terminate, server)
        harness.stop(server.child)

    for column, words in list(CLIENTS.items())[:1 if options.quick else None]:
        for peer, name, scene in wanted(CLIENT_SCENES):
            attempt(peer, name, column, scene, Client(*words))

    return report(table)


def report(table):
    columns = list(dict.fromkeys(column for _, _, column, *_ in table))
    rows = {}
    for peer, name, column, outcome, _ in table:
        rows.setdefault((peer, name), {})[column] = outcome
    width = max((len(f"{peer}: {name}") for peer, name in rows), default=0)
    print("\n" + " " * width, *(f"{column:>18}" for column in columns))
    for (peer, name), cells in sorted(rows.items()):
        print(f"{f'{peer}: {name}':{width}}", *(f"{cells.get(column, '-'):>18}" for column in columns))
    for what, why in sorted({(peer, why) for peer, _, _, outcome, why in table if outcome in ("skipped", "no time")}):
        note_skip(what, why)
    failures = [row for row in table if row[3] == "FAILED"]
    for peer, name, column, _, why in failures:
        print(f"FAILED  {peer}: {name} [{column}]: {why}")
    counts = {outcome: sum(row[3] == outcome for row in table) for outcome in ("ok", "FAILED", "skipped", "no time")}
    print("interop: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if failures or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
