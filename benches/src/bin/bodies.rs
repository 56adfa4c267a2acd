//! What long content costs a server over a socket, in both directions: user-space instructions for each MiB by
//! callgrind, and seconds of the processor for each GiB, kernel and all, beside a loop on tokio that copies with a
//! buffer of the same size. A report, in which nothing fails: seconds hang on the machine and on its neighbours. With
//! `--assert` instructions alone are counted, of ours and hyper's, and it fails where ours are more than they may.
//!
//! `bodies [--rounds N|--assert]`

use std::io::{self, Error};
use std::path::Path;
use std::process::ExitCode;

use benches::contender::{self, Contender};
use benches::load::{Client, Process};
use benches::report::is_within;

const CONTENDERS: [Contender; 4] = [Contender::Floor, Contender::Exchange, Contender::Service, Contender::Hyper];

/// What a client writes or reads at once, and servers as well.
const PIECE: usize = 64 * 1024;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most that ours may spend on a MiB, as a ratio to hyper.
const BOUNDS: [(Contender, Way, f64); 6] = [
    (Contender::Exchange, Way::Up, 1.15),
    (Contender::Exchange, Way::Chunked, 1.12),
    (Contender::Exchange, Way::Down, 1.8),
    (Contender::Service, Way::Up, 1.34),
    (Contender::Service, Way::Chunked, 1.34),
    (Contender::Service, Way::Down, 1.8),
];

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The client sends, the server swallows.
    Up,
    /// The same, in chunks of a piece each.
    Chunked,
    Down,
}

impl Way {
    const ALL: [Self; 3] = [Self::Up, Self::Chunked, Self::Down];

    const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Chunked => "up, chunked",
            Self::Down => "down",
        }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let built = contender::built();
    let done = match &words[..] {
        [] => report(&built, 5),
        [option] if option == "--assert" => judge(&built),
        [option, count] if option == "--rounds" && count.parse().is_ok_and(|count: usize| count > 0) => {
            report(&built, count.parse().unwrap_or(1))
        }
        _ => {
            eprintln!("usage: bodies [--rounds N|--assert]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that has a bound is within it.
fn judge(built: &Path) -> io::Result<bool> {
    let mut holds = true;
    for way in Way::ALL {
        let hyper = instructions(Contender::Hyper, way, built)?;
        for (ours, _, most) in BOUNDS.into_iter().filter(|bound| bound.1 == way) {
            let ratio = instructions(ours, way, built)? / hyper;
            holds &= is_within(&format!("{}, {} to hyper", way.name(), ours.name()), ratio, most);
        }
    }
    Ok(holds)
}

fn report(built: &Path, rounds: usize) -> io::Result<bool> {
    println!("| instructions for each MiB | up | up, chunked | down |\n|---|---:|---:|---:|");
    for contender in CONTENDERS {
        let cells = Way::ALL.map(|way| match (contender, way) {
            // It understands no chunks.
            (Contender::Floor, Way::Chunked) => Ok(String::new()),
            _ => instructions(contender, way, built).map(|spent| format!("{spent:.0}")),
        });
        let [up, chunked, down] = cells;
        println!("| {} | {} | {} | {} |", contender.name(), up?, chunked?, down?);
    }
    // Round by round, so that what disturbs the machine disturbs everybody.
    let mut seconds = [(); 2].map(|()| CONTENDERS.map(|_| Vec::new()));
    for round in 0..rounds {
        for (way, seconds) in [Way::Up, Way::Down].into_iter().zip(&mut seconds) {
            // There and back, so that nobody always follows on the same one.
            for at in 0..CONTENDERS.len() {
                let at = if round % 2 == 0 { at } else { CONTENDERS.len() - 1 - at };
                seconds[at].push(spent(CONTENDERS[at], way, built)?);
            }
        }
    }
    println!("\n| seconds of the processor for each GiB | up | ratio | down | ratio |\n|---|---:|---:|---:|---:|");
    for (contender, index) in CONTENDERS.into_iter().zip(0..) {
        let cells = seconds.each_ref().map(|seconds| {
            let ratios = seconds[index].iter().zip(&seconds[0]).map(|(one, floor)| one / floor).collect();
            format!("{:.3} | {:.2}", median(seconds[index].clone()), median(ratios))
        });
        println!("| {} | {} |", contender.name(), cells.join(" | "));
    }
    Ok(true)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Each at its best: hyper copies long content if it is to flush answers to pipelined requests together.
const fn options(contender: Contender) -> &'static [&'static str] {
    if matches!(contender, Contender::Hyper) { &["--flush", "false"] } else { &[] }
}

/// User-space instructions for each MiB.
fn instructions(contender: Contender, way: Way, built: &Path) -> io::Result<f64> {
    let run = |mib: u64| {
        let server = contender.start(built, options(contender), true)?;
        transfer(&server, way, mib * MIB, true)?;
        server.end()
    };
    let (short, long) = (4, 20);
    let (less, more) = (run(short)?, run(long)?);
    Ok((more as f64 - less as f64) / (long - short) as f64)
}

/// Seconds of the processor for one GiB.
fn spent(contender: Contender, way: Way, built: &Path) -> io::Result<f64> {
    let server = contender.start(built, options(contender), false)?;
    transfer(&server, way, MIB, false)?;
    let before = server.seconds()?;
    transfer(&server, way, GIB, false)?;
    let seconds = server.seconds()? - before;
    server.end()?;
    Ok(seconds)
}

/// Moves `total` bytes; `stepwise`, the server has done with each piece that it is sent before the next one comes.
fn transfer(server: &Process, way: Way, total: u64, stepwise: bool) -> io::Result<()> {
    let mut client = Client::connect(server.port, None)?;
    match way {
        Way::Up | Way::Chunked => {
            let chunked = way == Way::Chunked;
            let framing =
                if chunked { "Transfer-Encoding: chunked".into() } else { format!("Content-Length: {total}") };
            client.write(format!("POST /sink HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n").as_bytes())?;
            let mut piece = vec![b'x'; PIECE];
            if chunked {
                piece = [format!("{PIECE:x}\r\n").as_bytes(), &piece[..], b"\r\n"].concat();
            }
            for _ in 0..total / PIECE as u64 {
                if stepwise {
                    server.rest()?;
                }
                client.write(&piece)?;
            }
            if chunked {
                client.write(b"0\r\n\r\n")?;
            }
            let answer = client.answer()?;
            if !answer.ends_with(format!("\r\n\r\n{total}").as_bytes()) {
                return Err(Error::other("not all of it came"));
            }
        }
        Way::Down => {
            client.write(format!("GET /bytes/{total} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())?;
            let size = client.skip_head()?;
            if size != total {
                return Err(Error::other("another length is announced"));
            }
            client.skip(total)?;
        }
    }
    drop(client);
    server.rest()
}
