//! The checker: looks at every byte once, however the input is cut, says which rule is broken where, and its answer
//! counts.
//!
//! A fault is reported when its line is complete, so that the same bytes are refused, for the same reason and at the
//! same offset, wherever they were cut; and a line that is not complete may still be refused for nothing. At once are
//! refused: what passes a limit, a CR without its LF, and the first word of a connection, which tells that the peer
//! speaks another protocol.

use crate::config::{Config, Leniency};
use crate::message::token;
use crate::read::broken::Broken;
use crate::reason::Reason;

/// What a checker reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    Request,
    Response,
    RequestTrailers,
    ResponseTrailers,
}

/// How far a head or a trailer section has been looked at, and what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Checker {
    state: State,
    /// Bytes of this class change nothing, up to `until`.
    run: token::Class,
    /// Bytes that were looked at.
    at: u32,
    until: u32,
    /// Where the current word or line began; where the fault lies.
    from: u32,
    /// Field lines so far.
    fields: u32,
}

/// What there is of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Partial,
    /// All of it, in so many bytes.
    Complete(usize),
    Broken(Broken),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum State {
    /// Not a byte was seen.
    #[default]
    Start,
    Method,
    /// The target, but for its path and query, behind so many slashes.
    Target(u8),
    Path,
    Query,
    /// So many bytes of `HTTP/1.x` were seen.
    Version(u8),
    /// The same, but for the major version.
    OtherVersion(u8),
    AfterVersion,
    /// So many bytes of ` 200` were seen.
    Status(u8),
    AfterStatus,
    ReasonPhrase,
    /// After the CR of a start-line or field line.
    LineLf,
    LineStart,
    Name,
    SpaceAfterName,
    Value,
    /// After the CR of the empty line.
    EndLf,
    /// The line is broken and not complete.
    Faulty(Reason),
    Complete,
    Broken(Reason),
}

impl Checker {
    /// Whether any byte was looked at.
    #[inline]
    pub(crate) fn has_begun(&self) -> bool {
        self.at > 0
    }

    /// How many bytes were looked at.
    pub(crate) const fn looked_at(&self) -> u32 {
        self.at
    }

    /// Whether the start-line is complete.
    pub(crate) const fn start_line_read(&self) -> bool {
        use State::{EndLf, LineStart, Name, SpaceAfterName, Value};
        self.fields > 0 || matches!(self.state, LineStart | Name | SpaceAfterName | Value | EndLf)
    }

    /// The fault of the line that is not complete: what an incomplete message is refused for when its connection ends.
    pub(crate) const fn pending(&self) -> Option<Broken> {
        match self.state {
            State::Faulty(reason) => Some(Broken(reason, self.from as usize)),
            _ => None,
        }
    }

    /// Whether the one new byte of `input` changes nothing: most bytes of a head that drips in.
    #[inline]
    pub(crate) fn takes_one(&mut self, input: &[u8]) -> bool {
        let at = self.at as usize;
        let takes = input.len() == at + 1 && self.at < self.until && token::is_of(self.run, input[at]);
        if takes {
            self.at += 1;
        }
        takes
    }

    /// Looks at the bytes of `input` that were not looked at before.
    #[inline(never)]
    pub(crate) fn run(&mut self, input: &[u8], config: &Config, grammar: Grammar) -> Found {
        let limit = grammar.limit(config);
        if self.state == State::Start {
            self.state = match grammar {
                Grammar::Request => State::Method,
                Grammar::Response => State::Version(0),
                Grammar::RequestTrailers | Grammar::ResponseTrailers => State::LineStart,
            };
            self.set_run(config, limit);
        }
        while !matches!(self.state, State::Complete | State::Broken(_)) {
            let run = input.get(self.at as usize..input.len().min(self.until as usize)).unwrap_or_default();
            self.at += run.iter().position(|&byte| !token::is_of(self.run, byte)).unwrap_or(run.len()) as u32;
            let Some(&byte) = input.get(self.at as usize) else { break };
            self.take(byte, config, grammar, limit);
        }
        match self.state {
            State::Complete => Found::Complete(self.at as usize),
            State::Broken(reason) => Found::Broken(Broken(reason, self.from as usize)),
            _ => Found::Partial,
        }
    }

    /// Looks at the new bytes of an incomplete head; whether it still is. `run` says the same, for more when there is
    /// just one new byte.
    #[inline]
    pub(crate) fn steps(&mut self, input: &[u8], config: &Config, grammar: Grammar) -> bool {
        match input {
            [before @ .., byte] if before.len() == self.at as usize => {
                self.take(*byte, config, grammar, grammar.limit(config));
                !matches!(self.state, State::Complete | State::Broken(_))
            }
            _ => self.run(input, config, grammar) == Found::Partial,
        }
    }

