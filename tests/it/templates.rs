//! `--format` takes Go's templates whole, as scripts about Docker have them.

use crate::harness::TestEngine;
use crate::needs_root;

/// Template and output, of a container `box` with two variables, two labels and a volume.
const INSPECTED: [(&str, &str); 20] = [
    ("{{range .Mounts}}{{.Type}}:{{.Destination}} {{end}}", "volume:/data "),
    ("{{range $i, $e := .Args}}{{if $i}},{{end}}{{$e}}{{end}}", "-c,exit 3"),
    (
        "{{range $k, $v := .Config.Labels}}{{if eq $k \"a.b\" \"c\"}}{{$k}}={{$v}};{{end}}{{end}}",
        "a.b=1;c=2;",
    ),
    ("{{if .State.Health}}has{{else}}none{{end}}", "none"),
    ("{{if eq .State.Status \"exited\" \"dead\"}}over{{else if .State.Running}}up{{end}}", "over"),
    ("{{with .HostConfig.RestartPolicy}}{{.Name}}/{{.MaximumRetryCount}}{{end}}", "no/0"),
    ("{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig.Config}}", "{no 0} map[]"),
    ("{{(index .Mounts 0).Name | printf \"%q\"}}", "\"boxes\""),
    ("{{index .Config.Labels \"a.b\"}}{{index .Config.Labels \"none\"}}", "1"),
    ("{{printf \"%-6s|%04d|%v\" .Path .State.ExitCode .Config.Tty}}", "sh    |0003|false"),
    ("{{$n := .Name}}{{slice $n 1}} {{len .ExecIDs}}", "box 0"),
    ("{{and .State.ExitCode (not .State.Running)}} {{or .Config.Domainname \"x\"}}", "true x"),
    ("{{split \"a,b\" \",\" | json}} {{join .Args \"+\"}}", "[\"a\",\"b\"] -c+exit 3"),
    (
        "{{title \"box\"}} {{upper .Path}} {{pad .Path 1 2}}|{{truncate .Image 6}}",
        "Box SH  sh  |sha256",
    ),
    ("{{/* a comment */ -}}  x  {{- \"y\"}}", "xy"),
    (
        "{{define \"T\"}}<{{.}}>{{end}}{{template \"T\" .Path}}{{block \"B\" 1}}{{.}}{{end}}",
        "<sh>1",
    ),
    ("{{html \"<a>\"}} {{js \"'\"}} {{urlquery \"a b\"}}", "&lt;a&gt; \\' a+b"),
    ("{{lt 1 2}} {{ge 1 2}} {{ne .Path \"sh\"}} {{le 2.5 2.5}}", "true false false true"),
    ("{{range .HostConfig.CapAdd}}x{{else}}none{{end}}{{println}}", "none\n"),
    (
        "{{json .HostConfig.LogConfig}}{{.HostConfig.Init}}",
        "{\"Type\":\"json-file\",\"Config\":{}}<nil>",
    ),
];

#[test]
fn inspect_renders_what_scripts_about_docker_ask() {
    needs_root!();
    let engine = TestEngine::new();
    let line = "run --name box -e A=1 -l a.b=1 -l c=2 -v boxes:/data host sh -c";
    let words: Vec<&str> = line.split(' ').chain(["exit 3"]).collect();
    assert_eq!(engine.run(&words).code, 3);
    for (template, expected) in INSPECTED {
        let ran = engine.run(&["inspect", "-f", template, "box"]);
        assert_eq!(
            (ran.out.as_str(), ran.code),
            (format!("{expected}\n").as_str(), 0),
            "{template}"
        );
    }
}

#[test]
fn a_mistake_is_named_where_it_is() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "box", "host"]);
    for (template, code, message) in [
        (
            "{{.State.Stauts}}",
            1,
            "template: :1:8: executing \"\" at <.State.Stauts>: map has no entry",
        ),
        ("{{index .Args 9}}", 1, "error calling index: index out of range: 9"),
        ("{{.Config.Env.x}}", 1, "can't evaluate field x in type []string"),
        ("{{if .Name}}", 64, "template: :1: unexpected EOF"),
        ("{{nope .}}", 64, "template: :1: function \"nope\" not defined"),
    ] {
        let ran = engine.run(&["inspect", "-f", template, "box"]);
        assert_eq!(ran.code, code, "{template}: {ran:?}");
        assert!(ran.err.contains(message), "{template}: {ran:?}");
    }
}

#[test]
fn lists_take_templates_tables_and_raw() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "box", "-l", "app=web", "host", "true"]);
    let list = |verb: &str, format: &str| {
        let words: Vec<&str> = verb.split(' ').chain(["--format", format]).collect();
        engine.run(&words).out
    };
    assert_eq!(list("ps -a", "{{if eq .State \"created\"}}new{{end}}\\t{{.Names}}"), "new\tbox\n");
    assert_eq!(
        list("ps -a", "table {{.Names}}\\t{{.Label \"app\"}}"),
        "NAMES     app\nbox       web\n"
    );
    let raw = list("ps -a", "raw");
    let raw: Vec<&str> = raw.lines().filter(|line| !line.starts_with("c")).collect();
    let expected = ["image: host", "state: created", "status: Created", "names: box"];
    assert_eq!(raw[..4], expected);
    assert!(raw[4].starts_with("labels: app=web,") && raw[5..] == ["ports:", ""], "{raw:?}");
    engine.ok(&["volume", "create", "data"]);
    assert_eq!(list("volume ls", "raw"), "name: data\ndriver: local\n\n");
    assert!(list("images", "raw").contains("repository: host\ntag: latest\nimage_id: "));
}
