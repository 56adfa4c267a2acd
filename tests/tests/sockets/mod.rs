//! What tests over real sockets share: both runtimes, strangers, servers, clients, certificates.
// Each program takes a part of it.
#![allow(dead_code)]

pub(crate) mod bodies;
pub(crate) mod clients;
#[path = "../../../examples/shared/on_async_std.rs"]
pub(crate) mod on_async_std;
#[path = "../../../examples/shared/on_tokio.rs"]
pub(crate) mod on_tokio;
pub(crate) mod paths;
#[path = "../../../examples/shared/routes.rs"]
pub(crate) mod routes;
pub(crate) mod servers;
pub(crate) mod site;
pub(crate) mod strangers;
#[path = "../../../examples/shared/world.rs"]
pub(crate) mod world;

use http_tokio as engine;
use std::time::{Duration, Instant};

use strangers::AT_ONCE;
use world::World;

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Waits until something is so.
pub(crate) async fn eventually<W: World>(world: &W, what: &str, is_so: impl Fn() -> bool) {
    within(world, AT_ONCE, what, is_so).await;
}

/// Waits so long at most until something is so.
pub(crate) async fn within<W: World>(world: &W, most: Duration, what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < most, "{what}: not in time");
        world.sleep(Duration::from_millis(2)).await;
    }
}

/// Runs each of a room's scenarios on tokio and on async-std.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod tokio_ {
            $(
                #[test]
                fn $name() {
                    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                    runtime.block_on(super::$name(crate::sockets::on_tokio::Tokio)).unwrap();
                }
            )*
        }

        mod async_std_ {
            $(
                #[test]
                fn $name() {
                    async_std::task::block_on(super::$name(crate::sockets::on_async_std::AsyncStd)).unwrap();
                }
            )*
        }
    };
}
