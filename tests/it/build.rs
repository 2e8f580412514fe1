//! Images built in scripts and from Dockerfiles.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::commit::engine;
use crate::harness::{CommandOutput, PATIENCE, TestEngine, signal, wait_until};
use crate::needs_root;
use crate::peers_registry::Registry;

/// A build context.
struct Context(tempfile::TempDir);

impl Context {
    fn new(dockerfile: &str) -> Self {
        let context = Context(tempfile::tempdir().unwrap());
        context.write("Dockerfile", dockerfile);
        context
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn build(&self, engine: &TestEngine, more: &[&str]) -> CommandOutput {
        engine.run(&[&["build"], more, &[self.path()]].concat())
    }

    #[track_caller]
    fn id(&self, engine: &TestEngine, more: &[&str]) -> String {
        let ran = self.build(engine, &[&["-q"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim_end().to_owned()
    }

    #[track_caller]
    fn fails(&self, engine: &TestEngine, said: &str) -> String {
        let ran = self.build(engine, &[]);
        let code = if said == "exit code: 3" { 3 } else { 1 };
        assert_eq!(ran.code, code, "{}", ran.err);
        let last = ran.err.lines().skip_while(|line| !line.starts_with("error:"));
        let error = last.collect::<Vec<_>>().join("\n");
        assert!(error.contains(said), "{said:?} is not in\n{error}");
        error
    }
}

/// What a command prints in a container of an image.
#[track_caller]
fn inside(engine: &TestEngine, image: &str, script: &str) -> String {
    engine.ok(&["run", "--rm", "--entrypoint", "sh", image, "-c", script])
}

const CHAIN: &str = r##"
    let img = image("hundredcounter")
        .with_env("GREETING", "hello").with_env("N", 3)
        .with_label("stage", "test")
        .with_workdir("/srv/app")
        .with_file("say", "#!/bin/sh\necho $GREETING $N \"$@\"\n", 0o755)
        .with_file("/etc/plain", "plain\n")
        .with_run("./say built > out; rm /app/script.sh")
        .with_run(["touch", "/srv/a b"])
        .with_user("1000:1000")
        .with_expose(8080)
        .with_volume("/data")
        .with_stop_signal("QUIT")
        .with_cmd(["you"])
        .with_entrypoint(["/srv/app/say", "to"])
        .commit("chain:1");
    print(img.id);
"##;

#[test]
fn a_chain_of_steps_builds_an_image_and_costs_nothing_the_second_time() {
    needs_root!();
    let engine = engine();
    let id = engine.script(CHAIN);
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "no container is left");
    assert_eq!(engine.ok(&["run", "--rm", "chain:1"]), "hello 3 to you");
    let script = "cat out /etc/plain; id -u; ls -d '/srv/a b'; ls /app; stat -c %a say /etc/plain";
    let seen = inside(&engine, "chain:1", script);
    assert_eq!(seen, "hello 3 built\nplain\n1000\n/srv/a b\n755\n644");
    let facts = "{{.Config.StopSignal}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}} \
                 {{.Config.Labels.stage}} {{.Config.WorkingDir}}";
    let shown = engine.ok(&["image", "inspect", "-f", facts, "chain:1"]);
    assert_eq!(shown, "SIGQUIT {\"8080/tcp\":{}} {\"/data\":{}} test /srv/app");
    let listed = engine.ok(&["images", "-q"]);
    assert_eq!(listed.lines().count(), 2, "steps are not listed: {listed}");
    let history = engine.ok(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", "chain:1"]);
    for said in ["ENV N=3", "RUN /bin/sh -c ./say built > out", "WORKDIR /srv/app", "CMD [\"you\"]"]
    {
        assert!(history.contains(said), "{said}\n{history}");
    }

    let begun = Instant::now();
    assert_eq!(engine.script(CHAIN), id);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // Other words, other images, from the step on that differs.
    let other = engine.script(&CHAIN.replace("\"you\"", "\"us\"").replace("chain:1", "chain:2"));
    assert_ne!(other, id);
    assert_eq!(engine.ok(&["run", "--rm", "chain:2"]), "hello 3 to us");
}

#[test]
fn copied_files_count_by_content_not_by_time() {
    needs_root!();
    let engine = engine();
    let context = Context::new("");
    context.write("tree/a", "one");
    context.write("tree/deep/b", "two");
    std::os::unix::fs::symlink("a", context.at("tree/link")).unwrap();
    let script = format!(
        "print(image(\"hundredcounter\").with_copy({:?}, \"/t\").with_copy({:?}, \"/into/\").commit(\"c\").id)",
        context.at("tree"),
        context.at("tree/a")
    );
    let id = engine.script(&script);
    assert_eq!(inside(&engine, "c", "cat /t/a /t/deep/b /t/link /into/a"), "onetwooneone");
    context.write("tree/a", "one");
    let later = std::time::SystemTime::now() + Duration::from_secs(5000);
    std::fs::File::open(context.at("tree/a")).unwrap().set_modified(later).unwrap();
    assert_eq!(engine.script(&script), id, "only the time is another");
    context.write("tree/a", "1");
    assert_ne!(engine.script(&script), id);
    assert_eq!(inside(&engine, "c", "cat /t/a /into/a"), "11");
    let missing = engine.run(&["-e", "image(\"hundredcounter\").with_copy(\"/no/such\", \"/x\")"]);
    assert!(missing.err.contains("/no/such"), "{}", missing.err);
}

#[test]
fn a_command_that_fails_leaves_nothing_and_is_told_with_its_words() {
    needs_root!();
    let engine = engine();
    let script = r#"
        try { image("hundredcounter").with_run("echo one; echo two >&2; exit 7") } catch (e) {
            print(e.kind); print(e.message); print(e.causes);
        }
        try { image("hundredcounter").with_run(["/no/such/program"]) } catch (e) { print(e.causes) }
    "#;
    let before = engine.ok(&["images", "-aq"]);
    let ran = engine.run(&["-e", script]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for said in
        ["died", "did not complete successfully: exit code: 7", "one", "two", "/no/such/program"]
    {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(ran.err.contains("one\n") && ran.err.contains("two\n"), "what it wrote is shown");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert_eq!(engine.ok(&["images", "-aq"]), before);
}

#[test]
fn ctrl_c_ends_a_build_and_its_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    for words in [
        vec!["-e", "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")"],
        vec!["build", context.path()],
    ] {
        let child = engine.spawn(&words);
        let running = wait_until(PATIENCE, || !engine.ok(&["ps", "-q"]).is_empty());
        assert!(running);
        let id = engine.ok(&["ps", "-q"]);
        engine.wrote(&id, "begun");
        signal(child.id(), rustix::process::Signal::INT);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
    assert_eq!(engine.ok(&["images", "-aq"]).lines().count(), 1);
}

#[test]
fn signals_that_end_a_build_end_its_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let script = ["-e", "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")"];
    let build = ["build", context.path()];
    use rustix::process::Signal;
    for (words, number, code) in
        [(&build, Signal::TERM, 143), (&build, Signal::HUP, 129), (&script, Signal::TERM, 143)]
    {
        let child = engine.spawn(words);
        assert!(wait_until(PATIENCE, || !engine.ok(&["ps", "-q"]).is_empty()));
        engine.wrote(&engine.ok(&["ps", "-q"]), "begun");
        signal(child.id(), number);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
    assert_eq!(engine.ok(&["images", "-aq"]).lines().count(), 1);
}

#[test]
fn a_killed_build_leaves_no_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let step = "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")";
    let scoped = format!("scope(|| {step})");
    for words in [vec!["-e", step], vec!["-e", &scoped], vec!["build", context.path()]] {
        let mut child = engine.spawn(&words);
        assert!(wait_until(PATIENCE, || !engine.ok(&["ps", "-q"]).is_empty()));
        engine.wrote(&engine.ok(&["ps", "-q"]), "begun");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(wait_until(PATIENCE, || engine.ok(&["ps", "-aq"]).is_empty()), "{words:?}");
    }
}

#[test]
fn what_a_killed_build_left_is_removed_by_the_next() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let begin = || {
        let before = engine.ok(&["ps", "-q"]);
        let child = engine.spawn(&["build", context.path()]);
        let news =
            || engine.ok(&["ps", "-q"]).lines().find(|id| !before.contains(id)).map(str::to_owned);
        assert!(wait_until(PATIENCE, || news().is_some()));
        let id = news().unwrap();
        engine.wrote(&id, "begun");
        (child, id)
    };
    let (mut killed, left) = begin();
    // Its keeper would remove it at once.
    let keeper = format!("^lifebox-reaper {}", engine.root().display());
    let found = std::process::Command::new("pgrep").args(["-f", &keeper]).output().unwrap();
    for pid in String::from_utf8(found.stdout).unwrap().lines() {
        signal(pid.parse().unwrap(), rustix::process::Signal::KILL);
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(engine.ok(&["ps", "-q"]), left);
    let (lives, of_living) = begin();
    assert_eq!(engine.ok(&["ps", "-aq"]), of_living, "what was left is gone");
    Context::new("FROM hundredcounter\nRUN true\n").id(&engine, &[]);
    assert_eq!(engine.ok(&["ps", "-q"]), of_living, "what lives is left alone");
    signal(lives.id(), rustix::process::Signal::INT);
    lives.wait_with_output().unwrap();
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_dockerfile_of_several_stages_is_built() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        r##"# escape=`
ARG BASE=hundredcounter
ARG VERSION=1
FROM ${BASE} AS first
ARG VERSION
ARG UNSET
ENV DIR=/srv/app `
    WORDS="two words"
WORKDIR $DIR
COPY *.txt sub/ ./
COPY --chown=7:8 --chmod=600 sub/x owned/
RUN echo "$VERSION-${UNSET:-none}-$WORDS" > built && `
    # between the lines
    pwd >> built
RUN cat <<ONE > here; cat <<'TWO' >> here
version $VERSION
ONE
as it is: $VERSION
TWO

FROM scratch AS unused
RUN cannot run a command here

FROM hundredcounter
COPY --from=first /srv/app /app2
COPY --from=0 /srv/app/built /app2/again
ADD archive.tar.gz /unpacked
COPY archive.tar.gz /packed/
COPY <<-file "/etc/note"
	note of ${NOBODY:-nobody}
	file
SHELL ["/bin/sh", "-ec"]
RUN <<script
mkdir /made
echo made > /made/it
script
USER 12
VOLUME ["/v"]
EXPOSE 80/tcp
LABEL one=1 "two words"="2 2"
HEALTHCHECK --interval=2s --retries=4 CMD true
STOPSIGNAL 3
ENTRYPOINT ["cat"]
CMD ["/etc/note"]
"##,
    );
    context.write("a.txt", "a");
    context.write("b.txt", "b");
    context.write("c.md", "c");
    context.write("sub/x", "x");
    context.write("sub/keep/no", "n");
    context.write("sub/keep/yes", "y");
    context.write(".dockerignore", "# comment\nsub/keep/*\n!sub/keep/yes\n");
    context.write("packed/file", "from the archive");
    let tar = std::process::Command::new("tar")
        .args(["-C", context.path(), "-czf"])
        .arg(context.at("archive.tar.gz"))
        .args(["--owner=3", "--group=4", "packed"])
        .status();
    assert!(tar.unwrap().success());
    let first = context.build(&engine, &["-t", "app:1", "-t", "app", "--build-arg", "VERSION=7"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.err.contains("Step 1/") && first.err.contains("Successfully tagged app:1"));
    assert!(!first.err.contains("cannot run a command"), "an unused stage is passed over");
    assert_eq!(engine.ok(&["run", "--rm", "app:1"]), "note of nobody");
    let seen = inside(&engine, "app", "cd /app2; ls; cat built here; stat -c %u:%g:%a owned/x");
    let listing = "again\na.txt\nb.txt\nbuilt\nhere\nkeep\nowned\nx";
    let mut lines: Vec<&str> = seen.lines().collect();
    lines[..8].sort_unstable();
    let mut expected: Vec<&str> = listing.lines().collect();
    expected.sort_unstable();
    expected.extend(["7-none-two words", "/srv/app", "version 7", "as it is: $VERSION", "7:8:600"]);
    assert_eq!(lines, expected);
    let seen = inside(
        &engine,
        "app",
        "ls /app2/keep; cat /unpacked/packed/file /made/it; stat -c %u:%g /unpacked/packed/file; ls /packed; id -u",
    );
    assert_eq!(seen, "yes\nfrom the archivemade\n3:4\narchive.tar.gz\n12");
    let facts = "{{json .Config.Healthcheck}} {{.Config.StopSignal}} {{json .Config.Shell}}";
    let shown = engine.ok(&["image", "inspect", "-f", facts, "app"]);
    assert!(shown.contains("CMD\",\"/bin/sh\",\"-ec\",\"true") && shown.contains("4"), "{shown}");

    let begun = Instant::now();
    let again = context.build(&engine, &["--build-arg", "VERSION=7"]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let steps = again.err.matches("Step ").count() - 2;
    let arguments = 2;
    assert_eq!(again.err.matches("Using cache").count(), steps - arguments, "{}", again.err);
    // An argument that a command sees makes it another command.
    let other =
        context.build(&engine, &["--build-arg", "VERSION=8", "--target", "first", "-t", "f"]);
    assert_eq!(other.code, 0, "{}", other.err);
    assert!(inside(&engine, "f", "cat built").starts_with("8-none"));
}

#[test]
fn flags_of_build_do_as_dockers() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        "FROM hundredcounter\nARG A\nRUN echo $A > /a; cat /proc/sys/kernel/random/uuid > /u\n",
    );
    let id = context.id(&engine, &["--build-arg", "A=1", "--label", "k=v"]);
    assert!(id.starts_with("sha256:"), "{id}");
    assert_eq!(engine.ok(&["image", "inspect", "-f", "{{.Config.Labels.k}}", &id]), "v");
    assert_eq!(context.id(&engine, &["--build-arg", "A=1", "--label", "k=v"]), id);
    let anew = context.id(&engine, &["--build-arg", "A=1", "--label", "k=v", "--no-cache"]);
    assert_ne!(anew, id);
    assert_ne!(inside(&engine, &anew, "cat /u"), inside(&engine, &id, "cat /u"));
    let cached = context.id(&engine, &["--build-arg", "A=1", "--label", "k=v"]);
    assert_eq!(cached, anew, "the latest counts");
    context.write("other/My.Dockerfile", "FROM hundredcounter\nCOPY Dockerfile /d\nENV O=1\n");
    let file = context.at("other/My.Dockerfile");
    let iid = context.at("iid");
    let ran = context.build(
        &engine,
        &["-f", file.to_str().unwrap(), "--iidfile", iid.to_str().unwrap(), "--build-arg", "NO=1"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("[\"NO\"] were not consumed"), "{}", ran.err);
    let id = std::fs::read_to_string(iid).unwrap();
    assert!(inside(&engine, &id, "echo $O; cat /d").starts_with("1\nFROM"));
    let text = b"FROM hundredcounter\nCOPY <<x /y\nz\nx\n";
    let output = engine.run_with_input(&["build", "-q", "-t", "piped", "-"], text);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(inside(&engine, "piped", "cat /y"), "z");
    let output = engine.run_with_input(&["build", "-"], b"FROM hundredcounter\nCOPY a /y\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is none"), "{output:?}");
    let script =
        format!("print(build({:?}, #{{ tag: \"s:1\", args: #{{ A: 5 }} }}).tags)", context.path());
    assert_eq!(engine.script(&script), "[\"s:1\"]");
    assert_eq!(inside(&engine, "s:1", "cat /a"), "5");
}

#[test]
fn a_proxy_is_seen_by_commands_and_leaves_no_trace_unless_declared() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo $https_proxy > /p\n");
    let history = |id: &str| engine.ok(&["history", "--no-trunc", id]);
    let id = context.id(&engine, &["--build-arg", "https_proxy=http://one"]);
    assert_eq!(inside(&engine, &id, "cat /p; echo $https_proxy"), "http://one");
    assert!(!history(&id).contains("http://one"));
    assert_eq!(context.id(&engine, &["--build-arg", "https_proxy=http://two"]), id);
    assert_eq!(context.id(&engine, &[]), id);
    context
        .write("Dockerfile", "FROM hundredcounter\nARG https_proxy\nRUN echo $https_proxy > /p\n");
    let one = context.id(&engine, &["--build-arg", "https_proxy=http://one"]);
    assert!(history(&one).contains("http://one"));
    assert_ne!(context.id(&engine, &["--build-arg", "https_proxy=http://two"]), one);
}

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
        ("FROM hundredcounter\nRUN --mount=type=cache,target=/x true\n", "--mount of RUN"),
        ("FROM hundredcounter\nCOPY --from=nobody:none /a /b\n", "Dockerfile:2"),
        ("FROM hundredcounter\nEXPOSE http\n", "invalid containerPort: http"),
        ("FROM hundredcounter\nSTOPSIGNAL maybe\n", "invalid signal"),
        ("FROM hundredcounter\nCOPY --chown=ghost Dockerfile /x\n", "`ghost` is no user"),
        ("FROM hundredcounter\nCOPY --chmod=9 Dockerfile /x\n", "not the mode"),
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
fn a_base_is_a_name_or_a_whole_id_and_is_asked_for_where_wanted() {
    needs_root!();
    let engine = engine();
    let id = engine.ok(&["images", "-q", "--no-trunc"]);
    let short = &id.trim_start_matches("sha256:")[..12];
    let text = |from: &str| format!("FROM {from}\nENV A=1\n");
    assert_eq!(Context::new(&text(&id)).build(&engine, &[]).code, 0, "a whole id is an image");
    Context::new(&text(short)).fails(&engine, "no such image");
    let nobody = "127.0.0.1:1/base";
    Context::new(&text(nobody)).fails(&engine, nobody);
    engine.ok(&["tag", "hundredcounter", nobody]);
    assert_eq!(Context::new(&text(nobody)).build(&engine, &[]).code, 0, "it is here");
    let asked = Context::new(&text(nobody)).build(&engine, &["--pull"]);
    assert_eq!(asked.code, 1, "{}", asked.err);
    assert!(asked.err.contains("refused"), "the registry is asked: {}", asked.err);
}

#[test]
fn a_command_of_nothing_clears_that_of_the_base() {
    needs_root!();
    let engine = engine();
    let cleared = Context::new("FROM hundredcounter\nENTRYPOINT\nCMD\n").id(&engine, &[]);
    let format = "{{json .Config.Entrypoint}} {{json .Config.Cmd}}";
    assert_eq!(engine.ok(&["image", "inspect", "-f", format, &cleared]), "null null");
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

#[test]
fn copies_keep_what_the_image_has_in_place() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        "FROM hundredcounter\nRUN mkdir -m 750 /real && ln -s real /link && touch /real/old\n\
         COPY tree /link/\nCOPY tree /new\nCOPY tree/f /link\n",
    );
    context.write("tree/f", "f");
    let id = context.id(&engine, &[]);
    let seen = inside(&engine, &id, "readlink /link; ls /real; stat -c %a /real /new; cat /link/f");
    assert_eq!(seen, "real\nf\nold\n750\n755\nf");
    context.write("Dockerfile", "FROM hundredcounter\nRUN ln -s /etc /link\nCOPY over /\n");
    context.write("over/link/x", "x");
    context.fails(&engine, "cannot copy a directory over `/link`");
    context.write("Dockerfile", "FROM hundredcounter\nCOPY over2 /\n");
    context.write("over2/etc", "x");
    context.fails(&engine, "cannot copy a file over the directory `/etc`");
}

#[test]
fn triggers_of_the_base_are_done_by_the_build_above_it() {
    needs_root!();
    let engine = engine();
    let context =
        Context::new("FROM hundredcounter\nONBUILD COPY f /f\nONBUILD RUN echo triggered >> /f\n");
    context.id(&engine, &["-t", "base:1"]);
    assert_eq!(engine.ok(&["image", "inspect", "-f", "{{len .Config.OnBuild}}", "base:1"]), "2");
    context.write("f", "file\n");
    context.write("Dockerfile", "FROM base:1\nRUN echo after >> /f\n");
    let id = context.id(&engine, &[]);
    assert_eq!(inside(&engine, &id, "cat /f"), "file\ntriggered\nafter");
    assert_eq!(engine.ok(&["image", "inspect", "-f", "{{json .Config.OnBuild}}", &id]), "null");
}

#[test]
fn what_an_image_says_of_itself_finds_no_cached_step() {
    needs_root!();
    // CVE-2024-24557: two images that tell the same story, with other files.
    let engine = engine();
    let place = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let said = format!("echo {name} > /who");
        engine.ok(&["run", "--name", name, "hundredcounter", "sh", "-c", &said]);
        let tar = place.path().join(name);
        engine.ok(&["export", "-o", tar.to_str().unwrap(), name]);
        engine.ok(&["import", "-m", "the same", "-c", "CMD [\"sh\"]", tar.to_str().unwrap(), name]);
        let context = Context::new(&format!("FROM {name}\nRUN cp /who /copy\n"));
        context.id(&engine, &["-t", &format!("{name}:built")])
    };
    assert_ne!(make("one"), make("two"));
    assert_eq!(inside(&engine, "one:built", "cat /copy"), "one");
    assert_eq!(inside(&engine, "two:built", "cat /copy"), "two");
}

