//! Everything that can be set, with its default.

use core::time::Duration;

use crate::config::Policy;
use crate::config::Refusal;

/// The configuration of connections and of the dispatcher, shared by as many as one likes.
///
/// Every deadline, limit and leniency has a name, a unit and a bounded default. The default refuses what RFC 9110 and
/// RFC 9112 leave open, but for request targets as browsers write them. Presets are values of it:
/// [`client`](Self::client); [`strict`](Self::strict), which refuses those as well; [`interop`](Self::interop) and
/// [`evhttp`](Self::evhttp);
/// [`differences`](Self::differences) prints what one changes.
///
/// ```
/// use core::time::Duration;
/// use http_core::Config;
///
/// let mut config = Config::default();
/// config.timeouts.head = Duration::from_secs(5);
/// config.limits.content = Some(1 << 20);
/// assert!(!config.leniency.allow_bare_lf);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Limits and budgets.
    pub limits: Limits,
    /// Leniencies, all off but that for targets as browsers write them.
    pub leniency: Leniency,
    /// Whether and how connections are kept.
    pub persistence: Persistence,
    /// What is told beside what always is.
    pub events: Events,
    /// Queue, connections, back-off and retries of a client's [`Dispatcher`](crate::dispatch::Dispatcher).
    pub dispatch: Policy,
    /// What goes with a server's own answer to a request that cannot be read. Default: nothing.
    pub refusal: Option<Refusal>,
}

impl Config {
    /// No leniency at all: what RFC 9110 and RFC 9112 leave open is refused, and so is what the default takes beside
    /// them, request targets as browsers write them ([`Leniency::allow_browser_target`]).
    ///
    /// For a server that only programs ask, or that stands before another reader that has to be as strict.
    #[must_use]
    pub fn strict() -> Self {
        Self { leniency: Leniency { allow_browser_target: false, ..Leniency::default() }, ..Self::default() }
    }

    /// What a client waits for and takes, which is more than what a server does: whom it asks it has chosen, and what
    /// protects a server from strangers only surprises it. What the pooled client begins with; a single
    /// [`client::Connection`](crate::client::Connection) has what it is given.
    ///
    /// | setting | of a client | default |
    /// |---|---|---|
    /// | [`Timeouts::content`] | 300 s: an event may be long in coming | 30 s |
    /// | [`Timeouts::content_rate`] | 0: none is asked | 240 |
    /// | [`Limits::head`] | 256 KiB | 64 KiB |
    /// | [`Limits::field_line`] | 256 KiB: the head bounds it | 16 KiB |
    /// | [`Limits::fields`] | 512 | 128 |
    /// | [`Limits::interim_responses`] | 100: a 102 every while for a long task | 16 |
    ///
    /// ```
    /// use http_core::Config;
    /// let mut config = Config::client();
    /// config.leniency = Config::interop().leniency;
    /// assert_eq!(config.limits.head, 256 * 1024);
    /// ```
    #[must_use]
    pub fn client() -> Self {
        Self {
            timeouts: Timeouts { content: Duration::from_secs(300), content_rate: 0, ..Timeouts::default() },
            limits: Limits {
                field_line: 256 * 1024,
                head: 256 * 1024,
                fields: 512,
                interim_responses: 100,
                ..Limits::default()
            },
            ..Self::default()
        }
    }

    /// What browsers and old peers send though no RFC allows it, or allows it only to be read: bare LF and folds in
    /// heads, spaces around a colon in responses and at the end of a request-line or a chunk size, a repeated
    /// Content-Length, Transfer-Encoding beside Content-Length, characters in a target that RFC 3986 leaves out.
    ///
    /// For an end of the chain. Behind or before another reader of the same bytes, stay strict: see the risk of each in
    /// [`Leniency`].
    #[must_use]
    pub fn interop() -> Self {
        Self {
            leniency: Leniency {
                allow_bare_lf: true,
                allow_obs_fold: true,
                allow_space_before_colon_in_responses: true,
                allow_transfer_encoding_with_length: true,
                allow_repeated_content_length: true,
                allow_lax_target: true,
                allow_chunk_line_padding: true,
                allow_trailing_space_in_request_line: true,
                ..Leniency::default()
            },
            ..Self::default()
        }
    }

