//! One engine per test: its own root and its own cgroups, gone when the test ends.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long what must happen may take on a loaded machine.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The program under test.
pub const LIFEBOX: &str = env!("CARGO_BIN_EXE_lifebox");

/// An engine of a test's own. It shares the images of all tests, for making `host` takes a while.
pub struct TestEngine {
    root: tempfile::TempDir,
    cgroup_parent: String,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct CommandOutput {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Whether this user can run containers; says loudly what is left out if not.
pub fn can_run(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("LEFT OUT: {test} runs real containers and needs root");
    }
    root
}

/// Returns from a test that needs root where there is none, saying so by the test's name.
#[macro_export]
macro_rules! needs_root {
    () => {
        fn here() {}
        let test = std::any::type_name_of_val(&here).trim_end_matches("::here");
        $crate::needs_root!(test);
    };
    ($test:expr) => {
        if !$crate::harness::can_run($test) {
            return;
        }
    };
}

/// The images that all tests share: `host`, and Docker's `hundredcounter`.
fn images() -> &'static Path {
    static IMAGES: OnceLock<PathBuf> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let root = place_of_images();
        let _ = std::fs::remove_dir_all(&root);
        let run = |arguments: &[&str]| {
            let output =
                Command::new(LIFEBOX).env("LIFEBOX_ROOT", &root).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
        };
        run(&["-e", "image(\"host\")"]);
        run(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
        root
    })
}

/// Where they are: below `target`, unless that is in another user's directory, where no store may
/// be.
fn place_of_images() -> PathBuf {
    use std::os::unix::fs::MetadataExt as _;
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = rustix::process::geteuid().as_raw();
    let is_ours = |path: &Path| path.metadata().is_ok_and(|found| [0, own].contains(&found.uid()));
    match place.ancestors().all(is_ours) {
        true => place.join("images"),
        false => std::env::temp_dir().join(format!("lifebox-images-of-{own}")),
    }
}

/// The path of a file in `tests/fixtures`.
pub fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl TestEngine {
    /// An engine with the images `host` and `hundredcounter`, and no containers.
    pub fn new() -> Self {
        let engine = TestEngine::empty();
        std::os::unix::fs::symlink(images().join("images"), engine.root.path().join("images"))
            .unwrap();
        engine
    }

    /// An engine with nothing in it.
    pub fn empty() -> Self {
        let root = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        let unique = root.path().file_name().unwrap().to_string_lossy().into_owned();
        TestEngine { root, cgroup_parent: unique }
    }

    /// Where it keeps things.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The program, with this engine's root.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.shell(LIFEBOX);
        command.args(arguments);
        command
    }

    /// Another program, whose lifebox would have this engine's root.
    pub fn shell(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("LIFEBOX_ROOT", self.root.path())
            .env("LIFEBOX_CGROUP_PARENT", &self.cgroup_parent)
            .env("HOME", self.root.path())
            // No test asks a registry elsewhere, nor as the developer who runs it.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env_remove("DOCKER_CONFIG")
            .env_remove("DOCKER_DEFAULT_PLATFORM")
            .env_remove("REGISTRY_AUTH_FILE")
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::from(self.command(arguments).output().unwrap())
    }

    /// Runs a command that must succeed; what it printed, without the last newline.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "lifebox {arguments:?}\n{}{}", ran.out, ran.err);
        ran.out.trim_end().to_owned()
    }

    /// Runs a command that must end with `code`; what it said on standard error.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str], code: i32) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "lifebox {arguments:?}\n{}{}", ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran.err
    }

    /// Begins a command; what it prints is kept for the test.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command to its end, with something on its standard input.
    #[track_caller]
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A program that does not read all of it is no failure of the test.
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().unwrap()
        })
    }

    /// One value of a container's record.
    #[track_caller]
    pub fn get(&self, container: &str, template: &str) -> String {
        self.ok(&["container", "inspect", "--format", template, container])
    }

    /// The STATUS of `ps -a`.
    #[track_caller]
    pub fn ps_status(&self, container: &str) -> String {
        let id = self.get(container, "{{.Id}}");
        self.ok(&["ps", "-a", "--filter", &format!("id={id}"), "--format", "{{.Status}}"])
    }

    /// The process id of a container's first process, as the host sees it.
    #[track_caller]
    pub fn pid(&self, container: &str) -> u32 {
        self.get(container, "{{.State.Pid}}").parse().unwrap()
    }

    /// Waits until a container has written `text`.
    #[track_caller]
    pub fn wrote(&self, container: &str, text: &str) {
        let wrote = wait_until(TIMEOUT, || self.run(&["logs", container]).out.contains(text));
        assert!(wrote, "{container} never wrote {text:?}: {:?}", self.run(&["logs", container]));
    }

    /// Evaluates a script that must succeed; what it printed, without the last newline.
    #[track_caller]
    pub fn script(&self, text: &str) -> String {
        self.ok(&["-e", text])
    }

    /// The status of a container, or `gone`.
    #[track_caller]
    pub fn status(&self, container: &str) -> String {
        let ran = self.run(&["inspect", "--format", "{{.State.Status}}", container]);
        if ran.code == 0 { ran.out.trim_end().to_owned() } else { "gone".to_owned() }
    }

    /// The cgroup below which its containers get theirs.
    pub fn cgroup_parent(&self) -> &str {
        &self.cgroup_parent
    }

    /// The directory of a container.
    pub fn container_directory(&self, container: &str) -> PathBuf {
        let id = self.ok(&["inspect", "--format", "{{.Id}}", container]);
        self.root().join("containers").join(id)
    }

    /// The cgroup directories of this engine, in all hierarchies.
    pub fn cgroups(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        let candidates =
            hierarchies.map(|entry| entry.path()).chain([PathBuf::from("/sys/fs/cgroup")]);
        for hierarchy in candidates {
            let parent = hierarchy.join(&self.cgroup_parent);
            let children = std::fs::read_dir(&parent).into_iter().flatten().flatten();
            found.extend(children.map(|entry| entry.path()).filter(|path| path.is_dir()));
        }
        found
    }

    fn remove_cgroup_parents(&self) {
        for entry in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            let _ = std::fs::remove_dir(entry.path().join(&self.cgroup_parent));
        }
        let _ = std::fs::remove_dir(Path::new("/sys/fs/cgroup").join(&self.cgroup_parent));
    }

    /// What is left on this machine that belongs to this engine: cgroups, mounts, processes.
    pub fn leftovers(&self) -> Vec<String> {
        let root = self.root().to_string_lossy().into_owned();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts =
            mounts.lines().filter(|line| line.contains(&root)).map(|line| format!("mount {line}"));
        let cgroups = self.cgroups().into_iter().map(|path| format!("cgroup {}", path.display()));
        mounts.chain(cgroups).chain(monitors(&root)).collect()
    }
}

