//! The table by which the two messages of an exchange are coupled, to look at.

use crate::connection::exchange::{Next, Progress, Wanted, next};

/// One row of the table that decides what follows from how far request and response are: the only place where one half
/// of a connection influences the other (RFC 9112 §9.3, §9.6).
///
/// ```
/// use http_core::model::couplings;
/// let done = couplings().find(|row| row.request == "done" && row.response == "done" && row.persistent).unwrap();
/// assert_eq!(done.next, "next exchange");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Coupling {
    /// How far the request is: its head, its content, or done.
    pub request: &'static str,
    /// How far the response is.
    pub response: &'static str,
    /// Whether the application wants the content of the request that is still to come.
    pub wanted: &'static str,
    /// Whether both messages let the connection persist.
    pub persistent: bool,
    /// What follows.
    pub next: &'static str,
}

/// Every row of the table, as the function that decides gives it.
pub fn couplings() -> impl Iterator<Item = Coupling> {
    let progress = [(Progress::Head, "head"), (Progress::Content, "content"), (Progress::Done, "done")];
    let wanted = [(Wanted::NotYet, "not yet"), (Wanted::Yes, "yes"), (Wanted::No, "no")];
    progress.into_iter().flat_map(move |(request, request_name)| {
        progress.into_iter().flat_map(move |(response, response_name)| {
            wanted.into_iter().flat_map(move |(wanted, wanted_name)| {
                [true, false].into_iter().map(move |persistent| Coupling {
                    request: request_name,
                    response: response_name,
                    wanted: wanted_name,
                    persistent,
                    next: name(next(request, response, persistent, wanted)),
                })
            })
        })
    })
}

const fn name(next: Next) -> &'static str {
    match next {
        Next::Wait => "wait",
        Next::Drain => "drop the rest of the request",
        Next::Exchange => "next exchange",
        Next::Close => "close",
    }
}
