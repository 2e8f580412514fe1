//! What a container wrote, and what it is given to read.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{
    CommandOutput, TIMEOUT, TestEngine, follows, signal, wait_for_exit, wait_until,
    waits_for_monitor,
};
use crate::needs_root;

#[test]
fn following_ends_with_the_container() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "echo first; trap 'echo last; printf end >&2; exit 0' TERM; while :; do sleep 0.02; done";
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
    let mut follower = engine.spawn(&["logs", "-f", "box"]);
    let mut out = BufReader::new(follower.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    assert!(follower.try_wait().unwrap().is_none(), "it does not wait for more");
    engine.ok(&["stop", "box"]);
    std::io::Read::read_to_string(&mut out, &mut line).unwrap();
    assert_eq!(line, "first\nlast\n");
    let ran = CommandOutput::from(follower.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, "end"));
    // Of one that has ended there is nothing more to come.
    let ran = engine.run(&["logs", "--follow", "box"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "first\nlast\n", "end"));
}

#[test]
fn ctrl_c_ends_the_reader_and_not_the_container() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", "echo x; exec sleep 300"]);
    engine.wrote("box", "x");
    for words in [&["logs", "-f", "box"][..], &["wait", "box"]] {
        let reader = engine.spawn(words);
        assert!(wait_until(TIMEOUT, || waits_for_monitor(&reader)));
        signal(reader.id(), Signal::INT);
        let ran = CommandOutput::from(reader.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (130, ""), "{words:?}");
        assert_eq!(engine.status("box"), "running");
    }
}

#[test]
fn ctrl_c_in_run_is_the_programs() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.02; done";
    let mut child = engine.spawn(&["run", "--name", "box", "host", "sh", "-c", program]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    signal(child.id(), Signal::INT);
    std::io::Read::read_to_string(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\ncaught\n");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn only_the_lines_asked_for_are_shown() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "run",
        "--name",
        "box",
        "host",
        "sh",
        "-c",
        "for i in 1 2 3 4 5; do echo $i; done; printf 6",
    ]);
    let logs = |words: &[&str]| engine.run(&[&["logs"], words, &["box"]].concat()).out;
    assert_eq!(logs(&[]), "1\n2\n3\n4\n5\n6");
    assert_eq!(logs(&["--tail", "2"]), "5\n6");
    assert_eq!(logs(&["-n", "0"]), "");
    for all in ["all", "-1", "100", "many"] {
        assert_eq!(logs(&["--tail", all]), "1\n2\n3\n4\n5\n6", "{all}");
    }
    assert_eq!(logs(&["--since", "1h"]), "1\n2\n3\n4\n5\n6");
    assert_eq!(logs(&["--since", "2200-01-01"]), "");
    assert_eq!(logs(&["--until", "1h"]), "");
    assert_eq!(logs(&["--since", "0", "--until", "2200-01-01T00:00:00Z", "--tail", "1"]), "6");
    // Times have a fixed width and can be given back.
    let stamped = logs(&["-t"]);
    let lines: Vec<(&str, &str)> =
        stamped.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line.1).collect::<String>(), "123456");
    for (time, _) in &lines {
        assert_eq!((time.len(), &time[10..11], &time[19..20], &time[29..]), (30, "T", ".", "Z"));
    }
    assert!(lines.is_sorted_by_key(|line| line.0), "{stamped}");
    assert_eq!(logs(&["--since", lines[0].0]), "1\n2\n3\n4\n5\n6");
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    needs_root!();
    let engine = TestEngine::new();
    let program = r"printf 'a\000b\377\376c\rd\r\n\033[1mx\n\n'; printf '\000\200' >&2";
    let ran =
        engine.command(&["run", "--name", "box", "host", "sh", "-c", program]).output().unwrap();
    let expected = (&b"a\0b\xff\xfec\rd\r\n\x1b[1mx\n\n"[..], &b"\0\x80"[..]);
    assert_eq!((&ran.stdout[..], &ran.stderr[..]), expected);
    let ran = engine.command(&["logs", "box"]).output().unwrap();
    assert_eq!((&ran.stdout[..], &ran.stderr[..]), expected);
}

#[test]
fn a_line_of_a_megabyte_is_one_line() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "head -c 1048576 /dev/zero | tr '\\0' x; echo; echo end";
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
    engine.ok(&["wait", "box"]);
    let out = engine.run(&["logs", "box"]).out;
    let lines: Vec<usize> = out.lines().map(str::len).collect();
    assert_eq!(lines, [1_048_576, 3]);
    let stamped = engine.run(&["logs", "-t", "box"]).out;
    assert_eq!(stamped.len(), out.len() + 2 * 31, "a time stamp for each line, not each part");
}

#[test]
fn input_arrives_byte_for_byte_and_ends() {
    needs_root!();
    let engine = TestEngine::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let output = engine.run_with_input(&["run", "-i", "--rm", "host", "cat"], &bytes);
    assert!(output.status.success() && output.stdout == bytes, "{} came back", output.stdout.len());
    let output = engine.run_with_input(&["run", "-i", "--rm", "host", "wc", "-c"], b"");
    assert_eq!(output.stdout, b"0\n", "an empty input ends too");
    engine.ok(&["create", "-i", "--name", "box", "host", "cat"]);
    for text in [&b"one"[..], b"two\n"] {
        let output = engine.run_with_input(&["start", "-i", "box"], text);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), text));
    }
    assert_eq!(engine.run(&["logs", "box"]).out, "onetwo\n");
    // Who does not ask for input has none, whatever the caller's is.
    let output = engine.run_with_input(&["run", "--rm", "host", "wc", "-c"], b"ignored");
    assert_eq!(output.stdout, b"0\n");
}

