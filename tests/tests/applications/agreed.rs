//! What differs and may: the list that both comparisons are held to.
//!
//! A line says where (requests by name, `*` stands for any part of one), what, how it is with ours and with the other
//! server, and why, which is a section of an RFC or the reason. Each must be needed: a pattern that no difference
//! matches any more fails, but for what shows once a pending fault is mended. What is about the content, the framing,
//! the statuses or the completeness of answers names its values, and a section by which the other server is wrong, or
//! which leaves the choice.

use crate::compare::Difference;
use crate::pending::PENDING;

/// Which of the comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// An axum application beside `axum::serve`.
    Axum,
    /// A stack of tower layers on async-std beside hyper.
    Tower,
}

/// One difference that is agreed to, or known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    runs: &'static [Run],
    /// Patterns, with spaces between.
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    /// The section or the reason; of what is pending, the fault.
    pub(crate) why: &'static str,
    /// Whether it hangs on what the other server happens to see first, so that it need not show.
    sometimes: bool,
    /// The fault that has to be mended before it shows.
    once: Option<&'static str>,
}

/// In both comparisons.
pub(crate) const fn both(
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    why: &'static str,
) -> Line {
    Line { runs: &[Run::Axum, Run::Tower], rows, what, ours, theirs, why, sometimes: false, once: None }
}

/// Beside `axum::serve` alone.
pub(crate) const fn axum(
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    why: &'static str,
) -> Line {
    Line { runs: &[Run::Axum], ..both(rows, what, ours, theirs, why) }
}

/// Beside hyper alone.
pub(crate) const fn tower(
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    why: &'static str,
) -> Line {
    Line { runs: &[Run::Tower], ..both(rows, what, ours, theirs, why) }
}

impl Line {
    const fn sometimes(self) -> Self {
        Self { sometimes: true, ..self }
    }

    const fn once(self, fault: &'static str) -> Self {
        Self { once: Some(fault), ..self }
    }

    /// Whether each of its patterns has to match something.
    fn must_show(&self) -> bool {
        let names = |line: &Line, fault| line.why.split(|c: char| !c.is_alphanumeric()).any(|word| word == fault);
        let waits = self.once.is_some_and(|fault| PENDING.iter().any(|line| names(line, fault)));
        !self.sometimes && !waits
    }

    fn matches(&self, pattern: &str, difference: &Difference) -> bool {
        let equal = |mine: &str, value: &str| mine == "*" || mine == value;
        equal(self.what, &difference.what)
            && equal(self.ours, &difference.ours)
            && equal(self.theirs, &difference.theirs)
            && fits(pattern, &difference.row)
    }

    fn patterns(&self) -> impl Iterator<Item = &'static str> {
        self.rows.split_ascii_whitespace()
    }

    fn covers(&self, difference: &Difference) -> bool {
        self.patterns().any(|pattern| self.matches(pattern, difference))
    }
}

/// Whether a name is of a form with at most two `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| match rest.rsplit_once('*') {
            None => name.ends_with(rest),
            Some((middle, end)) => name.strip_suffix(end).is_some_and(|name| name.contains(middle)),
        }),
    }
}

/// What these lines do not cover, and the patterns of them that cover nothing.
pub(crate) fn sift(run: Run, lines: &'static [Line], found: Vec<Difference>) -> (Vec<Difference>, Vec<String>) {
    let lines: Vec<_> = lines.iter().filter(|line| line.runs.contains(&run)).collect();
    let stale = lines
        .iter()
        .filter(|line| line.must_show())
        .flat_map(|line| line.patterns().map(move |pattern| (line, pattern)))
        .filter(|(line, pattern)| !found.iter().any(|difference| line.matches(pattern, difference)))
        .map(|(line, pattern)| {
            format!("{pattern}: {} of ours {:?}, theirs {:?}: {}", line.what, line.ours, line.theirs, line.why)
        })
        .collect();
    let left = found.into_iter().filter(|difference| !lines.iter().any(|line| line.covers(difference))).collect();
    (left, stale)
}

