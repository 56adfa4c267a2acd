//! What differs and may: the list that both comparisons are held to.
//!
//! A line says where (requests by name, `*` stands for any part of one), what, how it is with ours and with the other
//! server, and why, which is a section of an RFC or the reason. Each must be needed: a pattern that no difference
//! matches any more fails. What is about the content, the framing, the statuses or the completeness of answers names
//! its values, and a section by which the other server is wrong, or which leaves the choice.

use crate::compare::Difference;

/// Which of the comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// An axum application beside `axum::serve`.
    Axum,
    /// A stack of tower layers on async-std beside hyper.
    Tower,
}

/// One difference that is agreed to.
#[derive(Clone, Copy, Debug)]
struct Line {
    runs: &'static [Run],
    /// Patterns, with spaces between.
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    /// The section or the reason.
    why: &'static str,
    /// Whether it hangs on what the other server happens to see first, so that it need not show.
    sometimes: bool,
}

/// In both comparisons.
const fn both(
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    why: &'static str,
) -> Line {
    Line { runs: &[Run::Axum, Run::Tower], rows, what, ours, theirs, why, sometimes: false }
}

/// Beside `axum::serve` alone.
const fn axum(
    rows: &'static str,
    what: &'static str,
    ours: &'static str,
    theirs: &'static str,
    why: &'static str,
) -> Line {
    Line { runs: &[Run::Axum], ..both(rows, what, ours, theirs, why) }
}

