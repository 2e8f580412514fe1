//! What an image, a build context or a reference of a stranger must not reach.

use std::os::unix::fs::symlink;

use crate::archives::{append, configured_archive, docker_archive};
use crate::build::context::{Context, inside};
use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// Builds `numbers`: an image whose users and groups have numbers for names, all of them root.
fn build_numbers(engine: &TestEngine) {
    let context = Context::new("FROM host\nCOPY passwd group /etc/\n");
    context.write(
        "passwd",
        "root:x:0:0::/:/bin/sh\n1001:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n",
    );
    context.write("group", "root:x:0:\n1000:x:0:\n1005:x:0:\n");
    context.id(engine, &["-t", "numbers"]);
}

#[test]
fn odd_configurations_load_and_run_as_with_docker() {
    needs_root!();
    let engine = TestEngine::new();
    let odd = serde_json::json!({
        "Labels": {"k": null}, "Env": ["ODD=1", "NOEQ", "*", null], "Volumes": {"rel/ative": null},
        "Entrypoint": [""], "StopSignal": "SIGNOPE",
    });
    let mut archive = Vec::new();
    configured_archive(&mut archive, "odd-configuration:1", &[], &odd);
    let ran = engine.run_with_input(&["load", "-q"], &archive);
    assert!(ran.status.success(), "{ran:?}");
    let label = ["image", "inspect", "-f", "{{index .Config.Labels \"k\"}}", "odd-configuration:1"];
    assert_eq!(engine.ok(&label), "");
    let words = ["create", "--name", "odd", "odd-configuration:1", "env"];
    let mut command = engine.command(&words);
    // Neither is a request for the variables of the caller.
    assert!(command.env("NOEQ", "of the host").output().unwrap().status.success());
    assert_eq!(engine.get("odd", "{{range .Mounts}}{{.Destination}}{{end}}"), "/rel/ative");
    engine.run_with_input(&["build", "-q", "-t", "odd-base:1", "-"], b"FROM host\n");
    let context = Context::new("FROM odd-configuration:1\nCOPY --from=odd-base:1 / /\n");
    context.id(&engine, &["-t", "odd-built:1"]);
    let words = ["run", "--rm", "odd-built:1", "sh", "-c", "env; ls -d /rel/ative"];
    let said = engine.command(&words).env("NOEQ", "of the host").output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("ODD=1\n") && said.contains("/rel/ative"), "{said}");
    assert!(!said.contains("NOEQ"), "{said}");
}

#[test]
fn a_user_with_white_space_is_refused() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "60"]);
    for (words, code) in [
        (&["create", "--user", "1001 ", "host", "true"][..], 1),
        (&["run", "--rm", "--user", "0: 0", "host", "true"], 125),
        (&["create", "--group-add", "7\t", "host", "true"], 1),
        (&["exec", "-u", "root ", "web", "true"], 126),
    ] {
        let error = engine.fails(words, code);
        assert!(error.contains("contains white space"), "{words:?}: {error}");
    }
    engine.ok(&["rm", "-f", "web"]);
}

#[test]
fn a_number_is_that_id_in_every_place_that_names_a_user_or_group() {
    needs_root!();
    let engine = TestEngine::new();
    build_numbers(&engine);
    let run = |words: &[&str], program: &str| {
        engine.ok(&[&["run", "--rm"], words, &["numbers", "sh", "-c", program]].concat())
    };
    assert_eq!(run(&["--user", "1001"], "id -u"), "1001");
    assert_eq!(run(&["--user", "1000:1000"], "echo $(id -u):$(id -g)"), "1000:1000");
    assert_eq!(run(&["--user", "7:7", "--group-add", "1005"], "id -G"), "7 1005");
    engine.ok(&["run", "-d", "--name", "web", "numbers", "sleep", "60"]);
    assert_eq!(
        engine.ok(&["exec", "-u", "1001:1000", "web", "sh", "-c", "id -u; id -g"]),
        "1001\n1000"
    );
    engine.ok(&["rm", "-f", "web"]);
    let context =
        Context::new("FROM numbers\nCOPY --chown=1001:1000 Dockerfile /owned\nUSER 1001\n");
    context.id(&engine, &["-t", "user"]);
    assert_eq!(inside(&engine, "user", "id -u; stat -c %u:%g /owned"), "1001\n1001:1000");
    let check = "test $(id -u) = 1001";
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "checked",
        "--health-cmd",
        check,
        "--health-interval",
        "1s",
        "user",
        "sleep",
        "60",
    ]);
    let healthy = || engine.get("checked", "{{.State.Health.Status}}") == "healthy";
    assert!(wait_until(TIMEOUT, healthy), "the check runs as 1001");
    engine.ok(&["rm", "-f", "checked"]);
}

