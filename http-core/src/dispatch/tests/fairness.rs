//! Nobody waits behind others without end: no origin, no priority, no request that needs a new connection.

use super::*;

/// Answers whatever is assigned, `rounds` times, while `more` sees to it that there is always another request.
fn keep_busy(
    w: &mut World,
    rounds: usize,
    mut more: impl FnMut(&mut World),
    until: impl Fn(RequestId) -> bool,
) -> bool {
    let mut on: Vec<(RequestId, ConnectionId)> = Vec::new();
    for _ in 0..rounds {
        more(w);
        for action in w.actions() {
            match action {
                Action::Connect { connection, .. } => w.d.handle_connected(connection, w.now),
                Action::Assign { request, connection } => on.push((request, connection)),
                Action::Close { .. } => {}
                Action::Fail { failure, .. } => panic!("{failure}"),
            }
        }
        if on.iter().any(|(request, _)| until(*request)) {
            return true;
        }
        if !on.is_empty() {
            let (request, connection) = on.remove(0);
            w.serve(request, connection);
        }
    }
    false
}

/// Limits in all below, at and above those of one origin.
fn limits() -> impl Iterator<Item = Policy> {
    [(1, 1), (2, 1), (3, 2), (2, 2), (1, 2)]
        .into_iter()
        .map(|(each, all)| steady().fresh_after_idle(SECOND).connections_per_origin(each).max_connections(all))
}

/// HTTPCORE-593: the busy origin wants more than there may be in all, and so is in line itself, before the other.
#[test]
fn a_busy_origin_does_not_hide_another_one() {
    for policy in limits() {
        let mut w = World::new(policy);
        let busy = w.origin;
        for _ in 0..8 {
            w.get();
        }
        let other = w.d.add_origin();
        let waits = w.job(Job::new(other));
        let more = |w: &mut World| {
            w.job(Job::new(busy));
        };
        assert!(keep_busy(&mut w, 40, more, |request| request == waits), "{policy:?}");
    }
}

#[test]
fn two_busy_origins_and_a_third_take_turns() {
    for policy in limits() {
        let mut w = World::new(policy);
        let others = [w.origin, w.d.add_origin()];
        for origin in others {
            w.job(Job::new(origin));
            w.job(Job::new(origin));
        }
        let third = w.d.add_origin();
        let waits = w.job(Job::new(third));
        let more = |w: &mut World| {
            for origin in others {
                w.job(Job::new(origin));
            }
        };
        assert!(keep_busy(&mut w, 60, more, |request| request == waits), "{policy:?}");
    }
}

#[test]
fn a_request_that_needs_a_new_connection_is_not_overtaken_without_end() {
    for policy in limits() {
        for priority in [128, 0] {
            let mut w = World::new(policy);
            let origin = w.origin;
            w.warm();
            w.get();
            let waits = w.job(Job::new(origin).fresh(true).priority(priority));
            let more = |w: &mut World| {
                w.job(Job::new(origin));
            };
            assert!(keep_busy(&mut w, 60, more, |request| request == waits), "{policy:?} {priority}");
        }
    }
}

#[test]
fn a_low_priority_is_passed_over_sixteen_times_and_no_more() {
    let mut w = World::new(steady().connections_per_origin(1));
    let low = w.job(Job::new(w.origin).priority(0));
    let connection = w.connect();
    for _ in 0..40 {
        w.get();
    }
    w.d.handle_connected(connection, w.now);
    let mut order = Vec::new();
    for _ in 0..40 {
        let (request, _) = w.assigned();
        order.push(request);
        w.serve(request, connection);
    }
    assert_eq!(order.iter().position(|request| *request == low), Some(16));
    // Then the count begins anew: nobody who waits came before the others.
    assert!(order.iter().skip(17).zip(order.iter().skip(18)).all(|(one, next)| one < next));
}

#[test]
fn an_origin_of_low_priority_is_passed_over_a_few_times_and_no_more() {
    let mut w = World::new(steady().max_connections(1));
    let busy = w.origin;
    w.get();
    let other = w.d.add_origin();
    let waits = w.job(Job::new(other).priority(0));
    let mut served = 0;
    let more = |w: &mut World| {
        served += 1;
        w.job(Job::new(busy));
    };
    assert!(keep_busy(&mut w, 60, more, |request| request == waits));
    assert!((16..=20).contains(&served), "{served}");
}
