//! The store of images as its users see it: names, histories, sizes, and what goes.

use crate::harness::{LIFEBOX, TestEngine, fixture};
use crate::needs_root;

/// An engine with Docker's `hundredcounter` alone.
fn loaded() -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine
}

/// The lines of a table without its heading, their cells joined by one space.
fn rows(table: &str) -> Vec<String> {
    let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    table.lines().skip(1).map(cells).collect()
}

#[test]
fn a_relative_root_is_one_store_from_wherever_it_is_named() {
    needs_root!();
    let engine = TestEngine::new();
    let name = engine.root().file_name().unwrap().to_str().unwrap().to_owned();
    let above = engine.root().parent().unwrap().to_owned();
    let said = |words: &[&str], root: Option<&str>| {
        let mut command = engine.command(words);
        if let Some(root) = root {
            command.env("LIFEBOX_ROOT", root);
        }
        let ran = command.current_dir(&above).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {ran:?}");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    assert_eq!(said(&["--root", &name, "run", "--rm", "host", "echo", "ran"], None), "ran\n");
    said(&["run", "-d", "--name", "cc", "host", "sleep", "60"], Some(&format!("./{name}")));
    assert_eq!(engine.ok(&["exec", "cc", "echo", "reached"]), "reached");
    let script = "print(run(\"host\", [\"true\"]).wait());";
    assert_eq!(said(&["--root", &name, "-e", script], None), "0\n");
    engine.ok(&["rm", "-f", "cc"]);
}

#[test]
fn an_image_has_as_many_names_as_it_is_given() {
    let engine = loaded();
    let id = engine.ok(&["images", "-q"]);
    assert_eq!(engine.ok(&["tag", "hundredcounter", "team/counter:1"]), "");
    engine.ok(&["image", "tag", &id, "other"]);
    let listed = engine.ok(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["hundredcounter:latest", "other:latest", "team/counter:1"]);
    for (pattern, count) in [("other", 1), ("team/counter:2", 0), ("*/*", 1), ("*counter", 1)] {
        let found = engine.ok(&["images", "-q", pattern]);
        assert_eq!(found.lines().count(), count, "{pattern}");
    }
    let error = engine.fails(&["tag", "nosuch", "x"], 1);
    assert!(error.contains("no such image: `nosuch`"), "{error}");
    let error = engine.fails(&["tag", "other", "Bad:Name"], 1);
    let lower = "invalid reference format: repository name (library/Bad) must be lowercase";
    assert!(error.contains(lower), "{error}");
    // A text that cannot be a name is refused as such by all verbs.
    for (text, why) in [("Bad", lower), ("x@foo", "invalid reference format"), ("x:.y", "format")] {
        let script = format!("image(\"{text}\")");
        let verbs: [(&[&str], i32); 8] = [
            (&["run", "--rm", text], 125),
            (&["create", text], 1),
            (&["pull", text], 1),
            (&["rmi", "-f", text], 1),
            (&["tag", text, "y"], 1),
            (&["history", text], 1),
            (&["build", "-t", text, "."], 125),
            (&["-e", &script], 1),
        ];
        for (words, code) in verbs {
            let error = engine.fails(words, code);
            assert!(error.contains(why) && !error.contains("no such image"), "{words:?}: {error}");
        }
        assert!(engine.fails(&["inspect", text], 1).contains("no such object"));
    }
    let error = engine.fails(&["tag", "other", &format!("x@sha256:{}", "a".repeat(64))], 1);
    assert!(error.contains("digest reference"), "{error}");
    assert_eq!(engine.ok(&["rmi", "other"]), "Untagged: other:latest");
}

#[test]
fn the_verbs_are_typed_into_the_repl_too() {
    let engine = loaded();
    let typed = b"tag hundredcounter team/a:1\nimages -q team/a\nhistory -q team/a:1\n\
        image(\"team/a:1\").tag(\"b\").tags\nsystem df\nimage prune -f\n";
    let output = engine.run_with_input(&[], typed);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    for expected in ["\n078e30f45608\n<missing>", "\"b:latest\"", "RECLAIMABLE", "space: 0B"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}

#[test]
fn the_history_is_dockers() {
    let engine = loaded();
    // As `docker history` of Docker 20.10.24 shows the same archive.
    let shown =
        engine.ok(&["history", "--format", "{{.ID}}|{{.CreatedBy}}|{{.Size}}", "hundredcounter"]);
    let shown: Vec<&str> = shown.lines().collect();
    assert_eq!(shown.len(), 10, "{shown:#?}");
    assert_eq!(shown[0], "078e30f45608|/bin/sh -c #(nop)  CMD [\"/app/script.sh\"]|0B");
    assert_eq!(shown[4], "<missing>|/bin/sh -c #(nop)  LABEL org.opencontainers.…|0B");
    assert_eq!(shown[6], "<missing>|/bin/sh -c printf '#!/bin/sh\\n# counts to 10…|144B");
    let ids = engine.ok(&["image", "history", "-q", "--no-trunc", "hundredcounter"]);
    assert!(ids.starts_with("sha256:078e30f45608") && ids.ends_with("<missing>"), "{ids}");
    let table = engine.ok(&["history", "-H=false", "hundredcounter"]);
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["IMAGE", "CREATED", "AT", "CREATED", "BY", "SIZE", "COMMENT"]);
    assert!(rows(&table)[0].starts_with("078e30f45608 2026-11-23T"), "{table}");
    let total = r#"let sum = 0; for step in history("hundredcounter") { sum += step.size; } print(sum == image("hundredcounter").size)"#;
    assert_eq!(engine.script(total), "true");
    engine.fails(&["history", "nosuch"], 1);
}

#[test]
fn images_are_found_by_what_they_are() {
    let engine = loaded();
    engine.script("image(\"host\")");
    let count = |filters: &[&str]| {
        let mut words = vec!["images", "-q"];
        filters.iter().for_each(|filter| words.extend(["--filter", filter]));
        engine.ok(&words).lines().count()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["dangling=true"]), 0);
    assert_eq!(count(&["dangling=false"]), 2);
    assert_eq!(count(&["label=org.opencontainers.image.title"]), 2);
    assert_eq!(count(&["label=org.opencontainers.image.title=hundredcounter"]), 1);
    assert_eq!(count(&["label=org.opencontainers.image.title", "label=x"]), 0);
    assert_eq!(count(&["reference=hundred*"]), 1);
    assert_eq!(count(&["before=host"]) + count(&["since=host"]), 1);
    assert_eq!(count(&["since=hundredcounter", "before=hundredcounter"]), 0);
    let error = engine.fails(&["images", "--filter", "labell=x"], 1);
    assert!(error.contains("did you mean `label`?"), "{error}");
    engine.fails(&["images", "--filter", "since=nosuch"], 1);

    let script = r#"
        let all = images().len;
        let labelled = images(#{ label: "org.opencontainers.image.title=hundredcounter" });
        let named = images(#{ name: ["hundred*", "nosuch"] });
        print(`${all} ${labelled} ${named == labelled} ${images(#{ dangling: true }).len}`);
    "#;
    assert_eq!(engine.script(script), "2 [Image(\"hundredcounter:latest\", 078e30f45608)] true 0");
    let error = engine.fails(&["-e", "images(#{ danglign: true })"], 1);
    assert!(error.contains("did you mean `dangling`?"), "{error}");
}

#[test]
fn a_moved_tag_leaves_a_dangling_image_that_prune_takes() {
    let engine = loaded();
    engine.script("image(\"host\")");
    engine.ok(&["tag", "host", "hundredcounter"]);
    let dangling = engine.ok(&["images", "--filter", "dangling=true", "--digests"]);
    assert!(rows(&dangling)[0].starts_with("<none> <none> <none> 078e30f45608 "), "{dangling}");
    let used = "{{.Type}} {{.TotalCount}} {{.Size}}";
    let before = engine.ok(&["system", "df", "--format", used]);
    assert!(before.starts_with("Images 2 "), "{before}");

    // No answer is a no.
    let asked = engine.ok(&["image", "prune"]);
    assert!(asked.ends_with("Are you sure you want to continue? [y/N]"), "{asked}");
    let said = engine.script("print(prune_images(#{ dry_run: true }).images)");
    assert_eq!(said, "1");
    let pruned = engine.ok(&["image", "prune", "-f"]);
    assert!(pruned.starts_with("Deleted Images:\ndeleted: sha256:078e30f45608"), "{pruned}");
    assert!(pruned.lines().last().unwrap().starts_with("Total reclaimed space: "), "{pruned}");
    assert_eq!(engine.ok(&["images", "--filter", "dangling=true", "-q"]), "");
    assert_eq!(engine.ok(&["image", "prune", "-f"]), "Total reclaimed space: 0B");
    assert!(engine.ok(&["system", "df", "--format", used]).starts_with("Images 1 "));
}

#[test]
fn pruning_asks_on_a_terminal() {
    let engine = loaded();
    let answered = |answer: &str| {
        let ours = engine.command(&[]);
        let mut command = std::process::Command::new(LIFEBOX);
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "dumb").args(["image", "prune", "-a"]);
        let mut terminal = rexpect::session::spawn_command(command, Some(30_000)).unwrap();
        terminal.exp_string("WARNING! This will remove all images").unwrap();
        terminal.exp_string("1 image, ").unwrap();
        terminal.exp_string("hundredcounter:latest").unwrap();
        terminal.exp_string("[y/N] ").unwrap();
        terminal.send_line(answer).unwrap();
        terminal.exp_eof().unwrap()
    };
    answered("n");
    assert_eq!(engine.ok(&["images", "-q"]).lines().count(), 1);
    answered("");
    assert_eq!(engine.ok(&["images", "-q"]).lines().count(), 1);
    let said = answered("y");
    assert!(said.contains("untagged: hundredcounter:latest"), "{said}");
    assert_eq!(engine.ok(&["images", "-q"]), "");
}

#[test]
fn pruning_spares_what_containers_use() {
    needs_root!();
    let engine = loaded();
    engine.ok(&["create", "--name", "box", "hundredcounter"]);
    for arguments in [&["image", "prune", "-f"][..], &["image", "prune", "-a", "-f"]] {
        assert_eq!(engine.ok(arguments), "Total reclaimed space: 0B");
    }
    let df = engine.ok(&["system", "df", "-v"]);
    assert!(df.contains("hundredcounter") && df.contains("box"), "{df}");
    let shared =
        r#"let i = image("hundredcounter"); print(`${i.shared_size} ${i.unique_size == i.size}`)"#;
    assert_eq!(engine.script(shared), "0 true");
    assert!(engine.ok(&["container", "prune"]).contains("to be freed: box"));
    assert_eq!(
        engine.ok(&["container", "prune", "-f", "--filter", "label=x"]),
        "Total reclaimed space: 0B"
    );
    engine.ok(&["run", "-d", "--name", "live", "hundredcounter", "sleep", "300"]);
    engine.ok(&["start", "box"]);
    engine.ok(&["kill", "box"]);
    let pruned = engine.ok(&["container", "prune", "-f"]);
    assert!(pruned.starts_with("Deleted Containers:\n"), "{pruned}");
    assert_eq!(
        (engine.status("box").as_str(), engine.status("live").as_str()),
        ("gone", "running")
    );
    engine.ok(&["rm", "-f", "live"]);
    let pruned = engine.ok(&["image", "prune", "-a", "-f"]);
    assert!(pruned.contains("untagged: hundredcounter:latest"), "{pruned}");
}

#[test]
fn the_steps_of_a_build_are_kept_out_of_sight_until_nobody_needs_them() {
    let engine = loaded();
    let built = r#"image("hundredcounter").with_env("A", "1").with_workdir("/x").commit("mine:1")"#;
    engine.script(built);
    assert_eq!(engine.ok(&["images", "-q"]).lines().count(), 2);
    let all = engine.ok(&["images", "-a", "--format", "{{.Repository}}"]);
    assert_eq!(all.lines().filter(|name| *name == "<none>").count(), 1, "{all}");
    let ids = engine.ok(&["history", "-q", "mine:1"]);
    let known: Vec<bool> = ids.lines().map(|id| id != "<missing>").collect();
    assert_eq!(known[..4], [true, true, true, false], "the images below are named: {ids}");
    assert_eq!(engine.ok(&["image", "prune", "-f"]), "Total reclaimed space: 0B");
    engine.ok(&["rmi", "mine:1"]);
    let pruned = engine.ok(&["image", "prune", "-f"]);
    assert!(pruned.contains("deleted: sha256:"), "{pruned}");
    assert_eq!(engine.ok(&["images", "-a", "--format", "{{.Repository}}"]), "hundredcounter");
}
