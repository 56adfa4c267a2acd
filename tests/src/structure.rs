//! Which file of a crate knows which: read from the paths in its code, as text.
//!
//! A path that goes through a door, a `pub use` of a `mod.rs` or `lib.rs`, leads to the file behind it. Tests are left
//! out, and macros are not expanded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// The names of modules from the root of the crate, which is the empty one.
type Module = Vec<String>;

/// Files or rooms, and the others that each of them knows.
pub type Knows = BTreeMap<String, BTreeSet<String>>;

/// The files of one crate.
#[derive(Debug)]
pub struct Sources {
    code: BTreeMap<Module, String>,
    /// What is handed on under a name, and where that leads.
    doors: BTreeMap<(Module, String), Vec<String>>,
}

/// A path in the code, from the root of the crate.
struct Reference {
    to: Vec<String>,
    /// By a `pub use`.
    is_handed_on: bool,
}

impl Sources {
    /// Reads the files of the crate whose sources are in `root`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        read_folder(root, &[], &mut files)?;
        Ok(Self::new(files))
    }

    fn new(files: BTreeMap<Module, String>) -> Self {
        let mut this = Self { code: files, doors: BTreeMap::new() };
        for module in this.code.keys().cloned().collect::<Vec<_>>() {
            for path in this.paths(&module).into_iter().filter(|path| path.is_handed_on) {
                let name = path.to.last().cloned().unwrap_or_default();
                this.doors.insert((module.clone(), name), path.to);
            }
        }
        this
    }

    /// Each file, as its path of modules, and the others that it knows.
    #[must_use]
    pub fn knows(&self) -> Knows {
        let mut knows = Knows::new();
        for module in self.code.keys().filter(|module| !module.is_empty()) {
            let files =
                self.paths(module).into_iter().filter(|path| !path.is_handed_on).map(|path| self.file_of(&path.to, 8));
            let others = files.filter(|file| file != module && !file.is_empty());
            knows.insert(module.join("::"), others.map(|file| file.join("::")).collect());
        }
        knows
    }

    /// The paths in the code of a module, from the root of the crate.
    fn paths(&self, module: &Module) -> Vec<Reference> {
        let taken_in = self.paths_given(module, &BTreeMap::new());
        let names = taken_in.into_iter().filter_map(|path| Some((path.to.last()?.clone(), path.to)));
        self.paths_given(module, &names.collect())
    }

    /// The same, where these names were taken in.
    fn paths_given(&self, module: &Module, names: &BTreeMap<String, Module>) -> Vec<Reference> {
        let code = &self.code[module];
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(length) = code[at..].find("::") {
            let colons = at + length;
            let first = code[at..colons].rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
            let (start, mut rest) = (colons - first.len(), &code[colons - first.len()..]);
            let mut written = Vec::new();
            tree(&mut rest, &mut Vec::new(), &mut written);
            at = (code.len() - rest.len()).max(colons + 2);
            let line = code[..start].rsplit('\n').next().unwrap_or_default().trim();
            let is_handed_on = line.starts_with("pub") && line.ends_with("use");
            let absolute = written.into_iter().filter_map(|path| self.absolute(module, &path, names));
            found.extend(absolute.map(|to| Reference { to, is_handed_on }));
        }
        found
    }

    /// The path from the root, if it stays in the crate.
    fn absolute(&self, module: &Module, path: &[String], names: &BTreeMap<String, Module>) -> Option<Vec<String>> {
        let (first, below) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => above(module)?,
            _ if self.code.contains_key(&[module.as_slice(), &path[..1]].concat()) => [module, &path[..1]].concat(),
            name => names.get(name)?.clone(),
        };
        for name in below {
            match name.as_str() {
                "super" => base = above(&base)?,
                "self" => {}
                _ => base.push(name.clone()),
            }
        }
        Some(base)
    }

    /// The file that a path leads to, through at most so many doors.
    fn file_of(&self, path: &[String], doors: usize) -> Module {
        let mut file = Vec::new();
        for (at, name) in path.iter().enumerate() {
            let below = [file.as_slice(), core::slice::from_ref(name)].concat();
            if self.code.contains_key(&below) {
                file = below;
                continue;
            }
            match self.doors.get(&(file.clone(), name.clone())) {
                Some(behind) if doors > 0 => return self.file_of(&[behind, &path[at + 1..]].concat(), doors - 1),
                _ => return file,
            }
        }
        file
    }
}

