//! How root file systems are made: stacked by overlay, or copied (`vfs`).

use std::process::{Command, Stdio};

use crate::harness::{CommandOutput, LIFEBOX, TIMEOUT, TestEngine, wait_until};
use crate::runtimetest::{check_mounts, check_process};
use crate::user::User;
use crate::{needs_root, needs_users};

/// Layers that hide a file, a directory and a part of one, and bring two names of a file.
const DOCKERFILE: &str = "FROM hundredcounter\n\
    RUN mkdir -p /a/b /gone && echo 1 > /a/low && echo 1 > /a/b/low && echo 1 > /a/own && echo 1 > /gone/x && \
        mkfifo /a/pipe && ln -s low /a/link && chmod 2751 /a/b && chown 5:6 /a/low\n\
    RUN rm -r /gone /a/b && mkdir /a/b && echo two > /a/b/one && ln /a/b/one /a/b/two && \
        rm /etc/hostname; true\n";

/// What containers of these tests do to their files. Where a file has several names below, overlay
/// would change one of them alone (overlayfs.rst, "Non-standard behavior"), and a copy all.
const CHANGES: &str = "echo new > /new; echo more >> /a/low; rm /a/link; chmod 600 /a/own; \
    mkdir -p /made/deep; mknod /tmp/pipe p; mv /a/pipe /moved; ln /a/low /a/low2";

/// An engine with one driver.
struct Stored {
    engine: TestEngine,
    driver: &'static str,
}

impl Stored {
    /// Without containers, but with an image of three layers, `layers`.
    fn new(driver: &'static str) -> Self {
        let stored = Stored { engine: TestEngine::new(), driver };
        let context = stored.engine.root().join("context");
        std::fs::create_dir(&context).unwrap();
        std::fs::write(context.join("Dockerfile"), DOCKERFILE).unwrap();
        stored.ok(&["build", "-q", "-t", "layers", context.to_str().unwrap()]);
        stored
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.engine.command(arguments);
        command.env("LIFEBOX_STORAGE_DRIVER", self.driver);
        command
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let ran = CommandOutput::from(self.command(arguments).output().unwrap());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.out.trim_end().to_owned()
    }

    /// All files of a container, as GNU tar lists its export; without times.
    fn exported(&self, container: &str) -> Vec<String> {
        let file = self.engine.root().join("export.tar");
        self.ok(&["export", "-o", file.to_str().unwrap(), container]);
        let listed = Command::new("tar").args(["--numeric-owner", "-tvf"]).arg(&file).output();
        let text = String::from_utf8(listed.unwrap().stdout).unwrap();
        let without_time = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            [&words[..3], &words[5..]].concat().join(" ")
        };
        text.lines().map(without_time).collect()
    }
}

#[test]
fn a_copied_root_is_what_an_overlay_shows() {
    needs_root!();
    let printed = ["overlay", "vfs"].map(|driver| {
        let stored = Stored::new(driver);
        stored.ok(&["run", "--name", "web", "layers", "sh", "-c", CHANGES]);
        let diff = stored.ok(&["diff", "web"]);
        let size = stored.ok(&["system", "df", "-v"]);
        let size = size.lines().find(|line| line.ends_with(" web")).unwrap().to_owned();
        let size = size.split_whitespace().find(|word| word.ends_with('B')).unwrap().to_owned();
        let exported = stored.exported("web");
        stored.ok(&["commit", "web", "changed"]);
        stored.ok(&["create", "--name", "again", "changed"]);
        (diff, size, exported, stored.exported("again"))
    });
    let [overlay, vfs] = printed;
    assert_eq!(overlay.0, vfs.0);
    assert!(vfs.0.contains("D /a/link") && vfs.0.contains("A /made/deep"), "{}", vfs.0);
    assert_eq!(overlay.1, vfs.1);
    assert_eq!(overlay.2, vfs.2);
    assert_eq!(overlay.3, vfs.3);
    assert!(!vfs.2.iter().any(|line| line.contains("gone")), "{:?}", vfs.2);
    assert!(vfs.2.contains(&"-rw-r--r-- 5/6 7 a/low".to_owned()), "{:?}", vfs.2);
    assert!(vfs.2.iter().any(|line| line.contains(" link to a/b/one")), "{:?}", vfs.2);
}

