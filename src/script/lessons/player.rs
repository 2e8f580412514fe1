//! `Player`: the current lesson and step of a learner, and the texts to show.

use std::time::Instant;

use jiff::Timestamp;

use super::format::{Guess, Lesson, Step};
use super::progress::{LearnerProgress, ProgressFile};
use super::sandbox_store::{ask, chosen, clear, is_same, prepare};
use super::values::{self, Values};
use crate::model::value::language::ReaderProfile;
use crate::model::{Error, Kind, Result};
use crate::script::host::ScriptHost;
use crate::ui::messages::{self, Args};
use crate::ui::{format::columns, page_of_text};

/// The output of the course for an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TutorOutput {
    /// The text to read first, which may be longer than a screen.
    pub read: String,
    /// The task.
    pub text: String,
}

impl From<String> for TutorOutput {
    fn from(text: String) -> Self {
        TutorOutput { read: String::new(), text }
    }
}

/// The position in a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Its question is open.
    Guess,
    /// This step is the task.
    Step(usize),
    /// The lesson is done.
    Finished,
}

/// A learner and a course.
#[derive(Debug)]
pub struct Player {
    host: ScriptHost,
    course: Vec<Lesson>,
    progress_file: ProgressFile,
    lesson: usize,
    at: At,
    values: Values,
    /// The order in which the choices of the current question are shown.
    order: Vec<usize>,
    lesson_started: Instant,
    /// The last result of the check, so that a hint is not repeated.
    last: Option<String>,
}

impl Player {
    /// Creates a player at the first lesson that is not done, or at this one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown lesson.
    pub fn new(
        host: ScriptHost,
        course: Vec<Lesson>,
        kept: ProgressFile,
        first: Option<&str>,
    ) -> Result<Self> {
        let open = |lesson: &Lesson| !kept.progress.is_done(&lesson.id);
        let lesson = match first {
            Some(name) => find(&course, name)?,
            None => course.iter().position(open).unwrap_or(0),
        };
        Ok(Player {
            host,
            course,
            progress_file: kept,
            lesson,
            at: At::Finished,
            values: Values::new(),
            order: Vec::new(),
            lesson_started: Instant::now(),
            last: None,
        })
    }

    fn reader(&self) -> ReaderProfile {
        self.host.reader
    }

    fn format(&self, id: &str, facts: Args<'_>) -> String {
        messages::format_message(self.reader().language, id, facts)
    }

    /// Returns a text of the lesson, with its values.
    fn words(&self, words: &super::format::LocalizedText) -> String {
        let text = values::put(words.for_reader(self.reader().language), &self.values);
        // Lessons of other teachers are not trusted.
        page_of_text(&crate::ui::error::escape_control(&text), self.reader())
    }

    fn current(&self) -> &Lesson {
        &self.course[self.lesson]
    }

    fn step(&self) -> Option<(usize, &Step)> {
        match self.at {
            At::Step(number) => self.current().steps.get(number).map(|step| (number, step)),
            At::Guess | At::Finished => None,
        }
    }

    fn guess(&self) -> Option<&Guess> {
        self.current().guess.as_ref().filter(|_| self.at == At::Guess)
    }

    /// Returns the welcome of the course.
    pub fn welcome(&self) -> String {
        let count = self.course.len().to_string();
        let (hello, how) =
            (self.format("learn-welcome", &[("count", &count)]), self.format("learn-how", &[]));
        let mut text = format!(
            "{}\n\n{}",
            page_of_text(&hello, self.reader()),
            page_of_text(&how, self.reader())
        );
        let done =
            self.course.iter().filter(|lesson| self.progress_file.progress.is_done(&lesson.id));
        let done = done.count();
        // Without a cgroup nothing can be paused, counted or limited.
        let info = self.host.backend.info();
        if info.is_ok_and(|info| info.rootless && info.cgroup_controllers.is_empty()) {
            let note = page_of_text(&self.format("learn-no-cgroup", &[]), self.reader());
            text.push_str(&format!("\n\n{note}"));
        }
        if done > 0 {
            let done = done.to_string();
            let progress = self.format("learn-progress", &[("done", &done), ("count", &count)]);
            text.push_str(&format!("\n{progress} {}", self.format("learn-restart", &[])));
        }
        text
    }

