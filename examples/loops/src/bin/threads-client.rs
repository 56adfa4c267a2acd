//! A client whose connections are threads, and whose brain is the dispatcher: `threads-client ADDRESS PATH...`.
//!
//! What is queued, retried, backed off from and given up is decided by the dispatcher; a thread carries one request
//! after the other on its connection, and tells how that went.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{env, thread};

use http_core::client::{Connection, Readiness};
use http_core::dispatch::{
    Action, ConnectCause, ConnectionId, Delivery, Dispatcher, Job, LostCause, Policy, Progress, RequestId,
};
use http_core::{Config, Method, RequestHead};
use loops::{Clock, blocking};

/// What a thread has to say to the dispatcher.
type Told = Box<dyn FnOnce(&mut Dispatcher, &Clock) + Send>;
type Assigned = (RequestId, RequestHead);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = env::args().skip(1);
    let address: SocketAddr = words.next().ok_or("threads-client ADDRESS PATH...")?.parse()?;
    let (clock, mut requests, mut threads) = (Clock::start(), HashMap::new(), HashMap::new());
    let mut dispatcher = Dispatcher::new(Policy::default().connections_per_origin(4));
    let origin = dispatcher.add_origin();
    for path in words {
        let head = RequestHead::new(Method::Get, &path)?.with("Host", address.to_string())?;
        requests.insert(dispatcher.enqueue(Job::new(origin), clock.now())?, (path, head));
    }
    let (tell, told) = channel::<Told>();
    while dispatcher.queued() + dispatcher.in_flight() > 0 {
        while let Some(action) = dispatcher.poll_action() {
            match action {
                Action::Connect { connection, .. } => {
                    let (assign, assigned) = channel();
                    threads.insert(connection, assign);
                    let tell = tell.clone();
                    thread::spawn(move || carry(connection, address, assigned, tell, clock));
                }
                Action::Assign { request, connection } => {
                    // Whether its thread is still there, that thread tells.
                    let _ = threads[&connection].send((request, requests[&request].1.clone()));
                }
                Action::Fail { request, failure } => println!("{}: {failure}", requests[&request].0),
                Action::Close { connection, .. } => drop(threads.remove(&connection)),
                _ => {}
            }
        }
        match told.recv_timeout(clock.until(dispatcher.poll_timeout()).unwrap_or(Duration::from_secs(1))) {
            Ok(told) => told(&mut dispatcher, &clock),
            Err(_) => dispatcher.handle_timeout(clock.now()),
        }
    }
    Ok(())
}

/// Carries requests on one connection until it ends, or is wanted no more.
fn carry(id: ConnectionId, address: SocketAddr, assigned: Receiver<Assigned>, tell: Sender<Told>, clock: Clock) {
    let tell = |told: Told| drop(tell.send(told));
    let mut socket = match TcpStream::connect(address) {
        Ok(socket) => socket,
        Err(error) => {
            let refused = error.kind() == ErrorKind::ConnectionRefused;
            let cause = if refused { ConnectCause::Refused } else { ConnectCause::Unreachable };
            return tell(Box::new(move |brain, clock| brain.handle_connect_failed(id, cause, clock.now())));
        }
    };
    tell(Box::new(move |brain, clock| brain.handle_connected(id, clock.now())));
    let mut connection = Connection::new(Config::client().into(), clock.now());
    for (request, head) in assigned {
        match blocking::exchange(&mut socket, &mut connection, &head, &clock) {
            Ok((status, length)) => {
                let is_ready = connection.readiness() == Readiness::Idle;
                let path = String::from_utf8_lossy(head.target()).into_owned();
                tell(Box::new(move |brain, clock| {
                    brain.handle_response_started(id, clock.now());
                    if brain.handle_response(request, status, clock.now()) == Delivery::Deliver {
                        println!("{path}: {status}, {length} bytes");
                    }
                    brain.handle_finished(request, clock.now());
                    match is_ready {
                        true => brain.handle_ready(id, clock.now()),
                        false => brain.handle_lost(id, LostCause::Last, &[], clock.now()),
                    }
                }));
            }
            Err(closed) => {
                let reached =
                    connection.unanswered().next().map(|it| Progress { sent: it.sent, received: it.received });
                let (lost, reached) = (closed.into(), [(request, reached.unwrap_or(Progress::NOTHING))]);
                return tell(Box::new(move |brain, clock| brain.handle_lost(id, lost, &reached, clock.now())));
            }
        }
    }
}