#[test]
fn a_container_keeps_the_driver_it_was_made_with() {
    needs_root!();
    let stored = Stored::new("vfs");
    assert!(stored.ok(&["info"]).contains("Storage Driver: vfs\n"));
    assert!(stored.engine.ok(&["info"]).contains("Storage Driver: overlay2\n"));
    stored.ok(&["create", "--name", "web", "layers", "cat", "/a/b/one", "/mine"]);
    let root = stored.engine.container_directory("web").join("rootfs");
    assert!(root.join("a/b/one").exists());
    // From here on with the other one.
    let engine = &stored.engine;
    assert_eq!(engine.get("web", "{{.Driver}} {{.GraphDriver.Name}}"), "vfs vfs");
    let file = engine.root().join("file");
    std::fs::write(&file, "copied\n").unwrap();
    engine.ok(&["cp", file.to_str().unwrap(), "web:/mine"]);
    assert_eq!(engine.ok(&["start", "-a", "web"]), "two\ncopied");
    assert_eq!(engine.ok(&["diff", "web"]), "A /mine");
    engine.ok(&["run", "--name", "other", "layers", "true"]);
    assert_eq!(engine.get("other", "{{.GraphDriver.Name}}"), "overlay2");
    // A damaged record is still measured, as all that is there, and removed.
    std::fs::write(engine.container_directory("web").join("spec.json"), "{").unwrap();
    engine.ok(&["system", "df"]);
    engine.ok(&["rm", "-f", "web"]);
    assert!(!root.exists());
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    needs_root!();
    let stored = Stored::new("vfs");
    stored.ok(&["create", "--name", "web", "layers"]);
    let again = stored.command(&["create", "--name", "web", "layers"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    // The next one may not write a file to its end, and may not raise the limit.
    const LIMITED: &str = r#"ulimit -f 100; exec setpriv --bounding-set -sys_resource "$@""#;
    let mut limited = stored.engine.shell("sh");
    limited.args(["-c", LIMITED, "sh", LIFEBOX, "create", "layers"]);
    let broken = limited.env("LIFEBOX_STORAGE_DRIVER", "vfs").output().unwrap();
    assert!(!broken.status.success(), "{broken:?}");
    assert_eq!(stored.ok(&["ps", "-aq"]).lines().count(), 1);
    stored.ok(&["rm", &stored.ok(&["create", "layers"])]);
    for (place, count) in [("staging", 0), ("containers", 1), ("removing", 0)] {
        let found = std::fs::read_dir(stored.engine.root().join(place)).unwrap().count();
        assert_eq!(found, count, "{place}");
    }
}

#[test]
fn an_unknown_driver_is_refused_by_name() {
    needs_root!();
    let engine = TestEngine::new();
    let mut command = engine.command(&["create", "hundredcounter"]);
    let ran = CommandOutput::from(command.env("LIFEBOX_STORAGE_DRIVER", "zfs").output().unwrap());
    assert!(ran.code != 0, "{ran:?}");
    for part in ["LIFEBOX_STORAGE_DRIVER", "unknown storage driver `zfs`", "vfs, which copies"] {
        assert!(ran.err.contains(part), "no {part:?} in {}", ran.err);
    }
}

#[test]
fn the_driver_can_be_said_before_a_verb_and_after_it() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["--storage-driver", "vfs", "create", "--name", "one", "hundredcounter"]);
    engine.ok(&["create", "--storage-driver=vfs", "--name", "two", "hundredcounter"]);
    engine.ok(&["--storage-driver=vfs", "-e", "create(`hundredcounter`, #{ name: `three` })"]);
    for name in ["one", "two", "three"] {
        assert_eq!(engine.get(name, "{{.Driver}}"), "vfs", "{name}");
    }
}

#[test]
fn roots_are_copied_where_the_kernel_stacks_nothing_for_root_either() {
    needs_root!();
    let engine = TestEngine::new();
    // The kernel stacks no overlay on another. Mounted for this shell alone.
    let program = format!(
        "set -e; cd $LIFEBOX_ROOT; mkdir low up work on; \
         mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay on; \
         export LIFEBOX_ROOT=$LIFEBOX_ROOT/on; lifebox() {{ {LIFEBOX} \"$@\"; }}; \
         lifebox run --name web host sh -c 'echo it runs > /new; cat /new'; \
         lifebox inspect --format '{{{{.Driver}}}}' web; lifebox diff web; lifebox rm web; \
         lifebox info | grep -e Driver -e warning; \
         lifebox --storage-driver overlay2 run --rm host true || echo $?"
    );
    let ran = CommandOutput::from(
        engine.shell("unshare").args(["-m", "sh", "-c", &program]).output().unwrap(),
    );
    let parts = [
        "it runs\nvfs\nA /new\nweb\n",
        "Storage Driver: vfs\n",
        "overlay does not work on this store",
    ];
    for part in parts {
        assert!(ran.out.contains(part), "no {part:?} in {ran:?}");
    }
    assert!(ran.out.ends_with("125\n") && ran.err.contains("--storage-driver vfs"), "{ran:?}");
}

