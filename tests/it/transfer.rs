//! `cp`: files into containers and out of them, whether they run or not.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// An engine with a directory `src` (`a`, `sub/b`, a link) beside its root, and two containers:
/// one runs, one rests.
fn engine() -> TestEngine {
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "runs", "host", "sleep", "1000"]);
    engine.ok(&["create", "--name", "rests", "host", "sleep", "1000"]);
    let src = engine.root().join("src");
    std::fs::create_dir_all(src.join("sub")).unwrap();
    std::fs::write(src.join("a"), "text of a\n").unwrap();
    std::fs::write(src.join("sub/b"), "b").unwrap();
    std::fs::set_permissions(src.join("a"), std::fs::Permissions::from_mode(0o751)).unwrap();
    std::os::unix::fs::chown(src.join("a"), Some(1234), Some(5)).unwrap();
    symlink("a", src.join("link")).unwrap();
    engine
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn cp_follows_dockers_rules_for_directories_and_slashes() {
    needs_root!();
    let engine = engine();
    let here = |path: &str| engine.root().join(path).to_string_lossy().into_owned();
    for name in ["runs", "rests"] {
        let there = |path: &str| format!("{name}:{path}");
        let put = |from: &str, to: &str| {
            engine.ok(&["cp", "-q", &here(from), &there(to)]);
        };
        let refused = |from: &str, to: &str, why: &str| {
            let error = engine.fails(&["cp", &here(from), &there(to)], 1);
            assert!(error.contains(why), "{from} to {to}: {error}");
        };
        put("src/a", "/tmp/new");
        put("src/a", "/tmp");
        put("src/a", "tmp/new");
        refused("src/a", "/tmp/none/", "must exist");
        refused("src/a", "/none/file", "no such file");
        refused("src/a", "/tmp/new/", "is not a directory");
        refused("src", "/tmp/new", "cannot copy a directory to the file");
        refused("gone", "/tmp", "could not find");
        put("src", "/tmp/made");
        put("src", "/tmp/made");
        put("src/.", "/tmp/made/sub");
        let back = here(&format!("back-{name}"));
        engine.ok(&["cp", "-q", &there("/tmp"), &back]);
        let back = Path::new(&back);
        for path in ["new", "a", "made/a", "made/src/a", "made/sub/a"] {
            assert_eq!(text(&back.join(path)), "text of a\n", "{path}");
        }
        assert_eq!(text(&back.join("made/src/sub/b")), "b");
        assert_eq!(std::fs::read_link(back.join("made/link")).unwrap(), Path::new("a"));
        let found = std::fs::metadata(back.join("new")).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (0o751, 0, 0));
        // The file itself, where the link is followed.
        engine.ok(&["cp", "-q", "-L", &there("/tmp/made/link"), &here(&format!("l-{name}"))]);
        assert_eq!(text(&engine.root().join(format!("l-{name}"))), "text of a\n");
        engine.ok(&["cp", "-q", "-a", &here("src/a"), &there("/tmp/owned")]);
        engine.ok(&["cp", "-q", "-a", &there("/tmp/owned"), &here(&format!("o-{name}"))]);
        let found = std::fs::metadata(engine.root().join(format!("o-{name}"))).unwrap();
        assert_eq!((found.uid(), found.gid()), (1234, 5));
        let error = engine.fails(&["cp", &there("/nope"), &here("x")], 1);
        assert!(error.contains("could not find `/nope`"), "{error}");
    }
    assert!(engine.fails(&["cp", "a", "b"], 1).contains("at least one container"));
    assert!(engine.fails(&["cp", "runs:/a", "rests:/b"], 1).contains("between containers"));
    // What was copied into one that rests is there when it starts.
    engine.ok(&["start", "rests"]);
    assert_eq!(engine.ok(&["exec", "rests", "cat", "/tmp/made/sub/b"]), "b");
    assert!(engine.ok(&["diff", "rests"]).contains("A /tmp/new"));
}

#[test]
fn cp_reads_and_writes_archives() {
    needs_root!();
    let engine = engine();
    let src = engine.root().join("src").to_string_lossy().into_owned();
    for name in ["runs", "rests"] {
        engine.ok(&["cp", "-q", &src, &format!("{name}:/opt-src")]);
        let tar = engine.command(&["cp", &format!("{name}:/opt-src"), "-"]).output().unwrap();
        assert!(tar.status.success());
        let ran = engine.run_with_input(&["cp", "-", &format!("{name}:/tmp")], &tar.stdout);
        assert!(ran.status.success(), "{ran:?}");
        let script = format!("print(read_file(\"{name}\", \"/tmp/opt-src/sub/b\"));");
        assert_eq!(engine.script(&script), "b");
        let ran =
            engine.run_with_input(&["cp", "-", &format!("{name}:/tmp/opt-src/a")], &tar.stdout);
        assert_eq!(ran.status.code(), Some(1), "an archive needs a directory");
    }
}

