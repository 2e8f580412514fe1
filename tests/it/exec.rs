//! Getting into containers: `exec`, `attach`, terminals, `top`.

use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};
use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, signal, wait_until};
use crate::needs_root;

fn running() -> TestEngine {
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "-e", "A=1", "host", "sleep", "1000"]);
    engine
}

/// A command in a terminal of 33 lines and 111 columns.
fn in_terminal(engine: &TestEngine, words: &[&str]) -> PtySession {
    let mut command = engine.shell("sh");
    let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let script = format!(
        "stty rows 33 cols 111; stty -g > before; {} {line}; code=$?; stty -g > after; \
         cmp before after && echo restored; echo \"ended with $code\"; exec cat",
        crate::harness::LIFEBOX,
    );
    command.args(["-c", &script]).current_dir(engine.root()).stdin(Stdio::inherit());
    spawn_command(command, Some(30_000)).unwrap()
}

/// The latest process whose command line begins so and holds `text`.
fn client_of(name: &str, text: &str) -> u32 {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let matching = processes.filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.starts_with(name) && line.contains(text)
    });
    // What a client left that was killed goes on, as with Docker.
    matching.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).max().unwrap()
}

/// The helpers and programs of execs that are left.
fn helpers(engine: &TestEngine) -> usize {
    let root = engine.root().to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.starts_with("lifebox-exec") && line.contains(&root)).count()
}