    /// What libevent's `evhttp` does where that is safe: its time-outs (read and write 50 s), its lenient reading of
    /// line ends, folds, spaces before a colon and of a request without `Host`, and its dispatcher
    /// ([`Policy::evhttp`]): one connection, no retries unless asked for.
    ///
    /// Its framing faults are not part of the preset: what makes the end of a message uncertain stays refused.
    #[must_use]
    pub fn evhttp() -> Self {
        let inactivity = Duration::from_secs(50);
        Self {
            timeouts: Timeouts {
                head: inactivity,
                idle: inactivity,
                content: inactivity,
                content_rate: 0,
                ..Timeouts::default()
            },
            leniency: Leniency {
                allow_bare_lf: true,
                allow_obs_fold: true,
                allow_space_before_colon: true,
                allow_missing_host: true,
                allow_lax_target: true,
                allow_trailing_space_in_request_line: true,
                ..Leniency::default()
            },
            dispatch: Policy::evhttp(),
            ..Self::default()
        }
    }

    /// The configuration of the connections that a dispatcher rules: what its [`Policy`] owns is set by that alone, so
    /// that no connection ends earlier, or refuses what it is given. What stood there before is of no account:
    ///
    /// | of a connection | is then |
    /// |---|---|
    /// | [`Timeouts::idle`] | for ever: [`Policy::idle_timeout`] closes it |
    /// | [`Persistence::requests`] | [`Policy::requests_per_connection`], the last one says `close` (RFC 9112 §9.6) |
    /// | [`Persistence::pipelining`] | [`Policy::pipeline_depth`] |
    ///
    /// ```
    /// use http_core::Config;
    ///
    /// let mut config = Config::default();
    /// config.persistence.pipelining = 7;
    /// config.dispatch = config.dispatch.pipeline_depth(3);
    /// assert_eq!(config.dispatched().persistence.pipelining, 3);
    /// ```
    #[must_use]
    pub fn dispatched(mut self) -> Self {
        // The dispatcher counts a peer's `Keep-Alive` in, and the life of a connection.
        self.timeouts.idle = Duration::MAX;
        self.persistence.requests = self.dispatch.requests_per_connection.map(|most| most.max(1).into());
        self.persistence.pipelining = self.dispatch.pipeline_depth.max(1);
        self
    }
}

/// How long the engine waits for the peer.
///
/// A deadline of reading stops while the caller does not read. [`Duration::MAX`] means for ever, as in every setting.
///
/// ```
/// use core::time::Duration;
/// assert_eq!(http_core::Timeouts::default().idle, Duration::from_secs(75));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a head in all, from its first byte, empty lines before it left out; on a client from the moment the request
    /// was sent. Default 30 s.
    pub head: Duration,
    /// For content, in and out, without progress; out, progress is bytes taken by the transport. Default 30 s.
    pub content: Duration,
    /// For what goes out alone, in place of [`content`](Self::content). Default `None`.
    pub write: Option<Duration>,
    /// The least rate of content in bytes a second, in and out, after [`content_grace`](Self::content_grace).
    /// 0 switches it off. Default 240.
    pub content_rate: u32,
    /// How long content may come and go slower than [`content_rate`](Self::content_rate). Default 10 s.
    pub content_grace: Duration,
    /// Between exchanges, and before the first one. Never runs while an exchange is open or its answer is being
    /// sent. Default 75 s. Of a server's connections, and of a client's that no dispatcher rules: those idle by
    /// [`Policy::idle_timeout`] alone, see [`Config::dispatched`].
    pub idle: Duration,
    /// How long a client with `Expect: 100-continue` waits before it sends its content all the same. Default 1 s.
    pub expect: Duration,
    /// How long a connection that is over goes on reading, so that the peer can read the last answer (RFC 9112 §9.6).
    /// Default 5 s. One that the application has asked to close, whose client has sent one whole request and nothing
    /// behind it, does so for 1 s at most.
    pub linger: Duration,
    /// How long a client that has ended its side in order is waited with: for the head of its answer, and for more of
    /// the answer's content while none waits to be sent (RFC 9112 §9.5). Default 30 s.
    ///
    /// Such a client may only be done with sending, as `nc -N` is, or have gone altogether: TCP does not tell. 0 takes
    /// it for gone at once, as hyper does unless `half_close` is set; Node answers it for as long as that takes.
    /// Content that waits to be sent has the deadline of [`content`](Self::content), as ever.
    pub half_closed: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            content: Duration::from_secs(30),
            write: None,
            content_rate: 240,
            content_grace: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            expect: Duration::from_secs(1),
            linger: Duration::from_secs(5),
            half_closed: Duration::from_secs(30),
        }
    }
}

