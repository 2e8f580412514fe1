//! The fields of Docker's templates, and what `ps`, `inspect` and `stats` show as Docker does.

use crate::harness::TestEngine;
use crate::needs_root;

/// What Docker prints with `--format '{{json .}}'`, but for networks, Swarm and plugins.
const FIELDS: &[(&str, &str)] = &[
    (
        "ps -a",
        "Command CreatedAt ID Image Labels LocalVolumes Mounts Names Networks Platform Ports \
         RunningFor Size State Status",
    ),
    (
        "images",
        "Containers CreatedAt CreatedSince Digest ID Repository SharedSize Size Tag UniqueSize \
         VirtualSize",
    ),
    ("volume ls", "Availability Driver Group Labels Links Mountpoint Name Scope Size Status"),
    ("stats --no-stream web", "BlockIO CPUPerc Container ID MemPerc MemUsage Name NetIO PIDs"),
    ("events --since 1h --until 0s", "Action Actor Type scope time timeNano"),
    ("history host", "Comment CreatedAt CreatedBy CreatedSince ID Size"),
    ("system df", "Active Reclaimable Size TotalCount Type"),
    ("system df -v", "BuildCache Containers Images Volumes"),
    ("volume inspect vol", "CreatedAt Driver Labels Mountpoint Name Options Scope"),
    (
        "image inspect host",
        "Architecture Author Comment Config Created DockerVersion GraphDriver Id Metadata Os Parent \
         RepoDigests RepoTags RootFS Size VirtualSize",
    ),
    (
        "inspect -s web",
        "AppArmorProfile Args Config Created Driver ExecIDs GraphDriver HostConfig HostnamePath \
         HostsPath Id Image LogPath MountLabel Mounts Name NetworkSettings Path Platform \
         ProcessLabel ResolvConfPath RestartCount SizeRootFs SizeRw State",
    ),
];

#[test]
fn every_field_of_dockers_templates_exists() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "-v", "vol:/v", "host", "sleep", "100"]);
    for (command, fields) in FIELDS {
        let words: Vec<&str> = command.split(' ').collect();
        let flags = match words[..] {
            [.., "inspect", _] | ["inspect", ..] => "-f",
            _ => "--format",
        };
        let at = if words.contains(&"inspect") { words.len() - 1 } else { words.len() };
        let (before, after) = words.split_at(at);
        let said = engine.ok(&[before, &[flags, "{{json .}}"], after].concat());
        let first = said.lines().next().unwrap_or_default();
        let row: serde_json::Value = serde_json::from_str(first).unwrap();
        let missing = |field: &&str| row.get(field).is_none();
        let missing: Vec<&str> = fields.split_whitespace().filter(missing).collect();
        assert!(missing.is_empty(), "{command}: {missing:?} not in {row}");
        let wrong = engine.run(&[before, &[flags, "{{.NoSuchField}}"], after].concat());
        assert_ne!(wrong.code, 0, "{command}");
    }
    let all =
        "{{range .Volumes}}{{.Name}} {{.Links}}{{end}} {{range .Images}}{{.Containers}}{{end}}";
    let said = engine.ok(&["system", "df", "-v", "--format", all]);
    assert!(said.starts_with("vol 1 ") && said.contains('1'), "{said}");
    assert_eq!(engine.ok(&["ps", "--format", "{{.Platform}}"]), "<nil>");
}

#[test]
fn containers_are_found_by_what_they_share_and_shown_with_their_sizes() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "first", "-v", "vol:/v", "host", "sh", "-c", "echo 12345 >/f"]);
    engine.ok(&[
        "create",
        "--name",
        "second",
        "--network",
        "none",
        "-v",
        "/etc:/e",
        "host",
        "true",
    ]);
    engine.ok(&["create", "--name", "third", "--network", "host", "host", "true"]);
    for (filters, expected) in [
        (&["since=first"][..], "third second"),
        (&["before=third"], "second first"),
        (&["since=first", "before=third"], "second"),
        (&["volume=vol"], "first"),
        (&["volume=/e"], "second"),
        (&["network=host"], "third"),
        (&["network=none", "volume=/etc"], "second"),
        (&["is-task=T"], ""),
        (&["is-task=F", "name=^t"], "third"),
    ] {
        let flags: Vec<&str> = filters.iter().flat_map(|filter| ["--filter", filter]).collect();
        let said = engine.ok(&[&["ps", "-a", "--format", "{{.Names}}"], &flags[..]].concat());
        assert_eq!(said.split_whitespace().collect::<Vec<_>>().join(" "), expected, "{filters:?}");
    }
    let sizes = engine.ok(&["ps", "-a", "-s", "--filter", "name=first", "--format", "{{.Size}}"]);
    assert!(sizes.starts_with("6B (virtual ") && sizes.ends_with("MB)"), "{sizes}");
    assert!(engine.ok(&["ps", "-a", "-s"]).lines().next().unwrap().ends_with("SIZE"));
    let sizes =
        engine.ok(&["inspect", "-s", "-f", "{{.SizeRw}} {{gt .SizeRootFs .SizeRw}}", "first"]);
    assert_eq!(sizes, "6 true");
    let none = engine.ok(&["inspect", "-f", "{{json .}}", "first"]);
    assert!(!none.contains("SizeRw"));
}

#[test]
fn small_things_are_as_docker_has_them() {
    needs_root!();
    let engine = TestEngine::new();
    let run = |flags: &[&str], program: &str| {
        engine.ok(&[&["run", "--rm"], flags, &["host", "sh", "-c", program]].concat())
    };
    assert_eq!(run(&["-e", "HOME="], "echo [$HOME]"), "[/root]");
    let resolv = run(&["--dns", "192.0.2.1", "--dns-search", "."], "cat /etc/resolv.conf");
    assert!(resolv.contains("nameserver 192.0.2.1") && !resolv.contains("search"), "{resolv}");
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "100"]);
    let asked = engine.ok(&["stats", "--no-stream", "--format", "{{.Container}}", "web"]);
    assert_eq!(asked, "web");
    for (arguments, meant) in [(["stop", "wbe"], "`web`"), (["rmi", "hundredcuonter"], "`hundred")]
    {
        let said = engine.fails(&arguments, 1);
        assert!(said.contains(&format!("did you mean {meant}")), "{said}");
    }
    assert!(engine.fails(&["stop", "database"], 1).contains("ps -a"));
    let copied = engine.run(&["cp", "/etc/hostname", "web:/tmp/"]);
    assert_eq!((copied.code, copied.out.as_str(), copied.err.as_str()), (0, "", ""));
    let log = ["--log-opt", "max-size=300", "--log-opt", "max-file=3"];
    let program = "i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo line $i; done";
    engine.ok(&[&["run", "--name", "logs"], &log[..], &["host", "sh", "-c", program]].concat());
    let kept = engine.ok(&["logs", "logs"]);
    let lines: Vec<&str> = kept.lines().collect();
    assert!((3..=20).contains(&lines.len()) && lines.last() == Some(&"line 40"), "{kept}");
    let expected: Vec<String> = (41 - lines.len()..=40).map(|n| format!("line {n}")).collect();
    assert_eq!(lines, expected, "the last lines without a gap");
}
