//! `check`.

use super::super::api::LIBRARY;
use super::super::{Severity, Source, check};

/// Returns the findings of a text, one a line.
pub(super) fn found(text: &str) -> Vec<String> {
    let source = Source::Text { name: "x".to_owned(), text: text.to_owned() };
    let show = |finding: &super::super::Finding| {
        let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let place = format!("{}:{}", finding.line, finding.column);
        format!("{place} {}: {}{hint}", finding.severity.as_str(), finding.message)
    };
    check(source).unwrap().iter().map(show).collect()
}

#[track_caller]
pub(super) fn finds(text: &str, wanted: &[&str]) {
    assert_eq!(found(text), wanted, "{text}");
}

#[test]
fn a_sound_script_has_no_findings() {
    for text in [
        "#!/usr/bin/env lifebox\nlet c = run(\"host\", \"true\"); c.wait(); \"web\".start();",
        "fn twice() { this * 2 } let n = 2; n.twice(); fn add(a, b) { a + b } 1.add(2); add(1, 2);",
        "let f = |x| x + 1; f.call(2); let g = Fn(\"add\"); fn add(a) { a } g.call(1);",
        "let m = #{ fly: || 1 }; m.fly(); m.then = |x| x; m.then(2);",
        "let list = []; list.push(#{ any: 1 }); list.sort(|a, b| a - b);",
        "import \"wait\" as wait; wait::log(\"web\", \"up\", #{ timeout: 1 }); engine::start(\"web\");",
        "import \"test\" as test; test::it(\"is\", || test::equal(1, 1));",
        "fn f(x) { if x { return 1; } 2 } f(true); loop { break; } while true { continue; }",
        "let x = 1; { let x = 2; print(x); } print(x); for (a, b) in [1] { print(a + b); }",
        "for n in 0..3 { let own = n; defer(|| print(own)); print([1].map(|x| x + n)); }",
        "try { throw 1; } catch (e) { print(e); } switch 1 { 1 => print(1), _ => () }",
        "run(\"host\", #{ cmd: \"true\", memory: \"64m\", cpus: 1, env: [\"A=1\"], name: (), rm: true });",
        "let o = #{ nam: 1 }; o.remove(\"nam\"); o.name = \"x\"; run(\"host\", o); let p = #{ memory: [] };",
        "p(1); fn p(o) { run(\"host\", o) } let o = #{ x: 1 }; { let o = #{}; run(\"host\", o); } o.x = 1;",
        "let a = #{ memory: [1] }; a.memory = \"1g\"; run(\"host\", a); let b = #{ y: 1 }; b = #{}; run(\"host\", b);",
        "let c = run(\"host\"); c = #{ odd: 1 }; c.odd; let d = inspect(\"web\"); d.Any.thing; let e = ps(); e.len;",
        "stop(\"web\", -1); stop(\"web\", 2.5); \"web\".kill(9); kill(\"web\", \"term\"); wait(\"web\", \"1h30m\"); stop(\"web\", #{ time: 1 });",
        "private fn wait(c, text) { text } wait(1, \"no time\"); let m = #{ sleep: |x| x }; m.sleep(\"long\");",
        "events(#{ filter: [\"type=container\"] }); events(#{ filter: #{ label: #{ a: 1 }, event: \"die\" } });",
        "type_of(1); is_def_var(\"x\"); print(`a ${1 + 1} b`); debug(1); let t = timestamp(); t.elapsed;",
    ] {
        finds(text, &[]);
    }
}

#[test]
fn a_text_that_is_no_script_is_found() {
    let found = found("let x = ;");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("1:9 error: syntax: "), "{found:?}");
}

#[test]
fn a_word_of_the_language_is_no_name_and_in_quotes_a_key() {
    for word in ["export", "import", "until", "private", "fn", "in", "if", "default", "new"] {
        let said = format!("`{word}` is a reserved word and cannot be a name");
        let key = format!("error: {said} (in quotes it can be a key: #{{ \"{word}\": ... }})");
        let property =
            format!("error: {said} (in brackets and quotes it can be a key: [\"{word}\"])");
        finds(&format!("let m = #{{ {word}: 1 }};"), &[&format!("1:12 {key}")]);
        finds(&format!("let m = #{{ a: 1,\n {word} : 1 }};"), &[&format!("2:2 {key}")]);
        finds(&format!("let m = #{{}}; m.{word};"), &[&format!("1:16 {property}")]);
        finds(&format!("let m = #{{}}; m?.{word} = 1;"), &[&format!("1:17 {property}")]);
        finds(&format!("let m = #{{ \"{word}\": 1 }}; m[\"{word}\"] = 2;"), &[]);
        finds(&format!("let {word} = 1;"), &[&format!("1:5 error: {said}")]);
    }
    finds("fn f(in) { }", &["1:6 error: `in` is a reserved word and cannot be a name"]);
    finds(
        "let m = #{ 5: 1 };",
        &["1:12 error: syntax: expecting '}' to end this object map literal"],
    );
    finds(
        "let m = #{ a: 1 until: 2 };",
        &["1:17 error: syntax: expecting '}' to end this object map literal"],
    );
}

