//! What two applications do: a list of exchanges, each with its request, its response, and the order of things.

use bytes::Bytes;
use http_core::{Content, Fields, Method, RequestHead, ResponseHead, StatusCode, Version};

use crate::source::Source;

/// How content is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    /// There is none.
    Empty,
    /// All of it at once.
    Full,
    /// Its length first.
    Sized,
    /// Nothing of it.
    Streaming,
}

/// Content, how it is announced, and the trailers behind it.
#[derive(Clone, Debug)]
pub struct Body {
    /// How it is announced.
    pub announce: Announce,
    /// What it is sent as.
    pub pieces: Vec<Bytes>,
    /// The trailer section.
    pub trailers: Fields,
}

impl Body {
    /// None.
    #[must_use]
    pub const fn empty() -> Self {
        Self { announce: Announce::Empty, pieces: vec![], trailers: Fields::new() }
    }

    /// These pieces, announced like this.
    #[must_use]
    pub fn new(announce: Announce, pieces: &[&str]) -> Self {
        let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect();
        Self { announce, pieces, trailers: Fields::new() }
    }

    /// With this trailer field.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push(name, value).expect("a good field");
        self
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// What a machine is told of it beforehand.
    #[must_use]
    pub fn content(&self) -> Content {
        match self.announce {
            Announce::Empty => Content::Empty,
            Announce::Full => Content::Full(Bytes::from(self.bytes())),
            Announce::Sized => Content::Sized(self.bytes().len() as u64),
            Announce::Streaming => Content::Streaming,
        }
    }
}

/// In which order a server's application reads and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It reads all of the request, then answers.
    ReadThenAnswer,
    /// It asks for the content and answers while that comes.
    Both,
    /// It answers, and then reads.
    AnswerThenRead,
    /// It answers and never asks for the content.
    AnswerOnly,
    /// It says that it does not want the content, and answers.
    Discard,
}

impl Order {
    /// Every order there is.
    pub const ALL: [Self; 5] =
        [Self::ReadThenAnswer, Self::Both, Self::AnswerThenRead, Self::AnswerOnly, Self::Discard];

    /// Whether the application asks for the content.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::ReadThenAnswer | Self::Both | Self::AnswerThenRead)
    }
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The head of the request.
    pub request: RequestHead,
    /// Its content.
    pub upload: Body,
    /// What the server's application does when.
    pub order: Order,
    /// The interim responses that it sends first.
    pub interim: Vec<ResponseHead>,
    /// The head of the response.
    pub response: ResponseHead,
    /// Its content.
    pub download: Body,
}

/// The field that tells exchanges apart.
pub const ID: &str = "X-Exchange";

impl Exchange {
    /// A request without content, answered 200 without content.
    ///
    /// # Panics
    /// If method and target do not fit.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let request = RequestHead::new(Method::from_bytes(method.as_bytes()).expect("a token"), target);
        Self {
            request: request.and_then(|head| head.with("Host", "example.com")).expect("a good head"),
            upload: Body::empty(),
            order: Order::ReadThenAnswer,
            interim: vec![],
            response: ResponseHead::new(StatusCode::OK),
            download: Body::empty(),
        }
    }

    /// With this field in the request.
    ///
    /// # Panics
    /// If the field is bad.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.request.fields_mut().push(name, value).expect("a good field");
        self
    }

    /// With this content of the request.
    #[must_use]
    pub fn upload(mut self, upload: Body) -> Self {
        self.upload = upload;
        self
    }

    /// As an HTTP/1.0 request.
    #[must_use]
    pub fn http10(mut self) -> Self {
        self.request = self.request.with_version(Version::Http10);
        self
    }

    /// In this order.
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// With this interim response.
    #[must_use]
    pub fn interim(mut self, status: u16, name: &str, value: &str) -> Self {
        self.interim.push(response(status).with(name, value).expect("a good field"));
        self
    }

    /// Answered with this status and content.
    #[must_use]
    pub fn answered(mut self, status: u16, download: Body) -> Self {
        self.response = response(status);
        self.download = download;
        self
    }

    /// With this field in the response.
    ///
    /// # Panics
    /// If the field is bad.
    #[must_use]
    pub fn answer_with(mut self, name: &str, value: &str) -> Self {
        self.response.fields_mut().push(name, value).expect("a good field");
        self
    }

    /// Whether it hands the connection over.
    #[must_use]
    pub fn switches(&self) -> bool {
        let status = self.response.status();
        status.as_u16() == 101 || self.request.method() == Method::Connect && status.is_success()
    }

    /// Whether the response has no content whatever its fields say.
    #[must_use]
    pub fn answers_without_content(&self) -> bool {
        let status = self.response.status().as_u16();
        self.request.method() == Method::Head || matches!(status, 101 | 204 | 304) || self.switches()
    }
}

fn response(status: u16) -> ResponseHead {
    ResponseHead::new(StatusCode::new(status).expect("a status"))
}