fn read_folder(folder: &Path, above: &[String], files: &mut BTreeMap<Module, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        let module = if name == "mod" || name == "lib" { above.to_vec() } else { [above, &[name]].concat() };
        if path.is_dir() {
            read_folder(&path, &module, files)?;
        } else {
            files.insert(module, code(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn above(module: &[String]) -> Option<Module> {
    module.split_last().map(|(_, above)| above.to_vec())
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// Reads the tree of paths that `rest` begins with, as in a `use`.
fn tree(rest: &mut &str, above: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    *rest = rest.trim_start();
    if let Some(group) = rest.strip_prefix('{') {
        *rest = group;
        loop {
            *rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('}') {
                *rest = rest.strip_prefix('}').unwrap_or_default();
                return;
            }
            tree(rest, &mut above.clone(), found);
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            *rest = rest[end..].strip_prefix(',').unwrap_or(&rest[end..]);
        }
    }
    let (name, after) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
    *rest = after;
    if !name.is_empty() {
        above.push(name.into());
    }
    match after.strip_prefix("::") {
        Some(below) if !name.is_empty() => {
            *rest = below;
            tree(rest, above, found);
        }
        _ => found.extend((!above.is_empty()).then(|| above.clone())),
    }
}

/// Everything that can be reached from `start`; itself only by a circle.
fn reached<'a>(knows: &'a Knows, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![start];
    while let Some(file) = todo.pop() {
        todo.extend(knows.get(file).into_iter().flatten().map(String::as_str).filter(|next| reached.insert(*next)));
    }
    reached
}

/// The sets of files that all know each other, by whatever way.
#[must_use]
pub fn circles(knows: &Knows) -> BTreeSet<Vec<String>> {
    let of = |file: &str| {
        let back = |other: &&str| reached(knows, other).contains(file);
        reached(knows, file).into_iter().filter(back).map(String::from).collect::<Vec<_>>()
    };
    knows.keys().map(|file| of(file)).filter(|circle| !circle.is_empty()).collect()
}

/// Each room, a folder or a file in the root, and the others that its files know.
#[must_use]
pub fn rooms(knows: &Knows) -> Knows {
    let room = |file: &str| file.split("::").next().unwrap_or_default().to_string();
    let mut rooms = Knows::new();
    for (file, others) in knows {
        let others = others.iter().map(|other| room(other)).filter(|other| *other != room(file));
        rooms.entry(room(file)).or_default().extend(others);
    }
    rooms
}

/// A flowchart of rooms. Whom a room knows through another one has no arrow of its own.
#[must_use]
pub fn mermaid(rooms: &Knows) -> String {
    let mut out = String::from("```mermaid\nflowchart TD\n");
    for (room, others) in rooms {
        let through = |other: &&String| others.iter().any(|next| reached(rooms, next).contains(other.as_str()));
        for other in others.iter().filter(|other| !through(other)) {
            out += &format!("    {room} --> {other}\n");
        }
    }
    out + "```\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(files: &[(&str, &str)]) -> Knows {
        let module = |name: &str| name.split("::").filter(|name| !name.is_empty()).map(String::from).collect();
        Sources::new(files.iter().map(|(name, text)| (module(name), code(text))).collect()).knows()
    }

    fn told(knows: &Knows) -> String {
        knows.iter().map(|(file, others)| format!("{file}: {others:?}\n")).collect()
    }

    #[test]
    fn paths_lead_to_files() {
        let knows = knows(&[
            ("", "mod a;\npub mod b;\npub use b::Named;\n"),
            ("a", "use crate::{Named, b::{self, inner::*}};\nuse core::fmt;\nfn f() { b::other::g::<u8>() }\n"),
            ("b", "mod inner;\nmod other;\npub use inner::Named;\n/// [`x`](crate::a)\nfn h() { inner::k() }\n"),
            ("b::inner", "use super::other as o;\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n"),
            ("b::other", "pub fn g<T>() {}\n"),
        ]);
        assert_eq!(
            told(&knows),
            "a: {\"b\", \"b::inner\", \"b::other\"}\nb: {\"b::inner\"}\nb::inner: {\"b::other\"}\nb::other: {}\n"
        );
    }

    #[test]
    fn circles_are_found_through_doors() {
        let knows = knows(&[
            ("", "mod a;\nmod b;\n"),
            ("a", "use crate::b::Thing;\n"),
            ("b", "pub use thing::Thing;\nmod thing;\n"),
            ("b::thing", "use super::far;\n"),
            ("b::far", "use crate::a::A;\n"),
        ]);
        assert_eq!(circles(&knows), BTreeSet::from([vec!["a".into(), "b::far".into(), "b::thing".into()]]));
        assert!(circles(&rooms(&knows)).len() == 1, "and they are circles of rooms");
    }

    #[test]
    fn what_follows_is_not_drawn() {
        let knows = knows(&[("", ""), ("a", "use crate::{b, c};"), ("b", "use crate::c;"), ("c", "")]);
        assert_eq!(mermaid(&rooms(&knows)), "```mermaid\nflowchart TD\n    a --> b\n    b --> c\n```\n");
    }
}
