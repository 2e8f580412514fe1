//! The table of `context ls`, with Docker's columns.

use serde_json::{Value, json};

use crate::ui::format::columns::align;

/// Formats the table of the one context.
pub fn contexts(name: &str, place: &str) -> String {
    align(&format!(
        "NAME\tDESCRIPTION\tDOCKER ENDPOINT\tERROR\n{name} *\tThe engine of this host\t{place}\t\n"
    ))
}

/// Returns the context as the fields of `context ls --format`.
pub fn fields(name: &str, place: &str) -> Value {
    json!({
        "Current": true,
        "Description": "The engine of this host",
        "DockerEndpoint": place,
        "Error": "",
        "Name": name,
    })
}

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Current": "CURRENT", "Description": "DESCRIPTION", "DockerEndpoint": "DOCKER ENDPOINT",
        "Error": "ERROR", "Name": "NAME",
    })
}
