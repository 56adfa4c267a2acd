"""Chromium loads the page of the example servers, which loads sixty things at once and tells how that went."""

import re

from certificates import certificates
from harness import Tap, check, equal, need_command, run, scratch, serving


def load(port, scheme):
    folder = scratch / f"chromium-{port}"
    with Tap(port) as tap:
        page = run(need_command("chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                   "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage", "--no-proxy-server",
                   "--ignore-certificate-errors", f"--user-data-dir={folder}", "--virtual-time-budget=60000",
                   "--dump-dom", tap.url("/page", scheme), patience=60).stdout.decode()
        outcome = re.search('id="outcome">([^<]*)<', page)
        check(outcome, "the page was not loaded", page)
        equal(outcome[1], "60 of 60 as they should be", "what the page says")
        # A browser has six connections to an origin at a time; three things take theirs with them.
        check(3 <= len(tap.links) <= 20, "connections", len(tap.links))


@serving("chromium", "a page with sixty things at once")
def _(server):
    load(server.port, "http")


@serving("chromium", "TLS: a page with sixty things at once")
def _(server):
    with server.secured(certificates()) as secure:
        load(secure.port, "https")