    /// Whether the one new byte makes one of the usual steps; if it does not, nothing is done.
    #[inline(always)]
    pub(crate) fn steps_as_usual(&mut self, input: &[u8], config: &Config, grammar: Grammar) -> bool {
        let [before @ .., byte] = input else { return false };
        let limit = grammar.limit(config);
        if before.len() != self.at as usize || self.at >= limit {
            return false;
        }
        let Some(state) = self.usual(*byte, config, grammar) else { return false };
        self.state = state;
        self.at += 1;
        self.set_run(config, limit);
        true
    }

    /// Looks at one byte that may change the state. Apart from `run`, which would make it dear for a single byte.
    #[inline(never)]
    fn take(&mut self, byte: u8, config: &Config, grammar: Grammar, limit: u32) {
        match self.state {
            State::Faulty(reason) if self.at >= limit => self.state = State::Broken(reason),
            _ if self.at >= limit => self.state = self.broken(grammar.beyond()),
            _ => {
                self.state = match self.usual(byte, config, grammar) {
                    Some(state) => state,
                    None => self.next(byte, config, grammar),
                };
                self.at += 1;
            }
        }
        self.set_run(config, limit);
    }

    /// The steps that a good head is made of, most of all; what breaks a rule is none of them.
    #[inline(always)]
    fn usual(&mut self, byte: u8, config: &Config, grammar: Grammar) -> Option<State> {
        match (self.state, byte) {
            (State::Value, b'\r') => Some(State::LineLf),
            (State::LineLf, b'\n') => Some(State::LineStart),
            (State::LineStart, _)
                if token::is_tchar(byte)
                    && config.limits.field_line > 0
                    && (self.fields as usize) < grammar.most_fields(config) =>
            {
                self.fields += 1;
                self.from = self.at;
                Some(State::Name)
            }
            (State::Name, b':') if self.at > self.from && self.at < self.room(config.limits.field_line) => {
                Some(State::Value)
            }
            (State::Version(seen @ 0..=6), _) if byte == b"HTTP/1."[usize::from(seen)] => {
                Some(State::Version(seen + 1))
            }
            (State::AfterVersion, b'\r') => Some(State::LineLf),
            _ => None,
        }
    }

    /// Which bytes would leave the state as it is, and up to where no limit is passed by them.
    fn set_run(&mut self, config: &Config, limit: u32) {
        let (run, until) = match self.state {
            State::Value => (token::VALUE, self.room(config.limits.field_line)),
            State::Name => (token::TCHAR, self.room(config.limits.field_line.min(usize::from(u16::MAX)))),
            State::Method => (token::TCHAR, u32::from(u16::MAX)),
            State::Target(_) | State::Path | State::Query => {
                let run = match self.state {
                    _ if config.leniency.allow_lax_target => token::LAX_TARGET,
                    State::Path => token::PATH,
                    State::Query => token::TARGET,
                    _ => token::HOST,
                };
                (run, self.room(config.limits.target))
            }
            State::ReasonPhrase => (token::VALUE, limit),
            _ => (token::VALUE, 0),
        };
        (self.run, self.until) = (run, until.min(limit));
    }

    /// Where a word or line of at most `length` bytes ends.
    fn room(&self, length: usize) -> u32 {
        u32::try_from(length).map_or(u32::MAX, |length| self.from.saturating_add(length))
    }

    /// The fault is at the byte that is looked at.
    fn broken(&mut self, reason: Reason) -> State {
        self.from = self.at;
        State::Broken(reason)
    }

    /// The fault is at the byte before.
    fn broken_before(&mut self, reason: Reason) -> State {
        self.from = self.at - 1;
        State::Broken(reason)
    }

    /// The line is broken at this byte, which may end it.
    fn faulty(&mut self, byte: u8, reason: Reason) -> State {
        self.from = self.at;
        if ends_line(byte) { State::Broken(reason) } else { State::Faulty(reason) }
    }

    /// A word or a line begins at the next byte.
    fn begin(&mut self, state: State) -> State {
        self.from = self.at + 1;
        state
    }

