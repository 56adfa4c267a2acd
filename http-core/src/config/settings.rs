//! Every setting of a configuration by name, so that two of them can be compared and the difference be printed.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::config::{Backoff, Budget, Circuit, Policy};
use crate::config::{Config, Events, Leniency, Limits, Persistence, Timeouts};

/// What one setting is set to.
///
/// ```
/// use http_core::Value;
/// assert_eq!(Value::Switch(true).to_string(), "on");
/// assert_eq!(Value::Time(core::time::Duration::from_secs(2)).to_string(), "2s");
/// assert_eq!(Value::Number(u64::MAX).to_string(), "unlimited");
/// assert_eq!(Value::None.to_string(), "none");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A time.
    Time(Duration),
    /// A number or a size; the largest one stands for no limit.
    Number(u64),
    /// Not set: no limit, or the feature is off.
    None,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(true) => f.write_str("on"),
            Self::Switch(false) => f.write_str("off"),
            Self::Time(time) => write!(f, "{time:?}"),
            Self::Number(u64::MAX) => f.write_str("unlimited"),
            Self::Number(number) => number.fmt(f),
            Self::None => f.write_str("none"),
        }
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Self {
        Self::Switch(on)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(if number == u32::MAX { u64::MAX } else { number.into() })
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(if number == usize::MAX { u64::MAX } else { number as u64 })
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

/// One setting that is not at its default.
///
/// ```
/// use http_core::Config;
/// let mut config = Config::default();
/// config.limits.head = 4096;
/// let difference = config.differences().next().unwrap();
/// assert_eq!(difference.to_string(), "limits.head: 4096 (default 65536)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Difference {
    /// The path of the field in [`Config`].
    pub name: &'static str,
    /// What it is set to.
    pub value: Value,
    /// What it is set to by default.
    pub default: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (default {})", self.name, self.value, self.default)
    }
}

impl Config {
    /// Every setting with the path of its field, in the order of their declaration.
    ///
    /// ```
    /// use http_core::{Config, Value};
    /// let config = Config::default();
    /// assert!(config.settings().any(|setting| setting == ("limits.target", Value::Number(8192))));
    /// ```
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, Value)> {
        all(self).into_iter()
    }

    /// What this configuration changes against the default, setting by setting: how a preset is read.
    ///
    /// ```
    /// use http_core::Config;
    /// let changed: Vec<String> = Config::evhttp().differences().map(|one| one.to_string()).collect();
    /// assert!(changed.iter().any(|line| line == "leniency.allow_bare_lf: on (default off)"));
    /// let stricter: Vec<String> = Config::strict().differences().map(|one| one.to_string()).collect();
    /// assert_eq!(stricter, ["leniency.allow_browser_target: off (default on)"]);
    /// ```
    pub fn differences(&self) -> impl Iterator<Item = Difference> {
        let pairs = all(self).into_iter().zip(all(&Self::default()));
        pairs.filter_map(|((name, value), (_, default))| {
            (value != default).then_some(Difference { name, value, default })
        })
    }
}

/// Destructures a part of the configuration completely, so that a new field cannot be forgotten here.
macro_rules! list {
    ($out:ident, $part:expr, $type:ident, $path:literal, $($field:ident),*) => {
        let $type { $($field),* } = $part;
        $($out.push((concat!($path, ".", stringify!($field)), Value::from(*$field)));)*
    };
}

fn all(config: &Config) -> Vec<(&'static str, Value)> {
    // A function is no value that could be printed.
    let Config { timeouts, limits, leniency, persistence, events, dispatch, refusal: _ } = config;
    let mut out = Vec::with_capacity(64);
    list!(
        out,
        timeouts,
        Timeouts,
        "timeouts",
        head,
        content,
        write,
        content_rate,
        content_grace,
        idle,
        expect,
        linger,
        half_closed
    );
    list!(
        out,
        limits,
        Limits,
        "limits",
        target,
        field_line,
        head,
        fields,
        trailers,
        trailer_fields,
        chunk_line,
        chunk_extensions,
        content,
        interim_responses,
        empty_lines,
        drain,
        linger,
        read_ahead,
        send_buffer
    );
    list!(
        out,
        leniency,
        Leniency,
        "leniency",
        allow_bare_lf,
        allow_obs_fold,
        allow_space_before_colon,
        allow_space_before_colon_in_responses,
        allow_transfer_encoding_with_length,
        allow_repeated_content_length,
        allow_missing_host,
        allow_browser_target,
        allow_lax_target,
        allow_chunk_line_padding,
        allow_trailing_space_in_request_line
    );
    list!(out, persistence, Persistence, "persistence", keep_alive, requests, http10_origin, pipelining);
    list!(out, events, Events, "events", chunk_extensions);
    policy(dispatch, &mut out);
    out
}

