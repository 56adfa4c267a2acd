//! The verdict on a reading: the README's semantics, judged from what the application saw and what the peer was sent.

use super::case::{Case, Expect, Side, Verdict, Wanted, wanted};
use crate::read::{Message, Reading, Start};

/// Which of the two ways a reading went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// Every message was read as given.
    Accepted,
    /// An error was reported.
    Rejected,
}

/// Judges a reading: which way it went, or what is wrong with it.
///
/// # Errors
/// Why the case fails; the preference of an open case is part of the demand.
pub fn judge(case: &Case, reading: &Reading) -> Result<Took, String> {
    let accepted = || accepts(case, reading).map(|()| Took::Accepted);
    let rejected = || rejects(case, reading).map(|()| Took::Rejected);
    match case.expect.verdict {
        Verdict::Accept | Verdict::Either(Some(Took::Accepted)) => accepted(),
        Verdict::Reject | Verdict::Either(Some(Took::Rejected)) => rejected(),
        Verdict::Either(None) => rejected().or_else(|not| {
            accepted().map_err(|neither| format!("neither rejected ({not}) nor read rightly ({neither})"))
        }),
    }
}

fn accepts(case: &Case, reading: &Reading) -> Result<(), String> {
    let expect = &case.expect;
    let Some(wanted) = &expect.messages else {
        return if reading.error.is_none() { Ok(()) } else { Err(format!("{:?}", reading.error)) };
    };
    same_messages(case, wanted, &reading.messages)?;
    if reading.messages.len() < wanted.len() {
        return Err(format!("{} of {} messages, {:?}", reading.messages.len(), wanted.len(), reading.error));
    }
    if reading.messages.len() > wanted.len() && !expect.tail_any {
        return Err("more messages than were sent".to_owned());
    }
    let cut_response = case.side == Side::Response && expect.incomplete;
    if let (Some(error), false) = (reading.error, expect.tail_any || expect.surplus || cut_response) {
        return Err(format!("refused: {error:?}"));
    }
    if expect.incomplete && reading.error.is_none() && !reading.incomplete {
        return Err("the unfinished message was not noticed".to_owned());
    }
    if !expect.incomplete && !expect.tail_any && !expect.surplus && reading.partial.is_some() {
        return Err("a message too many has begun".to_owned());
    }
    if let (Some(partial), Some(got)) = (&expect.partial, &reading.partial) {
        same_partial(case.side, partial, got)?;
    }
    if case.side == Side::Request {
        answered(reading, wanted.len())?;
        if expect.close && !reading.closing {
            return Err("the connection was left open".to_owned());
        }
        let waits = expect.expect_100 && !reading.continued.0;
        if waits && reading.answers.is_empty() {
            return Err("neither 100 nor a final response".to_owned());
        }
        if reading.messages.len() == wanted.len() && reading.answers.len() > wanted.len() && !expect.tail_any {
            let more = &reading.answers[wanted.len()..];
            let late = expect.surplus || expect.incomplete;
            if more.len() > 1 || !late || ![400, 408].contains(&more[0].status) {
                return Err(format!("answers to no message: {more:?}"));
            }
        }
    }
    Ok(())
}

fn rejects(case: &Case, reading: &Reading) -> Result<(), String> {
    let Expect { messages, min_messages, status_any, .. } = &case.expect;
    let count = reading.messages.len();
    if let Some((before, status)) = reading.refused {
        same_messages(case, messages.as_deref().unwrap_or_default(), &reading.messages[..before])?;
        let fits = before >= *min_messages && status_any.contains(&status);
        return if fits { Ok(()) } else { Err(format!("answered {status} after {before} messages")) };
    }
    let Some((reason, _)) = reading.error else {
        if case.side == Side::Response && case.expect.incomplete && reading.incomplete {
            return same_messages(case, case.expect.messages.as_deref().unwrap_or_default(), &reading.messages);
        }
        return Err(format!("not refused, {count} messages"));
    };
    if let Some(wanted) = messages {
        same_messages(case, wanted, &reading.messages)?;
        if count > wanted.len() {
            return Err(format!("{count} messages were read before {reason:?}"));
        }
    }
    if count < *min_messages {
        return Err(format!("{count} messages were read before {reason:?}, not {min_messages}"));
    }
    if case.side == Side::Response {
        return Ok(());
    }
    answered(reading, count)?;
    let [refusal] = &reading.answers[count..] else {
        return Err(format!("{} answers to a fault: {reason:?}", reading.answers.len() - count));
    };
    if !status_any.contains(&refusal.status) {
        return Err(format!("{} for {reason:?}, not {status_any:?}", refusal.status));
    }
    if refusal.status != reason.status().as_u16() {
        return Err(format!("{} though {reason:?} says otherwise", refusal.status));
    }
    if !refusal.says_close() || !reading.closing {
        return Err("refused, but the connection was left open".to_owned());
    }
    Ok(())
}

