//! What a request may have for its content.

use bytes::Bytes;
use http_body::Body;

use crate::error::BoxError;
use crate::simple::Full;

/// What a request may have for its content: any [`Body`], or what is all there: `()`, `&'static str`, `&'static [u8]`,
/// `String`, `Vec<u8>`, [`Bytes`].
///
/// There is nothing to import or to name: `client.request(Request::get(uri).body(())?)`. The parameter is found by the
/// compiler, and tells the two kinds of content apart, since another crate may make a body of any of these some day.
/// One that has a body of its own implements [`Body`].
///
/// ```
/// use http_driver::client::IntoBody;
/// use http_driver::{Body, Full};
///
/// fn length<K>(content: impl IntoBody<K>) -> Option<u64> {
///     content.into_body().size_hint().exact()
/// }
/// assert_eq!((length(()), length("text"), length(vec![1, 2])), (Some(0), Some(4), Some(2)));
/// assert_eq!((length(String::from("text")), length(Full::from("text"))), (Some(4), Some(4)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the content of a request",
    note = "it has to be a `Body` of the `http-body` crate that is `Send` and `'static`, or one of `()`, \
            `&'static str`, `&'static [u8]`, `String`, `Vec<u8>` and `Bytes`"
)]
pub trait IntoBody<Kind> {
    /// What it becomes.
    type Body: Body<Data: Send, Error: Into<BoxError>> + Send + 'static;

    /// The body.
    fn into_body(self) -> Self::Body;
}

/// The kind of [`IntoBody`] that is a body as it stands.
#[derive(Debug)]
pub enum AsItIs {}

/// The kind of [`IntoBody`] that is all there.
#[derive(Debug)]
pub enum AllThere {}

impl<B> IntoBody<AsItIs> for B
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;

    fn into_body(self) -> B {
        self
    }
}

impl IntoBody<AllThere> for () {
    type Body = Full;

    fn into_body(self) -> Full {
        Full::default()
    }
}

// `String` is a `Body` by itself.
macro_rules! all_there {
    ($($content:ty)*) => {
        $(
            impl IntoBody<AllThere> for $content {
                type Body = Full;

                fn into_body(self) -> Full {
                    Full::from(self)
                }
            }
        )*
    };
}

all_there! { &'static str &'static [u8] Vec<u8> Bytes }
