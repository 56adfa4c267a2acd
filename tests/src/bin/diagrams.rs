//! Draws the state diagrams of `ARCHITECTURE.md` from the machines themselves: every state that a small alphabet of
//! inputs can reach is visited, and each step that leads to another place is an arrow. And its diagram of rooms, from
//! the paths in the code; and the table of presets in `README.md`, from the presets.
//!
//! `cargo run -p tests --bin diagrams` rewrites what stands between the markers, `-- --check` fails if it would.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use http_core::Config;
use http_core::model::couplings;
use tests::explore::client::Client;
use tests::explore::dispatcher::{Dispatch, Plan, Shows};
use tests::explore::server::{Play, Server};
use tests::explore::{World, explore};
use tests::structure::{self, Sources};

const MOST: usize = 50_000;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match run(check) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<String, String> {
    let mut stale = Vec::new();
    for (file, drawings) in [("ARCHITECTURE.md", drawings()?), ("README.md", vec![("presets", presets())])] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let old = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let mut new = old.clone();
        for (name, drawing) in drawings {
            new = replace(&new, name, &drawing).ok_or_else(|| format!("{file} has no markers for {name}"))?;
        }
        if new != old {
            stale.push(file);
            if !check {
                std::fs::write(&path, new).map_err(|error| format!("{file}: {error}"))?;
            }
        }
    }
    match (stale.is_empty(), check) {
        (true, _) => Ok("the diagrams are what the code does".into()),
        (false, true) => Err(format!("out of date: {}; run: cargo run -p tests --bin diagrams", stale.join(", "))),
        (false, false) => Ok(format!("rewritten: {}", stale.join(", "))),
    }
}

fn drawings() -> Result<Vec<(&'static str, String)>, String> {
    Ok(vec![
        ("rooms", rooms()?),
        ("server", draw(Server::new(Play::Prompt))?),
        ("client", draw(Client::new(Play::Prompt))?),
        ("connections", draw(Dispatch::new(Shows::Connections, Plan::SMALL))?),
        ("origin", draw(Dispatch::new(Shows::Origin, Plan { circuit: true, ..Plan::SMALL }))?),
        ("exchange", exchange_table()),
    ])
}

fn rooms() -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http-core/src");
    let sources = Sources::read(&root).map_err(|error| format!("http-core: {error}"))?;
    Ok(structure::mermaid(&structure::rooms(&sources.knows())))
}

fn draw<W: World>(world: W) -> Result<String, String> {
    Ok(explore(world, MOST)?.mermaid())
}

/// The rows that come to something else than to wait; those that do not depend on a column leave it open.
fn exchange_table() -> String {
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in couplings().filter(|row| row.next != "wait") {
        let wanted = if row.request == "done" { "any" } else { row.wanted };
        let persistent = if row.persistent { "yes" } else { "no" };
        let names = rows.entry((row.request, row.response, persistent, row.next)).or_default();
        if !names.contains(&wanted) {
            names.push(wanted);
        }
    }
    let mut out =
        String::from("| request | response | persistent | its content is wanted | then |\n|---|---|---|---|---|\n");
    for ((request, response, persistent, next), wanted) in rows {
        out += &format!("| {request} | {response} | {persistent} | {} | {next} |\n", wanted.join(", "));
    }
    out + "| anything else | | | | wait |\n"
}

/// The settings in which a preset differs from the default.
fn presets() -> String {
    let presets = [Config::client(), Config::strict(), Config::interop(), Config::evhttp()];
    let mut out =
        String::from("| setting | default | `client` | `strict` | `interop` | `evhttp` |\n|---|---|---|---|---|---|\n");
    for (name, default) in Config::default().settings() {
        let values = presets.each_ref().map(|preset| preset.settings().find(|(other, _)| *other == name));
        if values.iter().any(|value| *value != Some((name, default))) {
            let [client, strict, interop, evhttp] = values.map(|value| match value {
                Some((_, value)) if value != default => value.to_string(),
                _ => String::new(),
            });
            out += &format!("| `{name}` | {default} | {client} | {strict} | {interop} | {evhttp} |\n");
        }
    }
    out
}

/// Puts `drawing` between the markers of this name, if there are any.
fn replace(text: &str, name: &str, drawing: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- diagram: {name} -->\n"), format!("<!-- end: {name} -->\n"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{drawing}{end}{after}"))
}