#[test]
fn input_is_passed_on_as_it_comes() {
    needs_root!();
    let engine = TestEngine::new();
    let mut child = engine
        .command(&["run", "-i", "--name", "box", "host", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for said in ["hello\n", "again\n"] {
        stdin.write_all(said.as_bytes()).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, said);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn following_across_restarts_tells_each_line_once_until_the_container_is_removed() {
    needs_root!();
    let engine = TestEngine::new();
    // Each run writes as many lines as there were runs; small files, so that they change often.
    let program = "n=$(cat /n 2>/dev/null || echo 0); echo $((n + 1)) > /n; \
                   for i in $(seq 2000); do echo $n.$i; done; test $n != 3 || exec sleep 1000; exit 1";
    let id = engine.ok(&[
        "create",
        "--name",
        "box",
        "--restart",
        "on-failure:2",
        "--log-opt",
        "max-size=64k",
        "--log-opt",
        "max-file=1000",
        "host",
        "sh",
        "-c",
        program,
    ]);
    let script = r#"
        let stop = "never";
        logs("box", #{ across_restarts: true, timeout: "60s" }, |line| {
            print(line.text);
            line.text != stop
        });
        print("over");
        "#;
    let looped = "for line in logs(\"box\", #{ follow: true, across_restarts: true, timeout: 60 }) \
                  { print(line); } print(\"over\");";
    let scripts = [script.to_owned(), looped.to_owned(), script.replace("never", "1.7")];
    let mut followers: Vec<_> = scripts
        .iter()
        .enumerate()
        .map(|(n, script)| {
            let path = engine.root().join(format!("out{n}"));
            let out = std::fs::File::create(&path).unwrap();
            (engine.command(&["-e", script]).stdout(out).spawn().unwrap(), path)
        })
        .collect();
    assert!(wait_until(TIMEOUT, || followers.iter().all(|(child, _)| follows(child))));
    // Three runs by policy, which end; one more by hand of another process, which is removed.
    engine.ok(&["start", "box"]);
    engine.ok(&["-e", "wait_for(\"box\", \"exited\", 30)"]);
    engine.ok(&["start", "box"]);
    let wrote = |path, last| std::fs::read_to_string(path).unwrap().ends_with(last);
    // What nobody has read yet would go with the container.
    assert!(wait_until(TIMEOUT, || followers[..2].iter().all(|(_, path)| wrote(path, "3.2000\n"))));
    engine.ok(&["rm", "-f", &id]);
    let all: String =
        (0..4).flat_map(|run| (1..=2000).map(move |i| format!("{run}.{i}\n"))).collect();
    let expected = [&all, &all, &all[..all.find("1.8\n").unwrap()]];
    for ((child, path), expected) in followers.iter_mut().zip(expected) {
        assert!(wait_for_exit(child, TIMEOUT).is_some_and(|status| status.success()));
        let out = std::fs::read_to_string(path).unwrap();
        assert!(out == format!("{expected}over\n"), "{out}");
    }
}

#[test]
fn following_across_restarts_ends_with_the_time_and_with_ctrl_c() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "rests", "host", "echo", "one"]);
    engine.ok(&["run", "-d", "--name", "writes", "host", "yes"]);
    let follow = |name: &str, time: u32| {
        format!(
            "try {{ for line in logs(\"{name}\", #{{ across_restarts: true, timeout: {time} }}) \
             {{ line; }} }} catch (e) {{ print(e.kind); }}"
        )
    };
    for name in ["rests", "writes"] {
        assert_eq!(engine.script(&follow(name, 1)), "timeout", "{name}");
        let reader = engine.spawn(&["-e", &follow(name, 1000)]);
        assert!(wait_until(TIMEOUT, || follows(&reader)));
        signal(reader.id(), Signal::INT);
        let ran = CommandOutput::from(reader.wait_with_output().unwrap());
        assert_eq!(ran.code, 130, "{name}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn what_is_there_has_an_end_however_fast_more_is_written() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "yes", "host", "yes"]);
    engine.wrote("yes", "y\ny\n");
    let begun = std::time::Instant::now();
    assert!(engine.ok(&["logs", "yes"]).len() > 1000);
    assert_eq!(engine.ok(&["logs", "--tail", "5", "yes"]), "y\ny\ny\ny\ny");
    let until = engine.ok(&["logs", "--follow", "--until", "0s", "yes"]);
    assert!(until.len() > 1000);
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

#[test]
fn following_ends_at_a_time_to_come() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "quiet", "host", "sh", "-c", "echo one; exec sleep 1000"]);
    engine.wrote("quiet", "one");
    assert_eq!(engine.ok(&["logs", "-f", "--until=-1s", "quiet"]), "one");
    assert_eq!(engine.status("quiet"), "running");
}
