//! What the benches print, as tables and pictures of the book: `benches/plots.sh` counts and draws, `plots` draws what
//! was counted, and a test holds that what is committed is what the figures give.

pub mod draw;
pub mod figures;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use draw::{Groups, Picture, Series, bars, lines};
use figures::{Figures, Table};
use plotters::style::RGBColor;

const fn series(name: &'static str, label: &'static str, colour: (u8, u8, u8)) -> Series {
    Series { name, label, colour: RGBColor(colour.0, colour.1, colour.2) }
}

// Ours are blue and green, others orange and red, and grey is who understands nothing. They differ in lightness, too.
const FLOOR: Series = series("floor", "floor: understands nothing", (0x9a, 0x9a, 0x9a));
const CORE: Series = series("core", "http-core, in memory", (0x7e, 0x57, 0xc2));
const EXCHANGE: Series = series("exchange", "exchange level", (0x1f, 0x77, 0xd0));
const SERVICE: Series = series("service", "service level", (0x6d, 0xb6, 0xf2));
const AXUM: Series = series("axum", "axum on ours", (0x2c, 0x9a, 0x6e));
const HYPER: Series = series("hyper", "hyper", (0xf0, 0x8a, 0x24));
const AXUM_ON_HYPER: Series = series("axum-on-hyper", "axum on hyper", (0xb5, 0x4a, 0x1e));

/// The figures of some rows of a table, by its columns: which, and what the picture calls them.
fn by_column(table: &Table, series: &[Series], columns: &[(&str, &str)]) -> Groups {
    let figures = |column: &str| series.iter().map(|one| table.figure(one.name, column)).collect();
    columns.iter().map(|(column, name)| ((*name).to_owned(), figures(column))).collect()
}

/// The same the other way round.
fn by_row(table: &Table, series: &[Series], rows: &[(&str, &str)]) -> Groups {
    let figures = |row: &str| series.iter().map(|one| table.figure(row, one.name)).collect();
    rows.iter().map(|(row, name)| ((*name).to_owned(), figures(row))).collect()
}

/// What was counted in memory by one program and over sockets by another, side by side.
fn with_core(memory: &Table, sockets: &Table, series: &[Series], kinds: &[(&str, &str, &str)]) -> Groups {
    let figure = |one: &Series, case: &str, kind: &str| match one.name {
        "core" => memory.figure(case, "http-core"),
        name => sockets.figure(name, kind),
    };
    let row = |(case, kind, name): &(&str, &str, &str)| {
        ((*name).to_owned(), series.iter().map(|one| figure(one, case, kind)).collect())
    };
    kinds.iter().map(row).collect()
}

