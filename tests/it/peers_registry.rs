//! Pull, push and login against Debian's `docker-registry`, with images that `skopeo` put there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use crate::harness::{TIMEOUT, TestEngine, fixture, wait_until};
use crate::needs_root;

/// bcrypt of `s3cret-word` for `tester`.
const HTPASSWD: &str = "tester:$2y$05$abcdefghijklmnopqrstuuEpHRRKIlpAGo.iP7Bpa.htQEJMAAnRe\n";

/// A registry of a test's own, gone when the test ends.
pub struct Registry {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Registry {
    /// `None` where this machine has no such program, which is said.
    pub fn start(test: &str, with_password: bool) -> Option<Registry> {
        let directory = tempfile::tempdir().unwrap();
        Registry::start_with(test, directory, with_password, None)
    }

    /// With what goes on in the `http` part of its configuration.
    fn start_with(
        test: &str,
        directory: tempfile::TempDir,
        with_password: bool,
        http: Option<&str>,
    ) -> Option<Registry> {
        for program in ["docker-registry", "skopeo"] {
            let there = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            if there.is_err() {
                eprintln!("LEFT OUT: {test} needs the Debian package {program}");
                return None;
            }
        }
        let file = |name: &str| directory.path().join(name).display().to_string();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut config = format!(
            "version: 0.1\nlog: {{ level: error, accesslog: {{ disabled: true }} }}\n\
             storage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{address}\"{} }}\n",
            file("data"),
            http.unwrap_or_default()
        );
        if with_password {
            std::fs::write(file("htpasswd"), HTPASSWD).unwrap();
            config.push_str(&format!(
                "auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n",
                file("htpasswd")
            ));
        }
        std::fs::write(file("config.yml"), config).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", &file("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Registry { child, address, _directory: directory };
        assert!(wait_until(TIMEOUT, || registry.answers()), "the registry does not answer");
        Some(registry)
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let asked = stream.write_all(b"GET /v2/ HTTP/1.0\r\n\r\n");
        let mut answer = String::new();
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1")
    }

    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Puts a fixture into the registry.
    pub fn put(&self, archive: &str, image: &str, more: &[&str]) {
        let kind = if archive.contains("docker") { "docker-archive" } else { "oci-archive" };
        let from = format!("{kind}:{}", fixture(archive));
        let to = format!("docker://{}", self.name(image));
        skopeo(&[&["copy", "--dest-tls-verify=false", &from, &to], more].concat());
    }

    /// The digest of what a tag names.
    pub fn digest(&self, image: &str) -> String {
        let name = format!("docker://{}", self.name(image));
        let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &name]);
        format!("sha256:{}", hex(&<sha2::Sha256 as sha2::Digest>::digest(raw)))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn skopeo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("skopeo").args(arguments).output().unwrap();
    assert!(output.status.success(), "skopeo {arguments:?}: {output:?}");
    output.stdout
}

/// What is left of imports.
fn staged(engine: &TestEngine) -> usize {
    std::fs::read_dir(engine.root().join("images/staging")).map_or(0, Iterator::count)
}

#[test]
fn what_skopeo_pushed_is_pulled_and_run() {
    let Some(registry) = Registry::start("what_skopeo_pushed_is_pulled_and_run", false) else {
        return;
    };
    let engine = TestEngine::empty();
    for archive in ["hundredcounter.docker.tar", "hundredcounter.oci.tar"] {
        let image = if archive.contains("docker") { "team/app:docker" } else { "team/app:oci" };
        registry.put(archive, image, &[]);
        let name = registry.name(image);
        let said = engine.ok(&["pull", &name]);
        let digest = registry.digest(image);
        let tag = image.split(':').next_back().unwrap();
        assert!(said.starts_with(&format!("{tag}: Pulling from team/app\n")), "{said}");
        // The second has the layers of the first.
        let steps: &[&str] = match archive.contains("docker") {
            true => &[": Pulling fs layer\n", ": Download complete\n", ": Pull complete\n"],
            false => &[": Already exists\n"],
        };
        assert!(steps.iter().all(|step| said.contains(step)), "{said}");
        let end = format!("Digest: {digest}\nStatus: Downloaded newer image for {name}\n{name}");
        assert!(said.ends_with(&end), "{said}");
        let again = engine.ok(&["image", "pull", &name]);
        assert!(again.contains(&format!("Status: Image is up to date for {name}")), "{again}");
        assert!(!again.contains("Pulling fs layer"), "{again}");
        assert_eq!(engine.ok(&["pull", "-q", &name]), name);
        let digests = engine.ok(&["image", "inspect", "-f", "{{json .RepoDigests}}", &name]);
        assert_eq!(digests, format!("[\"{}@{digest}\"]", registry.name("team/app")));
    }
    assert_eq!(staged(&engine), 0);
    needs_root!();
    let name = registry.name("team/app:oci");
    assert_eq!(engine.ok(&["run", "--rm", &name, "echo", "hello"]), "hello");
    // One that is missing is fetched first, and said so beside the output.
    engine.ok(&["rmi", &name]);
    let refused = engine.fails(&["run", "--rm", "--pull", "never", &name, "echo", "hello"], 125);
    assert!(refused.contains("no such image"), "{refused}");
    let ran = engine.run(&["run", "--rm", &name, "echo", "hello"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "hello\n"), "{}", ran.err);
    assert!(ran.err.contains(&format!("Unable to find image '{name}' locally")), "{}", ran.err);
}

