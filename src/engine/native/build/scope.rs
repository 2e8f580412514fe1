//! The variables of a stage: arguments, and the environment of the image.

use super::pairs::{Pairs, get, set};
use super::state::BuildState;
use crate::engine::dockerfile::words::Expander;
use crate::model::Result;
use crate::model::image::Image;

/// The predefined arguments (the reference of Dockerfiles, "Predefined ARGs").
const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The state of a stage while it is built.
#[derive(Default)]
pub(super) struct StageState {
    pub(super) image: Option<Image>,
    /// The arguments of this stage, in the order of their declaration.
    pub(super) arguments: Vec<(String, String)>,
    /// Whether this stage has set a command.
    pub(super) has_cmd: bool,
}

impl BuildState<'_> {
    /// Returns the value of an argument: the user's, or its default.
    pub(super) fn argument(
        &mut self,
        name: &str,
        default: Option<&str>,
        known: &[(String, String)],
    ) -> Result<Option<String>> {
        if let Some(given) = get(&self.options.arguments, name) {
            self.used.insert(name.to_owned());
            return Ok(Some(given));
        }
        let lookup = |name: &str| get(known, name);
        let expander = Expander { escape: self.escape, lookup: &lookup };
        match default {
            Some(default) => expander.word(default).map(Some),
            None => Ok(get(&self.global, name)),
        }
    }

    /// Declares the arguments of an `ARG`.
    pub(super) fn declare(
        &mut self,
        list: &[(String, Option<String>)],
        progress: &mut StageState,
    ) -> Result<()> {
        for (name, default) in list {
            let known = environment(progress);
            if let Some(value) = self.argument(name, default.as_deref(), &known)? {
                set(&mut progress.arguments, name, value);
            }
        }
        Ok(())
    }

    /// Returns the arguments that a command sees: those that the image's environment does not hide.
    /// Then the proxies without an `ARG`, which leave no trace.
    pub(super) fn visible_arguments(&mut self, progress: &StageState) -> (Pairs, Pairs) {
        let env = variables(progress);
        let mut visible = progress.arguments.clone();
        let mut hidden = Pairs::new();
        for name in PROXIES.into_iter().filter(|name| get(&visible, name).is_none()) {
            if let Some(value) = get(&self.options.arguments, name) {
                self.used.insert(name.to_owned());
                set(&mut hidden, name, value);
            }
        }
        for list in [&mut visible, &mut hidden] {
            list.retain(|(name, _)| get(&env, name).is_none());
        }
        (visible, hidden)
    }
}

/// Returns the variables of a stage: its environment, which hides its arguments.
pub(super) fn environment(progress: &StageState) -> Vec<(String, String)> {
    let mut all = variables(progress);
    all.extend(progress.arguments.iter().cloned());
    all
}

pub(super) fn variables(progress: &StageState) -> Vec<(String, String)> {
    let env = progress.image.iter().flat_map(|image| &image.config.env);
    let pairs = env.filter_map(|entry| entry.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