    #[inline]
    fn next(&mut self, byte: u8, config: &Config, grammar: Grammar) -> State {
        let leniency = &config.leniency;
        match self.state {
            State::Value if token::is_value_byte(byte) => self.within_line(State::Value, config),
            State::Name if token::is_tchar(byte) => {
                if self.at - self.from >= u32::from(u16::MAX) {
                    return self.broken(Reason::FieldLineTooLong);
                }
                self.within_line(State::Name, config)
            }
            State::Value => self.line_end(byte, config, Reason::FieldValue),
            State::Name => match byte {
                b':' if self.at > self.from => self.broken(Reason::FieldLineTooLong),
                b' ' | b'\t' if self.at > self.from => {
                    let allowed = leniency.allow_space_before_colon
                        || grammar.is_response() && leniency.allow_space_before_colon_in_responses;
                    match allowed {
                        true => self.within_line(State::SpaceAfterName, config),
                        false => self.faulty(byte, Reason::SpaceBeforeColon),
                    }
                }
                _ => self.faulty(byte, Reason::FieldName),
            },
            State::SpaceAfterName => match byte {
                b' ' | b'\t' => self.within_line(State::SpaceAfterName, config),
                b':' => self.within_line(State::Value, config),
                _ => self.faulty(byte, Reason::FieldName),
            },
            State::EndLf if byte == b'\n' => State::Complete,
            State::LineLf | State::EndLf => self.broken_before(Reason::BareCr),
            State::LineStart => self.line_start(byte, config, grammar),
            State::Method => self.method(byte),
            State::Target(_) | State::Path | State::Query => self.target(byte, config),
            State::Version(seen) => self.version(seen, byte, grammar),
            State::OtherVersion(6) if byte == b'.' => State::OtherVersion(7),
            State::OtherVersion(7) if byte.is_ascii_digit() => self.other_version(byte, grammar),
            State::OtherVersion(_) => self.version_syntax(byte, grammar),
            State::AfterVersion => match byte {
                b' ' if leniency.allow_trailing_space_in_request_line => State::AfterVersion,
                _ if byte.is_ascii_digit() => self.faulty(byte, Reason::VersionSyntax),
                _ => self.line_end(byte, config, Reason::StartLine),
            },
            State::Status(seen) => self.status(seen, byte),
            // The space before the reason phrase is not optional, but peers that have no phrase often leave it out,
            // and nothing hangs on it (RFC 9112 §4).
            State::AfterStatus if byte == b' ' => State::ReasonPhrase,
            State::ReasonPhrase if token::is_value_byte(byte) => State::ReasonPhrase,
            State::AfterStatus | State::ReasonPhrase => self.line_end(byte, config, Reason::StatusLine),
            State::Faulty(reason) if ends_line(byte) => State::Broken(reason),
            State::Start | State::Faulty(_) | State::Complete | State::Broken(_) => self.state,
        }
    }

    /// One more byte of a field line.
    #[inline]
    fn within_line(&mut self, state: State, config: &Config) -> State {
        if self.at < self.room(config.limits.field_line) { state } else { self.broken(Reason::FieldLineTooLong) }
    }

    /// CRLF, or LF alone where that is allowed; `otherwise` is the fault of anything else.
    fn line_end(&mut self, byte: u8, config: &Config, otherwise: Reason) -> State {
        match byte {
            b'\r' => State::LineLf,
            b'\n' if config.leniency.allow_bare_lf => State::LineStart,
            b'\n' => self.broken(Reason::BareLf),
            _ => self.faulty(byte, otherwise),
        }
    }

    fn line_start(&mut self, byte: u8, config: &Config, grammar: Grammar) -> State {
        match byte {
            b'\r' => State::EndLf,
            b'\n' if config.leniency.allow_bare_lf => State::Complete,
            b'\n' => self.broken(Reason::BareLf),
            b' ' | b'\t' if self.fields == 0 => self.faulty(byte, Reason::LeadingSpace),
            // RFC 9112 §5.2: a server refuses a fold or replaces it, a client replaces it. The line goes on.
            b' ' | b'\t' if config.leniency.allow_obs_fold || grammar.is_response() => {
                self.within_line(State::Value, config)
            }
            b' ' | b'\t' => self.faulty(byte, Reason::ObsFold),
            _ if self.fields as usize == grammar.most_fields(config) => self.broken(Reason::TooManyFields),
            _ => {
                self.fields += 1;
                self.from = self.at;
                match token::is_tchar(byte) {
                    true => self.within_line(State::Name, config),
                    false => self.faulty(byte, Reason::FieldName),
                }
            }
        }
    }

