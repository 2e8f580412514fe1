//! Each place below the root, with something else in it: no command waits, those that need the
//! place name it, a check finds it and goes on, a repair puts it right.

use std::path::{Path, PathBuf};

use crate::harness::{CommandOutput, LIFEBOX, TestEngine, fixture};
use crate::needs_root;

/// What may stand in the place of a directory.
const INSTEAD_OF_DIRECTORY: [&str; 4] = ["a regular file", "a fifo", "a dangling link", "a link"];
/// What may stand in the place of a file.
const INSTEAD_OF_FILE: [&str; 4] = ["a fifo", "a directory", "a dangling link", "a link"];

/// A store with an image, a container that has a volume, and one that reads its input.
fn template() -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine.ok(&["run", "--name", "box", "-v", "data:/data", "hundredcounter", "touch", "/data/it"]);
    let create = ["create", "--name", "reader", "-i", "--cgroup-parent", "/elsewhere"];
    engine.ok(&[&create[..], &["hundredcounter", "true"]].concat());
    engine.ok(&["volume", "create", "fresh"]);
    engine
}

/// A place of a copy of the template that holds something else.
struct Case {
    engine: TestEngine,
    /// Where a link leads.
    elsewhere: tempfile::TempDir,
    shown: String,
    paths: Vec<PathBuf>,
}