    /// Returns the help of the course.
    pub fn how(&self) -> String {
        page_of_text(&self.format("learn-how", &[]), self.reader())
    }

    /// Returns the goodbye, when the progress is saved.
    pub fn goodbye(&self) -> String {
        match self.progress_file.save() {
            Ok(()) => self.format("learn-bye", &[]),
            Err(error) => crate::ui::error::error(&error).trim_end().to_owned(),
        }
    }

    /// Restarts the current lesson: an empty store, new values.
    ///
    /// # Errors
    /// When the store cannot be cleared or the `before` script fails.
    pub fn begin(&mut self) -> Result<TutorOutput> {
        let lesson = self.current().clone();
        self.values = chosen(&lesson)?;
        clear(self.host.backend.as_ref())?;
        prepare(&self.host, &lesson, &self.values)?;
        self.lesson_started = Instant::now();
        self.at = if lesson.guess.is_some() { At::Guess } else { At::Step(0) };
        self.order = shuffled(lesson.guess.as_ref().map_or(0, |guess| guess.choices.len()));
        self.last = None;
        let (number, count) = ((self.lesson + 1).to_string(), self.course.len().to_string());
        let title = self.words(&lesson.title);
        let facts =
            [("number", number.as_str()), ("count", count.as_str()), ("title", title.as_str())];
        let title = self.format("learn-lesson", &facts);
        let line = if self.reader().ascii { "=" } else { "━" };
        let line = line.repeat(self.reader().width.min(76));
        let title = page_of_text(&title, self.reader());
        let read = format!("{line}\n{title}\n{line}\n\n{}\n", self.words(&lesson.explain));
        let keys = page_of_text(&self.format("learn-keys", &[]), self.reader());
        let text = format!("{}\n{keys}", self.task());
        Ok(TutorOutput { read, text })
    }

    /// Returns the current question or task.
    fn task(&mut self) -> String {
        if let Some(guess) = self.guess() {
            let mut text =
                format!("{}\n{}\n", self.format("learn-predict", &[]), self.words(&guess.ask));
            for (number, choice) in (1..).zip(&self.order) {
                let words = self.words(&guess.choices[*choice]);
                let lines = columns::wrapped(&words, self.reader().width.saturating_sub(5));
                text.push_str(&format!("  {number}) {}\n", lines.join("\n     ")));
            }
            text.push_str(&self.format("learn-choose", &[]));
            return text;
        }
        let Some((number, step)) = self.step() else { return self.finished() };
        let count = self.current().steps.len();
        let (shown, all) = ((number + 1).to_string(), count.to_string());
        let facts = [("number", shown.as_str()), ("count", all.as_str())];
        let head = if count == 1 {
            self.format("learn-task", &[])
        } else {
            self.format("learn-step", &facts)
        };
        let text = format!("{head}\n{}", self.words(&step.ask));
        self.last = self.verdict().err();
        text
    }

    /// Checks whether the current step is done; otherwise returns the name of a hint.
    fn verdict(&self) -> Result<(), String> {
        let Some((_, step)) = self.step().filter(|(_, step)| !step.check.is_empty()) else {
            return Err(String::new());
        };
        match ask(&self.host, &step.check, &self.values) {
            Ok(said) if said == "true" => Ok(()),
            // If the check itself fails, the step is not done; the first hint fits best.
            Ok(said) => Err(said),
            Err(_) => Err(step.hints.keys().next().cloned().unwrap_or_default()),
        }
    }

    /// Checks the step after an input, and returns the text to show; empty for none.
    pub fn after(&mut self) -> String {
        if self.step().is_none_or(|(_, step)| step.check.is_empty()) {
            return String::new();
        }
        match self.verdict() {
            Ok(()) => self.next_step(),
            Err(name) if self.last.as_ref() == Some(&name) => String::new(),
            // The input has changed something, and the step is not done yet.
            Err(name) => {
                self.last = Some(name);
                self.hint()
            }
        }
    }

