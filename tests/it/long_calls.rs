//! One call of the language's own functions: it ends with the script, and makes nothing without a
//! bound. A time limit and Ctrl-C are looked at between statements otherwise.

use std::io::Read as _;
use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{TestEngine, ran_to_its_end, signal};
use crate::needs_root;

/// A million times one long text, and one that differs at its end: each comparison is long.
const LONG: &str = "let text = \"\"; text.pad(8000000, \"y\"); let one = text + \"a\"; \
    let other = text + \"b\"; let list = []; list.pad(1000000, one); ";

/// Calls that would take hours.
const ENDLESS: [&str; 9] = [
    "list.contains(other)",
    "other in list",
    "list.index_of(other, -900000)",
    "list.sort()",
    "list.order_desc()",
    "list.dedup()",
    "list == list + []",
    "#{ a: list } == #{ a: list + [] }",
    "list.sort(|a, b| { 0 })",
];

#[test]
fn a_time_limit_ends_a_long_call() {
    needs_root!();
    let engine = TestEngine::new();
    for call in ENDLESS {
        let text = format!("{LONG}{call}; {call}; {call}; {call}");
        let ran = ran_to_its_end(engine.spawn(&["--timeout", "1s", "-e", &text]));
        assert_eq!(ran.code, 124, "{call}: {}", ran.err);
    }
}

