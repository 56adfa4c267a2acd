//! What stands for spans without the feature `tracing`: nothing.

use core::fmt;
use std::net::SocketAddr;

use http::{Request, StatusCode, Uri};
use http_core::dispatch::{RequestPhase, Why};

use super::metrics::{ConnectionFacts, RequestEnd, RequestFacts, Role, Tone};
use crate::link::BoxTap;

/// No span.
#[derive(Clone, Debug)]
pub(crate) struct Span;

/// Nobody's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller;

impl Caller {
    #[inline(always)]
    pub(crate) const fn current() -> Self {
        Self
    }
}

impl Span {
    #[inline(always)]
    pub(crate) const fn none() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) const fn serves() -> bool {
        false
    }

    #[inline(always)]
    pub(crate) const fn of_connection(_: &ConnectionFacts, _: Option<u64>) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) const fn meets(&self, _: Option<SocketAddr>) {}

    #[inline(always)]
    pub(crate) const fn of_service<B>(
        _: &RequestFacts,
        _: &Request<B>,
        _: Option<SocketAddr>,
        _: u64,
        _: &Self,
    ) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn of_client(_: impl FnOnce() -> RequestFacts, _: &http::Method, _: &Uri, _: &Caller) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) const fn is_none(&self) -> bool {
        true
    }

    #[inline(always)]
    pub(crate) fn within<O>(&self, f: impl FnOnce() -> O) -> O {
        f()
    }

    #[inline(always)]
    pub(crate) const fn phases(&self, _: Role) -> Option<BoxTap> {
        None
    }

    #[inline(always)]
    pub(crate) const fn makes(&self, _: RequestPhase) {}

    #[inline(always)]
    pub(crate) fn tell(&self, _: Tone, _: &dyn fmt::Display, _: &str, _: Option<StatusCode>) {}

    #[inline(always)]
    pub(crate) const fn retried(&self, _: Why, _: u32) {}

    #[inline(always)]
    pub(crate) const fn ended(&self, _: Role, _: &RequestEnd<'_>) {}
}
