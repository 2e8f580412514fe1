//! The table of `ps`, with Docker's columns, texts and template fields.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::container::Container;
use crate::model::container::mounts::Mounts;
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::status::Status;
use crate::model::value::health_check::HealthStatus;
use crate::model::value::units::{human_duration, human_size};
use crate::model::value::visible::is_hidden;
use crate::ui::format::columns::{align, ellipsis};

/// The maximum width of `COMMAND`.
const COMMAND_WIDTH: usize = 20;

/// The bytes that a container has written, and those with the files of its image.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskUsage {
    /// What it has written or changed.
    pub written: u64,
    /// The image's files and what is written.
    pub whole: u64,
}

impl DiskUsage {
    fn show(self) -> String {
        format!("{} (virtual {})", human_size(self.written), human_size(self.whole))
    }
}

/// Formats the table of `ps`, with the column of `sizes` if they are known.
pub fn containers(
    list: &[Container],
    sizes: Option<&[DiskUsage]>,
    now: Timestamp,
    no_trunc: bool,
) -> String {
    let mut text = String::from("CONTAINER ID\tIMAGE\tCOMMAND\tCREATED\tSTATUS\tPORTS\tNAMES");
    text.push_str(if sizes.is_some() { "\tSIZE\n" } else { "\n" });
    for (at, container) in list.iter().enumerate() {
        let cells = [
            id(container, no_trunc),
            &image(container, no_trunc),
            &command(container, no_trunc),
            &running_for(container, now),
            &status(container, now),
            "",
            container.state.name.as_str(),
        ];
        text.push_str(&cells.join("\t"));
        if let Some(size) = sizes.and_then(|sizes| sizes.get(at)) {
            text.push('\t');
            text.push_str(&size.show());
        }
        text.push('\n');
    }
    align(&text)
}

/// Formats `STATUS`: `Up 5 seconds (Paused)`, `Exited (137) 1 second ago`, `Created`.
pub fn status(container: &Container, now: Timestamp) -> String {
    let state = &container.state;
    let since = |time: Option<Timestamp>| human_duration(age(time.unwrap_or(now), now));
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => format!("Up {}{}", since(state.started_at), health(container)),
        Status::Paused => format!("Up {} (Paused)", since(state.started_at)),
        Status::Restarting => {
            format!("Restarting ({}) {} ago", state.exit_code, since(state.finished_at))
        }
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, since(state.finished_at)),
        Status::Dead => "Dead".to_owned(),
    }
}

/// Formats ` (healthy)` or ` (health: starting)`; empty without a health check.
fn health(container: &Container) -> String {
    match container.state.health.as_ref().map(|health| health.status) {
        None => String::new(),
        Some(HealthStatus::Starting) => " (health: starting)".to_owned(),
        Some(status) => format!(" ({})", status.as_str()),
    }
}

/// Formats the container's networks; a network of another container belongs to that container.
fn networks(mode: &NamespaceMode) -> String {
    match mode {
        NamespaceMode::Container(_) => String::new(),
        mode => mode.show("none"),
    }
}

/// Formats the mounts: paths and names of volumes, cut to 15 characters as Docker does.
fn mounts(mounts: &Mounts, no_trunc: bool) -> String {
    let sources = mounts.list.iter().map(|mount| mount.source.as_str());
    let cut = |source: &str| match source.char_indices().nth(14) {
        Some((end, _)) if !no_trunc && source.chars().count() > 15 => {
            format!("{}…", &source[..end])
        }
        _ => source.to_owned(),
    };
    let sources: Vec<String> = sources.filter(|source| !source.is_empty()).map(cut).collect();
    sources.join(",")
}

/// Returns a container as the fields of `ps --format`; all values are text, as Docker's.
pub fn fields(
    container: &Container,
    size: Option<DiskUsage>,
    now: Timestamp,
    zone: &TimeZone,
    no_trunc: bool,
) -> Value {
    let spec = &container.spec;
    let labels = spec.config.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let created = spec.created.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %z %Z");
    json!({
        "Command": command(container, no_trunc),
        "CreatedAt": created.to_string(),
        "HealthStatus": container.health(),
        "ID": id(container, no_trunc),
        "Image": image(container, no_trunc),
        "Labels": labels.collect::<Vec<_>>().join(","),
        "LocalVolumes": spec.host_config.mounts.volumes().count().to_string(),
        "Mounts": mounts(&spec.host_config.mounts, no_trunc),
        "Names": container.state.name.as_str(),
        "Networks": networks(&spec.host_config.namespaces.network),
        // Docker knows it of images in containerd's store alone.
        "Platform": null,
        "Ports": "",
        "RunningFor": running_for(container, now),
        "Size": size.map_or_else(|| "0B".to_owned(), DiskUsage::show),
        "State": container.state.status.as_str(),
        "Status": status(container, now),
    })
}

/// The template of `--format raw`.
pub const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n\
    created_at: {{.CreatedAt}}\nstate:{{pad .State 1 0}}\nstatus:{{pad .Status 1 0}}\nnames: {{.Names}}\n\
    labels:{{pad .Labels 1 0}}\nports:{{pad .Ports 1 0}}\n";

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Command": "COMMAND", "CreatedAt": "CREATED AT", "HealthStatus": "HEALTH STATUS", "ID": "CONTAINER ID", "Image": "IMAGE",
        "Labels": "LABELS", "LocalVolumes": "LOCAL VOLUMES", "Mounts": "MOUNTS", "Names": "NAMES",
        "Networks": "NETWORKS", "Platform": "PLATFORM", "Ports": "PORTS", "RunningFor": "CREATED", "Size": "SIZE",
        "State": "STATE", "Status": "STATUS",
    })
}

