//! The nearest known name to a mistyped one.

/// The name among `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|name| *name != word)
        .map(|name| (distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed || is_beginning(&lower, name))
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// Whether `word` is a good part of `name`: `stat` for `status`, `work_dir` is left to distance.
fn is_beginning(word: &str, name: &str) -> bool {
    word.len() >= 3 && (name.starts_with(word) || word.starts_with(name) && name.len() >= 3)
}

/// How many letters must be added, removed, changed or swapped (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let known = ["name", "cmd", "env", "workdir", "hostname", "stop_signal"];
        for (word, meant) in [
            ("nmae", Some("name")),
            ("Name", Some("name")),
            ("work_dir", Some("workdir")),
            ("stop_sinal", Some("stop_signal")),
            ("stop", Some("stop_signal")),
            ("environment", Some("env")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