    /// Returns the hint for the current state; for a question, that of a wrong answer.
    fn hint(&mut self) -> String {
        let Some((_, step)) = self.step() else { return self.format("learn-no-hint", &[]) };
        let asks = step.check.is_empty();
        let name = if asks { "any".to_owned() } else { self.verdict().err().unwrap_or_default() };
        self.hint_called(&name)
    }

    fn hint_called(&mut self, name: &str) -> String {
        let step = self.step().map(|(_, step)| step);
        let hint = step.and_then(|step| step.hints.get(name).or_else(|| step.hints.get("any")));
        let Some(hint) = hint else { return self.format("learn-no-hint", &[]) };
        let hint = self.words(hint);
        let text = self.format("learn-not-yet", &[("hint", &hint)]);
        let id = self.current().id.clone();
        self.progress_file.progress.record(&id).hints += 1;
        page_of_text(&text, self.reader())
    }

    /// Moves to the next step.
    fn advance(&mut self) {
        let At::Step(number) = self.at else { return };
        self.at = match number + 1 < self.current().steps.len() {
            true => At::Step(number + 1),
            false => At::Finished,
        };
    }

    /// Completes the current step.
    fn next_step(&mut self) -> String {
        self.advance();
        let mark = if self.reader().ascii { "*" } else { "✓" };
        let done = format!("{mark} {}", self.format("learn-done-step", &[]));
        format!("{done}\n\n{}", self.task())
    }

    /// Completes the lesson, and announces the next one.
    fn finished(&mut self) -> String {
        let (id, seconds) = (self.current().id.clone(), self.lesson_started.elapsed().as_secs());
        let record = self.progress_file.progress.record(&id);
        (record.done, record.seconds) = (Some(Timestamp::now()), seconds);
        let title = self.words(&self.current().title.clone());
        let mut text = self.format("learn-done", &[("title", &title)]);
        if let Err(error) = self.progress_file.save() {
            text.push_str(&format!("\n{}", crate::ui::error::error(&error).trim_end()));
        }
        let next = match self.course.get(self.lesson + 1) {
            Some(next) => {
                let title = self.words(&next.title);
                self.format("learn-next", &[("title", &title)])
            }
            None => self.end_of_course(),
        };
        format!("{text}\n{next}")
    }

    /// Returns the text after the last lesson; for lifebox's own course with a summary.
    fn end_of_course(&self) -> String {
        let ours = self.course.last().is_some_and(|lesson| lesson.id == "workflow");
        let id = if ours { "learn-all-done" } else { "learn-course-done" };
        page_of_text(&self.format(id, &[]), self.reader())
    }

    /// Handles an input for the course; `None` for all others.
    pub fn takes(&mut self, text: &str) -> Option<TutorOutput> {
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let said = match word {
            "" | ":next" if self.at == At::Finished => return Some(self.go(self.lesson + 1)),
            "" => return None,
            ":next" => self.format("learn-not-done", &[]),
            ":hint" => self.hint(),
            ":lesson" if rest.trim().is_empty() => {
                let read = format!("{}\n", self.words(&self.current().explain.clone()));
                return Some(TutorOutput { read, text: self.task() });
            }
            ":lesson" => match find(&self.course, rest.trim()) {
                Ok(lesson) => return Some(self.go(lesson)),
                Err(error) => crate::ui::error::error(&error).trim_end().to_owned(),
            },
            ":lessons" => self.list(),
            ":restart" => return Some(self.go(self.lesson)),
            ":skip" => return Some(self.skip()),
            ":answer" | "=" => self.answer(rest.trim()),
            _ if self.at == At::Guess && text.chars().all(|c| c.is_ascii_digit()) => {
                self.guessed(text)
            }
            _ => return None,
        };
        Some(said.into())
    }

    /// Moves to another lesson.
    fn go(&mut self, lesson: usize) -> TutorOutput {
        if lesson >= self.course.len() {
            return self.end_of_course().into();
        }
        self.lesson = lesson;
        let failed = |error: Error| crate::ui::error::error(&error).trim_end().to_owned().into();
        self.begin().unwrap_or_else(failed)
    }

