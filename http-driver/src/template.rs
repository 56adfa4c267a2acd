//! The map of fields of a connection's last messages, from which the next one's is made: peers repeat themselves.
//!
//! A map is a table of hashes that costs more to fill than to clone. So the map of a request whose names are those of
//! one before is a clone of that one's, in which the values that differ are replaced. It equals one that was built
//! anew, in its order as well; what an application does with it does not come back here.

use bytes::Bytes;
use http::Uri;
use http::header::{HeaderMap, HeaderValue};
use http_core::{Fields, RequestHead};

use crate::block::{Block, filled, position};
use crate::names;

/// The most octets of lines that a template is made of, and so the most that a value of it keeps in memory.
const LARGEST: usize = 2048;

/// The most fields that it has.
const MOST_FIELDS: usize = 32;

/// The most values that are replaced in it; a map in which more of them differ is built.
const MOST_DIFFERING: usize = 16;

/// The longest target that is kept.
const LONGEST_TARGET: usize = 256;

/// How many maps are built, at most, before a template is made again.
const MOST_PATIENCE: u8 = 64;

/// What a connection remembers of the requests that it has read, or of the responses, to make the next one's map of
/// fields.
///
/// What proves who somebody is, and values of fields that nobody knows, are not among it: they are always read, so that
/// they stay in memory no longer than what the application makes of them, and what a request costs tells nothing about
/// them. Nor is a target that has a query.
///
/// A template is made of the second request in a row that none fits. Each that did not fit before it is replaced
/// doubles how many that takes, until one fits twice in a row: whoever says something else each time pays next to
/// nothing.
pub(crate) struct Templates {
    template: Option<Box<Template>>,
    /// How many maps were built since the template last fitted.
    built: u8,
    /// How many more than one are built before a template is made.
    patience: u8,
    /// Whether the template has fitted.
    fitted: bool,
}

impl Templates {
    /// Nothing, yet.
    pub(crate) const NONE: Self = Self { template: None, built: 0, patience: 1, fitted: true };

    /// The map of a head, and its target; nothing if they have to be built. `changed` are the lines that are not as in
    /// the head before, of which a map was made or built here, if that is known.
    #[inline]
    pub(crate) fn made(&mut self, head: &RequestHead, changed: Option<u64>) -> Option<Made> {
        self.made_of(head.fields(), head.target(), changed)
    }

    /// The map of the fields of a response; nothing if it has to be built.
    pub(crate) fn map(&mut self, fields: &Fields) -> Option<HeaderMap> {
        // The same again, as most responses of an origin are but for a date: nothing but the map is to be made.
        if let (Some(template), true, 0) = (&self.template, self.fitted, self.built) {
            if template.own == 0 && template.fitted && fields.as_wire() == template.lines.as_wire() {
                self.patience = 1;
                return Some(template.map.clone());
            }
        }
        self.made_of(fields, b"", None).map(|made| made.headers)
    }

    #[inline]
    fn made_of(&mut self, fields: &Fields, target: &[u8], changed: Option<u64>) -> Option<Made> {
        // In one place, so that what is large is not moved.
        let mut made = match &mut self.template {
            Some(template) => template.made(fields, target, changed),
            None => None,
        };
        if made.is_some() {
            if self.fitted && self.built == 0 {
                self.patience = 1;
            }
            (self.built, self.fitted) = (0, true);
        } else if self.built < self.patience {
            self.built += 1;
        } else {
            made = self.learn(fields, target);
        }
        made
    }