fn id(container: &Container, no_trunc: bool) -> &str {
    if no_trunc { container.spec.id.as_str() } else { container.spec.id.short() }
}

/// Formats the image as the user named it; an id is shortened.
fn image(container: &Container, no_trunc: bool) -> String {
    let used = &container.spec.image;
    let typed = used.reference.strip_prefix("sha256:").unwrap_or(&used.reference);
    if !no_trunc && typed.len() >= 12 && used.id.hex().starts_with(typed) {
        return used.id.short().to_owned();
    }
    used.reference.clone()
}

fn command(container: &Container, no_trunc: bool) -> String {
    let argv = container.spec.config.argv();
    let arguments = argv.iter().skip(1).map(|word| match word.contains(' ') {
        true => format!("'{word}'"),
        false => word.clone(),
    });
    let words: Vec<String> = argv.first().cloned().into_iter().chain(arguments).collect();
    let line = words.join(" ");
    if no_trunc { quote(&line) } else { quote(&ellipsis(&line, COMMAND_WIDTH)) }
}

/// Quotes a text as Go's `strconv.Quote`.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_hidden(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn running_for(container: &Container, now: Timestamp) -> String {
    format!("{} ago", human_duration(age(container.spec.created, now)))
}

/// Returns the time since `then`; zero if the clock was set back.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::container::{Config, ContainerSpec, HostConfig, ImageUse, State, VERSION};

    const MEASURED: &str = include_str!("../../../tests/reference/ps-and-history.txt");

    fn measured(status: Status, created: i64, started: i64, finished: i64) -> String {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let ago = |seconds: i64| Timestamp::from_second(1_000_000 - seconds).unwrap();
        let mut container = container("devwikirepo/hundredcounter", &["/app/script.sh"]);
        container.spec.created = ago(created);
        container.state.status = status;
        container.state.exit_code = 137;
        container.state.started_at = Some(ago(started));
        container.state.finished_at = Some(ago(finished));
        containers(&[container], None, now, false)
    }

    fn container(image: &str, argv: &[&str]) -> Container {
        let digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let config = Config {
            cmd: Some(argv.iter().map(|word| (*word).to_owned()).collect()),
            labels: [("a".into(), "1".into()), ("b".into(), "x".into())].into(),
            ..Config::default()
        };
        let spec = ContainerSpec {
            version: VERSION,
            id: format!("e854826f8f20{}", "0".repeat(52)).parse().unwrap(),
            created: Timestamp::UNIX_EPOCH,
            image: ImageUse { reference: image.to_owned(), id: digest, layers: vec![] },
            config,
            host_config: HostConfig::default(),
            session: None,
        };
        Container { spec, state: State::created("hundredcounter".parse().unwrap()) }
    }

    #[test]
    fn tables_are_dockers_to_the_space() {
        let docker = |heading: &str| {
            let part = MEASURED.split("# ").find(|part| part.starts_with(heading)).unwrap();
            part.split_once('\n').unwrap().1
        };
        assert_eq!(measured(Status::Created, 0, 0, 0), docker("created"));
        assert_eq!(measured(Status::Running, 5, 5, 0), docker("up"));
        assert_eq!(measured(Status::Paused, 5, 5, 0), docker("paused"));
        assert_eq!(measured(Status::Exited, 15, 15, 0), docker("exited"));
    }

    #[test]
    fn commands_are_quoted_and_cut() {
        let check = |argv: &[&str], cut: &str, whole: &str| {
            let container = container("x", argv);
            assert_eq!(command(&container, false), cut);
            assert_eq!(command(&container, true), whole);
        };
        check(&["sh", "-c", "echo hi"], r#""sh -c 'echo hi'""#, r#""sh -c 'echo hi'""#);
        let long = ["/bin/sh", "-c", "while true; do :; done"];
        check(&long, r#""/bin/sh -c 'while t…""#, r#""/bin/sh -c 'while true; do :; done'""#);
        check(&["a\"\n\u{1}"], r#""a\"\n\x01""#, r#""a\"\n\x01""#);
    }

    #[test]
    fn images_show_as_typed_but_ids_short() {
        let check = |typed: &str, shown: &str| {
            assert_eq!(image(&container(typed, &["x"]), false), shown);
        };
        check("alpine", "alpine");
        check(&format!("sha256:{}", "a".repeat(64)), &"a".repeat(12));
        check(&"a".repeat(20), &"a".repeat(12));
        check("aaaa", "aaaa");
    }

    #[test]
    fn a_clock_set_back_is_no_negative_age() {
        assert_eq!(age(Timestamp::MAX, Timestamp::UNIX_EPOCH), Duration::ZERO);
    }

    #[test]
    fn every_field_has_a_heading() {
        let now = Timestamp::UNIX_EPOCH;
        let fields = fields(&container("x", &["x"]), None, now, &TimeZone::UTC, false);
        let (headings, fields) = (headings(), fields.as_object().unwrap().clone());
        assert_eq!(
            headings.as_object().unwrap().keys().collect::<Vec<_>>(),
            fields.keys().collect::<Vec<_>>()
        );
        assert_eq!(fields["CreatedAt"], "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(fields["Labels"], "a=1,b=x");
    }
}
