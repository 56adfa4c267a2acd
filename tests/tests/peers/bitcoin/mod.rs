//! What Bitcoin Core pinned of libevent before it left it.

mod memory;
mod sockets;
