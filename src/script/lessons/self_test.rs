//! Plays lessons automatically: every solution must solve its step, every mistake must get its
//! hint.

use super::format::{Lesson, Step};
use super::sandbox_store::{OPERATIONS, ask, chosen, clear, is_same, prepare, quiet};
use super::values::{self, Values};
use crate::model::Result;
use crate::script::host::{Limits, ScriptHost};
use crate::script::session::Session;

/// The result of one lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTestResult {
    /// Its id.
    pub lesson: String,
    /// The problems.
    pub problems: Vec<String>,
}

/// Plays a lesson to its end, and then each mistake of each step.
///
/// # Errors
/// When the store can't be cleared.
pub fn self_test(host: &ScriptHost, lesson: &Lesson) -> Result<SelfTestResult> {
    let mut problems = Vec::new();
    let mut play = Play::begin(host, lesson)?;
    for number in 0..lesson.steps.len() {
        play.solve(number, &mut problems);
    }
    for (number, step) in lesson.steps.iter().enumerate() {
        for (hint, mistake) in &step.wrong {
            if !problems.is_empty() {
                break;
            }
            let mut play = Play::begin(host, lesson)?;
            for before in 0..number {
                play.solve(before, &mut problems);
            }
            play.mistake(number, hint, mistake, &mut problems);
        }
    }
    clear(host.backend.as_ref())?;
    Ok(SelfTestResult { lesson: lesson.id.clone(), problems })
}

/// One run of a lesson.
struct Play<'a> {
    host: &'a ScriptHost,
    lesson: &'a Lesson,
    values: Values,
    /// The session of the learner.
    session: Session,
}

impl<'a> Play<'a> {
    fn begin(host: &'a ScriptHost, lesson: &'a Lesson) -> Result<Self> {
        let values = chosen(lesson)?;
        clear(host.backend.as_ref())?;
        prepare(host, lesson, &values)?;
        let limits = Limits { operations: Some(OPERATIONS), ..Limits::default() };
        let session = Session::new(ScriptHost { limits, ..quiet(host) });
        Ok(Play { host, lesson, values, session })
    }

    fn step(&self, number: usize) -> &'a Step {
        &self.lesson.steps[number]
    }

    /// Types a script. Errors of the script are the learner's, not the lesson's.
    fn types(&mut self, script: &str) -> Option<String> {
        self.session.value("typed", &values::put(script, &self.values)).err()
    }

    fn solve(&mut self, number: usize, problems: &mut Vec<String>) {
        let (step, shown) = (self.step(number), number + 1);
        if !step.check.is_empty() && self.check_step(step) == "true" {
            problems.push(format!("step {shown} is done before anything is done"));
        }
        if let Some(report) = self.types(&step.solve) {
            problems.push(format!("step {shown}: `solve` fails: {}", report.trim_end()));
        }
        let said = match step.check.is_empty() {
            true => ask(self.host, &step.answer, &self.values).err(),
            false => Some(self.check_step(step)).filter(|said| said != "true"),
        };
        if let Some(said) = said {
            problems.push(format!("step {shown}: after `solve` the check says {said}"));
        }
    }

    fn mistake(&mut self, number: usize, hint: &str, mistake: &str, problems: &mut Vec<String>) {
        let (step, shown) = (self.step(number), number + 1);
        if step.check.is_empty() {
            let _ = self.types(&step.solve);
            let right = ask(self.host, &step.answer, &self.values).unwrap_or_default();
            if is_same(&right, mistake) {
                problems.push(format!("step {shown}: the wrong answer `{mistake}` is right"));
            }
            return;
        }
        // A mistake may be refused.
        let _ = self.types(mistake);
        let said = self.check_step(step);
        if said != hint {
            problems
                .push(format!("step {shown}: after the mistake `{hint}` the check says {said}"));
        }
    }

    fn check_step(&self, step: &Step) -> String {
        ask(self.host, &step.check, &self.values).unwrap_or_else(|report| report)
    }
}
