//! What the programs that count have in common: lists on the command line, counting side by side, verdicts.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

/// The members of `all` that a list names.
///
/// # Errors
/// It names others.
pub fn listed<T: Copy>(list: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<Vec<T>, String> {
    let find = |word: &str| all.iter().copied().find(|one| name(*one) == word).ok_or_else(|| format!("no {word}"));
    list.split(',').map(find).collect()
}

/// Counts all of `what`, as many at a time as there are cores.
///
/// # Errors
/// The last one's, with its name.
pub fn count_all<P, C>(
    what: &[P],
    name: impl Fn(P) -> String + Sync,
    count: impl Fn(P) -> io::Result<C> + Sync,
) -> Result<BTreeMap<P, C>, String>
where
    P: Copy + Ord + Send + Sync,
    C: Send,
{
    let (left, found) = (Mutex::new(what.iter()), Mutex::new(Ok(BTreeMap::new())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("nobody panics").next().copied();
                    let Some(one) = next else { return };
                    let counted = count(one);
                    let mut found = found.lock().expect("nobody panics");
                    match (&mut *found, counted) {
                        (Ok(figures), Ok(cost)) => drop(figures.insert(one, cost)),
                        (found, Err(error)) => *found = Err(format!("{}: {error}", name(one))),
                        (Err(_), _) => return,
                    }
                }
            });
        }
    });
    found.into_inner().expect("nobody panics")
}

/// Says whether a figure is within its bound.
pub fn is_within(what: &str, figure: f64, most: f64) -> bool {
    let within = figure <= most;
    let verdict = if within { "ok  " } else { "FAIL" };
    println!("{verdict} {what}: {figure:.3}, at most {most:.3}");
    within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_has_are_no_list() {
        let name = |number| if number == 1 { "one" } else { "two" };
        assert_eq!(listed("two,one", &[1, 2], name), Ok(vec![2, 1]));
        assert_eq!(listed("one,nobody", &[1, 2], name), Err("no nobody".to_owned()));
    }

    #[test]
    fn all_are_counted_or_one_is_named() {
        let figures = count_all(&[1, 2, 3], |n| n.to_string(), |n| Ok(2 * n));
        assert_eq!(figures, Ok(BTreeMap::from([(1, 2), (2, 4), (3, 6)])));
        let broken = |n| if n == 2 { Err(io::Error::other("broken")) } else { Ok(n) };
        assert_eq!(count_all(&[1, 2], |n| n.to_string(), broken), Err("2: broken".to_owned()));
    }
}
