//! The only place where one half of an exchange influences the other: pure functions over two small discriminants
//! and a few facts, role-blind, each row with its section.

use crate::message::facts::RequestKind;
use crate::message::status::StatusCode;

/// How far one message of an exchange is, the request or the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Progress {
    /// Its head is not complete.
    Head,
    /// Its head is complete, its content is not.
    Content,
    /// All of it was read, or queued to be sent.
    Done,
}

/// What follows when both messages are as far as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Next {
    /// The exchange goes on.
    Wait,
    /// The response is complete and nobody wants the rest of the request: it is read and dropped, within a budget.
    Drain,
    /// The exchange is over and another one may begin.
    Exchange,
    /// The exchange is over and the connection with it.
    Close,
}

/// Whether anybody wants the content of the request that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// Nobody asked yet.
    NotYet,
    Yes,
    /// It is dropped.
    No,
}

/// The coupling of the two messages.
pub(crate) const fn next(request: Progress, response: Progress, persistent: bool, wanted: Wanted) -> Next {
    match (request, response) {
        // RFC 9112 §9.3, §9.6
        (Progress::Done, Progress::Done) if persistent => Next::Exchange,
        (Progress::Done, Progress::Done) => Next::Close,
        // RFC 9112 §9.3: the content of a request is read, or its connection closed.
        (Progress::Content, Progress::Done) => match (wanted, persistent) {
            (Wanted::Yes, _) => Next::Wait,
            (_, true) => Next::Drain,
            (_, false) => Next::Close,
        },
        _ => Next::Wait,
    }
}

/// An expectation, of 100 (Continue) or of what nobody knows, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Expecting {
    /// None, or already met or given up.
    #[default]
    Nothing,
    /// The sender of the request may wait.
    Continue,
}

/// Whether 100 (Continue) has to be sent when the application asks for content (RFC 9110 §10.1.1).
///
/// None once a final response has begun, and none when the content is there already.
pub(crate) const fn continues(expecting: Expecting, response: Progress, content_arrived: bool) -> bool {
    matches!((expecting, response), (Expecting::Continue, Progress::Head)) && !content_arrived
}

/// Whether the connection survives a final response that is queued now, as far as the request's content goes.
///
/// `unread` is what is still to come of it, where that is known; `budget` what would be read and dropped.
pub(crate) const fn survives_final_response(
    expecting: Expecting,
    request: Progress,
    wanted: Wanted,
    unread: Option<u64>,
    budget: u64,
) -> bool {
    match (expecting, request) {
        // RFC 9110 §10.1.1: the peer may or may not send what it announced; nobody can tell which bytes come next.
        (Expecting::Continue, Progress::Content) => false,
        (_, Progress::Content) => match (wanted, unread) {
            (Wanted::Yes, _) => true,
            (_, Some(unread)) => unread <= budget,
            (_, None) => true,
        },
        _ => true,
    }
}

/// Whether a final response refuses a tunnel, so that its connection ends with it and nothing behind the request is
/// read (RFC 9931 §8): a client that did not wait has sent what somebody else wants to tell the tunnel's other end.
pub(crate) const fn refuses_tunnel(status: StatusCode, request: RequestKind) -> bool {
    matches!(request, RequestKind::Connect) && !status.is_success()
}

/// What a response head means to the client that awaits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// More heads follow (RFC 9110 §15.2).
    Interim,
    /// 100: the content may be sent (RFC 9110 §15.2.1).
    Continue,
    /// The connection speaks another protocol from here (RFC 9110 §7.8, §9.3.6).
    Switched,
    /// 101 without an offer (RFC 9110 §15.2.2).
    Unexpected,
    Final,
}

pub(crate) const fn meaning(status: StatusCode, request: RequestKind, upgrade_offered: bool) -> Meaning {
    match (status.as_u16(), request) {
        (100, _) => Meaning::Continue,
        (101, _) if upgrade_offered => Meaning::Switched,
        (101, _) => Meaning::Unexpected,
        (102..=199, _) => Meaning::Interim,
        (200..=299, RequestKind::Connect) => Meaning::Switched,
        _ => Meaning::Final,
    }
}

/// What a client does with the rest of its request when a final response head arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rest {
    /// It is sent to its end (RFC 9112 §9.5 allows both).
    Send,
    /// It is not sent, and the connection ends with the response.
    Withhold,
}

