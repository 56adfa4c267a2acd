//! One case as its line says.

use std::path::Path;
use std::sync::Arc;

use http_core::Config;
use serde_json::Value;

use super::judge::Took;
use crate::read::{Message, Start, latin1};

/// A configuration that cases are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `Config::strict`.
    Strict,
    /// `Config::default`.
    Default,
}

impl Preset {
    /// All of them, the strictest first.
    pub const ALL: [Self; 2] = [Self::Strict, Self::Default];

    /// The configuration.
    #[must_use]
    pub fn config(self) -> Arc<Config> {
        Arc::new(match self {
            Self::Strict => Config::strict(),
            Self::Default => Config::default(),
        })
    }
}

/// Which machine a case is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A server reads it.
    Request,
    /// A client reads it.
    Response,
}

/// What a conforming reader does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Reads every message as given.
    Accept,
    /// Reports an error.
    Reject,
    /// One of the two, the first preferred if it is given.
    Either(Option<Took>),
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its stable name.
    pub id: String,
    /// The suite it comes from.
    pub source: String,
    /// Who reads it.
    pub side: Side,
    /// How much a rejection is demanded.
    pub level: String,
    /// The sections at stake.
    pub rfc: String,
    /// What is sent, in words.
    pub description: String,
    /// The exact bytes.
    pub bytes: Vec<u8>,
    /// For responses: the methods that await an answer.
    pub methods: Vec<String>,
    /// Whether the connection ends after the bytes.
    pub eof: bool,
    /// What is expected.
    pub expect: Expect,
    /// In the project's own cases: the reason of the refusal.
    pub reason: Option<String>,
    /// In the project's own cases: the preset alone that it is judged by, where they differ.
    pub preset: Option<Preset>,
}

impl Case {
    /// The presets that it is judged by: each has to meet it.
    pub fn presets(&self) -> impl Iterator<Item = Preset> {
        let only = self.preset;
        Preset::ALL.into_iter().filter(move |preset| only.is_none_or(|only| only == *preset))
    }
}

/// What a case expects.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Accept, reject, or either.
    pub verdict: Verdict,
    /// The complete messages; without them an accepting reading is not specified.
    pub messages: Option<Vec<Wanted>>,
    /// How many of them are delivered before an error.
    pub min_messages: usize,
    /// The best status of a rejection.
    pub status: Option<u16>,
    /// All that are right.
    pub status_any: Vec<u16>,
    /// Whether the server has to close.
    pub close: bool,
    /// Whether the bytes end inside a message.
    pub incomplete: bool,
    /// What is known of the message that is not complete.
    pub partial: Option<Value>,
    /// Whether what follows the messages is free.
    pub tail_any: bool,
    /// Octets after the last message that nobody may read as one.
    pub surplus: bool,
    /// Whether 100 or a final response is due without the content.
    pub expect_100: bool,
}

/// A message as a case wants it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is compared.
    pub message: Message,
    /// Whether its content is compared.
    pub compare_content: bool,
}

/// The cases of one file.
///
/// # Errors
/// If it cannot be read, or a line is no case.
pub fn load(file: &Path) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            {
                let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
                parse(&value).ok_or_else(|| "a field is missing".to_owned()).map_err(|why| (at, why))
            }
            .map_err(|(at, why)| format!("{}:{}: {why}", file.display(), at + 1))
        })
        .collect()
}

