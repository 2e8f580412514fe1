//! The format of a lesson, and lifebox's own lessons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::values;
use crate::engine::stream::read_regular;
use crate::model::error::Context as _;
use crate::model::value::language::Language;
use crate::model::{Error, Kind, Result};

/// The lessons that come with lifebox, in order.
const LESSONS: &[(&str, &str)] = &[
    ("01-image", include_str!("../../../stdlib/lessons/01-image.yaml")),
    ("02-create", include_str!("../../../stdlib/lessons/02-create.yaml")),
    ("03-start", include_str!("../../../stdlib/lessons/03-start.yaml")),
    ("04-many", include_str!("../../../stdlib/lessons/04-many.yaml")),
    ("05-pause", include_str!("../../../stdlib/lessons/05-pause.yaml")),
    ("06-stop", include_str!("../../../stdlib/lessons/06-stop.yaml")),
    ("07-restart", include_str!("../../../stdlib/lessons/07-restart.yaml")),
    ("08-rm", include_str!("../../../stdlib/lessons/08-rm.yaml")),
    ("09-options", include_str!("../../../stdlib/lessons/09-options.yaml")),
    ("10-logs", include_str!("../../../stdlib/lessons/10-logs.yaml")),
    ("11-isolation", include_str!("../../../stdlib/lessons/11-isolation.yaml")),
    ("12-limits", include_str!("../../../stdlib/lessons/12-limits.yaml")),
    ("13-layers", include_str!("../../../stdlib/lessons/13-layers.yaml")),
    ("14-workflow", include_str!("../../../stdlib/lessons/14-workflow.yaml")),
];

/// The maximum size of a lesson, in bytes.
const LARGEST: u64 = 1 << 20;

/// One lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its id, for progress and `learn ID`.
    pub id: String,
    /// Its title.
    pub title: LocalizedText,
    /// The values that are chosen for each learner, by name; `$name` stands for one in all texts.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// A script that runs before the lesson. The store then has only the image `host`.
    #[serde(default)]
    pub before: String,
    /// The explanation.
    pub explain: LocalizedText,
    /// A question to guess.
    #[serde(default)]
    pub guess: Option<Guess>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A question with a choice of answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guess {
    /// The question.
    pub ask: LocalizedText,
    /// The answers; they are shown in another order to each learner.
    pub choices: Vec<LocalizedText>,
    /// The number of the right answer, from 1.
    pub right: usize,
    /// The reason.
    pub because: LocalizedText,
}

/// A step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The task.
    pub ask: LocalizedText,
    /// The check: a script whose value is `true`, or the name of a hint.
    #[serde(default)]
    pub check: String,
    /// For a question instead of a check: a script whose value is the right `:answer`.
    #[serde(default)]
    pub answer: String,
    /// The hints, by name.
    #[serde(default)]
    pub hints: BTreeMap<String, LocalizedText>,
    /// A solution: a script. For a question, it runs before the answer is computed.
    pub solve: String,
    /// For each hint a script (for a question: an answer) that leads to it.
    #[serde(default)]
    pub wrong: BTreeMap<String, String>,
}

/// A text in one or several languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum LocalizedText {
    /// One text for all languages.
    One(String),
    /// The texts by language code.
    Each(BTreeMap<String, String>),
}

impl LocalizedText {
    /// Returns the text for a language; without one the English text, or any.
    pub fn for_reader(&self, language: Language) -> &str {
        match self {
            LocalizedText::One(text) => text,
            LocalizedText::Each(texts) => {
                let in_english = texts.get(Language::English.code());
                let text = texts.get(language.code()).or(in_english).or(texts.values().next());
                text.map_or("", String::as_str)
            }
        }
    }

    /// Returns whether there is a text in this language.
    #[cfg(test)]
    pub fn is_in(&self, language: Language) -> bool {
        matches!(self, LocalizedText::Each(texts) if texts.contains_key(language.code()))
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let (one, each) = match self {
            LocalizedText::One(text) => (Some(text.as_str()), None),
            LocalizedText::Each(texts) => (None, Some(texts.values().map(String::as_str))),
        };
        one.into_iter().chain(each.into_iter().flatten())
    }
}

impl Lesson {
    /// Parses the lesson of this name.
    ///
    /// # Errors
    /// [`Kind::Invalid`], with the problem and its place.
    pub fn parse(name: &str, text: &str) -> Result<Lesson> {
        let wrong = |why: String| {
            Error::new(Kind::Invalid, format!("the lesson `{name}` cannot be read: {why}"))
                .hint("see stdlib/lessons/FORMAT.md for the format")
        };
        let lesson: Lesson = serde_saphyr::from_str(text).map_err(|error| {
            // The other lines of the message are for programmers.
            wrong(error.to_string().lines().next().unwrap_or_default().to_owned())
        })?;
        lesson.faults().into_iter().next().map_or(Ok(lesson), |fault| Err(wrong(fault)))
    }

