//! What is believed of a manifest.

use super::*;

const INDEX: &str = INDEXES[0];
const MANIFEST: &str = MANIFESTS[0];

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

fn descriptor(media: &str, letter: &str, more: &str) -> String {
    format!(r#"{{"mediaType":"{media}","digest":"{}","size":3{more}}}"#, digest(letter))
}

fn image(layer: &str) -> String {
    let config = descriptor(CONFIGS[0], "c", "");
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#)
}

#[track_caller]
fn refused(media: &str, text: &str, kind: Kind, expected: &str) {
    let error = read(media, text.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), kind, "{text}: {error}");
    assert!(error.to_string().contains(expected), "{text}: {error}");
}

#[test]
fn a_manifest_is_one_thing_and_what_it_was_sent_as() {
    let layer = descriptor(LAYERS[1], "a", r#","urls":["http://169.254.169.254/"]"#);
    let text = image(&layer);
    let Named::Image { config, layers } = read(MANIFEST, text.as_bytes()).unwrap() else {
        panic!("{text}")
    };
    assert_eq!((config.digest.as_str(), layers.len()), (digest("c").as_str(), 1));
    let both = text.replace("\"config\"", "\"manifests\":[],\"config\"");
    refused(MANIFEST, &both, Kind::Corrupt, "both an index");
    refused(INDEX, &text, Kind::Corrupt, "neither");
    let other = text.replace("{\"schema", &format!("{{\"mediaType\":\"{INDEX}\",\"schema"));
    refused(MANIFEST, &other, Kind::Corrupt, "was sent as");
    let twice = text.replace("{\"schema", "{\"layers\":[],\"schema");
    refused(MANIFEST, &twice, Kind::Corrupt, "duplicate");
    refused("", "{}", Kind::Corrupt, "neither");
    refused("", "<html>", Kind::Corrupt, "JSON");
    let old = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    refused("application/json", old, Kind::Unsupported, "oldest");
    refused(MANIFEST, &text.replace(&digest("a"), "sha256:../../x"), Kind::Corrupt, "digest");
    refused(MANIFEST, &text.replace("\"size\":3", "\"size\":-3"), Kind::Corrupt, "config");
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let artifact = image("").replace(CONFIGS[0], "application/vnd.cncf.helm.config.v1+json");
    refused(MANIFEST, &artifact, Kind::Unsupported, "helm");
    let sealed =
        image(&descriptor("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "a", ""));
    refused(MANIFEST, &sealed, Kind::Unsupported, "encrypted");
}

fn index(platforms: &[&str]) -> Vec<Descriptor> {
    let one = |(number, platform): (usize, &&str)| {
        let letter = char::from(b'a' + u8::try_from(number).unwrap()).to_string();
        let more = match platform.split('/').collect::<Vec<_>>()[..] {
            [os, architecture] => {
                format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#)
            }
            [os, architecture, variant] => format!(
                r#","platform":{{"os":"{os}","architecture":"{architecture}","variant":"{variant}"}}"#
            ),
            _ => String::new(),
        };
        descriptor(MANIFEST, &letter, &more)
    };
    let all: Vec<_> = platforms.iter().enumerate().map(one).collect();
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, all.join(","));
    match read(INDEX, text.as_bytes()).unwrap() {
        Named::Index(choices) => choices,
        Named::Image { .. } => panic!("{text}"),
    }
}

#[test]
fn the_platform_is_the_hosts_or_the_one_that_was_asked_for() {
    let host = Platform::host().to_string();
    let choices = index(&["windows/amd64", "linux/arm/v6", "linux/arm/v7", &host, "linux/s390x"]);
    let chosen = |wanted: Option<&str>| {
        let wanted = wanted.map(|text| text.parse::<Platform>().unwrap());
        choose(&choices, wanted.as_ref()).map(|chosen| chosen.digest.to_string())
    };
    assert_eq!(chosen(None).unwrap(), digest("d"));
    assert_eq!(chosen(Some("linux/arm/v7")).unwrap(), digest("c"));
    assert_eq!(chosen(Some("linux/arm/v6")).unwrap(), digest("b"));
    let error = chosen(Some("linux/riscv64")).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.hint_text().unwrap().contains("linux/arm/v7"), "{error:?}");
    // Nothing says what it is for, and there is nothing else.
    assert!(choose(&index(&[""]), None).is_ok());
    assert!(choose(&index(&["", ""]), None).is_err());
    assert!(choose(&index(&[]), None).is_err());
}
