//! Starts a server and waits until it is ready. No program runs in the container for that.
//!
//! `cargo run --example wait_for`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lifebox::engine::{self, Backend, CancelToken, Settings};
use lifebox::model::container::options::{CreateOptions, RemoveOptions};
use lifebox::model::image::PullPolicy;
use lifebox::model::observe::readiness::{Probe, ProbeResult};
use lifebox::model::value::id::ContainerId;
use lifebox::model::{Error, Kind, Result};

fn main() -> ExitCode {
    if let Some(code) = lifebox::dispatch() {
        return ExitCode::from(code);
    }
    serve().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn serve() -> Result<ExitCode> {
    let settings = Settings::from_environment();
    engine::enter_user_namespace(&settings)?;
    let engine = engine::open(&settings)?;
    engine.image("host", PullPolicy::Missing)?;

    let server = ["sh", "-c", "sleep 0.5; touch /ready; exec sleep 60"];
    let cmd = Some(server.map(str::to_owned).to_vec());
    let id = engine.create("host", &CreateOptions { cmd, ..CreateOptions::default() })?;
    let cancel = CancelToken::new()?;
    // For a server with a port: `Probe::TcpSocket(8080)`, or `Probe::HttpGet`.
    let probe = Probe::FileExists("/ready".to_owned());
    let ready = engine.start(&id).and_then(|()| wait_for(&*engine, &id, &probe, &cancel));
    engine.rm(&id, &RemoveOptions { force: true, volumes: true }, &cancel)?;
    println!("ready after {} ms", ready?.as_millis());
    Ok(ExitCode::SUCCESS)
}

/// Probes a container until it is ready. Returns how long that took.
fn wait_for(
    engine: &dyn Backend,
    id: &ContainerId,
    probe: &Probe,
    cancel: &CancelToken,
) -> Result<Duration> {
    let start = Instant::now();
    loop {
        match engine.probe(id, probe, cancel)? {
            ProbeResult::Ready => return Ok(start.elapsed()),
            ProbeResult::NotReady(found) if start.elapsed() > Duration::from_secs(10) => {
                return Err(Error::new(Kind::Timeout, format!("not {probe} in time: {found}")));
            }
            ProbeResult::NotReady(_) => cancel.sleep(Duration::from_millis(20))?,
        }
    }
}
