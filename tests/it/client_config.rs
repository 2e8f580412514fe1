//! What verbs take from Docker's `config.json`, and what a flag changes of it.

use std::path::PathBuf;

use crate::harness::{CommandOutput, TestEngine};
use crate::needs_root;

/// An engine whose caller has a `config.json`.
struct Configured {
    engine: TestEngine,
    home: tempfile::TempDir,
}

impl Configured {
    fn new(text: &str) -> Self {
        let configured =
            Configured { engine: TestEngine::new(), home: tempfile::tempdir().unwrap() };
        std::fs::write(configured.file(), text).unwrap();
        configured
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("config.json")
    }

    /// Runs a verb with the directory named by `DOCKER_CONFIG`.
    fn run(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = self.engine.command(arguments);
        command.env("DOCKER_CONFIG", self.home.path()).env("LC_ALL", "C");
        CommandOutput::from(command.output().unwrap())
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out.trim_end().to_owned()
    }
}

#[test]
fn lists_have_the_format_of_the_file_unless_a_flag_says_another() {
    needs_root!();
    let text = r#"{"psFormat": "p {{.Names}}", "imagesFormat": "i {{.Repository}}",
                   "volumesFormat": "v {{.Name}}", "statsFormat": "s {{.Name}}", "auths": {}}"#;
    let one = Configured::new(text);
    one.ok(&["run", "-d", "--name", "aa", "-v", "data:/d", "host", "sleep", "100"]);
    for (arguments, expected) in [
        (&["ps"][..], "p aa"),
        (&["ps", "--format", ""], "p aa"),
        (&["ps", "--format", "{{.Command}}"], r#""sleep 100""#),
        (&["images", "host"], "i host"),
        (&["volume", "ls"], "v data"),
        (&["volume", "ls", "-q"], "data"),
        (&["stats", "--no-stream"], "s aa"),
    ] {
        assert_eq!(one.ok(arguments), expected, "{arguments:?}");
    }
    assert_eq!(one.ok(&["ps", "-q"]).len(), 12);
    assert!(one.ok(&["ps", "--format", "table"]).starts_with("CONTAINER ID"));
}

#[test]
fn proxies_reach_containers_and_builds_unless_given_there() {
    needs_root!();
    let text = r#"{"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "a,b",
                   "ftpProxy": "", "allProxy": null}, "tcp://other": {"httpProxy": "no"}}}"#;
    let one = Configured::new(text);
    let shown = |flags: &[&str]| {
        let show = ["host", "sh", "-c", "env | grep -i proxy | sort"];
        one.ok(&[&["run", "--rm"], flags, &show[..]].concat())
    };
    let all = "HTTP_PROXY=http://p:1\nNO_PROXY=a,b\nhttp_proxy=http://p:1\nno_proxy=a,b";
    assert_eq!(shown(&[]), all);
    let given = "HTTP_PROXY=mine\nNO_PROXY=a,b\nhttp_proxy=http://p:1";
    assert_eq!(shown(&["-e", "HTTP_PROXY=mine", "-e", "no_proxy"]), given);
    let context = tempfile::tempdir().unwrap();
    let file = "FROM host\nRUN echo [$HTTP_PROXY] [$no_proxy] > /said\nCMD cat /said\n";
    std::fs::write(context.path().join("Dockerfile"), file).unwrap();
    let place = context.path().to_str().unwrap();
    one.ok(&["build", "-q", "-t", "with:proxies", place]);
    let bare = ["run", "--rm", "with:proxies"];
    assert_eq!(one.engine.ok(&bare), "[http://p:1] [a,b]");
    let history = one.ok(&["history", "--no-trunc", "with:proxies"]);
    assert!(!history.contains("p:1"), "{history}");
    one.ok(&[
        "build",
        "-q",
        "-t",
        "with:proxies",
        "--build-arg",
        "HTTP_PROXY=x",
        "--no-cache",
        place,
    ]);
    assert_eq!(one.engine.ok(&bare), "[x] [a,b]");
}

#[test]
fn detach_keys_of_the_file_are_those_of_every_verb() {
    needs_root!();
    let one = Configured::new(r#"{"detachKeys": "bogus"}"#);
    one.ok(&["create", "--name", "aa", "-i", "host", "cat"]);
    for arguments in [
        &["start", "-a", "aa"][..],
        &["run", "-i", "host", "true"],
        &["run", "--detach-keys", "", "host", "true"],
    ] {
        let refused = one.run(arguments);
        assert!(refused.err.contains("bogus"), "{arguments:?}: {refused:?}");
        assert_ne!(refused.code, 0);
    }
    one.ok(&["run", "--rm", "--detach-keys", "ctrl-x", "host", "true"]);
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_with_a_warning() {
    needs_root!();
    let one = Configured::new("{");
    one.engine.ok(&["create", "--name", "aa", "host", "true"]);
    for text in ["{", "", r#"{"psFormat": 3}"#, "\u{7f}\0"] {
        std::fs::write(one.file(), text).unwrap();
        let said = one.run(&["ps", "-a"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("aa"), "{said:?}");
        assert!(said.err.starts_with("WARNING: Error loading config file: "), "{said:?}");
    }
    std::fs::remove_file(one.file()).unwrap();
    assert_eq!(one.run(&["ps", "-a"]).err, "");
    std::fs::create_dir(one.file()).unwrap();
    assert!(one.run(&["ps", "-a"]).err.contains("WARNING"));
}

#[test]
fn the_platform_of_the_environment_is_that_of_no_flag() {
    needs_root!();
    let engine = TestEngine::new();
    let run = |arguments: &[&str]| {
        let mut command = engine.command(arguments);
        command.env("DOCKER_DEFAULT_PLATFORM", "linux/s390x");
        CommandOutput::from(command.output().unwrap())
    };
    let refused = run(&["run", "--rm", "host", "true"]);
    assert_eq!(refused.code, 125);
    assert!(refused.err.contains("wanted linux/s390x"), "{refused:?}");
    assert_eq!(run(&["run", "--rm", "--platform", "", "host", "true"]).code, 0);
    let context = tempfile::tempdir().unwrap();
    std::fs::write(context.path().join("Dockerfile"), "FROM host\n").unwrap();
    let refused = run(&["build", context.path().to_str().unwrap()]);
    assert!(refused.err.contains("cannot build for linux/s390x"), "{refused:?}");
}
