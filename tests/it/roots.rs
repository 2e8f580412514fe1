//! Which directory may be a store: none that another user owns or could replace, and all usual
//! ones.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

const NOBODY: u32 = 65534;

/// A directory that both root and `nobody` can reach, with the program in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        set_mode(place.path(), 0o755);
        // By another process: were this one to write it, a test that forks at this moment would
        // hold it open for writing, and it could not be run.
        let copied = Command::new("cp").arg(LIFEBOX).arg(place.path()).status().unwrap();
        assert!(copied.success());
        Place(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A new directory with this owner.
    fn dir(&self, name: &str, owner: u32) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir(&path).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        path
    }

    fn run_as(&self, user: u32, root: &Path, words: &[&str]) -> CommandOutput {
        let mut command = Command::new(self.path("lifebox"));
        command.arg("--root").arg(root).args(words).env_clear().current_dir("/");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if user != 0 {
            std::os::unix::process::CommandExt::uid(&mut command, user);
            std::os::unix::process::CommandExt::gid(&mut command, user);
        }
        CommandOutput::from(command.output().unwrap())
    }

    #[track_caller]
    fn accepts(&self, user: u32, root: &Path) {
        let ran = self.run_as(user, root, &["volume", "create", "made"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "made\n"), "{}: {}", root.display(), ran.err);
        let ran = self.run_as(user, root, &["volume", "rm", "made"]);
        assert_eq!(ran.code, 0, "{}: {}", root.display(), ran.err);
    }

    #[track_caller]
    fn refuses(&self, user: u32, root: &Path, reasons: &[&str]) {
        let before = contents(self.0.path());
        for words in [&["ps"][..], &["volume", "create", "made"], &["images"]] {
            let ran = self.run_as(user, root, words);
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}: {ran:?}", root.display());
            for reason in reasons.iter().chain(&["hint: ", "--root"]) {
                assert!(ran.err.contains(reason), "{words:?}: no {reason:?} in {}", ran.err);
            }
        }
        assert_eq!(before, contents(self.0.path()), "{}", root.display());
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// All below a directory, with owners.
fn contents(path: &Path) -> String {
    let listed = Command::new("find").arg(path).args(["-printf", "%p %u %y %m\n"]).output();
    String::from_utf8(listed.unwrap().stdout).unwrap()
}

const OF_NOBODY: &str = "belongs to user 65534 (`nobody`)";
const OF_ROOT: &str = "belongs to user 0 (`root`)";

#[test]
fn a_directory_of_another_user_is_not_a_store_of_ones_own() {
    needs_root!();
    let place = Place::new();
    let empty = place.dir("empty", NOBODY);
    place.refuses(0, &empty, &[OF_NOBODY, "sudo -u nobody lifebox"]);
    for name in ["removing", "staging"] {
        place.dir(&format!("empty/{name}"), NOBODY);
    }
    place.refuses(0, &empty, &[OF_NOBODY]);
    place.refuses(0, &empty.join("deep/missing"), &["is in", OF_NOBODY]);
    place.refuses(NOBODY, &place.dir("of-root", 0), &[OF_ROOT, "sudo lifebox"]);
}

#[test]
fn a_store_of_ones_own_has_nothing_of_another_user() {
    needs_root!();
    let place = Place::new();
    for name in ["images", "containers", "volumes", "names", "staging", "removing", "builds"] {
        let root = place.dir(&format!("with-{name}"), 0);
        place.dir(&format!("with-{name}/{name}"), NOBODY);
        place.refuses(0, &root, &[&format!("with-{name}/{name}`"), OF_NOBODY]);
    }
    for name in ["init", "events.jsonl", "use.lock", "namespace"] {
        let root = place.dir(&format!("with-{name}"), 0);
        std::fs::write(root.join(name), "").unwrap();
        chown(root.join(name), Some(NOBODY), None).unwrap();
        place.refuses(0, &root, &[&format!("with-{name}/{name}`"), OF_NOBODY]);
    }
    // Behind a link of root's.
    let (root, other) = (place.dir("linked", 0), place.dir("other", NOBODY));
    symlink(&other, root.join("volumes")).unwrap();
    place.refuses(0, &root, &["/other`", OF_NOBODY]);
}