#[test]
fn patterns_fit_what_they_say_and_lines_hide_nothing() {
    assert!(fits("a", "a") && !fits("a", "ab") && fits("*", "x") && fits("a*c", "abc") && !fits("a*c", "abd"));
    assert!(
        fits("*/x", "odd/x") && fits("odd*/x", "odd-head/x") && !fits("odd*/x", "odd/xy") && fits("a*/b*", "ac/bd")
    );
    for line in AGREED {
        let about_answers = ["answers", "content", "framing", "complete", "stray", "*"].contains(&line.what);
        assert!(!line.why.is_empty() && line.patterns().count() > 0, "{line:?}");
        assert!(!about_answers || (line.ours != "*" && line.theirs != "*"), "values, all of them: {line:?}");
        assert!(!about_answers || line.why.starts_with("RFC ") || line.why.contains(" (RFC "), "a section: {line:?}");
        assert!(!about_answers || line.patterns().all(|pattern| pattern != "*"), "which requests: {line:?}");
    }
}

#[rustfmt::skip]
pub(crate) const AGREED: &[Line] = &[
    // What is said in other words.
    both("*", "version", "HTTP/1.1", "HTTP/1.0",
        "RFC 9110 §6.2: the server's own version is sent, whatever the request's was"),
    both("*/status-299 *status-599 *status-600 *status-999", "reason", "", "<none>",
        "RFC 9112 §4: a reason phrase may be empty; hyper says that there is none"),
    both("*/status-418", "reason", "", "I'm a teapot", "RFC 9110 §15.5.19: 418 is unused"),
    axum("early-413* echo-above* limited* layered-stream-100k middleware-above-limit expect-413 expect-limited",
        "reason",
        "Content Too Large", "Payload Too Large", "RFC 9110 §15.5.14 has this name for it"),
    tower("early-* echo-* pass-100k panic-100k sink-1m expect-413", "reason", "Content Too Large", "Payload Too Large",
        "RFC 9110 §15.5.14 has this name for it"),
    axum("form-bad json-data json-rejected", "reason", "Unprocessable Content", "Unprocessable Entity",
        "RFC 9110 §15.5.21 has this name for it"),

    // The end of a connection is announced.
    both("*", "connection", "close", "(absent)",
        "RFC 9112 §9.6: a server that closes says so; hyper does not, and closes as well or reads no more"),
    axum("stream-1.0-kept", "connection", "close", "keep-alive",
        "RFC 9112 §9.3: content up to the end of the connection does not persist; hyper says keep-alive, and closes"),
    both("chunked-1.0-kept odd-1.0-kept/*", "connection", "close", "keep-alive",
        "RFC 9112 §9.3: content up to the end of the connection does not persist; hyper says keep-alive, and closes"),
    both("odd-1.0/connection-names-field", "connection", "x-a, close", "x-a", "RFC 9112 §9.6: as above"),
    both("odd-1.0/connection-upgrade", "connection", "upgrade, close", "upgrade", "RFC 9112 §9.6: as above"),
    both("odd-1.0-kept/connection-list-close", "connection", "x-a, close", "x-a, close, keep-alive",
        "RFC 9112 §9.3: close wins; hyper says both"),
    both("odd-1.0-kept/connection-close", "connection", "close", "close, keep-alive", "RFC 9112 §9.3: as above"),
    axum("ws-not-asked", "connection", "upgrade", "(absent)", "RFC 9110 §7.8: as below"),
    both("odd/upgrade-field odd-head/upgrade-field odd-first/upgrade-field odd-second/upgrade-field \
         odd-post/upgrade-field", "connection", "upgrade", "(absent)",
        "RFC 9110 §7.8: who sends Upgrade lists it in Connection"),
    axum("odd-layered/upgrade-field", "connection", "upgrade", "(absent)", "RFC 9110 §7.8: as above"),
    both("odd-1.0-kept/upgrade-field", "connection", "keep-alive, upgrade", "keep-alive", "RFC 9110 §7.8: as above"),
    both("odd-1.0/upgrade-field", "connection", "close, upgrade", "(absent)", "RFC 9110 §7.8, RFC 9112 §9.6: as above"),
    both("odd-close/upgrade-field", "connection", "close, upgrade", "close", "RFC 9110 §7.8: as above"),
    both("odd-1.0-kept/version-10 odd-1.0-kept/version-2", "connection", "keep-alive", "(absent)",
        "RFC 9112 §9.3: an HTTP/1.0 client is told that the connection persists"),

    // Trailers.
    both("odd/trailers odd*/trailers-unannounced odd/trailers-only odd/trailers-then-data odd-first/trailers* \
         odd-second/trailers* odd-post/trailers*", "trailers", "x-a: 1", "",
        "RFC 9110 §6.5.1: none of them are necessary, so nobody has to ask by TE; hyper leaves out what TE or Trailer \
         lacks"),
    axum("odd-layered/trailers odd-layered/trailers-only odd-layered/trailers-then-data", "trailers", "x-a: 1", "",
        "RFC 9110 §6.5.1: as above"),
    axum("trailers-not-asked", "trailers", "x-sum: 5", "", "RFC 9110 §6.5.1: as above"),
    both("pass-trailers", "trailers", "x: 1", "",
        "RFC 9110 §6.6.2: Trailer SHOULD be sent, and is not needed to send one"),
    both("odd-head/trailer* odd-1.0/trailer* odd-1.0-kept/trailer*", "trailer", "*", "(absent)",
        "RFC 9110 §6.6.2: the application's own field; hyper drops it where no trailers follow"),
    axum("trailers-head trailers-1.0", "trailer", "x-sum", "(absent)", "RFC 9110 §6.6.2: as above"),
    axum("trailers-read-forbidden", "content", r"None behind 5\n",
        r#"Some([\"content-length: 5\", \"x: 1\"]) behind 5\n"#,
        "RFC 9110 §6.5.1, RFC 9112 §7.1.2: a field of framing may not stand there, and trailers may be discarded"),
    axum("trailers-read-forbidden", "framing", "Length(14)", "Length(45)", "RFC 9110 §6.5.1: as above"),
    axum("trailers-read-forbidden", "content-length", "14", "45", "RFC 9110 §6.5.1: as above"),
    tower("trailers-read-forbidden", "content", "None", r#"Some({\"content-length\": \"5\", \"x\": \"1\"})"#,
        "RFC 9110 §6.5.1, RFC 9112 §7.1.2: a field of framing may not stand there, and trailers may be discarded"),
    tower("trailers-read-forbidden", "framing", "Length(4)", "Length(39)", "RFC 9110 §6.5.1: as above"),
    tower("trailers-read-forbidden", "content-length", "4", "39", "RFC 9110 §6.5.1: as above"),
    tower("trailers-read-forbidden", "vary", "*", "*", "less content is not worth to be compressed"),

    // Requests that break a rule, which hyper takes.
    both("bad-no-host bad-two-hosts bad-host", "answers", "400", "200", "RFC 9112 §3.2: a server MUST answer 400"),
    both("bad-then-good", "answers", "400", "200 200", "RFC 9112 §3.2: as above, and what is behind is not read"),
    both("bad-length-twice", "answers", "400", "200",
        "RFC 9112 §6.3: such a message is refused, or read by the one value; `allow_repeated_content_length` does \
         that"),
    both("bad-length-and-chunked", "answers", "400", "200", "RFC 9112 §6.1: a server may reject it, since it smuggles"),
    both("bad-coding-before-chunked", "answers", "501", "200",
        "RFC 9112 §6.1: a coding that is not understood; hyper hands the coded content on"),
    both("bad-chunk-size-spaces", "answers", "400", "200", "RFC 9112 §7.1: no whitespace behind a size"),
    both("bad-lf", "answers", "400", "200", "RFC 9112 §2.2: a bare LF may be taken for an end; `allow_bare_lf` does"),
    both("bad-version-1.2", "answers", "200", "400", "RFC 9110 §2.5: a higher minor version is read as one's own"),
    both("bad-version-2", "answers", "505", "400", "RFC 9110 §15.6.6: 505 is the status for a version"),
    axum("http2-preface", "answers", "505", "none", "RFC 9110 §15.6.6: as above"),
    axum("get-asterisk", "answers", "400", "404", "RFC 9112 §3.2.4: for OPTIONS alone"),
    axum("target-no-slash", "answers", "400", "404", "RFC 9112 §3.2.3: the authority-form is for CONNECT alone"),
    axum("connect-path", "answers", "400", "405", "RFC 9112 §3.2.3: for CONNECT, the authority-form alone"),
    tower("connect-path", "answers", "400", "200", "RFC 9112 §3.2.3: for CONNECT, the authority-form alone"),
    axum("target-fragment", "answers", "400", "200", "RFC 9112 §3.2: a target has no fragment"),
    axum("target-utf8", "answers", "400", "200", "RFC 9112 §3.2, RFC 3986 §2.1: other octets are percent-encoded"),
    both("expect-other expect-other-get", "answers", "417", "200",
        "RFC 9110 §10.1.1: a server may answer 417; hyper does not look at the expectation"),
    both("bad-no-host bad-two-hosts bad-host bad-then-good bad-length-twice bad-coding-before-chunked \
         bad-chunk-size-spaces bad-lf", "fate", "Ended", "Kept",
        "RFC 9112 §9.6: refused, so that what is behind is not read"),
    axum("get-asterisk target-no-slash connect-path target-fragment target-utf8", "fate", "Ended", "Kept",
        "RFC 9112 §9.6: refused, so that what is behind is not read"),
    both("bad-version-1.2", "fate", "Kept", "Ended", "RFC 9110 §2.5: as above"),

    // Content that breaks a rule: the engine answers, whatever the handler would.
    axum("sink-bad-chunk trailers-read-bad", "answers", "400", "500",
        "RFC 9112 §2.2: a message that does not match the grammar is answered with 400 and the end"),
    tower("sink-bad-chunk", "answers", "400", "500", "RFC 9112 §2.2: as above"),
    both("sink-bad-chunk trailers-read-bad bad-chunk-size bad-chunk-end bad-chunk-lf bad-chunk-huge", "fate", "Ended",
        "Lost", "RFC 9112 §9.6: closed by both, and ours says so"),
    axum("bad-chunk-size bad-chunk-end bad-chunk-lf bad-chunk-huge", "content", "",
        "Failed to buffer the request body: error reading a body from connection",
        "RFC 9112 §2.2: the engine's own answer, not the handler's"),
    axum("bad-chunk-size bad-chunk-end bad-chunk-lf bad-chunk-huge", "framing", "Length(0)", "Length(71)",
        "RFC 9112 §2.2: as above"),
    axum("bad-chunk-size bad-chunk-end bad-chunk-lf bad-chunk-huge", "content-length", "0", "71", "as above"),
    axum("bad-chunk-size bad-chunk-end bad-chunk-lf bad-chunk-huge", "content-type", "(absent)",
        "text/plain; charset=utf-8", "as above"),
    tower("bad-chunk-* trailers-read-bad", "cache-control", "(absent)", "no-store",
        "the engine's own answer, not the service's"),
    tower("bad-chunk-* trailers-read-bad", "access-control-allow-origin", "(absent)", "*", "as above"),
    tower("bad-chunk-* trailers-read-bad", "access-control-expose-headers", "(absent)", "*", "as above"),
    tower("bad-chunk-* trailers-read-bad", "vary", "(absent)", "*", "as above"),

    // Answers before the content has come: ours reads the rest, within its budget.
    axum("early-100k first-100k fault-100k no-content-100k layered-stream-100k limited-chunked early-chunked-after \
         early-content-after", "fate", "Kept", "Lost",
        "RFC 9112 §9.3: the content is read, so that the connection persists; hyper closes without a word, unless all \
         is there").sometimes(),
    tower("early-100k panic-100k early-chunked-after early-content-after echo-100k pass-100k sink-chunked-100k", "fate",
        "Kept", "Lost",
        "RFC 9112 §9.3: as above").sometimes(),
    axum("timeout-100k", "fate", "Kept", "Ended", "RFC 9112 §9.3: as above").sometimes(),
    axum("timeout-100k", "connection", "(absent)", "close", "RFC 9112 §9.3: as above").sometimes(),
    axum("panic-100k", "fate", "*", "*",
        "the connection is dropped with octets unread, or before they have come").sometimes(),
    both("early-413-3m", "fate", "Ended", "Lost", "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    axum("echo-above-limit", "fate", "Ended", "Lost", "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    tower("echo-above-limit sink-1m", "fate", "Ended", "Lost",
        "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    axum("dialogue-answered-between", "fate", "Kept", "Lost", "RFC 9112 §9.3: as above").sometimes(),
    both("expect-early-at-once", "fate", "Ended", "Kept",
        "RFC 9110 §10.1.1: the client may send the content or not, so nothing behind the answer is read"),
    axum("headers-expect", "fate", "Ended", "Kept", "RFC 9110 §10.1.1: as above"),
    both("expect-at-once", "answers", "200", "100 200",
        "RFC 9110 §10.1.1: no 100 where content has come already"),
    axum("expect-later expect-stream", "answers", "100 200", "200",
        "RFC 9110 §10.1.1: the handler wants the content, so the client is told to send it; with hyper it is to guess"),

    // A client that ends its side is answered.
    axum("pipelined-half-closed-slow", "answers", "200", "none",
        "RFC 9112 §9.6: a client may end its side and wait for the answer; hyper takes that for its leave"),
    axum("echo-half-closed head-half-closed plain-1.0-half-closed plain-half-closed", "answers",
        "200", "none", "RFC 9112 §9.6: as above").sometimes(),
    tower("echo-half-closed plain-1.0-half-closed plain-half-closed head-half-closed", "answers",
        "200", "none", "RFC 9112 §9.6: as above").sometimes(),

    // Services that cannot be satisfied.
    axum("early-hints", "fate", "Ended", "Lost", "RFC 9112 §9.6: both answer 500 and close, and ours says so"),
    both("*/100 */102 */103 */103-content", "fate", "Ended", "Lost",
        "RFC 9112 §9.6: both answer 500 and close, and ours says so"),
    both("odd*/101 odd*/101-upgrade odd*/101-content", "answers", "500", "101",
        "RFC 9110 §7.8: a server must not switch to what nobody offered"),
    both("odd-second/101 odd-second/101-upgrade odd-second/101-content", "answers", "200 500", "200 101",
        "RFC 9110 §7.8: as above"),
    axum("switching", "answers", "500", "101", "RFC 9110 §7.8: as above"),
    axum("ws-1.0", "answers", "500", "101",
        "RFC 9110 §7.8: an Upgrade of HTTP/1.0 is ignored, so that nobody offered it"),
    both("odd/length-* odd-1.0*/length-* odd-close/length-*", "answers", "500", "none",
        "RFC 9110 §15.6.1: what cannot be sent is a fault of the server, and told; hyper ends the connection, or \
         panics"),
    axum("odd-head/length-twice-differs odd-layered/length-*", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    axum("odd-head/length-empty odd-head/length-huge odd-head/length-list odd-head/length-signed odd-head/length-word",
        "answers", "500", "200", "RFC 9110 §8.6: a Content-Length that is no length must not be sent"),
    axum("odd-head/length-empty odd-head/length-huge odd-head/length-list odd-head/length-signed odd-head/length-word",
        "fate", "Ended", "Kept", "RFC 9110 §8.6: as above"),
    both("odd-first/length-* odd-post/length-*", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    both("odd-open*/length-word", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    both("odd-second/length-*", "answers", "200 500", "200", "RFC 9110 §15.6.1: as above"),
    both("odd-second/length-*", "fate", "Ended", "Lost", "RFC 9110 §15.6.1: as above"),
    tower("fails fails-head fails-1.0 fails-with-content", "answers", "500", "none",
        "RFC 9110 §15.6.1: an error of the service is told; hyper ends the connection"),
    tower("fails-pipelined", "answers", "200 500", "200", "RFC 9110 §15.6.1: as above"),
    tower("fails-pipelined", "fate", "Ended", "Lost", "RFC 9110 §15.6.1: as above"),
    tower("odd-head/length-*", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    tower("odd-head/length-beside-hint", "answers", "200", "none",
        "RFC 9110 §8.6: the length in answer to HEAD is what the handler says; hyper ends the connection"),
    tower("odd-head/length-beside-hint", "fate", "Kept", "Ended", "RFC 9110 §8.6: as above"),
    both("odd-1.0*/te-gzip odd-1.0*/te-gzip-stream odd-1.0*/te-gzip-chunked", "answers", "500", "200",
        "RFC 9112 §6.1: no coding for an HTTP/1.0 client, and content that is coded already is not sent as if it were \
         not"),
    both("odd-1.0-kept/te-gzip odd-1.0-kept/te-identity", "fate", "Ended", "Kept", "RFC 9112 §6.1: as above"),
    both("odd-head/te-identity odd-1.0*/te-identity", "answers", "500", "200",
        "RFC 9112 §7: no such coding; a recipient would answer 501"),
    both("odd-head/te-identity", "fate", "Ended", "Kept", "RFC 9112 §7: as above"),
    tower("odd/te-identity odd-close/te-identity odd-post/te-identity", "answers", "500", "200",
        "RFC 9112 §7: as above"),
    tower("odd-first/te-identity", "answers", "500", "200 200", "RFC 9112 §7: as above"),
    tower("odd-second/te-identity", "answers", "200 500", "200 200", "RFC 9112 §7: as above"),
    tower("odd/te-identity odd-first/te-identity odd-second/te-identity odd-post/te-identity", "fate", "Ended", "Kept",
        "RFC 9112 §7: as above"),
    axum("odd/te-identity odd-close/te-identity odd-layered/te-identity odd-first/te-identity odd-post/te-identity",
        "answers", "500", "none", "RFC 9110 §15.6.1: told; hyper ends the connection"),
    axum("odd-second/te-identity", "answers", "200 500", "200", "RFC 9110 §15.6.1: as above"),
    axum("odd-second/te-identity", "fate", "Ended", "Lost", "RFC 9110 §15.6.1: as above"),
    both("odd-head/te-gzip-chunked odd-head/te-upper odd-head/te-chunked-stream odd/304-chunked odd-head/304-chunked \
         odd-close/304-chunked odd-first/304-chunked odd-second/304-chunked odd-post/304-chunked", "transfer-encoding",
        "*", "(absent)",
        "RFC 9112 §6.1: it may be said in an answer to HEAD and in 304"),
    axum("odd-layered/304-chunked", "transfer-encoding", "chunked", "(absent)", "RFC 9112 §6.1: as above"),
    tower("odd-head/304-content", "content-length", "5", "(absent)", "RFC 9110 §8.6: it may be said in 304"),

    // Bodies that do not end well.
    both("odd/fail-at-once* odd/fail-midway* odd/hint-longer odd/length-longer odd-1.0*/fail-at-once* \
         odd-1.0*/fail-midway* odd-1.0*/hint-longer odd-1.0*/length-longer odd-close/fail-at-once* \
         odd-close/fail-midway* odd-close/hint-longer odd-close/length-longer", "answers", "200", "none",
        "RFC 9112 §8: the answer had begun, and is seen to be cut; hyper drops what it has not written yet"),
    both("odd-first/fail-at-once* odd-first/fail-midway* odd-first/hint-longer odd-first/length-longer \
         odd-post/fail-at-once* odd-post/fail-midway* odd-post/hint-longer odd-post/length-longer", "answers", "200",
        "none", "RFC 9112 §8: as above"),
    both("odd-open*/fail-* odd-open*/hint-longer odd-open*/length-longer", "answers", "200", "none",
        "RFC 9112 §8: as above"),
    both("odd-second/fail-at-once* odd-second/fail-midway* odd-second/hint-longer odd-second/length-longer", "answers",
        "200 200", "200", "RFC 9112 §8: as above"),
    both("odd-second/fail-at-once* odd-second/fail-midway* odd-second/hint-longer odd-second/length-longer", "fate",
        "Ended", "Lost", "RFC 9112 §8: as above"),
    axum("odd-layered/fail-at-once* odd-layered/fail-midway* odd-layered/hint-longer odd-layered/length-longer",
        "answers", "200", "none", "RFC 9112 §8: as above"),
    both("odd-1.0*/fail-at-once odd-1.0*/fail-midway odd-open-1.0/fail-at-once odd-open-1.0/fail-midway", "fate",
        "Reset", "Ended",
        "RFC 9112 §8: the end would complete the content"),
    both("odd/fail-at-end-sized odd/length-shorter odd/length-zero odd-1.0-kept/fail-at-end-sized \
         odd-1.0-kept/length-shorter odd-1.0-kept/length-zero", "fate", "Lost", "Kept",
        "a body that fails or has more than was said is not taken for a good one; hyper does not ask it again"),
    both("odd-first/fail-at-end-sized odd-first/length-shorter odd-first/length-zero", "answers", "200", "200 200",
        "RFC 9110 §8.6: as below, so that nothing behind it is served"),
    both("odd-first/fail-at-end-sized odd-first/length-shorter odd-first/length-zero odd-second/fail-at-end-sized \
         odd-second/length-shorter odd-second/length-zero odd-post/fail-at-end-sized odd-post/length-shorter \
         odd-post/length-zero", "fate", "Lost", "Kept",
        "a body that fails or has more than was said is not taken for a good one"),
    axum("odd-layered/fail-at-end-sized odd-layered/length-shorter odd-layered/length-zero", "fate", "Lost", "Kept",
        "as above"),

    // Versions that handlers set.
    both("odd/version-10 odd-head/version-10 odd-second/version-10 odd-post/version-10 odd-1.0-kept/version-2", "fate",
        "Kept", "Silent",
        "RFC 9112 §9.3: the version is the server's; hyper sends the handler's, says nothing of the end, and stays \
         open"),
    axum("odd-layered/version-10", "fate", "Kept", "Silent", "RFC 9112 §9.3: as above"),
    both("odd-1.0-kept/version-10", "fate", "Kept", "Ended", "RFC 9112 §9.3: as above"),

    // What differs once what is pending is mended.
    both("odd*/304 odd*/304-length-0", "content-length", "(absent)", "0",
        "RFC 9110 §8.6: the length in 304 is that of 200, which nobody knows").once("S5"),
    both("odd*/205-content", "content", "", "hello", "RFC 9110 §15.3.6: 205 has no content").once("S5"),
    both("odd*/205-content", "framing", "Length(0)", "Length(5)", "RFC 9110 §15.3.6").once("S5"),
    both("odd*/205-content", "content-length", "0", "5", "RFC 9110 §15.3.6").once("S5"),
    both("odd/205-stream odd-close/205-stream odd-first/205-stream odd-second/205-stream odd-post/205-stream \
         odd-1.0*/205-stream", "content", "", "hello", "RFC 9110 §15.3.6: 205 has no content").once("S5"),
    both("odd/205-stream* odd-close/205-stream* odd-first/205-stream* odd-second/205-stream* odd-post/205-stream*",
        "framing", "Length(0)", "Chunked", "RFC 9110 §15.3.6: 205 shows that it has no content").once("S5"),
    both("odd/205-stream* odd-close/205-stream* odd-first/205-stream* odd-second/205-stream* odd-post/205-stream*",
        "transfer-encoding", "(absent)", "chunked", "RFC 9110 §15.3.6").once("S5"),
    both("odd*/205-stream*", "content-length", "0", "(absent)", "RFC 9110 §15.3.6").once("S5"),
    both("odd-1.0*/205-stream*", "framing", "Length(0)", "UntilClose", "RFC 9110 §15.3.6").once("S5"),
    both("odd/205-length-5 odd-1.0*/205-length-5 odd-close/205-length-5 odd-first/205-length-5 odd-post/205-length-5",
        "answers", "205", "none", "RFC 9110 §15.3.6: 205 with length 0").once("S5"),
    both("odd-1.0/connection-keep-alive", "connection", "close", "keep-alive",
        "RFC 9112 §9.3: closed by both; hyper says that it is kept").once("S25"),
    both("odd-1.0/connection-keep-alive", "fate", "Ended", "Lost", "RFC 9112 §9.3: as above").once("S25"),
    both("odd-close/connection-keep-alive odd*/connection-both", "connection", "close", "keep-alive, close",
        "RFC 9112 §9.3: close wins; hyper says both").once("S25"),
    axum("connect connect-followed", "fate", "Ended", "Kept",
        "RFC 9931: refused, so that what is behind is not read").once("S9"),
    axum("connect-followed", "answers", "404", "404 200", "RFC 9931: as above").once("S9"),
    both("expect-other", "fate", "Ended", "Kept", "RFC 9110 §10.1.1: the content may come or not").once("S8"),
];
