//! What Dockerfiles, and the flags of `build`, make of an image.

use std::time::{Duration, Instant};

use super::context::{Context, inside};
use crate::commit::engine;
use crate::harness::TestEngine;
use crate::needs_root;
use crate::peers_registry::Registry;

#[test]
fn paths_may_go_up_inside_the_context_and_the_dockerfile_may_be_in_lower_case() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nCOPY ./d/sub/../f d/../d/f* /x/\n");
    context.write("d/f", "of d");
    std::fs::rename(context.at("Dockerfile"), context.at("dockerfile")).unwrap();
    let image = context.id(&engine, &[]);
    assert_eq!(inside(&engine, &image, "cat /x/f"), "of d");
    context.write("Dockerfile", "FROM hundredcounter\nCOPY d/../../f /x\n");
    context.fails(&engine, "forbidden path outside the build context");
    context.write("Dockerfile", "FROM hundredcounter\nCMD [\"a\", 1]\n");
    context.fails(&engine, "has strings only, got `1`");
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
    assert!(shown.contains("[\"CMD-SHELL\",\"true\"]") && shown.contains("4"), "{shown}");

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
