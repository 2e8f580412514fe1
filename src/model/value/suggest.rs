//! "Did you mean": the known word that is closest to what was typed.

/// Returns the candidate closest to `word`, if one is close enough: a third of the letters may
/// differ, and at least one.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    let measured =
        candidates.into_iter().map(|known| (distance(&word, &known.to_lowercase()), known));
    measured
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Counts the letters to insert, delete, replace or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
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
    fn slips_are_recognised_and_other_words_are_not() {
        let verbs = ["start", "stop", "pause", "unpause", "ps", "inspect"];
        for (typed, meant) in [
            ("strat", Some("start")),
            ("puase", Some("pause")),
            ("pss", Some("ps")),
            ("INSPCET", Some("inspect")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(suggest(typed, verbs), meant, "{typed}");
        }
    }
}
