//! What no answer of ours may break, whatever a handler asks for and whatever the other server does.

use crate::compare::Difference;
use crate::reader::{Answer, Framing};
use crate::requests::Row;
use crate::talk::Conversation;

/// The rules that our answers to a row break, told as differences.
pub(crate) fn broken(row: &Row, ours: &Conversation) -> Vec<Difference> {
    let (mut found, mut finals) = (Vec::new(), 0);
    let mut tell = |at: usize, rule: &str| {
        found.push(Difference {
            row: row.name.clone(),
            at,
            what: "rule".to_owned(),
            ours: rule.to_owned(),
            theirs: String::new(),
        });
    };
    let last = ours.answers.len().saturating_sub(1);
    for (at, answer) in ours.answers.iter().enumerate() {
        let method = row.methods.get(finals).copied().unwrap_or("GET");
        finals += usize::from(!answer.is_interim());
        RULES.iter().filter(|(_, breaks)| breaks(answer, method)).for_each(|(rule, _)| tell(at, rule));
        if row.is_old() && answer.values("transfer-encoding").next().is_some() {
            tell(at, "RFC 9112 §6.1: no coding for an HTTP/1.0 client");
        }
        if answer.says_close() && at < last {
            tell(at, "RFC 9112 §9.6: nothing is sent behind an answer that says close");
        }
    }
    if !ours.stray.is_empty() {
        tell(last, "RFC 9112 §6: what is sent is a response");
    }
    found
}

type Breaks = fn(&Answer, &str) -> bool;

const RULES: &[(&str, Breaks)] = &[
    ("RFC 9110 §2.5: the version is our own", |answer, _| answer.version != "HTTP/1.1"),
    ("RFC 9112 §9.3: close and keep-alive contradict each other", |answer, _| {
        lists(answer, "connection", "close") && lists(answer, "connection", "keep-alive")
    }),
    ("RFC 9112 §6.2: no Content-Length beside a Transfer-Encoding", |answer, _| {
        has(answer, "content-length") && has(answer, "transfer-encoding")
    }),
    ("RFC 9110 §8.6: one length, in digits", |answer, _| {
        answer.values("content-length").count() > 1
            || answer.values("content-length").any(|value| !value.bytes().all(|byte| byte.is_ascii_digit()))
    }),
    ("RFC 9110 §8.6, RFC 9112 §6.1: neither length nor coding in 1xx, 204 and 2xx to CONNECT", |answer, method| {
        let bare = matches!(answer.status, 100..200 | 204) || (method == "CONNECT" && answer.status / 100 == 2);
        bare && (has(answer, "content-length") || has(answer, "transfer-encoding"))
    }),
    ("RFC 9110 §15.3.6: 205 has no content, and shows it", |answer, method| {
        answer.status == 205
            && method != "HEAD"
            && (answer.framing == Framing::UntilClose || !answer.content.is_empty())
    }),
    ("RFC 9110 §8.6: the length in 304 is that of 200", |answer, _| {
        answer.status == 304 && answer.values("content-length").any(|length| length == "0")
    }),
    ("RFC 9112 §6.1: chunked is the last coding, once", |answer, _| {
        let codings = answer.values("transfer-encoding").flat_map(|value| value.split(','));
        let codings: Vec<_> = codings.map(|coding| coding.trim().to_ascii_lowercase()).collect();
        !codings.is_empty() && codings.iter().position(|coding| coding == "chunked") != Some(codings.len() - 1)
    }),
    ("RFC 9110 §7.8: 101 and 426 say to what, and Connection lists it", |answer, _| {
        matches!(answer.status, 101 | 426) && !(has(answer, "upgrade") && lists(answer, "connection", "upgrade"))
    }),
    ("RFC 9110 §6.6.1: a final answer has a Date", |answer, _| answer.status >= 200 && !has(answer, "date")),
    ("RFC 9931: any answer but 2xx to CONNECT ends the connection", |answer, method| {
        method == "CONNECT" && answer.status / 100 != 2 && !answer.says_close()
    }),
    ("RFC 9110 §10.1.1: 417 ends the connection while content may come", |answer, method| {
        answer.status == 417 && method == "POST" && !answer.says_close()
    }),
];

fn has(answer: &Answer, name: &str) -> bool {
    answer.values(name).next().is_some()
}

fn lists(answer: &Answer, name: &str, word: &str) -> bool {
    answer.values(name).flat_map(|value| value.split(',')).any(|member| member.trim().eq_ignore_ascii_case(word))
}

#[test]
fn each_rule_can_be_broken() {
    let broken = |answer: &str, method: &str| -> Vec<usize> {
        let (answers, _) = crate::reader::read(answer.as_bytes(), &[method], true);
        (0..RULES.len()).filter(|rule| RULES[*rule].1(&answers[0], method)).collect()
    };
    let date = "Date: Fri, 01 Jan 1999 00:00:00 GMT\r\n";
    let rows = [
        (0, "GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"),
        (1, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close, keep-alive\r\n"),
        (2, "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        (3, "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n"),
        (4, "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n"),
        (5, "GET", "HTTP/1.1 205 Reset Content\r\n"),
        (6, "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n"),
        (7, "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n"),
        (8, "HEAD", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: x\r\n"),
        (10, "CONNECT", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"),
        (11, "POST", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n"),
    ];
    for (rule, method, head) in rows {
        assert_eq!(broken(&format!("{head}{date}\r\n"), method), [rule], "{head}");
    }
    assert_eq!(broken("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET"), [9]);
}
