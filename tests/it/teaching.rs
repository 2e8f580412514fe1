//! What a container is, shown: `explain`, `trace`, `why`, `diagram`, `resources`, refusals.

use std::process::Stdio;

use rexpect::session::spawn_command;

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// The words of a plan's steps with their system calls, from what `explain` prints.
fn planned(text: &str) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    let calls = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
    for line in text.lines() {
        let number = line.get(..4).unwrap_or_default().trim();
        if number.parse::<usize>().is_ok() {
            let rest = line[4..].trim();
            match rest.split_once("  ") {
                Some((words, of)) => steps.push((words.to_owned(), calls(of.trim()))),
                None => steps.push((rest.to_owned(), Vec::new())),
            }
        } else if line.starts_with(&" ".repeat(12)) {
            // Too long for one line: the calls are below, at the right.
            if let Some((_, of)) = steps.last_mut().filter(|(_, of)| of.is_empty()) {
                *of = calls(line.trim());
            }
        }
    }
    steps
}

/// The words of what was done, and who did it, from what `--trace` prints.
fn done(text: &str) -> Vec<(String, String)> {
    let deed = |line: &str| {
        let words: String = line.chars().skip(29).collect();
        let who: String = line.chars().skip(21).take(8).collect();
        let at: String = line.chars().take(9).collect();
        at.trim().parse::<f64>().ok()?;
        let words = words.split("  ").next().unwrap_or_default().trim().to_owned();
        Some((who.trim().to_owned(), words))
    };
    text.lines().filter_map(deed).collect()
}

fn sorted(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort();
    words
}

#[test]
fn a_plan_is_what_is_then_done() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let flags = ["--name", "web", "--memory", "64m", "--log-opt", "max-file=1"];
    engine.ok(&[&["create"], &flags[..], &["host", "sh", "-c", program]].concat());
    let verbs: [&[&str]; 9] = [
        &["start"],
        &["pause"],
        &["unpause"],
        &["restart"],
        &["stop"],
        &["start"],
        &["kill"],
        &["start"],
        &["rm", "-f"],
    ];
    let mut starts = 0;
    for words in verbs {
        let verb = if words[0] == "rm" { "rm -f" } else { words[0] };
        let plan = planned(&engine.ok(&["explain", verb, "web"]));
        let ran = engine.run(&[&["--trace"], words, &["web"]].concat());
        assert_eq!(ran.code, 0, "{verb}: {}", ran.err);
        let trace = done(&ran.err);
        assert_eq!(
            sorted(plan.into_iter().map(|(words, _)| words)),
            sorted(trace.iter().map(|(_, words)| words.clone())),
            "{verb}\n{}",
            ran.err
        );
        starts += usize::from(["start", "restart"].contains(&verb));
        let ready = || engine.run(&["logs", "web"]).out.lines().count() >= starts;
        assert!(verb == "rm -f" || wait_until(TIMEOUT, ready), "{verb}");
    }
}