#[test]
fn functions_that_are_not_there_are_found_with_the_nearest() {
    finds("strat(\"web\");", &["1:1 error: there is no function `strat` (did you mean `start`?)"]);
    finds("\"w\".strat();", &["1:5 error: there is no function `strat` (did you mean `start`?)"]);
    finds(
        "fn deploy() { }\ndeplyo();",
        &["2:1 error: there is no function `deplyo` (did you mean `deploy`?)"],
    );
    finds(
        "import \"wait\" as w;\nw::prot(1, 2);",
        &["2:4 error: there is no function `w::prot` (did you mean `port`?)"],
    );
    finds(
        "let f = || strat();",
        &["1:12 error: there is no function `strat` (did you mean `start`?)"],
    );
}

#[test]
fn deprecated_functions_are_warned_of_and_checked_as_their_successors() {
    finds(
        "let c = run(\"host\"); c.moves(); rmv(\"db\", #{ force: 1 });",
        &[
            "1:24 warning: `moves` is deprecated: use `actions`",
            "1:33 warning: `rmv` is deprecated: use `remove_volume`",
            "1:53 error: remove_volume(): option `force`: expected true or false, got 1",
        ],
    );
    finds(
        "engine::absolute(\"x\"); Fn(\"rmv\");",
        &[
            "1:9 warning: `absolute` is deprecated: use `absolute_path`",
            "1:27 warning: `rmv` is deprecated: use `remove_volume`",
        ],
    );
    finds(
        "import \"test\" as t; t::gone(\"x\"); t::removed(\"x\");",
        &["1:24 warning: `gone` is deprecated: use `test::removed`"],
    );
    finds(
        "moves(); import \"test\" as t; t::gone();",
        &[
            "1:1 warning: `moves` is deprecated: use `actions`",
            "1:1 error: actions() does not take 0 values (usage: actions(container) -> array)",
            "1:33 warning: `gone` is deprecated: use `test::removed`",
            "1:33 error: t::removed() does not take 0 values (usage: t::removed(c))",
        ],
    );
    // Functions of the script itself, and those that its maps hold.
    finds("fn moves(c) { c } moves(1); let m = #{ rmv: |x| x }; m.rmv(1);", &[]);
}

#[test]
fn a_wrong_number_of_values_is_found_with_the_forms() {
    finds(
        "pause();",
        &["1:1 error: pause() does not take 0 values (usage: pause(container) -> Container)"],
    );
    finds(
        "\"web\".pause(1);",
        &["1:7 error: pause() does not take 1 value (usage: pause(container) -> Container)"],
    );
    finds("print(1, 2);", &["1:1 error: print() does not take 2 values (usage: print(value))"]);
    finds("fn f(x) { x }\nf(1, 2);", &["2:1 error: f() does not take 2 values (usage: f(x))"]);
    finds(
        "import \"stack\" as s;\ns::order();",
        &["2:4 error: s::order() does not take 0 values (usage: s::order(services))"],
    );
    // The order is always equal.
    for _ in 0..8 {
        finds(
            "import \"wait\" as w; w::log(1);",
            &[
                "1:24 error: w::log() does not take 1 value (usage: w::log(c, pattern), or w::log(c, \
             pattern, given))",
            ],
        );
    }
}

#[test]
fn all_variables_that_are_not_there_are_found() {
    finds(
        "print(a);\nlet c = b;",
        &["1:7 error: there is no variable `a` here", "2:9 error: there is no variable `b` here"],
    );
    finds(
        "let web = 1;\nfn f() { web }\nprint(wbe);",
        &[
            "2:10 error: there is no variable `web` here (a `fn` sees no variables from outside: \
             give it `web` as a parameter, or write a closure, `let f = |x| ...`)",
            "3:7 error: there is no variable `wbe` here (did you mean `web`?)",
        ],
    );
}

