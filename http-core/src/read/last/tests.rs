//! What is inherited from the last head, and what is not.

use alloc::string::String;
use alloc::{format, vec};

use super::*;
use crate::config::Config;
use crate::message::facts::Facts;
use crate::read::fast;

/// Reads a request with this section, and returns what was inherited: the lengths of the runs.
fn read(last: &mut Last, section: &str) -> Vec<usize> {
    read_behind("GET / HTTP/1.1\r\n", last, section)
}

fn read_behind(start_line: &str, last: &mut Last, section: &str) -> Vec<usize> {
    let wire = [start_line, section, "\r\n"].concat().into_bytes();
    let (mut place, mut lines, mut runs) = (place_in(last), Vec::new(), Vec::new());
    let mut rest = section.as_bytes();
    while !rest.is_empty() {
        let equal = last.inherit(rest, start_line.len(), &mut place, &mut lines);
        let length = match equal {
            0 => rest.iter().position(|&byte| byte == b'\n').unwrap() + 1,
            run => {
                runs.push(run);
                run
            }
        };
        if equal == 0 {
            let colon = rest.iter().position(|&byte| byte == b':').unwrap();
            last.was_read(Common::of(&rest[..colon]), &mut place);
        }
        rest = &rest[length..];
    }
    let (mut fields, mut facts) = (Fields::new(), Facts::default());
    let mut place = Place::nowhere();
    fast::request(&wire, &Config::default(), last, &mut place, &mut fields, &mut facts).unwrap();
    last.remember(&fields, Some(&place));
    runs
}

/// Where a head begins that is compared with the last one.
fn place_in(last: &Last) -> Place {
    if last.has_lines() { Place::first() } else { Place::nowhere() }
}

const HEAD: &str = "Host: example.com\r\nAccept: */*\r\nUser-Agent: somebody\r\nConnection: keep-alive\r\n";

/// A connection that has read `HEAD` twice, so that it is remembered.
fn last() -> Last {
    let mut last = Last::default();
    assert!(read(&mut last, HEAD).is_empty() && read(&mut last, HEAD).is_empty());
    last
}

#[test]
fn what_is_equal_is_inherited_from_the_third_head_on() {
    let mut last = last();
    for _ in 0..3 {
        assert_eq!(read(&mut last, HEAD), [HEAD.len()]);
    }
    last.forget();
    assert!(read(&mut last, HEAD).is_empty() && read(&mut last, HEAD).is_empty());
    assert_eq!(read(&mut last, HEAD), [HEAD.len()]);
}

#[test]
fn what_is_equal_around_a_difference_is_inherited() {
    let (host, accept) = ("Host: example.com\r\n".len(), "Accept: */*\r\n".len());
    for (head, runs) in [
        (HEAD.replace("*/*", "*/a"), vec![host, HEAD.len() - host - accept]),
        (HEAD.replace("Accept: */*\r\n", ""), vec![host, "Connection: keep-alive\r\n".len()]),
        (HEAD.replace("Accept", "Referer: a\r\nX-Other: b\r\nAccept"), vec![host, HEAD.len() - host]),
        (HEAD.replace("example", "other"), vec![HEAD.len() - host]),
        (HEAD.replace("keep-alive", "Keep-Alive"), vec![HEAD.len() - "Connection: keep-alive\r\n".len()]),
    ] {
        let mut last = last();
        assert_eq!(read(&mut last, &head), runs, "{head}");
        // It is the last head now, which inherits all but its unknown names.
        let again: usize = read(&mut last, &head).iter().sum();
        let other = if head.contains("X-Other") { "X-Other: b\r\n".len() } else { 0 };
        assert_eq!(again, head.len() - other, "{head}");
    }
}

