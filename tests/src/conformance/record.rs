//! A reading as a line that `probe.py --check` judges.

use serde_json::{Value, json};

use super::case::{Case, to_base64};
use crate::read::{Message, Reading, Start};

/// The line for one case.
#[must_use]
pub fn record(case: &Case, reading: &Reading) -> Value {
    let error = reading.error.map(|(reason, offset)| (reason.status().as_u16(), format!("at byte {offset}: {reason}")));
    let refused = reading.refused.map(|(before, status)| (status, format!("message {before} was answered {status}")));
    let (status, error) = error.or(refused).unzip();
    let count = reading.refused.map_or(reading.messages.len(), |(before, _)| before);
    json!({
        "id": case.id,
        "messages": reading.messages[..count].iter().map(message).collect::<Vec<_>>(),
        "error": error,
        "status": status,
        "incomplete": reading.incomplete,
    })
}

fn message(message: &Message) -> Value {
    let mut value = json!({
        "version": message.version,
        "headers": message.fields,
        "body_b64": to_base64(&message.content),
        "trailers": message.trailers,
        "keep_alive": message.keep_alive,
    });
    match &message.start {
        Start::Request { method, target } => {
            value["method"] = json!(method);
            value["target"] = json!(target);
        }
        Start::Response { status, reason } => {
            value["status"] = json!(status);
            value["reason"] = json!(reason);
        }
    }
    value
}