#[test]
fn no_root_is_inside_a_store() {
    needs_root!();
    let place = Place::new();
    let foreign = place.dir("foreign", NOBODY);
    let own = place.dir("own", 0);
    for (user, root) in [(NOBODY, &foreign), (0, &own)] {
        let made = place.run_as(user, root, &["volume", "create", "vol"]);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    for name in ["volumes/vol/_data/x", "volumes/vol/_data", "volumes", "containers", "new"] {
        place.refuses(0, &foreign.join(name), &["/foreign`", OF_NOBODY]);
    }
    // What a container writes is not safe as a store, though it belongs to root.
    for name in ["volumes/vol/_data/x", "volumes/vol/_data", "volumes", "containers"] {
        let inside = format!("is inside the store `{}`", own.display());
        place.refuses(0, &own.join(name), &[&inside]);
    }
    place.accepts(0, &own.join("new"));
}

#[test]
fn no_other_user_can_put_another_directory_in_the_place_of_a_store() {
    needs_root!();
    let place = Place::new();
    // A directory of root's in a home: its owner may rename the directory.
    let home = place.dir("home", NOBODY);
    let root = place.dir("home/store", 0);
    place.refuses(0, &root, &["is in", "/home`", OF_NOBODY]);
    place.accepts(NOBODY, &home.join("own"));
    // As for git, who came by sudo counts as root.
    let mut by_sudo = Command::new(place.path("lifebox"));
    by_sudo.arg("--root").arg(&root).args(["volume", "ls", "-q"]).env("SUDO_UID", "65534");
    let ran = CommandOutput::from(by_sudo.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.err);
    // A directory that all write, without the sticky bit and with it.
    let shared = place.dir("shared", 0);
    set_mode(&shared, 0o777);
    for user in [0, NOBODY] {
        place.refuses(user, &shared.join("x"), &["other users may write", "chmod go-w"]);
    }
    set_mode(&shared, 0o1777);
    for user in [0, NOBODY] {
        place.refuses(user, &shared, &["/shared`"]);
        place.accepts(user, &shared.join(user.to_string()));
    }
    // A link there belongs to who has made it.
    symlink(place.dir("target", 0), shared.join("link")).unwrap();
    place.accepts(0, &shared.join("link"));
    std::os::unix::fs::lchown(shared.join("link"), Some(NOBODY), None).unwrap();
    place.refuses(0, &shared.join("link"), &["behind the symbolic link", OF_NOBODY]);
}

#[test]
fn usual_directories_are_stores() {
    needs_root!();
    let place = Place::new();
    place.accepts(0, &place.path("missing/deep"));
    place.accepts(0, &place.dir("empty", 0));
    // One that root has given to the user.
    place.accepts(NOBODY, &place.dir("given", NOBODY));
    // One that the user's own group writes: the umask of many systems. A group with other members
    // is another thing.
    const UNNAMED: u32 = 424_242;
    let grouped = place.dir("grouped", UNNAMED);
    set_mode(&grouped, 0o775);
    place.accepts(UNNAMED, &grouped);
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    if passwd.lines().filter(|line| line.split(':').nth(3) == Some("65534")).count() > 1 {
        let shared = place.dir("group", NOBODY);
        set_mode(&shared, 0o775);
        place.refuses(NOBODY, &shared, &["other users may write"]);
    }
    let in_tmp = PathBuf::from(format!("/tmp/lifebox-test-root-{}", std::process::id()));
    place.accepts(0, &in_tmp);
    std::fs::remove_dir_all(in_tmp).unwrap();
}

#[test]
fn a_root_may_be_named_from_the_working_directory() {
    needs_root!();
    let engine = TestEngine::new();
    let name = engine.root().file_name().unwrap().to_str().unwrap();
    let mut command = engine.command(&["--root", name, "run", "--rm", "host", "echo", "hi"]);
    let ran =
        CommandOutput::from(command.current_dir(engine.root().parent().unwrap()).output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (0, "hi\n"), "{}", ran.err);
    let mut command = engine.command(&["run", "--rm", "host", "echo", "hi"]);
    let ran = command
        .env("LIFEBOX_ROOT", name)
        .current_dir(engine.root().parent().unwrap())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn a_store_behind_a_closed_directory_is_refused_in_the_same_words_by_every_verb() {
    needs_root!();
    let place = Place::new();
    let closed = place.dir("closed", 0);
    set_mode(&closed, 0o700);
    let root = closed.join("below/store");
    place.accepts(0, &root);
    let mut said = Vec::new();
    for verb in crate::rootless::VERBS.iter().chain(&["volume inspect v", "history host"]) {
        let words: Vec<&str> = verb.split(' ').collect();
        let ran = place.run_as(NOBODY, &root, &words);
        assert!([1, 125].contains(&ran.code), "{verb}: {ran:?}");
        said.push(ran.err);
    }
    for (verb, text) in crate::rootless::VERBS.iter().zip(&said) {
        assert_eq!(text, &said[0], "{verb}");
    }
    let store = format!("the store `{}` is in `{}`", root.display(), closed.display());
    for part in [store.as_str(), OF_ROOT, "closed to other users", "hint: ", "sudo lifebox ..."] {
        assert!(said[0].contains(part), "no {part:?} in {}", said[0]);
    }
}

#[test]
fn a_directory_with_things_of_others_becomes_no_store() {
    needs_root!();
    for place in ["staging/site", "removing/x", "volumes/inner", "images/staging/x"] {
        let engine = TestEngine::empty();
        let file = engine.root().join(place).join("mine");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "kept").unwrap();
        for words in [
            &["-e", "image(\"host\")"][..],
            &["volume", "create"],
            &["system", "check", "--repair"],
        ] {
            let said = engine.run(words);
            assert!(said.code != 0 && said.err.contains("is not a store"), "{said:?}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept", "{place}");
    }
}