#[test]
fn digests_survive_a_pull_and_a_push() {
    let Some(registry) = Registry::start("digests_survive_a_pull_and_a_push", false) else {
        return;
    };
    let engine = TestEngine::empty();
    registry.put("hundredcounter.docker.tar", "a/app:1", &[]);
    registry.put("hundredcounter.oci.tar", "a/app:2", &["--dest-compress-format", "zstd"]);
    for image in ["a/app:1", "a/app:2"] {
        let (name, digest) = (registry.name(image), registry.digest(image));
        engine.ok(&["pull", "-q", &name]);
        let said = engine.ok(&["push", &name]);
        assert!(said.contains(": Layer already exists"), "{said}");
        assert!(said.contains(&format!("digest: {digest} size: ")), "{said}");
        // Elsewhere in the same registry, where the layers are mounted.
        let other = registry.name(&image.replace('a', "b"));
        let script = format!("print(push(image(\"{name}\"), \"{other}\"))");
        assert_eq!(engine.script(&script), digest);
        assert_eq!(registry.digest(&image.replace('a', "b")), digest);
        let digests = engine.ok(&["image", "inspect", "-f", "{{json .RepoDigests}}", &name]);
        assert!(digests.contains("/b/") && digests.contains("/a/"), "{digests}");
    }
}

#[test]
fn a_loaded_image_is_pushed_with_gzip_and_always_the_same() {
    let test = "a_loaded_image_is_pushed_with_gzip_and_always_the_same";
    let Some(registry) = Registry::start(test, false) else { return };
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    let name = registry.name("team/app:1");
    let script = format!("print(push(image(\"hundredcounter\"), \"{name}\"))");
    let digest = engine.script(&script);
    assert_eq!(engine.script(&script), digest);
    assert_eq!(registry.digest("team/app:1"), digest);
    let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &format!("docker://{name}")]);
    let manifest: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    for layer in manifest["layers"].as_array().unwrap() {
        assert!(layer["mediaType"].as_str().unwrap().ends_with("gzip"), "{layer}");
    }
    // skopeo checks every digest and diff id.
    let out = tempfile::tempdir().unwrap();
    let to = format!("oci:{}:x", out.path().display());
    skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{name}"), &to]);
    let other = TestEngine::empty();
    other.ok(&["pull", "-q", &name]);
    let id = |engine: &TestEngine, image| engine.ok(&["image", "inspect", "-f", "{{.Id}}", image]);
    assert_eq!(id(&engine, "hundredcounter"), id(&other, &name));
    // All tags of a repository, and those of no other.
    let all = registry.name("team/all");
    for tag in ["two", "1"] {
        engine.ok(&["tag", "hundredcounter", &format!("{all}:{tag}")]);
    }
    let said = engine.ok(&["push", "-a", &all]);
    let sent: Vec<&str> = said.lines().filter(|line| line.contains(": digest: ")).collect();
    assert!(
        sent.len() == 2 && sent[0].starts_with("1: ") && sent[1].starts_with("two: "),
        "{said}"
    );
    assert_eq!(registry.digest("team/all:two"), registry.digest("team/all:1"));
    assert_eq!(other.ok(&["pull", "-aq", &all]), all);
    assert_eq!(other.ok(&["images", "-q", &all]).lines().count(), 2);
    let refused = engine.fails(&["push", "-a", &registry.name("team/none")], 1);
    assert!(refused.contains("does not exist locally"), "{refused}");
    let refused = engine.fails(&["push", &registry.name("team/none:1")], 1);
    assert!(refused.contains("no such image"), "{refused}");
    let refused = engine.fails(&["push", &format!("{}@{digest}", registry.name("team/app"))], 1);
    assert!(refused.contains("by a tag"), "{refused}");
}

