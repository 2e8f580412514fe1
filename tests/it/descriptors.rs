//! Ways out over a descriptor of the host (CVE-2024-21626 and its kin): whatever a container puts
//! at the paths that the engine opens for it, none of them leads to the host.

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, ran_to_its_end, wait_until};
use crate::needs_root;

/// A file on the host, and its path as seen from a descriptor `n` below the host's root.
struct Secret(tempfile::TempDir);

impl Secret {
    fn new() -> Self {
        let place = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        std::fs::write(place.path().join("secret"), "s3cret\n").unwrap();
        Secret(place)
    }

    /// Where a descriptor leads, should it be a directory of the host.
    fn through(&self, descriptor: u32, name: &str) -> String {
        let up = "../".repeat(12);
        format!(
            "/proc/self/fd/{descriptor}/{up}{}/{name}",
            &self.0.path().display().to_string()[1..]
        )
    }

    fn is_untouched(&self) -> bool {
        let names = std::fs::read_dir(self.0.path()).unwrap().count();
        names == 1 && std::fs::read_to_string(self.0.path().join("secret")).unwrap() == "s3cret\n"
    }
}

/// A container whose shell can be used.
fn begin(engine: &TestEngine, flags: &[&str]) {
    let fixed = ["run", "-d", "--name", "box"];
    engine.ok(&[&fixed, flags, &["host", "sleep", "1000"]].concat());
}

fn inside(engine: &TestEngine, program: &str) -> CommandOutput {
    // With standard input of its own, so that it needs no /dev/null.
    let output = engine.run_with_input(&["exec", "-i", "box", "sh", "-c", program], b"");
    output.into()
}

#[test]
fn a_dev_null_of_the_containers_making_is_never_followed() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    begin(&engine, &[]);
    for descriptor in 3..40 {
        let link = secret.through(descriptor, "secret");
        let put = format!("rm -f /dev/null; ln -s {link} /dev/null");
        assert_eq!(inside(&engine, &put).code, 0);
        let ran = engine.run(&["exec", "box", "cat"]);
        assert!(ran.code != 0 && !ran.out.contains("s3cret"), "{descriptor}: {ran:?}");
        assert!(ran.err.contains("/dev/null"), "{}", ran.err);
    }
    // Nor is a program held up that finds a fifo there.
    assert_eq!(inside(&engine, "rm /dev/null; mkfifo /dev/null").code, 0);
    assert_ne!(engine.run(&["exec", "box", "true"]).code, 0);
    assert_eq!(inside(&engine, "rm /dev/null; echo x > /dev/null").code, 0);
    assert_ne!(engine.run(&["exec", "-d", "box", "true"]).code, 0);
    let helpers = || {
        let root = engine.root().to_string_lossy().into_owned();
        let pattern = format!("^lifebox-exec {root}");
        let found = std::process::Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
        found.stdout.is_empty()
    };
    assert!(wait_until(TIMEOUT, helpers), "a helper is left");
    assert!(secret.is_untouched());
}

#[test]
fn a_working_directory_is_made_inside_or_not_at_all() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    begin(&engine, &["--pid", "host"]);
    let own = std::process::id();
    let up = &secret.0.path().display().to_string()[1..];
    let mut paths: Vec<String> = (3..40).map(|number| secret.through(number, "made")).collect();
    paths.push(format!("/proc/{own}/root/{up}/made"));
    paths.push(format!("/proc/{own}/cwd/made"));
    for path in &paths {
        engine.run(&["exec", "-w", path, "box", "pwd"]);
        engine.run(&["run", "--rm", "--pid", "host", "-w", path, "host", "pwd"]);
        let link = format!("ln -sfn {path} /way; mkdir -p /below; ln -sfn {path} /below/way");
        assert_eq!(inside(&engine, &link).code, 0);
        engine.run(&["exec", "-w", "/way/x", "box", "pwd"]);
        engine.run(&["exec", "-w", "/below/way", "box", "pwd"]);
        assert!(secret.is_untouched(), "{path}");
    }
    assert!(!std::path::Path::new("made").exists());
    // What can't be entered is an error, not the root.
    for path in ["/etc/passwd", "/etc/passwd/x", "/proc/1/fd/1"] {
        let ran = engine.run(&["run", "--rm", "-w", path, "host", "pwd"]);
        assert!(ran.code != 0 && ran.out.is_empty(), "{path}: {ran:?}");
    }
    // A link inside is followed inside.
    let program = "mkdir -p /real/new; ln -s /real /link; exec sleep 1000";
    engine.ok(&["run", "-d", "--name", "links", "host", "sh", "-c", program]);
    let made =
        wait_until(TIMEOUT, || engine.run(&["exec", "links", "test", "-L", "/link"]).code == 0);
    assert!(made);
    assert_eq!(engine.ok(&["exec", "-w", "/link/new", "links", "pwd"]), "/real/new");
}