/// The system calls of the process that became `program`, in order.
fn of_program(log: &str, program: &str) -> Vec<String> {
    let executed = format!("execve(\"{program}\"");
    let pid = log.lines().find(|line| line.contains(&executed));
    let pid = pid.unwrap().split_whitespace().next().unwrap();
    let of_it = log.lines().filter_map(|line| line.strip_prefix(pid));
    let names = of_it.filter_map(|rest| {
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("<... ").unwrap_or(rest);
        // What was interrupted by another process is told twice.
        if rest.contains(" resumed>") && !rest.starts_with("clone") {
            return None;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        // Which of the two it is depends on the architecture.
        let name = if &rest[..end] == "open" { "openat" } else { &rest[..end] };
        Some(name.to_owned())
    });
    let end = names.collect::<Vec<_>>();
    let executed = end.iter().rposition(|name| name == "execve").unwrap();
    end[..=executed].to_vec()
}

/// Holds the calls of each step against what was seen, in order.
fn check_order(plan: &[(String, Vec<String>)], seen: &[String]) {
    let mut at = 0;
    for (words, calls) in plan {
        let conditional =
            words.starts_with("mask ") || words.ends_with("read-only") && words.contains("make /");
        for (number, call) in calls.iter().enumerate() {
            // What is not there needs neither to be masked nor to be made read-only.
            if conditional && number > 0 && seen[at] != calls[1] && seen[at - 1] == "openat2" {
                break;
            }
            let next = seen[at..].iter().position(|name| name == call);
            let next = next.unwrap_or_else(|| panic!("{words}: no {call} after {:?}", &seen[..at]));
            at += next + 1;
        }
    }
}

#[test]
fn strace_sees_the_calls_of_the_plan_in_its_order() {
    needs_root!();
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        eprintln!("LEFT OUT: strace_sees_the_calls_of_the_plan_in_its_order needs strace");
        return;
    }
    let engine = TestEngine::new();
    let flags = ["-v", "data:/data", "--tmpfs", "/run", "--hostname", "seen", "--read-only"];
    let flags = [&flags[..], &["--user", "1:1", "--ulimit", "core=0"]].concat();
    let words = [&["create", "--name", "web"], &flags[..], &["host", "sleep", "100"]].concat();
    engine.ok(&words);
    let text = engine.ok(&["explain", "start", "web"]);
    let init = text.split("init, the container's first process").nth(1).unwrap();
    let plan = planned(init.split("\n\nthe monitor").next().unwrap());
    let log = engine.root().join("strace.log");
    let mut strace = engine.shell("strace");
    strace.args(["-f", "-s", "200", "-o", log.to_str().unwrap(), crate::harness::LIFEBOX]);
    let started = strace.args(["start", "web"]).stdout(Stdio::null()).spawn().unwrap();
    let pid = started.id();
    assert!(wait_until(TIMEOUT, || engine.status("web") == "running"));
    engine.ok(&["kill", "web"]);
    let mut started = started;
    started.wait().unwrap();
    assert!(pid != 0);
    let log = std::fs::read_to_string(log).unwrap();
    let seen = of_program(&log, "/usr/bin/sleep");
    check_order(&plan, &seen);
    // And there is nothing of weight that the plan does not tell.
    for call in [
        "pivot_root",
        "mount",
        "umount2",
        "sethostname",
        "unshare",
        "setns",
        "seccomp",
        "fsmount",
        "setresuid",
        "mknodat",
        "symlinkat",
        "setsid",
        "execve",
    ] {
        let printed =
            plan.iter().flat_map(|(_, calls)| calls).filter(|known| *known == call).count();
        let found = seen.iter().filter(|known| *known == call).count();
        let enough = match call {
            // The program is looked for in each directory of PATH.
            "execve" => found >= printed,
            // One empty file system masks all directories, made when the first is met.
            "fsmount" => found == printed + 1,
            _ => found == printed,
        };
        assert!(enough, "{call}: the plan has {printed}, strace saw {found}");
    }
}

#[test]
fn a_trace_stands_beside_the_lines_that_caused_it() {
    needs_root!();
    let engine = TestEngine::new();
    let printed = engine.script(
        "let c = create(\"host\", #{ name: \"web\", cmd: \"sleep 100\" });\n\
         let name = trace(|| {\n    start(c);\n    c.pause();\n    c.name\n});\n\
         print(`value ${name}`);",
    );
    let lines: Vec<&str> = printed.lines().collect();
    let place = |text: &str| lines.iter().position(|line| line.contains(text));
    let (start, pause) = (place("line 3: start(c);"), place("line 4: c.pause();"));
    assert!(start.is_some() && start < place("pivot to the new root"), "{printed}");
    assert!(
        place("execute the program") < pause && pause < place("freeze the cgroup"),
        "{printed}"
    );
    assert_eq!(lines.last().copied(), Some("value web"), "{printed}");
    // Also of what fails, and in the place of a whole script.
    let ran = engine.run(&["--trace", "-e", "run(\"host\", \"nosuch\")"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("line 1: run(\"host\", \"nosuch\")"), "{}", ran.err);
    let failed = "execute the program";
    let (_, after) = ran.err.split_once(failed).unwrap();
    assert!(after.contains("failed: no such file or directory"), "{}", ran.err);
    let message = engine.script("try { trace(|| trace(|| 1)) } catch (e) { print(e.kind) }");
    assert!(message.contains("refused"), "{message}");
}

#[test]
fn step_by_step_each_deed_waits_for_a_key() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "web", "host", "sleep", "100"]);
    let mut command = std::process::Command::new(crate::harness::LIFEBOX);
    let ours = engine.command(&[]);
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--trace=step", "start", "web"]);
    let mut terminal = spawn_command(command, Some(20_000)).unwrap();
    terminal.exp_string("lock the container").unwrap();
    terminal.exp_string("Enter: continue").unwrap();
    for words in ["start the monitor", "send a request to the monitor", "create the cgroup"] {
        terminal.send_line("").unwrap();
        terminal.exp_string(words).unwrap();
        terminal.exp_string("Enter: continue").unwrap();
        assert_eq!(engine.status("web"), "created");
    }
    terminal.send_line("c").unwrap();
    terminal.exp_string("execute the program").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(engine.status("web"), "running");
}