/// How much the engine takes from a peer, and holds for one.
///
/// ```
/// assert_eq!(http_core::Limits::default().head, 64 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest request target, in bytes; beyond it 414. Default 8,192.
    pub target: usize,
    /// The longest field line, in bytes without its CRLF; beyond it 431. Default 16 KiB.
    pub field_line: usize,
    /// The longest head, in bytes; beyond it 431. Default 64 KiB.
    pub head: usize,
    /// The most field lines of a head; beyond it 431. Default 128.
    pub fields: usize,
    /// The longest trailer section, in bytes; beyond it 431. Default 8 KiB.
    pub trailers: usize,
    /// The most field lines of a trailer section; beyond it 431. Default 64.
    pub trailer_fields: usize,
    /// The longest chunk-size line, in bytes without its CRLF; beyond it 400. Default 4 KiB.
    pub chunk_line: usize,
    /// All chunk extensions of one message together, in bytes, each from its semicolon; beyond it 400. Default 16 KiB.
    pub chunk_extensions: usize,
    /// The longest content of one message, in bytes; beyond it 413. Default none.
    pub content: Option<u64>,
    /// The most interim responses to one request: beyond it a client ends the connection, and a server may send no
    /// more. Default 16.
    pub interim_responses: u32,
    /// The most empty lines before a request-line, beyond it 400, and before a status-line. Default 8.
    pub empty_lines: u32,
    /// How much unread content is read and dropped to keep a connection. Default 256 KiB.
    pub drain: u64,
    /// How much is read and dropped after the last answer of a connection. Default 256 KiB.
    pub linger: u64,
    /// How far a server reads on while an exchange is being answered, in bytes. Default 64 KiB.
    pub read_ahead: usize,
    /// How much may wait to be sent before `send_capacity` is 0, in bytes. Default 256 KiB.
    pub send_buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            target: 8192,
            field_line: 16 * 1024,
            head: 64 * 1024,
            fields: 128,
            trailers: 8 * 1024,
            trailer_fields: 64,
            chunk_line: 4 * 1024,
            chunk_extensions: 16 * 1024,
            content: None,
            interim_responses: 16,
            empty_lines: 8,
            drain: 256 * 1024,
            linger: 256 * 1024,
            read_ahead: 64 * 1024,
            send_buffer: 256 * 1024,
        }
    }
}

/// Named leniencies, each off by default but [`allow_browser_target`](Self::allow_browser_target).
///
/// ```
/// let mut leniency = http_core::Leniency::default();
/// leniency.allow_obs_fold = true;
/// assert!(leniency.allow_browser_target);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leniency {
    /// A line of a head may end with LF alone (RFC 9112 §2.2). Risk: a reader before or behind that counts such lines
    /// otherwise sees other messages.
    pub allow_bare_lf: bool,
    /// A folded field line is read as one line, the fold as one space (RFC 9112 §5.2). Risk: a value that another
    /// reader takes for a field of its own.
    pub allow_obs_fold: bool,
    /// Whitespace between a field name and its colon is dropped (RFC 9112 §5.1); on requests too, which the RFC
    /// forbids. Risk: hidden framing fields.
    pub allow_space_before_colon: bool,
    /// The same in responses alone, where a proxy is told to remove it (RFC 9112 §5.1).
    pub allow_space_before_colon_in_responses: bool,
    /// A message with both Transfer-Encoding and Content-Length is read by the former, and its connection closed
    /// after it (RFC 9112 §6.1). Risk: request smuggling through a peer that reads by the latter.
    pub allow_transfer_encoding_with_length: bool,
    /// The same Content-Length more than once counts as once (RFC 9112 §6.3). Risk: none known, but for peers that
    /// concatenate the values.
    pub allow_repeated_content_length: bool,
    /// An HTTP/1.1 request may lack Host (RFC 9112 §3.2). Risk: routing to the wrong origin.
    pub allow_missing_host: bool,
    /// Path and query of a target may have what browsers leave as it is against RFC 3986, because the URL standard has
    /// them do so: `[`, `]`, `|` and `^` in the path, those and `` ` ``, `{`, `}` and `\` in the query. The authority
    /// may not; nor is any other octet taken: quotes, angle brackets, `#`, controls, and those above ASCII stay
    /// refused. **On by default.** Risk: a program behind that puts such a target into something else, a shell say,
    /// without looking; a next hop that refuses it, wherefore
    /// [`RequestHead::forwarded`](crate::RequestHead::forwarded) percent-encodes them.
    pub allow_browser_target: bool,
    /// A target may have any visible byte and bytes above ASCII (RFC 9112 §3.2). Risk: other readings of the path.
    pub allow_lax_target: bool,
    /// Whitespace may end a chunk-size line (RFC 9112 §7.1.1 allows it before an extension only): some servers pad
    /// their sizes. Risk: none known beside a reader that takes the size otherwise.
    pub allow_chunk_line_padding: bool,
    /// Spaces may stand between the version and the end of a request-line. Risk: none known.
    pub allow_trailing_space_in_request_line: bool,
}

