//! A script waits for a container, and is told at once when what it waits for will not come.

use std::time::{Duration, Instant};

use crate::harness::{Engine, ended, signal};
use crate::needs_root;

/// What a script prints.
#[track_caller]
fn prints(script: &str, expected: &str) {
    let engine = Engine::new();
    assert_eq!(engine.script(script).trim_end(), expected, "{script}");
}

#[test]
fn each_state_can_be_waited_for_while_others_bring_it_about() {
    needs_root!("each_state_can_be_waited_for_while_others_bring_it_about");
    prints(
        r#"
        create("host", #{ name: "web", cmd: "sleep 1000" });
        let moves = [
            ["running", || start("web")],
            ["paused", || pause("web")],
            ["running", || unpause("web")],
            ["exited", || stop("web", 0)],
            ["removed", || rm("web")],
        ];
        for (step, n) in moves {
            let status = step[0];
            let act = step[1];
            parallel([|| wait_for("web", status, "20s"), || { sleep(0.05); act.call() }]);
            print(status);
        }
        "#,
        "running\npaused\nrunning\nexited\nremoved",
    );
}

#[test]
fn lines_ports_programs_and_health_are_waited_for() {
    needs_root!("lines_ports_programs_and_health_are_waited_for");
    prints(
        r#"
        let c = run("host", ["sh", "-c",
            "echo one; echo two >&2; sleep 0.2; touch /tmp/ready; echo three; exec sleep 1000"],
            #{ health: #{ cmd: "test -e /tmp/ready", interval: "50ms" } });
        print(c.wait_for(#{ log: "^t", count: 2 }, "20s").status);
        print(c.wait_for(#{ log: "two", stream: "stderr" }, "20s") == c);
        c.wait_for(#{ exec: ["test", "-e", "/tmp/ready"] }, "20s");
        c.wait_for("healthy", "20s");
        c.wait_for(#{ all: ["healthy", #{ log: "three" }, #{ any: [#{ port: 1 }, "running"] }] }, "20s");
        print("all");
        "#,
        "running\ntrue\nall",
    );
}

#[test]
fn a_container_that_ends_first_is_told_of_at_once_with_its_last_words() {
    needs_root!("a_container_that_ends_first_is_told_of_at_once_with_its_last_words");
    let engine = Engine::new();
    let begun = Instant::now();
    for condition in [
        r#""healthy""#,
        r#""paused""#,
        r#"#{ log: "never" }"#,
        r#"#{ port: 80 }"#,
        r#"#{ exec: "false" }"#,
        r#"#{ any: [#{ port: 80 }, "paused"] }"#,
        r#"#{ all: ["running", #{ log: "never", fail: "other" }] }"#,
    ] {
        let script = format!(
            r#"
            let c = run("host", ["sh", "-c", "echo last words; sleep 0.3; exit 7"]);
            try {{ c.wait_for({condition}, "60s"); print("never"); }}
            catch (e) {{ print(`${{e.kind}} ${{e.status}} ${{e.message}} ${{e.causes}}`); }}
            "#
        );
        let said = engine.script(&script);
        assert!(said.starts_with("died exited `"), "{condition}: {said}");
        assert!(said.contains("ended with exit code 7"), "{condition}: {said}");
        assert!(said.contains("stdout: last words"), "{condition}: {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn a_line_that_means_failure_ends_the_wait() {
    needs_root!("a_line_that_means_failure_ends_the_wait");
    prints(
        r#"
        let c = run("host", ["sh", "-c", "echo starting; echo PANIC: no disk >&2; sleep 1000"]);
        try { c.wait_for(#{ port: 80, fail: "(?i)panic" }, "60s"); }
        catch (e) { print(e.kind); print(e.message.contains("wrote a line that /(?i)panic/ matches")); }
        let began = timestamp();
        try { c.wait_for(#{ log: "never", fail: "neither" }, "300ms"); }
        catch (e) { print(e.kind); print(e.message.contains("was not writing /never/ in time")); }
        print(began.elapsed < 10.0);
        "#,
        "died\ntrue\ntimeout\ntrue\ntrue",
    );
}

#[test]
fn a_fast_end_is_never_missed() {
    needs_root!("a_fast_end_is_never_missed");
    prints(
        r#"
        let ends = 0;
        for n in 0..50 {
            let c = create("host", "true");
            parallel([|| wait_for(c, "exited", "20s"), || start(c)]);
            if c.exit_code == 0 { ends += 1; }
        }
        print(ends);
        "#
        .replace(r#"create("host", "true")"#, r#"create("host", #{ cmd: "true" })"#)
        .as_str(),
        "50",
    );
}

#[test]
fn the_exit_code_of_a_container_that_took_its_record_with_it_is_known() {
    needs_root!("the_exit_code_of_a_container_that_took_its_record_with_it_is_known");
    prints(
        r#"
        let c = run("host", ["sh", "-c", "exit 5"], #{ rm: true });
        c.wait_for("removed", "20s");
        print([c.wait(), c.exit_code]);
        let never = create("host", #{ rm: true });
        never.rm();
        try { never.wait(); } catch (e) { print(e.kind); }
        "#,
        "[5, 5]\nnot_found",
    );
}

#[test]
fn one_who_writes_without_end_keeps_nobody_from_the_time_and_from_ctrl_c() {
    needs_root!("one_who_writes_without_end_keeps_nobody_from_the_time_and_from_ctrl_c");
    let engine = Engine::new();
    let wait = |condition: &str, time: u32| {
        format!(
            r#"scope(|| {{
                let c = run("host", ["sh", "-c", "yes"]);
                print("ready");
                try {{ wait_for(c, {condition}, {time}); }} catch (e) {{ print(e.kind); }}
            }});"#
        )
    };
    for condition in [r#"#{ log: "zz" }"#, r#"#{ port: 80, fail: "zz" }"#] {
        let begun = Instant::now();
        assert_eq!(engine.script(&wait(condition, 1)).trim_end(), "ready\ntimeout");
        assert!(begun.elapsed() < Duration::from_secs(10), "{condition}: {:?}", begun.elapsed());
        let mut child = engine.begin(&["-e", &wait(condition, 1000)]);
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut String::new()).unwrap();
        signal(child.id(), rustix::process::Signal::INT);
        let status = ended(&mut child, Duration::from_secs(10));
        assert_eq!(status.and_then(|status| status.code()), Some(130), "{condition}");
    }
}

#[test]
fn a_condition_that_is_none_is_refused() {
    needs_root!("a_condition_that_is_none_is_refused");
    let engine = Engine::new();
    for (condition, said) in [
        (r#""hapy""#, "nothing is ever `hapy`"),
        ("7", "a condition is a word or a map"),
        ("#{}", "one condition is wanted, not 0"),
        (r#"#{ port: 80, log: "x" }"#, "one condition is wanted, not 2"),
        (r#"#{ log: "(" }"#, "`(` is no regular expression"),
        (r#"#{ prot: 80 }"#, "did you mean `port`?"),
        ("#{ port: 70000 }", "option `port`"),
        ("#{ all: [] }", "an array of conditions"),
    ] {
        let script = format!(r#"wait_for(create("host"), {condition}, 1)"#);
        let error = engine.fails(&["-e", &script], 1);
        assert!(error.contains(said), "{condition}: {error}");
    }
}
