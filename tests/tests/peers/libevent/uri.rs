//! The `parse_uri` rows, as far as a request target can be one: against `Target` and the authority.

use http_core::{Config, Method, RequestHead, Target};
use tests::scene::serve;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn parse_uri() {
    // (target, scheme, authority, path, query)
    for (target, scheme, authority, path, query) in [
        ("http://www.test.com/?q=test", "http", "www.test.com", "/", Some("q=test")),
        ("http://www.test.com:8080/", "http", "www.test.com:8080", "/", None),
        ("http://www.test.com:/", "http", "www.test.com:", "/", None),
        ("https://www.test.com", "https", "www.test.com", "", None),
        ("http://www.test.com?q", "http", "www.test.com", "", Some("q")),
        ("HTTP://WWW.Test.com/A", "HTTP", "WWW.Test.com", "/A", None),
        ("ftp://www.test.com/a//b", "ftp", "www.test.com", "/a//b", None),
        ("a+b-c.d1://x/", "a+b-c.d1", "x", "/", None),
        ("http://%66oo/", "http", "%66oo", "/", None),
        ("http://1.2.3.4:80/", "http", "1.2.3.4:80", "/", None),
        ("http://[::1]/", "http", "[::1]", "/", None),
        ("http://[ff00::127.0.0.1]:99/a?b?c", "http", "[ff00::127.0.0.1]:99", "/a", Some("b?c")),
        ("http://[vF.abc:1]/", "http", "[vF.abc:1]", "/", None),
        ("http://a/%2f%zz?%", "http", "a", "/%2f%zz", Some("%")),
    ] {
        let head = RequestHead::new(Method::Get, target).unwrap();
        let Some(Target::Absolute { scheme: s, authority: a, path: p, query: q }) = head.target_form() else {
            panic!("{target} is {:?}", head.target_form());
        };
        assert_eq!((text(s), text(a), text(p), q.map(text)), (scheme, authority, path, query), "{target}");
        // What it was made from is what is sent.
        assert_eq!(text(head.target()), target);
        assert_eq!(head.authority().map(text), Some(authority));
        let told = serve(&Config::default(), format!("GET {target} HTTP/1.1\r\nHost: other\r\n\r\n"));
        assert_eq!(told, [&format!("GET {target}"), "end", "answers 200"]);
    }
    for (target, path, query) in [
        ("/", "/", None),
        ("/a/b?q=%20&x", "/a/b", Some("q=%20&x")),
        ("/?", "/", Some("")),
        ("//double", "//double", None),
        ("/a:b@c;d=e,f!$&'()*+", "/a:b@c;d=e,f!$&'()*+", None),
        ("/..//.", "/..//.", None),
    ] {
        let head = RequestHead::new(Method::Get, target).unwrap();
        let form = head.target_form().unwrap();
        assert_eq!((text(form.path()), form.query().map(text), form.authority()), (path, query, None), "{target}");
    }
}

#[test]
fn parse_uri_bad() {
    for target in [
        "",
        "www.test.com/foo",
        "99:99/foo",
        "h%3ttp://www.test.com/",
        "://www.test.com/",
        "http:/www.test.com",
        "http:www.test.com",
        "http://",
        "http:///a",
        "http://:80/",
        "http://user@www.test.com/",
        "http://user:pass@[::1]/",
        "http://www.test.com:65536/",
        "http://www.test.com:80a/",
        "http://www.test.com:-1/",
        "http://www.%7test.com/",
        "http://[::1/",
        "http://[www.test.com]/",
        "http://[::1]x/",
        "http://[1.2.3.4]/",
        "http://[v.a]/",
        "http://a b/",
        "http://www.test.com/ why hello",
        "http://www.test.com/why-hello\x01",
        "http://www.test.com/why-hello?\x01",
        "http://www.test.com/a#fragment",
        "/a#fragment",
        "/\u{e9}",
        "/a\tb",
        "a?b",
        "?b",
    ] {
        assert!(RequestHead::new(Method::Get, target).is_err(), "{target:?}");
        let told = serve(&Config::default(), format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(told[1..], ["answers 400", "closes"], "{target:?}: {told:?}");
    }
}

#[test]
fn parse_uri_nc() {
    // What evhttp takes only when told to be nonconformant: the preset does, but for spaces and control characters.
    for target in ["/a\"b", "/{}|^`", "/a<b>", "/\u{e9}", "/a#b"] {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(serve(&Config::evhttp(), &bytes)[1..], ["end", "answers 200"], "{target}");
        assert_eq!(serve(&Config::default(), &bytes)[1..], ["answers 400", "closes"], "{target}");
    }
    for target in ["/a\x01", "/a\x7f", "/a b"] {
        let told = serve(&Config::evhttp(), format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(told[1..], ["answers 400", "closes"], "{target:?}");
    }
}
