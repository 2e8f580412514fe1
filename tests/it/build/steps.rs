//! Images built step by step in scripts.

use std::time::{Duration, Instant};

use super::context::{Context, inside};
use crate::commit::engine;
use crate::needs_root;

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