#[test]
fn a_number_out_of_range_is_an_error_and_never_looked_up() {
    needs_root!();
    let engine = TestEngine::new();
    build_numbers(&engine);
    let range = "uids and gids must be in range 0-2147483647";
    for words in [
        ["--user", "4294967296"],
        ["--user", "0:2147483648"],
        ["--user", "-1"],
        ["--group-add", "4294967295"],
    ] {
        let flag = format!("{}={}", words[0], words[1]);
        let said = engine.fails(&["run", "--rm", &flag, "numbers", "true"], 125);
        assert!(said.contains(range), "{words:?}: {said}");
    }
    engine.ok(&["run", "-d", "--name", "web", "numbers", "sleep", "60"]);
    let said = engine.fails(&["exec", "-u", "4294967296", "web", "true"], 126);
    assert!(said.contains(range), "{said}");
    engine.ok(&["rm", "-f", "web"]);
    for line in ["USER 4294967296", "COPY --chown=4294967295 Dockerfile /f"] {
        Context::new(&format!("FROM numbers\n{line}\n")).fails(&engine, range);
    }
}

/// A layer whose file `/which` has this content; `None` hides the file.
fn which(content: Option<&str>) -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    let (name, text) = content.map_or((".wh.which", ""), |text| ("which", text));
    append(&mut layer, name, tar::EntryType::Regular, text.as_bytes(), 0o644);
    layer.into_inner().unwrap()
}