impl Default for Leniency {
    fn default() -> Self {
        Self {
            allow_bare_lf: false,
            allow_obs_fold: false,
            allow_space_before_colon: false,
            allow_space_before_colon_in_responses: false,
            allow_transfer_encoding_with_length: false,
            allow_repeated_content_length: false,
            allow_missing_host: false,
            allow_browser_target: true,
            allow_lax_target: false,
            allow_chunk_line_padding: false,
            allow_trailing_space_in_request_line: false,
        }
    }
}

/// Whether and how connections are kept.
///
/// ```
/// assert_eq!(http_core::Persistence::default().pipelining, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Persistence {
    /// Whether connections are kept at all. Default true.
    pub keep_alive: bool,
    /// The most requests of one connection; the last one is answered, or sent, with `Connection: close`.
    /// Default none. Where a dispatcher rules it is [`Policy::requests_per_connection`], see [`Config::dispatched`].
    pub requests: Option<u64>,
    /// On a client: the origin is known to speak HTTP/1.0 and nothing later, so nothing chunked is sent to it, not even
    /// before its first response tells (RFC 9112 §6.1). Default false.
    pub http10_origin: bool,
    /// On a client, how many requests may await their response at once. Default 1: no pipelining. Where a dispatcher
    /// rules it is [`Policy::pipeline_depth`], see [`Config::dispatched`].
    pub pipelining: usize,
}

impl Default for Persistence {
    fn default() -> Self {
        Self { keep_alive: true, requests: None, http10_origin: false, pipelining: 1 }
    }
}

/// What is told beside what always is, all of it off by default.
///
/// ```
/// assert!(!http_core::Events::default().chunk_extensions);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Events {
    /// The extensions of chunks, which otherwise are checked and dropped: a recipient ignores those that it does not
    /// know (RFC 9112 §7.1.1). Chunks are then told one by one, which costs more where they are small. Default: false.
    pub chunk_extensions: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatcher_owns_what_its_policy_has() {
        let day = Duration::from_secs(86_400);
        let unruled = || {
            let mut config = Config::default();
            config.timeouts.idle = Duration::from_secs(1);
            (config.persistence.requests, config.persistence.pipelining) = (Some(9), 9);
            config
        };
        // Policy, and then requests and pipelining of a connection.
        let table = [
            (Policy::default(), None, 1),
            (Policy::evhttp(), None, 1),
            (Policy::default().idle_timeout(None), None, 1),
            (Policy::default().idle_timeout(day), None, 1),
            (Policy::default().requests_per_connection(5).pipeline_depth(2), Some(5), 2),
            (Policy::default().requests_per_connection(u32::MAX), Some(u64::from(u32::MAX)), 1),
            // 0 counts as 1, as it does for the dispatcher.
            (Policy::default().requests_per_connection(0).pipeline_depth(0), Some(1), 1),
            (Policy::default().pipeline_depth(usize::MAX), None, usize::MAX),
        ];
        for (policy, requests, pipelining) in table {
            for mut config in [Config::default(), Config::evhttp(), unruled()] {
                config.dispatch = policy;
                let ruled = config.clone().dispatched();
                assert_eq!(ruled.timeouts.idle, Duration::MAX, "{policy:?}");
                assert_eq!((ruled.persistence.requests, ruled.persistence.pipelining), (requests, pipelining));
                assert_eq!(ruled.clone().dispatched(), ruled);
                // Nothing else changes.
                let mut back = ruled;
                back.timeouts.idle = config.timeouts.idle;
                back.persistence.requests = config.persistence.requests;
                back.persistence.pipelining = config.persistence.pipelining;
                assert_eq!(back, config);
            }
        }
    }
}
