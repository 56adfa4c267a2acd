//! Names.

use core::future::Future;
use core::pin::Pin;
use std::io;
use std::net::IpAddr;

use http_core::dispatch::ConnectCause;

/// What a [`Resolve`] returns.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names, in place of the system.
///
/// ```
/// use http_driver::client::{Resolve, Resolving};
///
/// /// Knows one name.
/// #[derive(Debug)]
/// struct One;
/// impl Resolve for One {
///     fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
///         Box::pin(async move {
///             match host {
///                 "one.example" => Ok(vec![[127, 0, 0, 1].into()]),
///                 _ => Err(std::io::ErrorKind::NotFound.into()),
///             }
///         })
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, in the order of preference.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such name; anything else may go better a little later.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The cause that an error of a resolver stands for. The system tells a name that does not exist from a resolver that
/// does not answer in words alone.
pub(super) fn cause(error: &io::Error) -> ConnectCause {
    match error.kind() {
        io::ErrorKind::NotFound => ConnectCause::NoSuchName,
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => ConnectCause::ResolveTemporary,
        _ if error.to_string().contains("emporary") => ConnectCause::ResolveTemporary,
        _ => ConnectCause::NoSuchName,
    }
}