#[test]
fn why_a_variable_is_not_seen_is_told() {
    const FN: &str = "a `fn` sees no variables from outside: give it `b` as a parameter, or write a \
                      closure, `let f = |x| ...`";
    const ENDED: &str =
        "the `b` of line 1 ends with its block: declare it before the block, and set it inside";
    const ITSELF: &str = "a closure does not see its own variable: to call itself, write `fn \
                          b(...) { ... }`";
    for (text, place, hint) in [
        ("let a = 1; { let b = 2; } print(b);", "1:33", ENDED),
        ("scope(|| { let b = 1; }); print(b);", "1:33", ENDED),
        ("try { let b = 1; } catch (e) { print(e); print(b); }", "1:48", ENDED),
        ("for b in 0..3 { print(b); } print(b);", "1:35", ENDED),
        ("try { } catch (b) { print(b); } print(b);", "1:39", ENDED),
        ("fn f() { if true { let b = 1; } b } f();", "1:33", ENDED),
        ("let b = |x| { if x == 0 { 0 } else { b.call(x - 1) } }; b.call(2);", "1:38", ITSELF),
        ("let b = |x| b.call(x - 1); b.call(2);", "1:13", ITSELF),
        ("let b = |x| [x].map(|y| b.call(y)); b.call(2);", "1:25", ITSELF),
        ("print(b);\nlet b = 1;", "1:7", "move its declaration up from line 2"),
        ("let b = 1; fn f() { b } f();", "1:21", FN),
        ("const b = 1; fn f() { [1].map(|x| x + b) } f();", "1:39", FN),
    ] {
        finds(text, &[&format!("{place} error: there is no variable `b` here ({hint})")]);
    }
    // The name in a string or in another word does not count.
    finds("print(b); print(\"let b = 1\");", &["1:7 error: there is no variable `b` here"]);
}

#[test]
fn what_is_never_reached_is_found() {
    finds(
        "fn f() {\n return 1;\n print(2);\n}\nexit(1);\nprint(3);",
        &[
            "3:2 warning: this is never reached: `return` comes before it",
            "6:1 warning: this is never reached: `exit` comes before it",
        ],
    );
    finds(
        "loop { if true { break; print(1); } throw 1; print(2); }",
        &[
            "1:25 warning: this is never reached: `break` comes before it",
            "1:46 warning: this is never reached: `throw` comes before it",
        ],
    );
}

#[test]
fn what_follows_an_endless_loop_or_branches_that_all_leave_is_found() {
    for (text, place, what) in [
        ("loop { print(1); } print(2);", "1:20", "a `loop` without a `break`"),
        ("while true { } print(1); print(2);", "1:16", "a `while true` without a `break`"),
        ("do { print(1); } until false; print(2);", "1:31", "a `do` without a `break`"),
        ("loop { for x in 0..3 { break; } } print(2);", "1:35", "a `loop` without a `break`"),
        (
            "if true { return; } else { throw 1; } print(3);",
            "1:39",
            "an `if` that leaves either way",
        ),
        (
            "fn f(a) { if a { 1; return 1 } else if a { exit(1); } else { throw 2 } print(3); } f(1);",
            "1:72",
            "an `if` that leaves either way",
        ),
        (
            "switch 1 { 1 => return 1, 2 if true => { throw 2 } _ => exit(1) } print(3);",
            "1:67",
            "a `switch` that leaves in each case",
        ),
        ("try { return; } catch { throw; } print(3);", "1:34", "a `try` that leaves either way"),
        ("for x in [1] { { continue; } print(x); }", "1:30", "`continue`"),
        ("let f = || { loop { } 1 }; f.call();", "1:23", "a `loop` without a `break`"),
    ] {
        finds(text, &[&format!("{place} warning: this is never reached: {what} comes before it")]);
    }
    for text in [
        "loop { if true { break; } } print(1);",
        "while true { try { throw 1; } catch { break; } } print(1);",
        "do { print(1); } while false; print(1); do { break; } while true; print(1);",
        "if true { return; } print(1);",
        "switch 1 { 1 => return 1, 2 => 3 } print(3);",
        "switch 1 { 1 => return 1, _ => () } print(3);",
        "try { return; } catch { } print(3);",
        "try { loop { } } catch { } print(3);",
    ] {
        finds(text, &[]);
    }
}

