//! Several addresses of one name (RFC 8305).

use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;

use crate::client::connect_error::{connect_cause, hope};
use crate::clock;
use crate::io::{Runtime, Timer};

/// The order of attempts: the families take turns, that of the first address first (RFC 8305 §4).
pub(super) fn order(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut ordered = Vec::with_capacity(one.len() + other.len());
    one.reverse();
    other.reverse();
    while let (Some(address), rest) = (one.pop(), &mut other) {
        ordered.push(address);
        ordered.extend(rest.pop());
    }
    other.reverse();
    ordered.extend(other);
    ordered
}

/// The first that succeeds. Another attempt joins when those before it have had `delay`, or have failed
/// (RFC 8305 §5). The error is the one that leaves the most hope, whenever it came; among equals, that of the address
/// that came first.
pub(super) async fn race<A, T, F, R>(
    addresses: Vec<A>,
    delay: Duration,
    runtime: &R,
    attempt: impl Fn(A) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
    R: Runtime,
{
    let mut waiting = addresses.into_iter().enumerate();
    let mut going = Vec::new();
    let mut timer: Option<R::Timer> = None;
    let mut failed: Option<(usize, io::Error)> = None;
    poll_fn(|cx| {
        loop {
            let mut due = timer.as_mut().is_none_or(|timer| timer.poll(cx).is_ready());
            let mut at = 0;
            while at < going.len() {
                let (number, one): &mut (usize, core::pin::Pin<Box<F>>) = &mut going[at];
                match one.as_mut().poll(cx) {
                    Poll::Ready(Ok(made)) => return Poll::Ready(Ok(made)),
                    Poll::Ready(Err(error)) => {
                        let worth = |number, error| (hope(connect_cause(error)), core::cmp::Reverse(number));
                        if failed.as_ref().is_none_or(|(at, known)| worth(*at, known) < worth(*number, &error)) {
                            failed = Some((*number, error));
                        }
                        due = true;
                        drop(going.swap_remove(at));
                    }
                    Poll::Pending => at += 1,
                }
            }
            let next = if due { waiting.next() } else { None };
            match next {
                Some((number, address)) => {
                    going.push((number, Box::pin(attempt(address))));
                    timer = Some(clock::timer(runtime, delay));
                }
                None if going.is_empty() => {
                    let nowhere = || io::Error::new(io::ErrorKind::InvalidInput, "no address was given");
                    return Poll::Ready(Err(failed.take().map_or_else(nowhere, |(_, error)| error)));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns_and_the_first_one_begins() {
        let parse = |text: &str| -> Vec<SocketAddr> {
            text.split_whitespace().map(|one| SocketAddr::new(one.parse().unwrap(), 1)).collect()
        };
        for (given, ordered) in [
            ("", ""),
            ("1.1.1.1 2.2.2.2", "1.1.1.1 2.2.2.2"),
            ("::1 ::2 1.1.1.1 2.2.2.2", "::1 1.1.1.1 ::2 2.2.2.2"),
            ("1.1.1.1 2.2.2.2 3.3.3.3 ::1", "1.1.1.1 ::1 2.2.2.2 3.3.3.3"),
            ("::1 1.1.1.1 2.2.2.2 3.3.3.3", "::1 1.1.1.1 2.2.2.2 3.3.3.3"),
        ] {
            assert_eq!(order(parse(given)), parse(ordered), "{given}");
        }
    }
}
