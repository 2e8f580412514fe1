//! What cannot be done is refused: with an exit code, in words, and with nothing left behind.

use crate::harness::Engine;

/// Arguments, the exit code, and what must be said.
const REFUSED: [(&[&str], i32, &str); 26] = [
    (&["nosuch"], 1, "`nosuch` is not a verb"),
    (&["ps", "--nosuch"], 1, "unexpected argument `--nosuch`"),
    (&["run", "--nosuch", "host"], 125, "--nosuch"),
    (&["start", "nope"], 1, "no such container: nope"),
    (&["stop", "nope"], 1, "no such container: nope"),
    (&["logs", "nope"], 1, "no such container: nope"),
    (&["rm", "nope"], 1, "no such container: nope"),
    (&["run", "nope"], 125, "no such image: `nope`"),
    (&["create", "nope"], 1, "no such image: `nope`"),
    (&["image", "inspect", "nope"], 1, "no such image: `nope`"),
    (&["inspect", "nope"], 1, "no such object: `nope`"),
    (&["rmi", "nope"], 1, "no such image: `nope`"),
    (&["kill", "-s", "NOPE", "x1"], 1, "invalid signal: `NOPE`"),
    (&["stop", "-t", "abc", "x1"], 1, "invalid value `abc`"),
    (&["load", "-i", "/nonexistent"], 1, "no such file or directory"),
    (&["load", "-i", "/etc"], 1, "it is a directory"),
    (&["load", "-i", "/etc/passwd"], 1, "not a tar archive"),
    (&["/nonexistent/x.rhai"], 1, "/nonexistent/x.rhai"),
    (&["-e"], 1, "-e needs the text of a script"),
    (&["-e", "create(\"host\", #{ nam: 1 })"], 1, "did you mean `name`?"),
    (&["-e", "create(\"host\", #{ name: 3 })"], 1, "a string is wanted, not a number"),
    (&["-e", "kill(\"nope\")"], 1, "no such container: nope"),
    (&["-e", "sleep(\"abc\")"], 1, "invalid duration `abc`"),
    (&["-e", "image(\"Nope:::\")"], 1, "no such image: `Nope:::`"),
    (&["-e", "nofunc()"], 1, "there is no function `nofunc`"),
    (&["-e", "let x = ;"], 1, "syntax: unexpected ';'"),
];

#[test]
fn what_is_wrong_is_refused_in_words_and_leaves_nothing() {
    crate::needs_root!("what_is_wrong_is_refused_in_words_and_leaves_nothing");
    let engine = Engine::new();
    let mut wrong = Vec::new();
    for (arguments, code, text) in REFUSED {
        let ran = engine.run(arguments);
        if ran.code != code || !ran.err.contains(text) || ran.err.contains("panicked") {
            wrong.push(format!("{arguments:?}: wanted {code} {text:?}, was {ran:?}"));
        }
    }
    let name = engine.run(&["create", "--name", "a/b", "host"]);
    if name.code == 0 || !name.err.contains("invalid container name (`a/b`)") {
        wrong.push(format!("a/b: {name:?}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(engine.ok(&["ps", "-a", "-q"]), "");
}