#[test]
fn what_has_changed_is_compared_by_itself_and_remembered_as_it_is() {
    let mut last = last();
    let (before, behind) = ("Host: example.com\r\n".len(), HEAD.len() - HEAD.find("User").unwrap());
    // Values of any length, and one that comes again, but for the last head's none.
    for value in ["a/a", "text/html", "b", "text/html", "c/c", "c/d"] {
        let head = HEAD.replace("*/*", value);
        assert_eq!(read(&mut last, &head), [before, behind], "{value}");
    }
    let head = HEAD.replace("*/*", "c/d");
    assert_eq!(read(&mut last, &head), [before, head.len() - before]);
    // Two at once; then one that had not changed is seen to be another one as well.
    let head = HEAD.replace("*/*", "x").replace("keep-alive", "close");
    assert_eq!(read(&mut last, &head), [before, "User-Agent: somebody\r\n".len()]);
    let head = HEAD.replace("*/*", "x").replace("keep-alive", "close").replace("somebody", "nobody");
    let (accept, connection) = ("Accept: x\r\n".len(), "Connection: close\r\n".len());
    assert_eq!(read(&mut last, &head), [before, accept, connection]);
    let remembered = last.0.as_ref().unwrap();
    assert_eq!((&remembered.section[..], remembered.stops, remembered.read), (head.as_bytes(), 0b1110, 0));
    // Other names: nothing is known of what changes among them.
    drop(read(&mut last, &HEAD.replace("User-Agent", "Via")));
    assert_eq!(last.0.as_ref().unwrap().stops, 0);
}

#[test]
fn start_lines_are_of_any_length() {
    let mut last = last();
    let (before, behind) = ("Host: example.com\r\n".len(), HEAD.len() - HEAD.find("User").unwrap());
    for (target, value) in [("/abc", "a"), ("/", "b"), ("/abcdef", "b"), ("/a", "c"), ("/a", "d")] {
        let (start_line, head) = (format!("GET {target} HTTP/1.1\r\n"), HEAD.replace("*/*", value));
        let again =
            if target == "/abcdef" { vec![before, behind + "Accept: b\r\n".len()] } else { vec![before, behind] };
        assert_eq!(read_behind(&start_line, &mut last, &head), again, "{target}");
        let wire = [&start_line, &head[..], "\r\n"].concat().into_bytes();
        assert_eq!(told(&last, &wire), told(&Last::default(), &wire));
    }
}

#[test]
fn where_the_rest_was_not_compared_the_head_is_remembered_anew() {
    let head = [HEAD, "Dnt: 1\r\nVia: 1.1 a\r\n"].concat();
    let mut last = Last::default();
    (0..2).for_each(|_| drop(read(&mut last, &head)));
    let other = head.replace("*/*", "a").replace("somebody", "b").replace("keep-alive", "c");
    assert_eq!(read(&mut last, &other), ["Host: example.com\r\n".len()]);
    assert_eq!(last.0.as_ref().unwrap().stops, 0);
    assert_eq!(read(&mut last, &other), [other.len()]);
    // Nor is it the same head where lines at its end are left out.
    assert_eq!(read(&mut last, HEAD.trim_end_matches("Connection: keep-alive\r\n")), ["Host: example.com\r\n".len()]);
    assert_eq!(last.0.as_ref().unwrap().lines.len(), 3);
}

#[test]
fn what_grows_beyond_the_bound_is_not_remembered() {
    let mut last = last();
    let long = HEAD.replace("*/*", &"a".repeat(MOST_BYTES));
    assert_eq!(read(&mut last, &long).len(), 2);
    assert!(last.0.as_ref().unwrap().section.is_empty() && last.capacity() <= Last::MOST);
}

#[test]
fn secrets_and_unknown_names_are_never_inherited() {
    for secret in ["Cookie", "Authorization", "Proxy-Authorization", "Set-Cookie", "X-Api-Key", "X-A"] {
        let (before, line, behind) = ("Host: a\r\nAccept: b\r\n", format!("{secret}: 123456\r\n"), "User-Agent: c\r\n");
        let head = [before, &line, behind].concat();
        let mut last = Last::default();
        for times in 0..4 {
            let runs = read(&mut last, &head);
            assert!(if times < 2 { runs.is_empty() } else { runs == [before.len(), behind.len()] }, "{secret}");
        }
    }
}

