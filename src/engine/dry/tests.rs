//! A simulation: programs of a test in place of processes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Program, simulate};
use crate::engine::{Attach, Backend, CancelToken, Settings, open};
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::{CreateOptions, StopOptions};
use crate::model::image::Image;
use crate::model::observe::event::EventOptions;
use crate::model::observe::log::{LogLine, LogOptions, Stream};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// `write N` writes N lines and exits with N; `none` cannot start; all others run on.
fn program(argv: &[String]) -> Result<Program> {
    let line = |n: u8| LogLine {
        time: Timestamp::from_second(i64::from(n)).unwrap(),
        stream: if n.is_multiple_of(2) { Stream::Stderr } else { Stream::Stdout },
        bytes: format!("{n}\n").into_bytes(),
        lost: None,
    };
    match argv {
        [verb, count] if verb == "write" => {
            let count: u8 = count.parse().unwrap();
            let lines = (1..=count).map(line).collect();
            Ok(Program { lines, exit_code: Some(i32::from(count)) })
        }
        [verb] if verb == "none" => Err(Error::new(Kind::NotFound, "no such program")),
        _ => Ok(Program::default()),
    }
}

struct Simulation {
    engine: Arc<dyn Backend>,
    cancel: CancelToken,
    _root: tempfile::TempDir,
}

impl Simulation {
    fn new() -> Self {
        let root = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        let settings = Settings {
            root: root.path().to_owned(),
            cgroup_parent: "lifebox-test".to_owned(),
            storage: None,
            docker_config: None,
            registries: false,
        };
        let image = Image { tags: vec!["tool:1".parse().unwrap()], ..Image::plain(1) };
        let native = open(&settings).unwrap();
        let engine = simulate(native, root.path(), vec![image], Arc::new(program)).unwrap();
        Simulation { engine, cancel: CancelToken::new().unwrap(), _root: root }
    }

    fn create(&self, command: &str, auto_remove: bool) -> ContainerId {
        let cmd = Some(command.split(' ').map(str::to_owned).collect());
        let options = CreateOptions { cmd, auto_remove, ..CreateOptions::default() };
        self.engine.create("tool:1", &options).unwrap()
    }

    fn log(&self, id: &ContainerId, options: &LogOptions) -> String {
        let mut stream = self.engine.logs(id, options).unwrap();
        let next = || stream.next_line(Some(Duration::from_secs(10)), &self.cancel).unwrap();
        std::iter::from_fn(next).map(|line| line.text().into_owned()).collect()
    }
}

#[test]
fn a_program_writes_its_lines_and_exits_with_its_code() {
    let simulation = Simulation::new();
    let id = simulation.create("write 5", false);
    simulation.engine.start(&id).unwrap();
    assert_eq!(simulation.engine.wait(&id, None, &simulation.cancel).unwrap(), 5);
    let all = LogOptions { follow: true, ..LogOptions::default() };
    let since = Some(Timestamp::from_second(2).unwrap());
    let until = Some(Timestamp::from_second(4).unwrap());
    for (options, lines) in [
        (all.clone(), "12345"),
        (LogOptions { tail: Some(2), ..all.clone() }, "45"),
        (LogOptions { tail: Some(0), ..all.clone() }, ""),
        (LogOptions { stream: Some(Stream::Stderr), tail: Some(9), ..all.clone() }, "24"),
        (LogOptions { since, until, ..all.clone() }, "23"),
    ] {
        assert_eq!(simulation.log(&id, &options), lines, "{options:?}");
    }
    simulation.engine.start(&id).unwrap();
    assert_eq!(simulation.log(&id, &all), "1234512345");
}

#[test]
fn a_wait_ends_when_the_container_is_stopped_or_the_time_is_over() {
    let simulation = Simulation::new();
    let Simulation { engine, cancel, .. } = &simulation;
    let id = simulation.create("serve", false);
    engine.start(&id).unwrap();
    let late = engine.wait(&id, Some(Duration::from_millis(5)), cancel).unwrap_err();
    assert_eq!(late.kind(), Kind::Timeout);
    let code = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.wait(&id, None, cancel).unwrap());
        engine.stop(&id, &StopOptions::default(), cancel).unwrap();
        waiting.join().unwrap()
    });
    assert_eq!(code, 143);
}

#[test]
fn an_attached_container_that_removes_itself_still_gives_its_output_and_code() {
    let simulation = Simulation::new();
    let id = simulation.create("write 3", true);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let attach = Attach::to_output(&mut out, &mut err);
    let outcome = simulation.engine.attach(&id, attach, &simulation.cancel).unwrap();
    assert_eq!(outcome, AttachOutcome::Exited(3));
    assert_eq!((out.as_slice(), err.as_slice()), (&b"1\n3\n"[..], &b"2\n"[..]));
    assert_eq!(simulation.engine.inspect(&id).unwrap_err().kind(), Kind::NotFound);
    let mut events = simulation.engine.events(&EventOptions::default()).unwrap();
    let next = || events.next_event(None, &simulation.cancel).unwrap();
    let actions: Vec<String> = std::iter::from_fn(next).map(|event| event.action).collect();
    assert_eq!(actions, ["create", "start", "die", "destroy"]);
}

#[test]
fn a_program_that_cannot_start_leaves_its_container_created() {
    let simulation = Simulation::new();
    let id = simulation.create("none", false);
    let error = simulation.engine.start(&id).unwrap_err();
    assert!(error.to_string().ends_with(": no such program"), "{error}");
    let state = simulation.engine.inspect(&id).unwrap().state;
    assert_eq!(state.status.as_str(), "created");
}

#[test]
fn an_exec_runs_a_program_of_the_simulation() {
    let simulation = Simulation::new();
    let id = simulation.create("serve", false);
    simulation.engine.start(&id).unwrap();
    let cmd = ["write", "1"].map(str::to_owned).to_vec();
    let options = ExecOptions { cmd, ..ExecOptions::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let attach = Attach::to_output(&mut out, &mut err);
    let outcome = simulation.engine.exec(&id, &options, attach, &simulation.cancel).unwrap();
    assert_eq!((outcome, out.as_slice()), (AttachOutcome::Exited(1), &b"1\n"[..]));
}
