//! Events: what happened to containers, images and volumes, under Docker's names
//! (moby, `api/types/events`), and filters of events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::container::ContainerSpec;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};

/// The longest text of an event that is kept whole, in bytes: labels and commands are untrusted.
const MAX_TEXT: usize = 1024;
/// How many bytes of a container's labels each event carries.
const MAX_LABEL_BYTES: usize = 16 * 1024;
/// The attribute with the number of labels that an event leaves out.
const LABELS_OMITTED: &str = "lifebox.labels_left_out";
/// The attribute with the exit code of a container or an exec process.
const EXIT_CODE: &str = "exitCode";

/// The type of an event's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A volume.
    Volume,
}

impl Type {
    /// All types.
    pub const ALL: [Type; 3] = [Type::Container, Type::Image, Type::Volume];

    /// Returns Docker's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Container => "container",
            Type::Image => "image",
            Type::Volume => "volume",
        }
    }
}

macro_rules! actions {
    ($($name:ident = $word:literal: $about:literal,)*) => {
        /// An action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventAction {
            $(#[doc = $about] $name,)*
        }

        impl EventAction {
            /// All actions, by word.
            pub const ALL: &'static [EventAction] = &[$(EventAction::$name,)*];

            /// Returns Docker's word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(EventAction::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    ArchivePath = "archive-path": "Files were copied out of a container.",
    Attach = "attach": "A client attached to a container.",
    Commit = "commit": "An image was created from a container.",
    Create = "create": "A container or a volume was created.",
    Delete = "delete": "An image was removed.",
    Destroy = "destroy": "A container or a volume was removed.",
    Detach = "detach": "A client detached from a container.",
    Die = "die": "A container exited.",
    ExecCreate = "exec_create": "An exec process was created in a container.",
    ExecDetach = "exec_detach": "A client detached from an exec process.",
    ExecDie = "exec_die": "An exec process exited.",
    ExecStart = "exec_start": "An exec process was started.",
    Export = "export": "A container was exported.",
    ExtractToDir = "extract-to-dir": "Files were copied into a container.",
    HealthStatus = "health_status": "The health of a container changed.",
    Import = "import": "An image was imported.",
    Kill = "kill": "A signal was sent to a container.",
    Load = "load": "An image was loaded from an archive.",
    Mount = "mount": "A volume was mounted into a container.",
    Oom = "oom": "The kernel killed a process of a container because memory ran out.",
    Pause = "pause": "A container was paused.",
    Pull = "pull": "An image was pulled.",
    Push = "push": "An image was pushed.",
    Rename = "rename": "A container was renamed.",
    Resize = "resize": "A container's terminal was resized.",
    Restart = "restart": "A container was restarted.",
    Save = "save": "An image was saved to an archive.",
    Start = "start": "A container was started.",
    Stop = "stop": "A container was stopped.",
    Tag = "tag": "An image was tagged.",
    Top = "top": "A container's processes were listed.",
    Unmount = "unmount": "A volume was unmounted from a container.",
    Unpause = "unpause": "A container was unpaused.",
    Untag = "untag": "An image was untagged.",
    Update = "update": "A container's limits were updated.",
}

impl EventAction {
    /// Returns the action with a text after a colon, as in `health_status: healthy`.
    pub fn of(self, detail: &str) -> String {
        format!("{}: {detail}", self.as_str())
    }
}

impl From<EventAction> for String {
    fn from(action: EventAction) -> String {
        action.as_str().to_owned()
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// The type of the object.
    #[serde(rename = "type")]
    pub subject: Type,
    /// The action: an [`EventAction`]'s word, for some with a text after a colon.
    pub action: String,
    /// The id of the container or image; the name of the volume. For `pull` and `push` the
    /// reference, as with Docker.
    pub id: String,
    /// Docker's `Actor.Attributes`: name, image, labels, and what belongs to the action.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

impl Event {
    fn new(subject: Type, action: impl Into<String>, id: &str) -> Event {
        let action = shortened(&action.into());
        let (time, attributes) = (Timestamp::now(), BTreeMap::new());
        Event { time, subject, action, id: id.to_owned(), attributes }
    }

    /// Returns an event of a container. Labels cannot replace the attributes in `extra`.
    pub fn of_container(
        spec: &ContainerSpec,
        name: &ContainerName,
        action: impl Into<String>,
        extra: &[(&str, String)],
    ) -> Event {
        Event::new(Type::Container, action, spec.id.as_str())
            .labelled(&spec.config.labels)
            .with(extra)
            .with(&[("image", spec.image.reference.clone()), ("name", name.to_string())])
    }

    /// Returns an event of a container whose record is damaged.
    pub fn of_unknown(
        id: &ContainerId,
        name: Option<&ContainerName>,
        action: EventAction,
    ) -> Event {
        let name = name.map(|name| ("name", name.to_string()));
        Event::new(Type::Container, action, id.as_str()).with(name.as_slice())
    }

    /// Returns an event of an image.
    pub fn of_image(
        action: EventAction,
        id: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Event {
        Event::new(Type::Image, action, id).labelled(labels).with(&[("name", name.to_owned())])
    }

    /// Returns an event of a volume.
    pub fn of_volume(action: EventAction, name: &str, extra: &[(&str, String)]) -> Event {
        Event::new(Type::Volume, action, name).with(extra).with(&[("driver", "local".to_owned())])
    }

    /// Returns an event to try out a template with.
    pub fn example() -> Event {
        Event::new(Type::Container, EventAction::Start, "")
    }

    fn with(mut self, extra: &[(&str, String)]) -> Event {
        let extra = extra.iter().map(|(key, value)| ((*key).to_owned(), shortened(value)));
        self.attributes.extend(extra);
        self
    }

    /// Adds as many labels as there is room for.
    fn labelled(mut self, labels: &BTreeMap<String, String>) -> Event {
        let (mut room, mut left_out) = (MAX_LABEL_BYTES, 0_u64);
        for (key, value) in labels {
            let value = shortened(value);
            match room.checked_sub(key.len() + value.len()).filter(|_| key.len() <= MAX_TEXT) {
                Some(left) => {
                    room = left;
                    self.attributes.insert(key.clone(), value);
                }
                None => left_out += 1,
            }
        }
        match left_out {
            0 => self,
            _ => self.with(&[(LABELS_OMITTED, left_out.to_string())]),
        }
    }

    /// Returns the name of the object; empty where it has none.
    pub fn name(&self) -> &str {
        match self.subject {
            Type::Volume => &self.id,
            _ => self.attributes.get("name").map_or("", String::as_str),
        }
    }

    /// Returns the image as the container's creator named it; of an image, its name. Empty for a
    /// volume.
    pub fn image(&self) -> &str {
        let key = if self.subject == Type::Image { "name" } else { "image" };
        self.attributes.get(key).map_or("", String::as_str)
    }

    /// Returns the exit code that the end of a container reports; `None` for any other event.
    pub fn exit_code(&self) -> Option<i32> {
        let is_end = self.subject == Type::Container && self.verb() == EventAction::Die.as_str();
        self.attributes.get(EXIT_CODE).filter(|_| is_end)?.parse().ok()
    }

    /// Returns the action without the text after the colon.
    pub fn verb(&self) -> &str {
        self.action.split_once(": ").map_or(&self.action, |(verb, _)| verb)
    }
}

/// Returns the exit code of a container's last run from its events
/// ([`EventOptions::ends_of`]): one that was created with `--rm` is removed with its record.
pub fn last_exit_code(id: &ContainerId, events: impl Iterator<Item = Event>) -> Option<i32> {
    // A filter also finds a container whose name begins with the id.
    events.filter(|event| event.id == id.as_str()).filter_map(|event| event.exit_code()).last()
}

/// Returns the attributes of `die`: the exit code, and the whole seconds of the run.
pub fn exit_attributes(code: i32, begun: Timestamp) -> [(&'static str, String); 2] {
    let ran = Timestamp::now().duration_since(begun).as_secs().max(0);
    [(EXIT_CODE, code.to_string()), ("execDuration", ran.to_string())]
}

/// Returns the attributes of `rename`, in which Docker's names begin with a slash.
pub fn rename_attributes(old: &ContainerName) -> [(&'static str, String); 1] {
    [("oldName", format!("/{old}"))]
}

fn shortened(text: &str) -> String {
    match text.len() {
        0..=MAX_TEXT => text.to_owned(),
        _ => format!("{}...", &text[..text.floor_char_boundary(MAX_TEXT - 3)]),
    }
}

/// A filter of events: of one key any value must match, of `label` all; and all given keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pairs: Vec<(String, String)>,
}

impl EventFilter {
    /// The keys of the filter.
    pub const KEYS: [&'static str; 7] =
        ["container", "event", "image", "label", "scope", "type", "volume"];
    /// Docker's keys of objects that lifebox has not: no event matches.
    const WITHOUT_EVENTS: [&'static str; 7] =
        ["config", "daemon", "network", "node", "plugin", "secret", "service"];
    /// Docker's types and actions of such objects.
    const OTHER_TYPES: [&'static str; 8] =
        ["builder", "config", "daemon", "network", "node", "plugin", "secret", "service"];
    const OTHER_ACTIONS: [&'static str; 10] = [
        "checkpoint",
        "connect",
        "copy",
        "disable",
        "disconnect",
        "enable",
        "install",
        "prune",
        "reload",
        "remove",
    ];

    /// Adds a condition.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a key, an action or a type that does not exist.
    pub fn add(&mut self, key: &str, value: &str) -> Result<()> {
        if Self::WITHOUT_EVENTS.contains(&key) {
            self.pairs.push((key.to_owned(), value.to_owned()));
            return Ok(());
        }
        if !Self::KEYS.contains(&key) {
            let error = Error::new(Kind::Invalid, format!("invalid filter `{key}`"));
            return Err(error.hint(format!("use one of {}", Self::KEYS.join(", "))));
        }
        let (words, others): (Vec<&str>, &[&str]) = match key {
            "event" => {
                let words = EventAction::ALL.iter().map(|action| action.as_str());
                (words.collect(), &Self::OTHER_ACTIONS)
            }
            "type" => {
                let words = Type::ALL.iter().map(|subject| subject.as_str());
                (words.collect(), &Self::OTHER_TYPES)
            }
            _ => (Vec::new(), &[]),
        };
        let word = value.split(':').next().unwrap_or_default().trim_end();
        if !words.is_empty() && !words.contains(&word) && !others.contains(&word) {
            let error = Error::new(Kind::Invalid, format!("invalid filter `{key}={value}`"));
            let all = format!("use one of {}", words.join(", "));
            return Err(match suggest(word, words) {
                Some(near) => error.hint(format!("did you mean `{near}`? ({all})")),
                None => error.hint(all),
            });
        }
        self.pairs.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Returns whether the filter matches an event.
    pub fn matches(&self, event: &Event) -> bool {
        if self.pairs.iter().any(|(key, _)| Self::WITHOUT_EVENTS.contains(&key.as_str())) {
            return false;
        }
        Self::KEYS.iter().all(|key| {
            let mut values = self.pairs.iter().filter(|(k, _)| k == key).map(|(_, v)| v);
            match *key {
                "label" => values.all(|value| has_label(event, value)),
                _ => values.clone().next().is_none() || values.any(|value| is(event, key, value)),
            }
        })
    }
}

/// Matches as moby's `daemon/events/filter.go`: containers and volumes by the beginning of id or
/// name.
fn is(event: &Event, key: &str, value: &str) -> bool {
    let begins = |subject: Type| {
        let named = event.name().starts_with(value) || event.id.starts_with(value);
        event.subject == subject && named
    };
    match key {
        "container" => begins(Type::Container),
        "volume" => begins(Type::Volume),
        "type" => event.subject.as_str() == value,
        "scope" => value == "local",
        "image" => {
            let without_tag = |text: &str| match text.rsplit_once(':') {
                Some((repository, tag)) if !tag.contains('/') => repository == value,
                _ => false,
            };
            let names = [event.image(), &event.id];
            let names = &names[..if event.subject == Type::Image { 2 } else { 1 }];
            names.iter().any(|name| *name == value || without_tag(name))
        }
        _ => event.action == value || event.verb() == value,
    }
}

fn has_label(event: &Event, value: &str) -> bool {
    match value.split_once('=') {
        Some((key, value)) => event.attributes.get(key).is_some_and(|found| found == value),
        None => event.attributes.contains_key(value),
    }
}

/// The options of `events`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventOptions {
    /// From this time on. If neither this nor `until` is set, following begins with new events, as
    /// in Docker.
    pub since: Option<Timestamp>,
    /// Before this time, which also ends following.
    pub until: Option<Timestamp>,
    /// Follow new events.
    pub follow: bool,
    /// The filter.
    pub filter: EventFilter,
}

impl EventOptions {
    /// Returns the options that find the past ends of a container.
    pub fn ends_of(id: &ContainerId) -> Self {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let pairs = vec![pair("container", id.as_str()), pair("event", EventAction::Die.as_str())];
        EventOptions { filter: EventFilter { pairs }, ..EventOptions::default() }
    }
}

#[cfg(test)]
#[path = "tests/event.rs"]
mod tests;
