//! A second user of this machine, made for a test and gone with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::{CommandOutput, LIFEBOX, TIMEOUT, wait_until};

/// An ordinary user of this machine, with a home that has the program in it.
pub struct User {
    pub name: String,
    pub place: tempfile::TempDir,
    /// A cgroup that was delegated to the user.
    pub cgroup: Option<PathBuf>,
    /// What root does in the user's shell to get it.
    pub way: Option<String>,
}

/// Whether the machine has what such tests need; says loudly what is left out if not.
pub fn can_make_users(test: &str) -> bool {
    if !crate::harness::can_run(test) {
        return false;
    }
    for (program, package) in
        [("useradd", "passwd"), ("newuidmap", "uidmap"), ("setpriv", "util-linux")]
    {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        if !found.is_ok_and(|found| found.status.success()) {
            eprintln!("LEFT OUT: {test} needs {program}: apt-get install {package}");
            return false;
        }
    }
    true
}

#[macro_export]
macro_rules! needs_users {
    ($test:expr) => {
        if !$crate::user::can_make_users($test) {
            return;
        }
    };
}

/// Runs a program that changes the list of users, which others may have locked just now.
#[track_caller]
fn administer(program: &str, arguments: &[&str]) {
    let mut said = String::new();
    let done = wait_until(TIMEOUT, || {
        let output = Command::new(program).args(arguments).output().unwrap();
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success() || !said.contains("try again later")
    });
    assert!(done && !said.contains("cannot"), "{program} {arguments:?}: {said}");
}

impl User {
    /// A user with subordinate ids, or without.
    pub fn new(name: &str, subordinate_ids: bool) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let name = format!("lbx-{name}-{}", std::process::id());
        let place = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
        // By another process: were this one to write it, a test that forks at this moment would
        // hold it open for writing, and it could not be run.
        let copied = Command::new("cp").arg(LIFEBOX).arg(place.path()).status().unwrap();
        assert!(copied.success());
        let home = place.path().join("home").to_string_lossy().into_owned();
        // Users of the system get no subordinate ids (useradd(8)).
        let kind = if subordinate_ids { "--user-group" } else { "--system" };
        administer("useradd", &[kind, "--create-home", "--home-dir", &home, &name]);
        User { name, place, cgroup: None, way: None }
    }

    pub fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    pub fn store(&self) -> PathBuf {
        self.home().join(".local/share/lifebox")
    }

    /// Takes the way to a cgroup that lifebox told, as root does it for the user's shell.
    pub fn found_way(&mut self, command: &str) {
        let place = command.split_once("cd ").unwrap().1.split_once(';').unwrap().0;
        self.cgroup = Some(place.into());
        self.way = Some(command.to_owned());
    }

    /// A cgroup of the unified hierarchy that is the user's, as systemd gives one.
    pub fn delegate(&mut self) {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" cgroup2 ")).unwrap();
        let cgroup = PathBuf::from(mount.split(' ').nth(1).unwrap()).join(&self.name);
        std::fs::create_dir(&cgroup).unwrap();
        for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            let path = cgroup.join(file);
            let done = Command::new("chown").arg(&self.name).arg(path).status().unwrap();
            assert!(done.success());
        }
        self.cgroup = Some(cgroup);
    }

    /// A shell of this user, with nothing of root's but where it is in the tree of cgroups.
    pub fn shell(&self, program: &str) -> Command {
        let enter = match (&self.way, &self.cgroup) {
            (Some(way), Some(_)) => format!("({way}); "),
            (_, Some(cgroup)) => format!("echo $$ > {}/cgroup.procs; ", cgroup.display()),
            (_, None) => String::new(),
        };
        let become_user =
            format!("{enter}exec setpriv --reuid {0} --regid {0} --init-groups \"$@\"", self.name);
        let mut command = Command::new("sh");
        command.args(["-c", &become_user, "sh", "sh", "-c", program]).current_dir(self.home());
        command.env_clear().env("PATH", self.path()).env("HOME", self.home());
        command.env("USER", &self.name).env("HTTPS_PROXY", "http://127.0.0.1:9");
        command.stdin(Stdio::null());
        command
    }

    pub fn path(&self) -> String {
        format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.place.path().display())
    }

    pub fn run(&self, program: &str) -> CommandOutput {
        self.shell(program).output().unwrap().into()
    }

    #[track_caller]
    pub fn ok(&self, program: &str) -> String {
        let CommandOutput { code, out, err } = self.run(program);
        assert_eq!(code, 0, "{program}: {out}{err}");
        out.trim_end().to_owned()
    }

    #[track_caller]
    pub fn refused(&self, program: &str, reasons: &[&str]) {
        let CommandOutput { code, out, err } = self.run(program);
        assert!(code != 0, "{program}: {out}{err}");
        for reason in reasons {
            assert!(err.contains(reason), "{program}: no {reason:?} in {err}");
        }
    }

    /// How many processes the user has, subordinate ones included.
    pub fn monitors(&self) -> usize {
        let pattern = format!("^lifebox-monitor {}", self.store().display());
        let found = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
        String::from_utf8_lossy(&found.stdout).lines().count()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.run("lifebox ps -aq --no-trunc | while read id; do lifebox rm -f $id; done");
        let gone = std::thread::panicking() || wait_until(TIMEOUT, || self.monitors() == 0);
        if let Some(cgroup) = &self.cgroup {
            let _ = std::fs::remove_dir(cgroup.join("lifebox"));
            let _ = wait_until(TIMEOUT, || std::fs::remove_dir(cgroup).is_ok());
        }
        administer("userdel", &["--force", &self.name]);
        assert!(gone, "a monitor of {} is left", self.name);
    }
}
