//! A connection that speaks another protocol now: after an upgrade, or through `CONNECT`.

mod line;
#[cfg(feature = "hyper-compat")]
mod on_upgrade;
mod promise;
mod stream;
mod upgrade;

pub(crate) use line::Line;
pub(crate) use promise::Promise;
pub use stream::Tunnel;
pub use upgrade::Upgrade;