#[test]
fn an_image_is_pulled_by_its_digest() {
    let Some(registry) = Registry::start("an_image_is_pulled_by_its_digest", false) else { return };
    let engine = TestEngine::empty();
    registry.put("hundredcounter.docker.tar", "team/app:1", &[]);
    let digest = registry.digest("team/app:1");
    let name = registry.name(&format!("team/app@{digest}"));
    assert!(engine.ok(&["pull", &name]).ends_with(&name));
    let tags = engine.ok(&["image", "inspect", "-f", "{{json .RepoTags}}", &name]);
    assert_eq!(tags, "[]");
    engine.ok(&["pull", "-q", &registry.name(&format!("team/app:1@{digest}"))]);
    let wrong = digest.replace(&digest[7..12], "00000");
    let said = engine.fails(&["pull", &registry.name(&format!("team/app@{wrong}"))], 1);
    assert!(said.contains("no such image") && said.contains(&registry.address), "{said}");
    let said = engine.fails(&["pull", &registry.name("team/app:other")], 1);
    assert!(said.contains("`team/app:other`") && said.contains("hint: "), "{said}");
    let caught = engine.script(&format!(
        "try {{ pull(\"{}\") }} catch (e) {{ print(e.kind) }}",
        registry.name("team/nothing")
    ));
    assert_eq!(caught, "not_found");
}

#[test]
fn who_logs_in_gets_what_others_do_not() {
    let Some(registry) = Registry::start("who_logs_in_gets_what_others_do_not", true) else {
        return;
    };
    let engine = TestEngine::empty();
    registry.put(
        "hundredcounter.docker.tar",
        "team/app:1",
        &["--dest-creds", "tester:s3cret-word"],
    );
    let (name, address) = (registry.name("team/app:1"), registry.address.as_str());
    let denied = engine.fails(&["pull", &name], 1);
    assert!(denied.contains("denied") && denied.contains(&format!("lifebox login {address}")));
    let login = |password: &str| {
        let words = ["login", "-u", "tester", "--password-stdin", address];
        engine.run_with_input(&words, password.as_bytes())
    };
    let wrong = login("wr0ng-word\n");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot log in") && !said.contains("wr0ng-word"), "{said}");
    let config = engine.root().join(".docker/config.json");
    assert!(!config.exists(), "nothing is kept that was not accepted");
    let words = ["login", "-u", "tester", "-p", "s3cret-word", address];
    let typed = engine.run(&words);
    assert_eq!((typed.code, typed.out.as_str()), (0, "Login Succeeded\n"), "{}", typed.err);
    let warning = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n";
    assert!(typed.err.starts_with(warning), "{}", typed.err);
    engine.ok(&["logout", address]);
    let right = login("s3cret-word\n");
    assert_eq!(String::from_utf8(right.stdout).unwrap(), "Login Succeeded\n");
    assert!(String::from_utf8(right.stderr).unwrap().contains("stored unencrypted"));
    assert_eq!(config.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    engine.ok(&["pull", "-q", &name]);
    engine.ok(&["push", "-q", &name]);
    assert_eq!(
        engine.ok(&["logout", address]),
        format!("Removing login credentials for {address}")
    );
    assert_eq!(engine.ok(&["logout", address]), format!("Not logged in to {address}"));
    engine.fails(&["pull", &name], 1);
    let caught =
        engine.script(&format!("try {{ pull(\"{name}\") }} catch (e) {{ print(e.kind) }}"));
    assert_eq!(caught, "denied");
}

#[test]
fn a_credential_helper_keeps_the_password() {
    let Some(registry) = Registry::start("a_credential_helper_keeps_the_password", true) else {
        return;
    };
    let engine = TestEngine::empty();
    registry.put(
        "hundredcounter.docker.tar",
        "team/app:1",
        &["--dest-creds", "tester:s3cret-word"],
    );
    let (kept, bin) = (engine.root().join("kept"), engine.root().join("bin"));
    std::fs::create_dir_all(&bin).unwrap();
    let helper = bin.join("docker-credential-test");
    let script = format!(
        "#!/bin/sh\nread text\ncase $1 in\nstore) echo \"$text\" > {0};;\nerase) rm {0};;\n\
         get) test -e {0} && cat {0} || {{ echo credentials not found in native keychain; exit 1; }};;\n\
         esac\n",
        kept.display()
    );
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let docker = engine.root().join(".docker");
    std::fs::create_dir_all(&docker).unwrap();
    let config = docker.join("config.json");
    std::fs::write(&config, r#"{"credsStore":"test","psFormat":"x"}"#).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |words: &[&str]| {
        let mut command = engine.command(words);
        command.env("PATH", &path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"s3cret-word");
        child.wait_with_output().unwrap()
    };
    let name = registry.name("team/app:1");
    assert!(!run(&["pull", &name]).status.success(), "nobody is logged in");
    let login = run(&["login", "-u", "tester", "--password-stdin", &registry.address]);
    assert!(login.status.success(), "{login:?}");
    assert!(std::fs::read_to_string(&kept).unwrap().contains("s3cret-word"));
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(!text.contains("s3cret") && text.contains("psFormat"), "{text}");
    let pull = run(&["pull", "-q", &name]);
    assert!(pull.status.success(), "{pull:?}");
    assert!(run(&["logout", &registry.address]).status.success());
    assert!(!kept.exists());
}

#[test]
fn a_certificate_must_be_vouched_for() {
    let test = "a_certificate_must_be_vouched_for";
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("LEFT OUT: {test} needs the Debian package openssl");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).display().to_string();
    let openssl = |words: &str| {
        let words = words.replace("DIR", &directory.path().display().to_string());
        let output = Command::new("openssl").args(words.split(' ')).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let key = "ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 -newkey {key} -keyout DIR/ca.key -out DIR/ca.crt -subj /CN=ca"));
    openssl(&format!("req -newkey {key} -keyout DIR/s.key -out DIR/s.csr -subj /CN=s"));
    std::fs::write(file("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE").unwrap();
    openssl(
        "x509 -req -in DIR/s.csr -CA DIR/ca.crt -CAkey DIR/ca.key -CAcreateserial \
             -out DIR/s.crt -extfile DIR/ext",
    );
    let tls = format!(", tls: {{ certificate: {}, key: {} }}", file("s.crt"), file("s.key"));
    let ca = std::fs::read(file("ca.crt")).unwrap();
    let Some(registry) = Registry::start_with(test, directory, false, Some(&tls)) else { return };
    registry.put("hundredcounter.docker.tar", "team/app:1", &[]);
    // The certificate is for the name, not for the address.
    let name = registry.name("team/app:1").replace("127.0.0.1", "localhost");
    let engine = TestEngine::empty();
    let said = engine.fails(&["pull", &name], 1);
    assert!(said.contains("is not trusted") && said.contains("/etc/docker/certs.d/"), "{said}");
    let trusted = engine.root().join("ca.crt");
    std::fs::write(&trusted, ca).unwrap();
    let mut pull = engine.command(&["pull", "-q", &name]);
    pull.env("SSL_CERT_FILE", &trusted).env_remove("SSL_CERT_DIR");
    assert!(pull.status().unwrap().success());
    engine.ok(&["pull", "-q", "--tls-verify=false", &registry.name("team/app:1")]);
}