    #[inline(never)]
    fn learn(&mut self, fields: &Fields, target: &[u8]) -> Option<Made> {
        if !self.fitted {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
        (self.built, self.fitted) = (0, false);
        self.template = Template::of(fields, target).map(Box::new);
        self.template.as_mut()?.made(fields, target, None)
    }
}

/// What a template makes of a head.
pub(crate) struct Made {
    pub(crate) headers: HeaderMap,
    pub(crate) target: MadeTarget,
}

/// A head's target: what a template has of it, or what has to be parsed.
pub(crate) enum MadeTarget {
    Known(Uri),
    New(Bytes),
}

struct Template {
    /// The lines that `map` was built of, with no value where it may not be kept.
    lines: Fields,
    /// Where the parts of each of them end.
    ends: Box<[Ends]>,
    map: HeaderMap,
    target: Option<Uri>,
    /// Lines whose values are always the head's own, a bit for each, and that the map has no values of: what may not be
    /// kept, and what has differed, for it will again.
    own: u64,
    /// The head before had the names and all other values.
    fitted: bool,
}

/// Lines that are not the template's: `rest`, which should be as its own `from` on, which begin the line with this
/// number.
struct Differing<'a> {
    rest: &'a [u8],
    from: usize,
    number: usize,
}

/// Where the parts of a line end, counted from the beginning of the section.
struct Ends {
    /// Its name, with the colon.
    name: usize,
    /// All of it, with its CRLF.
    line: usize,
}

impl Template {
    fn of(fields: &Fields, target: &[u8]) -> Option<Self> {
        if fields.len() > MOST_FIELDS {
            return None;
        }
        let mut lines = Fields::new();
        let mut ends = Vec::with_capacity(fields.len());
        let mut own = 0;
        for (number, (name, value)) in fields.raw().enumerate() {
            let may_be_kept = names::may_be_kept(name, value);
            own |= u64::from(!may_be_kept) << number;
            let begin = lines.as_wire().len();
            lines.push(name, if may_be_kept { value } else { b"" }).ok()?;
            ends.push(Ends { name: begin + name.len() + 1, line: lines.as_wire().len() });
            if lines.as_wire().len() > LARGEST {
                return None;
            }
        }
        let map = Block::of(lines.as_wire()).map(&lines)?;
        // The values of one name do not lie where their lines do.
        let in_order = map.keys_len() == ends.len();
        in_order.then(|| Self { lines, ends: ends.into(), map, target: kept_target(target), own, fitted: false })
    }

    #[inline]
    fn made(&mut self, fields: &Fields, target: &[u8], changed: Option<u64>) -> Option<Made> {
        let known = self.target.as_ref().filter(|uri| uri.path().as_bytes() == target).cloned();
        let before = if known.is_some() { &[][..] } else { target };
        let changed = changed.filter(|_| self.fitted);
        self.fitted = false;
        let is_same =
            self.own == 0 && changed.map_or_else(|| fields.as_wire() == self.lines.as_wire(), |lines| lines == 0);
        let (headers, block) = if is_same {
            (self.map.clone(), Bytes::copy_from_slice(before))
        } else {
            self.mended(fields, changed, before)?
        };
        self.fitted = true;
        Some(Made { headers, target: known.map_or(MadeTarget::New(block), MadeTarget::Known) })
    }

    /// The map of a section that is not the template's own, and `before` as a part of the block of its values; nothing
    /// if its names are others, or if it is so short that values of the template would keep much more than it in
    /// memory.
    fn mended(&mut self, fields: &Fields, changed: Option<u64>, before: &[u8]) -> Option<(HeaderMap, Bytes)> {
        if fields.len() != self.ends.len() || self.lines.as_wire().len() / 2 > fields.as_wire().len() {
            return None;
        }
        let mut values = [&[][..]; MOST_DIFFERING];
        let count = match changed {
            Some(changed) => self.values_of(fields, changed, &mut values)?,
            None => loop {
                match self.own_values(fields, &mut values) {
                    Ok(count) => break count,
                    Err(differing) => self.note_difference(&differing?)?,
                }
            },
        };
        let values = &values[..count];
        let length = values.iter().fold(before.len(), |length, value| length + value.len());
        let mut block = filled(length, |octets| {
            let (here, mut rest) = octets.split_at_mut(before.len());
            here.copy_from_slice(before);
            for value in values {
                let here;
                (here, rest) = rest.split_at_mut(value.len());
                here.copy_from_slice(value);
            }
        });
        let before = block.split_to(before.len());
        let mut map = self.map.clone();
        let (mut own, mut values) = (self.own, values.iter());
        for place in map.values_mut() {
            if own & 1 != 0 {
                *place = HeaderValue::from_maybe_shared(block.split_to(values.next()?.len())).ok()?;
            }
            own >>= 1;
            if own == 0 {
                break;
            }
        }
        Some((map, before))
    }