#[test]
fn exec_runs_a_program_as_confined_as_the_container() {
    needs_root!();
    let engine = running();
    let look = "grep -E '^(Cap|Seccomp:|NoNewPrivs|SigIgn|SigBlk|Groups)' /proc/self/status; \
                cat /proc/self/oom_score_adj; ulimit -n; ulimit -c; umask; pwd; \
                readlink /proc/self/ns/*; cat /proc/self/cgroup; ls /proc/self/fd; echo $HOME $A";
    engine.ok(&["run", "--name", "first", "-e", "A=1", "host", "sh", "-c", look]);
    let first = engine.ok(&["logs", "first"]);
    let further = engine.ok(&["exec", "web", "sh", "-c", look]);
    let same = |text: &str| {
        let own = |line: &&str| !line.contains(":[");
        text.lines().filter(own).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(same(&further), same(&first));
    // Namespaces are those of the container's own first process.
    let pid = engine.pid("web");
    for kind in ["mnt", "uts", "ipc", "net", "pid", "cgroup"] {
        let of_first = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        let of_first = of_first.to_string_lossy().into_owned();
        assert!(further.contains(&of_first), "{kind}: {of_first} in {further}");
    }
}

#[test]
fn a_privileged_exec_has_all_capabilities_and_the_same_filter() {
    needs_root!();
    let engine = running();
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    let ours = ours.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap().trim();
    let look = "grep -E '^(CapEff|CapBnd|CapAmb|Seccomp):' /proc/self/status | cut -f 2";
    let said = engine.ok(&["exec", "--privileged", "web", "sh", "-c", look]);
    assert_eq!(said, format!("{ours}\n{ours}\n0000000000000000\n2"));
    let said = engine.ok(&["exec", "--privileged", "-u", "1000", "web", "sh", "-c", look]);
    assert_eq!(said, format!("0000000000000000\n{ours}\n0000000000000000\n2"));
    let script =
        format!(r#"print(exec("web", ["sh", "-c", "{look}"], #{{ privileged: true }}).out);"#);
    assert!(engine.script(&script).starts_with(ours));
}

#[test]
fn exec_has_the_exit_code_of_its_program_or_dockers() {
    needs_root!();
    let engine = running();
    engine.fails(&["exec", "web", "sh", "-c", "exit 7"], 7);
    engine.fails(&["exec", "web", "sh", "-c", "kill -TERM $$"], 143);
    assert!(engine.fails(&["exec", "web", "nope"], 127).contains("executable file not found"));
    assert!(engine.fails(&["exec", "web", "/etc"], 126).contains("permission denied"));
    assert!(engine.fails(&["exec", "-u", "nobodyx", "web", "id"], 126).contains("unable to find"));
    engine.fails(&["exec", "missing", "id"], 1);
    let error = engine.fails(&["exec", "-w", "relative", "web", "id"], 126);
    assert!(error.contains("not an absolute path"), "{error}");
    engine.ok(&["pause", "web"]);
    assert!(engine.fails(&["exec", "web", "id"], 1).contains("it is paused"));
    engine.ok(&["unpause", "web"]);
    engine.ok(&["kill", "web"]);
    assert!(engine.fails(&["exec", "web", "id"], 1).contains("it is not running"));
    engine.ok(&["create", "--name", "new", "host", "id"]);
    assert!(engine.fails(&["exec", "new", "id"], 1).contains("it is not running"));
}

#[test]
fn exec_takes_user_directory_and_environment() {
    needs_root!();
    let engine = running();
    let words = ["exec", "-u", "1000:5", "-w", "/var", "-e", "B=2", "web"];
    let look = "pwd; id -u; id -g; id -G; echo $A $B; grep CapEff /proc/self/status; > /dev/stdout";
    let out = engine.ok(&[&words[..], &["sh", "-c", look]].concat());
    assert_eq!(out, "/var\n1000\n5\n5\n1 2\nCapEff:\t0000000000000000");
    let file = engine.root().join("env");
    std::fs::write(&file, "C=3\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    let words = ["exec", "--env-file", &file, "-e", "A", "web", "sh", "-c", "echo ${A-unset} $C"];
    assert_eq!(engine.ok(&words), "unset 3");
}

#[test]
fn exec_passes_input_and_output_on_byte_for_byte() {
    needs_root!();
    let engine = running();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let ran = engine.run_with_input(&["exec", "-i", "web", "cat"], &bytes);
    assert!(ran.status.success());
    assert!(ran.stdout == bytes, "{} bytes came back", ran.stdout.len());
    let ran = engine.run(&["exec", "web", "sh", "-c", "echo out; echo err >&2; cat"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("out\n", "err\n"));
    assert!(!engine.ok(&["logs", "web"]).contains("out"), "it is not in the container's log");
}

#[test]
fn an_exec_that_is_detached_goes_on_and_ends_with_its_container() {
    needs_root!();
    let engine = running();
    engine.ok(&["exec", "-d", "web", "sleep", "900"]);
    assert!(engine.ok(&["top", "web"]).contains("sleep 900"));
    assert_eq!(helpers(&engine), 1);
    engine.ok(&["kill", "web"]);
    assert!(wait_until(TIMEOUT, || helpers(&engine) == 0), "a helper is left");
}

#[test]
fn signals_are_sent_on_to_the_program_of_an_exec() {
    needs_root!();
    let engine = running();
    let program = "trap 'echo got; exit 9' TERM; echo up > /tmp/up; while :; do sleep 0.05; done";
    let child = engine.spawn(&["exec", "web", "sh", "-c", program]);
    let up = || engine.run(&["exec", "web", "cat", "/tmp/up"]).out == "up\n";
    assert!(wait_until(TIMEOUT, up));
    signal(child.id(), Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(9), &b"got\n"[..]));
}

#[test]
fn a_thousand_execs_that_fail_leave_nothing() {
    needs_root!();
    let engine = running();
    let script = "
        let c = container(\"web\");
        let failed = 0;
        for n in 0..1000 {
            try { exec(c, \"nope\"); } catch (e) { failed += 1; }
            if n == 10 { print(exec(c, [\"sh\", \"-c\", \"set -- /proc/[0-9]*; echo $#\"])); }
        }
        print(failed);
        print(exec(c, [\"sh\", \"-c\", \"set -- /proc/[0-9]*; echo $#\"]));";
    let out = engine.script(script);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[1], "1000");
    assert_eq!(lines[0], lines[2], "processes inside");
    assert!(wait_until(TIMEOUT, || helpers(&engine) == 0), "helpers are left");
    let pid = engine.pid("web");
    let monitor = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let monitor = monitor.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim();
    let open = std::fs::read_dir(format!("/proc/{monitor}/fd")).unwrap().count();
    assert!(open < 20, "the monitor has {open} files open");
}

#[test]
fn scripts_get_what_an_exec_wrote() {
    needs_root!();
    let engine = running();
    let check = |script: &str, expected: &str| assert_eq!(engine.script(script), expected);
    check(
        "let r = exec(\"web\", [\"sh\", \"-c\", \"echo out; echo err >&2; exit 3\"]);
         print(`${r.code} ${r.ok} ${r.truncated}`); print(r.out + r.err);",
        "3 false false\nout\nerr",
    );
    check(
        "print(container(\"web\").exec(\"cat\", #{ stdin: \"hello\" }));
         let o = #{ env: #{ B: 2 }, user: 7, workdir: \"/var\" };
         print(exec(\"web\", [\"sh\", \"-c\", \"echo $A $B; id -u; pwd\"], o));",
        "hello\n1 2\n7\n/var",
    );
    check(
        "let r = exec(\"web\", [\"sh\", \"-c\", \"head -c 20000000 /dev/zero\"]);
         print(`${r.out.len()} ${r.truncated}`);",
        "8388608 true",
    );
    check(
        "try { exec(\"web\", \"sleep 500\", #{ timeout: \"200ms\" }); } catch (e) { print(e.kind); }
         print(top(\"web\").filter(|p| p.cmd.contains(\"sleep 500\")).len());
         print(top(\"web\")[0].cmd);",
        "timeout\n0\nsleep 1000",
    );
}

#[test]
fn a_terminal_is_the_containers_own_and_has_the_size_of_the_callers() {
    needs_root!();
    let engine = TestEngine::new();
    let mut terminal = in_terminal(&engine, &["run", "-it", "--name", "box", "host", "sh", "-i"]);
    terminal.exp_string("# ").unwrap();
    terminal.send_line("tty; stty size; test -c /dev/console && echo $TERM").unwrap();
    terminal.exp_string("/dev/pts/0").unwrap();
    terminal.exp_string("33 111").unwrap();
    terminal.exp_string("xterm").unwrap();
    terminal.send_line("sleep 1000").unwrap();
    terminal.exp_string("sleep 1000").unwrap();
    terminal.send_control('c').unwrap();
    terminal.send_line("echo code $?").unwrap();
    terminal.exp_string("code 130").unwrap();
    terminal.send_line("exit 6").unwrap();
    terminal.exp_string("restored").unwrap();
    terminal.exp_string("ended with 6").unwrap();
    assert_eq!(engine.get("box", "{{.Config.Tty}} {{.Config.OpenStdin}}"), "true true");
    assert!(engine.run(&["logs", "box"]).out.contains("33 111\r\n"), "the log has all of it");
}

#[test]
fn a_closed_terminal_is_a_signal_to_the_container() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap \"exit 7\" HUP; echo ready; while :; do sleep 0.1; echo more; done";
    let lifebox = crate::harness::LIFEBOX;
    // The client leads the session of a terminal, as in a window of its own.
    let line = format!("exec {lifebox} run -it --name box host sh -c '{program}'");
    let mut window = engine.shell("script");
    window.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut window = window.spawn().unwrap();
    assert!(wait_until(TIMEOUT, || engine.run(&["logs", "box"]).out.contains("ready")));
    window.kill().unwrap();
    window.wait().unwrap();
    assert!(wait_until(TIMEOUT, || engine.status("box") == "exited"));
    assert_eq!(engine.get("box", "{{.State.ExitCode}}"), "7");
}

#[test]
fn one_can_leave_a_terminal_and_come_back() {
    needs_root!();
    let engine = TestEngine::new();
    let mut terminal = in_terminal(&engine, &["run", "-it", "--name", "box", "host", "sh", "-i"]);
    terminal.exp_string("# ").unwrap();
    terminal.send("A=kept\n\x10\x11").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("restored").unwrap();
    terminal.exp_string("ended with 0").unwrap();
    assert_eq!(engine.status("box"), "running");
    let mut terminal = in_terminal(&engine, &["attach", "--detach-keys", "ctrl-x,q", "box"]);
    terminal.send_line("echo $A and; stty size").unwrap();
    terminal.exp_string("kept and").unwrap();
    terminal.exp_string("33 111").unwrap();
    terminal.send("\x18q").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("read escape sequence").unwrap();
    terminal.exp_string("ended with 1").unwrap();
    let mut terminal = in_terminal(&engine, &["exec", "-it", "box", "sh", "-i"]);
    terminal.exp_string("# ").unwrap();
    terminal.send_line("tty; exit 4").unwrap();
    terminal.exp_string("/dev/pts/1").unwrap();
    terminal.exp_string("ended with 4").unwrap();
    engine.ok(&["kill", "box"]);
    let mut terminal = in_terminal(&engine, &["start", "-ai", "box"]);
    terminal.send_line("exit 5").unwrap();
    terminal.exp_string("ended with 5").unwrap();
}

#[test]
fn the_terminal_is_given_back_whatever_ends_the_client() {
    needs_root!();
    let engine = running();
    let client = |text: &str| client_of(crate::harness::LIFEBOX, text);
    for (number, ending) in [Signal::TERM, Signal::HUP, Signal::SEGV, Signal::ABORT, Signal::INT]
        .into_iter()
        .enumerate()
    {
        let mark = format!("A={number}");
        let mut terminal = in_terminal(&engine, &["exec", "-it", "-e", &mark, "web", "sh", "-i"]);
        terminal.exp_string("# ").unwrap();
        signal(client(&mark), ending);
        terminal.exp_string("restored").unwrap();
    }
    // The helper is killed, and the program with it.
    let mut terminal = in_terminal(&engine, &["exec", "-it", "web", "sh", "-i"]);
    terminal.exp_string("# ").unwrap();
    signal(client_of("lifebox-exec", &engine.root().to_string_lossy()), Signal::KILL);
    terminal.exp_string("restored").unwrap();
    // The container's end is the program's.
    let mut terminal = in_terminal(&engine, &["exec", "-it", "web", "sh", "-i"]);
    terminal.exp_string("# ").unwrap();
    engine.ok(&["kill", "web"]);
    terminal.exp_string("restored").unwrap();
    terminal.exp_string("ended with 137").unwrap();
}

#[test]
fn a_signal_to_the_client_at_a_terminal_is_the_programs() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "trap \"exit 7\" TERM; trap \"exit 8\" HUP; echo ready; while :; do sleep 0.05; done";
    for (ending, code) in [(Signal::TERM, 7), (Signal::HUP, 8)] {
        let name = format!("box{code}");
        let words = ["run", "-it", "--name", &name, "host", "sh", "-c", program];
        let mut terminal = in_terminal(&engine, &words);
        terminal.exp_string("ready").unwrap();
        signal(client_of(crate::harness::LIFEBOX, &name), ending);
        terminal.exp_string(&format!("ended with {code}")).unwrap();
        assert_eq!(engine.get(&name, "{{.State.ExitCode}}"), code.to_string());
    }
}

#[test]
fn a_pipe_is_no_terminal() {
    needs_root!();
    let engine = running();
    let error = engine.fails(&["exec", "-it", "web", "sh"], 1);
    assert!(error.contains("the input device is not a TTY"), "{error}");
    let error = engine.fails(&["run", "-it", "host", "sh"], 1);
    assert!(error.contains("the input device is not a TTY"), "{error}");
    assert_eq!(engine.ok(&["ps", "-aq"]).lines().count(), 1, "nothing was made");
    let error = engine.fails(&["exec", "-it", "--detach-keys", "ctrl-pp", "web", "sh"], 1);
    assert!(error.contains("invalid detach keys"), "{error}");
    // Without input a terminal needs none here.
    assert_eq!(engine.ok(&["exec", "-t", "web", "tty"]), "/dev/pts/0");
    assert_eq!(engine.run(&["run", "--rm", "-t", "host", "echo", "x"]).out, "x\r\n");
}

#[test]
fn attach_shows_what_is_written_from_now_on() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "echo before; read line; echo got $line; exit 3";
    engine.ok(&["run", "-di", "--name", "box", "host", "sh", "-c", program]);
    engine.wrote("box", "before");
    let ran = engine.run_with_input(&["attach", "box"], b"hello\n");
    assert_eq!((ran.status.code(), ran.stdout.as_slice()), (Some(3), &b"got hello\n"[..]));
    assert!(engine.fails(&["attach", "box"], 1).contains("it is not running"));
}

#[test]
fn top_lists_processes_without_asking_the_image() {
    needs_root!();
    let engine = running();
    engine.ok(&["exec", "-d", "-u", "4242", "web", "sleep", "900"]);
    let out = engine.ok(&["top", "web"]);
    let lines: Vec<Vec<&str>> = out.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    assert_eq!(lines[1][..2], ["root", &engine.pid("web").to_string()]);
    assert_eq!(lines[1][5..], ["?", "00:00:00", "sleep", "1000"]);
    assert_eq!((lines[2][0], lines[2].last()), ("4242", Some(&"900")));
    engine.ok(&["pause", "web"]);
    assert_eq!(engine.ok(&["top", "web", "-ef"]).lines().count(), 3);
    let own = engine.ok(&["top", "web", "-o", "pid,comm"]);
    let lines: Vec<Vec<&str>> = own.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        (lines.len(), lines[0].join(" ").as_str(), lines[1][1]),
        (3, "PID COMMAND", "sleep")
    );
    assert!(engine.fails(&["top", "web", "-o", "comm"], 1).contains("no column PID"));
    assert!(engine.fails(&["top", "web", "--bogus"], 1).contains("ps fails"));
    engine.ok(&["kill", "web"]);
    assert!(engine.fails(&["top", "web"], 1).contains("it is not running"));
}

#[test]
fn the_repl_lends_its_terminal_and_gets_it_back() {
    needs_root!();
    let engine = running();
    let mut terminal = in_terminal(&engine, &[]);
    terminal.exp_string("lifebox (1 running)> ").unwrap();
    terminal.send_line("exec -it web sh -i").unwrap();
    terminal.exp_string("# ").unwrap();
    terminal.send_line("stty size; sleep 1000").unwrap();
    terminal.exp_string("33 111").unwrap();
    terminal.send_control('c').unwrap();
    terminal.send_line("echo code $?; exit").unwrap();
    terminal.exp_string("code 130").unwrap();
    terminal.send_line("print(exec(\"web\", \"echo from a script\").out)").unwrap();
    terminal.exp_string("\nfrom a script").unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_string("restored").unwrap();
}

#[test]
fn an_exec_that_meets_the_end_of_its_container_says_so() {
    needs_root!();
    let engine = TestEngine::new();
    for _ in 0..8 {
        engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "1000"]);
        let execs: Vec<_> =
            (0..4).map(|_| engine.spawn(&["exec", "web", "sleep", "900"])).collect();
        engine.ok(&["kill", "web"]);
        for exec in execs {
            let output = exec.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let code = output.status.code();
            let refused = code == Some(1) && said.contains("not running");
            assert!(code == Some(137) || refused, "{code:?}: {said}");
        }
        engine.ok(&["rm", "web"]);
    }
    assert!(wait_until(TIMEOUT, || helpers(&engine) == 0), "a helper is left");
}

#[test]
fn a_first_process_of_the_engines_passes_signals_on_and_holds_none_back() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "grep SigBlk /proc/self/status; trap 'echo got; exit 3' TERM; echo up; \
                   while :; do sleep 0.05; done";
    engine.ok(&["run", "-d", "--init", "--name", "web", "host", "sh", "-c", program]);
    assert!(wait_until(TIMEOUT, || engine.ok(&["logs", "web"]).contains("up")));
    assert!(engine.ok(&["logs", "web"]).starts_with("SigBlk:\t0000000000000000"));
    engine.ok(&["stop", "web"]);
    assert!(engine.ok(&["logs", "web"]).ends_with("got"));
    assert_eq!(engine.ok(&["inspect", "--format", "{{.State.ExitCode}}", "web"]), "3");
}

#[test]
fn an_exec_makes_no_working_directory() {
    needs_root!();
    let engine = running();
    let said = engine.fails(&["exec", "-w", "/no/such", "web", "pwd"], 126);
    assert!(said.contains("enter the working directory `/no/such`: no such file"), "{said}");
    assert!(!engine.ok(&["diff", "web"]).contains("/no"));
    // The first process has it made, as with Docker.
    assert_eq!(engine.ok(&["run", "--rm", "-w", "/no/such", "host", "pwd"]), "/no/such");
    let said = engine.fails(&["run", "--rm", "-u", "nosuch", "host", "id"], 125);
    assert!(said.contains("unable to find user of `nosuch`"), "{said}");
}

#[test]
fn nothing_is_copied_to_where_a_mount_will_hide_it() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "web", "--tmpfs", "/data", "host", "sleep", "1000"]);
    let file = engine.root().join("file");
    std::fs::write(&file, "x").unwrap();
    let from = file.to_string_lossy();
    for target in ["web:/data/file", "web:/tmp/../data/file", "web:data"] {
        let said = engine.fails(&["cp", &from, target], 1);
        assert!(said.contains("`/data` of `web` is a tmpfs"), "{said}");
    }
    engine.ok(&["cp", "-q", &from, "web:/tmp/file"]);
    engine.ok(&["start", "web"]);
    engine.ok(&["cp", "-q", &from, "web:/data/file"]);
    assert_eq!(engine.ok(&["exec", "web", "cat", "/data/file", "/tmp/file"]), "xx");
}
