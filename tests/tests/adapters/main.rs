//! Both adapters, held to the same behaviour over real sockets by one file.

mod clients;
mod endings;
mod networks;
#[path = "../../../examples/shared/on_async_std.rs"]
mod on_async_std;
#[path = "../../../examples/shared/on_tokio.rs"]
mod on_tokio;
mod reuse;
#[path = "../../../examples/shared/routes.rs"]
mod routes;
mod scenarios;
mod secured;
mod servers;
mod tunnels;
#[path = "../../../examples/shared/world.rs"]
mod world;

/// Runs each scenario on tokio and on async-std.
macro_rules! on_both {
    ($($room:ident::$name:ident)*) => {
        mod tokio_ {
            $(
                #[test]
                fn $name() {
                    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                    runtime.block_on(crate::$room::$name(crate::on_tokio::Tokio)).unwrap();
                }
            )*
        }

        mod async_std_ {
            $(
                #[test]
                fn $name() {
                    async_std::task::block_on(crate::$room::$name(crate::on_async_std::AsyncStd)).unwrap();
                }
            )*
        }
    };
}

on_both! {
    scenarios::requests_share_a_connection
    scenarios::pipelined_requests_are_answered_in_order
    scenarios::a_recorded_upload_replays_on_both_sides
    scenarios::large_content_goes_both_ways
    scenarios::a_server_killed_at_each_byte_is_never_taken_for_complete
    scenarios::a_client_killed_at_each_byte_harms_nobody_else
    scenarios::a_slow_head_is_answered_408
    scenarios::an_idle_connection_is_closed
    scenarios::services_send_interim_responses_and_trailers
    scenarios::a_handler_that_answers_before_it_reads_lets_the_client_go_on
    tunnels::a_service_hands_a_connection_over_with_what_was_read
    tunnels::a_hand_over_that_is_refused_leaves_a_connection
    tunnels::a_client_gets_a_tunnel
    tunnels::large_content_goes_both_ways_through_a_tunnel
    endings::the_end_of_a_connection_is_told_at_once
    endings::a_client_that_shut_down_its_side_is_answered
    endings::a_client_that_is_gone_drops_the_services_future
    endings::a_handler_is_told_of_its_clients_end_behind_unread_bytes
    endings::a_request_is_cancelled_at_its_clients_end_when_asked_for
    endings::content_that_is_cut_short_is_an_error
    endings::a_body_that_fails_is_not_taken_for_complete
    endings::a_failed_body_that_the_end_would_complete_is_reset
    endings::a_cut_response_that_the_end_would_complete_is_reset
    endings::a_panic_of_a_service_concerns_no_other_connection
    endings::an_exchange_that_answers_before_it_reads_lets_the_client_go_on
    endings::content_that_is_not_wanted_is_not_asked_for
    endings::a_connection_is_handed_over_with_what_was_read
    endings::a_writer_waits_for_a_slow_reader
    clients::a_client_is_a_tower_service
    clients::a_future_that_is_dropped_cancels_its_request
    clients::large_content_is_asked_for_and_417_repeated_without
    clients::an_origin_of_http_1_0_is_told_how_long_content_is
    secured::requests_are_secured
    secured::a_certificate_that_is_not_trusted_is_refused
    secured::certificates_are_reloaded
    secured::an_end_without_close_notify_is_no_end
    secured::a_handshake_that_does_not_come_is_given_up
    secured::a_proxy_is_asked_for_a_tunnel
    reuse::a_connection_that_is_dead_is_not_reused
    reuse::a_request_that_comes_while_its_connection_goes_is_sent_on_another
    networks::names_are_overridden_and_resolved
    networks::addresses_are_raced
    networks::sockets_are_bound_as_said
    networks::a_proxy_forwards_and_is_left_out_where_said
    networks::a_unix_socket_stands_for_a_name
    networks::a_request_ends_in_time_with_its_content
    networks::a_request_that_was_not_sent_is_given_back
    networks::interim_responses_are_told
    networks::origins_that_are_not_used_are_forgotten
    servers::a_shutdown_answers_what_is_open_and_ends
    servers::a_shutdown_cuts_what_takes_longer_than_its_drain_and_reports_it
    servers::only_a_trusted_proxy_tells_its_clients_address
    servers::slow_clients_hold_up_nobody
    servers::a_server_that_is_dropped_cuts_its_connections
    servers::connections_beyond_the_limit_wait
    servers::connections_beyond_the_limit_are_refused_when_asked_for
    servers::a_service_is_made_for_each_peer_or_it_is_turned_away
    servers::a_stream_that_was_accepted_elsewhere_is_served
    servers::a_handshake_that_is_slow_or_fails_holds_up_nobody
}
