//! Runs a whole script, and decides on its exit code and report.

use super::evaluate::{self, Session, exit_reply};
use crate::engine::CancelToken;
use crate::model::Kind;
use crate::script::context::thrown::Ending;
use crate::script::errors::render;
use crate::script::host::{Outcome, ScriptHost, Source, Tracing, read};
use crate::script::teaching::trace;
use crate::script::testing;

/// The exit code at the time limit, that of timeout(1).
const TIMEOUT_EXIT_CODE: u8 = 124;

/// The hint of a script that reached its time limit.
const RAISE_TIME: &str = "hint: raise it with --timeout TIME";

/// Runs a script to its end, on its own thread with a big stack.
pub fn run(host: ScriptHost, source: Source) -> Outcome {
    Session::new(host).run_source(source)
}

impl Session {
    /// Reads and runs a whole script. The time limit begins before: reading a fifo may wait.
    pub fn run_source(self, source: Source) -> Outcome {
        let timer = self.watch_time();
        match read(source, &self.context.host().cancel) {
            Ok((name, text)) => self.run_until(timer, &name, &text),
            Err(error) => {
                timer.into_iter().for_each(|timer| timer.cancel());
                let (exit_code, report) = match (error.kind(), self.context.end_reason()) {
                    (Kind::Cancelled, Some(Ending::TimedOut)) => {
                        let report = format!("{}\n{RAISE_TIME}", self.time_limit());
                        (TIMEOUT_EXIT_CODE, report)
                    }
                    (Kind::Cancelled, _) => (CancelToken::exit_code(), render::plain(&error)),
                    _ => (1, render::plain(&error)),
                };
                Outcome { exit_code, report: Some(report), completed: false }
            }
        }
    }

    fn run_until(mut self, timer: Option<CancelToken>, name: &str, text: &str) -> Outcome {
        let tracing = self.context.host().trace;
        if tracing != Tracing::Off {
            trace::begin(&self.context, tracing);
        }
        let evaluated = self.evaluate(name, text).map(evaluate::drop_value);
        if tracing != Tracing::Off {
            self.context.eprint(trace::end(&self.context).trim_end());
        }
        timer.into_iter().for_each(|timer| timer.cancel());
        let whole = evaluated.is_ok() || self.context.tests().has_exited();
        let (exit_code, report) = match evaluated {
            Ok(_) => match testing::summary(&self.context) {
                Some(failed) => (1, Some(failed)),
                None => (0, None),
            },
            // The first reason counts; the innermost call may have seen a later one.
            Err(error) => {
                match exit_reply(&error).map(|seen| self.context.end_reason().unwrap_or(seen)) {
                    Some(Ending::TimedOut) => {
                        let where_it_was = render::interrupted(&self.context, name, &error);
                        let reached = self.time_limit();
                        (
                            TIMEOUT_EXIT_CODE,
                            Some(format!("{reached}\n{where_it_was}\n{RAISE_TIME}")),
                        )
                    }
                    Some(Ending::Exit(0)) => match testing::summary(&self.context) {
                        Some(failed) => (1, Some(failed)),
                        None => (0, None),
                    },
                    Some(Ending::Exit(code)) => (code, None),
                    Some(Ending::Closed) => (0, None),
                    Some(Ending::Interrupted) => (
                        CancelToken::exit_code(),
                        Some(render::interrupted(&self.context, name, &error)),
                    ),
                    None => (1, Some(self.report(name, &error))),
                }
            }
        };
        Outcome { exit_code, report, completed: whole }
    }

    /// Says which time limit ended the script, and whether its cleanups were cut short as well.
    fn time_limit(&self) -> String {
        let limit = self.context.host().limits.time.unwrap_or_default();
        let too = if self.context.no_cleanup() { ", also by the cleanup" } else { "" };
        format!("error: time limit reached ({limit:?}){too}")
    }
}
