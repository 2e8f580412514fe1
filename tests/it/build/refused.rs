//! Builds that fail or are refused, with the place in the Dockerfile.

use std::path::Path;

use super::context::{Context, inside};
use crate::commit::engine;
use crate::needs_root;

#[test]
fn what_a_failing_command_wrote_is_shown_once() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo o''ne; exit 7\n");
    for flags in [&[][..], &["-q"]] {
        let ran = context.build(&engine, flags);
        assert_eq!(ran.code, 7, "{}", ran.err);
        assert_eq!(ran.err.matches("one").count(), 1, "{}", ran.err);
    }
}

#[test]
fn nothing_outside_of_the_context_is_copied() {
    needs_root!();
    let engine = engine();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let context = Context::new("");
    context.write("inside/file", "fine");
    let link = |target: &Path, name: &str| {
        std::os::unix::fs::symlink(target, context.at(name)).unwrap();
    };
    link(&outside.path().join("secret"), "absolute");
    link(Path::new("../../../../../../../../etc/passwd"), "relative");
    link(outside.path(), "directory");
    link(Path::new("/inside"), "within");
    let up = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
    for source in
        ["absolute", "relative", "directory/secret", up.as_str(), "/etc/passwd", "inside/../../x"]
    {
        context.write("Dockerfile", &format!("FROM hundredcounter\nCOPY {source} /x\n"));
        let error = context.fails(&engine, &format!("Dockerfile:2: COPY {source} /x"));
        assert!(!error.contains("root:x:0"), "{error}");
    }
    // As if the context were the whole machine.
    context.write("Dockerfile", "FROM hundredcounter\nCOPY within /x\nCOPY . /all\n");
    let id = context.id(&engine, &[]);
    let seen = inside(
        &engine,
        &id,
        "cat /x/file; readlink /all/absolute; cat /all/directory/secret 2>&1; true",
    );
    assert!(seen.starts_with("fine/"), "{seen}");
    assert!(seen.contains("No such file"), "links are copied as links: {seen}");
}

#[test]
fn mistakes_in_a_dockerfile_are_told_with_file_and_line() {
    needs_root!();
    let engine = engine();
    let table = [
        ("FROM hundredcounter\n\nRUNN x\n", "line 3"),
        ("FROM hundredcounter\nRUNN x\n", "did you mean RUN?"),
        ("FROM hundredcounter\nRUN exit 1\n", "Dockerfile:2: RUN exit 1"),
        ("FROM hundredcounter\nRUN exit 3\n", "exit code: 3"),
        ("FROM hundredcounter\n# x\nCOPY nothing /x\n", "Dockerfile:3: COPY nothing /x"),
        ("FROM hundredcounter\nCOPY nothing /x\n", "`nothing` is not in the build context"),
        ("FROM hundredcounter\nENV A\n", "ENV must have two arguments"),
        ("FROM hundredcounter\nENV A=${x\n", "not closed"),
        ("FROM hundredcounter\nADD http://x/y /z\n", "ADD of `http://x/y` is not supported"),
        ("FROM hundredcounter\nRUN --mount=type=ssh true\n", "mount type ssh of RUN"),
        ("FROM hundredcounter\nCOPY --from=nobody:none /a /b\n", "Dockerfile:2"),
        ("FROM hundredcounter\nEXPOSE http\n", "invalid containerPort: http"),
        ("FROM hundredcounter\nSTOPSIGNAL maybe\n", "invalid signal"),
        ("FROM hundredcounter\nCOPY --chown=ghost Dockerfile /x\n", "`ghost` is not a user"),
        ("FROM hundredcounter\nCOPY --chmod=9 Dockerfile /x\n", "is not a file mode"),
        ("FROM hundredcounter\nCOPY Dockerfile Dockerfile /x\n", "must be a directory"),
        ("FROM hundredcounter\nCOPY Dockerfile /bin/sh/x\n", "not a directory"),
        ("FROM scratch\nRUN x\n", "cannot run a command"),
        ("FROM scratch\n", "no image was generated"),
        ("FROM $NONE\n", "names no image"),
        ("FROM --platform=linux/nowhere hundredcounter\n", "not linux/nowhere"),
        ("RUN x\n", "FROM or ARG"),
        ("", "no instructions"),
    ];
    for (dockerfile, said) in table {
        Context::new(dockerfile).fails(&engine, said);
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    let error = engine.fails(&["build", "/no/such/context"], 1);
    assert!(error.contains("is not a directory") && error.contains("hint:"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = engine.fails(&["build", empty.path().to_str().unwrap()], 1);
    assert!(error.contains("cannot read the Dockerfile"), "{error}");
    let error = engine.fails(&["build", "https://x/y.git"], 1);
    assert!(error.contains("only local directories"), "{error}");
}

#[test]
fn what_docker_refuses_is_refused() {
    needs_root!();
    let engine = engine();
    let table = [
        ("FROM scratch AS 1x\n", "invalid name for build stage"),
        ("FROM scratch\nVOLUME []\n", "VOLUME requires at least one argument"),
        ("FROM scratch\nWORKDIR \"\"\n", "working directory is empty"),
        ("FROM scratch\nLABEL \"\"=x\n", "a label needs a key"),
        ("FROM scratch\nHEALTHCHECK --interval=5 CMD x\n", "missing unit"),
        ("FROM scratch\nHEALTHCHECK --timeout=1us CMD x\n", "less than 1ms"),
        ("FROM scratch\nCOPY --from=7 / /\n", "invalid from flag value 7: index out of bounds"),
        ("FROM scratch\nCOPY --from=0 / /\n", "index out of bounds"),
        ("FROM scratch AS one\nCOPY --from=one / /\n", "it is the stage itself"),
        (
            "FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nFROM a\n",
            "the stage comes later",
        ),
        ("FROM Hundredcounter\n", "lower"),
    ];
    for (dockerfile, said) in table {
        Context::new(dockerfile).fails(&engine, said);
    }
    for step in ["with_label(\"\", 1)", "with_workdir(\"\")"] {
        engine.fails(&["-e", &format!("image(\"hundredcounter\").{step}")], 1);
    }
}
