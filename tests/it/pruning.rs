//! `system prune` and `builder prune`, and what scripts ask the engine about itself.

use crate::harness::TestEngine;
use crate::needs_root;

/// Runs a command with an answer on its standard input. Returns its output and its code.
fn answered(engine: &TestEngine, words: &[&str], answer: &[u8]) -> (String, Option<i32>) {
    let ran = engine.run_with_input(words, answer);
    (String::from_utf8(ran.stdout).unwrap(), ran.status.code())
}

#[test]
fn a_system_prune_takes_what_is_unused_and_asks_as_docker_does() {
    needs_root!();
    // Not the store that all tests share.
    let engine = TestEngine::empty();
    engine.script("image(\"host\")");
    let build = |text: &str, more: &[&str]| {
        let ran =
            engine.run_with_input(&[&["build", "-q"], more, &["-"]].concat(), text.as_bytes());
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    };
    let kept = build("FROM host\nENV A=1\nENV B=2\n", &["-t", "kept"]);
    let lost = build("FROM host\nLABEL lost=1\n", &[]);
    let stopped = engine.ok(&["create", "-v", "/anonymous", "--name", "stopped", "host", "true"]);
    engine.ok(&["run", "-d", "--name", "live", "kept", "sleep", "60"]);
    engine.ok(&["volume", "create", "named"]);

    let (asked, code) = answered(&engine, &["system", "prune"], b"n\n");
    assert_eq!(code, Some(0));
    let warning = "WARNING! This will remove:\n  - all stopped containers\n  \
                   - all dangling images\n  - unused build cache\n\n\
                   Are you sure you want to continue? [y/N] ";
    assert_eq!(asked, warning);
    assert_eq!(answered(&engine, &["system", "prune"], b""), (warning.to_owned(), Some(0)));
    let refused = ["system", "prune", "-f", "--volumes", "--filter", "until=1h"];
    assert!(engine.fails(&refused, 1).contains("\"until\" filter is not supported"));
    let none = engine.ok(&["system", "prune", "-f", "--filter", "label=nobody"]);
    assert_eq!(none, "Total reclaimed space: 0B");

    let (said, code) = answered(&engine, &["system", "prune", "--volumes"], b"y\n");
    assert_eq!(code, Some(0));
    let list = said.split_once("[y/N] ").unwrap().1;
    assert!(list.starts_with(&format!("Deleted Containers:\n{stopped}\n\nDeleted Volumes:\n")));
    assert!(list.contains(&format!("\n\nDeleted Images:\ndeleted: {lost}\n")), "{list}");
    assert!(list.lines().last().unwrap().starts_with("Total reclaimed space: "), "{list}");
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "named");
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "live");

    // The step between `host` and `kept` belongs to the build cache: -a alone takes it.
    let all = || engine.ok(&["images", "-aq"]).lines().count();
    let before = all();
    assert_eq!(engine.ok(&["builder", "prune", "-f"]), "Total reclaimed space: 0B");
    engine.ok(&["builder", "prune", "-af", "--keep-storage", "1g"]);
    engine.ok(&["builder", "prune", "-af", "--filter", "until=24h"]);
    assert_eq!(all(), before);
    let (said, _) = answered(&engine, &["builder", "prune", "-a"], b"y\n");
    assert!(said.starts_with("WARNING! This will remove all build cache. Are you sure"), "{said}");
    assert!(said.contains("Deleted build cache objects:\n"), "{said}");
    assert_eq!(all(), before - 1);
    assert_eq!(engine.ok(&["inspect", "-f", "{{.Id}}", "kept"]), kept);

    let (said, _) = answered(&engine, &["system", "prune", "-a"], b"y\n");
    assert!(said.contains("  - all images without at least one container associated to them\n"));
    assert!(said.contains("  - all build cache\n"), "{said}");
    assert_eq!(engine.ok(&["images", "--format", "{{.Repository}}"]), "kept", "a container has it");
    engine.ok(&["rm", "-f", "live"]);
}

#[test]
fn a_script_learns_what_engine_and_host_it_has() {
    let engine = TestEngine::new();
    let root = engine.root().display().to_string();
    let host = rustix::system::uname();
    let info = |template: &str| engine.ok(&["info", "--format", template]);
    let fields = "{{.Name}} {{.KernelVersion}} {{.OSType}} {{.DockerRootDir}} {{.LoggingDriver}} \
                  {{.CgroupDriver}} {{.DefaultRuntime}} {{.Swarm.LocalNodeState}}";
    let (name, kernel) = (host.nodename().to_str().unwrap(), host.release().to_str().unwrap());
    let expected = format!("{name} {kernel} linux {root} json-file cgroupfs lifebox inactive");
    assert_eq!(info(fields), expected);
    let version = info("{{.CgroupVersion}}");
    assert!(version == "1" || version == "2", "{version}");
    assert_eq!(info("{{.Plugins.Volume}} {{.Plugins.Log}}"), "[local] [json-file local]");
    assert!(
        info("{{.OperatingSystem}}{{.NCPU}}{{.MemTotal}}{{.Images}}{{.ServerVersion}}").len() > 9
    );
    let text = engine.ok(&["info"]);
    for part in ["Client:\n Version: ", "\nServer:\n Containers: ", "\n  Running: ", "\n Name: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let asked = "{{.Client.Version}} {{.Server.Version}} {{.Server.Os}} [{{.Client.APIVersion}}]";
    let said = engine.ok(&["version", "--format", asked]);
    assert_eq!(said, format!("{version} {version} linux []"));
    assert!(engine.ok(&["version"]).contains("\nServer: lifebox\n Engine:\n  Version: "));

    assert_eq!(engine.ok(&["context", "show"]), "default");
    let listed = engine.ok(&["context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}}"]);
    assert_eq!(listed, format!("default file://{root}"));
    assert_eq!(engine.ok(&["context", "inspect", "-f", "{{.Name}}"]), "default");
    engine.ok(&["context", "use", "default"]);
    for words in [&["context", "use", "far"][..], &["context", "inspect", "far"]] {
        let said = engine.fails(words, 1);
        assert!(said.contains("`far` does not exist") && said.contains("--root"), "{said}");
    }
    assert!(engine.fails(&["context", "create", "far"], 1).contains("is not supported"));
    assert!(engine.fails(&["search", "alpine"], 1).contains("lifebox pull NAME"));
}