    /// How many lines have values of their own, and those, of a head with the template's names, and with its values in
    /// all lines but those that are `changed`.
    #[inline]
    fn values_of<'a>(
        &mut self,
        fields: &'a Fields,
        changed: u64,
        values: &mut [&'a [u8]; MOST_DIFFERING],
    ) -> Option<usize> {
        if changed & !self.own != 0 {
            self.note_changed(changed & !self.own)?;
        }
        let (mut own, mut count) = (self.own, 0);
        while own != 0 {
            *values.get_mut(count)? = fields.line(own.trailing_zeros() as usize)?.1;
            own &= own - 1;
            count += 1;
        }
        Some(count)
    }

    /// Takes the values of these lines out of the template.
    #[cold]
    #[inline(never)]
    fn note_changed(&mut self, changed: u64) -> Option<()> {
        self.own |= changed;
        for (number, value) in self.map.values_mut().enumerate() {
            if changed >> number & 1 != 0 {
                *value = HeaderValue::from_static("");
            }
        }
        (self.own.count_ones() as usize <= MOST_DIFFERING).then_some(())
    }

    /// How many lines have values of their own, and those; otherwise where something else differs, or nothing where a
    /// map has to be built.
    #[inline]
    fn own_values<'a>(
        &self,
        fields: &'a Fields,
        values: &mut [&'a [u8]; MOST_DIFFERING],
    ) -> Result<usize, Option<Differing<'a>>> {
        let ours = self.lines.as_wire();
        // What of theirs and ours is to be compared yet, from the line with this number on.
        let (mut rest, mut from, mut number) = (fields.as_wire(), 0, 0);
        let (mut own, mut count) = (self.own, 0);
        while own != 0 {
            let next = own.trailing_zeros() as usize;
            own &= own - 1;
            // All that stands before the next value of its own, its name among it, in one go.
            let ends = self.ends.get(next).ok_or(None)?;
            let expected = ours.get(from..ends.name).ok_or(None)?;
            let after = rest.strip_prefix(expected).ok_or(Differing { rest, from, number })?;
            let (_, value) = fields.line(next).ok_or(None)?;
            *values.get_mut(count).ok_or(None)? = value;
            count += 1;
            (number, from) = (next + 1, ends.line);
            let behind = after.get(position(after, value) + value.len()..).ok_or(None)?;
            rest = match behind.strip_prefix(b"\r\n") {
                Some(rest) => rest,
                // Whitespace may follow a value.
                None => fields.line(number).map_or(&[], |(name, _)| &after[position(after, name)..]),
            };
        }
        if ours.get(from..) == Some(rest) { Ok(count) } else { Err(Some(Differing { rest, from, number })) }
    }

    /// Finds the first line that differs from theirs, and takes its value out of the template.
    #[cold]
    #[inline(never)]
    fn note_difference(&mut self, differing: &Differing<'_>) -> Option<()> {
        let Differing { rest, from, number } = *differing;
        let alike = from + alike(rest, &self.lines.as_wire()[from..]);
        let differing = number + self.ends.get(number..)?.iter().position(|ends| ends.line > alike)?;
        if alike < self.ends[differing].name || self.own.count_ones() as usize >= MOST_DIFFERING {
            return None;
        }
        self.own |= 1 << differing;
        *self.map.values_mut().nth(differing)? = HeaderValue::from_static("");
        Some(())
    }
}

/// How many octets are the same, from the beginning.
#[inline]
fn alike(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.chunks_exact(32).zip(other.chunks_exact(32)).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[32 * blocks..], &other[32 * blocks..]);
    let words = one.chunks_exact(8).zip(other.chunks_exact(8)).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[8 * words..], &other[8 * words..]);
    let octets = match (one.first_chunk(), other.first_chunk()) {
        (Some(one), Some(other)) => {
            (u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other)).trailing_zeros() as usize / 8
        }
        _ => one.iter().zip(other).take_while(|(one, other)| one == other).count(),
    };
    32 * blocks + 8 * words + octets
}

