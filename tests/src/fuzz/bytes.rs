//! Whatever bytes arrive: never a panic, the same events however they are cut, and an error ends in an answer and a
//! close.

use std::sync::Arc;

use http_core::{Config, End, Reason};

use crate::cut::Cut;
use crate::read::{Reading, as_client, as_server};
use crate::source::Source;

/// How the rest of the bytes is read: two bytes choose it.
struct Reader {
    config: Arc<Config>,
    cuts: [Cut; 2],
    end: Option<End>,
}

/// The configuration that five bits of a byte choose.
pub(super) fn config(how: u8) -> Config {
    let mut config = Config::default();
    if how & 1 == 1 {
        // Limits that few bytes can reach.
        let limits = &mut config.limits;
        (limits.target, limits.field_line, limits.head, limits.fields) = (20, 40, 120, 4);
        (limits.trailers, limits.trailer_fields, limits.chunk_line, limits.chunk_extensions) = (40, 2, 16, 24);
        (limits.content, limits.interim_responses, limits.empty_lines) = (Some(50), 2, 2);
        (limits.drain, limits.linger) = (30, 60);
    }
    if how & 2 == 2 {
        let leniency = &mut config.leniency;
        leniency.allow_bare_lf = true;
        leniency.allow_obs_fold = true;
        leniency.allow_space_before_colon = true;
        leniency.allow_transfer_encoding_with_length = true;
        leniency.allow_repeated_content_length = true;
        leniency.allow_missing_host = true;
        leniency.allow_lax_target = true;
        leniency.allow_chunk_line_padding = true;
        leniency.allow_trailing_space_in_request_line = true;
    }
    config.leniency.allow_browser_target = how & 16 == 0;
    config
}

impl Reader {
    fn choose(source: &mut Source<'_>) -> Self {
        let (how, cut) = (source.byte(), source.byte());
        let config = config(how);
        let end = [Some(End::Clean), None, Some(End::Unclean), Some(End::Clean)][usize::from(how >> 2 & 3)];
        Self { config: config.into(), cuts: [Cut::Bytes, Cut::Random(u64::from(cut) | u64::from(how) << 8)], end }
    }

    /// Reads whole, byte by byte and in pieces, and all must come to the same.
    fn read(&self, read: impl Fn(&Cut) -> Reading) -> Reading {
        let whole = read(&Cut::Whole);
        for cut in &self.cuts {
            assert_eq!(read(cut), whole, "cut {cut:?}");
        }
        if self.end.is_some() {
            assert!(whole.closed.is_some() || whole.switched.is_some(), "the end came, and it is not over");
        }
        whole
    }
}

/// A server against whatever bytes.
///
/// # Panics
/// If a promise does not hold.
pub fn server_bytes(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let reader = Reader::choose(&mut source);
    let bytes = source.rest();
    let reading = reader.read(|cut| as_server(&reader.config, bytes, cut, reader.end));
    let Some((reason, offset)) = reading.error else { return };
    assert!(reading.closing, "an error that does not end the connection");
    assert!(offset <= bytes.len() as u64, "an offset behind the end");
    if reason != Reason::Truncated {
        let answer = reading.answers.last().expect("an error is answered");
        if answer.status == 417 {
            // The fault may be in the content of a request that was refused already; it has its one answer.
            return;
        }
        assert_eq!((answer.status, answer.says_close()), (reason.status().as_u16(), true), "{reason:?}");
        assert!(answer.complete);
    }
}

/// A client, with some requests in flight, against whatever bytes.
///
/// # Panics
/// If a promise does not hold.
pub fn client_bytes(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let reader = Reader::choose(&mut source);
    let (methods, offer) = source.pick(&[
        (&["GET"][..], None),
        (&["HEAD"], None),
        (&["GET", "HEAD", "GET"], None),
        (&["CONNECT"], None),
        (&["POST"], None),
        (&["GET"], Some("echo")),
    ]);
    let bytes = source.rest();
    let reading = reader.read(|cut| as_client(&reader.config, methods, offer, bytes, cut, reader.end));
    if let Some((reason, offset)) = reading.error {
        assert!(reading.closed.is_some(), "an error that does not end the connection: {reason:?}");
        assert!(offset <= bytes.len() as u64, "an offset behind the end");
    }
}
