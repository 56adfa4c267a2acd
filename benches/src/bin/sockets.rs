//! Counts what a request costs a server over a socket, by kinds of traffic, ours beside hyper's and axum's, and prints
//! a table; with `--assert` counts what there is a bound for, and fails where it is exceeded.
//!
//! `sockets [--assert] [--only SERVER,…] [--kinds KIND,…]`
//!
//! Instructions are counted by callgrind, as the difference between a short and a long run of a server, so that what a
//! process does before and after cancels out. A request is written only when the server sleeps, so each finds it in
//! the same state, and the figures repeat.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use benches::contender::{self, Contender};
use benches::load::{self, Identity};
use benches::report::{count_all, is_within, listed};
use benches::traffic::Kind;

/// The most that a server may spend on a request, as a ratio to its peer.
const BOUNDS: [(Contender, Kind, f64); 12] = [
    (Contender::Service, Kind::Six, 0.815),
    (Contender::Service, Kind::BrowserVary, 0.695),
    (Contender::Service, Kind::BrowserNew, 1.05),
    (Contender::Service, Kind::Pipelined, 0.74),
    (Contender::Service, Kind::Echo, 0.97),
    (Contender::Service, Kind::Connections, 1.08),
    (Contender::Service, Kind::Tls, 0.95),
    (Contender::Axum, Kind::Six, 0.90),
    (Contender::Axum, Kind::BrowserVary, 0.74),
    (Contender::Exchange, Kind::Six, 0.555),
    (Contender::Exchange, Kind::Browser, 0.335),
    (Contender::Exchange, Kind::Pipelined, 0.365),
];

/// What the command line asks for.
struct Plan {
    asserting: bool,
    /// Servers and kinds, each pair once.
    pairs: Vec<(Contender, Kind)>,
}

impl Plan {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut words = words;
        let (mut asserting, mut servers, mut kinds) = (false, None, None);
        while let Some(word) = words.next() {
            let mut list = || words.next().ok_or_else(|| format!("{word} needs a list"));
            match word.as_str() {
                "--assert" => asserting = true,
                "--only" => servers = Some(listed(&list()?, &Contender::ALL, Contender::name)?),
                "--kinds" => kinds = Some(listed(&list()?, &Kind::ALL, Kind::name)?),
                _ => return Err(format!("cannot use {word}")),
            }
        }
        let bound = |server: Contender, kind: Kind| {
            BOUNDS.iter().any(|bound| (bound.0 == server || bound.0.peer() == server) && bound.1 == kind)
        };
        let mut servers = servers.unwrap_or(Contender::ALL.to_vec());
        // No figure without the one that it is compared with.
        servers.extend(servers.clone().into_iter().map(Contender::peer));
        servers.sort();
        servers.dedup();
        let kinds = kinds.unwrap_or(Kind::ALL.to_vec());
        let all = servers.iter().flat_map(|server| kinds.iter().map(|kind| (*server, *kind)));
        let pairs = all.filter(|(server, kind)| server.takes(*kind) && (!asserting || bound(*server, *kind)));
        Ok(Self { asserting, pairs: pairs.collect() })
    }
}

/// Instructions for each request, and what was answered to the first.
struct Counted {
    instructions: f64,
    answer: Vec<u8>,
}

type Figures = BTreeMap<(Contender, Kind), Counted>;