#[test]
fn a_server_s_own_certificate_is_trusted_where_it_is_listed() {
    let test = "a_server_s_own_certificate_is_trusted_where_it_is_listed";
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("LEFT OUT: {test} needs the Debian package openssl");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).display().to_string();
    let made = |name: &str| {
        let (key, certificate) = (file(&format!("{name}.key")), file(&format!("{name}.crt")));
        let output = Command::new("openssl")
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(' '))
            .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-keyout", &key, "-out", &certificate])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        std::fs::read(certificate).unwrap()
    };
    let (own, other) = (made("s"), made("t"));
    let tls = format!(", tls: {{ certificate: {}, key: {} }}", file("s.crt"), file("s.key"));
    let Some(registry) = Registry::start_with(test, directory, false, Some(&tls)) else { return };
    registry.put("hundredcounter.docker.tar", "team/app:1", &[]);
    let (engine, name) = (TestEngine::empty(), registry.name("team/app:1"));
    let trusted = engine.root().join("listed.crt");
    let pull = |listed: &[u8], name: &str| {
        std::fs::write(&trusted, listed).unwrap();
        let mut pull = engine.command(&["pull", "-q", name]);
        let output = pull.env("SSL_CERT_FILE", &trusted).env_remove("SSL_CERT_DIR").output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    // The same name and issuer, but not the same certificate.
    let (there, said) = pull(&other, &name);
    assert!(!there && said.contains("is not trusted"), "{said}");
    assert!(said.contains("put this certificate into `/etc/docker/certs.d/"), "{said}");
    assert!(!said.contains("Other("), "{said}");
    let (there, said) = pull(&own, &name.replace("127.0.0.1", "localhost"));
    assert!(!there && said.contains("its certificate is for `127.0.0.1`"), "{said}");
    let (there, said) = pull(&own, &name);
    assert!(there, "{said}");
    // Among others as well.
    let (there, said) = pull(&[other, own].concat(), &name);
    assert!(there, "{said}");
}