#[test]
fn a_container_is_explained_from_both_sides() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "echo new > /new; rm /usr/bin/wc; exec sleep 100";
    let words = ["run", "-d", "--name", "web", "--memory", "64m", "host", "sh", "-c", program];
    engine.ok(&words);
    engine.ok(&["run", "-d", "--name", "side", "--network", "container:web", "host", "sleep", "9"]);
    let pid = engine.pid("web").to_string();
    let printed = || engine.ok(&["explain", "web"]);
    assert!(wait_until(TIMEOUT, || printed().contains("A /new") && printed().contains("sleep 100")));
    let text = printed();
    for part in ["shared with side", "private", "limits: memory 64MiB", "/sys/fs/cgroup", "overlay"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let process: Vec<&str> = text
        .lines()
        .find(|line| line.contains("sleep 100") && line.contains(&pid))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(process[..2], [pid.as_str(), "1"], "{text}");
    engine.ok(&["kill", "web"]);
    let text = engine.ok(&["explain", "web"]);
    assert!(text.contains("It has no process") && !text.contains("Namespaces:"), "{text}");
    let image = engine.ok(&["explain", "hundredcounter"]);
    for part in ["4 layers", "runs", "A container adds", "used by"] {
        let used = part != "used by" || engine.ok(&["explain", "host"]).contains("used by");
        assert!(image.contains(part) || part == "used by" && used, "{part}\n{image}");
    }
    let korean = engine.ok(&["--lang", "ko", "explain", "host"]);
    assert!(korean.contains("레이어"), "{korean}");
    assert!(engine.fails(&["explain", "nobody"], 1).contains("no such container: nobody"));
    let wrong = engine.fails(&["explain", "jump", "web"], 1);
    assert!(wrong.contains("`jump` is not a verb") && wrong.contains("start, pause"), "{wrong}");
}

#[test]
fn a_layer_tells_what_it_adds_and_hides() {
    needs_root!();
    let engine = TestEngine::new();
    engine.script(
        "let c = run(\"host\", [\"sh\", \"-c\", \"echo 1 > /added; rm /usr/bin/wc\"]); c.wait();
         c.commit(\"changed:1\");",
    );
    let text = engine.ok(&["explain", "changed:1"]);
    assert!(text.contains("such as /added") && text.contains("hides /usr/bin/wc"), "{text}");
    assert!(text.contains("2 layers"), "{text}");
}

#[test]
fn a_path_tells_the_layers_that_it_comes_from() {
    needs_root!();
    let engine = TestEngine::new();
    engine.script(
        "let c = run(\"host\", [\"sh\", \"-c\", \"echo 12 > /added; mkdir -p /dir/old; rm /usr/bin/wc\"]); c.wait();
         c.commit(\"changed:1\");",
    );
    let program = "echo 12345 > /added; rm -r /dir; mkdir /dir; exec sleep 100";
    engine.ok(&["run", "-d", "--name", "web", "changed:1", "sh", "-c", program]);
    let printed = |path| -> Vec<String> {
        let text = engine.ok(&["explain", "web", path]);
        text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    };
    assert!(wait_until(TIMEOUT, || printed("/added").len() == 2 && printed("/dir").len() == 2));
    let own = "its writable layer: a file of 6B";
    assert_eq!(
        printed("/added"),
        [own, "layer 2 of its image: a file of 3B (hidden by what is above)"]
    );
    assert_eq!(
        printed("/usr/bin/wc")[0],
        "layer 2 of its image: a whiteout, which hides what is below"
    );
    assert!(printed("/usr/bin/wc")[1].ends_with("(hidden by what is above)"));
    assert_eq!(printed("/dir")[0], "its writable layer: a directory that hides those below");
    assert!(printed("/dir/old")[0].starts_with("its writable layer: a whiteout"));
    assert!(printed("/bin/sh")[0].contains("a link, /bin -> usr/bin"), "{:?}", printed("/bin/sh"));
    let hosts = printed("/etc/hosts");
    assert!(
        hosts[0].starts_with("a mount of ") && hosts[0].ends_with(" at /etc/hosts"),
        "{hosts:?}"
    );
    assert!(hosts[1].ends_with("(hidden by what is above)"), "{hosts:?}");
    assert!(printed("/nowhere")[0].contains("no layer has this path"));
    assert!(
        engine.fails(&["explain", "web", "/usr/../etc"], 1).contains("is not an absolute path")
    );
    let script = "explain(\"web\", \"/added\"); explain(container(\"web\"), \"/added\");";
    assert_eq!(engine.script(script).matches(own).count(), 2);
}

#[test]
fn what_is_used_is_told_by_state() {
    needs_root!();
    let engine = TestEngine::new();
    let busy = "echo ready; while :; do :; done";
    engine.ok(&["create", "--name", "web", "host", "sh", "-c", busy]);
    let row = |text: &str, status: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(status));
        let line = line.unwrap_or_else(|| panic!("no {status}\n{text}"));
        line.split("  ").map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect()
    };
    let text = engine.ok(&["resources", "web"]);
    assert_eq!(row(&text, "created")[2..5], ["0", "0%", "0B"], "{text}");
    engine.ok(&["start", "web"]);
    engine.wrote("web", "ready");
    let text = engine.ok(&["resources", "--time", "500ms", "web"]);
    let share: f64 = row(&text, "now (running)")[3].trim_end_matches('%').parse().unwrap();
    assert!(share > 5.0 && text.contains("MEMORY  "), "{text}");
    engine.ok(&["pause", "web"]);
    let text = engine.ok(&["resources", "--time", "300ms", "web"]);
    let paused = row(&text, "now (paused)");
    assert_eq!(paused[3], "0.0%", "{text}");
    assert_ne!(paused[4], "0B", "{text}");
    engine.ok(&["unpause", "web"]);
    engine.ok(&["stop", "-t", "0", "web"]);
    let text = engine.ok(&["resources", "web"]);
    // While it was paused it kept its memory and used no processor.
    let paused = row(&text, "paused");
    assert!(paused[3].trim_end_matches('%').parse::<f64>().unwrap() < 5.0, "{text}");
    assert_ne!(row(&text, "running")[2], "0", "{text}");
    assert_eq!(row(&text, "exited")[2..5], ["0", "0%", "0B"], "{text}");
    assert!(text.contains("now (exited)"), "{text}");
    assert_eq!(engine.script("resources(\"web\")"), text);
}

