//! Errors as the author of a script sees them.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};

use super::super::{Limits, ScriptHost, Source, run};
use super::{check, host, host_that_takes, report, run_text};

#[track_caller]
fn draws(text: &str, expected: Expect) {
    expected.assert_eq(&format!("{}\n", report(text)));
}

#[test]
fn a_caught_error_is_a_map() {
    check(
        r#"
        let c = run("host", #{ name: "web" });
        c.pause();
        try {
            c.start();
        } catch (e) {
            print(e.kind); print(e.message); print(e.hint); print(e.causes);
            print(e.container); print(e.status); print(e.verb);
            print(`${e.position.source}:${e.position.line}:${e.position.column}`);
        }
        try { container("nobody") } catch (e) { print(e.kind); print(e.hint ?? "no hint"); }
        try { throw "text" } catch (e) { print(`${e.kind}: ${e.message}`); }
        try { assert(false, "must be") } catch (e) {
            print(`${e.kind}: ${e.message}`); print(e.hint ?? "no hint");
        }
        try { exit(300) } catch (e) { print(e.kind); }
        "#,
        "refused\ncannot start `web`: it is paused\n\
         Its processes exist and are paused: there is nothing to start. \
         Now legal: unpause, stop, kill, restart, rm -f\n[]\nweb\npaused\nstart\n\
         main.rhai:5:15\nnot_found\nlist all containers with `ps -a`\n\
         thrown: text\nassertion: must be\nno hint\ninvalid",
    );
}

/// Returns kind, message and hint of the error of `text`.
fn failure(text: &str) -> String {
    let script = format!(
        "try {{ {text} }} catch (e) {{ print(`${{e.kind}}: ${{e.message}}`); print(e.hint ?? \"-\"); }}"
    );
    run_text(&script).1
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest() {
    expect![[r#"
        invalid: create(): no option `nmae`
        did you mean `name`? see help("create")
    "#]]
    .assert_eq(&failure(r#"create("host", #{ nmae: "x" })"#));
    expect![[r#"
        unsupported: run(): option `ports` is not supported yet
        see help("run")
    "#]]
    .assert_eq(&failure(r#"run("host", #{ ports: ["80"] })"#));
}

#[test]
fn an_option_of_the_wrong_type_says_what_it_takes() {
    expect![[r#"
        invalid: create(): option `workdir`: expected a string, got 3
        -
    "#]]
    .assert_eq(&failure(r#"create("host", #{ workdir: 3 })"#));
    expect![[r#"
        invalid: run(): option `rm`: expected true or false, got "yes"
        -
    "#]]
    .assert_eq(&failure(r#"run("host", #{ rm: "yes" })"#));
    expect![[r#"
        invalid: create(): option `env`: `A`: expected a string or a number, got an array
        write #{ KEY: "value" }, or an array of "KEY=VALUE"
    "#]]
    .assert_eq(&failure(r#"create("host", #{ env: #{ A: [] } })"#));
    expect![[r#"
        invalid: create(): option `stop_timeout`: invalid duration `soon`
        write a number of seconds, or a time such as `500ms`, `10s`, `2m`, `1h30m`
    "#]]
    .assert_eq(&failure(r#"create("host", #{ stop_timeout: "soon" })"#));
    expect![[r#"
        invalid: image(): option `pull`: expected "missing", "always" or "never", got "now"
        -
    "#]]
    .assert_eq(&failure(r#"image("host", #{ pull: "now" })"#));
    expect![[r#"
        invalid: ps(): option `status`: unknown status `up`
        use created, running, paused, restarting, exited or dead
    "#]]
    .assert_eq(&failure(r#"ps(#{ status: "up" })"#));
    expect![""].assert_eq(&failure(r#"let c = run("host"); stop(c, -5)"#));
    expect![[r#"
        invalid: start(): expected a container, got a number
        give a Container, a name or an id; ps() lists them
    "#]]
    .assert_eq(&failure("start(3)"));
    expect![[r#"
        invalid: invalid signal: `NOPE`
        use a number from 1 to 64, or a name such as TERM or SIGTERM
    "#]]
    .assert_eq(&failure(r#"kill(run("host"), "NOPE")"#));
}

#[test]
fn an_uncaught_refusal_shows_the_line_and_the_way_out() {
    draws(
        "let c = run(\"host\", #{ name: \"web\" });\nc.pause();\nc.start();\n",
        expect![[r#"
            error: cannot start `web`: it is paused
             --> main.rhai:3:3
              |
            3 | c.start();
              |   ^^^^^
              |
              = hint: Its processes exist and are paused: there is nothing to start. Now legal: unpause, stop, kill, restart, rm -f
        "#]],
    );
}

#[test]
fn an_uncaught_error_shows_the_calls_that_led_to_it() {
    draws(
        "fn deploy(name) {\n    container(name)\n}\n\nlet all = [\"web\"].map(|n| deploy(n));\n",
        expect![[r#"
            error: no such container: web
             --> main.rhai:2:5
              |
            2 |     container(name)
              |     ^^^^^^^^^
              |
             ::: main.rhai:5:27
              |
            5 | let all = ["web"].map(|n| deploy(n));
              |                           ------ in `deploy` called here
              |
             ::: main.rhai:5:19
              |
            5 | let all = ["web"].map(|n| deploy(n));
              |                   --- in a closure called here
              |
             ::: main.rhai:5:19
              |
            5 | let all = ["web"].map(|n| deploy(n));
              |                   --- in `map` called here
              |
              = hint: list all containers with `ps -a`
        "#]],
    );
}

#[test]
fn causes_are_shown() {
    draws(
        "run(\"host\", [\"missing\"], #{ name: \"web\" });",
        expect![[r#"
        error: cannot start `web`
         --> main.rhai:1:1
          |
        1 | run("host", ["missing"], #{ name: "web" });
          | ^^^
          |
          = because: `missing`: executable file not found
    "#]],
    );
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    draws(
        "let cont = run(\"host\");\nprint(cnt.name);",
        expect![[r#"
        error: there is no variable `cnt` here
         --> main.rhai:2:7
          |
        2 | print(cnt.name);
          |       ^^^
          |
          = hint: did you mean `cont`?
    "#]],
    );
    draws(
        "strat(\"web\");",
        expect![[r#"
        error: there is no function `strat`
         --> main.rhai:1:1
          |
        1 | strat("web");
          | ^^^^^
          |
          = hint: did you mean `start`?
    "#]],
    );
    draws(
        "let c = run(\"host\");\nprint(c.nmae);",
        expect![[r#"
            error: a Container has no property `nmae`
             --> main.rhai:2:9
              |
            2 | print(c.nmae);
              |         ^^^^
              |
              = hint: did you mean `name`?
        "#]],
    );
}

#[test]
fn verbs_that_are_not_called_rightly_show_their_forms() {
    draws(
        "let c = run(\"host\");\nc.start;",
        expect![[r#"
            error: a Container has no property `start`
             --> main.rhai:2:3
              |
            2 | c.start;
              |   ^^^^^
              |
              = hint: `start` is a function: call it, .start()
        "#]],
    );
    draws(
        "let c = run(\"host\");\nc.name = \"x\";",
        expect![[r#"
            error: cannot set `name`: the properties of a Container are read-only
             --> main.rhai:2:3
              |
            2 | c.name = "x";
              |   ^^^^
              |
              = hint: pass options to create(), or rename a container with rename()
        "#]],
    );
    draws(
        "start();",
        expect![[r#"
            error: start() does not take ()
             --> main.rhai:1:1
              |
            1 | start();
              | ^^^^^
              |
              = hint: usage: start(container) -> Container, or start(container, options) -> Container
        "#]],
    );
    draws(
        "let s = start;",
        expect![[r#"
        error: there is no variable `start` here
         --> main.rhai:1:9
          |
        1 | let s = start;
          |         ^^^^^
          |
          = hint: `start` is a function: call it, start(...)
    "#]],
    );
}

#[test]
fn the_traps_of_the_language_are_explained() {
    draws(
        "let c = run(\"host\", [\"count\"]);\nc.logs(|line| c.stop());\n",
        expect![[r#"
            error: a variable is used by a closure while a call on the same variable still runs
             --> main.rhai:2:3
              |
            2 | c.logs(|line| c.stop());
              |   ^^^^
              |
              = hint: in c.logs(|line| c.stop()) write `this.stop()`, or call logs(c, |line| c.stop())
        "#]],
    );
    draws(
        "let c = run(\"host\");\nfn f() {\n    c.name\n}\nf();",
        expect![[r#"
        error: there is no variable `c` here
         --> main.rhai:3:5
          |
        3 |     c.name
          |     ^
          |
          = hint: a `fn` sees no variables from outside: give it `c` as a parameter, or write a closure, `let f = |x| ...`
    "#]],
    );
    draws(
        "let x = null;",
        expect![[r#"
        error: `null` is a reserved word and cannot be a name
         --> main.rhai:1:9
          |
        1 | let x = null;
          |         ^^^^
          |
          = hint: write `()`
    "#]],
    );
}

#[test]
fn what_rhai_says_is_said_in_plain_words() {
    draws(
        "if x {",
        expect![[r#"
        error: there is no variable `x` here
         --> main.rhai:1:4
          |
        1 | if x {
          |    ^
    "#]],
    );
    draws(
        "logs(run(\"host\", \"echo hi\"), || 1);",
        expect![[r#"
            error: a closure has the wrong number of parameters
             --> main.rhai:1:1
              |
            1 | logs(run("host", "echo hi"), || 1);
              | ^^^^
              |
              = hint: see the help of the function that calls the closure, such as help("logs")
        "#]],
    );
    for (text, said) in [
        ("let a = [1, 2]; a[0..1]", "error: expected int, got range\n"),
        ("let x = 3; x.foo = 1", "error: int has no property `foo` that can be set\n"),
        ("let x = \"t\"; x.foo", "error: string has no property `foo`\n"),
    ] {
        let drawn = report(text);
        assert!(drawn.starts_with(said), "{drawn}");
    }
    draws(
        "throw #{ kind: \"mine\" };",
        expect![[r#"
        error: thrown: #{"kind": "mine"}
         --> main.rhai:1:1
          |
        1 | throw #{ kind: "mine" };
          | ^^^^^
    "#]],
    );
    draws(
        "fn f(n) { f(n + 1) }\nf(1)",
        expect![[r#"
        error: call depth limit reached (1000)
         --> main.rhai:2:1
          |
        2 | f(1)
          | ^
          |
          = hint: end the recursion, such as: if n == 0 { return 0; }
    "#]],
    );
}

#[test]
fn a_limit_names_its_value_and_what_to_do() {
    let nested = format!("let x = {}1{};", "(".repeat(300), ")".repeat(300));
    let drawn = report(&nested);
    assert!(drawn.starts_with("error: expression nesting limit reached (256)"), "{drawn}");
    let (mut host, _) = host();
    host.limits = Limits { operations: Some(1000), ..Limits::default() };
    let source = Source::Text { name: "main.rhai".to_owned(), text: "loop { }".to_owned() };
    let drawn = run(host, source).report.unwrap();
    assert!(drawn.starts_with("error: operation limit reached (1000)"), "{drawn}");
    assert!(drawn.contains("hint: raise it with --max-ops N"), "{drawn}");
}

#[test]
fn a_panic_is_a_bug_and_not_the_end() {
    let (outcome, _) = run_text("run(\"host\", [\"panic\"])");
    assert_eq!(outcome.exit_code, 1);
    let report = outcome.report.unwrap();
    assert!(report.contains("lifebox itself failed: the engine tripped"), "{report}");
}

#[test]
fn a_closed_pipe_ends_the_script_quietly() {
    let (host, output) = host_that_takes(Some(2));
    let text = "for i in 0..1000000 { print(i); }".to_owned();
    let outcome = run(host, Source::Text { name: "-".to_owned(), text });
    assert_eq!((outcome.exit_code, outcome.report), (0, None));
    assert_eq!(output.text(), "0\n1\n");
}

/// Cancels a script while it runs; returns the exit code and how long it still ran.
fn interrupt(text: &str) -> (u8, Duration) {
    let (host, _) = host();
    let ScriptHost { cancel, .. } = host.clone();
    let raised = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        Instant::now()
    });
    let source = Source::Text { name: "main.rhai".to_owned(), text: text.to_owned() };
    let outcome = run(host, source);
    let ended = Instant::now();
    (outcome.exit_code, ended.duration_since(raised.join().unwrap()))
}

#[test]
fn ctrl_c_ends_whatever_is_under_way() {
    for text in [
        "loop { }",
        "loop { try { throw 1 } catch { } }",
        "sleep(60)",
        "try { sleep(60) } catch { }",
        "run(\"host\").wait()",
        "run(\"host\").logs(|line| ())",
        "for line in run(\"host\").logs(#{ follow: true }) { }",
        "run(\"host\", \"sleep 1\", #{ attach: true })",
    ] {
        let (code, after) = interrupt(text);
        assert_eq!(code, 130, "{text}");
        assert!(after < Duration::from_millis(500), "{text}: {after:?}");
    }
}

#[test]
fn values_that_cannot_be_compared_are_named() {
    for (text, message) in [
        ("[1, \"b\"].sort()", "sort(): items of type int and string cannot be compared"),
        ("[1, ()].order()", "order(): items of type int and nothing cannot be compared"),
        ("[#{ a: 1 }, #{ a: 2 }].sort_desc()", "items of type map cannot be compared"),
        ("[image(\"host\"), image(\"host\")].sort()", "items of type Image cannot be compared"),
        ("[1, 2].sort(|x, y| \"x\")", "expected a number from the function, got string"),
        ("#{} < #{}", "values of type map and map cannot be compared by `<`"),
        ("[1] >= [2]", "values of type array and array cannot be compared by `>=`"),
        ("1 - \"b\"", "`-` does not take (int, string)"),
        ("[1, \"b\"].reduce(|a, b| a * b)", "does not take"),
        ("-\"b\"", "`-` does not take (string)"),
    ] {
        let said = report(text);
        assert!(said.contains(message) && !said.contains("no function"), "{text}: {said}");
    }
    check("let a = [2.5, 1, 2]; a.sort(); print(a);", "[1, 2, 2.5]");
}