#[test]
fn the_traps_of_closures_are_found() {
    finds(
        "let c = container(\"web\");\nc.logs(|l| c.stop());",
        &["2:12 error: the closure uses `c` while `c.logs(...)` still holds it (call it as \
         logs(c, ...), or use `this` in the closure)"],
    );
    finds(
        "let m = #{ a: 1 };\nm.keys().filter(|k| m[k] == 1);",
        &["2:21 error: the closure uses `m` while `m.filter(...)` still holds it (call it as \
         filter(m, ...), or use `this` in the closure)"],
    );
    finds(
        "let all = [];\nfor i in 0..3 { all.push(|| i); }",
        &[
            "2:29 warning: all these closures share one `i`: each sees its last value (give each its \
         own: `let own = i;`, and use `own` in the closure)",
        ],
    );
}

#[test]
fn a_loop_that_would_lose_errors_is_found() {
    finds(
        "for line in logs(\"web\") { }",
        &["1:1 warning: a loop with an empty body hides the errors of its iterator (put \
         a statement into it, if only `();`)"],
    );
    finds("for line in logs(\"web\") { (); }", &[]);
}

#[test]
fn a_function_that_hides_one_of_ours_is_found() {
    finds(
        "fn start(c) { engine::start(c) }",
        &["1:13 warning: this function hides start(container) -> Container (write \
         `engine::start(...)` for the hidden one)"],
    );
}

#[test]
fn an_import_that_leads_nowhere_is_found_and_what_it_should_bring_is_left_alone() {
    let found = found("import \"nosuch\" as n;\nn::f();");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("1:8 error: cannot import `nosuch`"), "{found:?}");
}

#[test]
fn variables_that_modules_do_not_have_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("deep.rhai", "export const DEEP = 1; fn deep() { 1 }");
    let util =
        "#!/usr/bin/env lifebox\nimport \"deep\" as d; export let shown = d::DEEP; let hidden = 1;
        export hidden as other; const LOCAL = 1; fn local() { global::LOCAL }";
    write("util.rhai", util);
    let main = write(
        "main.rhai",
        "import \"util\" as u; print(u::shown + u::other + u::d::DEEP + u::d::deep());
print(u::hidden);
print(u::shwon);
const FOO = 1; let low = 1; fn f() { global::FOO }
fn g() { global::FOOO }
fn h() { global::low }",
    );
    let found = check(Source::File(main)).unwrap();
    let lines: Vec<_> =
        found.iter().map(|f| (f.line, f.message.as_str(), f.hint.as_deref())).collect();
    assert_eq!(
        lines,
        [
            (
                2,
                "there is no variable `u::hidden`",
                Some("`hidden` is not exported: write `export` before it")
            ),
            (3, "there is no variable `u::shwon`", Some("did you mean `shown`?")),
            (5, "there is no constant `global::FOOO`", Some("did you mean `FOO`?")),
            (
                6,
                "there is no constant `global::low`",
                Some("`low` is not a `const` of the script itself")
            ),
        ]
    );
}

#[test]
fn pointers_to_functions_that_are_not_there_are_found() {
    finds(
        "let f = Fn(\"strat\"); f.call(1);",
        &["1:12 error: there is no function `strat` (did you mean `start`?)"],
    );
    finds("private fn own() { 1 } Fn(\"own\").call(); Fn(\"start\"); Fn(\"+\");", &[]);
}

#[test]
fn imported_files_are_checked_once() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("lib.rhai", "import \"main\" as m;\nfn start(c) { nobody() }");
    let main = write("main.rhai", "import \"lib\" as lib;\nlib::start(1);\nlib::start();");
    let found = check(Source::File(main)).unwrap();
    let lines: Vec<_> = found.iter().map(|f| (f.line, f.message.as_str())).collect();
    assert_eq!(
        lines,
        [(3, "lib::start() does not take 0 values"), (2, "there is no function `nobody`")]
    );
    assert!(found[1].source.ends_with("lib.rhai"));
}

/// The examples use variables that stand for the reader's own.
#[test]
fn no_example_of_the_reference_has_an_error() {
    let own = LIBRARY.own_functions().iter().flat_map(|(_, functions)| functions);
    let all = own.chain(LIBRARY.modules().iter().flat_map(|module| &module.functions));
    for function in all {
        let Some(example) = function.example() else { continue };
        let errors: Vec<_> =
            check(Source::Text { name: function.name.clone(), text: example.to_owned() })
                .unwrap()
                .into_iter()
                .filter(|finding| finding.severity == Severity::Error)
                .map(|finding| finding.drawn(false))
                .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}
