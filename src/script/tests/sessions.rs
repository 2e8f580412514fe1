//! Texts one after the other, as in the REPL.

use super::super::{EvalResult, Session};
use super::host;

fn value(text: &str) -> EvalResult {
    EvalResult::Value(text.to_owned())
}

#[test]
fn what_a_line_defines_lives_on() {
    let (host, _) = host();
    let mut session = Session::new(host);
    for (line, reply) in [
        ("let a = 40", EvalResult::Nothing),
        ("a + 2", value("42")),
        ("last", value("42")),
        ("a + 2;", EvalResult::Nothing),
        ("fn twice(x) { x * 2 }", EvalResult::Nothing),
        ("twice(a)", value("80")),
        ("fn twice(x) { x * 3 }", EvalResult::Nothing),
        ("twice(1)", value("3")),
        ("let add = |x| x + a", EvalResult::Nothing),
        ("add.call(1)", value("41")),
        ("const B = 5; fn b() { global::B }", EvalResult::Nothing),
        ("b()", value("5")),
        ("\"text\"", value("\"text\"")),
        ("[1, \"a\"]", value("[1, \"a\"]")),
        ("exit(4)", EvalResult::Exit(4)),
    ] {
        assert_eq!(session.line(line), reply, "{line}");
    }
}

#[test]
fn what_is_wider_than_a_line_is_shown_an_entry_a_line() {
    let (host, _) = host();
    let mut session = Session::new(host);
    let EvalResult::Value(short) = session.line("#{ a: [1, \"b\"], c: () }") else { panic!() };
    assert_eq!(short, r#"#{"a": [1, "b"], "c": ()}"#);
    let text = "#{ list: [1, 2], name: \"x\".to_upper(), wide: [\"a long text to be shown\", \"another one, longer still\", #{ z: 1 }] }";
    let EvalResult::Value(long) = session.line(text) else { panic!() };
    expect_test::expect![[r#"
        #{
          "list": [1, 2],
          "name": "X",
          "wide": ["a long text to be shown", "another one, longer still", #{"z": 1}],
        }"#]]
    .assert_eq(&long);
}

#[test]
fn a_text_of_several_lines_is_shown_as_it_is() {
    let (host, _) = host();
    let mut session = Session::new(host);
    assert_eq!(session.line("table([[\"A\", \"B\"], [1, 2]])"), value("A         B\n1         2"));
    assert_eq!(session.line("\"a\\tb\""), value("\"a\\tb\""));
}

#[test]
fn an_error_leaves_the_session_whole() {
    let (host, _) = host();
    let mut session = Session::new(host);
    session.line("let a = 1");
    assert!(matches!(session.line("let b = 2; nobody()"), EvalResult::Failed(_)));
    assert!(matches!(session.line("run(\"host\", [\"panic\"])"), EvalResult::Failed(_)));
    assert_eq!(session.line("a + b"), value("3"));
}

#[test]
fn handles_are_shown_as_tables_and_summaries() {
    let (host, _) = host();
    let mut session = Session::new(host);
    let EvalResult::Value(one) = session.line("run(\"host\", \"sleep 9\", #{ name: \"web\" })")
    else {
        panic!("a value");
    };
    assert!(one.starts_with("Container(\"web\", running)"), "{one}");
    let EvalResult::Value(all) = session.line("ps()") else { panic!("a value") };
    assert!(all.contains("web") && !all.starts_with('['), "{all}");
    assert_eq!(session.line("ps(#{ name: \"nobody\" })"), value("[]"));
}

#[test]
fn completion_knows_types_options_and_names() {
    let (host, _) = host();
    let mut session = Session::new(host);
    session.line("let web = run(\"host\", #{ name: \"web-1\" })");
    session.line("let m = #{ alpha: 1 }");
    let complete = |line: &str| -> Vec<String> {
        let found = session.complete(line, line.len());
        found.candidates.into_iter().map(|candidate| candidate.text).collect()
    };
    assert_eq!(complete("web.sta"), ["start(", "started_at", "state", "stats(", "status"]);
    assert_eq!(complete("m.al"), ["alpha"]);
    assert_eq!(complete("unp"), ["unpause("]);
    assert_eq!(complete("let x = we"), ["web"]);
    assert_eq!(complete("run(\"host\", #{ na"), ["name: "]);
    assert_eq!(complete("start(\"we"), ["web-1"]);
    assert_eq!(complete("image(\"al"), ["alpine:3"]);
    assert_eq!(complete("remove_v"), ["remove_volume("]);
    assert!(!complete("rm").contains(&"rmv(".to_owned()));
    assert!(complete("web.").contains(&"logs(".to_owned()));
    assert!(!complete("web.").contains(&"moves(".to_owned()));
    assert!(!complete("web.").contains(&"to_upper(".to_owned()));
    assert!(complete("\"web\".").contains(&"start(".to_owned()));
    // For a container only its own verbs, and no functions of any value.
    let of_container = complete("web.");
    for other in ["rmi(", "with_env(", "push(", "history(", "sleep(", "print(", "tag", "take("] {
        assert!(!of_container.contains(&other.to_owned()), "{other}");
    }
    session.line("let img = image(\"alpine:3\")");
    let complete = |line: &str| -> Vec<String> {
        let found = session.complete(line, line.len());
        found.candidates.into_iter().map(|candidate| candidate.text).collect()
    };
    let of_image = complete("img.");
    assert!(of_image.contains(&"with_env(".to_owned()) && !of_image.contains(&"stop(".to_owned()));
}

#[test]
fn completion_knows_modules_and_lists_names_before_what_they_are() {
    let (host, _) = host();
    let mut session = Session::new(host);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.rhai");
    std::fs::write(&file, "fn twice(n) { n * 2 } private fn no() { } export const SIZE = 3;")
        .unwrap();
    session.line("import \"stack\" as st");
    session.line(&format!("import {:?} as own", file.to_str().unwrap()));
    session.line("let c = run(\"host\", #{ name: \"web-1\", labels: #{ a: \"b\" } })");
    let shown = |line: &str| -> Vec<String> {
        let found = session.complete(line, line.len());
        found.candidates.iter().map(super::super::Candidate::label).collect()
    };
    assert_eq!(shown("st::u"), ["up(stack, services)"]);
    assert_eq!(shown("own::"), ["SIZE = 3", "twice(n)"]);
    assert_eq!(shown("engine::unp"), ["unpause(container) -> Container"]);
    assert_eq!(shown("import \"rol").len(), 1);
    assert_eq!(
        shown("run(\"host\", #{ workd"),
        ["workdir  Working directory inside the container"]
    );
    assert_eq!(shown("start(\"we"), ["web-1  container"]);
    assert_eq!(shown("c.label"), ["labels = #{\"a\": \"b\"}"]);
}
