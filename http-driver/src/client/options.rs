//! What one request asks for that others do not.

use core::time::Duration;

use http_core::{Timeouts, dispatch};

use crate::time::{self, Instant};

/// What one request asks for in place of what its client does by default: put it among the request's extensions.
///
/// ```
/// use std::time::Duration;
/// use http_driver::Full;
/// use http_driver::client::RequestOptions;
///
/// let options = RequestOptions::new()
///     .timeout(Duration::from_secs(5)) // in all, with queueing and retries
///     .response_timeout(Duration::from_secs(1)) // from the moment it was sent to the head of its response
///     .read_timeout(Duration::MAX) // its content may pause for ever
///     .priority(200) // before others that wait
///     .idempotent(true) // this POST may be sent twice
///     .retries(1);
/// let request = http::Request::post("http://example.com/jobs/17").extension(options).body(Full::default());
/// assert!(request.is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RequestOptions {
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    response_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
    least_rate: Option<u32>,
    priority: Option<u8>,
    idempotent: Option<bool>,
    retries: Option<u32>,
    retry_after: Option<Duration>,
    fresh: bool,
    expect_continue: Option<bool>,
}

impl RequestOptions {
    /// As the client does.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the request may take in all, until the end of its response's content, in place of
    /// [`Builder::timeout`](super::Builder::timeout).
    pub const fn timeout(mut self, most: Duration) -> Self {
        self.timeout = Some(most);
        self
    }

    /// When the request ends at the latest; with a [`timeout`](Self::timeout) as well, whichever comes first.
    pub const fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(at);
        self
    }

    /// How long the head of the response may take from the moment the request was sent, each time it is, in place of
    /// [`Builder::response_timeout`](super::Builder::response_timeout). Counted in milliseconds.
    pub const fn response_timeout(mut self, most: Duration) -> Self {
        self.response_timeout = Some(most);
        self
    }

    /// How long the content of the response may rest between two pieces, in place of
    /// [`Builder::read_timeout`](super::Builder::read_timeout). Counted in milliseconds. Time in which nobody reads
    /// does not count.
    pub const fn read_timeout(mut self, most: Duration) -> Self {
        self.read_timeout = Some(most);
        self
    }

    /// How many bytes of the response's content have to come in a second, in place of
    /// [`Builder::least_rate`](super::Builder::least_rate); 0: none.
    pub const fn least_rate(mut self, bytes_a_second: u32) -> Self {
        self.least_rate = Some(bytes_a_second);
        self
    }

    /// Requests of a higher priority leave the queue earlier; equal ones in the order that they came in. Default: 128.
    pub const fn priority(mut self, priority: u8) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Whether doing it twice is doing it once, so that it may be sent again after it may have been received. Default:
    /// by its method (RFC 9110 §9.2.2), or yes with an `Idempotency-Key` field.
    pub const fn idempotent(mut self, yes: bool) -> Self {
        self.idempotent = Some(yes);
        self
    }

    pub(super) const fn is_idempotent(&self) -> Option<bool> {
        self.idempotent
    }

    /// How often it may be sent again after it was given to a connection, where that is safe; 0: never. In place of
    /// [`Builder::retries`](super::Builder::retries).
    pub const fn retries(mut self, most: u32) -> Self {
        self.retries = Some(most);
        self
    }

    /// The longest `Retry-After` of a 503 or 429 that is waited for before it is sent again (RFC 9110 §10.2.3), in
    /// place of [`Builder::retry_after`](super::Builder::retry_after).
    pub const fn retry_after(mut self, longest: Duration) -> Self {
        self.retry_after = Some(longest);
        self
    }

    /// Whether it waits for a new connection, on which nothing was sent before. Default: no.
    pub const fn fresh_connection(mut self, yes: bool) -> Self {
        self.fresh = yes;
        self
    }

    /// Whether its content, if it has any, waits for 100 (Continue) (RFC 9110 §10.1.1), in place of
    /// [`Builder::expect_continue_from`](super::Builder::expect_continue_from).
    pub const fn expect_continue(mut self, yes: bool) -> Self {
        self.expect_continue = Some(yes);
        self
    }

    pub(super) const fn head_timeout(&self) -> Option<Duration> {
        self.response_timeout
    }

    /// The longest pause of its response's content, and the least rate, where they are not `usual`.
    pub(super) fn content_pace(&self, usual: &Timeouts) -> Option<(Duration, u32)> {
        let is_own = self.read_timeout.is_some() || self.least_rate.is_some();
        let pause = self.read_timeout.unwrap_or(usual.content);
        is_own.then(|| (pause, self.least_rate.unwrap_or(usual.content_rate)))
    }

    /// Whether an expectation is added to a head that has none, where the client would `usually` do so or not.
    pub(super) fn expects(&self, usually: bool) -> bool {
        self.expect_continue.unwrap_or(usually)
    }

    /// A job of these options; `most` is how long it may take by default.
    pub(super) fn apply(&self, job: dispatch::Job, now: http_core::Instant, most: Option<Duration>) -> dispatch::Job {
        let within = self.timeout.or(most).map(|most| now.saturating_add(most));
        let deadline = within.into_iter().chain(self.deadline.map(time::to_core)).min();
        let priority = self.priority.unwrap_or(job.priority);
        job.priority(priority).deadline(deadline).retries(self.retries).retry_after(self.retry_after).fresh(self.fresh)
    }
}
