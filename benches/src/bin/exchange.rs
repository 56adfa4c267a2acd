//! Makes exchanges, and prints nothing: what runs under `callgrind`.
//!
//! `exchange CASE ours|hyper COUNT`, or `exchange WORK COUNT` for the work of the dispatcher alone

use benches::case::{Case, Engine};
use benches::dispatch::Work;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [work, count] = &arguments[..] {
        let work = Work::named(work).unwrap_or_else(|| panic!("no work {work}"));
        return work.run(count.parse().expect("a count"));
    }
    let [case, engine, count] = &arguments[..] else { panic!("exchange CASE ours|hyper COUNT") };
    let engine = match engine.as_str() {
        "ours" => Engine::Ours,
        "hyper" => Engine::Hyper,
        _ => panic!("ours or hyper, not {engine}"),
    };
    let case = Case::named(case).unwrap_or_else(|| panic!("no case {case}"));
    case.run(engine, count.parse().expect("a count"));
}