/// RFC 9112 §9.5, RFC 9110 §10.1.1: after an error the rest of a request is of no use; content that waited for 100
/// and met a final response is not sent.
pub(crate) const fn rest_of_request(status: StatusCode, request: Progress, expecting: Expecting) -> Rest {
    match (request, expecting) {
        (Progress::Content, Expecting::Continue) => Rest::Withhold,
        (Progress::Content, Expecting::Nothing) if status.is_error() => Rest::Withhold,
        _ => Rest::Send,
    }
}

/// How the incoming half of the connection ended.
///
/// ```
/// use http_core::End;
/// assert_ne!(End::Clean, End::Unclean);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The peer shut down its sending side: FIN, or `close_notify` under TLS.
    Clean,
    /// Anything else: a reset, a read error, TLS without `close_notify`.
    Unclean,
}

/// What the end of the stream means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ended {
    /// Between messages: nothing is lost.
    Idle,
    /// Inside a message (RFC 9112 §8).
    Truncated,
    /// It is the end of the content (RFC 9112 §6.3, 8.).
    Complete,
    /// The request is complete and may still be answered (RFC 9112 §9.5).
    KeepAnswering,
    /// The request is complete, and nobody is left to answer.
    Gone,
}

/// Where the incoming half is when the stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// No byte of the next head was read.
    Start,
    Head,
    /// In content; does it last until the connection ends?
    Content {
        until_close: bool,
    },
    Done,
}

