//! Explains what a container is in the kernel, and what an image is on disk.

use super::trace::format_duration_for;
use crate::model::observe::introspection::{
    Difference, Entry, ImageIntrospection, Introspection, Layer, PathLayers,
};
use crate::model::value::language::Language;
use crate::model::value::units::{human_memory, human_size};
use crate::model::value::visible::{escape_line, one_line};
use crate::ui::format::columns::align;
use crate::ui::messages::format_message;

/// Formats a container as seen from the host and from inside.
pub fn container(language: Language, view: &Introspection) -> String {
    let record = &view.container;
    let (name, status) = (record.state.name.as_str(), record.state.status.as_str());
    let command = record.spec.config.argv().join(" ");
    let mut page = Page::new(language);
    let status = format_message(language, &format!("status-{status}"), &[]);
    let args = [("name", name), ("status", status.as_str()), ("command", command.as_str())];
    page.line(&format_message(language, "explain-container", &args));
    let created = record.spec.created.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let args = [("image", record.spec.image.reference.as_str()), ("created", created.as_str())];
    page.line(&format_message(language, "explain-made-of", &args));
    if view.namespaces.is_empty() {
        page.heading("explain-no-process");
    } else {
        namespaces(&mut page, view);
        processes(&mut page, view);
        cgroup(&mut page, view);
        mounts(&mut page, view);
    }
    page.heading("explain-layers");
    layers(&mut page, &view.layers);
    let written = human_size(view.written);
    let sealed = record.spec.host_config.security.read_only;
    page.item(&match sealed {
        true => format_message(language, "explain-written-sealed", &[]),
        false => format_message(language, "explain-written", &[("size", &written)]),
    });
    difference(&mut page, &view.difference);
    if !view.ports.is_empty() {
        let ports: Vec<_> = view.ports.iter().map(u16::to_string).collect();
        page.text.push('\n');
        page.line(&format_message(language, "explain-ports", &[("ports", &ports.join(", "))]));
    }
    page.done()
}

fn difference(page: &mut Page, difference: &Difference) {
    let language = page.language;
    if let Some(reason) = &difference.unknown {
        let reason = escape_line(reason);
        let args = [("reason", &*reason)];
        page.item(&format!("  {}", format_message(language, "explain-difference-unknown", &args)));
        return;
    }
    let counts = [difference.added, difference.changed, difference.deleted].map(|n| n.to_string());
    let args = [
        ("added", counts[0].as_str()),
        ("changed", counts[1].as_str()),
        ("deleted", counts[2].as_str()),
    ];
    page.item(&format!("  {}", format_message(language, "explain-difference", &args)));
    for path in &difference.examples {
        page.item(&format!("  {path}"));
    }
}

fn namespaces(page: &mut Page, view: &Introspection) {
    let language = page.language;
    page.heading("explain-namespaces");
    let host = format_message(language, "explain-host", &[]);
    let row = |namespace: &crate::model::observe::introspection::Namespace| {
        let others = namespace.shared_with.iter();
        let others: Vec<&str> =
            others.map(|other| if other == "host" { host.as_str() } else { other }).collect();
        let whose = match others.is_empty() {
            true => format_message(language, "explain-own", &[]),
            false => format_message(language, "explain-shared", &[("with", &others.join(", "))]),
        };
        format!("{}\t{}\t{whose}", namespace.kind, namespace.number)
    };
    page.table(view.namespaces.iter().map(row));
}

fn processes(page: &mut Page, view: &Introspection) {
    let language = page.language;
    page.heading("explain-processes");
    let label = |id: &str| format_message(language, id, &[]);
    let head =
        ["explain-host-pid", "explain-container-pid", "explain-command"].map(label).join("\t");
    let row = |process: &crate::model::observe::introspection::ProcessView| {
        format!("{}\t{}\t{}", process.host_pid, process.container_pid, one_line(&process.command))
    };
    page.table([head].into_iter().chain(view.processes.iter().map(row)));
}

fn cgroup(page: &mut Page, view: &Introspection) {
    let language = page.language;
    page.heading("explain-cgroup");
    for path in &view.cgroups {
        page.item(path);
    }
    let stats = &view.stats;
    let (cpu, memory) = (format_duration_for(stats.cpu_time), human_memory(stats.memory));
    let count = stats.pids.to_string();
    let args = [("cpu", cpu.as_str()), ("memory", memory.as_str()), ("count", count.as_str())];
    page.item(&format_message(language, "explain-uses", &args));
    let limits = limits(view);
    page.item(&match limits.is_empty() {
        true => format_message(language, "explain-no-limits", &[]),
        false => format_message(language, "explain-limits", &[("limits", &limits.join(", "))]),
    });
}

/// Returns the limits that are set, under the names of their options.
fn limits(view: &Introspection) -> Vec<String> {
    let resources = &view.container.spec.host_config.resources;
    let bytes = |bytes: i64| human_memory(u64::try_from(bytes).unwrap_or(0));
    let memory = resources.memory.map(|memory| format!("memory {}", bytes(memory)));
    let cpus = resources.nano_cpus.map(|cpus| format!("cpus {}", cpus as f64 / 1e9));
    let pids = Some(resources.pids()).filter(|pids| *pids > 0).map(|pids| format!("pids {pids}"));
    [memory, cpus, pids].into_iter().flatten().collect()
}

fn mounts(page: &mut Page, view: &Introspection) {
    let language = page.language;
    page.heading("explain-mounts");
    let row = |mount: &crate::model::observe::introspection::MountPoint| {
        let note = if mount.writable {
            String::new()
        } else {
            format_message(language, "explain-read-only", &[])
        };
        format!("{}\t{}\t{note}", escape_line(&mount.path), escape_line(&mount.kind))
    };
    page.table(view.mounts.iter().map(row));
}