/// Beside hyper alone.
const fn tower(
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

/// What the list does not cover, and the patterns of it that cover nothing.
pub(crate) fn sift(run: Run, found: Vec<Difference>) -> (Vec<Difference>, Vec<String>) {
    let lines: Vec<_> = AGREED.iter().filter(|line| line.runs.contains(&run)).collect();
    let stale = lines
        .iter()
        .filter(|line| !line.sometimes)
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
const AGREED: &[Line] = &[
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
    both("odd-1.0/keep-alive-field odd-close/keep-alive-field", "keep-alive", "(absent)", "timeout=5",
        "RFC 9112 §9.3: what closes does not say how long it is kept"),
    both("odd-1.0/connection-keep-alive", "connection", "close", "keep-alive",
        "RFC 9112 §9.3: closed by both; hyper says that it is kept"),
    both("odd-1.0/connection-keep-alive", "fate", "Ended", "Lost", "RFC 9112 §9.3: as above"),
    both("odd-close/connection-keep-alive odd*/connection-both", "connection", "close", "keep-alive, close",
        "RFC 9112 §9.3: close wins; hyper says both"),
    both("odd*/upgrade-field", "connection", "upgrade", "(absent)",
        "RFC 9110 §7.8: who sends Upgrade lists it in Connection"),
    axum("ws-not-asked switching-asked", "connection", "upgrade", "(absent)", "RFC 9110 §7.8: as above"),
    axum("switching-asked", "upgrade", "x", "(absent)",
        "RFC 9110 §7.8: 101 says to what; it is the one protocol that was offered"),
    both("odd-1.0-kept/upgrade-field", "connection", "keep-alive, upgrade", "keep-alive", "RFC 9110 §7.8: as above"),
    both("odd-1.0/upgrade-field", "connection", "close, upgrade", "(absent)", "RFC 9110 §7.8, RFC 9112 §9.6: as above"),
    both("odd-close/upgrade-field", "connection", "close, upgrade", "close", "RFC 9110 §7.8: as above"),
    both("odd-1.0-kept/version-10 odd-1.0-kept/version-2", "connection", "keep-alive", "(absent)",
        "RFC 9112 §9.3: an HTTP/1.0 client is told that the connection persists"),
    tower("odd-close/te-gzip odd-close/te-identity", "connection", "close", "close, chunked",
        "RFC 9110 §7.6.1: no such option; hyper puts chunked there"),
    both("odd-close/te-gzip-stream", "connection", "close", "close, chunked", "RFC 9110 §7.6.1: as above"),

    // Trailers.
    both("odd*/trailers odd*/trailers-unannounced odd*/trailers-only odd*/trailers-then-data", "trailers", "x-a: 1", "",
        "RFC 9110 §6.5.1: none of them are necessary, so nobody has to ask by TE; hyper leaves out what TE or Trailer \
         lacks"),
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
    both("expect-other", "fate", "Ended", "Kept", "RFC 9110 §10.1.1: the content may come or not"),
    axum("connect connect-followed", "fate", "Ended", "Kept", "RFC 9931: refused, so that what is behind is not read"),
    axum("connect-followed", "answers", "404", "404 200", "RFC 9931: as above"),
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
    axum("panic-100k", "fate", "Ended", "Reset",
        "the connection is dropped before all octets have come, or with some unread").sometimes(),
    axum("panic-100k", "fate", "Reset", "Ended", "as above").sometimes(),
    both("early-413-3m", "fate", "Ended", "Lost", "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    axum("echo-above-limit", "fate", "Ended", "Lost", "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    tower("echo-above-limit sink-1m", "fate", "Ended", "Lost",
        "RFC 9112 §9.6: closed by both, and ours says so").sometimes(),
    axum("dialogue-answered-between", "fate", "Kept", "Lost", "RFC 9112 §9.3: as above").sometimes(),
    // Where the content comes in the same read as its head, ours is kept as well.
    both("expect-early-at-once", "fate", "Ended", "Kept",
        "RFC 9110 §10.1.1: the client may send the content or not, so nothing behind the answer is read").sometimes(),
    axum("headers-expect", "fate", "Ended", "Kept", "RFC 9110 §10.1.1: as above").sometimes(),
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
    tower("fails fails-head fails-1.0 fails-with-content", "answers", "500", "none",
        "RFC 9110 §15.6.1: an error of the service is told; hyper ends the connection"),
    tower("fails-pipelined", "answers", "200 500", "200", "RFC 9110 §15.6.1: as above"),
    tower("fails-pipelined", "fate", "Ended", "Lost", "RFC 9110 §15.6.1: as above"),
    both("odd/length-* odd-1.0*/length-* odd-close/length-* odd-first/length-* odd-post/length-*", "answers", "500",
        "none", "RFC 9110 §15.6.1: lengths that contradict each other are a fault of the service, and told; hyper ends \
         the connection, or panics"),
    axum("odd-layered/length-*", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    both("odd-open*/length-twice-differs", "answers", "500", "none", "RFC 9110 §15.6.1: as above"),
    both("odd-second/length-*", "answers", "200 500", "200", "RFC 9110 §15.6.1: as above"),
    both("odd-second/length-*", "fate", "Ended", "Lost", "RFC 9110 §15.6.1: as above"),
    both("odd-1.0*/te-gzip odd-1.0*/te-gzip-stream odd-1.0*/te-gzip-chunked", "answers", "500", "200",
        "RFC 9112 §6.1: no coding for an HTTP/1.0 client, and content that is coded already is not sent as if it were \
         not"),
    both("odd-1.0-kept/te-gzip", "fate", "Ended", "Kept", "RFC 9112 §6.1: as above"),

    // Surplus in answers, which ours leaves out, and hyper sends or trips over.
    both("odd*/204-length-0", "content-length", "(absent)", "0", "RFC 9110 §8.6: no length in 204"),
    both("odd*/204-length-5", "content-length", "(absent)", "5", "RFC 9110 §8.6: no length in 204"),
    axum("odd*/204 no-content-head", "content-length", "(absent)", "0", "RFC 9110 §8.6: no length in 204"),
    axum("odd*/204-content", "content-length", "(absent)", "5", "RFC 9110 §8.6: no length in 204"),
    both("odd*/304-length-0", "content-length", "(absent)", "0",
        "RFC 9110 §8.6: the length in 304 is that of 200, which nobody knows"),
    axum("odd*/304 one-by-one-statuses", "content-length", "(absent)", "0", "RFC 9110 §8.6: as above"),
    both("odd*/205-content odd*/205-stream", "content", "", "hello", "RFC 9110 §15.3.6: 205 has no content"),
    both("odd*/205-content", "framing", "Length(0)", "Length(5)", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-content", "content-length", "0", "5", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-stream*", "framing", "Length(0)", "Chunked", "RFC 9110 §15.3.6: as above"),
    axum("one-by-one-statuses", "framing", "Length(0)", "Chunked", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-stream*", "transfer-encoding", "(absent)", "chunked", "RFC 9110 §15.3.6: as above"),
    axum("one-by-one-statuses", "transfer-encoding", "(absent)", "chunked", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-stream*", "content-length", "0", "(absent)", "RFC 9110 §15.3.6: as above"),
    axum("one-by-one-statuses", "content-length", "0", "(absent)", "RFC 9110 §15.3.6: as above"),
    both("odd-1.0*/205-stream*", "framing", "Length(0)", "UntilClose", "RFC 9110 §15.3.6: as above"),
    both("odd-1.0-kept/205-stream*", "fate", "Kept", "Ended", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-length-5", "answers", "205", "none", "RFC 9110 §15.3.6: as above; hyper ends the connection"),
    both("odd-first/205-length-5", "answers", "205 200", "none", "RFC 9110 §15.3.6: as above"),
    both("odd-second/205-length-5", "answers", "200 205", "200", "RFC 9110 §15.3.6: as above"),
    both("odd*/205-length-5", "fate", "Kept", "Ended", "RFC 9110 §15.3.6: as above"),
    both("odd-second/205-length-5", "fate", "Kept", "Lost", "RFC 9110 §15.3.6: as above"),
    both("odd-head/205-length-0", "content-length", "(absent)", "0", "RFC 9110 §8.6: it may be left out"),
    axum("odd-head/205", "content-length", "(absent)", "0", "RFC 9110 §8.6: it may be left out"),
    both("odd-head/205-length-5 odd-head/205-content", "content-length", "(absent)", "5",
        "RFC 9110 §15.3.6: a length that 205 has not"),

    both("odd*/length-list odd*/length-word odd*/length-signed odd*/length-empty", "answers", "200", "none",
        "RFC 9110 §8.6: what is no number is left out, and what is said twice said once; hyper ends the connection"),
    both("odd-first/length-list odd-first/length-word odd-first/length-signed odd-first/length-empty", "answers",
        "200 200", "none", "RFC 9110 §8.6: as above"),
    both("odd-second/length-list odd-second/length-word odd-second/length-signed odd-second/length-empty", "answers",
        "200 200", "200", "RFC 9110 §8.6: as above"),
    both("odd*/length-list odd*/length-word odd*/length-signed odd*/length-empty", "fate", "Kept", "Ended",
        "RFC 9110 §8.6: as above"),
    both("odd-second/length-list odd-second/length-word odd-second/length-signed odd-second/length-empty", "fate",
        "Kept", "Lost", "RFC 9110 §8.6: as above"),
    both("odd-head/length-twice-differs", "answers", "200", "none",
        "RFC 9110 §8.6: an answer to HEAD needs no length; hyper ends the connection"),
    both("odd-head/length-twice-differs", "fate", "Kept", "Ended", "RFC 9110 §8.6: as above"),
    axum("odd-head/length-twice", "answers", "200", "none", "RFC 9110 §8.6: once; hyper ends the connection"),
    axum("odd-head/length-twice", "fate", "Kept", "Ended", "RFC 9110 §8.6: as above"),
    axum("odd-head/length-list", "content-length", "5", "5, 5", "RFC 9110 §8.6: once"),
    axum("odd-head/length-word", "content-length", "(absent)", "five", "RFC 9110 §8.6: no number"),
    axum("odd-head/length-signed", "content-length", "(absent)", "+5", "RFC 9110 §8.6: no number"),
    axum("odd-head/length-empty", "content-length", "(absent)", "", "RFC 9110 §8.6: no number"),
    axum("odd-head/length-huge", "content-length", "(absent)", "99999999999999999999999", "RFC 9110 §8.6: too long"),
    tower("odd-head/length-huge odd-head/length-beside-hint", "answers", "200", "none",
        "RFC 9110 §8.6: an answer to HEAD says no length, or the handler's; hyper ends the connection"),
    tower("odd-head/length-huge odd-head/length-beside-hint", "fate", "Kept", "Ended", "RFC 9110 §8.6: as above"),

    both("odd*/te-and-length*", "answers", "200", "none",
        "RFC 9112 §6.2: no length beside a coding, which axum adds to what has one; hyper ends the connection"),
    axum("odd*/te-chunked odd*/te-chunked-empty odd*/te-gzip odd*/te-identity", "answers", "200", "none",
        "RFC 9112 §6.2: as above"),
    both("odd-first/te-and-length*", "answers", "200 200", "none", "RFC 9112 §6.2: as above"),
    axum("odd-first/te-chunked odd-first/te-chunked-empty odd-first/te-gzip odd-first/te-identity", "answers",
        "200 200", "none", "RFC 9112 §6.2: as above"),
    both("odd-second/te-and-length*", "answers", "200 200", "200", "RFC 9112 §6.2: as above"),
    axum("odd-second/te-chunked odd-second/te-chunked-empty odd-second/te-gzip odd-second/te-identity", "answers",
        "200 200", "200", "RFC 9112 §6.2: as above"),
    both("odd*/te-and-length*", "fate", "Kept", "Ended", "RFC 9112 §6.2: as above"),
    axum("odd*/te-chunked odd*/te-chunked-empty odd*/te-gzip odd*/te-identity", "fate", "Kept", "Ended",
        "RFC 9112 §6.2: as above"),
    both("odd-second/te-and-length*", "fate", "Kept", "Lost", "RFC 9112 §6.2: as above"),
    axum("odd-second/te-chunked odd-second/te-chunked-empty odd-second/te-gzip odd-second/te-identity", "fate", "Kept",
        "Lost", "RFC 9112 §6.2: as above"),
    both("odd-head/te-and-length-stream odd-head/te-gzip", "content-length", "(absent)", "5",
        "RFC 9112 §6.2: what GET is answered with has a coding, and no length"),
    axum("odd-head/te-chunked odd-head/te-and-length odd-head/te-identity", "content-length", "(absent)", "5",
        "RFC 9112 §6.2: as above"),
    axum("odd-head/te-chunked-empty", "content-length", "(absent)", "0", "RFC 9112 §6.2: as above"),
    both("odd-1.0*/te-and-length-stream", "framing", "UntilClose", "Length(5)",
        "RFC 9112 §6.3: a length beside a coding counts for nothing"),
    both("odd-1.0*/te-and-length-stream", "content-length", "(absent)", "5", "RFC 9112 §6.3: as above"),
    both("odd-1.0-kept/te-and-length-stream", "fate", "Ended", "Kept", "RFC 9112 §6.3: as above"),
    both("odd*/te-twice", "transfer-encoding", "chunked", "chunked, chunked", "RFC 9112 §6.1: chunked is said once"),
    tower("odd*/te-identity", "transfer-encoding", "(absent)", "identity, chunked",
        "RFC 9112 §7: no such coding; a recipient may not understand it"),
    tower("odd*/te-chunked odd*/te-identity", "framing", "Length(5)", "Chunked",
        "RFC 9112 §6.2: the length is known, and may be said"),
    tower("odd*/te-chunked odd*/te-identity", "content-length", "5", "(absent)", "RFC 9112 §6.2: as above"),
    tower("odd*/te-chunked-empty", "framing", "Length(0)", "Chunked", "RFC 9112 §6.2: as above"),
    tower("odd*/te-chunked-empty", "content-length", "0", "(absent)", "RFC 9112 §6.2: as above"),
    tower("odd*/te-chunked odd*/te-chunked-empty", "transfer-encoding", "(absent)", "chunked",
        "RFC 9112 §6.2: as above"),

    // Bodies that do not end well.
    both("odd*/fail-at-once* odd*/fail-midway* odd*/body-panics* odd*/hint-longer odd*/length-longer", "answers", "200",
        "none", "RFC 9112 §8: the answer had begun, and is seen to be cut; hyper drops what it has not written yet"),
    both("odd-second/fail-at-once* odd-second/fail-midway* odd-second/body-panics* odd-second/hint-longer \
         odd-second/length-longer", "answers", "200 200", "200", "RFC 9112 §8: as above"),
    both("odd-second/fail-at-once* odd-second/fail-midway* odd-second/body-panics* odd-second/hint-longer \
         odd-second/length-longer", "fate", "Ended", "Lost", "RFC 9112 §8: as above"),
    both("odd-1.0*/fail-at-once odd-1.0*/fail-midway odd-1.0*/body-panics* odd-open-1.0/fail-at-once \
         odd-open-1.0/fail-midway odd-open-1.0/body-panics*", "fate", "Reset", "Ended",
        "RFC 9112 §8: the end would complete the content"),
    both("odd*/fail-at-end-sized odd*/length-shorter odd*/length-zero", "fate", "Lost", "Kept",
        "a body that fails or has more than was said is not taken for a good one; hyper does not ask it again"),
    both("odd-first/fail-at-end-sized odd-first/length-shorter odd-first/length-zero odd-first/hint-shorter", "answers",
        "200", "200 200", "RFC 9110 §8.6: as above, so that nothing behind it is served"),
    both("odd*/hint-shorter", "complete", "false", "true",
        "RFC 9110 §8.6: the body's one piece is longer than it was said to be; hyper takes its front for all of it"),
    both("odd*/hint-shorter", "content", "", "hel", "RFC 9110 §8.6: as above"),
    both("odd*/hint-shorter", "fate", "Ended", "Kept", "RFC 9110 §8.6: as above"),

    // Content that does not come whole: the application passes on what the engine says of it.
    axum("echo-cut", "content",
        "Failed to buffer the request body: the peer broke a rule at byte 56: the connection ended inside a message \
         (RFC 9112 \\xc2\\xa78… (121 octets, e98869ee)",
        "Failed to buffer the request body: error reading a body from connection",
        "RFC 9110 §15.5.1: what was wrong, in the engine's own words, which name RFC 9112 §8"),
    axum("echo-chunked-cut", "content",
        "Failed to buffer the request body: the peer broke a rule at byte 66: the connection ended inside a message \
         (RFC 9112 \\xc2\\xa78… (121 octets, eabebccd)",
        "Failed to buffer the request body: error reading a body from connection", "RFC 9110 §15.5.1: as above"),
    axum("echo-chunked-no-end", "content",
        "Failed to buffer the request body: the peer broke a rule at byte 70: the connection ended inside a message \
         (RFC 9112 \\xc2\\xa78… (121 octets, f3fb1026)",
        "Failed to buffer the request body: error reading a body from connection", "RFC 9110 §15.5.1: as above"),
    axum("json-cut", "content",
        "rejected: Failed to buffer the request body: the peer broke a rule at byte 101: the connection ended inside a \
         message (R… (133 octets, 0f303487)",
        r"rejected: Failed to buffer the request body: error reading a body from connection\n",
        "RFC 9110 §15.5.1: as above"),
    axum("echo-cut echo-chunked-cut echo-chunked-no-end", "framing", "Length(121)", "Length(71)",
        "RFC 9110 §15.5.1: as above"),
    axum("echo-cut echo-chunked-cut echo-chunked-no-end", "content-length", "121", "71", "RFC 9110 §15.5.1: as above"),
    axum("json-cut", "framing", "Length(133)", "Length(82)", "RFC 9110 §15.5.1: as above"),
    axum("json-cut", "content-length", "133", "82", "RFC 9110 §15.5.1: as above"),
    axum("tunnel-answer-with-length", "answers", "200", "none",
        "RFC 9110 §9.3.6: no length in 2xx to CONNECT, so that it is left out; hyper ends the connection"),

    // Versions that handlers set.
    both("odd*/version-10 odd-1.0-kept/version-2", "fate", "Kept", "Silent",
        "RFC 9112 §9.3: the version is the server's; hyper sends the handler's, says nothing of the end, and stays \
         open"),
    both("odd-1.0-kept/version-10", "fate", "Kept", "Ended", "RFC 9112 §9.3: as above"),
];
