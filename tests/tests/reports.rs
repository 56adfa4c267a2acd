//! What was reported of clients in public, by number, and the tests that hold it. C1 to C39 are single reports, each
//! with the smallest input that showed it; K1 to K18 are the kinds that they and their siblings are of. Each test
//! that is named here exists.

use std::fs;
use std::path::Path;

/// Where a report is held: a file below the root, and a function in it.
type Tests = &'static [(&'static str, &'static str)];

const NETWORKS: &str = "tests/tests/adapters/networks.rs";
const ERRORS: &str = "tests/tests/adapters/errors.rs";
const DEFAULTS: &str = "tests/tests/adapters/defaults.rs";
const REPORTED: &str = "tests/tests/adapters/reported.rs";
const CALLERS: &str = "tests/tests/adapters/callers.rs";
const RUNTIMES: &str = "tests/tests/adapters/runtimes.rs";
const FOREVER: &str = "tests/tests/adapters/forever.rs";
const REPEAT: &str = "http-core/src/dispatch/tests/repeat.rs";
const POOL: &str = "http-core/src/dispatch/tests/pool.rs";
const FAIRNESS: &str = "http-core/src/dispatch/tests/fairness.rs";
const PRESSURE: &str = "tests/tests/turns/pressure.rs";
const IDLING: &str = "tests/tests/turns/idling.rs";

/// What it is about, and where it is held.
const REPORTS: [(&str, Tests); 39] = [
    (
        "C1: content that is not read is bounded",
        &[(PRESSURE, "c1_a_client_takes_no_more_than_is_wanted"), (PRESSURE_ON_SOCKETS, C1_ON_SOCKETS)],
    ),
    (
        "C2: a client in a static goes from runtime to runtime",
        &[
            (RUNTIMES, "a_client_in_a_static_goes_through_ten_runtimes"),
            (RUNTIMES, "the_other_runtime_lives_and_is_not_turned"),
        ],
    ),
    (
        "C3: a runtime goes with requests open",
        &[
            (RUNTIMES, "the_runtime_is_dropped_with_a_request_open"),
            (RUNTIMES, "the_runtime_is_dropped_with_the_response_half_read"),
            (RUNTIMES, "the_runtime_is_dropped_while_a_connection_is_made"),
            (RUNTIMES, "without_a_runtime_there_is_an_error"),
        ],
    ),
    ("C4: a cut tells what was sent", &[(REPORTED, "c4_a_cut_tells_what_was_sent")]),
    (
        "C5: a connection with unsent content is not idle",
        &[(REPORTED, "c5_a_connection_with_unsent_content_is_not_idle")],
    ),
    ("C6: content that was not begun goes on another", &[(REPEAT, "a_post_of_which_nothing_was_sent_is_sent_again")]),
    ("C7: no rate is asked of responses", &[(DEFAULTS, "c7_content_may_drip_unless_a_rate_is_asked")]),
    (
        "C8: a refused connection fails at once",
        &[(REPORTED, "c8_a_refused_connection_fails_at_once"), (ERRORS, "refused")],
    ),
    ("C9: slow is not lost", &[(REPEAT, "what_was_sent_and_not_answered_in_time_is_not_sent_again")]),
    (
        "C10: what is short and held keeps no connection",
        &[(CALLERS, "small_responses_that_are_held_keep_no_connection")],
    ),
    (
        "C11: no free port is no end",
        &[("http-driver/src/client/connect_error.rs", "what_passes_by_waiting_is_tried_again")],
    ),
    ("C12: the most hopeful cause decides", &[(ERRORS, "the_most_hopeful_of_several_causes_decides")]),
    ("C13: not found alone is final", &[("http-driver/src/client/network/resolve.rs", "not_found_alone_is_final")]),
    ("C14: a query without a path", &[(NETWORKS, "c14_c25_uris_that_are_rarely_seen")]),
    ("C15: Unix sockets go before proxies", &[(NETWORKS, "c15_a_unix_socket_goes_before_proxies")]),
    (
        "C16: what the environment says is used or refused",
        &[("http-driver/src/client/network/proxy/proxies.rs", "the_environments_proxies")],
    ),
    ("C17: ports that do not parse", &[(NETWORKS, "c17_c35_what_names_no_origin_is_refused_and_nothing_tried")]),
    (
        "C18: errors have a cause, and time-outs a phase",
        &[
            (ERRORS, "a_proxy_refuses"),
            (ERRORS, "a_bad_certificate"),
            (ERRORS, "c18_a_timeout_says_what_was_being_done"),
        ],
    ),
    ("C19: an error shows no secret", &[(ERRORS, "check")]),
    (
        "C20: a busy origin does not hide another",
        &[(FAIRNESS, "a_busy_origin_does_not_hide_another_one"), (FAIRNESS, "two_busy_origins_and_a_third_take_turns")],
    ),
    (
        "C21: what needs a new connection may go on one that has answered",
        &[(REPEAT, "what_needs_a_new_connection_may_go_on_one_that_has_answered_since")],
    ),
    (
        "C22: the longest time is for ever",
        &[(FOREVER, "c22_every_time_may_be_for_ever"), (FOREVER, "c22_no_time_is_left_out")],
    ),
    ("C23: a sized body with trailers", &[(REPORTED, "c23_a_sized_body_with_trailers_has_one_meaning")]),
    ("C24: a wrong length is the body's error", &[(ERRORS, "its_body_fails")]),
    ("C25: zones of addresses", &[(NETWORKS, "c14_c25_uris_that_are_rarely_seen")]),
    (
        "C26: what is reached without a proxy",
        &[("http-driver/src/client/network/proxy/bypass.rs", "what_is_reached_without_a_proxy")],
    ),
    ("C27: a proxy's answer", &[("tests/tests/adapters/proxies.rs", "c27_a_proxys_answer_is_read_as_configured")]),
    (
        "C28: interim responses",
        &[
            (DEFAULTS, "c28_a_hundred_interim_responses_may_come"),
            (DEFAULTS, "c28_interim_responses_do_not_extend_the_request"),
        ],
    ),
    ("C29: one deadline of idle connections", &[(IDLING, "c29_idle_connections_of_a_client_have_one_deadline")]),
    (
        "C30: a response that is dropped ends at once",
        &[(CALLERS, "a_response_without_end_that_is_dropped_ends_its_connection")],
    ),
    (
        "C31: a busy connection is no hope",
        &[
            (POOL, "while_another_connection_is_busy_exhaustion_fails_what_waits"),
            (POOL, "while_another_connection_answers_exhaustion_fails_only_what_needs_a_new_one"),
        ],
    ),
    ("C32: heads of responses", &[(DEFAULTS, "c32_a_response_may_have_a_large_head")]),
    ("C33: CRLF too many", &[(REPORTED, "c33_crlf_too_many_keeps_the_connection")]),
    ("C34: Retry-After", &[(REPORTED, "c34_what_is_asked_again_goes_on_the_same_connection")]),
    ("C35: other schemes", &[(NETWORKS, "c17_c35_what_names_no_origin_is_refused_and_nothing_tried")]),
    (
        "C36: a length that is not the content's",
        &[(REPORTED, "c36_a_length_that_is_not_the_contents_is_refused_before")],
    ),
    ("C37: 101 that names no protocol", &[("tests/tests/upgrade.rs", "c37_a_switch_names_what_it_switches_to")]),
    ("C38: what has come frees its connection", &[(REPORTED, "c38_what_has_come_frees_its_connection")]),
    (
        "C39: a mute connection is no dead origin",
        &[(REPEAT, "a_connection_that_ends_unanswered_beside_answers_is_no_failure_of_its_origin")],
    ),
];