/// Loads an image `twice` of these layers upon those of `host`.
fn load_upon_host(engine: &TestEngine, layers: &[Vec<u8>]) {
    let exported = tempfile::NamedTempFile::new().unwrap();
    engine.ok(&["create", "--name", "plain", "host", "true"]);
    engine.ok(&["export", "-o", exported.path().to_str().unwrap(), "plain"]);
    engine.ok(&["rm", "plain"]);
    let mut all = vec![std::fs::read(exported.path()).unwrap()];
    all.extend_from_slice(layers);
    let mut archive = Vec::new();
    docker_archive(&mut archive, "twice", &all);
    let output = engine.run_with_input(&["load", "-q"], &archive);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_image_that_has_one_layer_twice_works_in_every_verb_and_in_its_order() {
    needs_root!();
    let engine = TestEngine::new();
    let (a, b, gone, empty) = (which(Some("a")), which(Some("b")), which(None), vec![0; 1024]);
    for (layers, content) in [
        (vec![a.clone(), a.clone()], "a"),
        (vec![a.clone(), b.clone(), a.clone()], "a"),
        (vec![b.clone(), a.clone(), b.clone(), a.clone(), b.clone()], "b"),
        (vec![a.clone(), gone.clone(), a.clone()], "a"),
        (vec![gone.clone(), a.clone(), gone], ""),
        (vec![empty.clone(), a, empty], "a"),
    ] {
        load_upon_host(&engine, &layers);
        let show = "cat /which 2>/dev/null; true";
        for driver in ["overlay", "vfs"] {
            let words = ["--storage-driver", driver, "run", "--rm", "twice", "sh", "-c", show];
            assert_eq!(engine.ok(&words), content, "{driver}");
        }
        let context = Context::new("FROM twice\nRUN cp /which /copy 2>/dev/null || touch /copy\n");
        context.id(&engine, &["-t", "upon"]);
        assert_eq!(inside(&engine, "upon", "cat /copy"), content);
    }
    engine.ok(&["run", "-d", "--name", "web", "twice", "sh", "-c", "touch /new; sleep 60"]);
    assert_eq!(engine.ok(&["exec", "web", "cat", "/which"]), "a");
    assert!(engine.ok(&["explain", "web"]).contains("overlay"));
    assert!(!engine.ok(&["explain", "twice"]).is_empty());
    engine.ok(&["stop", "-t", "0", "web"]);
    let target = tempfile::tempdir().unwrap();
    let copied = target.path().join("which");
    engine.ok(&["cp", "web:/which", copied.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(copied).unwrap(), "a");
    engine.ok(&["commit", "web", "committed"]);
    assert_eq!(inside(&engine, "committed", "cat /which"), "a");
    engine.ok(&["rm", "web"]);
    assert!(engine.run(&["system", "check"]).code == 0);
}

#[test]
fn a_build_reads_no_instructions_through_a_link_out_of_its_context() {
    needs_root!();
    let engine = TestEngine::new();
    let outer = tempfile::tempdir().unwrap();
    let secret = outer.path().join("secret");
    std::fs::write(&secret, "TOKEN-CANARY [CANARY\n").unwrap();
    let refused = |context: &Context, more: &[&str]| {
        let built = context.build(&engine, more);
        assert_eq!(built.code, 1, "{}", built.err);
        assert!(
            built.err.contains("is a link without a target inside the build context"),
            "{}",
            built.err
        );
        assert!(!format!("{}{}", built.out, built.err).contains("CANARY"), "{}", built.err);
    };
    let context = Context::new("FROM host\nCOPY . /c\n");
    std::fs::create_dir(context.at("sub")).unwrap();
    symlink(&secret, context.at("sub/D")).unwrap();
    symlink(outer.path(), context.at("away")).unwrap();
    refused(&context, &["-f", context.at("sub/D").to_str().unwrap()]);
    refused(&context, &["-f", context.at("away/secret").to_str().unwrap()]);
    for ignore in ["Dockerfile.dockerignore", ".dockerignore"] {
        symlink(&secret, context.at(ignore)).unwrap();
        refused(&context, &[]);
        std::fs::remove_file(context.at(ignore)).unwrap();
    }
    std::fs::rename(context.at("Dockerfile"), context.at("Inside")).unwrap();
    symlink(&secret, context.at("Dockerfile")).unwrap();
    refused(&context, &[]);
    std::fs::remove_file(context.at("Dockerfile")).unwrap();
    symlink("/Inside", context.at("Dockerfile")).unwrap();
    std::fs::remove_file(context.at("away")).unwrap();
    std::fs::remove_file(context.at("sub/D")).unwrap();
    context.id(&engine, &[]);
    // A file of the caller's own that is no Dockerfile: the error repeats none of it.
    let built = context.build(&engine, &["-f", secret.to_str().unwrap()]);
    assert!(built.code == 1 && !built.err.contains("CANARY"), "{}", built.err);
}

#[test]
fn no_verb_repeats_the_password_of_a_reference() {
    needs_root!();
    let engine = TestEngine::new();
    for reference in [
        "u:SECRETPW@h/x:1",
        "https://u:SECRETPW@h/x:1",
        "//u:SECRETPW@h/x",
        "/u:SECRETPW@h/x",
        "h//u:SECRETPW@h/x",
        "SECRETPW@h/x",
        "ghp_SECRETPW@h/x:1",
        "user:SECRETPW\u{ff20}h/x",
    ] {
        let script = format!("pull(\"{reference}\")");
        for words in [
            &["pull", reference][..],
            &["push", reference],
            &["tag", "host", reference],
            &["run", reference],
            &["rmi", reference],
            &["history", reference],
            &["inspect", reference],
            &["logout", reference],
            &["-e", &script],
            &["nosuch", reference],
        ] {
            let ran = engine.run(words);
            assert!(
                !format!("{}{}", ran.out, ran.err).contains("SECRETPW"),
                "{words:?}: {}",
                ran.err
            );
            assert!(ran.code != 0 || words[0] == "logout", "{words:?}");
        }
        let built = Context::new(&format!("FROM {reference}\n")).build(&engine, &[]);
        assert!(built.code == 1 && !built.err.contains("SECRETPW"), "{}", built.err);
    }
}

#[test]
fn a_script_that_begins_with_a_byte_order_mark_runs() {
    needs_root!();
    let engine = TestEngine::new();
    let place = tempfile::tempdir().unwrap();
    let (script, module) = (place.path().join("s.rhai"), place.path().join("m.rhai"));
    std::fs::write(&script, "\u{feff}import \"m\" as m; print(m::X);").unwrap();
    std::fs::write(&module, "\u{feff}export const X = 7;").unwrap();
    assert_eq!(engine.ok(&["script", script.to_str().unwrap()]), "7");
}
