//! Every deadline on both machines: it passes at exactly its instant, progress re-arms it where it should, and it rests
//! while the waiting is not the peer's fault.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::time::Duration;

use http_core::{Config, Deadline, Fields, Timeouts};
use tests::beginnings::{GET, NOTHING};
use tests::scene::fields_of;

/// What content earns by each byte at 240 bytes a second.
const A_BYTE: Duration = Duration::from_nanos(1_000_000_000 / 240);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The defaults, without a least rate.
fn without_rate() -> Config {
    let mut config = Config::default();
    config.timeouts.content_rate = 0;
    config
}

/// `bytes` move each second, for as many seconds; nothing may come of it but what `moved` expects.
fn every_second(seconds: u64, mut moved: impl FnMut(Duration)) {
    for _ in 0..seconds {
        moved(s(1));
    }
}

mod server {
    use super::*;
    use bytes::Bytes;
    use http_core::{Content, End};
    use tests::scene::Server;

    fn post(length: u64) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
    }

    /// A server whose application has asked for content of this length.
    fn receiving(config: Config, length: u64) -> Server {
        let mut server = Server::server(config);
        assert_eq!(server.hears(post(length)), ["POST /"]);
        assert_eq!(server.deadline(), None, "nobody has asked for content");
        assert_eq!(server.wants(), NOTHING);
        server
    }

    /// A server that has queued an answer with content of this length.
    fn sending(config: Config, length: usize) -> Server {
        let mut server = Server::server(config);
        server.hears(GET);
        server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; length]))).unwrap();
        assert_eq!(server.polls(), NOTHING);
        server
    }

    #[test]
    pub(super) fn head() {
        let mut server = Server::server(Config::default());
        assert_eq!(server.hears("G"), NOTHING);
        assert_eq!(server.deadline(), Some((Deadline::Head, s(30))));
        // A head that drips in has no more time than another.
        every_second(20, |second| {
            server.waits(second);
            assert_eq!(server.hears("E"), NOTHING);
        });
        assert_eq!(server.passes(Deadline::Head, s(10)), ["refused HeadTimeout"]);
        let answer = server.sends();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("Connection: close\r\n") && server.is_over(), "{answer}");
        assert_eq!(server.ends(End::Clean), ["closed Failed(HeadTimeout)"]);
        assert_eq!(server.deadline(), None);
        // An empty line, which old clients send behind a request, is not of the next one (RFC 9112 §2.2): the client
        // idles.
        let mut server = Server::server(Config::default());
        server.waits(s(5));
        server.hears("\r\n");
        assert_eq!(server.deadline(), Some((Deadline::Idle, s(70))), "and not anew");
        server.hears("G");
        assert_eq!(server.deadline(), Some((Deadline::Head, s(30))));
        let mut dripping = Server::server(Config::default());
        dripping.drips = true;
        dripping.hears("\r\n\r\n");
        assert_eq!(dripping.deadline().unwrap().0, Deadline::Idle);
        // A complete head has no deadline.
        server.hears(&GET[1..]);
        assert_eq!(server.deadline(), None);
        // A part of the next one has its time from when it is read: after the answer to this one.
        server.hears("GET /n");
        server.waits(s(3600));
        assert_eq!(server.deadline(), None);
        server.answers(200, "");
        server.polls();
        assert_eq!(server.deadline(), Some((Deadline::Head, s(30))));
        server.hears("ext HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(server.deadline(), None);
        // While too much waits to be sent nothing is read, so it is not the client's head that is late.
        let mut config = Config::default();
        config.limits.send_buffer = 100;
        let mut server = Server::server(config);
        server.hears(GET);
        server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; 100]))).unwrap();
        assert_eq!(server.hears("GET /n"), NOTHING);
        assert_eq!(server.deadline().unwrap().0, Deadline::Send);
        server.waits(s(9));
        server.sends();
        assert_eq!(server.polls(), NOTHING);
        assert_eq!(server.deadline(), Some((Deadline::Head, s(30))));
    }

    #[test]
    pub(super) fn content() {
        // Coming in: the longest pause, from the last byte on.
        let mut server = receiving(without_rate(), 100);
        every_second(50, |second| {
            server.waits(second * 29);
            assert_eq!(server.hears("x"), ["content x"]);
            assert_eq!(server.deadline(), Some((Deadline::Receive, s(30))));
        });
        assert_eq!(server.passes(Deadline::Receive, s(30)), ["refused ContentTimeout"]);
        assert!(server.sends().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        assert!(server.is_over());
        // While the application is at work on a piece, we do not read, and time stands still.
        let mut server = receiving(without_rate(), 100);
        server.input.extend_from_slice(b"x");
        assert_eq!(server.polls_once().as_deref(), Some("content x"));
        assert_eq!(server.deadline(), None);
        server.now = server.now.saturating_add(s(3600));
        assert_eq!(server.polls(), NOTHING);
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(30))));
        // Content that nobody wants is waited for no longer than other content; it has its answer already.
        let mut server = Server::server(without_rate());
        server.hears(post(100));
        server.answers(200, "");
        assert_eq!(server.polls(), NOTHING);
        assert_eq!(server.passes(Deadline::Receive, s(30)), ["refused ContentTimeout"]);
        assert_eq!(server.sends(), "", "one answer is enough");
        // Going out: a peer that takes nothing is dropped; one that takes a byte has its time anew.
        let mut server = sending(without_rate(), 1000);
        every_second(50, |second| {
            assert_eq!(server.deadline(), Some((Deadline::Send, s(30))));
            assert_eq!(server.waits(second * 29), NOTHING);
            server.machine.handle_sent(1, server.now);
        });
        assert_eq!(server.passes(Deadline::Send, s(30)), ["closed TimedOut(Send)"]);
        assert!(server.machine.interest().close);
        assert_eq!(server.sends(), "");
        // That nothing was taken is no progress.
        let mut server = sending(without_rate(), 1000);
        server.waits(s(10));
        server.machine.handle_sent(0, server.now);
        assert_eq!(server.passes(Deadline::Send, s(20)), ["closed TimedOut(Send)"]);
        // What the application has not yet produced is not the peer's fault.
        let mut server = Server::server(without_rate());
        server.hears(GET);
        server.responds(200, &[], Content::Streaming).unwrap();
        server.sends();
        assert_eq!(server.deadline(), None);
        assert_eq!(server.waits(s(3600)), NOTHING);
        server.machine.send_content(Bytes::from_static(b"x"), server.now).unwrap();
        assert_eq!(server.deadline(), Some((Deadline::Send, s(30))));
        // The answer to a request that was refused has to be taken as well.
        let mut server = Server::server(without_rate());
        assert_eq!(server.hears("broken\r\n\r\n"), ["refused StartLine"]);
        assert_eq!(server.passes(Deadline::Send, s(30)), ["closed Failed(StartLine)"]);
    }

    #[test]
    pub(super) fn write() {
        let mut config = without_rate();
        config.timeouts.write = Some(s(7));
        let mut server = sending(config.clone(), 1000);
        assert_eq!(server.passes(Deadline::Send, s(7)), ["closed TimedOut(Send)"]);
        // What comes in has another.
        let mut server = Server::server(config);
        server.hears(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
        server.machine.want_content(server.now);
        assert_eq!(server.polls(), NOTHING);
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(30))));
    }

    #[test]
    pub(super) fn content_rate() {
        // Exactly the rate is enough, for ever.
        let mut server = receiving(Config::default(), 1 << 20);
        every_second(300, |second| {
            assert_eq!(server.waits(second), NOTHING);
            assert_eq!(server.hears([b'x'; 240]), ["content of 240"]);
            assert_eq!(server.deadline(), Some((Deadline::Receive, s(10))));
        });
        // Each message has its own grace, whatever the one before it has used up.
        let mut next = receiving(Config::default(), 1);
        for _ in 0..3 {
            assert_eq!(next.waits(s(9)), NOTHING);
            assert_eq!(next.hears("x"), ["content x", "end"]);
            next.answers(200, "");
            assert_eq!(next.hears(post(1)), ["POST /"]);
            assert_eq!(next.wants(), NOTHING);
        }
        // Less is not: the grace runs down.
        let mut told = Vec::new();
        for second in 1..=200 {
            told.extend(server.waits(s(1)));
            if told == ["refused ContentTimeout"] {
                // 10 s, and the half of 18 that 120 bytes a second earned.
                assert_eq!(second, 19);
                break;
            }
            server.hears([b'x'; 120]);
        }
        assert_eq!(told, ["refused ContentTimeout"]);
        // Much at once is no credit beyond the longest pause.
        let mut server = receiving(Config::default(), 1 << 20);
        server.hears(vec![b'x'; 1 << 19]);
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(30))));
        // Sending is held to the same.
        let mut server = sending(Config::default(), 1 << 20);
        every_second(300, |second| {
            assert_eq!(server.waits(second), NOTHING);
            server.machine.handle_sent(240, server.now);
            assert_eq!(server.deadline(), Some((Deadline::Send, s(10))));
        });
        every_second(18, |second| {
            assert_eq!(server.waits(second), NOTHING);
            server.machine.handle_sent(120, server.now);
        });
        assert_eq!(server.waits(s(1)), ["closed TimedOut(Send)"]);
    }

    #[test]
    pub(super) fn content_grace() {
        let mut server = receiving(Config::default(), 1000);
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(10))));
        every_second(10, |second| {
            assert_eq!(server.waits(second - A_BYTE), NOTHING);
            assert_eq!(server.hears("x"), ["content x"]);
        });
        // 10 s of grace, and what 10 bytes earned.
        assert_eq!(server.passes(Deadline::Receive, A_BYTE * 20), ["refused ContentTimeout"]);
        // Time in which the application does not let us read is not taken from it.
        let mut server = receiving(Config::default(), 1000);
        server.waits(s(4));
        server.input.extend_from_slice(b"x");
        assert_eq!(server.polls_once().as_deref(), Some("content x"));
        server.now = server.now.saturating_add(s(3600));
        server.polls();
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(6) + A_BYTE)));
        // A grace beyond the longest pause is as long as that.
        let mut config = Config::default();
        config.timeouts.content_grace = s(100);
        assert_eq!(receiving(config, 1000).deadline(), Some((Deadline::Receive, s(30))));
        assert_eq!(sending(Config::default(), 1000).deadline(), Some((Deadline::Send, s(10))));
    }

    #[test]
    pub(super) fn idle() {
        // Before the first request, and without a word.
        let mut server = Server::server(Config::default());
        assert_eq!(server.passes(Deadline::Idle, s(75)), ["closed TimedOut(Idle)"]);
        assert_eq!(server.sends(), "");
        // Never while a handler works,
        let mut server = Server::server(Config::default());
        server.waits(s(74));
        assert_eq!(server.hears(GET), ["GET /", "end"]);
        assert_eq!(server.deadline(), None);
        assert_eq!(server.waits(s(3600)), NOTHING);
        // or while its answer is being sent, however long that takes.
        server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; 100_000]))).unwrap();
        server.polls();
        every_second(100, |second| {
            assert_eq!(server.waits(second), NOTHING);
            server.machine.handle_sent(1000, server.now);
            assert_eq!(server.deadline().unwrap().0, Deadline::Send);
        });
        server.sends();
        assert_eq!(server.deadline(), Some((Deadline::Idle, s(75))), "from the last byte on");
        // Nor while it is being produced.
        server.hears(GET);
        server.responds(200, &[], Content::Streaming).unwrap();
        server.sends();
        assert_eq!(server.waits(s(3600)), NOTHING);
        server.machine.send_end(&http_core::Fields::new(), server.now).unwrap();
        server.sends();
        assert_eq!(server.polls(), NOTHING);
        // Between requests it begins anew.
        assert_eq!(server.passes(Deadline::Idle, s(75)), ["closed TimedOut(Idle)"]);
    }

    #[test]
    pub(super) fn expect() {
        // A server has no such deadline: the client waits for the handler, and the handler may think.
        let mut server = Server::server(Config::default());
        server.hears("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        assert_eq!(server.deadline(), None);
        assert_eq!(server.waits(s(3600)), NOTHING);
        // The time of the content begins when it is asked for.
        server.wants();
        assert_eq!(server.sends(), "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(server.deadline(), Some((Deadline::Receive, s(10))));
    }

    #[test]
    fn s20_an_end_that_was_asked_for_lingers_briefly() {
        // Told before the answer, after it, and while it lingers already, which the client has asked for.
        let told = |when: u8| {
            let mut server = Server::server(Config::default());
            server.hears(if when < 2 { GET } else { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" });
            if when == 0 {
                server.machine.close(server.now);
            }
            server.responds(200, &[], Content::Sized(1)).unwrap();
            if when == 1 {
                server.machine.close(server.now);
            }
            server.machine.send_content("x".into(), server.now).unwrap();
            server.machine.send_end(&Fields::new(), server.now).unwrap();
            if when == 2 {
                server.machine.close(server.now);
            }
            server.sends();
            if when == 3 {
                assert_eq!(server.deadline(), Some((Deadline::Linger, s(5))));
                server.waits(s(3));
                server.machine.close(server.now);
            }
            server
        };
        for when in 0..=3 {
            let mut server = told(when);
            assert_eq!(server.deadline(), Some((Deadline::Linger, s(1))), "{when}");
            // Told again, it does not begin again.
            server.waits(Duration::from_millis(500));
            server.machine.close(server.now);
            assert_eq!(server.passes(Deadline::Linger, Duration::from_millis(500)), ["closed NotPersistent"], "{when}");
        }
        // Where something came behind the request, closing so soon could cost the client its answer.
        for when in 0..=3 {
            let mut server = told(when);
            server.waits(Duration::from_millis(900));
            server.hears(GET);
            server.machine.close(server.now);
            assert_eq!(server.deadline(), Some((Deadline::Linger, s(5))), "{when}");
            server.waits(s(1));
            server.hears(GET);
            assert_eq!(server.passes(Deadline::Linger, s(4)), ["closed NotPersistent"], "{when}");
        }
        // No sooner than that either, where one is told late.
        let mut server = Server::server(Config::default());
        server.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        server.answers(200, "");
        server.waits(Duration::from_millis(4500));
        server.machine.close(server.now);
        assert_eq!(server.passes(Deadline::Linger, Duration::from_millis(500)), ["closed NotPersistent"]);
        // A shorter one stays as it is.
        let mut config = Config::default();
        config.timeouts.linger = Duration::from_millis(10);
        let mut server = Server::server(config);
        server.hears(GET);
        server.machine.close(server.now);
        server.answers(200, "");
        assert_eq!(server.deadline(), Some((Deadline::Linger, Duration::from_millis(10))));
    }

    #[test]
    fn s20_what_was_unread_or_is_to_come_lingers_as_long_as_ever() {
        for sent in [
            format!("{GET}{GET}"),
            format!("{GET}G"),
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab".into(),
        ] {
            let mut server = Server::server(Config::default());
            server.hears(&sent);
            server.machine.close(server.now);
            server.answers(200, "");
            server.polls();
            assert_eq!(server.deadline(), Some((Deadline::Linger, s(5))), "{sent:?}");
        }
    }

    /// RFC 9112 §9.6: whoever has said that its request is the last sends nothing that would have it reset.
    #[test]
    fn silence_ends_the_connection_of_a_client_that_has_said_so() {
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
        let mut lenient = Config::default();
        lenient.leniency.allow_transfer_encoding_with_length = true;
        let uncertain =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n";
        for (ends, sent) in [
            (true, last.to_owned()),
            (true, format!("{post}ab")),
            // Who may still be sending, for all that is known.
            (false, format!("{post}a")),
            (false, format!("{last}{GET}")),
            (false, format!("{post}ab\r\n")),
            (false, "GET / HTTP/1.0\r\n\r\n".into()),
            (false, uncertain.into()),
            (false, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nX : y\r\n\r\n".into()),
        ] {
            let mut server = Server::server(lenient.clone());
            server.hears(&sent);
            if sent.contains("\r\n\r\nab") {
                server.wants();
            }
            server.responds(200, &[], Content::Full("x".into())).unwrap();
            assert!(!server.machine.interest().silence_ends, "its answer is not sent: {sent:?}");
            server.sends();
            assert!(server.machine.interest().shutdown && !server.machine.interest().close, "{sent:?}");
            assert_eq!(server.machine.interest().silence_ends, ends, "{sent:?}");
            if ends {
                // A byte that comes all the same changes that, and the answer is left to be read.
                let mut more = server.clone();
                more.hears("x");
                assert!(more.machine.interest().shutdown && !more.machine.interest().silence_ends, "{sent:?}");
                assert_eq!(server.ends(End::Clean), ["closed NotPersistent"], "{sent:?}");
                assert!(!server.machine.interest().silence_ends);
            }
        }
        // Where it is us who end it the client may send its next request meanwhile.
        let mut server = Server::server(Config::default());
        server.hears(GET);
        server.machine.close(server.now);
        server.answers(200, "");
        assert!(server.machine.interest().shutdown && !server.machine.interest().silence_ends);
    }

    #[test]
    pub(super) fn linger() {
        let mut server = Server::server(Config::default());
        server.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        server.responds(200, &[], Content::Empty).unwrap();
        assert_eq!(server.deadline().unwrap().0, Deadline::Send, "first the answer is sent");
        server.sends();
        assert_eq!(server.deadline(), Some((Deadline::Linger, s(5))));
        server.waits(s(2));
        server.hears("more");
        // What comes does not prolong it.
        assert_eq!(server.passes(Deadline::Linger, s(3)), ["closed NotPersistent"]);
        assert!(server.machine.interest().close);
        // The peer's end ends it at once.
        let mut server = Server::server(Config::default());
        server.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        server.answers(200, "");
        assert_eq!(server.ends(End::Clean), ["closed NotPersistent"]);
        assert_eq!(server.deadline(), None);
    }

    #[test]
    pub(super) fn half_closed() {
        // RFC 9112 §9.5: who has ended its side may wait for its answer, or have gone.
        let mut server = Server::server(Config::default());
        server.hears(GET);
        assert_eq!(server.deadline(), None, "a handler may think as long as it likes");
        server.waits(s(100));
        assert_eq!(server.ends(End::Clean), NOTHING);
        assert_eq!(server.passes(Deadline::HalfClosed, s(30)), ["closed TimedOut(HalfClosed)"]);
        assert!(server.machine.interest().close && !server.machine.interest().reset);
        // Content that waits to be sent has the deadline of sending; content that does not come has this one, again.
        let mut server = Server::server(Config::default());
        server.hears(GET);
        server.ends(End::Clean);
        server.waits(s(29));
        server.responds(200, &[], Content::Streaming).unwrap();
        assert_eq!(server.deadline().unwrap().0, Deadline::Send);
        server.sends();
        assert_eq!(server.deadline(), Some((Deadline::HalfClosed, s(30))));
        server.waits(s(29));
        server.machine.send_content("x".into(), server.now).unwrap();
        assert_eq!(server.deadline().unwrap().0, Deadline::Send);
        server.sends();
        server.waits(s(29));
        server.machine.send_end(&Fields::new(), server.now).unwrap();
        server.sends();
        assert_eq!(server.polls(), ["closed NotPersistent"]);
        // Each of several requests has its own.
        let mut server = Server::server(Config::default());
        server.hears(GET.repeat(2));
        server.ends(End::Clean);
        server.waits(s(20));
        server.answers(200, "");
        assert_eq!(server.polls().len(), 2);
        assert_eq!(server.passes(Deadline::HalfClosed, s(30)), ["closed TimedOut(HalfClosed)"]);
        // None at all: as hyper has it, unless it is told otherwise.
        let mut config = Config::default();
        config.timeouts.half_closed = Duration::ZERO;
        let mut server = Server::server(config);
        server.hears(GET);
        server.ends(End::Clean);
        assert_eq!(server.waits(Duration::ZERO), ["closed TimedOut(HalfClosed)"]);
        // Who is gone for certain is not waited for.
        let mut server = Server::server(Config::default());
        server.hears("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
        assert_eq!(server.ends(End::Unclean), ["closed Broken"]);
    }

    #[test]
    fn s16_who_does_not_read_is_reset() {
        let mut server = Server::server(Config::default());
        server.hears(GET);
        server.responds(200, &[], Content::Full("x".repeat(5000).into())).unwrap();
        assert!(!server.machine.interest().reset);
        assert_eq!(server.passes(Deadline::Send, s(10)), ["closed TimedOut(Send)"]);
        assert!(server.machine.interest().reset && server.machine.interest().close);
    }
}

mod client {
    use super::*;
    use bytes::Bytes;
    use http_core::{Content, Misuse};
    use tests::scene::Client;

    /// A client that reads content of this length.
    fn receiving(config: Config, length: u64) -> Client {
        let mut client = Client::client(config);
        client.gets("/");
        assert_eq!(client.hears(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")), ["200"]);
        client
    }

    /// A client that has queued a request with content of this length.
    fn sending(config: Config, length: usize) -> Client {
        let mut client = Client::client(config);
        client.requests("PUT", "/", &[], Content::Full(Bytes::from(vec![b'x'; length]))).unwrap();
        assert_eq!(client.polls(), NOTHING);
        client
    }

    #[test]
    pub(super) fn head() {
        let mut client = Client::client(Config::default());
        client.requests("PUT", "/", &[], Content::Sized(2)).unwrap();
        client.sends();
        assert_eq!(client.deadline(), None, "the request is not complete");
        client.machine.send_content(Bytes::from_static(b"ab"), client.now).unwrap();
        client.machine.send_end(&http_core::Fields::new(), client.now).unwrap();
        assert_eq!(client.deadline().unwrap().0, Deadline::Send);
        client.waits(s(1));
        client.sends();
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))), "from the last byte of the request on");
        client.waits(s(20));
        assert_eq!(client.hears("HTTP/1.1 2"), NOTHING);
        assert_eq!(client.deadline(), Some((Deadline::Head, s(10))), "a part of a head is not one");
        assert_eq!(client.passes(Deadline::Head, s(10)), ["refused HeadTimeout", "closed Failed(HeadTimeout)"]);
        assert_eq!(client.machine.unanswered().count(), 1);
        assert_eq!(client.deadline(), None);
        // An interim response gives the final one its time anew.
        let mut client = Client::client(Config::default());
        client.gets("/");
        client.waits(s(29));
        assert_eq!(client.hears("HTTP/1.1 103 \r\n\r\n"), ["interim 103"]);
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))));
        // One request may have its own, and the next has what all have.
        let mut client = Client::client(Config::default());
        client.machine.limit_response(s(1), client.now);
        client.gets("/");
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))), "there was no request to limit");
        client.machine.limit_response(s(2), client.now);
        assert_eq!(client.deadline(), Some((Deadline::Head, s(2))));
        assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end"]);
        client.gets("/");
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))));
        // Of pipelined responses each has its own.
        let mut config = Config::default();
        config.persistence.pipelining = 2;
        let mut client = Client::client(config);
        client.gets("/1");
        client.gets("/2");
        client.waits(s(29));
        assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end"]);
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))));
    }

    #[test]
    pub(super) fn content() {
        let mut client = receiving(without_rate(), 100);
        every_second(50, |second| {
            client.waits(second * 29);
            assert_eq!(client.hears("x"), ["content x"]);
            assert_eq!(client.deadline(), Some((Deadline::Receive, s(30))));
        });
        let ending = ["refused ContentTimeout", "closed Failed(ContentTimeout)"];
        assert_eq!(client.passes(Deadline::Receive, s(30)), ending);
        // While the application is at work on a piece, we do not read, and time stands still.
        let mut client = receiving(without_rate(), 100);
        client.input.extend_from_slice(b"x");
        assert_eq!(client.polls_once().as_deref(), Some("content x"));
        assert_eq!(client.deadline(), None);
        client.now = client.now.saturating_add(s(3600));
        client.polls();
        assert_eq!(client.deadline(), Some((Deadline::Receive, s(30))));
        // A server that takes nothing, and one that takes a little each time; that it is silent meanwhile is as it
        // should be.
        let mut client = sending(without_rate(), 1000);
        every_second(50, |second| {
            assert_eq!(client.deadline(), Some((Deadline::Send, s(30))));
            assert_eq!(client.waits(second * 29), NOTHING);
            client.machine.handle_sent(1, client.now);
        });
        assert_eq!(client.passes(Deadline::Send, s(30)), ["closed TimedOut(Send)"]);
        assert_eq!(client.machine.unanswered().count(), 1);
        // What the application has not yet produced is not the server's fault.
        let mut client = Client::client(without_rate());
        client.requests("PUT", "/", &[], Content::Streaming).unwrap();
        client.sends();
        assert_eq!(client.waits(s(3600)), NOTHING);
    }

    #[test]
    pub(super) fn write() {
        let mut config = without_rate();
        config.timeouts.write = Some(s(7));
        let mut client = Client::client(config.clone());
        let head = http_core::RequestHead::new(http_core::Method::Get, "/").unwrap().with("Host", "a").unwrap();
        client.machine.send_request(&head, http_core::Content::Empty, client.now).unwrap();
        assert_eq!(client.passes(Deadline::Send, s(7)), ["closed TimedOut(Send)"]);
        // What comes in has another.
        let client = receiving(config, 100);
        assert_eq!(client.deadline(), Some((Deadline::Receive, s(30))));
    }

    #[test]
    pub(super) fn content_rate() {
        let mut client = receiving(Config::default(), 1 << 20);
        every_second(300, |second| {
            assert_eq!(client.waits(second), NOTHING);
            assert_eq!(client.hears([b'x'; 240]), ["content of 240"]);
            assert_eq!(client.deadline(), Some((Deadline::Receive, s(10))));
        });
        every_second(18, |second| {
            assert_eq!(client.waits(second), NOTHING);
            client.hears([b'x'; 120]);
        });
        assert_eq!(client.waits(s(1)), ["refused ContentTimeout", "closed Failed(ContentTimeout)"]);
        // One request may have its own, and the next has what all have.
        let mut client = Client::client(Config::default());
        client.machine.limit_content(s(1), 1);
        client.gets("/");
        client.machine.limit_content(s(300), 0);
        client.hears("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
        assert_eq!(client.deadline(), Some((Deadline::Receive, s(300))));
        client.waits(s(299));
        assert_eq!(client.hears("x"), ["content x"]);
        assert_eq!(client.deadline(), Some((Deadline::Receive, s(300))), "any progress will do");
        assert_eq!(client.hears("yz"), ["content yz", "end"]);
        client.gets("/");
        client.hears("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
        assert_eq!(client.deadline(), Some((Deadline::Receive, s(10))));
        let mut client = sending(Config::default(), 1 << 20);
        every_second(300, |second| {
            assert_eq!(client.waits(second), NOTHING);
            client.machine.handle_sent(240, client.now);
            assert_eq!(client.deadline(), Some((Deadline::Send, s(10))));
        });
        every_second(18, |second| {
            assert_eq!(client.waits(second), NOTHING);
            client.machine.handle_sent(120, client.now);
        });
        assert_eq!(client.waits(s(1)), ["closed TimedOut(Send)"]);
    }

    #[test]
    pub(super) fn content_grace() {
        let mut client = receiving(Config::default(), 1000);
        every_second(10, |second| {
            assert_eq!(client.waits(second - A_BYTE), NOTHING);
            assert_eq!(client.hears("x"), ["content x"]);
        });
        let ending = ["refused ContentTimeout", "closed Failed(ContentTimeout)"];
        assert_eq!(client.passes(Deadline::Receive, A_BYTE * 20), ending);
        assert_eq!(sending(Config::default(), 1000).deadline(), Some((Deadline::Send, s(10))));
    }

    #[test]
    pub(super) fn idle() {
        let mut client = Client::client(Config::default());
        assert_eq!(client.deadline(), Some((Deadline::Idle, s(75))));
        client.waits(s(74));
        client.gets("/");
        assert_eq!(client.deadline().unwrap().0, Deadline::Head, "a response is awaited");
        client.hears("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(client.deadline().unwrap().0, Deadline::Receive);
        assert_eq!(client.hears("x"), ["content x", "end"]);
        assert_eq!(client.passes(Deadline::Idle, s(75)), ["closed TimedOut(Idle)"]);
        assert!(client.machine.interest().close);
        // Not while a request is on its way.
        let mut client = sending(Config::default(), 1 << 20);
        every_second(300, |second| {
            assert_eq!(client.waits(second), NOTHING);
            client.machine.handle_sent(1000, client.now);
        });
    }

    #[test]
    pub(super) fn expect() {
        let expecting = || {
            let mut client = Client::client(Config::default());
            let content = Content::Full(Bytes::from_static(b"abc"));
            client.requests("PUT", "/", &[("Expect", "100-continue")], content).unwrap();
            assert!(client.sends().ends_with("\r\n\r\n"), "the content waits");
            client
        };
        // RFC 9110 §10.1.1: not for ever.
        let mut client = expecting();
        assert_eq!(client.passes(Deadline::Expect, s(1)), NOTHING);
        assert_eq!(client.sends(), "abc");
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))));
        // 100, and a final response, end the waiting.
        let mut client = expecting();
        assert_eq!(client.hears("HTTP/1.1 100 Continue\r\n\r\n"), ["interim 100"]);
        assert_eq!(client.sends(), "abc");
        assert_eq!(client.deadline(), Some((Deadline::Head, s(30))));
        let mut client = expecting();
        client.hears("HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(client.deadline().unwrap().0, Deadline::Receive);
        assert_eq!(client.sends(), "");
        // Another interim response does not.
        let mut client = expecting();
        client.hears("HTTP/1.1 103 Early Hints\r\n\r\n");
        assert_eq!(client.passes(Deadline::Expect, s(1)), NOTHING);
        assert_eq!(client.sends(), "abc");
        // Content that is streamed waits too.
        let mut client = Client::client(Config::default());
        client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Sized(3)).unwrap();
        client.sends();
        let piece = Bytes::from_static(b"abc");
        assert_eq!(client.machine.send_capacity(), 0);
        assert_eq!(client.machine.send_content(piece.clone(), client.now), Err(Misuse::Full));
        client.passes(Deadline::Expect, s(1));
        assert_eq!(client.machine.send_content(piece, client.now), Ok(()));
        assert_eq!(client.sends(), "abc");
    }

    #[test]
    pub(super) fn linger() {
        // The transport takes no more, but an answer may be there already (RFC 9112 §9.5).
        let mut client = sending(Config::default(), 1000);
        client.machine.handle_write_error(client.now);
        assert!(client.machine.interest().lend > 0 && !client.machine.interest().write);
        assert_eq!(client.passes(Deadline::Linger, s(5)), ["closed Broken"]);
        let mut client = sending(Config::default(), 1000);
        client.machine.handle_sent(500, client.now);
        client.machine.handle_write_error(client.now);
        client.waits(s(4));
        let told = client.hears("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(told, ["413", "end", "closed NotPersistent"]);
        // Without a request there is nothing to wait for.
        let mut client = Client::client(Config::default());
        client.machine.handle_write_error(client.now);
        assert_eq!(client.polls(), ["closed Broken"]);
    }

    #[test]
    pub(super) fn half_closed() {
        // A client has no such deadline: what its server has ended is complete, or lost.
        let mut client = Client::client(Config::default());
        client.gets("/");
        assert_eq!(client.ends(http_core::End::Clean), ["closed Unanswered"]);
        assert_eq!(client.deadline(), None);
    }

    #[test]
    fn s16_who_does_not_read_is_reset() {
        let mut client = sending(Config::default(), 1 << 20);
        assert_eq!(client.passes(Deadline::Send, s(10)), ["closed TimedOut(Send)"]);
        assert!(client.machine.interest().reset && client.machine.interest().close);
    }
}

