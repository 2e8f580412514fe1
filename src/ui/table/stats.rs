//! The table of `stats`, with Docker's columns.

use serde_json::{Value, json};

use crate::model::container::Container;
use crate::model::observe::stats::Stats;
use crate::model::value::units::{human_memory, human_size};
use crate::ui::format::columns::align;

/// The usage of one container between two samples.
#[derive(Clone, Debug)]
pub struct Row {
    /// The container as the user named it.
    pub name: Option<String>,
    /// The container.
    pub container: Container,
    /// The earlier sample.
    pub before: Stats,
    /// The later sample.
    pub now: Stats,
}

/// Returns a row as the fields of `stats --format`; all values are text, as Docker's.
pub fn fields(row: &Row, no_trunc: bool) -> Value {
    let (now, id) = (&row.now, &row.container.spec.id);
    let id = if no_trunc { id.as_str() } else { id.short() };
    let pair = |(a, b): (u64, u64)| format!("{} / {}", human_size(a), human_size(b));
    json!({
        "BlockIO": now.block.map_or_else(|| "-- / --".to_owned(), pair),
        "CPUPerc": format!("{:.2}%", now.cpu_percent(&row.before)),
        "Container": row.name.as_deref().unwrap_or(id),
        "ID": id,
        "MemPerc": format!("{:.2}%", now.memory_percent()),
        "MemUsage": format!("{} / {}", human_memory(now.memory), human_memory(now.memory_limit)),
        "Name": row.container.state.name.as_str(),
        "NetIO": pair(now.network),
        "PIDs": now.pids.to_string(),
    })
}

/// Returns the headings of these fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "BlockIO": "BLOCK I/O",
        "CPUPerc": "CPU %",
        "Container": "CONTAINER",
        "ID": "CONTAINER ID",
        "MemPerc": "MEM %",
        "MemUsage": "MEM USAGE / LIMIT",
        "Name": "NAME",
        "NetIO": "NET I/O",
        "PIDs": "PIDS",
    })
}

/// Formats the table of `stats`.
pub fn table(rows: &[Row], no_trunc: bool) -> String {
    const COLUMNS: [&str; 8] =
        ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"];
    let line = |fields: &Value| {
        let cells: Vec<_> =
            COLUMNS.iter().map(|key| fields[key].as_str().unwrap_or_default()).collect();
        cells.join("\t") + "\n"
    };
    let mut text = line(&headings());
    text.extend(rows.iter().map(|row| line(&fields(row, no_trunc))));
    align(&text)
}
