//! The retry table, row by row.

use super::*;

const LOST: Event = Event::Lost(LostCause::Eof);

fn status(status: u16) -> Event {
    Event::Status { status, retry_after: None }
}

fn later(status: u16, seconds: u64) -> Event {
    Event::Status { status, retry_after: Some(Duration::from_secs(seconds)) }
}

fn facts(event: Event, change: impl FnOnce(&mut RetryFacts)) -> RetryFacts {
    let mut facts = RetryFacts::new(event);
    change(&mut facts);
    facts
}

#[test]
fn table() {
    use Decision::{Backoff, Deliver, Now};
    const SAFE: Decision = Decision::Fail { safe_to_repeat: true };
    const UNSAFE: Decision = Decision::Fail { safe_to_repeat: false };
    let wait = |seconds| Decision::After(Duration::from_secs(seconds));
    let silent = Event::Lost(LostCause::TimedOut);
    let rows: &[(&str, RetryFacts, Decision, Why)] = &[
        // RFC 9112 §9.5: a peer that is slow has the request.
        ("GET, all sent, silence, reused", facts(silent, |f| f.reused = true), SAFE, Why::NoAnswerInTime),
        (
            "GET, not all sent, silence",
            facts(silent, |f| f.progress.sent = Sent::ContentPartly),
            Backoff,
            Why::NoResponse,
        ),
        // The origin answers others: it is no use to wait for it.
        ("GET, lost, the origin answers", facts(LOST, |f| f.origin_answers = true), Now, Why::NoResponse),
        // Nothing handed to the transport: it cannot have been applied (RFC 9110 §9.2.2).
        (
            "POST, nothing sent, new connection",
            facts(LOST, |f| {
                f.idempotent = false;
                f.progress = Progress::NOTHING;
            }),
            Backoff,
            Why::NothingSent,
        ),
        (
            "POST that cannot be replayed, nothing sent, reused connection",
            facts(LOST, |f| {
                f.idempotent = false;
                f.replayable = false;
                f.reused = true;
                f.progress = Progress::NOTHING;
            }),
            Now,
            Why::StaleConnection,
        ),
        (
            "POST, nothing sent, reused connection, retries not allowed and no budget",
            facts(LOST, |f| {
                (f.idempotent, f.reused, f.budget) = (false, true, false);
                (f.most, f.progress) = (0, Progress::NOTHING);
            }),
            Now,
            Why::StaleConnection,
        ),
        (
            "POST, nothing sent, reused connection, the origin given up",
            facts(LOST, |f| {
                (f.idempotent, f.reused, f.origin_spent) = (false, true, true);
                f.progress = Progress::NOTHING;
            }),
            SAFE,
            Why::OriginSpent,
        ),
        (
            "GET, a part of its head sent, reused connection, retries not allowed",
            facts(LOST, |f| {
                (f.reused, f.most) = (true, 0);
                f.progress.sent = Sent::HeadPartly;
            }),
            SAFE,
            Why::RetriesSpent,
        ),
        (
            "nothing sent needs no budget",
            facts(LOST, |f| {
                f.budget = false;
                f.progress = Progress::NOTHING;
            }),
            Backoff,
            Why::NothingSent,
        ),
        (
            "a connection that we ended for another request costs neither retries nor budget",
            facts(Event::Lost(LostCause::Local), |f| {
                f.bystander = true;
                f.budget = false;
                f.retries = 3;
            }),
            Now,
            Why::Bystander,
        ),
        (
            "but a POST that was sent is not repeated for that",
            facts(Event::Lost(LostCause::Local), |f| {
                f.bystander = true;
                f.idempotent = false;
            }),
            UNSAFE,
            Why::NotIdempotent,
        ),
        (
            "nothing sent, the peer spoke out of turn",
            facts(Event::Lost(LostCause::Malformed), |f| {
                f.idempotent = false;
                f.progress = Progress { sent: Sent::Nothing, received: Received::Interim };
            }),
            Backoff,
            Why::NothingSent,
        ),
        (
            "nothing sent, but no attempt left",
            facts(LOST, |f| {
                f.idempotent = false;
                f.retries = 3;
                f.progress = Progress::NOTHING;
            }),
            SAFE,
            Why::RetriesSpent,
        ),
        // Idempotent (RFC 9110 §9.2.2; RFC 9112 §9.3.1).
        ("GET, stale connection", facts(LOST, |f| f.reused = true), Now, Why::NoResponse),
        ("GET, new connection", facts(LOST, |_| ()), Backoff, Why::NoResponse),
        ("GET, reset", facts(Event::Lost(LostCause::Reset), |f| f.reused = true), Now, Why::NoResponse),
        ("GET, silence", facts(Event::Lost(LostCause::TimedOut), |_| ()), SAFE, Why::NoAnswerInTime),
        (
            "PUT behind the last response (RFC 9112 §9.6)",
            facts(Event::Lost(LostCause::Last), |f| f.reused = true),
            Now,
            Why::NoResponse,
        ),
        (
            "GET, interim responses only (RFC 9110 §15.2)",
            facts(LOST, |f| f.progress.received = Received::Interim),
            Backoff,
            Why::NoResponse,
        ),
        ("GET, the last attempt", facts(LOST, |f| f.retries = 2), Backoff, Why::NoResponse),
        ("GET, no attempt left", facts(LOST, |f| f.retries = 3), SAFE, Why::RetriesSpent),
        ("GET, retries not allowed", facts(LOST, |f| f.most = 0), SAFE, Why::RetriesSpent),
        ("GET, no budget", facts(LOST, |f| f.budget = false), SAFE, Why::BudgetSpent),
        ("GET, origin given up", facts(LOST, |f| f.origin_spent = true), SAFE, Why::OriginSpent),
        ("GET, head delivered", facts(LOST, |f| f.progress.received = Received::Final), SAFE, Why::ResponseBegun),
        ("GET, garbage for an answer", facts(Event::Lost(LostCause::Malformed), |_| ()), SAFE, Why::Malformed),
        // Content.
        (
            "PUT, content begun, not replayable",
            facts(LOST, |f| {
                f.replayable = false;
                f.progress.sent = Sent::ContentPartly;
            }),
            SAFE,
            Why::NotReplayable,
        ),
        (
            "PUT, content not begun, not replayable",
            facts(LOST, |f| {
                f.replayable = false;
                f.progress.sent = Sent::Head;
            }),
            Backoff,
            Why::NoResponse,
        ),
        // Not idempotent (RFC 9110 §9.2.2).
        (
            "POST, stale connection",
            facts(LOST, |f| {
                f.idempotent = false;
                f.reused = true;
            }),
            UNSAFE,
            Why::NotIdempotent,
        ),
        (
            "POST, a part of its head sent",
            facts(LOST, |f| {
                f.idempotent = false;
                f.progress.sent = Sent::HeadPartly;
            }),
            UNSAFE,
            Why::NotIdempotent,
        ),
        (
            "POST, head delivered",
            facts(LOST, |f| {
                f.idempotent = false;
                f.progress.received = Received::Final;
            }),
            UNSAFE,
            Why::ResponseBegun,
        ),
        // 408 (RFC 9110 §15.5.9).
        ("GET, 408, reused", facts(status(408), |f| f.reused = true), Now, Why::RequestTimeout),
        ("GET, 408, new", facts(status(408), |_| ()), Deliver, Why::FinalResponse),
        (
            "POST, 408, reused",
            facts(status(408), |f| {
                f.idempotent = false;
                f.reused = true;
            }),
            Deliver,
            Why::NotIdempotent,
        ),
        (
            "GET, 408, reused, no attempt left",
            facts(status(408), |f| {
                f.reused = true;
                f.retries = 3;
            }),
            Deliver,
            Why::RetriesSpent,
        ),
        // 421 (RFC 9110 §15.5.20).
        ("GET, 421", facts(status(421), |_| ()), Now, Why::Misdirected),
        ("POST, 421", facts(status(421), |f| f.idempotent = false), Now, Why::Misdirected),
        ("GET, 421 again", facts(status(421), |f| f.misdirected = true), Deliver, Why::FinalResponse),
        (
            "POST, 421, content used up",
            facts(status(421), |f| {
                f.idempotent = false;
                f.replayable = false;
            }),
            Deliver,
            Why::NotReplayable,
        ),
        // 417 (RFC 9110 §10.1.1).
        ("PUT, 417, expecting", facts(status(417), |f| f.expecting = true), Now, Why::Unexpected),
        (
            "POST, 417, expecting, content held back",
            facts(status(417), |f| {
                (f.expecting, f.idempotent, f.replayable) = (true, false, false);
                f.progress.sent = Sent::Head;
            }),
            Now,
            Why::Unexpected,
        ),
        (
            "POST, 417, expecting, content used up",
            facts(status(417), |f| {
                (f.expecting, f.replayable) = (true, false);
                f.progress.sent = Sent::ContentPartly;
            }),
            Deliver,
            Why::NotReplayable,
        ),
        ("PUT, 417, repeated without", facts(status(417), |_| ()), Deliver, Why::FinalResponse),
        // Retry-After (RFC 9110 §10.2.3).
        ("503, not asked for", facts(later(503, 1), |_| ()), Deliver, Why::FinalResponse),
        ("503", facts(later(503, 5), |f| f.longest_wait = Some(Duration::from_secs(5))), wait(5), Why::RetryAfter),
        ("429", facts(later(429, 0), |f| f.longest_wait = Some(Duration::from_secs(5))), wait(0), Why::RetryAfter),
        (
            "503, too long",
            facts(later(503, 6), |f| f.longest_wait = Some(Duration::from_secs(5))),
            Deliver,
            Why::FinalResponse,
        ),
        (
            "503, does not say when",
            facts(status(503), |f| f.longest_wait = Some(Duration::from_secs(5))),
            Deliver,
            Why::FinalResponse,
        ),
        (
            "503 to a POST",
            facts(later(503, 1), |f| {
                f.longest_wait = Some(Duration::from_secs(5));
                f.idempotent = false;
            }),
            Deliver,
            Why::NotIdempotent,
        ),
        (
            "503, beyond the deadline",
            facts(later(503, 2), |f| {
                f.longest_wait = Some(Duration::from_secs(5));
                f.left = Some(Duration::from_secs(2));
            }),
            Deliver,
            Why::Deadline,
        ),
        (
            "503, no budget",
            facts(later(503, 2), |f| {
                f.longest_wait = Some(Duration::from_secs(5));
                f.budget = false;
            }),
            Deliver,
            Why::BudgetSpent,
        ),
        ("200", facts(status(200), |f| f.reused = true), Deliver, Why::FinalResponse),
        ("500", facts(status(500), |f| f.reused = true), Deliver, Why::FinalResponse),
    ];
    for (name, facts, decision, why) in rows {
        let verdict = decide(facts);
        assert_eq!((verdict.decision, verdict.why), (*decision, *why), "{name}");
    }
}