/// The monitors of the containers below `root`.
fn monitors(root: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines
        .filter(|line| line.starts_with("lifebox-monitor") && line.contains(root))
        .map(|line| format!("process {line}"))
        .collect()
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        let names = self.run(&["ps", "-a", "-q", "--no-trunc"]).out;
        for id in names.lines() {
            self.run(&["rm", "-f", id]);
        }
        // A monitor goes a moment after it has answered.
        let gone = std::thread::panicking()
            || wait_until(Duration::from_secs(10), || self.leftovers().is_empty());
        let leftovers = self.leftovers();
        self.remove_cgroup_parents();
        assert!(gone, "left behind: {leftovers:?}");
    }
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        CommandOutput {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Whether a process holds a connection: it has asked a monitor and waits for the answer.
pub fn waits_for_monitor(process: &Child) -> bool {
    holds(process, "socket:")
}

/// Whether a process follows what is written to a file.
pub fn follows(process: &Child) -> bool {
    holds(process, "anon_inode:inotify")
}

/// Whether a process has something open whose name begins so.
fn holds(process: &Child, what: &str) -> bool {
    let directory = format!("/proc/{}/fd", process.id());
    let open = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.into_iter().any(|target| target.to_string_lossy().starts_with(what))
}

/// How a process ended; `None` where it goes on for longer than `limit`.
pub fn wait_for_exit(process: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let mut status = None;
    wait_until(limit, || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    status
}

/// What a process of ours printed and how it ended; it must not go on for ever.
#[track_caller]
pub fn ran_to_its_end(mut process: Child) -> CommandOutput {
    let ended = wait_for_exit(&mut process, TIMEOUT).is_some();
    if !ended {
        signal(process.id(), rustix::process::Signal::KILL);
    }
    let ran = CommandOutput::from(process.wait_with_output().unwrap());
    assert!(ended, "it goes on: {ran:?}");
    ran
}

/// Sends a signal to a process of ours.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Looks until `reached` says so, or `limit` is over: for what the kernel tells nobody about.
#[track_caller]
pub fn wait_until(limit: Duration, mut reached: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !reached() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}