/// The exchanges of one connection, in order.
#[derive(Clone, Debug)]
pub struct Script {
    /// Each has its number in the field [`ID`].
    pub exchanges: Vec<Exchange>,
}

impl Script {
    /// These exchanges; each request is given its number.
    ///
    /// # Panics
    /// Never: the number is a good value.
    #[must_use]
    pub fn new(mut exchanges: Vec<Exchange>) -> Self {
        for (number, exchange) in exchanges.iter_mut().enumerate() {
            exchange.request.fields_mut().push(ID, number.to_string()).expect("a good field");
        }
        Self { exchanges }
    }

    /// Exchanges as these bytes choose them; the machines take all of them.
    #[must_use]
    pub fn choose(source: &mut Source<'_>) -> Self {
        let mut exchanges = Vec::new();
        for _ in 0..=source.below(5) {
            let exchange = choose_exchange(source);
            let last = exchange.switches();
            exchanges.push(exchange);
            if last || source.is_empty() {
                break;
            }
        }
        Self::new(exchanges)
    }
}

fn choose_exchange(source: &mut Source<'_>) -> Exchange {
    let method = source.pick(&["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE", "CONNECT"]);
    let target = match method {
        "CONNECT" => "example.com:80",
        "OPTIONS" => source.pick(&["*", "/o"]),
        _ => source.pick(&["/", "/a/b?c=d", "/%20;x=1", "http://example.com/absolute"]),
    };
    let mut exchange = Exchange::new(method, if method == "CONNECT" { "example.com:80" } else { target });
    if method == "CONNECT" {
        exchange.request.fields_mut().remove("host");
        exchange.request.fields_mut().push("Host", target).expect("a good field");
    }
    choose_fields(source, exchange.request.fields_mut(), "Connection: close");
    exchange.order = source.pick(&Order::ALL);
    let http10 = source.one_in(6);
    if method != "CONNECT" && source.one_in(2) {
        exchange.upload = choose_body(source);
        if http10 && exchange.upload.announce == Announce::Streaming {
            exchange.upload.announce = Announce::Sized;
            exchange.upload.trailers.clear();
        }
        if !exchange.upload.bytes().is_empty() && source.one_in(3) {
            exchange = exchange.with("Expect", "100-continue");
        }
    }
    if http10 {
        if source.one_in(2) {
            exchange = exchange.with("Connection", "keep-alive");
        }
        exchange = exchange.http10();
    } else {
        for _ in 0..source.below(8).saturating_sub(5) {
            let (name, value) = source.pick(&[("Link", "</x>; rel=preload"), ("X-Step", "1")]);
            exchange = exchange.interim(source.pick(&[102, 103]), name, value);
        }
    }
    let offers = exchange.upload.announce == Announce::Empty && method == "GET" && !http10 && source.one_in(6);
    if offers {
        exchange = exchange.with("Upgrade", "echo");
    }
    let status = source.pick(&[200, 200, 200, 201, 204, 304, 404, 413, 500, 205]);
    let bare = matches!(status, 204 | 205) || method == "CONNECT" && status < 300;
    exchange = exchange.answered(status, if bare { Body::empty() } else { choose_body(source) });
    if http10 {
        exchange.download.trailers.clear();
    }
    if exchange.answers_without_content() {
        // Trailers would be taken and dropped; what a client sees is nothing.
        exchange.download.trailers.clear();
    }
    if offers && source.one_in(2) {
        exchange = exchange.answered(101, Body::empty()).answer_with("Upgrade", "echo");
    }
    choose_fields(source, exchange.response.fields_mut(), "Connection: close");
    exchange
}

fn choose_fields(source: &mut Source<'_>, fields: &mut Fields, rare: &str) {
    for _ in 0..source.below(6).saturating_sub(2) {
        let name = source.pick(&["Accept", "X-A", "x-a", "Cookie", "A-Rather-Long-Name-Of-A-Field"]);
        let value = source.pick(&["", "1", "a, b", "\"quoted, text\"", "\u{e9}\t tab", "a=b; c=d"]);
        fields.push(name, value).expect("a good field");
    }
    if source.one_in(12) {
        let (name, value) = rare.split_once(": ").unwrap_or_default();
        fields.push(name, value).expect("a good field");
    }
}

fn choose_body(source: &mut Source<'_>) -> Body {
    let announce = source.pick(&[Announce::Full, Announce::Sized, Announce::Streaming, Announce::Streaming]);
    let pieces = (0..source.below(5)).map(|_| {
        let length = source.pick(&[1, 2, 9, 16, 255, 2048, 2049, 5000, 20_000]);
        let first = source.byte();
        (0..length).map(|at| first.wrapping_add((at % 251) as u8)).collect()
    });
    let mut body = Body { announce, pieces: pieces.collect(), trailers: Fields::new() };
    if announce == Announce::Streaming && source.one_in(3) {
        body = body.trailer("X-Sum", "1f").trailer("X-Two", "");
    }
    body
}
