//! Exhaustive exploration: every order of a small alphabet of inputs, each state looked at once.
//!
//! A world is a machine with what surrounds it: a peer that speaks from a small repertoire, an application that may
//! command anything at any time, a transport and a clock. It checks on every step what must hold. States that the
//! machine's canonical form cannot tell apart are one, so the search comes to an end by itself.

pub mod client;
pub mod dispatcher;

pub mod server;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

use http_core::client::Readiness;
use http_core::{Config, Deadline, Instant, Interest};

/// A machine and what surrounds it.
pub trait World: Clone {
    /// What may happen.
    type Step: Clone;
    /// What makes two worlds the same.
    type Key: Eq + Hash;

    /// Everything that may happen now.
    fn steps(&self) -> Vec<Self::Step>;
    /// A step in words; those that come to the same in a diagram have the same.
    fn name(&self, step: &Self::Step) -> String;
    /// Lets it happen; `Err` tells what does not hold of what it led to.
    fn apply(&mut self, step: &Self::Step) -> Result<(), String>;
    /// What does not hold in this state, however it was reached.
    fn check(&self) -> Result<(), String>;
    /// What tells it from other worlds.
    fn key(&self) -> Self::Key;
    /// Where the things are that a diagram shows: those before and after a step are paired in order of their names.
    fn places(&self) -> BTreeMap<u64, String>;
}

/// How much may be read has a bound, whatever was polled.
fn bounded(interest: Interest, config: &Config) -> Result<(), String> {
    match interest.lend <= config.max_input_bytes() {
        true => Ok(()),
        false => Err(format!("{} bytes may be lent", interest.lend)),
    }
}

/// Everything that a machine wants of its surroundings: what it may read, send and produce, when it is to be woken,
/// whether it takes another request.
type Wants = (Interest, Option<Instant>, Option<Deadline>, usize, Option<Readiness>);

/// What a machine wants hangs on nothing but what has happened: a poll that tells nothing, where nothing new has come
/// since the last one that told nothing, changes nothing of it.
fn steady(before: Wants, after: Wants) -> Result<(), String> {
    match before == after {
        true => Ok(()),
        false => Err(format!("wants {before:?}, and with a poll {after:?}")),
    }
}

/// What an exploration came to.
#[derive(Debug, Default)]
pub struct Graph {
    /// States that were visited.
    pub states: usize,
    /// Steps that were tried.
    pub transitions: usize,
    /// From where to where by what.
    pub edges: BTreeMap<(String, String), BTreeSet<String>>,
}

/// Visits every state that can be reached; `Err` tells the shortest way to a fault. More than `most` states are a
/// fault too: what grows without end cannot be explored.
pub fn explore<W: World>(start: W, most: usize) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let mut seen = HashMap::new();
    // Of each state where it came from and by what, to tell the way.
    let mut origins: Vec<Option<(usize, String)>> = vec![None];
    let mut queue = VecDeque::from([(0, start.clone())]);
    seen.insert(start.key(), ());
    while let Some((index, world)) = queue.pop_front() {
        graph.states += 1;
        if graph.states > most {
            return Err(format!("more than {most} states"));
        }
        world.check().map_err(|fault| format!("{fault}\nafter {}", way(&origins, index)))?;
        let before = world.places();
        for step in world.steps() {
            let mut next = world.clone();
            graph.transitions += 1;
            if let Err(fault) = next.apply(&step) {
                return Err(format!("{fault}\nafter {} > {}", way(&origins, index), world.name(&step)));
            }
            note(&mut graph, &before, &next.places(), world.name(&step));
            if let Entry::Vacant(vacant) = seen.entry(next.key()) {
                vacant.insert(());
                origins.push(Some((index, world.name(&step))));
                queue.push_back((origins.len() - 1, next));
            }
        }
    }
    Ok(graph)
}

fn note(graph: &mut Graph, before: &BTreeMap<u64, String>, after: &BTreeMap<u64, String>, name: String) {
    let names: BTreeSet<&u64> = before.keys().chain(after.keys()).collect();
    for thing in names {
        let place = |places: &BTreeMap<u64, String>| places.get(thing).cloned().unwrap_or_else(|| "[*]".into());
        let (from, to) = (place(before), place(after));
        if from != to {
            graph.edges.entry((from, to)).or_default().insert(name.clone());
        }
    }
}

fn way(origins: &[Option<(usize, String)>], mut index: usize) -> String {
    let mut names = Vec::new();
    while let Some(Some((from, name))) = origins.get(index) {
        names.push(name.as_str());
        index = *from;
    }
    names.reverse();
    names.join(" > ")
}

impl Graph {
    /// As a Mermaid state diagram.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = String::from("```mermaid\nstateDiagram-v2\n");
        let id = |place: &str| if place == "[*]" { place.into() } else { place.replace(' ', "_") };
        let places: BTreeSet<&String> = self.edges.keys().flat_map(|(from, to)| [from, to]).collect();
        for place in places.into_iter().filter(|place| place.contains(' ')) {
            out += &format!("    state \"{place}\" as {}\n", id(place));
        }
        for ((from, to), names) in &self.edges {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            out += &format!("    {} --> {}: {}\n", id(from), id(to), names.join("<br/>"));
        }
        out + "```\n"
    }
}