#[test]
fn most_statuses_are_delivered_whatever_the_facts() {
    for number in 101..=999 {
        let asks = |bits: u8| {
            let retry_after = (bits & 1 != 0).then_some(Duration::ZERO);
            let verdict = decide(&facts(Event::Status { status: number, retry_after }, |f| {
                (f.reused, f.expecting, f.idempotent) = (bits & 2 != 0, bits & 4 != 0, bits & 8 != 0);
                f.longest_wait = Some(Duration::from_secs(1));
            }));
            verdict.decision != Decision::Deliver
        };
        assert_eq!((0..16).any(asks), !is_always_delivered(number), "{number}");
    }
}

/// Whatever the facts: what may have been applied and is not idempotent is never sent again by us after a loss, and
/// never called safe.
#[test]
fn what_may_have_been_applied_is_never_applied_twice() {
    for sent in [Sent::HeadPartly, Sent::Head, Sent::ContentPartly, Sent::All] {
        for received in [Received::Nothing, Received::Interim, Received::Final] {
            for cause in [
                LostCause::Eof,
                LostCause::Reset,
                LostCause::Write,
                LostCause::TimedOut,
                LostCause::Malformed,
                LostCause::Last,
                LostCause::Local,
            ] {
                for bits in 0..8 {
                    let verdict = decide(&facts(Event::Lost(cause), |f| {
                        f.idempotent = false;
                        f.progress = Progress { sent, received };
                        f.reused = bits & 1 != 0;
                        f.replayable = bits & 2 != 0;
                        f.budget = bits & 4 != 0;
                    }));
                    assert_eq!(verdict.decision, Decision::Fail { safe_to_repeat: false });
                }
            }
        }
    }
}
