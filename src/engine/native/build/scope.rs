//! The variables of a stage: arguments, and the environment of the image.

use std::collections::HashMap;

use super::pairs::{Arguments, Pairs, table};
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
    pub(super) arguments: Arguments,
    /// Whether this stage has set a command.
    pub(super) has_cmd: bool,
}

impl BuildState<'_> {
    /// Returns the value of an argument: the user's, or its default.
    pub(super) fn argument(
        &mut self,
        name: &str,
        default: Option<&str>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>> {
        if let Some(given) = self.given.get(name) {
            let given = given.clone();
            self.used.insert(name.to_owned());
            return Ok(Some(given));
        }
        match default {
            Some(default) => Expander { escape: self.escape, lookup }.word(default).map(Some),
            None => Ok(self.global.get(name)),
        }
    }

    /// Declares the arguments of an `ARG`.
    pub(super) fn declare(
        &mut self,
        list: &[(String, Option<String>)],
        progress: &mut StageState,
    ) -> Result<()> {
        let environment = variables(progress);
        for (name, default) in list {
            let arguments = &progress.arguments;
            let lookup =
                |name: &str| environment.get(name).cloned().or_else(|| arguments.get(name));
            if let Some(value) = self.argument(name, default.as_deref(), &lookup)? {
                progress.arguments.set(name, value);
            }
        }
        Ok(())
    }

    /// Returns the arguments that a command sees: those that the image's environment does not hide.
    /// Then the proxies without an `ARG`, which leave no trace.
    pub(super) fn visible_arguments(&mut self, progress: &StageState) -> (Pairs, Pairs) {
        let env = variables(progress);
        let mut visible = progress.arguments.list().to_vec();
        let mut hidden = Pairs::new();
        for name in PROXIES.into_iter().filter(|name| progress.arguments.get(name).is_none()) {
            if let Some(value) = self.given.get(name) {
                self.used.insert(name.to_owned());
                hidden.push((name.to_owned(), value.clone()));
            }
        }
        for list in [&mut visible, &mut hidden] {
            list.retain(|(name, _)| !env.contains_key(name));
        }
        (visible, hidden)
    }
}

/// Returns the variables of a stage: its environment, which hides its arguments.
pub(super) fn environment(progress: &StageState) -> HashMap<String, String> {
    let mut all = variables(progress);
    for (name, value) in progress.arguments.list() {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    all
}

pub(super) fn variables(progress: &StageState) -> HashMap<String, String> {
    let env = progress.image.iter().flat_map(|image| &image.config.env);
    let pairs = env.filter_map(|entry| entry.split_once('='));
    table(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
}
