//! Tests of templates beside the answers of Docker's client.

use serde_json::{Value, json};

use super::Template;

/// Template, output, error: as Docker 28 answers, asked by `docker context inspect --format`.
const DOCKERS: &str = include_str!("cases.json");

fn context() -> Value {
    let endpoint = json!({ "Host": "unix:///var/run/docker.sock", "SkipTLSVerify": false });
    json!({
        "Name": "default",
        "Metadata": { "Name": "default", "Options": { "docker": endpoint } },
        "Options": { "docker": endpoint },
    })
}

fn container() -> Value {
    json!({
        "Id": "e854", "Args": ["-c", "echo hi"], "Name": "/web", "Mounts": [], "Node": null,
        "State": { "Status": "running", "Pid": 7, "Running": true },
        "Config": { "Labels": { "app.name": "web" }, "Image": "i", "ExposedPorts": null,
            "Healthcheck": { "Test": ["CMD", "true"], "Interval": 90_000_000_000_i64 },
        },
        "HostConfig": {
            "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 },
            "Binds": null, "LogConfig": { "Type": "json-file", "Config": {} },
        },
        "ExecIDs": null,
    })
}

#[test]
fn templates_are_read_as_docker_reads_them() {
    let cases: Vec<(String, Option<String>, Option<String>)> =
        serde_json::from_str(DOCKERS).unwrap();
    assert!(cases.len() > 150);
    let mut wrong = Vec::new();
    for (template, output, error) in &cases {
        let got = Template::parse(template).and_then(|parsed| parsed.render(&context()));
        let got = match &got {
            Ok(text) => (Some(text.as_str()), None),
            Err(error) => (None, Some(error.message())),
        };
        if got != (output.as_deref(), error.as_deref()) {
            wrong.push(format!("{template}\n  got  {got:?}\n  want {output:?} {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fields_print_as_dockers_types() {
    for (template, expected) in [
        ("{{.State.Status}}", "running"),
        ("{{ .State.Pid }}/{{.State.Running}}", "7/true"),
        ("{{.ID}} {{.Name}}", "e854 /web"),
        ("{{.State}}", "{running 7 true}"),
        ("{{.HostConfig.RestartPolicy}}", "{no 0}"),
        ("{{.HostConfig.LogConfig}}", "{json-file map[]}"),
        ("{{.HostConfig.Binds}}{{len .ExecIDs}}", "[]0"),
        ("{{range .ExecIDs}}x{{else}}none{{end}}", "none"),
        ("{{json .State}}", r#"{"Status":"running","Pid":7,"Running":true}"#),
        ("{{.Args | json}}", r#"["-c","echo hi"]"#),
        (r#"{{index .Config.Labels "app.name"}}"#, "web"),
        (r#"{{index .Config.Labels "none"}}"#, ""),
        ("{{index .Args 1}}", "echo hi"),
        (r#"{{join .Args " "}}!"#, "-c echo hi!"),
        ("{{.Args}}", "[-c echo hi]"),
        ("{{.Config.Labels}}", "map[app.name:web]"),
        ("{{.Config.Labels.none}}", "<no value>"),
        ("{{.Node}}", "<nil>"),
        ("{{if .State.Health}}has{{else}}none{{end}}", "none"),
        ("{{.Config.ExposedPorts}}{{.Config.StopSignal}}", "map[]"),
        (
            "{{.Config.Healthcheck.Interval}} {{json .Config.Healthcheck.Interval}}",
            "1m30s 90000000000",
        ),
        ("{{.HostConfig.Init}}", "<nil>"),
        (r"a\tb", r"a\tb"),
    ] {
        let rendered = Template::parse(template).and_then(|t| t.render(&container()));
        assert_eq!(rendered.unwrap(), expected, "{template}");
    }
}

#[test]
fn fields_that_json_leaves_out_are_empty() {
    let data = json!({
        "Id": "e854", "HostConfig": {
            "NetworkMode": "none", "ShmSize": 1, "CpuQuota": 7, "Ulimits": [
                { "Name": "nofile", "Hard": 20, "Soft": 10 },
            ],
        },
        "Mounts": [{ "Type": "bind", "Source": "/s", "Destination": "/b", "Mode": "", "RW": true,
            "Propagation": "rprivate" }],
        "Asked": [{ "Type": "bind", "Source": "/s", "Target": "/b" }],
        "Config": { "Image": "i", "Entrypoint": null, "OnBuild": null, "Healthcheck": { "Test": ["NONE"] } },
        "NetworkSettings": {},
    });
    for (template, expected) in [
        (
            "{{range .Mounts}}{{.}} [{{.Name}}{{.Driver}}]{{end}}",
            "{bind  /s /b   true rprivate} []",
        ),
        ("{{range .Asked}}{{.ReadOnly}} {{.BindOptions}} {{.Consistency}}{{end}}", "false <nil> "),
        (
            "{{.HostConfig.Mounts}} {{json .HostConfig.Mounts}} {{len .HostConfig.Mounts}}",
            "[] null 0",
        ),
        ("{{.SizeRw}} {{.SizeRootFs}} {{.ImageManifestDescriptor}}", "<nil> <nil> <nil>"),
        ("{{.Config.Healthcheck}} {{.Config.Healthcheck.Retries}}", "{[NONE] 0s 0s 0s 0s 0} 0"),
        ("{{.Config.NetworkDisabled}} {{.Config.MacAddress}}", "false "),
        (
            "{{.HostConfig.Ulimits}} {{range .HostConfig.Ulimits}}{{.Soft}}{{end}}",
            "[nofile=10:20] 10",
        ),
        ("{{.ID}} {{.Id}} {{.HostConfig.CPUQuota}} {{.HostConfig.CpuQuota}}", "e854 e854 7 7"),
    ] {
        let rendered = Template::parse(template).and_then(|t| t.render(&data));
        assert_eq!(rendered.unwrap(), expected, "{template}");
    }
    for template in ["{{.id}}", "{{.hostconfig}}", "{{.HostConfig.Name}}", "{{.Mounts.Driver}}"] {
        assert!(Template::parse(template).and_then(|t| t.render(&data)).is_err(), "{template}");
    }
}

#[test]
fn mistakes_are_explained() {
    for (template, message, hint) in [
        ("{{.State.Stauts}}", "no entry for key \"Stauts\"", "did you mean `Status`?"),
        ("{{.Xyzzy}}", "no entry for key \"Xyzzy\"", "use one of Id, Args"),
        ("{{.State.Health.Status}}", "nil pointer evaluating Health.Status", ""),
        ("{{.Name", "unclosed action", "write fields"),
        ("{{range .Args}}x", "unexpected EOF", "write fields"),
    ] {
        let rendered = Template::parse(template).and_then(|t| t.render(&container()));
        let error = rendered.unwrap_err();
        assert!(error.message().contains(message), "{template}: {error}");
        assert!(error.hint_text().unwrap_or_default().contains(hint), "{template}: {error:?}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(Template::parse(&nested).unwrap_err().message().contains("levels of nesting"));
    let blocks = format!("{}{}", "{{if 1}}".repeat(5000), "{{end}}".repeat(5000));
    assert!(Template::parse(&blocks).unwrap_err().message().contains("levels of nesting"));
    let circle = r#"{{define "a"}}{{template "a"}}{{end}}{{template "a"}}"#;
    let error = Template::parse(circle).unwrap().render(&json!({})).unwrap_err();
    assert!(error.message().contains("exceeded maximum template depth"), "{error}");
}

#[test]
fn what_data_says_is_escaped_where_it_is_shown() {
    let data = json!({ "Name": "a\u{1b}b\nc", "List": ["x\ny"] });
    let line = |text: &str| Template::parse_row(text).and_then(|t| t.line(&data)).unwrap();
    assert_eq!(line("{{.Name}}"), "a\\u{1b}b\\nc");
    assert_eq!(line("{{println .Name}}{{upper .Name}}"), "a\\u{1b}b\\nc\nA\\u{1b}B\\nC");
    assert_eq!(
        line(r#"{{join .List "\n"}}{{printf "%s|%q" .Name .Name}}"#),
        "x\\nya\\u{1b}b\\nc|\"a\\x1bb\\nc\""
    );
    assert_eq!(line(r#"{{range split .Name "b"}}<{{.}}>{{end}}"#), "<a\\u{1b}><\\nc>");
    assert_eq!(line("{{json .Name}}"), r#""a\u001bb\nc""#);
}

#[test]
fn tables_have_headings() {
    let headings = json!({ "ID": "CONTAINER ID", "Names": "NAMES", "Labels": "LABELS" });
    let rows = [json!({ "ID": "1", "Names": "web", "Labels": "a=1,b=2" })];
    let check = |template: &str, expected: &str| {
        let template = Template::parse_row(template).unwrap();
        assert_eq!(template.lines(&headings, &rows).unwrap(), expected);
    };
    check(r"table {{.ID}}\t{{.Names}}", "CONTAINER ID   NAMES\n1              web\n");
    check("{{.Names}}", "web\n");
    check("json", "{\"ID\":\"1\",\"Names\":\"web\",\"Labels\":\"a=1,b=2\"}\n");
    check(r#"table {{.Label "b"}}"#, "b\n2\n");
    check(r#"table {{upper .Names}}"#, "NAMES\nWEB\n");
    check(r#"{{if eq .ID "1"}}one{{end}}"#, "one\n");
    assert!(Template::parse_row("{{.Nmaes}}").unwrap().lines(&headings, &[]).is_err());
}

#[test]
fn neither_numbers_nor_texts_take_all_memory() {
    let render = |text: &str| Template::parse(text).and_then(|t| t.render(&json!({})));
    assert_eq!(render("{{range 9000000000000}}x{{break}}{{end}}").unwrap(), "x");
    let grows = "{{$x = print $x $x $x $x $x $x $x $x $x $x}}".repeat(12);
    let error = render(&format!("{{{{$x := \"x\"}}}}{grows}")).unwrap_err();
    assert!(error.message().contains("the text is longer than"), "{error}");
    let output = format!("{{{{range 9000000000000}}}}{}{{{{end}}}}", "x".repeat(1 << 20));
    assert!(render(&output).unwrap_err().message().contains("the output of the template"));
}