#[test]
fn the_life_cycle_is_drawn_as_text_and_as_a_picture() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "100"]);
    let here = engine.ok(&["diagram", "web"]);
    assert!(here.contains("┃ running  ◀ here now  ┃"), "{here}");
    assert_eq!(engine.script("diagram(\"web\")"), here);
    assert!(engine.ok(&["diagram", "--ascii"]).is_ascii());
    let plain = engine.command(&["diagram"]).env("LC_ALL", "C").output().unwrap();
    assert!(plain.stdout.is_ascii());
    let path = engine.root().join("life.svg");
    engine.ok(&["diagram", "web", "--svg", path.to_str().unwrap()]);
    let picture = std::fs::read_to_string(&path).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("box here"), "{picture}");
    let korean = engine.command(&["diagram"]).env("LC_ALL", "ko_KR.UTF-8").output().unwrap();
    assert!(String::from_utf8(korean.stdout).unwrap().contains("일시정지"));
}

#[test]
fn refusals_teach_in_both_languages() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "100"]);
    engine.ok(&["pause", "web"]);
    let printed = engine.fails(&["start", "web"], 1);
    assert_eq!(
        printed,
        "error: cannot start `web`: it is paused\n\
         hint: Its processes exist and are paused: there is nothing to start. \
         Now legal: unpause, stop, kill, restart, rm -f\n\
         error: failed to start containers: web\n"
    );
    let korean = engine.fails(&["--lang", "ko", "start", "web"], 1);
    assert!(korean.contains("unpause, stop, kill, restart, rm -f"), "{korean}");
    assert!(korean.contains("동결") || korean.contains("일시정지"), "{korean}");
    let ran = engine.run(&["--lang=ko", "-e", "start(\"web\")"]);
    assert!(ran.err.contains("일시정지"), "{}", ran.err);
    for (verb, said) in
        [("attach", "there is none."), ("pause", "nothing to pause."), ("top", "nothing to list.")]
    {
        engine.run(&["create", "--name", "rests", "host", "true"]);
        let printed = engine.fails(&[verb, "rests"], 1);
        assert!(printed.contains(said), "{printed}");
    }
    let wrong = engine.fails(&["--lang", "xx", "ps"], 1);
    assert!(wrong.contains("unsupported language `xx`"), "{wrong}");
}

#[test]
fn help_is_in_the_language_of_the_reader() {
    let engine = TestEngine::empty();
    let help = |language: &str| engine.ok(&["--lang", language, "-e", "help(\"pause\")"]);
    assert!(help("en").contains("Pauses all processes within a container"), "{}", help("en"));
    assert!(help("ko").contains("프로세스") && help("ko").contains("pause(container)"));
    let overview = engine.ok(&["--lang", "ko", "-e", "help()"]);
    assert!(overview.lines().next().unwrap().contains("이미지"), "{overview}");
}