/// Each picture by the name of its file.
///
/// # Errors
/// A table is missing, or the backend's.
pub fn pictures(figures: &Figures) -> Result<BTreeMap<&'static str, String>, Box<dyn Error>> {
    let instructions = "instructions for each request";
    let mut drawn = BTreeMap::new();
    let (memory, sockets) = (figures.table("instructions", 0)?, figures.table("sockets", 0)?);

    let series = vec![FLOOR, CORE, EXCHANGE, SERVICE, HYPER, AXUM, AXUM_ON_HYPER];
    let kinds = [
        ("get6", "six", "6 fields, repeated"),
        ("", "six-new", "6 fields, 1 new"),
        ("browser", "browser", "15 fields, repeated"),
        ("browser-vary", "browser-vary", "15 fields, 3 new"),
        ("browser-new", "browser-new", "15 fields, 13 new"),
    ];
    let groups = with_core(memory, sockets, &series, &kinds);
    let picture = Picture { title: "Instructions for each GET, by level and traffic", unit: instructions, series };
    drawn.insert("gets.svg", bars(&picture, &groups)?);

    let series = vec![EXCHANGE, SERVICE, HYPER, AXUM, AXUM_ON_HYPER];
    let kinds = [
        ("pipelined", "16 GETs in one write"),
        ("echo", "1 KiB that comes back"),
        ("sink", "1 KiB, swallowed"),
        ("tls", "6 fields over TLS"),
        ("connections", "a connection each"),
    ];
    let groups = by_column(sockets, &series, &kinds);
    let title = "Instructions for each request of other traffic";
    drawn.insert("others.svg", bars(&Picture { title, unit: instructions, series }, &groups)?);

    let table = figures.table("fields", 0)?;
    let series = vec![
        Series { name: "ours", label: "http-core, repeated", ..CORE },
        Series { name: "ours, all new", label: "http-core, all new", ..SERVICE },
        Series { name: "hyper", label: "hyper, repeated", ..HYPER },
        Series { name: "hyper, all new", label: "hyper, all new", ..AXUM_ON_HYPER },
    ];
    let rows: Vec<_> = table.rows.iter().map(|(name, _)| (&name[..], &name[..])).collect();
    let groups = by_row(table, &series, &rows);
    let title = "Instructions for an exchange in memory, by the number of fields";
    drawn
        .insert("fields.svg", lines(&Picture { title, unit: instructions, series }, &groups, "fields of the request")?);

    let series = vec![
        Series { name: "ours", label: "ours, with its pool", ..EXCHANGE },
        Series { name: "hyper-util", label: "hyper-util, with its pool", ..HYPER },
        Series { name: "handle", label: "hyper's handle to one connection", ..AXUM_ON_HYPER },
    ];
    let kinds =
        [("get", "GET"), ("split", "GET, in two pieces"), ("post", "POST of 1 KiB"), ("joined", "100 GETs at once")];
    let groups = by_column(figures.table("clients", 0)?, &series, &kinds);
    let title = "Instructions of a client for each request";
    drawn.insert("clients.svg", bars(&Picture { title, unit: instructions, series }, &groups)?);

    let series = vec![FLOOR, EXCHANGE, SERVICE, HYPER];
    let kinds = [("up", "upload"), ("up, chunked", "upload in chunks"), ("down", "download")];
    let groups = by_column(figures.table("bodies", 0)?, &series, &kinds);
    let title = "Instructions for each MiB of content";
    drawn.insert("bodies.svg", bars(&Picture { title, unit: "instructions for each MiB", series }, &groups)?);

    let series = vec![
        Series { name: "before a request", label: "before its first request", ..SERVICE },
        Series { name: "after it", label: "after a request", ..CORE },
    ];
    let rows = [
        ("floor", "floor"),
        ("service level", "service level"),
        ("exchange level", "exchange level"),
        ("hyper", "hyper"),
    ];
    let groups = by_row(figures.table("idle", 0)?, &series, &rows);
    let title = "Resident bytes of a server for each connection that waits";
    drawn.insert("idle.svg", bars(&Picture { title, unit: "bytes", series }, &groups)?);
    Ok(drawn)
}

/// Whose figures are compared with whose: the section, which table of it, and the rows, ours first.
const COMPARED: [(&str, &str, &str); 7] = [
    ("sockets", "exchange", "hyper"),
    ("sockets", "service", "hyper"),
    ("sockets", "axum", "axum-on-hyper"),
    ("clients", "ours", "hyper-util"),
    ("clients", "ours", "handle"),
    ("bodies", "exchange", "hyper"),
    ("bodies", "service", "hyper"),
];

/// A table of all figures that are worse than the peer's, the worst first.
fn lost(figures: &Figures) -> Result<String, String> {
    let mut lost = Vec::new();
    for (section, ours, peer) in COMPARED {
        let table = figures.table(section, 0)?;
        for column in &table.heads[1..] {
            let (Some(our), Some(their)) = (table.figure(ours, column), table.figure(peer, column)) else { continue };
            if our > their {
                lost.push((our / their, format!("| {ours} beside {peer} | {column} | {our:.0} | {their:.0} |")));
            }
        }
    }
    lost.sort_by(|one, other| other.0.total_cmp(&one.0));
    let rows: String = lost.iter().map(|(ratio, row)| format!("{row} {ratio:.2} |\n")).collect();
    Ok(format!("| who | of what | ours | theirs | ratio |\n|---|---|---:|---:|---:|\n{rows}"))
}

