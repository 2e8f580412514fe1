//! TAB: in a command line verbs, flags, containers and images; in a script what the language says.

use super::input::Input;
use super::turn::Talk;
use crate::script::{Candidate, Completion};

/// Verbs that are about images.
const OF_IMAGES: &[&str] = &["run", "create", "rmi", "history", "image", "images"];

/// What can stand at `position` in `line`.
pub fn complete(talk: &Talk<'_>, line: &str, position: usize) -> Completion {
    let before = &line[..position.min(line.len())];
    let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (earlier, word) = before.split_at(start);
    if earlier.trim().is_empty() {
        return first_word(talk, line, position, word);
    }
    let Input::Command(words) = talk.classify(earlier) else {
        return talk.session.borrow().complete(line, position);
    };
    let verb = words.first().map(String::as_str).unwrap_or_default();
    let session = talk.session.borrow();
    let mut names = match word {
        word if word.starts_with('-') => talk.commands.flags(verb),
        _ if OF_IMAGES.contains(&verb) => session.image_names(),
        _ => session.container_names(),
    };
    names.retain(|name| name.starts_with(word));
    Completion { start, candidates: names.into_iter().map(plain).collect() }
}

/// The first word may begin a command line or a script.
fn first_word(talk: &Talk<'_>, line: &str, position: usize, word: &str) -> Completion {
    let mut completion = talk.session.borrow().complete(line, position);
    let start = position - word.len();
    if completion.start == start && !word.is_empty() {
        let verbs = talk.verbs.iter().filter(|verb| verb.starts_with(word));
        completion.candidates.extend(verbs.map(|verb| plain(format!("{verb} "))));
        completion.candidates.sort_by(|a, b| a.text.cmp(&b.text));
    }
    completion
}

fn plain(text: String) -> Candidate {
    Candidate { text, about: String::new() }
}
