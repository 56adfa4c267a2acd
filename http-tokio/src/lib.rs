//! HTTP/1.1 servers and clients on tokio.

mod io;
mod runtime;

pub use io::TokioIo;
pub use runtime::{TokioRuntime, TokioTimer};
