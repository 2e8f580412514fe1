//! The table of `volume ls`, with Docker's columns.

use serde_json::{Value, json};

use crate::model::observe::volume::VolumeUse;
use crate::ui::format::columns::align;

/// Formats the table of `volume ls`.
pub fn volumes(list: &[VolumeUse]) -> String {
    // Docker has no such column.
    let any_damaged = list.iter().any(|one| one.damaged.is_some());
    let mut text = format!("DRIVER\tVOLUME NAME{}\n", if any_damaged { "\tSTATUS" } else { "" });
    for one in list {
        let status = if one.damaged.is_some() { "\tdamaged" } else { "" };
        text.push_str(&format!("local\t{}{status}\n", one.volume.name));
    }
    align(&text)
}

/// Returns a volume as the fields of `volume ls --format`; all values are text, as Docker's.
pub fn fields(one: &VolumeUse) -> Value {
    let labels = one.volume.all_labels();
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    json!({
        // Availability and group are of volumes of a cluster.
        "Availability": "N/A",
        "Driver": "local",
        "Group": "N/A",
        "Labels": labels.join(","),
        "Links": "N/A",
        "Mountpoint": one.mountpoint,
        "Name": one.volume.name,
        "Scope": "local",
        "Size": "N/A",
        "Status": if one.damaged.is_some() { "damaged" } else { "N/A" },
    })
}

/// The template of `--format raw`.
pub const RAW: &str = "name: {{.Name}}\ndriver: {{.Driver}}\n";

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Availability": "AVAILABILITY", "Driver": "DRIVER", "Group": "GROUP", "Labels": "LABELS", "Links": "LINKS",
        "Mountpoint": "MOUNTPOINT", "Name": "VOLUME NAME", "Scope": "SCOPE", "Size": "SIZE",
        "Status": "STATUS",
    })
}