    fn guessed(&mut self, text: &str) -> String {
        let Some(guess) = self.guess().cloned() else { return String::new() };
        let chosen = text.parse().ok().filter(|number| (1..=self.order.len()).contains(number));
        let Some(chosen) = chosen.and_then(|number: usize| self.order.get(number - 1)) else {
            let count = self.order.len().to_string();
            return self.format("learn-not-a-choice", &[("count", &count)]);
        };
        let right = *chosen == guess.right - 1;
        let id = self.current().id.clone();
        self.progress_file.progress.record(&id).guess = Some(right);
        let number = self.order.iter().position(|place| *place == guess.right - 1).unwrap_or(0) + 1;
        let verdict = match right {
            true => self.format("learn-right", &[]),
            false => self.format("learn-wrong", &[("number", &number.to_string())]),
        };
        let because = self.words(&guess.because);
        self.at = At::Step(0);
        format!("{verdict}\n{because}\n\n{}", self.task())
    }

    fn answer(&mut self, given: &str) -> String {
        let Some((_, step)) = self.step().filter(|(_, step)| !step.answer.is_empty()) else {
            return self.format("learn-no-question", &[]);
        };
        match ask(&self.host, &step.answer, &self.values) {
            Ok(right) if is_same(&right, given) => self.next_step(),
            Ok(_) => {
                // A known mistake has its own hint.
                let is_given =
                    |mistake: &String| is_same(&values::put(mistake, &self.values), given);
                let known = step.wrong.iter().find(|(_, mistake)| is_given(mistake));
                let name = known.map_or("any", |(name, _)| name.as_str()).to_owned();
                self.hint_called(&name)
            }
            Err(report) => report,
        }
    }

    fn skip(&mut self) -> TutorOutput {
        let id = self.current().id.clone();
        let skipped = self.format("learn-skipped", &[]);
        match self.at {
            At::Guess => self.at = At::Step(0),
            At::Step(_) => {
                self.progress_file.progress.record(&id).skipped += 1;
                self.advance();
            }
            At::Finished => return self.go(self.lesson + 1),
        }
        format!("{skipped}\n\n{}", self.task()).into()
    }

    /// Lists the lessons, and which of them are done.
    pub fn list(&self) -> String {
        let row = |(place, lesson): (usize, &Lesson)| {
            let state =
                match (place == self.lesson, self.progress_file.progress.is_done(&lesson.id)) {
                    (true, _) => "learn-list-now",
                    (false, true) => "learn-list-done",
                    (false, false) => "learn-list-open",
                };
            let title =
                crate::ui::error::escape_control(lesson.title.for_reader(self.reader().language));
            format!("{}\t{}\t{}\t{title}", place + 1, lesson.id, self.format(state, &[]))
        };
        let rows: Vec<String> = self.course.iter().enumerate().map(row).collect();
        crate::ui::format::columns::align(&rows.join("\n")).trim_end().to_owned()
    }

    /// Returns the progress of the learner.
    pub fn progress(&self) -> &LearnerProgress {
        &self.progress_file.progress
    }
}

/// Returns the index of a lesson in a course, by id or number.
fn find(course: &[Lesson], name: &str) -> Result<usize> {
    let by_number = name.parse::<usize>().ok().filter(|number| (1..=course.len()).contains(number));
    let by_id = || course.iter().position(|lesson| lesson.id == name);
    by_number.map(|number| number - 1).or_else(by_id).ok_or_else(|| {
        let ids: Vec<&str> = course.iter().map(|lesson| lesson.id.as_str()).collect();
        Error::new(Kind::NotFound, format!("there is no lesson `{name}`"))
            .hint(format!("the lessons are {}", ids.join(", ")))
    })
}

/// Returns the numbers below `count` in a random order.
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let other = usize::try_from(values::below(last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_every_place_once() {
        let mut order = shuffled(5);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3, 4]);
        assert!(shuffled(0).is_empty());
    }
}