#[test]
fn what_was_always_read_of_one_head_is_not_of_another() {
    let mut last = Last::default();
    (0..3).for_each(|_| drop(read(&mut last, "X-A: 1\r\nHost: a\r\nX-B: 2\r\n")));
    (0..2).for_each(|_| drop(read(&mut last, HEAD)));
    assert_eq!(read(&mut last, HEAD), [HEAD.len()]);
}

#[test]
fn what_is_always_read_is_not_compared_in_vain() {
    let (before, secrets) = ("Host: a.example\r\n", "Cookie: a=123456\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\nX-D: 4\r\n");
    let behind = "User-Agent: somebody\r\n";
    let head = [before, secrets, behind].concat();
    let mut last = Last::default();
    (0..2).for_each(|_| assert!(read(&mut last, &head).is_empty()));
    assert_eq!(read(&mut last, &head), [before.len(), behind.len()]);
}

#[test]
fn secrets_stay_out_of_debug() {
    let mut last = Last::default();
    assert_eq!(format!("{last:?}"), "Last(0 lines)");
    (0..3).for_each(|_| drop(read(&mut last, "Host: a\r\nCookie: secret\r\n")));
    assert_eq!(format!("{last:?}"), "Last(2 lines)");
}

#[test]
fn a_fold_is_not_passed_over() {
    let last = last();
    for fold in [" ", "\t"] {
        let (mut place, mut lines) = (place_in(&last), Vec::new());
        let folded = [HEAD, fold, "a\r\n\r\n"].concat();
        assert_eq!(last.inherit(folded.as_bytes(), 16, &mut place, &mut lines), 0);
        assert!(lines.is_empty());
    }
}

#[test]
fn nothing_is_kept_of_heads_that_have_nothing_in_common() {
    let mut last = last();
    let heads = (0..2 * u32::from(ONE_OF)).map(|number| format!("Host: a{number}\r\nAccept: {number:09}\r\n"));
    let kept: usize = heads
        .map(|head| {
            assert!(read(&mut last, &head).is_empty());
            usize::from(!last.0.as_ref().unwrap().lines.is_empty())
        })
        .sum();
    assert!((4..8).contains(&kept), "{kept}");
    for _ in 0..ONE_OF {
        read(&mut last, HEAD);
    }
    assert_eq!(read(&mut last, HEAD), [HEAD.len()]);
}

#[test]
fn its_memory_is_bounded() {
    let mut last = Last::default();
    let line = "Accept: a\r\n";
    for (lines, kept) in [(MOST_LINES, MOST_LINES), (MOST_LINES + 1, 0)] {
        let head = line.repeat(lines);
        (0..3).for_each(|_| drop(read(&mut last, &head)));
        assert_eq!(last.0.as_ref().unwrap().lines.len(), kept);
    }
    let long = format!("Accept: {}\r\n", "a".repeat(MOST_BYTES));
    (0..3).for_each(|_| drop(read(&mut last, &long)));
    assert!(last.0.as_ref().unwrap().section.is_empty());
    assert!(last.capacity() <= Last::MOST, "{}", last.capacity());
}

#[test]
fn bytes_in_common_are_counted() {
    let a: Vec<u8> = (0..100).collect();
    for length in 0..100 {
        for differs in 0..=length {
            let mut b = a.clone();
            b[differs] ^= 1;
            assert_eq!(common(&a[..length], &b), differs.min(length));
            assert_eq!(common(&b, &a[..length]), differs.min(length));
        }
    }
}

/// What the fast reader makes of a head, on a connection that has read others or none.
fn told(last: &Last, wire: &[u8]) -> Option<(String, Vec<u8>)> {
    let (mut fields, mut facts) = (Fields::new(), Facts::default());
    let line = fast::request(wire, &Config::default(), last, &mut Place::nowhere(), &mut fields, &mut facts)?;
    let lines: Vec<_> = fields.raw().collect();
    Some((format!("{line:?} {lines:?} {facts:?}"), fields.block))
}

