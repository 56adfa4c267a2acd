//! Messages that are almost right.

use crate::source::Source;

const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a?b HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: keep-alive, x\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloHEAD /h HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;a=\"b;c\"\r\nhello\r\n0;x\r\nX: y\r\n\r\n",
    "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "POST /u HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\ntunnel",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET http://b:8/c HTTP/1.1\r\nHost: b:8\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "GET /a[|]^?b[]={`}\\ HTTP/1.1\r\nHost: a\r\n\r\nGET http://[::1]:8/|?^ HTTP/1.1\r\nHost: a\r\n\r\n",
];

const RESPONSES: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nuntil the end",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nother",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];

const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "\0",
    "\u{7f}",
    "\u{e9}",
    "0",
    "1",
    "ffffffffffffffff",
    "+5",
    "-1",
    "0x5",
    "Content-Length: 5\r\n",
    "Content-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Host: b\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "\r\n\r\n",
    " folded\r\n",
    "HTTP/1.1",
    "HTTP/2.0",
    "chunked, chunked",
    "18446744073709551616",
];

/// A sequence of messages with a few faults, as `source` chooses: requests or responses.
#[must_use]
pub fn mutated(source: &mut Source<'_>, responses: bool) -> Vec<u8> {
    let messages = if responses { RESPONSES } else { REQUESTS };
    let mut wire = Vec::new();
    for _ in 0..=source.below(3) {
        wire.extend_from_slice(source.pick(messages).as_bytes());
    }
    for _ in 0..source.below(5) {
        let at = source.below(wire.len().max(1)).min(wire.len());
        let to = (at + source.below(9)).min(wire.len());
        match source.below(5) {
            0 => wire.insert(at, source.byte()),
            1 => drop(wire.drain(at..to)),
            2 => {
                let copy = wire[at..to].to_vec();
                wire.splice(to..to, copy);
            }
            3 => drop(wire.splice(at..to, source.pick(PIECES).bytes())),
            _ => drop(wire.splice(at..at, source.pick(PIECES).bytes())),
        }
    }
    wire
}

/// What stands in the corpora first: every message, unharmed.
#[must_use]
pub fn seeds(responses: bool) -> &'static [&'static str] {
    if responses { RESPONSES } else { REQUESTS }
}