const PRESSURE_ON_SOCKETS: &str = "tests/tests/adapters/pressure.rs";
const C1_ON_SOCKETS: &str = "c1_a_response_that_is_not_read_waits";

/// Each kind, and a test of its siblings, on either side.
const KINDS: [(&str, &str, &str); 18] = [
    ("K1: content has back-pressure", PRESSURE, "s1_s2_a_server_takes_no_more_than_is_wanted"),
    (
        "K2: who is busy yields",
        "tests/tests/turns/fairness.rs",
        "s3_who_yielded_does_nothing_before_others_had_their_turn",
    ),
    ("K3: harmless surplus", "tests/tests/adapters/surplus.rs", "s4_no_content_has_no_length"),
    ("K4: who fails waits for nothing", "tests/tests/adapters/leaving.rs", "s7_finish_returns_after_a_failed_write"),
    ("K5: no outcome hangs on a task", RUNTIMES, "a_client_in_a_static_goes_through_ten_runtimes"),
    ("K6: what was sent is known", REPORTED, "c4_a_cut_tells_what_was_sent"),
    ("K7: a client's defaults", "http-driver/src/client/builder.rs", "the_defaults_are_as_documented"),
    ("K8: what goes wrong is told", ERRORS, "c18_a_timeout_says_what_was_being_done"),
    ("K9: queued is not sent", REPEAT, "a_post_of_which_nothing_was_sent_is_sent_again"),
    ("K10: no single word is final", "http-driver/src/client/connect_error.rs", "there_is_more_hope_in_what_passes"),
    (
        "K11: what cannot be read is refused",
        "http-driver/src/client/network/proxy/proxies.rs",
        "the_environments_proxies",
    ),
    ("K12: nobody starves", FAIRNESS, "a_low_priority_is_passed_over_sixteen_times_and_no_more"),
    (
        "K13: nothing behind a refusal",
        "tests/tests/adapters/endings.rs",
        "s9_nothing_behind_a_refused_tunnel_is_served",
    ),
    ("K14: the longest time", FOREVER, "c22_timers_take_every_instant"),
    ("K15: a body has one meaning", REPORTED, "c23_a_sized_body_with_trailers_has_one_meaning"),
    ("K16: what is forwarded may be sent", "tests/tests/proxy.rs", "s19_whatever_request_is_read_goes_on"),
    ("K17: a drop is noticed", CALLERS, "a_response_without_end_that_is_dropped_ends_its_connection"),
    ("K18: no wake-up is lost", "tests/tests/turns/wakes.rs", "s27_a_handler_that_loops_on_chunked_content"),
];

/// Whether a function stands in a file.
fn exists(file: &str, function: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
    [format!("fn {function}("), format!("fn {function}<")].iter().any(|start| text.contains(start))
}

#[test]
fn each_report_has_its_tests() {
    for (number, (about, tests)) in (1..).zip(&REPORTS) {
        assert!(about.starts_with(&format!("C{number}: ")), "{about} is in the place of C{number}");
        assert!(!tests.is_empty(), "{about}");
        tests.iter().for_each(|(file, function)| assert!(exists(file, function), "{about}: {file} {function}"));
    }
}

#[test]
fn each_kind_has_a_test() {
    for (number, (about, file, function)) in (1..).zip(&KINDS) {
        assert!(about.starts_with(&format!("K{number}: ")), "{about} is in the place of K{number}");
        assert!(exists(file, function), "{about}: {file} {function}");
    }
}