fn layers(page: &mut Page, layers: &[Layer]) {
    let language = page.language;
    for (number, layer) in (1..).zip(layers) {
        let (size, count) = (human_size(layer.size), layer.files.to_string());
        let about =
            format_message(language, "explain-layer", &[("size", &size), ("count", &count)]);
        page.item(&format!("{number}  {}  {about}", layer.key.short()));
        if !layer.examples.is_empty() {
            let paths = escape_line(&layer.examples.join(", "));
            page.note(&format_message(language, "explain-such-as", &[("paths", &paths)]));
        }
        if !layer.hidden.is_empty() {
            let paths = escape_line(&layer.hidden.join(", "));
            page.note(&format_message(language, "explain-hides", &[("paths", &paths)]));
        }
    }
}

/// Formats the layers and mounts that a path of a container comes from.
pub fn sources(language: Language, path: &str, sources: &PathLayers) -> String {
    let mut page = Page::new(language);
    let args = [("name", sources.name.as_str()), ("path", path)];
    page.line(&format_message(language, "sources-title", &args));
    if let Some(mount) = &sources.mount {
        let args = [("kind", mount.kind.as_str()), ("path", mount.path.as_str())];
        page.item(&format_message(language, "sources-mount", &args));
    } else if sources.layers.is_empty() {
        page.item(&format_message(language, "sources-none", &[]));
    }
    // Only directories are merged by overlayfs.
    let mut seen = sources.mount.is_none();
    for source in &sources.layers {
        let layer = match source.layer {
            None => format_message(language, "sources-own", &[]),
            Some(number) => {
                format_message(language, "sources-layer", &[("number", &number.to_string())])
            }
        };
        let (at, to, size) = match &source.entry {
            Entry::File(size) => (String::new(), String::new(), human_size(*size)),
            Entry::Link { at, to } => (at.clone(), to.clone(), String::new()),
            Entry::Directory | Entry::OpaqueDirectory | Entry::Hidden => Default::default(),
        };
        let what = format!("sources-{}", source.entry.key());
        let what = format_message(language, &what, &[("size", &size), ("at", &at), ("to", &to)]);
        let note =
            if seen { String::new() } else { format_message(language, "sources-unseen", &[]) };
        page.item(format!("{layer}: {what} {note}").trim_end());
        seen &= source.entry == Entry::Directory;
    }
    page.done()
}

/// Formats an image from its lowest layer up to the layer of a container.
pub fn image(language: Language, view: &ImageIntrospection) -> String {
    let mut page = Page::new(language);
    let image = &view.image;
    let (name, size) = (image.display_name(), human_size(image.size));
    let count = view.layers.len().to_string();
    let args = [("name", name.as_str()), ("size", size.as_str()), ("count", count.as_str())];
    page.line(&format_message(language, "explain-image", &args));
    page.heading("explain-layers");
    layers(&mut page, &view.layers);
    page.heading("explain-history");
    for step in view.history.iter().rev() {
        let size = human_size(step.size);
        let first = step.created_by.lines().next().unwrap_or_default();
        page.item(&format!("{size:>9}  {}", crate::ui::format::columns::ellipsis(first, 64)));
    }
    page.heading("explain-config");
    let config = &image.config;
    let command = config.entrypoint.iter().chain(&config.cmd).flatten();
    let command = command.map(String::as_str).collect::<Vec<_>>().join(" ");
    let keys = |map: &std::collections::BTreeMap<String, serde_json::Value>| {
        map.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let rows = [
        ("explain-runs", command),
        ("explain-env", config.env.join(" ")),
        ("explain-workdir", config.working_dir.clone()),
        ("explain-user", config.user.clone()),
        ("explain-ports-declared", keys(&config.exposed_ports)),
        ("explain-volumes", keys(&config.volumes)),
    ];
    for (id, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        let mut lines = crate::ui::format::columns::wrapped(&one_line(&value), 60).into_iter();
        let label = crate::ui::format::columns::padded(&format_message(language, id, &[]), 13);
        page.item(&format!("{label} {}", lines.next().unwrap_or_default()));
        lines.for_each(|line| page.item(&format!("{:13} {line}", "")));
    }
    page.text.push('\n');
    page.paragraph(&format_message(language, "explain-a-container-adds", &[]));
    if !view.users.is_empty() {
        page.line(&format_message(language, "explain-users", &[("names", &view.users.join(", "))]));
    }
    page.done()
}

/// A page of headings, items and tables.
struct Page {
    language: Language,
    text: String,
}

impl Page {
    fn new(language: Language) -> Self {
        Page { language, text: String::new() }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(&escape_line(text));
        self.text.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        for line in crate::ui::format::columns::wrapped(text, 78) {
            self.line(&line);
        }
    }

    fn heading(&mut self, id: &str) {
        self.text.push('\n');
        self.line(&format_message(self.language, id, &[]));
    }

    fn item(&mut self, text: &str) {
        self.line(&format!("  {text}"));
    }

    /// Adds a note below an item, wrapped to the width.
    fn note(&mut self, text: &str) {
        for line in crate::ui::format::columns::wrapped(text, 73) {
            self.line(&format!("     {line}"));
        }
    }

    fn table(&mut self, rows: impl Iterator<Item = String>) {
        let rows: Vec<String> = rows.collect();
        for line in align(&rows.join("\n")).lines() {
            self.item(line.trim_end());
        }
    }

    fn done(self) -> String {
        self.text
    }
}
