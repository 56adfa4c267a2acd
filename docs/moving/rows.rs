//! What shows each row of the tables.

/// What stands on the left of a row, and the tests and programs that show it; none where the row says that it is not
/// there.
pub(crate) type Row = (&'static str, &'static [&'static str]);

/// Names on the right that are others' than this repository's.
pub(crate) const FOREIGN: &[&str] = &[
    "AsFd",
    "BodyExt",
    "DecompressionLayer",
    "FollowRedirectLayer",
    "cookie_store",
    "form_urlencoded",
    "from_slice",
    "from_std",
    "html-escape",
    "http-body-util",
    "matchit",
    "percent-encoding",
    "serde_json",
    "http_tokio",
    "router",
    "serde_urlencoded",
    "tower",
    "tower-http",
];

/// The functions of `event2/http.h`: those of libevent 2.1, and those that 2.2 adds; and of `event2/ws.h`.
pub(crate) const FUNCTIONS: &str = "
evhttp_accept_socket evhttp_accept_socket_with_handle evhttp_add_header evhttp_add_server_alias
evhttp_add_virtual_host evhttp_bind_listener evhttp_bind_socket evhttp_bind_socket_with_handle
evhttp_bound_set_bevcb evhttp_bound_socket_get_fd evhttp_bound_socket_get_listener evhttp_cancel_request
evhttp_clear_headers evhttp_connection_base_bufferevent_new evhttp_connection_base_bufferevent_reuse_new
evhttp_connection_base_bufferevent_unix_new evhttp_connection_base_new evhttp_connection_free
evhttp_connection_free_on_completion evhttp_connection_get_addr evhttp_connection_get_base
evhttp_connection_get_bufferevent evhttp_connection_get_peer evhttp_connection_get_server
evhttp_connection_set_closecb evhttp_connection_set_connect_timeout_tv evhttp_connection_set_ext_method_cmp
evhttp_connection_set_family evhttp_connection_set_flags evhttp_connection_set_initial_retry_tv
evhttp_connection_set_local_address evhttp_connection_set_local_port evhttp_connection_set_max_body_size
evhttp_connection_set_max_headers_size evhttp_connection_set_read_timeout_tv evhttp_connection_set_retries
evhttp_connection_set_timeout evhttp_connection_set_timeout_tv evhttp_connection_set_write_timeout_tv
evhttp_decode_uri evhttp_del_accept_socket evhttp_del_cb evhttp_encode_uri evhttp_find_header
evhttp_foreach_bound_socket evhttp_free evhttp_get_connection_count evhttp_htmlescape evhttp_make_request
evhttp_new evhttp_parse_query evhttp_parse_query_str evhttp_parse_query_str_flags evhttp_remove_header
evhttp_remove_server_alias evhttp_remove_virtual_host evhttp_request_free evhttp_request_get_command
evhttp_request_get_connection evhttp_request_get_evhttp_uri evhttp_request_get_host
evhttp_request_get_input_buffer evhttp_request_get_input_headers evhttp_request_get_output_buffer
evhttp_request_get_output_headers evhttp_request_get_response_code evhttp_request_get_response_code_line
evhttp_request_get_uri evhttp_request_is_owned evhttp_request_new evhttp_request_own
evhttp_request_set_chunked_cb evhttp_request_set_error_cb evhttp_request_set_header_cb
evhttp_request_set_on_complete_cb evhttp_send_error evhttp_send_reply evhttp_send_reply_chunk
evhttp_send_reply_chunk_with_cb evhttp_send_reply_end evhttp_send_reply_start evhttp_set_allowed_methods
evhttp_set_bevcb evhttp_set_cb evhttp_set_default_content_type evhttp_set_errorcb evhttp_set_ext_method_cmp
evhttp_set_flags evhttp_set_gencb evhttp_set_max_body_size evhttp_set_max_connections
evhttp_set_max_headers_size evhttp_set_newreqcb evhttp_set_read_timeout_tv evhttp_set_timeout
evhttp_set_timeout_tv evhttp_set_write_timeout_tv evhttp_uri_free evhttp_uri_get_fragment evhttp_uri_get_host
evhttp_uri_get_path evhttp_uri_get_port evhttp_uri_get_query evhttp_uri_get_scheme evhttp_uri_get_unixsocket
evhttp_uri_get_userinfo evhttp_uri_join evhttp_uri_new evhttp_uri_parse evhttp_uri_parse_with_flags
evhttp_uri_set_flags evhttp_uri_set_fragment evhttp_uri_set_host evhttp_uri_set_path evhttp_uri_set_port
evhttp_uri_set_query evhttp_uri_set_scheme evhttp_uri_set_unixsocket evhttp_uri_set_userinfo evhttp_uridecode
evhttp_uriencode evws_close evws_connection_free evws_connection_get_bufferevent evws_connection_set_closecb
evws_new_session evws_send evws_send_binary evws_send_text
";

/// `moving/evhttp.md`.
pub(crate) const EVHTTP: &[Row] = &[
    // A server.
    ("`evhttp_new`", &["book: first: Server::new()"]),
    (
        "`evhttp_free`",
        &["adapters/servers::a_server_that_is_dropped_cuts_its_connections", "programs::a_cut_ends_all_at_once"],
    ),
    ("`evhttp_bind_socket`, `evhttp_bind_socket_with_handle`", &["book: first: TcpListener::bind"]),
    (
        "`evhttp_accept_socket`, `evhttp_accept_socket_with_handle`",
        &["programs::a_socket_that_somebody_else_has_opened"],
    ),
    (
        "`evhttp_bind_listener`, `evhttp_bound_socket_get_listener`",
        &["adapters/servers::a_unix_socket_is_served_on_tokio", "book: recipes/unix: UnixListener::bind"],
    ),
    ("`evhttp_bound_socket_get_fd`", &["programs::a_socket_that_somebody_else_has_opened"]),
    ("`evhttp_foreach_bound_socket`", &[]),
    ("`evhttp_del_accept_socket`", &["programs::one_of_two_listeners_is_given_up"]),
    (
        "`evhttp_set_bevcb`, `evhttp_bound_set_bevcb`",
        &["peers/libevent/tls::per_socket_bevcb", "book: recipes/tls: TlsAcceptor::new("],
    ),
    (
        "`evhttp_set_cb`, `evhttp_del_cb`, `evhttp_set_gencb`",
        &["programs::paths_methods_and_hosts", "book: recipes/axum: Router::new()"],
    ),
    (
        "`evhttp_add_virtual_host`, `evhttp_remove_virtual_host`, `evhttp_add_server_alias`, \
         `evhttp_remove_server_alias`",
        &["programs::paths_methods_and_hosts"],
    ),
    ("`evhttp_set_newreqcb`", &["peers/libevent/server_sockets::newreqcb"]),
    ("`evhttp_set_errorcb`", &["refusal::an_application_gives_fields_and_content_to_the_status"]),
    ("`evhttp_set_default_content_type`", &[]),
    ("`evhttp_set_allowed_methods`", &["peers/libevent/http::allowed_methods", "programs::paths_methods_and_hosts"]),
    ("`evhttp_set_ext_method_cmp`, `evhttp_connection_set_ext_method_cmp`", &["peers/libevent/http::custom"]),
    (
        "`evhttp_set_timeout`, `evhttp_set_timeout_tv`, `evhttp_set_read_timeout_tv`, `evhttp_set_write_timeout_tv`",
        &[
            "timeouts::every_timeout_is_tested_on_both_machines",
            "peers/libevent/server_sockets::timeout_read_server",
            "limits::every_setting_of_persistence_is_tested",
        ],
    ),
    (
        "`evhttp_set_max_headers_size`, `evhttp_set_max_body_size`",
        &["peers/libevent/http::data_length_constraints", "book: recipes/limit: .text(16)"],
    ),
    (
        "`evhttp_set_max_connections`, `evhttp_get_connection_count`",
        &[
            "adapters/servers::connections_beyond_the_limit_are_refused_when_asked_for",
            "programs::connections_are_counted",
        ],
    ),
    (
        "`evhttp_set_flags`",
        &["peers/libevent/server_sockets::lingering_close", "peers/libevent/server_sockets::non_lingering_close"],
    ),
    // Answers.
    ("`evhttp_send_reply`", &["book: first: Response::new("]),
    ("`evhttp_send_error`", &["programs::paths_methods_and_hosts"]),
    (
        "`evhttp_send_reply_start`, `evhttp_send_reply_chunk`, `evhttp_send_reply_end`",
        &["peers/libevent/server_sockets::chunk_out", "programs::an_exchange_by_hand", "book: recipes/streaming: Body"],
    ),
    ("`evhttp_send_reply_chunk_with_cb`", &["programs::an_exchange_by_hand"]),
    (
        "`evhttp_request_set_on_complete_cb`",
        &["programs::an_exchange_by_hand", "adapters/incidents::s14_bodies_that_fail_are_told"],
    ),
    // A connection of a client.
    (
        "`evhttp_connection_base_new`",
        &["adapters/scenarios::requests_share_a_connection", "adapters/options::a_connection_is_made_beforehand"],
    ),
    (
        "`evhttp_connection_base_bufferevent_new`, `evhttp_connection_base_bufferevent_reuse_new`",
        &["peers/libevent/client_sockets::simple_preexisting", "programs::a_connection_without_a_pool"],
    ),
    ("`evhttp_connection_base_bufferevent_unix_new`", &["book: recipes/unix: .unix("]),
    ("`evhttp_connection_get_bufferevent`", &["programs::a_connection_without_a_pool"]),
    ("`evhttp_connection_get_server`, `evhttp_connection_get_base`", &[]),
    ("`evhttp_connection_free`", &["programs::a_connection_without_a_pool"]),
    (
        "`evhttp_connection_free_on_completion`",
        &[
            "peers/libevent/client_sockets::autofree_connection",
            "adapters/options::a_client_that_shuts_down_answers_what_it_has",
        ],
    ),
    (
        "`evhttp_connection_set_family`",
        &["peers/libevent/client_sockets::set_family_ipv4", "peers/libevent/client_sockets::set_family_ipv6"],
    ),
    (
        "`evhttp_connection_set_flags`",
        &[
            "peers/libevent/client_sockets::read_on_write_error",
            "peers/libevent/client_sockets::connection_retry_conn_address",
        ],
    ),
    (
        "`evhttp_connection_set_max_headers_size`, `evhttp_connection_set_max_body_size`",
        &["adapters/defaults::c32_a_response_may_have_a_large_head", "adapters/contents::text_has_a_limit_and_is_utf8"],
    ),
    ("`evhttp_connection_set_local_address`", &["adapters/networks::sockets_are_bound_as_said"]),
    ("`evhttp_connection_set_local_port`", &[]),
    (
        "`evhttp_connection_set_timeout`, `evhttp_connection_set_timeout_tv`",
        &["adapters/networks::a_request_ends_in_time_with_its_content"],
    ),
    (
        "`evhttp_connection_set_connect_timeout_tv`, `evhttp_connection_set_read_timeout_tv`, \
         `evhttp_connection_set_write_timeout_tv`",
        &[
            "adapters/errors::connecting_takes_too_long",
            "peers/libevent/client_sockets::timeout_read_client",
            "adapters/options::a_peer_that_takes_nothing_is_given_up",
        ],
    ),
    (
        "`evhttp_connection_set_retries`, `evhttp_connection_set_initial_retry_tv`",
        &["peers/libevent/client_sockets::connection_retry", "book: recipes/waiting: wait_for_server"],
    ),
    (
        "`evhttp_connection_set_closecb`",
        &[
            "peers/libevent/client_sockets::close_detection",
            "adapters/endings::a_handler_is_told_of_its_clients_end_behind_unread_bytes",
        ],
    ),
    (
        "`evhttp_connection_get_peer`, `evhttp_connection_get_addr`",
        &["peers/libevent/client_sockets::get_addr", "programs::a_response_tells_its_peer"],
    ),
    // Requests and responses.
    ("`evhttp_request_new`, `evhttp_make_request`", &["book: recipes/json: client.request("]),
    (
        "`evhttp_cancel_request`",
        &["peers/libevent/cancel::cancels", "adapters/clients::a_future_that_is_dropped_cancels_its_request"],
    ),
    ("`evhttp_request_free`, `evhttp_request_own`, `evhttp_request_is_owned`", &[]),
    ("`evhttp_request_set_header_cb`, `evhttp_request_set_chunked_cb`", &["programs::a_body_frame_by_frame"]),
    ("`evhttp_request_set_error_cb`", &["adapters/errors::refused", "adapters/errors::a_deadline_passes"]),
    ("`evhttp_request_get_connection`", &["programs::an_exchange_by_hand"]),
    ("`evhttp_request_get_uri`, `evhttp_request_get_evhttp_uri`", &["book: first: request.uri()"]),
    ("`evhttp_request_get_command`", &["programs::paths_methods_and_hosts"]),
    ("`evhttp_request_get_host`", &["programs::paths_methods_and_hosts"]),
    ("`evhttp_request_get_response_code`", &["book: first: response.status()"]),
    ("`evhttp_request_get_response_code_line`", &["peers/hyper/server_sockets::control_data"]),
    ("`evhttp_request_get_input_headers`, `evhttp_request_get_output_headers`", &["programs::fields"]),
    (
        "`evhttp_request_get_input_buffer`, `evhttp_request_get_output_buffer`",
        &["adapters/contents::whatever_people_have_is_content", "book: recipes/limit: into_body()"],
    ),
    (
        "`evhttp_find_header`, `evhttp_add_header`, `evhttp_remove_header`, `evhttp_clear_headers`",
        &["programs::fields"],
    ),
    // Texts.
    ("`evhttp_encode_uri`, `evhttp_uriencode`, `evhttp_decode_uri`, `evhttp_uridecode`", &["programs::texts"]),
    ("`evhttp_parse_query`, `evhttp_parse_query_str`, `evhttp_parse_query_str_flags`", &["programs::texts"]),
    ("`evhttp_htmlescape`", &["programs::texts"]),
    (
        "`evhttp_uri_parse`, `evhttp_uri_parse_with_flags`, `evhttp_uri_set_flags`",
        &["peers/libevent/uri::parse_uri", "programs::uris"],
    ),
    ("`evhttp_uri_new`, `evhttp_uri_join`, `evhttp_uri_free`", &["programs::uris"]),
    (
        "`evhttp_uri_get_scheme`, `evhttp_uri_get_host`, `evhttp_uri_get_port`, `evhttp_uri_get_path`, \
         `evhttp_uri_get_query`",
        &["programs::uris"],
    ),
    (
        "`evhttp_uri_set_scheme`, `evhttp_uri_set_host`, `evhttp_uri_set_port`, `evhttp_uri_set_path`, \
         `evhttp_uri_set_query`",
        &["programs::uris"],
    ),
    ("`evhttp_uri_get_userinfo`, `evhttp_uri_set_userinfo`", &["programs::uris"]),
    ("`evhttp_uri_get_fragment`, `evhttp_uri_set_fragment`", &[]),
    (
        "`evhttp_uri_get_unixsocket`, `evhttp_uri_set_unixsocket`",
        &["adapters/networks::a_unix_socket_stands_for_a_name"],
    ),
    // WebSockets.
    ("`evws_new_session`", &["peers/libevent/server_sockets::ws", "book: recipes/websockets: WebSocketStream"]),
    (
        "`evws_send`, `evws_send_text`, `evws_send_binary`, `evws_close`, `evws_connection_set_closecb`, \
         `evws_connection_free`",
        &["websockets/tungstenite::tokio_tungstenite_serves_on_a_tunnel"],
    ),
    ("`evws_connection_get_bufferevent`", &["adapters/tunnels::a_client_gets_a_tunnel"]),
    // Inside.
    (
        "`make_header_request`, `make_header_response`",
        &["sending::framing_of_requests", "sending::framing_of_responses"],
    ),
    ("`EVCON_DISCONNECTED` … `EVCON_WRITING`", &["programs::pipelined_bytes_wait_in_the_buffer"]),
];

/// The other tables.
pub(crate) const OTHERS: [(&str, &[Row]); 4] = [("hyper", HYPER), ("axum", AXUM), ("reqwest", REQWEST), ("h11", H11)];

const HYPER: &[Row] = &[
    (
        "`service::service_fn`, `tower::Service` through `TowerToHyperService`",
        &[
            "book: moving/hyper: service_fn",
            "applications/main::a_stack_of_tower_layers_answers_on_async_std_as_under_hyper",
        ],
    ),
    ("`body::Incoming`", &["adapters/contents::text_has_a_limit_and_is_utf8"]),
    (
        "`http_body_util::Full`, `Empty`, `StreamBody`, `BoxBody`",
        &["adapters/contents::whatever_people_have_is_content", "programs::bodies_of_http_body_util"],
    ),
    (
        "`server::conn::http1::Builder::serve_connection`",
        &["adapters/servers::a_stream_that_was_accepted_elsewhere_is_served"],
    ),
    (
        "`Connection::with_upgrades`, `upgrade::on`",
        &["websockets/hyper::s26_hypers_on_upgrade_has_the_connection", "book: recipes/websockets: Upgrade"],
    ),
    (
        "`graceful_shutdown`, `GracefulShutdown::watch`",
        &[
            "adapters/servers::a_shutdown_answers_what_is_open_and_ends",
            "adapters/shutdowns::a_signal_begins_the_end",
            "book: recipes/shutdown: .drain(",
        ],
    ),
    ("`http1::Builder::header_read_timeout`", &["peers/hyper/server_sockets::header_read_timeout"]),
    ("`max_headers`, `max_buf_size`", &["limits::every_limit_is_spent"]),
    ("`keep_alive(false)`", &["peers/hyper/server_sockets::keep_alive"]),
    (
        "`half_close(true)`",
        &[
            "adapters/endings::a_client_that_shut_down_its_side_is_answered",
            "adapters/endings::a_request_is_cancelled_at_its_clients_end_when_asked_for",
        ],
    ),
    ("`pipeline_flush`", &["peers/hyper/server_sockets::pipeline_enabled"]),
    ("`preserve_header_case`, `title_case_headers`", &[]),
    ("`ignore_invalid_headers`", &[]),
    ("`auto::Builder` (HTTP/2)", &[]),
    (
        "`client::conn::http1::handshake`, `SendRequest`",
        &["peers/hyper/client_sockets::requests", "programs::a_connection_without_a_pool"],
    ),
    (
        "`client::legacy::Client`",
        &[
            "adapters/clients::a_uri_is_enough_to_get",
            "adapters/runtimes::a_client_in_a_static_goes_through_ten_runtimes",
        ],
    ),
    (
        "`pool_idle_timeout`, `pool_max_idle_per_host`",
        &[
            "adapters/options::connections_are_renewed_by_number_and_age",
            "turns/idling::c29_idle_connections_of_a_client_have_one_deadline",
            "core: dispatch/tests/pool::the_policy_bounds_requests_per_connection_and_idle_ones",
        ],
    ),
    (
        "`retry_canceled_requests`",
        &[
            "adapters/reuse::a_connection_that_is_dead_is_not_reused",
            "core: dispatch/tests/repeat::a_post_of_which_nothing_was_sent_is_sent_again",
        ],
    ),
    ("`set_host(false)`", &[]),
    (
        "`HttpConnector::set_nodelay`, `set_keepalive`, `set_local_address`",
        &["adapters/networks::sockets_are_bound_as_said"],
    ),
    ("`connect::Connection`, `Connected::extra`", &["programs::a_response_tells_its_peer"]),
    ("`hyper-rustls`, `hyper-tls`", &["adapters/secured::requests_are_secured", "book: recipes/tls: client_config("]),
    ("`ext::ReasonPhrase`", &["peers/hyper/server_sockets::control_data"]),
    ("`ext::on_informational`", &["adapters/networks::interim_responses_are_told"]),
    (
        "`rt::Read`, `Write`, `Timer`, `Executor`",
        &["smol::a_client_and_a_server_on_smol_talk_and_end", "turns/wakes::requests_of_a_pooled_client"],
    ),
    (
        "`Error::is_timeout`, `is_closed`, `is_incomplete_message` …",
        &["adapters/errors::a_deadline_passes", "adapters/errors::reset_after_it_was_sent"],
    ),
    ("`hyper::ffi`", &[]),
];

const AXUM: &[Row] = &[
    (
        "`serve(listener, router)`",
        &[
            "applications/moved::an_application_moves_by_one_path",
            "applications/main::an_axum_application_answers_as_under_axum_serve",
        ],
    ),
    ("`with_graceful_shutdown(signal)`, `local_addr()`", &["applications/moved::a_graceful_shutdown_ends_both_alike"]),
    (
        "`into_make_service_with_connect_info::<SocketAddr>()`",
        &["applications/moved::an_application_moves_by_one_path", "applications/moved::behind_tls_the_client_is_known"],
    ),
    ("time-outs, limits, what goes wrong", &["applications/moved::a_server_may_be_given"]),
    ("`WebSocketUpgrade`", &["websockets/axum::s26_axums_own_upgrade_works"]),
    (
        "`OriginalUri`, `MatchedPath`, `State`, bodies, SSE, multipart",
        &["applications/application::extractors", "applications/application::endless_events"],
    ),
    ("`TapIo`, `ListenerExt`", &["applications/moved::whatever_axum_serves_is_served"]),
    ("own `Connected<IncomingStream>` types", &[]),
    ("HTTP/2", &[]),
];

const REQWEST: &[Row] = &[
    ("`Client::new()`, clones", &["book: first: http_tokio::client(Default::default())"]),
    ("`.get(url)`, `.post(url).body(…)`", &["adapters/contents::whatever_people_have_is_content"]),
    (
        "`.json(&value)`, `.form(&pairs)`, `.query(&pairs)`",
        &["asking::what_is_asked_beside_the_protocol", "book: recipes/json: serde_json::to_vec"],
    ),
    ("`.basic_auth`, `.bearer_auth`", &["asking::what_is_asked_beside_the_protocol"]),
    ("`.text()`, `.bytes()` without a limit", &["adapters/contents::text_has_a_limit_and_is_utf8"]),
    ("`.json::<T>()`", &["book: recipes/json: serde_json::from_slice"]),
    ("`bytes_stream()`, `chunk()`", &["programs::a_body_frame_by_frame"]),
    ("`error_for_status()`", &["programs::paths_methods_and_hosts"]),
    ("redirects", &["asking::what_is_asked_beside_the_protocol", "book: recipes/layers: FollowRedirectLayer"]),
    (
        "`gzip`, `brotli`, `deflate`, `zstd`",
        &["asking::what_is_asked_beside_the_protocol", "book: recipes/layers: DecompressionLayer"],
    ),
    ("`cookie_store(true)`", &["asking::what_is_asked_beside_the_protocol"]),
    ("`multipart`", &[]),
    (
        "`timeout`, `connect_timeout`, `read_timeout`",
        &[
            "adapters/networks::a_request_ends_in_time_with_its_content",
            "adapters/errors::connecting_takes_too_long",
            "adapters/defaults::content_that_stalls_is_given_up_as_the_request_says",
        ],
    ),
    ("`RequestBuilder::timeout`", &["adapters/options::a_request_has_a_timeout_of_its_own"]),
    (
        "`pool_idle_timeout`, `pool_max_idle_per_host`",
        &[
            "adapters/options::connections_are_renewed_by_number_and_age",
            "turns/idling::c29_idle_connections_of_a_client_have_one_deadline",
        ],
    ),
    (
        "proxies, `NO_PROXY`, SOCKS 5",
        &[
            "adapters/networks::a_proxy_forwards_and_is_left_out_where_said",
            "adapters/proxies::socks_proxies_connect_by_name",
            "driver: client/network/proxy/proxies::the_environments_proxies",
        ],
    ),
    (
        "`use_rustls_tls`, `add_root_certificate`, `identity`",
        &["book: recipes/tls: client_config(", "book: recipes/client-certificates: with_client_auth_cert"],
    ),
    ("`dns_resolver`, `resolve`", &["adapters/networks::names_are_overridden_and_resolved"]),
    ("`local_address`, `interface`, `tcp_keepalive`", &["adapters/networks::sockets_are_bound_as_said"]),
    (
        "`retry`",
        &[
            "adapters/options::a_request_says_whether_it_is_sent_again",
            "book: recipes/retries: RequestOptions::new().idempotent",
        ],
    ),
    ("`http2_…`, `http3_…`", &[]),
    ("`blocking`", &[]),
    ("WebAssembly in browsers", &[]),
];

const H11: &[Row] = &[
    (
        "`Connection(our_role=SERVER)`, `CLIENT`",
        &["peers/h11::client_talking_to_http10_server", "book: machine: server::Connection::new"],
    ),
    ("`receive_data(bytes)`", &["book: machine: input.extend_from_slice"]),
    ("`receive_data(b\"\")`", &["book: recipes/runtime: handle_eof(End::Clean"]),
    ("`next_event()`", &["book: machine: poll_event(&mut input, now)"]),
    ("`NEED_DATA`", &["book: machine: poll_event(&mut input, now)?.is_none()"]),
    ("`PAUSED`", &["programs::pipelined_bytes_wait_in_the_buffer"]),
    ("`Request`, `Response`, `InformationalResponse`", &["programs::a_client_reads_interim_and_final_responses"]),
    ("`Data`, `EndOfMessage(headers)`", &["book: machine: server::Event::End"]),
    ("`ConnectionClosed`", &["programs::pipelined_bytes_wait_in_the_buffer"]),
    ("`send(event)` returns bytes", &["book: machine: connection.transmit"]),
    ("`send_with_data_passthrough`", &["programs::long_content_is_linked"]),
    ("`start_next_cycle()`", &["programs::pipelined_bytes_wait_in_the_buffer"]),
    ("`our_state`, `their_state`", &["programs::pipelined_bytes_wait_in_the_buffer"]),
    (
        "`trailing_data`",
        &["upgrade::bytes_that_came_along_are_of_the_new_protocol", "programs::pipelined_bytes_wait_in_the_buffer"],
    ),
    ("`RemoteProtocolError`", &["programs::faults_are_told_by_section_and_status"]),
    ("`LocalProtocolError`", &["programs::faults_are_told_by_section_and_status"]),
    ("`max_incomplete_event_size`", &["limits::every_limit_is_spent"]),
    ("no clock", &["book: machine: connection.handle_timeout(due)"]),
    ("no pool", &["book: machine: Dispatcher::new"]),
];