/// One of the kinds, each place in turn, or all where all faults are asked for.
fn some(kinds: [&'static str; 4], place: usize) -> Vec<&'static str> {
    match std::env::var("LIFEBOX_FAULTS").is_ok_and(|form| form == "whole") {
        true => kinds.to_vec(),
        false => vec![kinds[place % 4]],
    }
}

impl Case {
    /// Replaces what is in these places; `BOX` and `READER` are the ids of the containers.
    fn new(template: &TestEngine, places: &[&str], kind: &str) -> Self {
        let engine = TestEngine::empty();
        let mut copy = engine.shell("cp");
        let from = format!("{}/.", template.root().display());
        assert!(copy.args(["-a", &from]).arg(engine.root()).status().unwrap().success());
        let id = |name| template.get(name, "{{.Id}}");
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("precious"), "kept").unwrap();
        let mut paths = Vec::new();
        for place in places {
            let place = match place {
                _ if place.contains("BOX") => place.replace("BOX", &id("box")),
                _ if place.contains("READER") => place.replace("READER", &id("reader")),
                _ => (*place).to_owned(),
            };
            let path = engine.root().join(&place);
            match path.is_dir() && !path.is_symlink() {
                true => std::fs::remove_dir_all(&path).unwrap(),
                false => drop(std::fs::remove_file(&path)),
            }
            put(&path, kind, elsewhere.path());
            paths.push(path);
        }
        Case { engine, elsewhere, shown: format!("{kind} as {places:?}"), paths }
    }

    /// Runs a command that must not wait.
    #[track_caller]
    fn run(&self, arguments: &str) -> CommandOutput {
        let mut command = self.engine.shell("timeout");
        command.args(["-s", "KILL", "60", LIFEBOX]).args(arguments.split(' '));
        let ran = CommandOutput::from(command.output().unwrap());
        let ends = ran.code != 137 && ran.code != 101;
        assert!(ends, "{}: lifebox {arguments}: {ran:?}", self.shown);
        ran
    }

    /// A command that needs the place fails, names it and says what to do.
    #[track_caller]
    fn is_needed_by(&self, arguments: &str) {
        let ran = self.run(arguments);
        assert!(ran.code != 0, "{}: lifebox {arguments}: {ran:?}", self.shown);
        let name = self.paths[0].file_name().unwrap().to_string_lossy();
        let is_named =
            ran.err.contains(&*name) && ran.err.contains("lifebox system check --repair");
        assert!(is_named, "{}: lifebox {arguments}: {ran:?}", self.shown);
    }

    /// A check finds it and looks at all else, a repair puts it right, and then all works.
    #[track_caller]
    fn is_found_and_put_right(&self) {
        let found = self.run("system check");
        assert_eq!(
            (found.code, found.err.contains("error")),
            (1, false),
            "{}: {found:?}",
            self.shown
        );
        for path in &self.paths {
            let name = path.file_name().unwrap().to_string_lossy();
            // A container is shown by its name.
            let name = if name.len() == 64 { "box".into() } else { name };
            let is_of_it = |line: &str| line.starts_with("damage: ") && line.contains(&*name);
            assert!(found.out.lines().any(is_of_it), "{}: {name}: {found:?}", self.shown);
        }
        assert!(found.out.contains(" checked: damage is left"), "{}: {found:?}", self.shown);
        let repaired = self.run("system check --repair");
        assert_eq!((repaired.code, repaired.err.as_str()), (0, ""), "{}: {repaired:?}", self.shown);
        let again = self.run("system check");
        assert!(again.out.ends_with(": no damage\n"), "{}: {again:?}", self.shown);
        assert_eq!(again.out.lines().count(), 1, "{}: {again:?}", self.shown);
        self.works();
    }

    #[track_caller]
    fn works(&self) {
        let ran = self.run("run --rm -v data:/data hundredcounter true");
        assert_eq!(ran.code, 0, "{}: {ran:?}", self.shown);
        let kept: Vec<_> = std::fs::read_dir(self.elsewhere.path()).unwrap().flatten().collect();
        assert!(kept.len() == 1 && kept[0].file_name() == "precious", "{}: {kept:?}", self.shown);
    }
}

fn put(path: &Path, kind: &str, elsewhere: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    match kind {
        "a regular file" => std::fs::write(path, "text of a user").unwrap(),
        "a fifo" => mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
        "a directory" => std::fs::create_dir_all(path.join("inner")).unwrap(),
        "a dangling link" => std::os::unix::fs::symlink("/nowhere/at/all", path).unwrap(),
        _ => std::os::unix::fs::symlink(elsewhere, path).unwrap(),
    }
}

/// What is kept of a user's text is said, and is there.
#[track_caller]
fn keeps_text(case: &Case) {
    let name = case.paths[0].file_name().unwrap().to_string_lossy();
    let kept = case.paths[0].with_file_name(format!(".{name}.damaged"));
    let text = std::fs::read_to_string(&kept);
    assert_eq!(text.ok().as_deref(), Some("text of a user"), "{}", case.shown);
}

#[test]
fn what_stands_in_the_place_of_a_directory_of_the_root_is_named_found_and_put_right() {
    needs_root!();
    let template = template();
    let run = "run --rm hundredcounter true";
    let build = format!("build -q {}", template.root().join("context").display());
    let context = template.root().join("context");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(context.join("Dockerfile"), "FROM hundredcounter\nRUN true\n").unwrap();
    let places = [
        ("containers", vec!["ps -a", run]),
        ("staging", vec![run]),
        ("removing", vec!["rm box"]),
        ("names", vec![run, "start box", "rename box other"]),
        ("builds", vec![&build]),
        (
            "volumes",
            vec!["volume ls", "volume create new", "run --rm -v data:/x hundredcounter true"],
        ),
    ];
    for (number, (place, needs)) in places.iter().enumerate() {
        for kind in some(INSTEAD_OF_DIRECTORY, number) {
            let case = Case::new(&template, &[place], kind);
            needs.iter().for_each(|needs| case.is_needed_by(needs));
            case.is_found_and_put_right();
            if kind == "a regular file" {
                keeps_text(&case);
            }
        }
    }
}

#[test]
fn what_stands_in_the_place_of_a_directory_of_the_images_is_named_found_and_put_right() {
    needs_root!();
    let template = template();
    let load = format!("load -q -i {}", fixture("hundredcounter.docker.tar"));
    let places = [
        ("images", &*load),
        ("images/blobs", "image inspect hundredcounter"),
        ("images/blobs/sha256", "image inspect hundredcounter"),
        ("images/layers", ""),
        ("images/staging", "import -"),
        ("images/flat", ""),
    ];
    for (number, (place, needs)) in places.into_iter().enumerate() {
        for kind in some(INSTEAD_OF_DIRECTORY, number) {
            let case = Case::new(&template, &[place], kind);
            if place == "images" {
                case.is_needed_by(needs);
            } else if !needs.is_empty() {
                assert!(case.run(needs).code != 0, "{}: {needs}", case.shown);
            }
            let found = case.run("system check");
            assert_eq!(found.code, 1, "{}: {found:?}", case.shown);
            assert!(!found.err.contains("error"), "{}: {found:?}", case.shown);
            let of_it = found.out.contains(&format!("damage: `{place}` is "));
            assert!(of_it, "{}: {found:?}", case.shown);
            case.run("system check --repair");
            // An image that lost its layers goes, and its containers are the user's to remove.
            case.run("rm box reader");
            case.run("system check --repair");
            let again = case.run("system check");
            assert!(again.out.ends_with(": no damage\n"), "{}: {again:?}", case.shown);
            assert_eq!(case.run(&load).code, 0, "{}", case.shown);
            case.works();
        }
    }
}

#[test]
fn what_stands_in_the_place_of_a_volume_is_named_found_and_put_right() {
    needs_root!();
    let template = template();
    let run = "run --rm -v data:/data hundredcounter true";
    for place in ["volumes/data", "volumes/data/_data"] {
        for kind in INSTEAD_OF_DIRECTORY {
            let case = Case::new(&template, &[place], kind);
            case.is_needed_by(run);
            case.is_needed_by("start box");
            case.is_found_and_put_right();
            if kind == "a regular file" {
                keeps_text(&case);
            }
        }
    }
    let use_it = "run --rm -v fresh:/x hundredcounter true";
    for kind in INSTEAD_OF_FILE {
        let marks = ["volumes/.lock", "volumes/fresh/fresh", "volumes/fresh/filling"];
        let case = Case::new(&template, &marks, kind);
        case.is_found_and_put_right();
        assert_eq!(case.run(use_it).code, 0, "{}", case.shown);
        // A mark of another kind marks too.
        if kind != "a directory" {
            let case = Case::new(&template, &["volumes/fresh/fresh"], kind);
            assert_eq!(case.run(use_it).code, 0, "{}", case.shown);
        }
    }
}

#[test]
fn what_stands_in_the_place_of_a_containers_directory_is_found_and_put_right() {
    needs_root!();
    let template = template();
    let places = ["containers/BOX/upper", "containers/BOX/work", "containers/BOX/rootfs"];
    for (number, place) in places.into_iter().enumerate() {
        for kind in some(INSTEAD_OF_DIRECTORY, number) {
            let case = Case::new(&template, &[place], kind);
            case.is_needed_by("start box");
            case.is_found_and_put_right();
            assert_eq!(case.run("start box").code, 0, "{}", case.shown);
        }
    }
    for kind in INSTEAD_OF_DIRECTORY {
        let case = Case::new(&template, &["containers/BOX"], kind);
        assert!(case.run("start box").code != 0, "{}", case.shown);
        assert_eq!(case.run("ps -a").code, 0, "{}", case.shown);
        case.is_found_and_put_right();
        assert_eq!(case.run("create --name box hundredcounter").code, 0, "{}", case.shown);
    }
}

#[test]
fn what_stands_in_the_place_of_a_containers_file_is_found_and_put_right() {
    needs_root!();
    let template = template();
    let files = [
        "containers/BOX/state.json",
        "containers/BOX/config.json",
        "containers/BOX/lock",
        "containers/BOX/log.jsonl",
        "containers/BOX/log.jsonl.1",
        "containers/BOX/hosts",
        "containers/BOX/hostname",
        "containers/BOX/resolv.conf",
        "containers/BOX/cgroup",
        "containers/BOX/kept",
        "containers/BOX/monitor.sock",
        "containers/BOX/.state.json.reserve",
        "containers/READER/cgroup-parent",
        "containers/READER/stdin",
    ];
    // All at once: what is found first ends nothing.
    for kind in INSTEAD_OF_FILE {
        let files = if kind == "a fifo" { &files[..13] } else { &files[..] };
        let case = Case::new(&template, files, kind);
        for verb in ["ps -a", "logs box", "start box", "start reader", "rm other"] {
            case.run(verb);
        }
        case.is_found_and_put_right();
        for verb in ["start box", "start reader", "logs box"] {
            assert_eq!(case.run(verb).code, 0, "{}: {verb}", case.shown);
        }
    }
}

#[test]
fn a_spec_that_is_a_link_is_a_damaged_record_and_no_list_fails() {
    needs_root!();
    let template = template();
    for kind in INSTEAD_OF_FILE {
        let case = Case::new(&template, &["containers/BOX/spec.json"], kind);
        for arguments in ["volume ls", "ps -a", "images", "system df", "volume prune -f"] {
            assert_eq!(case.run(arguments).code, 0, "{}: {arguments}", case.shown);
        }
        for arguments in ["system check", "system check --repair"] {
            let found = case.run(arguments);
            let of_it = found.out.contains("damage: the container `box`: ");
            assert!(found.code == 1 && of_it && !found.err.contains("error"), "{found:?}");
        }
        assert_eq!(case.run("rm -f box").code, 0, "{}", case.shown);
        assert_eq!(case.run("system check").code, 0, "{}", case.shown);
        case.works();
    }
}

#[test]
fn what_stands_in_the_place_of_a_file_of_the_root_is_found_and_put_right() {
    needs_root!();
    let template = template();
    let files = [
        "use.lock",
        "events.jsonl",
        "events.jsonl.1",
        "init",
        "isolated.lock",
        "names/.lock",
        "images/lock",
        "images/oci-layout",
    ];
    for kind in INSTEAD_OF_FILE {
        let case = Case::new(&template, &files, kind);
        for verb in ["events --until 0s", "--isolated -e print(1)", "ps -a", "rename box other"] {
            case.run(verb);
        }
        case.is_found_and_put_right();
        assert_eq!(case.run("--isolated -e print(1)").code, 0, "{}", case.shown);
        // Each has what the other one has lost.
        for list in ["images/index.json", "images/index.json.copy"] {
            Case::new(&template, &[list], kind).is_found_and_put_right();
        }
    }
}

#[test]
fn a_link_to_a_store_of_images_is_as_good_as_one() {
    let engine = TestEngine::new();
    assert!(engine.root().join("images").is_symlink());
    assert!(engine.ok(&["system", "check", "--repair"]).ends_with("no damage"));
    assert!(engine.root().join("images").is_symlink());
}

#[test]
fn lines_of_the_journal_that_cannot_be_read_are_counted_and_blanked() {
    let engine = TestEngine::empty();
    engine.ok(&["volume", "create", "one"]);
    let journal = engine.root().join("events.jsonl");
    let first = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, format!("not json\n{first}{{\"time\":\n{}", "cut off")).unwrap();
    engine.ok(&["volume", "create", "two"]);
    let events = || engine.run(&["events", "--until", "0s", "--format", "{{.Actor.ID}}"]);
    let told = events();
    assert_eq!(told.out, "one\ntwo\n");
    // Each where they stand, as `logs` says what is lost.
    let said = |count: &str| {
        format!("[lifebox: {count} of the journal cannot be read: lifebox system check --repair]\n")
    };
    assert_eq!(told.err, said("1 line") + &said("2 lines"));
    let found = engine.run(&["system", "check"]);
    assert!(found.out.contains("damage: `events.jsonl`: 3 lines cannot be read\n"), "{found:?}");
    assert_eq!(found.code, 1);

    // One who follows it notices nothing.
    let length = std::fs::metadata(&journal).unwrap().len();
    assert!(
        engine.ok(&["system", "check", "--repair"]).contains("3 lines cannot be read: removed")
    );
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), length);
    assert!(engine.ok(&["system", "check"]).ends_with("no damage"));
    engine.ok(&["volume", "create", "three"]);
    let told = events();
    assert_eq!((told.out.as_str(), told.err.as_str()), ("one\ntwo\nthree\n", ""));

    // Nor does a line that is cut off at the end.
    std::fs::write(&journal, format!("{first}{{\"ti")).unwrap();
    engine.ok(&["system", "check", "--repair"]);
    assert!(engine.ok(&["system", "check"]).ends_with("no damage"));
    engine.ok(&["volume", "create", "four"]);
    assert_eq!((events().out.as_str(), events().err.as_str()), ("one\nfour\n", ""));
}

#[test]
fn a_layer_whose_place_is_taken_is_loaded_again() {
    needs_root!();
    let template = template();
    let layers = |case: &Case| {
        let all = std::fs::read_dir(case.engine.root().join("images/layers")).unwrap().flatten();
        let found = all.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        found.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let case = Case::new(&template, &[], "a fifo");
    for layer in layers(&case) {
        std::fs::remove_dir_all(&layer).unwrap();
        nix::unistd::mkfifo(&layer, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let load = format!("load -q -i {}", fixture("hundredcounter.docker.tar"));
    assert_eq!(case.run(&load).code, 0);
    assert_eq!(case.run("run --rm hundredcounter true").code, 0);
}