    /// Returns the faults of the lesson.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.id.is_empty() || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            faults.push(format!(
                "`id: {}` has characters other than letters, digits and `-`",
                self.id
            ));
        }
        if self.steps.is_empty() {
            faults.push("the lesson has no `steps`".to_owned());
        }
        let is_wrong = |guess: &Guess| {
            guess.choices.len() < 2 || !(1..=guess.choices.len()).contains(&guess.right)
        };
        if self.guess.as_ref().is_some_and(is_wrong) {
            faults.push("`guess` needs two choices, and `right` the number of one".to_owned());
        }
        for (name, kind) in &self.values {
            if let Err(error) = values::choose(kind) {
                faults.push(format!("`values.{name}`: {error}"));
            }
        }
        for (number, step) in (1..).zip(&self.steps) {
            if step.check.is_empty() == step.answer.is_empty() {
                faults.push(format!("step {number} needs either `check` or `answer`"));
            }
            for name in step.wrong.keys().filter(|name| !step.hints.contains_key(*name)) {
                faults.push(format!("step {number}: `wrong.{name}` has no hint of this name"));
            }
        }
        for name in self.unknown_values() {
            faults.push(format!("`${name}` is not among the `values`"));
        }
        faults
    }

    /// Returns the unknown names after a `$`.
    fn unknown_values(&self) -> BTreeSet<String> {
        let guess = self.guess.iter();
        let questions =
            guess.flat_map(|guess| [&guess.ask, &guess.because].into_iter().chain(&guess.choices));
        let of_steps = self.steps.iter().flat_map(|step| step.hints.values().chain([&step.ask]));
        let words = [&self.title, &self.explain].into_iter().chain(questions).chain(of_steps);
        let scripts = self.steps.iter().flat_map(|step| {
            [&step.check, &step.answer, &step.solve].into_iter().chain(step.wrong.values())
        });
        let texts = words.flat_map(LocalizedText::all).chain(scripts.map(String::as_str));
        let names = texts.chain([self.before.as_str()]).flat_map(values::names);
        names.filter(|name| !self.values.contains_key(*name)).map(str::to_owned).collect()
    }
}

/// Returns lifebox's own lessons.
///
/// # Errors
/// When one of them is invalid; a test holds that none is.
pub fn course() -> Result<Vec<Lesson>> {
    LESSONS.iter().map(|(name, text)| Lesson::parse(name, text)).collect()
}

/// Reads the lessons of a folder: its files `*.yaml`, in the order of their names.
///
/// # Errors
/// When there is none, or one is invalid.
pub fn of_folder(folder: &Path) -> Result<Vec<Lesson>> {
    let what = || format!("read the lessons in `{}`", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).context(what)? {
        let path = entry.context(what)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message = format!("there are no lessons in `{}`", folder.display());
        return Err(Error::new(Kind::NotFound, message).hint("add a lesson as a file NAME.yaml"));
    }
    let mut lessons: Vec<Lesson> = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = read_regular(&path, LARGEST).context(|| format!("read `{name}`"))?;
        let lesson = Lesson::parse(&name, &text)?;
        if lessons.iter().any(|known| known.id == lesson.id) {
            let message = format!("`{name}`: there is another lesson `{}`", lesson.id);
            return Err(Error::new(Kind::Exists, message));
        }
        lessons.push(lesson);
    }
    Ok(lessons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_is_told_in_every_language() {
        for lesson in course().unwrap() {
            let guess = lesson.guess.iter();
            let questions = guess.flat_map(|guess| [&guess.ask, &guess.because]);
            let of_steps =
                lesson.steps.iter().flat_map(|step| step.hints.values().chain([&step.ask]));
            let words =
                [&lesson.title, &lesson.explain].into_iter().chain(questions).chain(of_steps);
            for words in words {
                for language in Language::ALL {
                    assert!(words.is_in(language), "{}: {words:?}", lesson.id);
                }
            }
        }
    }

    #[test]
    fn every_lesson_asks_for_a_guess_and_has_a_wrong_way_for_each_hint() {
        let lessons = course().unwrap();
        let ids: BTreeSet<_> = lessons.iter().map(|lesson| lesson.id.as_str()).collect();
        assert_eq!(ids.len(), lessons.len());
        for lesson in &lessons {
            assert!(lesson.guess.is_some(), "{}", lesson.id);
            for step in &lesson.steps {
                let hints: Vec<_> = step.hints.keys().collect();
                assert!(!hints.is_empty(), "{}: {:?}", lesson.id, step.ask);
                assert_eq!(hints, step.wrong.keys().collect::<Vec<_>>(), "{}", lesson.id);
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_lesson_is_named() {
        let parse = |text: &str| Lesson::parse("x", text).unwrap_err().to_string();
        let whole =
            "id: a\ntitle: t\nexplain: e\nsteps:\n- ask: do $name\n  check: 'true'\n  solve: ''\n";
        assert!(parse(whole).contains("`$name` is not among the `values`"));
        assert!(Lesson::parse("x", &whole.replace(" $name", "")).is_ok());
        assert!(parse("id: a b\ntitle: t\nexplain: e\nsteps: []").contains("letters, digits"));
        assert!(parse("id: a\ntitle: t\nexplain: e\nsteps: []").contains("no `steps`"));
        assert!(parse("id: a\nstps: 1").contains("stps"), "{}", parse("id: a\nstps: 1"));
    }
}
