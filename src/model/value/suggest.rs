//! "Did you mean": the one measure by which all guesses are made, of verbs, flags, functions, names
//! of containers and images.

/// The fewest letters that tell a word from others: all shorter words have a similar spelling.
const TELLING: usize = 3;
/// The fewest letters that a word can be completed from.
const BEGINNING: usize = 2;

/// Returns the candidate that `word` was probably meant to be: one that begins with it, one with a
/// similar spelling, or one that it begins with. `None` where none is near enough.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    if length < BEGINNING {
        return None;
    }
    let known: Vec<&str> = candidates.into_iter().filter(|known| *known != word).collect();
    let completed = known.iter().find(|known| known.to_lowercase().starts_with(&lower));
    let spelled = || {
        let measured = known.iter().map(|known| (distance(&lower, &known.to_lowercase()), known));
        let near = measured.filter(|(distance, _)| *distance <= slips(length));
        near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
    };
    let begun = || {
        let begins = |known: &&&str| known.len() >= TELLING && lower.starts_with(**known);
        known.iter().filter(begins).max_by_key(|known| known.len())
    };
    if length < TELLING {
        return completed.copied();
    }
    completed.or_else(spelled).or_else(begun).copied()
}

/// Returns how many slips of the finger a word of this length may have: more, and it is another
/// word.
fn slips(length: usize) -> usize {
    match length {
        ..=6 => 1,
        7..=11 => 2,
        _ => 3,
    }
}

/// Counts the letters to insert, delete, replace or swap with their neighbour. In a word of four
/// letters a replaced one makes another word (`gpus`, `cpus`), so it counts for two.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let replacing = if a.len() > 4 { 1 } else { 2 };
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + if a[i - 1] == b[j - 1] { 0 } else { replacing };
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_recognised() {
        let verbs = ["start", "stop", "pause", "unpause", "ps", "inspect"];
        for (typed, meant) in
            [("strat", "start"), ("puase", "pause"), ("pss", "ps"), ("INSPCET", "inspect")]
        {
            assert_eq!(suggest(typed, verbs), Some(meant), "{typed}");
        }
        let options = ["name", "cmd", "env", "workdir", "hostname", "stop_signal"];
        for (typed, meant) in [
            ("nmae", "name"),
            ("Name", "name"),
            ("work_dir", "workdir"),
            ("stop_sinal", "stop_signal"),
            ("stop", "stop_signal"),
            ("environment", "env"),
            ("hos", "hostname"),
            ("cm", "cmd"),
        ] {
            assert_eq!(suggest(typed, options), Some(meant), "{typed}");
        }
        // The nearest of several, and the longest beginning.
        assert_eq!(suggest("volumes-form", ["volume", "volumes-from"]), Some("volumes-from"));
        assert_eq!(suggest("startled", ["sta", "start"]), Some("start"));
    }

    #[test]
    fn far_words_are_not_guessed() {
        for (typed, far) in [
            ("mac-address", "cap-add"),
            ("attach", "detach"),
            ("link", "init"),
            ("ip6", "ipc"),
            ("gpus", "cpus"),
            ("web1", "db1"),
            ("alpine", "ubuntu"),
            ("xyz", "xab"),
            ("ab", "ac"),
            ("", "ps"),
        ] {
            assert_eq!(suggest(typed, [far]), None, "{typed}");
        }
    }
}