#[test]
fn one_octet_that_differs_anywhere_is_seen() {
    let head = [HEAD, "Cookie: a\r\nTransfer-Encoding: chunked\r\nAuthorization: b\r\nVia: 1.1 c\r\n"].concat();
    let mut last = Last::default();
    (0..2).for_each(|_| drop(read(&mut last, &head)));
    differs_anywhere(&last, &head);
    // And where lines were others, which are compared by themselves.
    for (line, other) in [("*/*", "text/html"), ("1.1 c", "1.1 other")] {
        drop(read(&mut last, &head.replace(line, other)));
    }
    drop(read(&mut last, &head));
    assert!(last.0.as_ref().is_some_and(|last| last.stops != last.read && last.steady));
    differs_anywhere(&last, &head);
}

#[test]
fn whatever_came_before_a_head_is_read_as_it_is() {
    let names =
        ["Host", "Accept", "Cookie", "User-Agent", "Connection", "Referer", "X-A", "a", "Content-Length", "Via"];
    let values = ["a", "bb", "c, close", "keep-alive", "text/html, and whatever else there may be of it;q=0.1", "7"];
    let (mut last, mut alike, mut seed) = (Last::default(), 0, 1_u32);
    let mut random = |most: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as usize % most
    };
    let mut lines = [0; 10];
    for round in 0..20_000 {
        // A few lines change, or all, or some are left out or stand elsewhere.
        let changes = [0, 1, 2, 3, 10][random(5)];
        (0..changes).for_each(|_| lines[random(10)] = random(values.len()));
        let (from, without) = if round % 16 < 12 { (0, 10) } else { (random(2), random(10)) };
        let mut head = String::new();
        for line in (from..10).chain(0..from).filter(|line| *line != without) {
            head += &format!("{}: {}\r\n", names[line], values[lines[line]]);
        }
        if random(20) == 0 {
            head += " a fold\r\n";
        }
        let wire = format!("GET /{} HTTP/1.1\r\n{head}\r\n", "a".repeat(random(3))).into_bytes();
        let found = told(&last, &wire);
        assert!(found.is_none() || found == told(&Last::default(), &wire), "{found:?}, {}", wire.escape_ascii());
        alike += usize::from(found.is_some() && last.0.as_ref().is_some_and(|last| last.steady));
        let (mut fields, mut facts) = (Fields::new(), Facts::default());
        let mut place = Place::nowhere();
        let read = fast::request(&wire, &Config::default(), &last, &mut place, &mut fields, &mut facts);
        last.remember(&fields, read.map(|_| &place));
    }
    assert!(alike > 5000, "{alike}");
}

fn differs_anywhere(last: &Last, head: &str) {
    let wire = [b"GET / HTTP/1.1\r\n", head.as_bytes(), b"\r\n"].concat();
    assert_eq!(told(last, &wire), told(&Last::default(), &wire));
    let mut inherited = 0;
    for at in 0..wire.len() {
        for octet in [&b""[..], b"x", b"\r", b"\n", b" ", b"\t", b":", b",", b"\0", b"\xff", b"\r\n", b"\r\n "] {
            for taken in [0, 1] {
                let other = [&wire[..at], octet, &wire[at + taken..]].concat();
                let (found, expected) = (told(last, &other), told(&Last::default(), &other));
                // What is declined the checker reads; what only a connection with a past takes nobody has looked at.
                assert!(found.is_none() || found == expected, "{}: {found:?}", other.escape_ascii());
                inherited += usize::from(found.is_some());
            }
        }
    }
    assert!(inherited > 1000, "{inherited}");
}

#[test]
fn what_stands_between_two_secrets_is_inherited_and_they_are_not() {
    let parts = ["Host: a\r\n", "Cookie: 1\r\n", "Accept: b\r\nVia: 1.1 c\r\n", "Authorization: 2\r\n", "Dnt: 1\r\n"];
    let (head, mut last) = (parts.concat(), Last::default());
    (0..2).for_each(|_| drop(read(&mut last, &head)));
    assert_eq!(read(&mut last, &head), [parts[0].len(), parts[2].len(), parts[4].len()]);
}