fn parse(value: &Value) -> Option<Case> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let side = match value.get("side")?.as_str()? {
        "request" => Side::Request,
        "response" => Side::Response,
        _ => return None,
    };
    let methods = match value.get("request_methods").and_then(Value::as_array) {
        Some(methods) => methods.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => vec![value.get("request_method").and_then(Value::as_str).unwrap_or("GET").to_owned()],
    };
    let bytes = base64(value.get("bytes_b64")?.as_str()?)?;
    // The project's own cases can be read, too.
    if let Some(plain) = value.get("bytes") {
        (plain.as_str()? == latin1(&bytes)).then_some(())?;
    }
    Some(Case {
        id: value.get("id")?.as_str()?.to_owned(),
        source: text("source"),
        side,
        level: text("level"),
        rfc: text("rfc"),
        description: text("description"),
        bytes,
        methods,
        eof: value.get("eof").and_then(Value::as_bool).unwrap_or_default(),
        expect: expect(value.get("expect")?, side)?,
        reason: value.get("reason").and_then(Value::as_str).map(str::to_owned),
        preset: match value.get("preset").map(Value::as_str) {
            None => None,
            Some(Some("strict")) => Some(Preset::Strict),
            Some(Some("default")) => Some(Preset::Default),
            Some(_) => return None,
        },
    })
}

fn expect(value: &Value, side: Side) -> Option<Expect> {
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or_default();
    let verdict = match value.get("verdict")?.as_str()? {
        "accept" => Verdict::Accept,
        "reject" => Verdict::Reject,
        "either" => Verdict::Either(match value.get("prefer").and_then(Value::as_str) {
            Some("accept") => Some(Took::Accepted),
            Some("reject") => Some(Took::Rejected),
            _ => None,
        }),
        _ => return None,
    };
    let messages = match value.get("messages") {
        Some(Value::Array(messages)) => {
            Some(messages.iter().map(|message| wanted(message, side)).collect::<Option<_>>()?)
        }
        _ => None,
    };
    let status = value.get("status").and_then(Value::as_u64).map(|n| n as u16);
    let mut status_any: Vec<u16> = value
        .get("status_any")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_u64).map(|n| n as u16).collect())
        .unwrap_or_default();
    if status_any.is_empty() {
        status_any.push(status.unwrap_or(400));
    }
    Some(Expect {
        verdict,
        messages,
        min_messages: value.get("min_messages").and_then(Value::as_u64).unwrap_or_default() as usize,
        status,
        status_any,
        close: flag("close"),
        incomplete: flag("incomplete"),
        partial: value.get("partial").cloned(),
        tail_any: value.get("tail").and_then(Value::as_str) == Some("any"),
        surplus: value.get("surplus").is_some_and(|s| !s.is_null() && *s != Value::Bool(false)),
        expect_100: flag("expect_100"),
    })
}

pub(super) fn wanted(value: &Value, side: Side) -> Option<Wanted> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let start = match side {
        Side::Request => Start::Request { method: text("method"), target: text("target") },
        Side::Response => Start::Response { status: value.get("status")?.as_u64()? as u16, reason: text("reason") },
    };
    let content = value.get("body_b64").and_then(Value::as_str);
    let plain = value.get("body").and_then(Value::as_str);
    let so_far = value.get("body_so_far_b64").and_then(Value::as_str);
    Some(Wanted {
        compare_content: content.is_some() || plain.is_some() || so_far.is_some(),
        message: Message {
            start,
            version: text("version"),
            fields: fields(value.get("headers")),
            content: match plain {
                Some(plain) => plain.chars().map(|c| c as u8).collect(),
                None => base64(content.or(so_far).unwrap_or_default())?,
            },
            trailers: fields(value.get("trailers")),
            keep_alive: value.get("keep_alive").and_then(Value::as_bool),
        },
    })
}

fn fields(value: Option<&Value>) -> Vec<(String, String)> {
    let lines = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let part = |line: &Value, at: usize| line.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    lines.iter().map(|line| (part(line, 0), part(line, 1))).collect()
}

/// Decodes base64.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes().filter(|&b| b != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

/// Encodes base64.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) & 63;
            out.push(if at <= chunk.len() { char::from(DIGITS[six as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_there_and_back() {
        for (plain, coded) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe\xfd", "//79")]
        {
            assert_eq!(to_base64(plain), coded);
            assert_eq!(base64(coded).unwrap(), plain);
        }
        assert_eq!(base64("a b"), None);
    }
}