#[test]
fn an_image_of_nothing_can_be_filled() {
    let engine = TestEngine::empty();
    let context = Context::new("FROM scratch\nCOPY a b/ /dir/\nWORKDIR /w\nCMD [\"/dir/a\"]\n");
    context.write("a", "a");
    context.write("b/c", "c");
    let id = context.id(&engine, &["-t", "nothing:1"]);
    let facts = "{{len .RootFS.Layers}} {{.Os}} {{.Config.WorkingDir}} {{json .Config.Cmd}}";
    assert_eq!(engine.ok(&["image", "inspect", "-f", facts, &id]), "2 linux /w [\"/dir/a\"]");
    assert_eq!(context.id(&engine, &[]), id);
    let env = engine.ok(&["image", "inspect", "-f", "{{json .Config.Env}}", &id]);
    assert!(env.starts_with("[\"PATH=/usr/local/sbin:"), "{env}");
}

#[test]
fn a_base_is_pulled_and_what_is_built_upon_it_travels() {
    let test = "a_base_is_pulled_and_what_is_built_upon_it_travels";
    needs_root!(test);
    let Some(registry) = Registry::start(test, false) else { return };
    registry.put("hundredcounter.docker.tar", "team/base:1", &[]);
    let (base, app) = (registry.name("team/base:1"), registry.name("team/app:1"));
    let context = Context::new(&format!(
        "FROM {base} AS one\nRUN echo built > /built\nFROM scratch\nCOPY --from=one / /\n\
         COPY --from={base} /app/script.sh /second\nCMD [\"cat\", \"/built\"]\n"
    ));
    let engine = TestEngine::empty();
    let first = context.build(&engine, &["-t", &app, "--target", "one"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.err.contains("Pulling from team/base"), "{}", first.err);
    for target in [&["--target", "one"][..], &[]] {
        let id = context.id(&engine, &[&["-t", &app], target].concat());
        engine.ok(&["push", &app]);
        let other = TestEngine::empty();
        other.ok(&["pull", "-q", &app]);
        assert_eq!(other.ok(&["images", "-q", "--no-trunc"]), id);
        assert_eq!(other.ok(&["run", "--rm", &app, "cat", "/built"]), "built");
        let archive = context.at("saved.tar");
        engine.ok(&["save", "-o", archive.to_str().unwrap(), &app]);
        let to = format!("oci:{}", context.at("oci").display());
        let copied = std::process::Command::new("skopeo")
            .args(["copy", "-q", &format!("docker-archive:{}", archive.display()), &to])
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
    }
    let missing = Context::new(&format!("FROM {}\n", registry.name("team/none:1")));
    missing.fails(&engine, "Dockerfile:1: FROM");
}
