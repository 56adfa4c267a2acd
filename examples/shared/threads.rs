//! Listeners of tokio on threads of their own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Serves on `threads` threads, each with a runtime and a listener of its own: connections stay on the core that
/// accepted them. `announce` is told the port once all of them listen.
pub(crate) fn serve_on<F: Future<Output = ()>>(
    threads: usize,
    port: u16,
    announce: impl FnOnce(u16),
    work: impl Fn(TcpListener) -> F + Clone + Send + 'static,
) {
    let (listener, port) = listen(port, threads > 1).expect("the port is free");
    let mut listeners = vec![listener];
    for _ in 1..threads {
        listeners.push(listen(port, true).expect("the port can be shared").0);
    }
    announce(port);
    let workers: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let work = work.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(async { work(TcpListener::from_std(listener).expect("a listener")).await });
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("a worker ends in order");
    }
}

fn listen(port: u16, shared: bool) -> io::Result<(std::net::TcpListener, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(shared)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    let listener = socket.listen(4096)?.into_std()?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}