#[test]
fn an_ordinary_user_whose_files_are_on_an_overlay_gets_copies() {
    needs_users!("an_ordinary_user_whose_files_are_on_an_overlay_gets_copies");
    let user = User::new("copies", true);
    assert!(user.ok("lifebox info").contains("Storage Driver: overlay2\n"));
    // The kernel stacks no overlay on another. Mounted for these commands alone.
    let place = user.place.path().display();
    let on_overlay = |program: &str| {
        let mount = format!(
            "set -e; mkdir -p {place}/top {place}/work; chown --reference={home} {place}/top; \
             mount -t overlay overlay -o lowerdir={home},upperdir={place}/top,workdir={place}/work \
             {home}; cd {home}; exec \"$@\"",
            home = user.home().display()
        );
        let inner = user.shell(program);
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &mount, "sh"]).arg(inner.get_program());
        command.args(inner.get_args()).stdin(Stdio::null()).env_clear();
        for (key, value) in inner.get_envs() {
            command.env(key, value.unwrap_or_default());
        }
        let ran = CommandOutput::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{program}: {}{}", ran.out, ran.err);
        ran.out.trim_end().to_owned()
    };
    let said = on_overlay(
        "lifebox info | grep -o 'Storage Driver.*'; \
         lifebox run --name web host sh -c 'echo it runs > /new; cat /new; stat -c %u:%g /new'; \
         lifebox inspect --format '{{.GraphDriver.Name}}' web; lifebox diff web; \
         lifebox commit web mine >/dev/null; lifebox run --rm mine cat /new; \
         lifebox rm web; find .local/share/lifebox/staging .local/share/lifebox/containers -mindepth 1 | wc -l",
    );
    let lines: Vec<&str> = said.lines().collect();
    let expected =
        ["Storage Driver: vfs", "it runs", "0:0", "vfs", "A /new", "it runs", "web", "0"];
    assert_eq!(lines, expected);
    assert!(wait_until(TIMEOUT, || user.monitors() == 0));
}

/// The probe in a container of an ordinary user's.
#[track_caller]
fn check_probed(name: &str, subordinate_ids: bool) {
    let user = User::new(name, subordinate_ids);
    for driver in ["overlay", "vfs"] {
        let found = user.ok(&format!(
            "export LIFEBOX_STORAGE_DRIVER={driver}; \
             lifebox create --name probed -h inner -w / --entrypoint /lifebox-runtimetest host >&2; \
             lifebox cp $(command -v lifebox) probed:/lifebox-runtimetest >&2; \
             lifebox start -a probed; lifebox rm probed >&2"
        ));
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        check_process(&found, &["time", "time_for_children"]);
        check_mounts(&found, &["null", "zero", "full", "random", "urandom", "tty"]);
    }
}

#[test]
fn an_ordinary_user_with_subordinate_ids_is_confined_as_the_tables_say() {
    needs_users!("an_ordinary_user_with_subordinate_ids_is_confined_as_the_tables_say");
    check_probed("tables", true);
}

#[test]
fn an_ordinary_user_without_subordinate_ids_is_confined_as_the_tables_say() {
    needs_users!("an_ordinary_user_without_subordinate_ids_is_confined_as_the_tables_say");
    check_probed("alone", false);
}

#[test]
fn many_find_out_at_once_how_the_first_roots_are_made() {
    needs_root!();
    for _ in 0..10 {
        let engine = TestEngine::new();
        let script = r#"
            parallel([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], |n| create("host"));
            print(ps(#{ all: true }).len);"#;
        assert_eq!(engine.script(script).trim_end(), "12");
        let names =
            std::fs::read_dir(engine.root()).unwrap().flatten().map(|entry| entry.file_name());
        let kept = names.filter(|name| name.to_string_lossy().starts_with("storage-driver"));
        assert_eq!(kept.count(), 1);
    }
}
