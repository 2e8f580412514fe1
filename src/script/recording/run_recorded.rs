//! Runs a script and records it.

use std::sync::Arc;

use jiff::Timestamp;

use super::call_site::CallSites;
use super::recorder::Recorder;
use crate::model::Result;
use crate::model::error::Context as _;
use crate::model::script::recording::Recording;
use crate::script::context::script_context::ScriptContext;
use crate::script::errors::render;
use crate::script::host::{Outcome, Output, ScriptHost, Source, read};
use crate::script::session::Session;

/// Runs a script to its end and records it.
///
/// # Errors
/// When recording cannot start; then the script did not run.
pub fn run_recorded(host: ScriptHost, source: Source) -> Result<(Outcome, Recording)> {
    let began = Timestamp::now();
    let recorder = Arc::new(Recorder::new(&host)?);
    let looking = {
        let recorder = Arc::clone(&recorder);
        let thread = std::thread::Builder::new().name("report".to_owned());
        thread.spawn(move || recorder.poll_until_end()).context(|| "create a thread".to_owned())?
    };
    let name = source.name();
    let output: Arc<dyn Output> = recorder.clone();
    let host = ScriptHost { output, observer: Some(recorder.clone()), ..host };
    let (outcome, places) = match read(source) {
        Ok((name, text)) => {
            let session = Session::new(host);
            let context: ScriptContext = session.context().clone();
            let outcome = session.run(&name, &text);
            (outcome, CallSites::new(&name, context.sources()))
        }
        Err(error) => {
            let report = Some(render::plain(&error));
            (Outcome { exit_code: 1, report, completed: false }, CallSites::default())
        }
    };
    let took = recorder.started_at.elapsed();
    let chronicle = Recording {
        name,
        started_at: began,
        duration: took,
        exit_code: outcome.exit_code,
        report: outcome.report.clone(),
        ..recorder.end(looking, began, places)
    };
    Ok((outcome, chronicle))
}
