//! What applications do to their own requests.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body::Body;
use http_driver::Incoming;

use crate::random::Random;
use crate::sockets::world::World;

/// When an application changes its mind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whim {
    /// Never.
    None,
    /// After so many polls, wherever that is.
    Polls(u64),
    /// After so long.
    Time(Duration),
    /// It reads so many pieces of the content.
    Pieces(u64),
}

impl Whim {
    /// One in four changes its mind.
    pub(crate) fn of(random: &mut Random) -> Self {
        match random.below(12) {
            0 => Self::Polls(random.below(6)),
            1 => Self::Time(Duration::from_micros(random.below(20_000))),
            2 => Self::Pieces(random.below(3)),
            _ => Self::None,
        }
    }

    /// The outcome of a request, unless it is dropped before.
    pub(crate) async fn outcome<W: World, F: Future>(self, world: &W, request: F) -> Option<F::Output> {
        match self {
            Self::None | Self::Pieces(_) => Some(request.await),
            Self::Polls(mut left) => {
                let mut request = pin!(request);
                poll_fn(|cx| {
                    if left == 0 {
                        return Poll::Ready(None);
                    }
                    left -= 1;
                    match request.as_mut().poll(cx) {
                        Poll::Pending if left > 0 => Poll::Pending,
                        Poll::Pending => Poll::Ready(None),
                        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                    }
                })
                .await
            }
            Self::Time(time) => match select(pin!(request), pin!(world.sleep(time))).await {
                Either::Left((outcome, _)) => Some(outcome),
                Either::Right(_) => None,
            },
        }
    }

    /// The content, unless it is dropped before its end.
    pub(crate) async fn content(self, mut body: Incoming) -> Option<Result<Vec<u8>, http_driver::Error>> {
        let most = if let Self::Pieces(most) = self { most } else { u64::MAX };
        let (mut content, mut read) = (Vec::new(), 0);
        while read < most {
            match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                None => return Some(Ok(content)),
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(frame)) => content.extend_from_slice(&frame.into_data().unwrap_or_else(|_| Bytes::new())),
            }
            read += 1;
        }
        None
    }
}
