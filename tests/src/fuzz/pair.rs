//! A client and a server that talk as the bytes choose, over a network that the bytes choose.

use http_core::{Config, End, Reason};

use crate::cut::Cut;
use crate::outcome::Outcome;
use crate::pair::{Setup, run};
use crate::pipe::Break;
use crate::script::{Exchange, Order, Script};
use crate::source::Source;

/// A script and a network: what was seen is what was said, and whatever breaks, both come to an end.
///
/// # Panics
/// If a promise does not hold.
pub fn pair(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let setup = choose_setup(&mut source);
    let script = Script::choose(&mut source);
    let outcome = run(&script, &setup);
    outcome.check(&script, &setup);
    if setup.is_harmed() {
        return;
    }
    // An answer to an expectation that cannot be met comes early, and is the last one.
    let early = |exchange: &Exchange| {
        exchange.request.fields().get("expect").is_some_and(|expect| expect != b"100-continue")
            && exchange.upload.content().length() != Some(0)
    };
    let patient = script.exchanges.iter().all(|exchange| exchange.order == Order::ReadThenAnswer && !early(exchange));
    // A client need not send the rest of a request that was refused.
    let withheld = !patient && outcome.server.error == Some(Reason::Truncated);
    assert_eq!(outcome.client.error, None, "the server broke no rule");
    assert!(outcome.server.error.is_none() || withheld, "the client broke no rule: {:?}", outcome.server.error);
    if patient {
        // An early answer may end the exchange sooner or later; without one, cutting changes nothing.
        let whole = Setup { up: Cut::Whole, down: Cut::Whole, ..setup };
        assert_eq!(told(outcome.clone()), told(run(&script, &whole)));
        let complete = outcome.responses.iter().filter(|seen| seen.complete).count();
        assert_eq!(complete, expected(&script), "the connection ended early");
    }
}

fn choose_setup(source: &mut Source<'_>) -> Setup {
    let cut = |source: &mut Source<'_>| match source.byte() {
        0 => Cut::Whole,
        1 => Cut::Bytes,
        seed => Cut::Random(u64::from(seed)),
    };
    let mut setup = Setup { up: cut(source), down: cut(source), ..Setup::default() };
    let mut server = Config::default();
    if source.one_in(3) {
        server.limits.drain = source.below(3000) as u64;
        server.limits.send_buffer = 1 + source.below(3000);
        server.limits.read_ahead = 1 + source.below(3000);
    }
    setup.server = server.into();
    setup = setup.pipelining(1 + source.below(4));
    if source.one_in(2) {
        let at = source.below(2000) as u64;
        let fault = source.pick(&[
            Break::End(at, End::Clean),
            Break::End(at, End::Unclean),
            Break::Write(at),
            Break::Stall(at),
        ]);
        if source.one_in(2) {
            setup.up_breaks = Some(fault)
        } else {
            setup.down_breaks = Some(fault)
        }
        setup.together = source.one_in(2);
    }
    setup
}

/// What does not depend on time: a request may or may not be on its way when a response ends the connection.
fn told(mut outcome: Outcome) -> Outcome {
    outcome.carried = (0, 0);
    let answered = outcome.begun - outcome.unanswered.len();
    outcome.unanswered.clear();
    outcome.uploaded.retain(|&number| number < answered);
    outcome.begun = answered;
    outcome
}

/// How many exchanges a connection lasts for, as its messages say.
fn expected(script: &Script) -> usize {
    let last = script.exchanges.iter().position(|exchange| {
        let says =
            |fields: &http_core::Fields, option: &[u8]| fields.get_all("connection").any(|value| value == option);
        let old = exchange.request.minor_version() == 0;
        let kept = !old || says(exchange.request.fields(), b"keep-alive");
        let endless = old && exchange.download.content().length().is_none() && !exchange.answers_without_content();
        let closed = says(exchange.request.fields(), b"close") || says(exchange.response.fields(), b"close");
        // A tunnel that is refused ends the connection as well (RFC 9931 §8).
        let connect = exchange.request.method() == http_core::Method::Connect;
        !kept || endless || closed || exchange.switches() || connect
    });
    last.map_or(script.exchanges.len(), |last| last + 1)
}
