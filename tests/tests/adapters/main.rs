//! Both adapters, held to the same behaviour over real sockets by one file.

#[path = "../../../examples/shared/on_async_std.rs"]
mod on_async_std;
#[path = "../../../examples/shared/on_tokio.rs"]
mod on_tokio;
#[path = "../../../examples/shared/routes.rs"]
mod routes;
mod scenarios;
#[path = "../../../examples/shared/world.rs"]
mod world;

/// Runs each scenario on tokio and on async-std.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod tokio_ {
            $(
                #[test]
                fn $name() {
                    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                    runtime.block_on(crate::scenarios::$name(crate::on_tokio::Tokio)).unwrap();
                }
            )*
        }

        mod async_std_ {
            $(
                #[test]
                fn $name() {
                    async_std::task::block_on(crate::scenarios::$name(crate::on_async_std::AsyncStd)).unwrap();
                }
            )*
        }
    };
}

on_both! {
    requests_share_a_connection
    pipelined_requests_are_answered_in_order
    a_recorded_upload_replays_on_both_sides
    large_content_goes_both_ways
    a_server_killed_at_each_byte_is_never_taken_for_complete
    a_client_killed_at_each_byte_harms_nobody_else
    a_slow_head_is_answered_408
    an_idle_connection_is_closed
    services_send_interim_responses_and_trailers
    a_handler_that_answers_before_it_reads_lets_the_client_go_on
}
