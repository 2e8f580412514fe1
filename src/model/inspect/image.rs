//! What `image inspect` prints.

use serde_json::{Value, json};

use super::config::{docker_config, extend, time};
use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// Returns the comment of an image, or of its latest step, where newer builders write it.
fn comment(image: &Image) -> &str {
    let comment = image.document.get("comment");
    let steps = image.document.get("history").and_then(Value::as_array);
    let latest = || steps?.last()?.get("comment");
    comment
        .filter(|comment| comment.as_str().is_some_and(|text| !text.is_empty()))
        .or_else(latest)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Returns what `image inspect` prints of an image, without the array around it. `layers` are the
/// directories of its layers, topmost first, as overlayfs takes them.
pub fn image(image: &Image, layers: &[String]) -> Value {
    let text = |key: &str| image.document.get(key).and_then(Value::as_str).unwrap_or_default();
    let familiar =
        |list: &[Reference]| -> Vec<String> { list.iter().map(Reference::familiar).collect() };
    let (top, below) =
        layers.split_first().map_or(("", &[][..]), |(top, rest)| (top.as_str(), rest));
    json!({
        "Id": image.id.as_str(),
        "RepoTags": familiar(&image.tags),
        "RepoDigests": familiar(&image.digests),
        "Parent": image.parent.as_ref().map_or("", Digest::as_str),
        "Comment": comment(image),
        "Created": time(image.created),
        "Container": text("container"),
        "ContainerConfig": docker_config(image.document.get("container_config").unwrap_or(&Value::Null)),
        "DockerVersion": text("docker_version"),
        "Author": text("author"),
        "Config": image_config(image),
        "Architecture": image.architecture,
        "Os": image.os,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {
            "Data": { "LowerDir": below.join(":"), "MergedDir": "", "UpperDir": top, "WorkDir": "" },
            "Name": "overlay2",
        },
        "RootFS": { "Type": "layers", "Layers": image.diff_ids() },
        "Metadata": { "LastTagTime": time(image.tagged) },
    })
}

/// Returns the image's configuration as parsed, with the keys that only its document has.
fn image_config(image: &Image) -> Value {
    let mut source = match image.document.get("config") {
        Some(Value::Object(map)) => Value::Object(map.clone()),
        _ => json!({}),
    };
    extend(&mut source, serde_json::to_value(&image.config).unwrap_or_default());
    docker_config(&source)
}
