//! A client and a server joined in memory: every exchange, cut at every byte and broken at every byte.

use http_core::{Closed, End};
use tests::cut::Cut;
use tests::outcome::Outcome;
use tests::pair::{Setup, run};
use tests::pipe::Break;
use tests::script::{Announce, Body, Exchange, Order, Script};

/// A script by name.
type Named = (&'static str, usize, Script);

/// Every kind of exchange, and sequences of them; with how many requests may be in flight.
fn scripts() -> Vec<Named> {
    let get = || Exchange::new("GET", "/a").answered(200, Body::new(Announce::Full, &["Hello"]));
    let upload = |announce| Exchange::new("POST", "/u").upload(Body::new(announce, &["some ", "bytes"]));
    let chunked = Body::new(Announce::Streaming, &["some ", "more ", "bytes"]).trailer("X-Sum", "15");
    let expecting = |order| upload(Announce::Sized).with("Expect", "100-continue").order(order);
    let again = |exchange: Exchange| vec![exchange, get()];
    let mut scripts = vec![
        ("no content", 1, again(Exchange::new("DELETE", "/d").answered(204, Body::empty()))),
        ("length", 1, again(upload(Announce::Full).answered(200, Body::new(Announce::Sized, &["x", "yz"])))),
        ("chunked", 1, again(Exchange::new("PUT", "/c").upload(chunked.clone()).answered(200, chunked))),
        ("expect", 1, again(expecting(Order::ReadThenAnswer))),
        ("expect, answered at once", 1, again(expecting(Order::AnswerOnly).answered(413, Body::empty()))),
        ("expect, answered and then read", 1, again(expecting(Order::AnswerThenRead))),
        ("an unknown expectation", 1, again(upload(Announce::Full).with("Expect", "the-unexpected"))),
        ("an unknown expectation of nothing", 1, again(get().with("Expect", "the-unexpected"))),
        ("head", 1, again(Exchange::new("HEAD", "/h").answered(200, Body::new(Announce::Full, &["Hello"])))),
        ("interim", 1, again(get().interim(103, "Link", "</s>; rel=preload").interim(102, "X", "y"))),
        (
            "not modified",
            1,
            again(Exchange::new("GET", "/n").answered(304, Body::empty()).answer_with("ETag", "\"1\"")),
        ),
        ("until close", 1, vec![get().http10().answered(200, Body::new(Announce::Streaming, &["a", "bc"]))]),
        ("kept by 1.0", 1, again(get().http10().with("Connection", "keep-alive"))),
        ("close", 1, vec![get().with("Connection", "close")]),
        ("closed by the server", 2, vec![get().answer_with("Connection", "close"), get()]),
        (
            "upgrade",
            1,
            vec![get(), get().with("Upgrade", "echo").answered(101, Body::empty()).answer_with("Upgrade", "echo")],
        ),
        ("an upgrade that is not wanted", 1, again(get().with("Upgrade", "echo"))),
        ("connect", 1, vec![connect(200)]),
        ("connect, refused", 1, vec![connect(403), get()]),
        ("pipelined", 4, vec![get(), Exchange::new("HEAD", "/h"), get().interim(103, "X", "y"), get(), get()]),
    ];
    for order in Order::ALL {
        let name = ["read first", "both at once", "answer first", "answer only", "discard"][order as usize];
        scripts.push((name, 1, again(upload(Announce::Streaming).order(order))));
    }
    scripts.into_iter().map(|(name, most, exchanges)| (name, most, Script::new(exchanges))).collect()
}

fn connect(status: u16) -> Exchange {
    let mut exchange = Exchange::new("CONNECT", "example.com:443").answered(status, Body::empty());
    exchange.request.fields_mut().remove("host");
    exchange
}

/// What must not depend on how the wire is cut.
fn told(mut outcome: Outcome) -> Outcome {
    outcome.carried = (0, 0);
    outcome
}

#[test]
fn exchanges_are_told_alike_however_they_are_cut() {
    for (name, most, script) in scripts() {
        let setup = |up, down| Setup::cut(up, down).pipelining(most);
        let whole = run(&script, &setup(Cut::Whole, Cut::Whole));
        println!("{name}: {} and {} bytes", whole.carried.0, whole.carried.1);
        whole.check(&script, &setup(Cut::Whole, Cut::Whole));
        let (up, down) = whole.carried;
        let whole = told(whole);
        let ups = (1..up).map(|at| (Cut::At(at), Cut::Whole));
        let downs = (1..down).map(|at| (Cut::Whole, Cut::At(at)));
        let seeds = (0..100).map(|seed| (Cut::Random(seed), Cut::Random(!seed)));
        for (up, down) in ups.chain(downs).chain(seeds).chain([(Cut::Bytes, Cut::Bytes)]) {
            let cut = told(run(&script, &setup(up.clone(), down.clone())));
            assert_eq!(cut, whole, "{name}: cut {up:?} and {down:?}");
        }
    }
}

#[test]
fn every_exchange_of_an_unharmed_pair_is_complete() {
    for (name, most, script) in scripts() {
        let outcome = run(&script, &Setup::default().pipelining(most));
        let cut_short = [
            "closed by the server",
            "expect, answered at once",
            "expect, answered and then read",
            "an unknown expectation",
            "connect, refused",
        ];
        let expected = script.exchanges.len() - usize::from(cut_short.contains(&name));
        let complete = outcome.responses.iter().filter(|seen| seen.complete).count();
        assert_eq!(complete, expected, "{name}: {outcome:?}");
        assert_eq!((outcome.client.error, outcome.server.error), (None, None), "{name}");
    }
}

/// Every way to break at one byte.
fn breaks(at: usize, up: bool) -> impl Iterator<Item = Setup> {
    let at = at as u64;
    let faults = [
        (Break::End(at, End::Clean), false),
        (Break::End(at, End::Unclean), false),
        (Break::End(at, End::Clean), true),
        (Break::End(at, End::Unclean), true),
        (Break::Write(at), false),
        (Break::Write(at), true),
        (Break::Stall(at), false),
    ];
    faults.into_iter().map(move |(fault, together)| {
        let fault = Some(fault);
        let (up_breaks, down_breaks) = if up { (fault, None) } else { (None, fault) };
        Setup { up_breaks, down_breaks, together, ..Setup::default() }
    })
}

#[test]
fn a_pair_that_is_broken_at_any_byte_comes_to_an_end() {
    for (name, most, script) in scripts() {
        let (up, down) = run(&script, &Setup::default().pipelining(most)).carried;
        let setups = (0..=up).flat_map(|at| breaks(at, true)).chain((0..=down).flat_map(|at| breaks(at, false)));
        for setup in setups {
            for cut in [Cut::Whole, Cut::Bytes, Cut::Random(3)] {
                let setup = Setup { up: cut.clone(), down: cut, ..setup.clone() }.pipelining(most);
                let outcome = std::panic::catch_unwind(|| {
                    let outcome = run(&script, &setup);
                    outcome.check(&script, &setup);
                    outcome
                });
                let outcome = outcome.unwrap_or_else(|_| {
                    let Setup { up_breaks, down_breaks, together, .. } = &setup;
                    panic!("{name}: broken by {up_breaks:?}, {down_breaks:?}, together: {together}");
                });
                let unharmed = outcome.client.closed == Some(Closed::NotPersistent);
                let complete = outcome.responses.iter().filter(|seen| seen.complete).count();
                assert!(!unharmed || complete > 0, "{name}: {setup:?}: closed in peace, and nothing was complete");
            }
        }
    }
}