fn main() -> ExitCode {
    let plan = match Plan::parse(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(error) => {
            let (servers, kinds) = (Contender::ALL.map(Contender::name).join(","), Kind::ALL.map(Kind::name).join(","));
            eprintln!("{error}\nusage: sockets [--assert] [--only {servers}] [--kinds {kinds}]");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let figures = match count(&plan.pairs) {
        Ok(figures) => figures,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    print(&figures);
    let holds = judge(&figures) & agree(&figures);
    println!("\n{:.0} s", began.elapsed().as_secs_f64());
    if plan.asserting && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Counts all pairs.
fn count(pairs: &[(Contender, Kind)]) -> Result<Figures, String> {
    let built = contender::built();
    let identity = Identity::generate();
    let [cert, key] = ["cert", "key"].map(|name| {
        std::env::temp_dir().join(format!("sockets-{}-{name}.pem", std::process::id())).display().to_string()
    });
    let written = std::fs::write(&cert, &identity.cert).and_then(|()| std::fs::write(&key, &identity.key));
    written.map_err(|error| format!("{cert}: {error}"))?;
    let secure = ["--cert", &cert, "--key", &key];
    let name = |(server, kind): (Contender, Kind)| format!("{}, {}", server.name(), kind.name());
    let figures = count_all(pairs, name, |(server, kind)| {
        let tls = if kind == Kind::Tls { &secure[..] } else { &[] };
        difference(server, kind, &built, tls, &identity)
    });
    let _ = std::fs::remove_file(&cert).and_then(|()| std::fs::remove_file(&key));
    figures
}

/// A short run and a long one, and what a request costs by them.
fn difference(
    server: Contender,
    kind: Kind,
    built: &Path,
    tls: &[&str],
    identity: &Identity,
) -> std::io::Result<Counted> {
    let run = |requests| {
        let server = server.start(built, tls, true)?;
        let answer = load::drive(&server, kind, requests, identity)?;
        Ok::<_, std::io::Error>((server.end()?, answer))
    };
    // Enough for what is steady, few enough for a slow tool.
    let (short, long) = if kind == Kind::Connections { (40, 240) } else { (160, 800) };
    let ((less, _), (more, answer)) = (run(short)?, run(long)?);
    Ok(Counted { instructions: (more as f64 - less as f64) / (long - short) as f64, answer })
}

/// The ratio of a server's figure to its peer's.
fn ratio(figures: &Figures, server: Contender, kind: Kind) -> Option<f64> {
    Some(figures.get(&(server, kind))?.instructions / figures.get(&(server.peer(), kind))?.instructions)
}

fn print(figures: &Figures) {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| figures.keys().any(|key| key.1 == *kind)).collect();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    println!("| server | {} |\n|---|{}", names.join(" | "), "---:|".repeat(kinds.len()));
    for server in Contender::ALL.into_iter().filter(|server| figures.keys().any(|key| key.0 == *server)) {
        let cell = |kind: &Kind| match figures.get(&(server, *kind)) {
            None => String::new(),
            Some(counted) if server == server.peer() => format!("{:.0}", counted.instructions),
            Some(counted) => {
                let ratio = ratio(figures, server, *kind).map(|ratio| format!(" ({ratio:.2})")).unwrap_or_default();
                format!("{:.0}{ratio}", counted.instructions)
            }
        };
        println!("| {} | {} |", server.name(), kinds.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// Whether every ratio that was counted is within its bound.
fn judge(figures: &Figures) -> bool {
    let mut holds = true;
    for (server, kind, most) in BOUNDS {
        let Some(ratio) = ratio(figures, server, kind) else { continue };
        let what = format!("{}, {} to {}", kind.name(), server.name(), server.peer().name());
        holds &= is_within(&what, ratio, most);
    }
    holds
}

/// Whether all servers answer the same: else they would not be compared. The floor does not know what it is asked.
fn agree(figures: &Figures) -> bool {
    let mut holds = true;
    for ((server, kind), counted) in figures {
        let Some(peer) = figures.get(&(server.peer(), *kind)).filter(|_| *server != Contender::Floor) else { continue };
        if load::said(&counted.answer) != load::said(&peer.answer) {
            let [ours, theirs] = [counted, peer].map(|one| String::from_utf8_lossy(&one.answer).into_owned());
            println!("FAIL {}, {}: {} answers otherwise:", kind.name(), server.name(), server.peer().name());
            println!("{ours}\n--\n{theirs}");
            holds = false;
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, String> {
        Plan::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn everything_is_counted_unless_told_otherwise() {
        // Five servers and ten kinds, but for TLS with axum, and the floor's one figure.
        assert_eq!(plan("").unwrap().pairs.len(), 49);
        let some = plan("--only service,exchange --kinds six,tls").unwrap();
        let expected = [Contender::Hyper, Contender::Exchange, Contender::Service]
            .map(|server| [Kind::Six, Kind::Tls].map(|kind| (server, kind)));
        assert_eq!(some.pairs, expected.concat());
        assert!(!some.asserting);
    }

    #[test]
    fn what_is_asserted_is_counted_with_its_peer_and_nothing_else_is() {
        let plan = plan("--assert").unwrap();
        assert!(plan.asserting);
        for (server, kind, _) in BOUNDS {
            assert!(plan.pairs.contains(&(server, kind)) && plan.pairs.contains(&(server.peer(), kind)));
        }
        assert!(!plan.pairs.contains(&(Contender::Axum, Kind::Echo)));
        assert!(plan.pairs.iter().all(|(server, kind)| server.takes(*kind)));
    }

    #[test]
    fn names_that_nobody_has_are_refused() {
        for line in ["--only nobody", "--kinds none", "--only", "--fast"] {
            assert!(plan(line).is_err(), "{line}");
        }
    }
}
