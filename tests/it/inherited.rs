//! What a caller hands down over execve(2) reaches no container and changes no result.

use std::process::Command;

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

/// Runs a command of the engine below `wrapper`.
#[track_caller]
fn below(engine: &TestEngine, wrapper: &[&str], arguments: &[&str]) -> CommandOutput {
    let mut command: Command = engine.shell(wrapper[0]);
    command.args(&wrapper[1..]).arg(LIFEBOX).args(arguments);
    CommandOutput::from(command.output().unwrap())
}

/// Whether this process has CAP_SYS_RESOURCE; says what is left out if not.
fn may_raise_limits() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    let may = u64::from_str_radix(set.trim(), 16).unwrap() >> 24 & 1 == 1;
    if !may {
        eprintln!("LEFT OUT: hard limits are raised only with CAP_SYS_RESOURCE");
    }
    may
}

#[test]
fn an_ignored_and_blocked_signal_changes_no_exit_code() {
    needs_root!();
    let engine = TestEngine::new();
    let signals = (1..=31).chain([34, 64]).filter(|number| ![9, 19].contains(number));
    for number in signals {
        let ignore = format!("--ignore-signal={number}");
        let block = format!("--block-signal={number}");
        let wrapper = ["env", ignore.as_str(), block.as_str()];
        let ran = below(&engine, &wrapper, &["run", "--rm", "host", "sh", "-c", "exit 7"]);
        assert_eq!(ran.code, 7, "signal {number}: {ran:?}");
    }
}

#[test]
fn the_exit_code_is_true_for_a_caller_that_ignores_its_children() {
    needs_root!();
    let engine = TestEngine::new();
    let ignoring = ["env", "--ignore-signal=CHLD"];
    let program = "read line; exit 7";
    below(&engine, &ignoring, &["run", "-di", "--name", "box", "host", "sh", "-c", program]);
    assert_eq!(below(&engine, &ignoring, &["exec", "box", "sh", "-c", "exit 5"]).code, 5);
    let script = r#"print(exec("box", ["sh", "-c", "exit 6"]).code)"#;
    assert_eq!(below(&engine, &ignoring, &["-e", script]).out, "6\n");
    engine.run_with_input(&["attach", "box"], b"\n");
    assert_eq!(below(&engine, &ignoring, &["wait", "box"]).out, "7\n");
    assert_eq!(engine.get("box", "{{.State.ExitCode}}"), "7");
}

#[test]
fn files_of_a_container_have_their_modes_under_every_umask() {
    needs_root!();
    let look = "stat -c %a / /etc/hosts /etc/hostname /etc/resolv.conf /data /made; umask; \
                cat /etc/hosts /etc/hostname /etc/resolv.conf >/tmp/all";
    let run = |umask: &str| {
        let engine = TestEngine::new();
        let made = engine.root().join("made");
        let line = format!(
            "umask {umask}; exec \"$@\" run --rm -u 1001 -v /data -v {}:/made --tmpfs /tmp host \
             sh -c '{look}'",
            made.display()
        );
        let ran = below(&engine, &["sh", "-c", line.as_str(), "sh"], &[]);
        assert_eq!(ran.code, 0, "umask {umask}: {ran:?}");
        ran.out
    };
    let usual = run("022");
    assert!(usual.starts_with("755\n644\n644\n644\n755\n755\n"), "{usual}");
    for umask in ["000", "027", "077", "777"] {
        assert_eq!(run(umask), usual, "umask {umask}");
    }
}

#[test]
fn limits_of_the_caller_are_not_those_of_the_container() {
    needs_root!();
    let engine = TestEngine::new();
    let look = ["run", "--rm", "host", "cat", "/proc/self/limits"];
    let usual = below(&engine, &["env"], &look);
    assert_eq!(usual.code, 0, "{usual:?}");
    let limits = [
        "--as=4000000000",
        "--core=4096",
        "--cpu=100",
        "--data=2000000000",
        "--fsize=4096",
        "--locks=5",
        "--memlock=4096",
        "--msgqueue=100",
        "--nofile=64",
        "--nproc=5",
        "--rss=1000000",
        "--rttime=5000000",
        "--sigpending=10",
        "--stack=2000000",
    ];
    let mut hard = vec![false];
    hard.extend(may_raise_limits().then_some(true));
    for (limit, hard) in
        limits.into_iter().flat_map(|limit| hard.iter().map(move |it| (limit, *it)))
    {
        let value = if hard { limit.split_once('=').unwrap().1 } else { "" };
        let lowered = format!("{limit}:{value}");
        let ran = below(&engine, &["prlimit", lowered.as_str()], &look);
        assert_eq!(ran.code, 0, "{lowered}: {ran:?}");
        assert_eq!(ran.out, usual.out, "{lowered}");
    }
}

#[test]
fn a_log_longer_than_the_callers_limit_of_file_size_harms_no_container() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo a line $i of the log; done; exit 3";
    let run = ["run", "-d", "--name", "box", "host", "sh", "-c", program];
    let ran = below(&engine, &["prlimit", "--fsize=20000:20000"], &run);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(engine.ok(&["wait", "box"]), "3");
    if may_raise_limits() {
        assert_eq!(engine.ok(&["logs", "box"]).lines().count(), 3000);
    }
}
