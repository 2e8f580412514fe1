//! Where credentials are looked for, and what is written.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn go() -> Result<()> {
    Ok(())
}

fn chain(directory: &Path) -> Keychain {
    Keychain::new(|name| match name {
        "HOME" => Some(directory.as_os_str().to_owned()),
        "XDG_RUNTIME_DIR" => Some(directory.join("run").into_os_string()),
        _ => None,
    })
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn password(user: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::Password(user.to_owned(), password.to_owned()))
}

#[test]
fn what_is_stored_is_found_and_only_its_owner_can_read_it() {
    let home = tempfile::tempdir().unwrap();
    let chain = chain(home.path());
    assert_eq!(chain.find("r.example:5000", "a", &go).unwrap(), None);
    let file = chain.store("r.example:5000", "me", "s:3cret", &go).unwrap().unwrap();
    assert_eq!(file, home.path().join(".docker/config.json"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(chain.find("r.example:5000", "a/b", &go).unwrap(), password("me", "s:3cret"));
    assert_eq!(chain.find("r.example", "a/b", &go).unwrap(), None);
    chain.store("docker.io", "hub", "x", &go).unwrap();
    assert_eq!(chain.find("docker.io", "library/a", &go).unwrap(), password("hub", "x"));
    assert!(std::fs::read_to_string(&file).unwrap().contains(HUB));
    assert!(chain.erase("docker.io", &go).unwrap());
    assert!(!chain.erase("docker.io", &go).unwrap());
    assert_eq!(chain.find("docker.io", "library/a", &go).unwrap(), None);
    assert_eq!(std::fs::read_dir(home.path().join(".docker")).unwrap().count(), 1);
}

#[test]
fn what_others_keep_in_the_file_stays() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".docker/config.json");
    put(&file, r#"{"psFormat":"x","auths":{"other":{"auth":"YTpi"}}}"#);
    let chain = chain(home.path());
    chain.store("r.example", "me", "pw", &go).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("psFormat") && text.contains("other"), "{text}");
    assert_eq!(chain.find("other", "x", &go).unwrap(), password("a", "b"));
}

#[test]
fn podman_may_keep_them_for_a_part_of_a_registry() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("run/containers/auth.json");
    // "a:1", "b:2"
    put(&file, r#"{"auths":{"r.example/team":{"auth":"YToxCg=="},"r.example":{"auth":"Yjoy"}}}"#);
    let chain = chain(home.path());
    assert_eq!(chain.find("r.example", "team/app", &go).unwrap(), password("a", "1\n"));
    assert_eq!(chain.find("r.example", "teams/app", &go).unwrap(), password("b", "2"));
}

#[test]
fn a_damaged_file_is_named_and_no_secret_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".docker/config.json");
    for text in ["{", "[]", r#"{"auths":{"r.example":{"auth":"%%s3cret"}}}"#] {
        put(&file, text);
        let error = chain(home.path()).find("r.example", "x", &go).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    let text = format!("{:?}", Credentials::Password("me".into(), "s3cret".into()));
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_linked_file_stays_a_link() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".docker")).unwrap();
    let (link, real) = (home.path().join(".docker/config.json"), home.path().join("real.json"));
    std::os::unix::fs::symlink("../real.json", &link).unwrap();
    for user in ["me", "you"] {
        // The first time it leads to nothing.
        chain(home.path()).store("r.example", user, "x", &go).unwrap();
        assert!(link.is_symlink() && !real.is_symlink());
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let found = chain(home.path()).find("r.example", "a", &go).unwrap();
        assert_eq!(found, password(user, "x"));
    }
    assert!(chain(home.path()).erase("r.example", &go).unwrap());
    assert!(link.is_symlink());
}

#[test]
fn a_logout_holds_wherever_the_login_was() {
    let home = tempfile::tempdir().unwrap();
    let auths = r#"{"auths":{"r.example":{"auth":"bWU6eA=="},"s.example":{"auth":"bWU6eA=="}}}"#;
    let podman = home.path().join("run/containers/auth.json");
    put(&podman, auths);
    let chain = chain(home.path());
    assert!(chain.find("r.example", "a", &go).unwrap().is_some());
    assert!(chain.erase("r.example", &go).unwrap());
    assert_eq!(chain.find("r.example", "a", &go).unwrap(), None);
    assert!(chain.find("s.example", "a", &go).unwrap().is_some());
    assert!(!home.path().join(".docker").exists(), "nothing is written that was not there");
}
