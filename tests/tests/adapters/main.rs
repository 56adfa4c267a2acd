//! Both adapters, held to the same behaviour over real sockets by one file.

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod callers;
mod clients;
mod contents;
mod defaults;
mod endings;
mod errors;
mod forever;
mod incidents;
mod leaving;
mod networks;
mod options;
mod pipelines;
mod pressure;
mod proxies;
mod reported;
mod reuse;
mod runtimes;
mod scenarios;
mod secured;
mod servers;
mod shutdowns;
mod surplus;
mod targets;
mod tunnels;