    fn method(&mut self, byte: u8) -> State {
        match byte {
            b' ' if self.at > 0 => self.begin(State::Target(0)),
            _ if token::is_tchar(byte) && self.at < u32::from(u16::MAX) => State::Method,
            // A TLS record of type handshake begins with this byte (RFC 8446 §5.1).
            0x16 if self.at == 0 => self.broken(Reason::TlsClientHello),
            b'\n' if self.at == 0 => self.broken(Reason::BareLf),
            b'\r' if self.at == 0 => self.broken(Reason::BareCr),
            b'\r' | b'\n' => self.broken(Reason::StartLine),
            _ => self.broken(Reason::Method),
        }
    }

    fn target(&mut self, byte: u8, config: &Config) -> State {
        match (self.within_target(byte, &config.leniency), byte) {
            (Some(state), _) if self.at < self.room(config.limits.target) => return state,
            (Some(_), _) => return self.broken(Reason::TargetTooLong),
            _ => {}
        }
        match byte {
            b' ' if self.at > self.from => self.begin(State::Version(0)),
            b' ' => self.faulty(byte, Reason::StartLine),
            b'\r' | b'\n' => self.broken(Reason::StartLine),
            _ => self.faulty(byte, Reason::Target),
        }
    }

    /// Which part of the target the byte is in, if it may stand there. Whether the parts make up one of the four forms
    /// is said when all of the head is there; a wrong form may pass for another one here.
    fn within_target(&self, byte: u8, leniency: &Leniency) -> Option<State> {
        if leniency.allow_lax_target {
            return token::is_lax_target_byte(byte).then_some(self.state);
        }
        match (self.state, byte) {
            (State::Target(_) | State::Path, b'?') => Some(State::Query),
            (State::Target(0), b'/') if self.at == self.from => Some(State::Path),
            (State::Target(2), b'/') => Some(State::Path),
            (State::Target(slashes), b'/') => Some(State::Target(slashes + 1)),
            // An IP literal (RFC 3986 §3.2.2).
            (State::Target(_), b'[' | b']') => Some(self.state),
            (State::Path, _) if leniency.allow_browser_target && token::is_browser_path_byte(byte) => Some(self.state),
            (State::Query, _) if leniency.allow_browser_target && token::is_browser_query_byte(byte) => {
                Some(self.state)
            }
            _ => token::is_target_byte(byte).then_some(self.state),
        }
    }

    /// `HTTP/1.x`; a minor version above 1 is read as 1 (RFC 9110 §2.5).
    fn version(&mut self, seen: u8, byte: u8, grammar: Grammar) -> State {
        match (seen, byte) {
            (5, b'0'..=b'9') => State::OtherVersion(6),
            (7, b'0'..=b'9') if grammar == Grammar::Response => State::Status(0),
            (7, b'0'..=b'9') => State::AfterVersion,
            _ => self.version_syntax(byte, grammar),
        }
    }

    fn version_syntax(&mut self, byte: u8, grammar: Grammar) -> State {
        match grammar {
            // The first word of the connection.
            Grammar::Response => self.broken(Reason::VersionSyntax),
            _ => self.faulty(byte, Reason::VersionSyntax),
        }
    }

    /// The fault of a version that is well-formed is at its major number.
    fn other_version(&mut self, byte: u8, grammar: Grammar) -> State {
        let state = self.faulty(byte, Reason::Version);
        self.from = self.at - 2;
        match grammar {
            Grammar::Response => State::Broken(Reason::Version),
            _ => state,
        }
    }

    fn status(&mut self, seen: u8, byte: u8) -> State {
        match (seen, byte) {
            (0, b' ') => State::Status(1),
            (1 | 2, b'0'..=b'9') => State::Status(seen + 1),
            (3, b'0'..=b'9') => State::AfterStatus,
            _ => self.faulty(byte, Reason::StatusLine),
        }
    }
}

const fn ends_line(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

impl Grammar {
    fn limit(self, config: &Config) -> u32 {
        // Written anew, a section is at most twice as long, and its offsets are 32 bits wide.
        let limit = match self {
            Self::Request | Self::Response => config.limits.head,
            Self::RequestTrailers | Self::ResponseTrailers => config.limits.trailers,
        };
        limit.min(i32::MAX as usize) as u32
    }

    const fn beyond(self) -> Reason {
        match self {
            Self::Request | Self::Response => Reason::HeadTooLong,
            Self::RequestTrailers | Self::ResponseTrailers => Reason::TrailersTooLong,
        }
    }

    const fn most_fields(self, config: &Config) -> usize {
        match self {
            Self::Request | Self::Response => config.limits.fields,
            Self::RequestTrailers | Self::ResponseTrailers => config.limits.trailer_fields,
        }
    }

    const fn is_response(self) -> bool {
        matches!(self, Self::Response | Self::ResponseTrailers)
    }
}
