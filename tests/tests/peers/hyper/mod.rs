//! hyper's tests of its server and client, its unit tests, and the bugs that it has fixed.

mod client;
mod client_sockets;
mod fixed;
mod server;
mod server_sockets;
mod units;
