//! A script waits for a container, and is told at once when what it waits for will not come.

use std::time::{Duration, Instant};

use crate::harness::{TestEngine, signal, wait_for_exit};
use crate::needs_root;

/// What a script prints.
#[track_caller]
fn prints(script: &str, expected: &str) {
    let engine = TestEngine::new();
    assert_eq!(engine.script(script).trim_end(), expected, "{script}");
}

#[test]
fn each_state_can_be_waited_for_while_others_bring_it_about() {
    needs_root!();
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
    needs_root!();
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
fn a_server_is_asked_in_the_containers_own_network() {
    needs_root!();
    prints(
        r#"
        let server = "sleep 0.2; mkdir /www; httpd -p 127.0.0.1:8080 -h /www; httpd -p [::1]:8081 -h /www;"
            + " sleep 0.2; echo up > /www/health; exec sleep 1000";
        let c = run("hundredcounter", #{ entrypoint: ["/bin/busybox", "sh", "-c", server] });
        c.wait_for(#{ http: "/missing", port: 8080, status: 404 }, "20s");
        c.wait_for(#{ http: "/health", port: 8080, fail: "panic" }, "20s");
        let both = [#{ http: "/health", port: 8081, status: 200 }, #{ file: "/www/health" }];
        print(c.wait_for(#{ all: both }, "20s") == c);
        print(c.wait_for(#{ any: [#{ http: "/" }, "running"] }, "20s") == c);
        for wrong in [#{ http: "/missing", port: 8080 }, #{ http: "/health" }] {
            try { c.wait_for(wrong, "300ms"); }
            catch (e) { print(`${e.kind}: ${e.hint}`); }
        }
        "#,
        "true\ntrue\n\
         timeout: at the last check, port 8080 answered 404\n\
         timeout: at the last check, nothing listens on port 80",
    );
}

#[test]
fn a_server_that_says_nothing_or_never_ends_keeps_nobody_from_the_time() {
    needs_root!();
    let engine = TestEngine::new();
    for program in
        ["nc -l -p 80 -e sleep 1000", "nc -l -p 80 -e yes", "nc -l -p 80 -e tr '\\n' x < /dev/zero"]
    {
        let script = format!(
            r#"
            let c = run("hundredcounter", #{{ entrypoint: ["/bin/busybox", "sh", "-c", `while :; do {program}; done`] }});
            c.wait_for(#{{ port: 80 }}, "20s");
            try {{ c.wait_for(#{{ http: "/" }}, 1); }} catch (e) {{ print(e.kind); }}
            "#
        );
        let begun = Instant::now();
        assert_eq!(engine.script(&script).trim_end(), "timeout", "{program}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{program}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_file_is_looked_for_inside_and_its_links_stay_inside() {
    needs_root!();
    let engine = TestEngine::new();
    // A path that is there on the host, and not in the container.
    let here = engine.root().join("images").display().to_string();
    let script = r#"
        let program = "ln -s HERE /out; ln -s /proc/1/root/run/ready /magic; ln -s ready /tmp/link;"
            + " sleep 0.2; touch /tmp/ready; exec sleep 1000";
        let c = run("host", ["sh", "-c", program]);
        c.wait_for(#{ file: "/tmp/link" }, "20s");
        for path in ["/out", "/magic", "/tmp/ready/x", "/../../..HERE"] {
            try { c.wait_for(#{ file: path }, "200ms"); print(path); }
            catch (e) { print(e.kind); }
        }
        c.rm(#{ force: true });
        try { c.wait_for(#{ file: "/tmp/ready" }, 1); } catch (e) { print(e.kind); }
        "#
    .replace("HERE", &here);
    assert_eq!(engine.script(&script), "timeout\ntimeout\ntimeout\ntimeout\ndied");
}

#[test]
fn a_container_that_ends_first_is_told_of_at_once_with_its_last_words() {
    needs_root!();
    let engine = TestEngine::new();
    let begun = Instant::now();
    for condition in [
        r#""healthy""#,
        r#""paused""#,
        r#"#{ log: "never" }"#,
        r#"#{ port: 80 }"#,
        r#"#{ exec: "false" }"#,
        r#"#{ http: "/" }"#,
        r#"#{ file: "/never" }"#,
        r#"#{ any: [#{ port: 80 }, "paused"] }"#,
        r#"#{ all: ["running", #{ log: "never", fail: "other" }] }"#,
    ] {
        let script = format!(
            r#"
            let c = run("host", ["sh", "-c", "echo last words; sleep 0.3; exit 7"],
                #{{ health: #{{ cmd: "false", interval: "50ms", retries: 1000 }} }});
            try {{ c.wait_for({condition}, "60s"); print("never"); }}
            catch (e) {{ print(`${{e.kind}} ${{e.status}} ${{e.message}} ${{e.causes}}`); }}
            "#
        );
        let said = engine.script(&script);
        assert!(said.starts_with("died exited `"), "{condition}: {said}");
        assert!(said.contains("exited with code 7"), "{condition}: {said}");
        assert!(said.contains("stdout: last words"), "{condition}: {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn a_line_that_means_failure_ends_the_wait() {
    needs_root!();
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
    needs_root!();
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
    needs_root!();
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
    needs_root!();
    let engine = TestEngine::new();
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
        let mut child = engine.spawn(&["-e", &wait(condition, 1000)]);
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut String::new()).unwrap();
        signal(child.id(), rustix::process::Signal::INT);
        let status = wait_for_exit(&mut child, Duration::from_secs(10));
        assert_eq!(status.and_then(|status| status.code()), Some(130), "{condition}");
    }
}

#[test]
fn a_condition_that_is_none_is_refused() {
    needs_root!();
    let engine = TestEngine::new();
    for (condition, said) in [
        (r#""hapy""#, "unknown condition `hapy`"),
        ("7", "expected a status or a map of a condition"),
        ("#{}", "expected one condition, got 0"),
        (r#"#{ port: 80, log: "x" }"#, "expected one condition, got 2"),
        (r#"#{ log: "(" }"#, "`(` is not a regular expression"),
        (r#"#{ prot: 80 }"#, "did you mean `port`?"),
        ("#{ port: 70000 }", "option `port`"),
        (r#"#{ http: "health" }"#, "is not a request path"),
        (r#"#{ http: "/", status: "200" }"#, "a number such as 200"),
        (r#"#{ http: "/", file: "/x" }"#, "expected one condition, got 2"),
        (r#"#{ file: "ready" }"#, "is not an absolute path"),
        ("#{ all: [] }", "expected an array of conditions, got an empty array"),
    ] {
        let script = format!(r#"wait_for(create("host"), {condition}, 1)"#);
        let error = engine.fails(&["-e", &script], 1);
        assert!(error.contains(said), "{condition}: {error}");
    }
}

#[test]
fn the_end_of_a_container_that_took_its_record_with_it_is_an_end() {
    needs_root!();
    prints(
        r#"
        for pause in ["0", "0.2"] {
            let c = run("host", ["sh", "-c", `sleep ${pause}; exit 3`], #{ rm: true });
            c.wait_for("exited", "20s");
            c.wait_for("removed", "20s");
            c.wait_for(#{ any: [#{ log: "never" }, "exited"] }, "20s");
            print(c.wait());
        }
        let never = create("host", #{ rm: true });
        never.rm();
        try { never.wait_for("exited", "20s"); } catch (e) { print(e.message.contains("was removed before it was exited")); }
        "#,
        "3\n3\ntrue",
    );
}

#[test]
fn health_that_nobody_asks_for_is_not_waited_for() {
    needs_root!();
    prints(
        r#"
        import "wait" as wait;
        scope(|| {
            let c = run("host", "sleep 1000", #{ name: "web" });
            let off = run("host", "sleep 1000", #{ name: "off", health: false });
            let waits = [
                || c.wait_for("healthy"),
                || off.wait_for("unhealthy"),
                || wait::healthy(c),
                || c.wait_for(#{ any: ["healthy", "exited"] }),
            ];
            for one in waits {
                try { one.call(); } catch (e) { print(`${e.kind}: ${e.message}; ${e.hint.contains("health:")}`); }
            }
        });
        "#,
        "invalid: `web` has no health check, so it is never healthy; true\n\
         invalid: `off` has no health check, so it is never unhealthy; true\n\
         invalid: `web` has no health check, so it is never healthy; true\n\
         invalid: `web` has no health check, so it is never healthy; true",
    );
}

#[test]
fn no_time_is_one_look_at_each_condition() {
    needs_root!();
    prints(
        r#"
        let c = run("host", ["sh", "-c", "echo one; echo two; echo ready; exec sleep 1000"]);
        c.wait_for(#{ log: "ready" }, "20s");
        let there = [
            "running", #{ file: "/etc" }, #{ exec: "true" }, #{ log: "ready" }, #{ log: ".", count: 3 },
            #{ any: ["exited", #{ file: "/never" }, #{ exec: "true" }] },
            #{ all: ["running", #{ exec: "true" }, #{ log: "two" }] },
            #{ log: "ready", fail: "panic" },
        ];
        for n in 0..5 {
            for condition in there { c.wait_for(condition, 0); }
        }
        for condition in ["exited", #{ file: "/never" }, #{ exec: "false" }, #{ log: "never" }, #{ any: [#{ port: 1 }, "paused"] }] {
            try { c.wait_for(condition, 0); print(condition); } catch (e) { print(e.kind); }
        }
        "#,
        "timeout\ntimeout\ntimeout\ntimeout\ntimeout",
    );
}

#[test]
fn an_end_that_is_waited_for_is_not_taken_for_the_failure_of_another_condition() {
    needs_root!();
    prints(
        r#"
        for n in 0..30 {
            scope(|| {
                let c = run("host", ["sh", "-c", "echo hello; sleep 0.02"], #{ rm: n % 2 == 0 });
                c.wait_for(#{ any: [#{ log: "never" }, #{ port: 1 }, "exited"] }, "20s");
            });
        }
        let c = run("host", ["sh", "-c", "echo PANIC; exec sleep 1000"]);
        try { c.wait_for(#{ any: [#{ log: "never", fail: "PANIC" }, "exited"] }, "60s"); }
        catch (e) { print(e.message.contains("wrote a line that /PANIC/ matches")); }
        "#,
        "true",
    );
}