/// The chapter, with the tables between its marks as the figures have them.
///
/// # Errors
/// A mark names no table, or does not end.
pub fn chapter(text: &str, figures: &Figures) -> Result<String, String> {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("<!-- figures: ") {
        let (mark, behind) = behind.split_once(" -->").ok_or("a mark has no end")?;
        let end = format!("<!-- end: {mark} -->");
        let (_, behind) = behind.split_once(&end).ok_or_else(|| format!("{mark} has no end"))?;
        let written = match mark.split_once(' ').unwrap_or((mark, "0")) {
            ("when", _) => format!("{}\n", figures.when),
            ("lost", _) => lost(figures)?,
            (section, at) => figures.table(section, at.parse().map_err(|_| format!("{mark} is no table"))?)?.markdown(),
        };
        done += &format!("{before}<!-- figures: {mark} -->\n\n{written}\n{end}");
        rest = behind;
    }
    Ok(done + rest)
}

/// All files that follow from the figures, and what is to stand in them.
///
/// # Errors
/// A file cannot be read, or a table is missing.
pub fn files(root: &Path) -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let figures = Figures::parse(&read(&root.join("benches/plots/figures.md"))?);
    let page = root.join("docs/src/performance.md");
    let mut files = vec![(page.clone(), chapter(&read(&page)?, &figures)?)];
    let folder = root.join("docs/src/performance");
    files.extend(pictures(&figures)?.into_iter().map(|(name, svg)| (folder.join(name), svg)));
    Ok(files)
}

/// The repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_the_figures_give() {
        for (path, text) in files(&root()).unwrap() {
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "{} is old: cargo run -p plots", path.display());
        }
    }

    #[test]
    fn no_bar_is_missing_but_where_nothing_was_counted() {
        let text = std::fs::read_to_string(root().join("benches/plots/figures.md")).unwrap();
        let figures = Figures::parse(&text);
        let counted = |name: &str, least: usize| {
            let svg = &pictures(&figures).unwrap()[name];
            // The ground is one, and each name of the legend has one.
            let bars = svg.matches("<rect").count();
            assert!(bars >= least, "{name}: {bars}");
        };
        counted("gets.svg", 1 + 7 + 5 * 5 + 4 + 1);
        counted("others.svg", 1 + 5 + 5 * 5 - 2);
        counted("clients.svg", 1 + 3 + 11);
        counted("bodies.svg", 1 + 4 + 11);
        counted("idle.svg", 1 + 2 + 8);
    }

    #[test]
    fn a_mark_is_replaced_and_the_rest_stays() {
        let figures = Figures::parse("# then\n== one\n| a | b |\n|---|---|\n| c | 1 |\n");
        let text = "x <!-- figures: one --> old <!-- end: one --> y <!-- figures: when --><!-- end: when -->";
        let new = chapter(text, &figures).unwrap();
        assert_eq!(
            new,
            "x <!-- figures: one -->\n\n| a | b |\n|---|---:|\n| c | 1 |\n\n<!-- end: one --> y \
             <!-- figures: when -->\n\nthen\n\n<!-- end: when -->"
        );
        assert_eq!(chapter(&new, &figures).unwrap(), new);
        let compared = COMPARED.map(|(section, ours, peer)| {
            format!("== {section}\n| a | x | y |\n|---|---|---|\n| {ours} | 3 | 1 |\n| {peer} | 2 | 1 |\n")
        });
        // The first section of a name is the one that counts.
        let worse = lost(&Figures::parse(&compared.concat())).unwrap();
        assert!(worse.contains("| exchange beside hyper | x | 3 | 2 | 1.50 |"), "{worse}");
        assert!(!worse.contains("| y |"), "{worse}");
        assert!(chapter("<!-- figures: none --><!-- end: none -->", &figures).is_err());
        assert!(chapter("<!-- figures: one -->", &figures).is_err());
    }
}
