//! What came of a script, and whether it may be so.

use http_core::client::Unanswered;
use http_core::{Closed, Fields, Reason};

use crate::pair::{HELLO, Setup, WELCOME};
use crate::read::{Message, Start, latin1, pairs};
use crate::script::{Exchange, Script};

/// A message as an application saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The number of its exchange.
    pub exchange: usize,
    /// What was seen of it.
    pub message: Message,
    /// Whether its end was told.
    pub complete: bool,
}

/// How one side's connection ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The fault that it was told.
    pub error: Option<Reason>,
    /// The last event.
    pub closed: Option<Closed>,
    /// What came after the connection was handed over.
    pub heard: Option<Vec<u8>>,
}

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Requests, as the server's application saw them.
    pub requests: Vec<Seen>,
    /// Interim responses other than 100, as the client's application saw them.
    pub interims: Vec<Seen>,
    /// Final responses, as the client's application saw them.
    pub responses: Vec<Seen>,
    /// How many 100 (Continue) the client saw.
    pub continued: usize,
    /// Requests that the client's machine took.
    pub begun: usize,
    /// Requests whose content was sent to its end.
    pub uploaded: Vec<usize>,
    /// What the client's machine says of the rest.
    pub unanswered: Vec<Unanswered>,
    /// The client's end.
    pub client: Ending,
    /// The server's end.
    pub server: Ending,
    /// How many bytes the server has read, and the client.
    pub carried: (usize, usize),
}

impl Outcome {
    /// Holds what was seen against what was said: nothing is invented, nothing that is incomplete passes for
    /// complete, and every request has one outcome.
    ///
    /// # Panics
    /// If it does not hold.
    pub fn check(&self, script: &Script, setup: &Setup) {
        let harmed = setup.is_harmed();
        // The application hears nothing of a request with an unknown expectation.
        let refused =
            |exchange: &Exchange| exchange.request.fields().get("expect").is_some_and(|e| e != b"100-continue");
        let mut expected = (0..).filter(|&at| script.exchanges.get(at).is_none_or(|exchange| !refused(exchange)));
        for seen in &self.requests {
            let at = seen.exchange;
            let exchange = &script.exchanges[at];
            assert_eq!(Some(at), expected.next(), "requests arrive in order, once");
            let wire = &exchange.request;
            let start = Start::Request { method: wire.method().as_str().to_owned(), target: latin1(wire.target()) };
            assert_eq!(seen.message.start, start);
            same_fields(&seen.message.fields, wire.fields());
            let sent = exchange.upload.bytes();
            assert!(sent.starts_with(&seen.message.content), "request {at}: other content");
            if seen.complete && exchange.order.reads() {
                assert_eq!(seen.message.content.len(), sent.len(), "request {at}: truncated, and told as complete");
                assert_eq!(seen.message.trailers, pairs(&exchange.upload.trailers));
                assert!(self.uploaded.contains(&at), "request {at} is complete before it was sent");
            }
        }
        let finals = self.responses.iter().filter(|seen| seen.complete).count();
        for (at, seen) in self.responses.iter().enumerate() {
            let exchange = &script.exchanges[seen.exchange];
            assert_eq!(seen.exchange, at, "responses arrive in order, once");
            let Start::Response { status, .. } = seen.message.start else { panic!("no response") };
            if refused(exchange) {
                assert_eq!(status, 417);
                continue;
            }
            if harmed && self.server.error.is_some_and(|error| error.status().as_u16() == status) {
                // The server's own answer to what broke.
                continue;
            }
            assert_eq!(status, exchange.response.status().as_u16());
            same_fields(&seen.message.fields, exchange.response.fields());
            let none = exchange.answers_without_content();
            let sent = if none { vec![] } else { exchange.download.bytes() };
            assert!(sent.starts_with(&seen.message.content), "response {at}: other content");
            let framed = none
                || seen.message.fields.iter().any(|(name, _)| {
                    name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
                });
            // What lasts until the connection ends can be cut by a clean end, and nobody can tell.
            if seen.complete && (framed || !setup.is_cut_cleanly()) {
                assert_eq!(seen.message.content.len(), sent.len(), "response {at}: truncated, and told as complete");
                assert_eq!(seen.message.trailers, pairs(&exchange.download.trailers));
            }
        }
        assert_eq!(finals + self.unanswered.len(), self.begun, "a request without an outcome, or with two");
        for ending in [&self.client, &self.server] {
            assert!(ending.closed.is_some() != ending.heard.is_some() || harmed, "no end, or two: {ending:?}");
        }
        if let (Some(client), Some(server), false) = (&self.client.heard, &self.server.heard, harmed) {
            assert_eq!((&client[..], &server[..]), (WELCOME, HELLO), "what another protocol said");
        }
    }
}

/// The fields that were sent are there in their order; around them is what the engine adds: `Host` in front.
fn same_fields(seen: &[(String, String)], sent: &Fields) {
    let sent = pairs(sent);
    let host = usize::from(sent.iter().all(|(name, _)| name != "Host") && seen.first().is_some_and(|f| f.0 == "Host"));
    assert_eq!(seen.get(host..host + sent.len()), Some(&sent[..]));
    for (name, _) in &seen[host + sent.len()..] {
        let known = ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Date"];
        assert!(known.contains(&name.as_str()), "an invented field: {name}");
    }
}