/// The target of a head, if it may be kept.
fn kept_target(target: &[u8]) -> Option<Uri> {
    let may_be_kept = target.len() <= LONGEST_TARGET && target.starts_with(b"/") && !target.contains(&b'?');
    may_be_kept.then(|| Uri::from_maybe_shared(Bytes::copy_from_slice(target)).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};

    use super::*;

    #[test]
    fn what_is_alike_is_counted_to_the_octet() {
        let text: Vec<u8> = (0..150).collect();
        for length in 0..text.len() {
            assert_eq!((alike(&text, &text[..length]), alike(&text[..length], &text)), (length, length));
            let mut other = text.clone();
            other[length] ^= 0x80;
            assert_eq!(alike(&text, &other), length);
        }
    }

    impl Template {
        fn of_head(head: &RequestHead) -> Option<Self> {
            Self::of(head.fields(), head.target())
        }

        fn made_of_head(&mut self, head: &RequestHead) -> Option<Made> {
            self.made(head.fields(), head.target(), None)
        }
    }

    #[test]
    fn responses_are_as_built_whatever_came_before_them() {
        let mut templates = Templates::NONE;
        let mut made = 0;
        for n in 0..200_usize {
            let mut fields = Fields::new();
            let length = (n % 7).to_string();
            for (name, value) in [
                ("Content-Type", if n % 40 < 30 { "text/plain" } else { "text/html" }),
                ("Content-Length", length.as_str()),
                ("Set-Cookie", ["id=1", "id=2", "id=3"][n % 3]),
                ("X-Token", ["one", "two"][n % 2]),
                ("Date", "Thu, 26 Nov 2026 12:00:00 GMT"),
            ] {
                if n % 11 != 0 || name != "Date" {
                    fields.push(name, value).unwrap();
                }
            }
            let built = crate::convert::header_map(&fields).unwrap();
            let Some(map) = templates.map(&fields) else { continue };
            made += 1;
            assert!(map.iter().eq(built.iter()), "{n}: {map:?}");
        }
        assert!(made > 150, "{made}");
        let template = templates.template.as_ref().unwrap();
        let held = [template.lines.as_wire(), &format!("{:?}", template.map).into_bytes()].concat();
        assert!(["id=", "one", "two"].iter().all(|secret| !held.windows(3).any(|part| part == secret.as_bytes())));
    }

    fn head(target: &str, lines: &[(&str, &str)]) -> RequestHead {
        let mut head = RequestHead::new(http_core::Method::Get, target).unwrap();
        lines.iter().for_each(|(name, value)| head.fields_mut().push(name, value).unwrap());
        head
    }

    #[test]
    fn secrets_are_not_remembered_and_are_those_of_their_own_head() {
        let lines = |n| {
            [
                ("Host", "a"),
                ("Authorization", ["Basic one", "Basic two", ""][n]),
                ("X-Key", ["key one", "key two", ""][n]),
                ("Cookie", ["one", "two", ""][n]),
                ("Accept", "*/*"),
            ]
        };
        let mut template = Template::of_head(&head("/a?secret", &lines(0))).unwrap();
        let held = [template.lines.as_wire(), &format!("{:?}", template.map).into_bytes()].concat();
        for secret in ["one", "secret"] {
            assert!(!held.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
        }
        assert!(template.target.is_none());
        for n in [0, 1, 2, 1] {
            let made = template.made_of_head(&head("/a?b", &lines(n))).unwrap();
            assert!(lines(n).iter().all(|(name, value)| made.headers[*name] == *value), "{:?}", made.headers);
            assert!(matches!(made.target, MadeTarget::New(target) if target == "/a?b"));
        }
    }

    /// The map, its order included, is the one that is built of the same head.
    fn assert_as_built(made: &Made, head: &RequestHead) {
        let built = crate::convert::header_map(head.fields()).unwrap();
        assert!(made.headers.iter().eq(&built), "{:?}, {built:?}", made.headers);
        assert!(made.headers.values().all(|value| !value.is_sensitive()));
        match &made.target {
            MadeTarget::Known(uri) => assert_eq!(uri.to_string().as_bytes(), head.target()),
            MadeTarget::New(target) => assert_eq!(target, head.target()),
        }
    }

    #[test]
    fn a_map_is_as_one_that_is_built_whatever_differs() {
        let names = ["Host", "Accept", "Cookie", "Referer", "X-Key", "Via", "Accept-Language", "Range"];
        let values =
            ["", "a", "b", "ab", "a value that is longer than any word", "a value that is longer than any wore"];
        let (mut templates, mut made, mut seed) = (Templates::NONE, 0, 1_u32);
        let mut random = |most: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize % most
        };
        let mut chosen = [0; 8];
        for _ in 0..5000 {
            // Now and then other lines than those of the last head, or a name in another case.
            let fewer = if random(40) == 0 { random(8) } else { 8 };
            let lower = random(40) == 0;
            (0..random(3)).for_each(|_| chosen[random(8)] = random(values.len()));
            let target = ["/", "/a", "/a?b"][random(3)];
            let mut lines: Vec<_> = names.iter().zip(chosen).map(|(name, value)| (*name, values[value])).collect();
            lines.truncate(fewer);
            if lower && fewer > 0 {
                lines[fewer - 1].0 = "accept";
            }
            let head = head(target, &lines);
            if let Some(found) = templates.made(&head, None) {
                assert_as_built(&found, &head);
                made += 1;
            }
        }
        assert!(made > 1000, "{made}");
    }

    /// What a connection makes of a head, and says of it.
    fn asked(connection: &mut server::Connection, head: &str) -> (RequestHead, Option<u64>) {
        let mut input = bytes::BytesMut::from(&*format!("{head}\r\n"));
        let event = connection.poll_event(&mut input, Instant::ZERO).unwrap();
        let Some(server::Event::Request(head)) = event else { panic!("{event:?}") };
        let changed = connection.changed_lines();
        while connection.poll_event(&mut input, Instant::ZERO).unwrap().is_some() {}
        connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, Instant::ZERO).unwrap();
        connection.handle_sent(usize::MAX, Instant::ZERO);
        (head, changed)
    }

    #[test]
    fn a_name_that_comes_again_after_another_one_is_that_of_its_own_head() {
        let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
        let (mut templates, mut said) = (Templates::NONE, 0);
        for name in ["X-A"; 6].into_iter().chain(["X-B"; 6]).chain(["X-A"; 3]).chain(["x-a"; 4]).chain(["X-A"; 4]) {
            let wire = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: 1\r\nAccept: b\r\n");
            let (head, changed) = asked(&mut connection, &wire);
            if let Some(made) = templates.made(&head, changed) {
                assert_as_built(&made, &head);
            }
            said += usize::from(changed.is_some());
        }
        assert!(said > 6, "{said}");
    }

    #[test]
    fn a_map_is_as_one_that_is_built_whatever_a_connection_says_of_its_heads() {
        let mut seed = 1_u32;
        let mut random = |most: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize % most
        };
        let names = ["Host", "Accept", "Cookie", "Referer", "X-Key", "Via", "Accept-Language", "DNT"];
        let values = ["a", "b", "ab ", "a-value-that-is-longer-than-any-word", "a-value-that-is-longer-than-any-wore"];
        let (mut said, mut made) = (0, 0);
        for _ in 0..20 {
            let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
            let (mut templates, mut chosen) = (Templates::NONE, [0; 8]);
            for round in 0..300 {
                (0..random(3)).for_each(|_| chosen[random(8)] = random(values.len()));
                // Now and then a line is left out, stands elsewhere, or has its name in another case.
                let (from, without, lower) =
                    if round % 32 < 28 { (0, 8, 8) } else { (random(2), 4 + random(5), 1 + random(8)) };
                let mut wire = format!("GET /{} HTTP/1.1\r\n", ["", "a", "a?b"][random(3)]);
                for line in (from..8).chain(0..from).filter(|line| *line != without) {
                    let name = if line == lower { names[line].to_lowercase() } else { names[line].to_owned() };
                    wire += &format!("{name}: {}\r\n", values[chosen[line]]);
                }
                let (head, changed) = asked(&mut connection, &wire);
                said += usize::from(changed.is_some());
                if let Some(found) = templates.made(&head, changed) {
                    assert_as_built(&found, &head);
                    made += 1;
                }
            }
        }
        assert!(said > 2000 && made > 3000, "{said}, {made}");
    }

    #[test]
    fn what_has_differed_is_not_kept_any_more() {
        let lines = |a, b| head("/", &[("Host", "a"), ("Accept", a), ("Referer", b), ("DNT", "c"), ("X-Key", "d")]);
        let mut template = Template::of_head(&lines("first", "one")).unwrap();
        assert_eq!(template.own, 0b1_0000);
        for (accept, referer, own) in
            [("first", "one", 0b1_0000), ("2", "one", 0b1_0010), ("first", "one", 0b1_0010), ("2", "two", 0b1_0110)]
        {
            let head = lines(accept, referer);
            assert_as_built(&template.made_of_head(&head).unwrap(), &head);
            assert_eq!(template.own, own);
        }
        assert!(!format!("{:?}", template.map).contains("first"));
        assert!(format!("{:?}", template.map).contains("\"a\""));
        // Another name tells that none of it fits.
        let other = head("/", &[("Host", "a"), ("Accept", "2"), ("Referer", ""), ("DNX", "c"), ("X-Key", "d")]);
        assert!(template.made_of_head(&other).is_none() && template.own == 0b1_0110);
    }

    #[test]
    fn what_the_template_was_made_of_may_come_again() {
        let lines = |value| head("/", &[("Host", "a"), ("Accept", value)]);
        let mut template = Template::of_head(&lines("a")).unwrap();
        for value in ["a", "b", "a"] {
            assert_as_built(&template.made_of_head(&lines(value)).unwrap(), &lines(value));
        }
    }

    #[test]
    fn a_map_in_which_too_much_differs_is_built() {
        let names = [
            "Accept",
            "Connection",
            "Date",
            "DNT",
            "ETag",
            "Host",
            "Keep-Alive",
            "Origin",
            "Pragma",
            "Priority",
            "Range",
            "Sec-CH-UA",
            "Sec-Fetch-Mode",
            "Server",
            "User-Agent",
            "Vary",
            "X-Real-IP",
        ];
        assert_eq!(names.len(), MOST_DIFFERING + 1);
        let lines = |value| head("/", &names.map(|name| (name, value)));
        let mut template = Template::of_head(&lines("a")).unwrap();
        assert!(template.made_of_head(&lines("a")).is_some() && template.made_of_head(&lines("b")).is_none());
        // What it has a value of still is what it was.
        assert_as_built(&template.made_of_head(&lines("a")).unwrap(), &lines("a"));
    }

    #[test]
    fn what_never_fits_is_tried_less_and_less() {
        let mut templates = Templates::NONE;
        let names: Vec<String> = (0..1000).map(|n| format!("X-{n}")).collect();
        let learned = names.iter().filter(|name| templates.made(&head("/", &[(name, "x")]), None).is_some()).count();
        assert!((5..25).contains(&learned), "{learned} times");
        // And again at once where it pays.
        let fits = |templates: &mut Templates| templates.made(&head("/", &[("Host", "a")]), None).is_some();
        assert!((0..200).filter(|_| fits(&mut templates)).count() > 100);
        let other = |templates: &mut Templates| templates.made(&head("/", &[("Via", "a")]), None).is_some();
        assert!(!other(&mut templates) && other(&mut templates) && !fits(&mut templates) && other(&mut templates));
    }

    #[test]
    fn two_sequences_of_names_in_turn_do_not_replace_each_other() {
        let mut templates = Templates::NONE;
        let hits =
            (0..100).filter(|n| templates.made(&head("/", &[(["Via", "Host"][n % 2], "a")]), None).is_some()).count();
        assert_eq!(hits, 50);
    }
}
