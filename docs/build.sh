#!/usr/bin/env bash
# Builds the book as HTML into target/book, and looks at what came of it: each page, picture and place that a page links
# to is there. Needs mdbook (`cargo install mdbook --locked`) and Python 3, and says so loudly where they are missing:
# docs/build.sh
set -euo pipefail
cd "$(dirname "$0")"
source ../tests/tools.sh
for tool in mdbook python3; do
    command -v $tool >/dev/null || { skip "the book as HTML" "no $tool" && exit 0; }
done
out=$CARGO_TARGET_DIR/book
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
