//! Command lines of the examples: `--name value` pairs.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The options that were given.
#[derive(Debug)]
pub(crate) struct Args(BTreeMap<String, String>);

impl Args {
    /// Reads the command line; ends the program with its usage if an option is unknown or lacks its value.
    pub(crate) fn parse(usage: &str, known: &[&str]) -> Self {
        let mut options = BTreeMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match (word.strip_prefix("--").filter(|name| known.contains(name)), words.next()) {
                (Some(name), Some(value)) => drop(options.insert(name.to_owned(), value)),
                _ => fail(usage, &format!("cannot use {word}")),
            }
        }
        Self(options)
    }

    /// An option's value, or a default.
    pub(crate) fn get<V: FromStr>(&self, usage: &str, name: &str, default: V) -> V {
        match self.0.get(name).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => fail(usage, &format!("--{name} has a bad value")),
        }
    }
}

/// Ends the program with what is wrong and how to use it.
pub(crate) fn fail(usage: &str, what: &str) -> ! {
    eprintln!("{what}\nusage: {usage}");
    std::process::exit(2)
}