#[test]
fn ctrl_c_ends_a_long_call() {
    needs_root!();
    let engine = TestEngine::new();
    let text = format!("{LONG}print(\"begun\"); list.contains(other)");
    let mut command = engine.command(&["-e", &text]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut begun = [0; 6];
    process.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
    signal(process.id(), Signal::INT);
    let ran = ran_to_its_end(process);
    assert_eq!(ran.code, 130, "{}", ran.err);
}

#[test]
fn no_call_makes_a_text_or_a_list_without_bound() {
    needs_root!();
    let engine = TestEngine::new();
    for (text, part) in [
        ("let s = \"a\"; s.pad(5, \"\")", "the padding is empty"),
        ("let s = \"x\"; s.pad(100000000000, \"yz\")", "longer than 256 MiB"),
        ("let s = \"x\"; s.pad(9223372036854775807, 'y')", "longer than 256 MiB"),
        ("let s = \"x\"; s.pad(100000, 'x'); s.replace(\"x\", s)", "longer than 256 MiB"),
        ("let s = \"x\"; s.pad(100000, 'x'); s.replace('x', s)", "longer than 256 MiB"),
        ("let s = \"x\"; s.pad(20000000, 'x'); s.split(\"\")", "more than 16777216 items"),
        ("let s = \"x\"; s.pad(20000000, 'x'); s.split_rev('x')", "more than 16777216 items"),
        ("let s = \"x\"; s.pad(20000000, 'x'); s.to_chars()", "more than 16777216 items"),
        ("let l = []; l.pad(100000000000, 1)", "more than 16777216 items"),
        ("let l = []; l.pad(5000, 1); let m = []; m.pad(5000, l)", "more than 16777216 items"),
        ("blob(1000000000000)", "the blob would be longer than 256 MiB"),
        ("blob(9223372036854775807, 1)", "the blob would be longer than 256 MiB"),
        ("let b = blob(); b.pad(1000000000000, 1)", "the blob would be longer than 256 MiB"),
        ("blob(20000000).to_array()", "more than 16777216 items"),
        ("let s = \"x\"; s.pad(1000000, 'x'); let l = []; l.pad(1000, s); print(l)", "256 MiB"),
        ("let s = \"x\"; s.pad(200000000, 'x'); #{ l: s + s }.to_json()", "longer than 256 MiB"),
    ] {
        let ran = ran_to_its_end(engine.spawn(&["-e", text]));
        assert_eq!(ran.code, 1, "{text}: {}", ran.err);
        assert!(ran.err.contains(part), "{text}: {}", ran.err);
    }
    // An error of `to_string` would be written in full by the language itself.
    let cut = "let s = \"x\"; s.pad(1000000, 'x'); let l = []; l.pad(1000, s); \
        print(l.to_string().bytes < 300000000); print(`${l}`.bytes < 300000000); \
        print((\"\" + l).bytes < 300000000);";
    let ran = ran_to_its_end(engine.spawn(&["-e", cut]));
    assert_eq!((ran.code, ran.out.as_str()), (0, "true\ntrue\ntrue\n"), "{}", ran.err);
}

#[test]
fn what_a_comparing_function_throws_reaches_the_script() {
    needs_root!();
    let engine = TestEngine::new();
    for call in [
        "sort(|x, y| throw \"no order\")",
        "order(|x, y| throw \"no order\")",
        "dedup(|x, y| throw \"no order\")",
    ] {
        let error = engine.fails(&["-e", &format!("let l = [2, 1]; l.{call}")], 1);
        assert!(error.contains("no order"), "{call}: {error}");
        let caught = format!("let l = [2, 1]; try {{ l.{call} }} catch (e) {{ print(l) }}");
        assert_eq!(engine.ok(&["-e", &caught]), "[2, 1]");
    }
}

#[test]
fn they_do_what_the_book_of_the_language_says() {
    needs_root!();
    let engine = TestEngine::new();
    for (text, value) in [
        ("let s = \"ab\"; s.pad(7, \"xyz\"); s", "abxyzxy"),
        ("let s = \"é\"; s.pad(3, '-'); s", "é--"),
        ("let s = \"abc\"; s.pad(-1, '-'); s.pad(2, '-'); s", "abc"),
        ("let s = \"a-b-\"; s.replace(\"-\", \"+\"); s", "a+b+"),
        ("let s = \"aaa\"; s.replace('a', 'b'); s", "bbb"),
        ("let s = \"ab\"; s.replace(\"\", \"-\"); s", "-a-b-"),
        ("\"a b  c\".split()", "[\"a\", \"b\", \"c\"]"),
        ("\"a,b,c\".split(\",\")", "[\"a\", \"b\", \"c\"]"),
        ("\"a,b,c\".split(',', 2)", "[\"a\", \"b,c\"]"),
        ("\"a,b,c\".split(\",\", 1)", "[\"a,b,c\"]"),
        ("\"a,b,c\".split_rev(\",\", 2)", "[\"c\", \"a,b\"]"),
        ("\"\".split(',')", "[\"\"]"),
        ("\"éa\".to_chars()", "[é, a]"),
        ("let l = [3, 1, 2]; l.sort(); l", "[1, 2, 3]"),
        ("let l = [\"b\", \"a\"]; l.sort_desc(); l", "[\"b\", \"a\"]"),
        (
            "[[2, 'x'], [1, 'y'], [2, 'z'], [1, 'w']].order(|a, b| a[0] - b[0])",
            "[[1, y], [1, w], [2, x], [2, z]]",
        ),
        ("let l = [3, 1, 2]; l.sort(|a, b| a > b); l", "[3, 2, 1]"),
        ("let l = [1, 1, 2, 2, 1]; l.dedup(); l", "[1, 2, 1]"),
        ("let l = [1, 3, 2, 4]; l.dedup(|a, b| a % 2 == b % 2); l", "[1, 2]"),
        ("[1, 2, \"a\", [3]].contains([3])", "true"),
        ("[1, 2].contains(\"1\")", "false"),
        ("[1, 2, 1, 2].index_of(2, -2)", "3"),
        ("[1, 2].index_of(2, 7)", "-1"),
        ("[1, [2, #{ a: 1 }]] == [1, [2, #{ a: 1 }]]", "true"),
        ("#{ a: 1 } != #{ a: 2 }", "true"),
        ("[1, \"a\", 'c', (), 1.5, #{ b: [true] }]", "[1, \"a\", c, (), 1.5, #{\"b\": [true]}]"),
        (
            "#{ a: [1, \"x\\n\", (), 1.5], b: #{ c: true } }.to_json()",
            "{\"a\":[1,\"x\\n\",null,1.5],\"b\":{\"c\":true}}",
        ),
        ("parse_json(\"{\\\"a\\\": [1, 2.5, null, \\\"x\\\"]}\").a", "[1, 2.5, (), \"x\"]"),
        ("let l = [1]; l.pad(3, [0]); l[1][0] = 7; l", "[1, [7], [0]]"),
        ("let b = blob(2, 255); b.pad(3, 256); b.to_array()", "[255, 255, 0]"),
    ] {
        // The last statement's value, printed.
        let (before, last) =
            text.rsplit_once("; ").map_or(("", text), |(before, last)| (before, last));
        let said = engine.ok(&["-e", &format!("{before}; print({last})")]);
        let value = value.replace("\\n", if value.starts_with('{') { "\\n" } else { "\n" });
        assert_eq!(said, value, "{text}");
    }
}