#[test]
fn users_are_looked_up_in_the_containers_own_files() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    std::fs::write(secret.0.path().join("secret"), "s3cret\n").unwrap();
    begin(&engine, &[]);
    for descriptor in 3..40 {
        for file in ["passwd", "group"] {
            let host = format!("/proc/self/fd/{descriptor}/{}etc/{file}", "../".repeat(12));
            inside(&engine, &format!("rm -f /etc/{file}; ln -s {host} /etc/{file}"));
        }
        let ran = engine.run(&["exec", "-u", "games", "box", "id", "-u"]);
        assert!(ran.code != 0, "{descriptor}: {ran:?}");
    }
    // A file that can't be opened makes nobody another user.
    let ran =
        engine.run(&["run", "--rm", "--ulimit", "nofile=14", "-u", "65534", "host", "id", "-u"]);
    assert!(ran.code != 0 || ran.out.trim() == "65534", "{ran:?}");
}

#[test]
fn what_the_caller_left_open_is_neither_kept_nor_within_reach() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    // A shell that leaves a directory of the host and a pipe open.
    let script = format!(
        "exec 7<{} 8>&1; exec \"$0\" run -d --name box host sleep 1000",
        secret.0.path().display()
    );
    let mut shell = engine.shell("sh");
    let output = shell.args(["-c", &script, crate::harness::LIFEBOX]).output().unwrap();
    // The pipe has ended, though the container runs: nobody else holds it open.
    assert!(output.status.success(), "{output:?}");
    assert_eq!(engine.status("box"), "running");
    let pid = engine.pid("box");
    let monitor = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = monitor.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim();
    for process in [parent, &pid.to_string()] {
        for entry in std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            assert_ne!(target, secret.0.path(), "{process}");
        }
    }
    let path = secret.through(7, "secret");
    let mut shell = engine.shell("sh");
    let script = format!("exec 7</; exec \"$0\" exec -w {path} box pwd");
    shell.args(["-c", &script, crate::harness::LIFEBOX]);
    shell.output().unwrap();
    assert!(secret.is_untouched());
}

#[test]
fn a_device_is_never_made_in_a_directory_of_the_host() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    let volume = format!("{}:/dev/sub", secret.0.path().display());
    let flags =
        ["run", "--rm", "-v", &volume, "--device", "/dev/null:/dev/sub/made", "host", "true"];
    engine.run(&flags);
    assert!(secret.is_untouched());
}

#[test]
fn a_seccomp_profile_that_is_no_file_is_refused_at_once() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    let fifo = secret.0.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let option = format!("seccomp={}", fifo.display());
    let run = engine.spawn(&["run", "--rm", "--security-opt", &option, "host", "true"]);
    let ran = ran_to_its_end(run);
    assert!(ran.err.contains("it is not a regular file"), "{ran:?}");
}

#[test]
fn what_a_user_puts_at_the_console_is_covered_and_never_opened() {
    needs_root!();
    let (engine, secret) = (TestEngine::new(), Secret::new());
    let fifo = secret.0.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let volume = format!("{}:/dev/console", fifo.display());
    let ran = ran_to_its_end(engine.spawn(&["run", "--rm", "-t", "-v", &volume, "host", "tty"]));
    assert!(ran.code == 0 && ran.out.trim() == "/dev/pts/0", "{ran:?}");
}