/// The name of a field of `Timeouts`, and its test on a server and on a client.
struct Tested(&'static str, fn(), fn());

const TESTED: &[Tested] = &[
    Tested("head", server::head, client::head),
    Tested("content", server::content, client::content),
    Tested("write", server::write, client::write),
    Tested("content_rate", server::content_rate, client::content_rate),
    Tested("content_grace", server::content_grace, client::content_grace),
    Tested("idle", server::idle, client::idle),
    Tested("expect", server::expect, client::expect),
    Tested("linger", server::linger, client::linger),
    Tested("half_closed", server::half_closed, client::half_closed),
];

#[test]
fn every_timeout_is_tested_on_both_machines() {
    let names = TESTED.iter().map(|Tested(name, on_server, on_client)| {
        assert!(!std::ptr::fn_addr_eq(*on_server, *on_client), "{name}: each machine has a test of its own");
        *name
    });
    assert_eq!(fields_of(&Timeouts::default()), names.collect::<Vec<_>>());
}

#[test]
fn c22_the_longest_time_is_for_ever() {
    use http_core::{Content, Fields};
    use tests::scene::{Client, Server};
    let mut config = Config::default();
    let times = &mut config.timeouts;
    for time in [
        &mut times.head,
        &mut times.content,
        times.write.insert(Duration::MAX),
        &mut times.content_grace,
        &mut times.idle,
        &mut times.expect,
        &mut times.linger,
        &mut times.half_closed,
    ] {
        *time = Duration::MAX;
    }
    let ages = s(60 * 60 * 24 * 365 * 40);
    let mut server = Server::server(config.clone());
    for (bytes, told) in [
        ("POST / HTTP/1.1\r\nHost: a\r\n", vec![]),
        ("Content-Length: 2\r\n\r\n", vec!["POST /"]),
        ("a", vec!["content a"]),
        ("b", vec!["content b", "end"]),
    ] {
        assert_eq!(server.hears(bytes), told);
        server.wants();
        assert_eq!((server.deadline(), server.waits(ages)), (None, vec![]), "after {bytes:?}");
    }
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content("x".into(), server.now).unwrap();
    assert_eq!((server.deadline(), server.waits(ages)), (None, vec![]), "while nothing is taken");
    server.sends();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    server.sends();
    assert_eq!((server.polls(), server.deadline(), server.waits(ages)), (vec![], None, vec![]), "idle");

    let mut client = Client::client(config);
    assert_eq!((client.polls(), client.deadline(), client.waits(ages)), (vec![], None, vec![]));
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Full("x".into())).unwrap();
    client.sends();
    assert_eq!((client.polls(), client.deadline(), client.waits(ages)), (vec![], None, vec![]), "no 100");
    assert_eq!(client.hears("HTTP/1.1 100 Continue\r\n\r\n"), ["interim 100"]);
    client.sends();
    assert_eq!((client.deadline(), client.waits(ages)), (None, vec![]), "no response");

    // The limit of one response alone: what does not fit is for ever, too.
    let mut client = Client::client(Config::default());
    client.gets("/");
    client.machine.limit_response(Duration::MAX, client.now);
    assert_eq!((client.polls(), client.deadline(), client.waits(ages)), (vec![], None, vec![]));
}