/// RFC 9112 §8, §9.5, §9.8
pub(crate) const fn ended(at: At, end: End) -> Ended {
    match (at, end) {
        (At::Start, _) => Ended::Idle,
        (At::Content { until_close: true }, End::Clean) => Ended::Complete,
        (At::Head | At::Content { .. }, _) => Ended::Truncated,
        (At::Done, End::Clean) => Ended::KeepAnswering,
        (At::Done, End::Unclean) => Ended::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn status(code: u16) -> StatusCode {
        StatusCode::new(code).unwrap()
    }

    #[test]
    fn both_messages_decide_what_comes_next() {
        use Next::{Close, Drain, Exchange, Wait};
        use Progress::{Content, Done, Head};
        for (section, request, response, persistent, wanted, expected) in [
            ("RFC 9112 §9.3", Done, Done, true, Wanted::Yes, Exchange),
            ("RFC 9112 §9.3", Done, Done, true, Wanted::NotYet, Exchange),
            ("RFC 9112 §9.6", Done, Done, false, Wanted::Yes, Close),
            ("RFC 9112 §9.3", Content, Done, true, Wanted::NotYet, Drain),
            ("RFC 9112 §9.3", Content, Done, true, Wanted::No, Drain),
            ("RFC 9112 §9.3", Content, Done, true, Wanted::Yes, Wait),
            ("RFC 9112 §9.6", Content, Done, false, Wanted::No, Close),
            ("RFC 9112 §9.6", Content, Done, false, Wanted::Yes, Wait),
            ("RFC 9112 §9.3.2", Head, Head, true, Wanted::NotYet, Wait),
            ("RFC 9112 §9.3.2", Content, Head, true, Wanted::Yes, Wait),
            ("RFC 9112 §9.3.2", Done, Head, false, Wanted::Yes, Wait),
            ("RFC 9112 §9.3.2", Done, Content, false, Wanted::Yes, Wait),
            ("RFC 9112 §9.5", Content, Content, true, Wanted::Yes, Wait),
        ] {
            assert_eq!(next(request, response, persistent, wanted), expected, "{section}: {request:?} {response:?}");
        }
    }

    #[test]
    fn one_100_when_content_is_asked_for() {
        // RFC 9110 §10.1.1
        assert!(continues(Expecting::Continue, Progress::Head, false));
        assert!(!continues(Expecting::Nothing, Progress::Head, false), "nobody waits, or it was sent");
        assert!(!continues(Expecting::Continue, Progress::Content, false), "a final response has begun");
        assert!(!continues(Expecting::Continue, Progress::Head, true), "the content came without");
    }

    #[test]
    fn a_final_response_may_end_the_connection() {
        for (section, expecting, request, wanted, unread, survives) in [
            ("RFC 9110 §10.1.1", Expecting::Continue, Progress::Content, Wanted::NotYet, Some(1), false),
            ("RFC 9110 §10.1.1", Expecting::Continue, Progress::Content, Wanted::No, None, false),
            ("RFC 9112 §9.3", Expecting::Nothing, Progress::Content, Wanted::No, Some(100), true),
            ("RFC 9112 §9.3", Expecting::Nothing, Progress::Content, Wanted::No, Some(101), false),
            ("RFC 9112 §9.3", Expecting::Nothing, Progress::Content, Wanted::Yes, Some(101), true),
            ("RFC 9112 §9.3", Expecting::Nothing, Progress::Content, Wanted::No, None, true),
            ("RFC 9112 §9.3", Expecting::Nothing, Progress::Done, Wanted::NotYet, Some(0), true),
        ] {
            assert_eq!(survives_final_response(expecting, request, wanted, unread, 100), survives, "{section}");
        }
    }

    #[test]
    fn a_refused_tunnel_ends_the_connection() {
        use RequestKind::{Connect, Head, Other};
        for (section, code, request, refuses) in [
            ("RFC 9931 §8", 407, Connect, true),
            ("RFC 9931 §8", 300, Connect, true),
            ("RFC 9931 §8", 500, Connect, true),
            ("RFC 9110 §9.3.6", 200, Connect, false),
            ("RFC 9110 §9.3.6", 299, Connect, false),
            ("RFC 9112 §9.3", 407, Head, false),
            ("RFC 9112 §9.3", 407, Other, false),
        ] {
            assert_eq!(refuses_tunnel(status(code), request), refuses, "{section}: {code} {request:?}");
        }
    }

    #[test]
    fn responses_mean_what_their_status_and_request_say() {
        use RequestKind::{Connect, Head, Other};
        for (section, code, request, offered, expected) in [
            ("RFC 9110 §15.2.1", 100, Other, false, Meaning::Continue),
            ("RFC 9110 §15.2", 103, Other, false, Meaning::Interim),
            ("RFC 9110 §15.2", 199, Head, true, Meaning::Interim),
            ("RFC 9110 §7.8", 101, Other, true, Meaning::Switched),
            ("RFC 9110 §15.2.2", 101, Other, false, Meaning::Unexpected),
            ("RFC 9110 §9.3.6", 200, Connect, false, Meaning::Switched),
            ("RFC 9110 §9.3.6", 299, Connect, false, Meaning::Switched),
            ("RFC 9110 §9.3.6", 407, Connect, false, Meaning::Final),
            ("RFC 9110 §15.3", 200, Other, true, Meaning::Final),
        ] {
            assert_eq!(meaning(status(code), request, offered), expected, "{section}: {code}");
        }
    }

    #[test]
    fn an_early_response_ends_a_request_that_is_of_no_use() {
        for (section, code, request, expecting, expected) in [
            ("RFC 9112 §9.5", 413, Progress::Content, Expecting::Nothing, Rest::Withhold),
            ("RFC 9112 §9.5", 200, Progress::Content, Expecting::Nothing, Rest::Send),
            ("RFC 9112 §9.5", 399, Progress::Content, Expecting::Nothing, Rest::Send),
            ("RFC 9112 §9.5", 400, Progress::Content, Expecting::Nothing, Rest::Withhold),
            ("RFC 9110 §10.1.1", 200, Progress::Content, Expecting::Continue, Rest::Withhold),
            ("RFC 9112 §9.5", 500, Progress::Done, Expecting::Nothing, Rest::Send),
        ] {
            assert_eq!(rest_of_request(status(code), request, expecting), expected, "{section}: {code}");
        }
    }

    #[test]
    fn the_end_of_the_stream_is_judged_by_where_it_comes() {
        for (section, at, end, expected) in [
            ("RFC 9112 §9.5", At::Start, End::Clean, Ended::Idle),
            ("RFC 9112 §9.5", At::Start, End::Unclean, Ended::Idle),
            ("RFC 9112 §8", At::Head, End::Clean, Ended::Truncated),
            ("RFC 9112 §8", At::Content { until_close: false }, End::Clean, Ended::Truncated),
            ("RFC 9112 §8", At::Content { until_close: true }, End::Clean, Ended::Complete),
            ("RFC 9112 §9.8", At::Content { until_close: true }, End::Unclean, Ended::Truncated),
            ("RFC 9112 §9.5", At::Done, End::Clean, Ended::KeepAnswering),
            ("RFC 9112 §9.5", At::Done, End::Unclean, Ended::Gone),
        ] {
            assert_eq!(ended(at, end), expected, "{section}: {at:?} {end:?}");
        }
    }
}
