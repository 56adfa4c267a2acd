//! What a client is doing.

/// What a client is doing: see [`Client::counts`](super::Client::counts).
///
/// ```
/// use http_driver::client::Counts;
/// let counts = Counts::default();
/// assert_eq!((counts.queued, counts.connections), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that wait for a connection.
    pub queued: usize,
    /// Requests that are on a connection, until the end of their response.
    pub in_flight: usize,
    /// Connections, those that are being made included.
    pub connections: usize,
    /// Connections that are up and have nothing to do.
    pub idle: usize,
    /// Origins that are known. Those that are not used are forgotten by and by.
    pub origins: usize,
    /// Requests so far whose response came to its end.
    pub answered: u64,
    /// Requests so far that failed, in the content of their response too; those that were cancelled are not among them.
    pub failed: u64,
}
