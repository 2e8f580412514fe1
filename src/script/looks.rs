//! How records look. The one place that asks other rooms for it.

use crate::model::container::Container;
use crate::model::image::Image;

/// The table of `ps`.
pub fn containers(list: &[Container]) -> String {
    // Seam: `crate::ui::ps::containers(list, jiff::Timestamp::now(), false)`.
    let row =
        |c: &Container| format!("{}  {}  {}", c.spec.id.short(), c.state.name, c.state.status);
    list.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The table of `images`.
pub fn images(list: &[Image]) -> String {
    // Seam: `crate::ui::images::images(list, jiff::Timestamp::now(), false)`.
    let row = |image: &Image| format!("{}  {}", image.id.short(), image.display_name());
    list.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Docker's inspect object of a container.
pub fn inspect_container(container: &Container) -> serde_json::Value {
    // Seam: `crate::model::inspect::container(container)`.
    serde_json::json!({
        "Id": container.spec.id.as_str(),
        "Name": format!("/{}", container.state.name),
        "State": { "Status": container.state.status, "ExitCode": container.state.exit_code },
    })
}

/// Docker's inspect object of an image.
pub fn inspect_image(image: &Image) -> serde_json::Value {
    // Seam: `crate::model::inspect::image(image)`.
    serde_json::json!({ "Id": image.id.to_string(), "Architecture": image.architecture })
}