/// The first `count` messages were answered with 200 and themselves.
fn answered(reading: &Reading, count: usize) -> Result<(), String> {
    for (at, message) in reading.messages.iter().take(count).enumerate() {
        let Some(answer) = reading.answers.get(at) else { return Err(format!("message {at} was not answered")) };
        let Start::Request { method, target } = &message.start else { continue };
        let mut content = format!("{method} ").into_bytes();
        content.extend(target.chars().map(|c| c as u8));
        content.push(b'\n');
        content.extend_from_slice(&message.content);
        if method == "HEAD" || method == "CONNECT" {
            content.clear();
        }
        if answer.status != 200 || answer.content != content || !answer.complete {
            return Err(format!("message {at} was answered {answer:?}"));
        }
    }
    Ok(())
}

fn same_messages(case: &Case, wanted: &[Wanted], got: &[Message]) -> Result<(), String> {
    for (at, (wanted, got)) in wanted.iter().zip(got).enumerate() {
        same_message(wanted, got).map_err(|why| format!("message {}: {why}", at + 1))?;
        let (wants, has) = (wanted.message.keep_alive, got.keep_alive);
        let switched = case.side == Side::Response && matches!(got.start, Start::Response { status: 101, .. });
        if let (Some(wants), Some(has), false) = (wants, has, switched) {
            if wants != has {
                return Err(format!("message {}: keep_alive is {has}", at + 1));
            }
        }
    }
    Ok(())
}

fn same_message(wanted: &Wanted, got: &Message) -> Result<(), String> {
    let want = &wanted.message;
    let same_start = match (&want.start, &got.start) {
        (Start::Response { status: a, reason: x }, Start::Response { status: b, reason: y }) => {
            a == b && squash(x) == squash(y)
        }
        (a, b) => a == b,
    };
    if !same_start {
        return Err(format!("{:?}, not {:?}", got.start, want.start));
    }
    if want.version != got.version {
        return Err(format!("version {}, not {}", got.version, want.version));
    }
    if by_name(&want.fields) != by_name(&got.fields) {
        return Err(format!("fields {:?}, not {:?}", got.fields, want.fields));
    }
    if wanted.compare_content && want.content != got.content {
        return Err(format!(
            "content {:?}, not {:?}",
            got.content.escape_ascii().to_string(),
            want.content.escape_ascii().to_string()
        ));
    }
    // Trailers may be dropped.
    if !got.trailers.iter().all(|line| by_name(&want.trailers).contains(&by_name(core::slice::from_ref(line))[0])) {
        return Err(format!("trailers {:?}, not {:?}", got.trailers, want.trailers));
    }
    Ok(())
}

fn same_partial(side: Side, partial: &serde_json::Value, got: &Message) -> Result<(), String> {
    let Some(wanted) = wanted(partial, side) else { return Ok(()) };
    if partial.get("headers").is_none() {
        return Ok(());
    }
    same_message(&wanted, got).map_err(|why| format!("the unfinished message: {why}"))
}

/// Names in lower case, in order of names, and of lines within one name.
fn by_name(fields: &[(String, String)]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields.iter().map(|(n, v)| (n.to_ascii_lowercase(), squash(v))).collect();
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    fields
}

/// Runs of what may count as whitespace are one space.
fn squash(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n', '\0']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
