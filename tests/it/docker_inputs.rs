//! Inputs of Docker's users, as they type them in a shell, and what Docker answers. Each row stands
//! for its kind; the file of the noun has the other cases.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::archives::digest;
use crate::harness::{LIFEBOX, TestEngine};
use crate::needs_root;

/// Runs each script in a directory of its own.
fn check(cases: &[(&str, &str)]) {
    let engine = TestEngine::new();
    let programs = tempfile::tempdir().unwrap();
    symlink(LIFEBOX, programs.path().join("lifebox")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    for (script, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let mut shell = engine.shell("sh");
        shell.args(["-c", script]).env("PATH", &path).current_dir(directory.path());
        let ran = shell.output().unwrap();
        let (out, err) = (String::from_utf8(ran.stdout), String::from_utf8(ran.stderr));
        assert_eq!(out.unwrap().trim_end(), *expected, "{script}\n{}", err.unwrap());
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn templates_and_switches_as_docker_reads_them() {
    needs_root!();
    check(&[
        (
            "lifebox create --name g2 -e A=1 -v g2v:/data -l k=v host true >/dev/null
            lifebox inspect -f '{{if .State.Health}}has{{else}}none{{end}}' g2
            lifebox inspect -f '{{range .Mounts}}{{.Destination}} {{end}}' g2
            lifebox inspect -f '{{(index .Config.Env 0)}}' g2
            lifebox inspect -f '{{range .Config.Env}}{{println .}}{{end}}' g2 | head -1
            lifebox inspect -f '{{eq .State.Status \"created\"}}' g2
            lifebox ps -a --format '{{if eq .State \"created\"}}new{{end}}' | head -1
            lifebox rm -v g2; lifebox volume rm g2v",
            "none\n/data \nA=1\nA=1\ntrue\nnew\ng2\ng2v",
        ),
        (
            "lifebox run --rm=true host echo ok
            lifebox run --rm=false --name g3 host true
            lifebox ps -aq --no-trunc=true --filter name=g3 | wc -c
            lifebox rm --force=true g3
            printf 'FROM host\\n' | lifebox build --pull=false -q - | cut -c1-7",
            "ok\n65\ng3\nsha256:",
        ),
        (
            "lifebox create --name g30 --ulimit nofile=10:20 --ulimit nofile=30 host true >/dev/null
            lifebox inspect -f '{{json .HostConfig.Ulimits}}' g30; lifebox rm g30",
            "[{\"Name\":\"nofile\",\"Hard\":30,\"Soft\":30}]\ng30",
        ),
        (
            "lifebox run --rm --log-driver json-file host echo a
            lifebox run --name g31 --log-driver none host echo b; lifebox rm g31
            lifebox run --rm --expose 80 host echo c",
            "a\nb\ng31\nc",
        ),
    ]);
}

#[test]
fn lists_and_logs_as_docker_filters_them() {
    needs_root!();
    check(&[
        (
            "lifebox create --name g14a host true >/dev/null
            lifebox create --name g14b host true >/dev/null
            lifebox ps -a --filter since=g14a --format '{{.Names}}'
            lifebox ps -a --filter before=g14b --filter name=g14 --format '{{.Names}}'
            lifebox ps -a --filter 'name=g14[ab]$' --format '{{.Names}}'
            lifebox ps -a --filter 'name=^g14.$' --format '{{.Names}}' | wc -l
            lifebox rm g14a g14b",
            "g14b\ng14a\ng14b\ng14a\n2\ng14a\ng14b",
        ),
        (
            "lifebox run -d --name g16 host sleep 60 >/dev/null
            lifebox top g16 -o pid,args | head -1 | tr -s ' '; lifebox rm -f g16",
            "PID COMMAND\ng16",
        ),
        ("lifebox -e 'let a = [1, \"b\"]; a.sort();' 2>&1 | grep -c 'no function `elements`'", "0"),
    ]);
}

#[test]
fn files_and_volumes_as_docker_takes_them() {
    needs_root!();
    check(&[
        ("mkdir rel; echo r > rel/f; lifebox run --rm -v ./rel:/x host cat /x/f", "r"),
        (
            "echo hi > a.txt
            lifebox create --name g5 -v g5v:/data host cat /data/a.txt >/dev/null
            lifebox cp a.txt g5:/data/; lifebox start -a g5
            lifebox rm g5; lifebox volume rm g5v",
            "hi\ng5\ng5v",
        ),
        (
            "umask 077; lifebox run --rm -u 1000:1000 host sh -c 'cat /etc/hosts >/dev/null && echo read'",
            "read",
        ),
        ("lifebox --root here run --rm host echo ran", "ran"),
        (
            "mkdir tree; echo x > tree/f; lifebox create --name g9 host true >/dev/null
            lifebox cp tree g9:/t; tar cz -C tree . | lifebox cp - g9:/t && echo copied
            lifebox rm g9",
            "copied\ng9",
        ),
        (
            "lifebox run --rm -v g18v:/nodir host true
            lifebox run --rm -v g18v:/bin host sh -c 'echo filled'; lifebox volume rm g18v",
            "filled\ng18v",
        ),
        (
            "lifebox run --name g27 host sh -c 'mkfifo -m 644 /p || exit'
            lifebox cp g27:/p p27; stat -c %a p27; lifebox rm g27",
            "644\ng27",
        ),
        (
            "echo 'A=1' > 1.env; echo 'B=${A}2' > 2.env
            printf 'services:\\n  s:\\n    image: host\\n    env_file: [1.env, 2.env]\\n' > c.yaml
            lifebox -e 'import \"compose\" as c; print(c::services(\"c.yaml\", #{}).s.env.B)'",
            "12",
        ),
    ]);
}

#[test]
fn builds_as_docker_runs_them() {
    needs_root!();
    check(&[
        (
            "echo hi > a.txt
            printf 'FROM host\\nCOPY a.txt /d/\\nRUN rm -r /d\\nCOPY a.txt /d/\\nRUN rm -r /d\\n' > D1
            lifebox build -q -t g1 -f D1 . >/dev/null; lifebox run --rm g1 echo ran",
            "ran",
        ),
        (
            "mkdir tree; echo x > tree/f; tar cJf tree.tar.xz -C tree .
            printf 'FROM host\\nADD tree.tar.xz /t/\\nRUN cat /t/f\\n' > D8
            lifebox build -q -f D8 . | cut -c1-7",
            "sha256:",
        ),
        (
            "mkdir g22; echo k > g22/keep; echo s > g22/secret
            printf 'keep\\n' > g22/.dockerignore; printf 'secret\\n' > g22/Dockerfile.dockerignore
            printf 'FROM host\\nCOPY . /c/\\nRUN ls /c\\n' > g22/Dockerfile
            lifebox build -q -t g22 g22 >/dev/null; lifebox run --rm g22 ls /c",
            "Dockerfile\nDockerfile.dockerignore\nkeep",
        ),
        (
            "mkdir -p d/sub; echo f > d/f
            printf 'FROM host\\nCOPY ./d/sub/../f /x\\nRUN cat /x\\n' > D24
            lifebox build -q -f D24 . | cut -c1-7",
            "sha256:",
        ),
        (
            "printf 'FROM host\\nCMD [\"a\", 1]\\n' | lifebox build -q - >/dev/null 2>&1; echo rc $?",
            "rc 1",
        ),
        (
            "printf 'FROM host\\n' > Dockerfile; mkdir low; printf 'FROM host\\n' > low/dockerfile
            lifebox build -q --rm . | cut -c1-7; lifebox build -q low | cut -c1-7",
            "sha256:\nsha256:",
        ),
    ]);
}

/// Docker and BuildKit write an attestation beside an image, for no platform.
#[test]
fn an_attestation_beside_an_image_is_not_taken_for_one() {
    needs_root!();
    let engine = TestEngine::new();
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    let path = layout.to_str().unwrap();
    engine.ok(&["tag", "host", "attested:1"]);
    engine.ok(&["save", "--format", "oci-dir", "-o", path, "attested:1"]);
    engine.ok(&["rmi", "attested:1"]);
    let blob = |content: &Value| {
        let bytes = content.to_string().into_bytes();
        let digest = digest(&bytes);
        let name = digest.strip_prefix("sha256:").unwrap_or(&digest);
        std::fs::write(layout.join("blobs/sha256").join(name), &bytes).unwrap();
        json!({ "digest": format!("sha256:{name}"), "size": bytes.len() })
    };
    let with_type = |mut descriptor: Value, kind: &str| {
        descriptor["mediaType"] = kind.into();
        descriptor
    };
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let none = json!({ "os": "unknown", "architecture": "unknown" });
    let config = json!({ "os": "unknown", "architecture": "unknown", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [] } });
    let config = with_type(blob(&config), "application/vnd.oci.image.config.v1+json");
    let statement = with_type(blob(&json!({})), "application/vnd.in-toto+json");
    let attestation = json!({ "schemaVersion": 2, "mediaType": manifest_type, "config": config,
        "layers": [statement] });
    let index = layout.join("index.json");
    let mut shown: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let mut row = with_type(blob(&attestation), manifest_type);
    row["platform"] = none;
    row["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": shown["manifests"][0]["digest"] });
    shown["manifests"].as_array_mut().unwrap().push(row);
    std::fs::write(&index, shown.to_string()).unwrap();
    assert_eq!(engine.ok(&["load", "-q", "-i", path]), "Loaded image: attested:1");
}