fn policy(policy: &Policy, out: &mut Vec<(&'static str, Value)>) {
    let Policy {
        connect_timeout,
        backoff: Backoff { initial, cap, jitter },
        connect_retries,
        request_retries,
        retry_budget,
        circuit,
        retry_after,
        expect_continue_from,
        connections_per_origin,
        idle_per_origin,
        surplus_timeout,
        max_connections,
        idle_timeout,
        lifetime,
        requests_per_connection,
        fresh_after_idle,
        max_queue,
        pipeline_depth,
        overtaking,
        place_timeout,
    } = *policy;
    let (reserve, share) = match retry_budget {
        Some(Budget { reserve, share }) => (Some(reserve), Some(share)),
        None => (None, None),
    };
    let (failures, open) = match circuit {
        Some(Circuit { failures, open }) => (Some(failures), Some(open)),
        None => (None, None),
    };
    out.extend([
        ("dispatch.connect_timeout", connect_timeout.into()),
        ("dispatch.backoff.initial", initial.into()),
        ("dispatch.backoff.cap", cap.into()),
        ("dispatch.backoff.jitter", jitter.into()),
        ("dispatch.connect_retries", connect_retries.into()),
        ("dispatch.request_retries", request_retries.into()),
        ("dispatch.retry_budget.reserve", reserve.into()),
        ("dispatch.retry_budget.share", share.into()),
        ("dispatch.circuit.failures", failures.into()),
        ("dispatch.circuit.open", open.into()),
        ("dispatch.retry_after", retry_after.into()),
        ("dispatch.expect_continue_from", expect_continue_from.into()),
        ("dispatch.connections_per_origin", connections_per_origin.into()),
        ("dispatch.idle_per_origin", idle_per_origin.into()),
        ("dispatch.surplus_timeout", surplus_timeout.into()),
        ("dispatch.max_connections", max_connections.into()),
        ("dispatch.idle_timeout", idle_timeout.into()),
        ("dispatch.lifetime", lifetime.into()),
        ("dispatch.requests_per_connection", requests_per_connection.into()),
        ("dispatch.fresh_after_idle", fresh_after_idle.into()),
        ("dispatch.max_queue", max_queue.into()),
        ("dispatch.pipeline_depth", pipeline_depth.into()),
        ("dispatch.overtaking", u32::from(overtaking).into()),
        ("dispatch.place_timeout", place_timeout.into()),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn changed(config: &Config) -> Vec<alloc::string::String> {
        config.differences().map(|difference| difference.to_string()).collect()
    }

    #[test]
    fn the_presets_differ_in_exactly_this() {
        assert_eq!(changed(&Config::strict()), ["leniency.allow_browser_target: off (default on)"]);
        assert_eq!(
            changed(&Config::client()),
            [
                "timeouts.content: 300s (default 30s)",
                "timeouts.content_rate: 0 (default 240)",
                "limits.field_line: 262144 (default 16384)",
                "limits.head: 262144 (default 65536)",
                "limits.fields: 512 (default 128)",
                "limits.interim_responses: 100 (default 16)",
            ]
        );
        assert_eq!(
            changed(&Config::interop()),
            [
                "leniency.allow_bare_lf: on (default off)",
                "leniency.allow_obs_fold: on (default off)",
                "leniency.allow_space_before_colon_in_responses: on (default off)",
                "leniency.allow_transfer_encoding_with_length: on (default off)",
                "leniency.allow_repeated_content_length: on (default off)",
                "leniency.allow_lax_target: on (default off)",
                "leniency.allow_chunk_line_padding: on (default off)",
                "leniency.allow_trailing_space_in_request_line: on (default off)",
            ]
        );
        assert_eq!(
            changed(&Config::evhttp()),
            [
                "timeouts.head: 50s (default 30s)",
                "timeouts.content: 50s (default 30s)",
                "timeouts.content_rate: 0 (default 240)",
                "timeouts.idle: 50s (default 75s)",
                "leniency.allow_bare_lf: on (default off)",
                "leniency.allow_obs_fold: on (default off)",
                "leniency.allow_space_before_colon: on (default off)",
                "leniency.allow_missing_host: on (default off)",
                "leniency.allow_lax_target: on (default off)",
                "leniency.allow_trailing_space_in_request_line: on (default off)",
                "dispatch.connect_timeout: 45s (default 10s)",
                "dispatch.backoff.jitter: 0 (default 200)",
                "dispatch.request_retries: 0 (default 3)",
                "dispatch.retry_budget.reserve: none (default 100)",
                "dispatch.retry_budget.share: none (default 200)",
                "dispatch.connections_per_origin: 1 (default 256)",
                "dispatch.idle_per_origin: 1 (default 32)",
                "dispatch.max_connections: unlimited (default 256)",
                "dispatch.idle_timeout: 50s (default 90s)",
                "dispatch.fresh_after_idle: none (default 1s)",
                "dispatch.max_queue: unlimited (default 100000)",
                "dispatch.place_timeout: none (default 30s)",
            ]
        );
    }

    #[test]
    fn names_are_unique() {
        let config = Config::default();
        let names: alloc::collections::BTreeSet<_> = config.settings().map(|(name, _)| name).collect();
        assert_eq!(names.len(), config.settings().count());
    }
}