#[test]
fn cp_sees_mounts_of_a_container_that_runs() {
    needs_root!();
    let engine = engine();
    let out = engine.root().join("hosts").to_string_lossy().into_owned();
    engine.ok(&["cp", "-q", "runs:/etc/hosts", &out]);
    assert!(text(Path::new(&out)).contains("localhost"), "{}", text(Path::new(&out)));
    engine.ok(&["cp", "-q", &out, "runs:/dev/shm/x"]);
    assert!(engine.ok(&["exec", "runs", "cat", "/dev/shm/x"]).contains("localhost"));
    engine.fails(&["cp", "-q", &out, "runs:/sys/x"], 1);
}

#[test]
fn cp_reaches_volumes_and_binds_of_a_container_that_does_not_run() {
    needs_root!();
    let engine = engine();
    let here = |path: &str| engine.root().join(path).to_string_lossy().into_owned();
    let (bind, new) = (format!("{}:/bind", here("src")), format!("{}:/deep/new", here("new")));
    let gone = format!("type=bind,src={},dst=/gone", here("gone"));
    std::fs::create_dir(here("gone")).unwrap();
    let words = ["create", "--name", "cc", "-v", "filled:/usr/bin", "-v", "vv:/vol", "-v", &bind];
    let more = ["-v", &new, "--tmpfs", "/t", "--mount", &gone, "-v", "ro:/ro:ro"];
    engine.ok(&[&words[..], &more, &["host", "cat", "/vol/a", "/bind/in"]].concat());
    let (a, copied) = (here("src/a"), here("copied"));
    for at in ["vol", "bind/in", "usr/bin/added", "deep/new", "gone"] {
        engine.ok(&["cp", "-q", &a, &format!("cc:/{at}")]);
    }
    assert_eq!(text(Path::new(&here("src/in"))), "text of a\n");
    assert_eq!(text(Path::new(&here("new/a"))), "text of a\n");
    // A new volume was filled from the image before.
    engine.ok(&["cp", "-q", "cc:/usr/bin", &copied]);
    let names = std::fs::read_dir(&copied).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.collect();
    assert!(["sh", "cat", "added"].iter().all(|name| names.contains(&(*name).into())));
    // Nothing of it was written below the mounts, and nothing stays mounted.
    assert!(!engine.ok(&["diff", "cc"]).contains("/a"));
    let mounted = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounted.contains(&here("containers")), "{mounted}");
    assert_eq!(engine.ok(&["start", "-a", "cc"]), "text of a\ntext of a");
    engine.script("write_file(\"cc\", \"/vol/b\", read_file(\"cc\", \"/bind/sub/b\"))");
    assert_eq!(engine.ok(&["run", "--rm", "-v", "vv:/v", "host", "cat", "/v/b"]), "b");
    for (to, why) in [
        ("cc:/t/x", "`/t` of `cc` is a tmpfs"),
        ("cc:/ro/x", "read-only"),
        ("cc:/gone/x", "not exist"),
    ] {
        if to.contains("gone") {
            std::fs::remove_dir_all(here("gone")).unwrap();
        }
        let error = engine.fails(&["cp", "-q", &a, to], 1);
        assert!(error.contains(why), "{to}: {error}");
    }
    engine.ok(&["cp", "-q", "cc:/etc/passwd", &here("passwd")]);
}

#[test]
fn a_fifo_keeps_its_mode_in_both_directions() {
    needs_root!();
    let engine = engine();
    engine.ok(&["exec", "runs", "sh", "-c", "mkfifo -m 644 /p; chown 7:8 /p"]);
    let here = |path: &str| engine.root().join(path).to_string_lossy().into_owned();
    engine.ok(&["cp", "-q", "runs:/p", &here("p")]);
    assert_eq!(std::fs::symlink_metadata(here("p")).unwrap().mode(), libc::S_IFIFO | 0o644);
    std::fs::set_permissions(here("p"), std::fs::Permissions::from_mode(0o620)).unwrap();
    engine.ok(&["cp", "-q", "-a", &here("p"), "runs:/q"]);
    assert_eq!(engine.ok(&["exec", "runs", "stat", "-c", "%a %F", "/q"]), "620 fifo");
}

/// CVE-2018-15664: a link inside leads nowhere outside, also when it is swapped while it is used.
#[test]
fn cve_2018_15664_a_link_that_is_swapped_does_not_lead_out() {
    needs_root!();
    let engine = engine();
    let secret = engine.root().join("secret");
    std::fs::create_dir(&secret).unwrap();
    std::fs::write(secret.join("key"), "host's own").unwrap();
    let outside = secret.to_string_lossy().into_owned();
    let swap = format!(
        "mkdir -p /w/real; echo inside > /w/real/key; ln -s {outside} /w/evil; cp -a /w/real /w/at; \
         echo up > /up; while :; do mv -T /w/at /w/1; cp -P -r /w/evil /w/at; rm -rf /w/at; \
         mv -T /w/1 /w/at; done"
    );
    engine.ok(&["exec", "-d", "runs", "sh", "-c", &swap]);
    let up = || engine.run(&["exec", "runs", "cat", "/up"]).code == 0;
    assert!(crate::harness::wait_until(crate::harness::TIMEOUT, up));
    let file = engine.root().join("written").to_string_lossy().into_owned();
    std::fs::write(&file, "overwritten").unwrap();
    for n in 0..60 {
        let to = engine.root().join(format!("got{n}")).to_string_lossy().into_owned();
        engine.run(&["cp", "-q", "runs:/w/at/key", &to]);
        if let Ok(got) = std::fs::read_to_string(&to) {
            assert_eq!(got, "inside\n");
        }
        engine.run(&["cp", "-q", &file, "runs:/w/at/key2"]);
    }
    assert_eq!(std::fs::read_dir(&secret).unwrap().count(), 1, "something came out");
    assert_eq!(text(&secret.join("key")), "host's own");
    // A link that stays leads to the same path inside.
    let error = engine.fails(&["cp", "-q", "runs:/w/evil/key", &file], 1);
    assert!(error.contains("could not find"), "{error}");
}

