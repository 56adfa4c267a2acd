//! Faults of ours that are known and will be mended. A line that covers nothing any more fails, so that the mend takes
//! it away. What is agreed to is not looked for here.

use crate::agreed::{Line, axum, both, tower};

#[rustfmt::skip]
pub(crate) const PENDING: &[Line] = &[
    both("odd/204* odd-head/204-c* odd-head/204-l* odd-1.0/204* odd-1.0-kept/204* odd-close/204*", "answers", "500",
        "204",
        "S4, S24: what an answer without content may not carry is left out"),
    tower("odd-head/204-s*", "answers", "500", "204", "S24"),
    axum("odd-head/204 odd-layered/204* no-content*", "answers", "500", "204", "S4"),
    both("odd/204* odd-head/204-c* odd-head/204-l* odd-1.0-kept/204*", "fate", "Ended", "Kept", "S4, S24"),
    tower("odd-head/204-s*", "fate", "Ended", "Kept", "S24"),
    axum("odd-head/204 odd-layered/204* no-content no-content-delete no-content-head no-content-with-content", "fate",
        "Ended", "Kept", "S4"),
    axum("no-content-100k", "fate", "Ended", "Lost", "S4"),
    axum("pipelined-no-content", "answers", "500", "204 304 200", "S4"),
    axum("pipelined-no-content one-by-one-statuses", "fate", "Ended", "Kept", "S4"),
    axum("one-by-one-statuses", "answers", "500", "204 304 205", "S4, S5"),

    both("odd/205-* odd-1.0*/205-* odd-close/205-*", "answers", "500", "205", "S5: 205 with length 0"),
    tower("odd-head/205-*", "answers", "500", "205", "S5"),
    tower("odd-head/205-*", "fate", "Ended", "Kept", "S5"),
    axum("odd-layered/205-*", "answers", "500", "205", "S5"),
    both("odd/205-length-5 odd-1.0*/205-length-5 odd-close/205-length-5", "answers", "500", "none",
        "S5: 205 with length 0"),
    axum("odd-layered/205-length-5", "answers", "500", "none", "S5"),
    both("odd/205-* odd-1.0-kept/205-*", "fate", "Ended", "Kept", "S5"),
    axum("odd-layered/205-*", "fate", "Ended", "Kept", "S5"),
    axum("not-modified", "content-length", "0", "(absent)", "S5: left out in 304"),
    axum("switching-asked ws ws-with-content ws-bytewise ws-after-101 ws-half-closed", "answers", "500", "101",
        "S5: 101 through a router, which adds a length"),

    axum("ws-pipelined", "answers", "200 500", "200 101", "S5"),
    axum("tunnel-answer-with-length", "*", "*", "*", "S24: 2xx to CONNECT with a length; hyper ends the connection"),

    both("odd*/hint-shorter", "*", "*", "*", "S6: abandoned at once"),
    axum("(all)", "held", "8", "0", "S6: connections that never end, though their clients have left"),
    tower("(all)", "held", "7", "0", "S6"),

    both("odd-first/204-s* odd-first/204-l* odd-first/204-c*", "answers", "500", "204 200", "S4, S24"),
    both("odd-second/204-s* odd-second/204-l* odd-second/204-c*", "answers", "200 500", "200 204", "S4, S24"),
    both("odd-post/204-s* odd-post/204-l* odd-post/204-c*", "answers", "500", "204", "S4, S24"),
    both("odd-first/204* odd-second/204* odd-post/204*", "fate", "Ended", "Kept", "S4, S24"),
    axum("odd-first/204", "answers", "500", "204 200", "S4"),
    axum("odd-second/204", "answers", "200 500", "200 204", "S4"),
    axum("odd-post/204", "answers", "500", "204", "S4"),
    both("odd-first/205-*", "answers", "500", "205 200", "S5"),
    both("odd-second/205-*", "answers", "200 500", "200 205", "S5"),
    both("odd-post/205-*", "answers", "500", "205", "S5"),
    both("odd-first/205-length-5 odd-post/205-length-5", "answers", "500", "none", "S5"),
    both("odd-second/205-length-5", "answers", "200 500", "200", "S5"),
    both("odd-first/205-* odd-second/205-* odd-post/205-*", "fate", "Ended", "Kept", "S5"),
    both("odd-second/205-length-5", "fate", "Ended", "Lost", "S5"),
    both("odd*/304-length-0", "rule", "*", "", "S5: the length in 304"),
    axum("odd*/304 not-modified", "rule", "*", "", "S5"),

    both("expect-other", "rule", "*", "", "S8: 417 ends the connection while content may come"),
    axum("connect connect-followed", "rule", "*", "", "S9: a refused CONNECT ends the connection"),

    axum("json-cut echo-cut echo-chunked-cut echo-chunked-no-end", "answers", "none", "400",
        "S12: a client that ends inside its content: what the handler answers is sent"),
    axum("sink-cut sink-chunk-cut", "answers", "none", "500", "S12"),
    tower("echo-cut echo-chunked-cut echo-chunked-no-end", "answers", "none", "400", "S12"),
    tower("sink-cut sink-chunk-cut", "answers", "none", "500", "S12"),
    both("expect-never", "answers", "100", "100 500", "S12"),

    axum("handed-on", "*", "*", "*", "S13: content that a task still holds when the answer is out is read on"),

    axum("target-as-browsers target-path-as-browsers", "*", "*", "*", "S17: targets as browsers write them"),

    both("odd-1.0*/te-chunked odd-1.0*/te-chunked-* odd-1.0*/te-upper odd-1.0*/te-and-length* odd-1.0*/304-chunked",
        "*", "*", "*", "S23: for an HTTP/1.0 client the coding is dropped"),
    both("odd/te-chunked odd/te-chunked-empty odd/te-and-length* odd-close/te-chunked odd-close/te-chunked-empty \
         odd-close/te-and-length* odd-head/te-chunked odd-head/te-chunked-empty odd-head/te-and-length*",
        "*", "*", "*", "S23: one framing is sent"),
    both("odd-first/te-chunked odd-first/te-chunked-empty odd-first/te-and-length* odd-second/te-chunked \
         odd-second/te-chunked-empty odd-second/te-and-length* odd-post/te-chunked odd-post/te-chunked-empty \
         odd-post/te-and-length*", "*", "*", "*", "S23: one framing is sent"),
    axum("odd-layered/te-chunked odd-layered/te-chunked-empty odd-layered/te-and-length*", "*", "*", "*", "S23"),
    both("odd/te-gzip* odd-head/te-gzip* odd-close/te-gzip* odd-first/te-gzip* odd-second/te-gzip* odd-post/te-gzip*",
        "*",
        "*", "*", "sibling of S23: a coding of the handler's without chunked behind it is 500; hyper adds chunked"),
    axum("odd-layered/te-gzip*", "*", "*", "*", "sibling of S23"),
    both("odd*/te-twice", "*", "*", "*", "sibling of S23: chunked twice is chunked once"),
    both("odd*/length-twice", "*", "*", "*",
        "sibling of S23: the same length twice is 500 after the handler took effect"),

    both("odd-1.0/connection-keep-alive", "*", "*", "*", "S25: close alone where we close"),
    both("odd-close/connection-keep-alive odd*/connection-both", "rule", "*", "", "S25: close and keep-alive"),
    axum("ws-axum", "*", "*", "*", "S26"),
    axum("panic-pipelined", "*", "*", "*",
        "a handler that panics takes complete answers along that are not written yet"),
    both("odd-second/body-panics-at-once odd-second/body-panics-midway", "*", "*", "*",
        "a body that panics does the same"),
];
