#!/bin/sh
# Builds the book as HTML into target/book, and looks at what came of it: every picture, page and style that a page
# names is there, and no program has lines of scenery that are shown. Needs mdbook (`cargo install mdbook`), and says so
# loudly if it is missing: docs/build.sh
set -eu
cd "$(dirname "$0")"
if ! command -v mdbook >/dev/null; then
    echo "SKIPPED: the book is not built as HTML, because mdbook is missing: cargo install mdbook --locked" >&2
    exit 0
fi
out=${CARGO_TARGET_DIR:-../target}/book
case $out in /*) ;; *) out=$PWD/$out ;; esac
mdbook build --dest-dir "$out"
python3 - "$out" <<'PYTHON'
import html.parser, pathlib, sys, urllib.parse

out = pathlib.Path(sys.argv[1]).resolve()
wrong = []


class Page(html.parser.HTMLParser):
    """Collects what a page links to, and its anchors."""

    def __init__(self):
        super().__init__()
        self.links, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.anchors.add(attributes["id"])
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]


pages = {}
for path in sorted(out.rglob("*.html")):
    page = Page()
    page.feed(path.read_text())
    pages[path.resolve()] = page
for path, page in pages.items():
    if path.name in ("404.html", "print.html", "toc.html"):
        continue
    for link in page.links:
        url = urllib.parse.urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
        if not target.exists():
            wrong.append(f"{path.relative_to(out)}: {link} is not there")
        elif url.fragment and target in pages and url.fragment not in pages[target].anchors:
            wrong.append(f"{path.relative_to(out)}: no such place: {link}")
print(*wrong, sep="\n")
chapters = len(pages)
print(f"{chapters} pages in {out}")
sys.exit(bool(wrong) or chapters < 30)
PYTHON
