//! A script is told of what happens while it waits.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use crate::harness::{TIMEOUT, TestEngine, signal, wait_for_exit};
use crate::needs_root;

/// What a script prints.
#[track_caller]
fn prints(script: &str, expected: &str) {
    let engine = TestEngine::new();
    assert_eq!(engine.script(script).trim_end(), expected, "{script}");
}

#[test]
fn handlers_hear_of_a_life_while_the_script_waits() {
    needs_root!();
    prints(
        r#"
        let c = create("host", #{ name: "web", cmd: ["sh", "-c", "exit 3"] });
        let other = create("host", #{ cmd: "true" });
        let heard = [];
        on(["start", "die"], #{ container: c }, |e| {
            heard.push(`${e.action} ${this.name} ${e.attributes.exitCode ?? ""}`);
            // The call that waits is a method of the same variable.
            if e.action == "die" { heard.push(c.status); }
        });
        let all = on("die", |e| heard.push("any"));
        let twice = [off(on("create", |e| heard.push("never"))), off(all), off(all)];
        print(twice);
        other.start();
        c.start();
        print(heard.len);
        // All that happened before the end of a call has been told at its end.
        print(c.wait());
        print(heard);
        other.wait();
        print(heard.len);
        "#,
        "[true, true, false]\n0\n3\n[\"start web \", \"die web 3\", \"exited\"]\n3",
    );
}

#[test]
fn each_call_that_waits_tells_at_once_and_goes_on() {
    needs_root!();
    let engine = TestEngine::new();
    for wait in [
        r#"sleep("200ms")"#,
        r#"c.wait()"#,
        r#"c.wait_for(#{ log: "end" }, "30s")"#,
        r#"c.wait_for(#{ any: ["removed", #{ log: "end" }] })"#,
        r#"for line in logs(c, #{ follow: true }) { if line.text == "end" { break; } }"#,
        r#"logs(c, |line| line.text != "end")"#,
        r#"for e in life { if e.action == "rename" { break; } }"#,
        r#"stats(c, #{ interval: "600ms" }, |s| s.cpu < 0.0)"#,
        r#"try { c.exec("sleep 0.2"); } catch {}"#,
        r#"c.stop(1)"#,
        r#"try { retry(#{ times: 2, delay: "200ms" }, || throw "x"); } catch {}"#,
    ] {
        let script = format!(
            r#"
            let life = events(#{{ follow: true }});
            let program = "trap : TERM; sleep 0.8 & wait $!; sleep 0.8 & wait $!; echo end";
            let c = run("host", ["sh", "-c", program]);
            let began = timestamp();
            let told = [];
            on("rename", |e| told.push(began.elapsed));
            print(c.id);
            // On a slow machine the call may end before somebody does something.
            while told.len() == 0 {{ {wait}; }}
            print(told.len());
            "#
        );
        // Another process does it meanwhile.
        let mut child = engine.spawn(&["-e", &script]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut id = String::new();
        out.read_line(&mut id).unwrap();
        engine.ok(&["rename", id.trim(), "other"]);
        let mut printed = String::new();
        out.read_line(&mut printed).unwrap();
        assert!(
            wait_for_exit(&mut child, TIMEOUT).is_some_and(|status| status.success()),
            "{wait}"
        );
        assert_eq!(printed, "1\n", "{wait}");
        engine.ok(&["-e", "for c in ps(#{ all: true }) { c.rm(#{ force: true }); }"]);
    }
}

#[test]
fn what_a_handler_throws_ends_the_call_that_waited() {
    needs_root!();
    let engine = TestEngine::new();
    let begun = Instant::now();
    for wait in [
        "sleep(1000)",
        "c.wait()",
        r#"c.wait_for(#{ all: ["exited", #{ log: "never" }] })"#,
        "for line in logs(c, #{ follow: true }) { print(line); }",
        "logs(c, #{ across_restarts: true }, |line| true)",
        "stats(c, #{ interval: 1000 }, |s| true)",
        r#"c.exec("sleep 1000")"#,
        "for e in events(#{ follow: true, filter: #{ event: \"oom\" } }) { print(e); }",
    ] {
        let script = format!(
            "let c = run(\"host\", \"sleep 1000\");\n\
             on(\"start\", |e| {{\n  throw `no ${{this.action}}`;\n}});\n\
             run(\"host\", \"sleep 1000\");\n\
             try {{ {wait}; }} catch (e) {{ print(e); }}\n\
             on(\"kill\", |e| {{\n  not_there();\n}});\n\
             c.kill();\n\
             {wait};"
        );
        let ran = engine.run(&["-e", &script]);
        assert_eq!(ran.out.lines().next(), Some("no start"), "{wait}: {}{}", ran.out, ran.err);
        assert_eq!(ran.code, 1, "{wait}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("-e:8:3"), "{wait}: {}", ran.err);
        engine.ok(&["-e", "for c in ps(#{ all: true }) { c.rm(#{ force: true }); }"]);
    }
    assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
}

#[test]
fn handlers_run_one_after_the_other_and_never_beside_the_script() {
    needs_root!();
    prints(
        r#"
        let seen = [];
        let s = ();
        s = on("die", |e| {
            seen.push("begin");
            // What waits in a handler is not interrupted by another.
            sleep("200ms");
            if seen.len() > 2 { off(s); }
            seen.push("end");
        });
        let cs = ["c1", "c2", "c3"].map(|name| create("host", #{ name: name, cmd: "true" }));
        for c in cs { c.start(); }
        for c in cs { c.wait(); }
        sleep("10ms");
        print(seen);
        print(s);
        "#,
        "[\"begin\", \"end\", \"begin\", \"end\"]\nSubscription(off)",
    );
}

#[test]
fn what_is_left_is_told_at_the_end_of_the_script_and_of_a_closure_beside() {
    needs_root!();
    prints(
        r#"
        let c = create("host", #{ name: "web", cmd: "sleep 1000" });
        let inner = parallel([
            || { let s = on("start", |e| print(`inside ${e.name}`)); c.start(); s },
        ]);
        print(inner);
        on("rename", |e| print(`outside ${e.name}`));
        defer(|| { rename("web2", "web3"); sleep("50ms"); rm("web3", #{ force: true }); });
        rename("web", "web2");
        print("end");
        "#,
        "inside web\n[Subscription(off)]\nend\noutside web2",
    );
    // Not where it failed, nor beyond exit; and a handler can end the script.
    let engine = TestEngine::new();
    let script = |end: &str| {
        format!(
            r#"on("create", |e| {{ print("heard"); exit(7); }}); create("host"); {end}; print("never");"#
        )
    };
    for (end, code, out) in [("throw 1", 1, ""), ("exit(3)", 3, ""), ("sleep(1000)", 7, "heard\n")]
    {
        let ran = engine.run(&["-e", &script(end)]);
        assert_eq!((ran.code, ran.out.as_str()), (code, out), "{end}: {}", ran.err);
    }
}

#[test]
fn ctrl_c_ends_a_script_that_waits_with_handlers() {
    needs_root!();
    let engine = TestEngine::new();
    for wait in ["sleep(1000)", "run(\"host\", \"sleep 1000\").wait()"] {
        let script = format!("on(\"die\", |e| print(e)); print(\"ready\"); {wait};");
        let mut child = engine.spawn(&["-e", &script]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        signal(child.id(), rustix::process::Signal::INT);
        let status = wait_for_exit(&mut child, TIMEOUT);
        assert_eq!(status.and_then(|status| status.code()), Some(130), "{wait}");
    }
}

#[test]
fn a_handler_for_what_never_happens_is_refused() {
    needs_root!();
    let engine = TestEngine::new();
    for (call, said) in [
        (r#"on("dei", |e| e)"#, "did you mean `die`?"),
        (
            "on([], |e| e)",
            "expected the name of an action or an array of names, got an empty array",
        ),
        (r#"on("die", #{ name: "x" }, |e| e)"#, "on(): no option `name`"),
    ] {
        let error = engine.fails(&["-e", call], 1);
        assert!(error.contains(said), "{call}: {error}");
    }
}
