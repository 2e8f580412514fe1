//! References and digests against the grammar of Docker, written down a second time.

use proptest::prelude::*;
use regex::Regex;

use super::super::digest::Digest;
use super::{MAX_NAME, Reference};

/// Returns the grammar of distribution/reference (`reference.go`, package comment).
fn reference_grammar() -> Regex {
    let label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[a-fA-F0-9:]+\])");
    let domain = format!("{host}(?::[0-9]+)?");
    let component = "[a-z0-9]+(?:(?:[_.]|__|[-]+)[a-z0-9]+)*";
    let path = format!("{component}(?:/{component})*");
    let digest = "sha256:[a-f0-9]{64}";
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    Regex::new(&format!("^({domain})/({path})(?::({tag}))?(?:@({digest}))?$")).unwrap()
}

/// Parses `text` as Docker does (`ParseNormalizedNamed` and `TagNameOnly`): domain, path, tag,
/// digest.
fn read_by_docker(grammar: &Regex, text: &str) -> Option<[String; 4]> {
    let is_domain = |first: &str| {
        first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
    };
    let (domain, rest) = match text.split_once('/') {
        Some((first, rest)) if is_domain(first) => (first, rest.to_owned()),
        _ => ("docker.io", text.to_owned()),
    };
    let domain = if domain == "index.docker.io" { "docker.io" } else { domain };
    let short = domain == "docker.io" && !rest.contains('/');
    let rest = if short { format!("library/{rest}") } else { rest };
    let whole = format!("{domain}/{rest}");
    let parts = grammar.captures(&whole)?;
    let part = |n: usize| parts.get(n).map_or("", |part| part.as_str()).to_owned();
    let tag = if part(3).is_empty() && part(4).is_empty() { "latest".to_owned() } else { part(3) };
    Some([part(1), part(2), tag, part(4)])
}

fn check(text: &str) -> Result<(), TestCaseError> {
    thread_local!(static GRAMMAR: Regex = reference_grammar());
    let expected = GRAMMAR.with(|grammar| read_by_docker(grammar, text));
    let name = text.split(['@', ':']).next().unwrap_or_default();
    // Docker takes 64 hexadecimal digits with a tag; here they are always an id.
    let is_id = Regex::new("^[a-f0-9]{64}$").unwrap().is_match(name);
    let parsed = text.parse::<Reference>().ok();
    if is_id || name.len() > MAX_NAME {
        return Ok(());
    }
    let ours = parsed.as_ref().map(|reference| {
        let tag = reference.tag().unwrap_or_default().to_owned();
        let digest = reference.digest().map(ToString::to_string).unwrap_or_default();
        [reference.domain().to_owned(), reference.path().to_owned(), tag, digest]
    });
    prop_assert_eq!(&ours, &expected, "{}", text);
    if let Some(reference) = parsed {
        let (whole, familiar) = (reference.to_string(), reference.familiar());
        prop_assert_eq!(&whole.parse::<Reference>().unwrap(), &reference);
        prop_assert_eq!(&familiar.parse::<Reference>().unwrap(), &reference, "{}", familiar);
        prop_assert!(familiar.len() <= whole.len());
        let json = serde_json::to_string(&reference).unwrap();
        prop_assert_eq!(serde_json::from_str::<Reference>(&json).unwrap(), reference);
    }
    Ok(())
}

/// Generates texts that are almost references, with most of the possible mistakes.
fn nearly_a_reference() -> impl Strategy<Value = String> {
    let domain = prop_oneof![
        3 => Just(String::new()),
        1 => prop::sample::select(vec!["docker.io/", "index.docker.io/", "localhost/"])
            .prop_map(str::to_owned),
        2 => "[a-zA-Z0-9.-]{1,6}(:[0-9]{0,3})?/",
        1 => r"\[[a-f0-9:]{0,4}\](:[0-9]{1,2})?/",
    ];
    let component = prop_oneof![4 => "[a-z0-9]{1,3}([._-]{0,3}[a-z0-9]{1,2}){0,2}",
        1 => "[a-zA-Z0-9._-]{0,3}", 1 => Just("localhost".to_owned()),
        1 => Just("library".to_owned()), 1 => "[a-f0-9]{64}"];
    let path = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    let tag = prop_oneof![3 => Just(String::new()), 2 => ":[A-Za-z0-9_.-]{0,4}",
        1 => ":[a-z]{126,130}"];
    let digest = prop_oneof![4 => Just(String::new()), 2 => "@sha256:[a-f0-9]{64}",
        1 => "@sha256:[a-fA-F0-9]{62,66}", 1 => "@[a-z0-9:+]{0,9}"];
    (domain, path, tag, digest).prop_map(|(d, p, t, g)| format!("{d}{p}{t}{g}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn references_are_read_as_docker_reads_them(text in nearly_a_reference()) {
        check(&text)?;
    }

    #[test]
    fn any_text_is_a_reference_only_where_the_grammar_says_so(text in "[aA0z_.:/@\\[\\]-]{0,12}") {
        check(&text)?;
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        check(&text)?;
    }

    #[test]
    fn digests_are_64_small_digits(text in "(sha256|sha512|SHA256|)(:|)[0-9a-fA-F/.]{63,65}") {
        let valid = Regex::new("^sha256:[a-f0-9]{64}$").unwrap().is_match(&text);
        prop_assert_eq!(text.parse::<Digest>().is_ok(), valid);
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), text);
        }
    }
}

#[test]
fn names_that_would_be_read_otherwise_keep_their_registry() {
    for text in ["docker.io/localhost/x:latest", "docker.io/a.b/c:1"] {
        assert_eq!(text.parse::<Reference>().unwrap().familiar(), text);
    }
    let id = format!("docker.io/library/{}:latest", "a".repeat(64));
    assert_eq!(id.parse::<Reference>().unwrap().familiar(), id);
}
