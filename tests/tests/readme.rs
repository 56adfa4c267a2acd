//! What the READMEs and the adapters' front pages show is all that a user's own crate needs.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that stand in this repository.
const OURS: [&str; 4] = ["http-core", "http-driver", "http-tokio", "http-async-std"];

/// A program, and the dependencies that were named last before it.
struct Program {
    name: String,
    dependencies: String,
    code: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documentation of a crate as Markdown.
fn front_page(path: &str) -> String {
    let source = read(path);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.fold(String::new(), |page, line| page + line.strip_prefix(' ').unwrap_or(line) + "\n")
}

/// The programs of a page: its blocks of Rust.
fn programs(page: &str, text: &str) -> Vec<Program> {
    let (mut programs, mut dependencies) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```");
        let block = block.fold(String::new(), |block, line| block + line + "\n");
        match language.split(',').next() {
            Some("toml") => dependencies = block,
            // Rustdoc's own language is Rust.
            Some("rust" | "no_run" | "") => programs.push(Program {
                name: format!("{page}-{}", programs.len() + 1),
                dependencies: dependencies.clone(),
                code: block,
            }),
            _ => {}
        }
    }
    programs
}

impl Program {
    fn manifest(&self) -> String {
        let package = format!("[package]\nname = \"{}\"\nedition = \"2024\"\n\n[workspace]\n\n", self.name);
        self.dependencies.lines().fold(package, |mut manifest, line| {
            let name = line.split('=').next().unwrap_or_default().trim();
            match OURS.contains(&name) {
                true => writeln!(manifest, "{name} = {{ path = {:?} }}", root().join(name)).unwrap(),
                false => writeln!(manifest, "{line}").unwrap(),
            }
            manifest
        })
    }

    /// The code as a program: what has no `main` is the inside of one, as it is for rustdoc.
    fn source(&self) -> String {
        let shown = self.code.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
        let code = shown.fold(String::new(), |code, line| code + line + "\n");
        if code.contains("fn main()") {
            return code;
        }
        let ends = if code.trim_end().ends_with("(())") { "" } else { "Ok(())" };
        format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{code}{ends}\n}}\n")
    }

    /// Whether it compiles; what the compiler says where it does not.
    fn check(&self, folder: &Path) -> Result<(), String> {
        let package = folder.join(&self.name);
        fs::create_dir_all(package.join("src")).unwrap();
        fs::write(package.join("Cargo.toml"), self.manifest()).unwrap();
        fs::write(package.join("src/main.rs"), self.source()).unwrap();
        fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
        // A target folder of their own: whoever runs this test may hold the lock of the workspace's.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet", "--target-dir"]).arg(folder.join("target")).current_dir(&package);
        cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
        // Those of a cargo that runs this test speak of pipes that are not handed on.
        cargo.env_remove("CARGO_MAKEFLAGS").env_remove("MAKEFLAGS");
        let output = cargo.output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{}:\n{}{}", self.name, self.manifest(), String::from_utf8_lossy(&output.stderr)))
    }
}

#[test]
fn every_program_compiles_with_the_dependencies_that_are_named() {
    let pages = [
        ("readme", read("README.md"), 4),
        ("http-core-readme", read("http-core/README.md"), 1),
        ("http-tokio-readme", read("http-tokio/README.md"), 1),
        ("http-async-std-readme", read("http-async-std/README.md"), 1),
        ("http-tokio-front-page", front_page("http-tokio/src/lib.rs"), 3),
        ("http-async-std-front-page", front_page("http-async-std/src/lib.rs"), 3),
    ];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let mut failed = Vec::new();
    for (page, text, count) in pages {
        let programs = programs(page, &text);
        assert_eq!(programs.len(), count, "the programs of {page}");
        failed.extend(programs.iter().filter_map(|program| program.check(&folder).err()));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The names that the root of a library hands out.
fn handed_out(path: &str) -> BTreeSet<String> {
    let source = read(path);
    let mut names: BTreeSet<_> =
        source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect();
    for statement in source.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        let list = statement.split_once("::{").map_or(statement, |(_, list)| list.trim_end_matches('}'));
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let name = name.rsplit(" as ").next().unwrap_or(name);
            names.insert(name.rsplit("::").next().unwrap_or(name).to_owned());
        }
    }
    names
}

#[test]
fn an_adapter_hands_out_all_of_the_driver() {
    let mut expected = handed_out("http-driver/src/lib.rs");
    assert!(expected.len() > 20 && ["tls", "client", "Incoming"].iter().all(|&name| expected.contains(name)));
    expected.extend(["core", "Config"].map(str::to_owned));
    for adapter in ["http-tokio/src/lib.rs", "http-async-std/src/lib.rs"] {
        let missing: Vec<_> = expected.difference(&handed_out(adapter)).cloned().collect();
        assert!(missing.is_empty(), "{adapter} hands out no {missing:?}");
    }
}

#[test]
fn examples_use_an_adapter_alone() {
    let mut count = 0;
    for folder in ["examples", "examples/shared"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                for name in ["http_core", "http_driver", "http_body", "tower_service"] {
                    assert!(!source.contains(&format!("{name}::")), "{} names {name}", path.display());
                }
                count += 1;
            }
        }
    }
    assert!(count > 15, "{count} examples");
}
