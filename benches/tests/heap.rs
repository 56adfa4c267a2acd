//! What exchanges and idle connections take from the heap. In a process of their own, so that nothing else counts.

use benches::case::{Case, Engine};
use benches::heap::{self, Counting};
use http_core::Config;

#[global_allocator]
static HEAP: Counting = Counting;

fn allocations(case: Case, exchanges: u64) -> u64 {
    let before = heap::counts().allocations;
    case.run(Engine::Ours, exchanges);
    heap::counts().allocations - before
}

#[test]
fn a_get_allocates_nothing_when_heads_are_recycled() {
    for case in
        [Case::Get6, Case::Get6New, Case::Browser, Case::BrowserVary, Case::BrowserNew, Case::Pipelined16, Case::Drip]
    {
        assert_eq!(allocations(case, 320) - allocations(case, 16), 0, "{}", case.name());
    }
}

#[test]
fn a_client_allocates_a_small_answers_content_alone() {
    assert_eq!(allocations(Case::Client, 110) - allocations(Case::Client, 10), 100);
}

#[test]
fn an_idle_connection_holds_nothing_on_the_heap() {
    let config = Config::default().into();
    let before = heap::counts().held;
    let server = benches::idle_server(&config);
    assert_eq!(heap::counts().held - before, 0, "{server:?}");
    let client = benches::idle_client(&config);
    assert_eq!(heap::counts().held - before, 0, "{client:?}");
}
