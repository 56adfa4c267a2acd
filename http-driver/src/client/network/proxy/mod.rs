//! Proxies: by which one an origin is reached, and how they are asked for the way. Feature `proxy`.

mod bypass;
mod proxies;
mod socks;
mod tunnel;
mod url;

pub use bypass::Bypass;
pub use proxies::Proxies;
pub(super) use socks::{Place, connected};
pub(super) use tunnel::tunnel;
pub(super) use url::Kind;
pub use url::{BadProxy, Proxy};