#[test]
fn scripts_copy_read_and_write_files() {
    needs_root!();
    let engine = engine();
    let src = engine.root().join("src").to_string_lossy().into_owned();
    for name in ["runs", "rests"] {
        let out = engine.root().join(format!("out-{name}")).to_string_lossy().into_owned();
        let script = format!(
            "let c = container(\"{name}\");
             c.write_file(\"/tmp/x\", \"hello\").cp_to(\"{src}\", \"/tmp/s\");
             c.write_file(\"/tmp/x\", \"hello again\");
             print(c.read_file(\"/tmp/x\")); print(read_file(c, \"/tmp/s/a\"));
             c.cp_from(\"/tmp/s\", \"{out}\");
             for path in [\"/tmp\", \"/none\", \"/dev/zero\"] {{
                 try {{ c.read_file(path); }} catch (e) {{ print(e.kind); }}
             }}
             try {{ c.write_file(\"/none/x\", \"\"); }} catch (e) {{ print(e.kind); }}
             print(c.port().len());"
        );
        let expected = "hello again\ntext of a\n\ninvalid\nnot_found\n";
        let said = engine.script(&script);
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(text(Path::new(&out).join("sub/b").as_path()), "b");
    }
    assert_eq!(engine.ok(&["port", "runs"]), "");
    assert!(engine.fails(&["port", "runs", "80"], 1).contains("no public port '80/tcp'"));
    assert!(engine.fails(&["port", "runs", "x"], 1).contains("invalid port"));
}

#[test]
fn a_device_of_the_host_is_never_replaced() {
    use std::os::unix::fs::FileTypeExt;
    needs_root!();
    let engine = engine();
    let device = engine.root().join("device");
    let made = std::process::Command::new("mknod").arg(&device).args(["c", "1", "5"]).status();
    assert!(made.unwrap().success());
    let to = device.to_string_lossy();
    let said = engine.fails(&["cp", "runs:/etc/hostname", &to], 1);
    assert!(said.contains("must be a directory or a regular file"), "{said}");
    let script = format!("cp_from(\"runs\", \"/etc/hostname\", \"{to}\")");
    assert!(engine.fails(&["-e", &script], 1).contains("must be a directory or a regular file"));
    assert!(std::fs::symlink_metadata(&device).unwrap().file_type().is_char_device());
}

#[test]
fn files_of_a_container_that_starts_or_ends_at_this_moment_are_reached() {
    needs_root!();
    let engine = TestEngine::new();
    let out = engine.root().join("out").to_string_lossy().into_owned();
    let text = format!(
        "for n in 0..12 {{
             let c = run(\"host\", \"true\");
             switch n % 6 {{
                 0 => c.cp_to(\"/etc/hostname\", \"/y\"),
                 1 => c.write_file(\"/y\", \"text\"),
                 2 => c.read_file(\"/etc/passwd\"),
                 3 => c.cp_from(\"/etc/passwd\", \"{out}\"),
                 4 => c.diff(),
                 5 => export_tar(c, \"{out}.tar\"),
             }}
             c.wait();
             if n % 6 == 1 {{ print(c.read_file(\"/y\")); }}
             c.rm();
         }}
         let c = create(\"host\", #{{ cmd: \"true\" }});
         parallel([
             || for n in 0..30 {{ c.start(); }},
             || for n in 0..30 {{ c.write_file(\"/n\", `${{n}}`); if c.read_file(\"/n\") != `${{n}}` {{ throw n; }} }},
         ]);
         print(c.read_file(\"/n\"));"
    );
    assert_eq!(engine.script(&text), "text\ntext\n29");
}

#[test]
fn a_file_call_on_a_container_that_has_gone_says_so() {
    needs_root!();
    let engine = TestEngine::new();
    let text = "for n in 0..12 {
            let c = run(\"host\", \"true\", #{ rm: true });
            try {
                switch n % 3 { 0 => c.write_file(\"/y\", \"x\"), 1 => c.diff(), 2 => c.cp_to(\"/etc/hostname\", \"/y\") }
            } catch (e) {
                if e.kind != \"not_found\" || e.container == () { throw; }
                if !e.message.contains(\"container\") { throw; }
            }
        }";
    engine.script(text);
    assert!(wait_until(TIMEOUT, || engine.ok(&["ps", "-aq"]).is_empty()));
}
