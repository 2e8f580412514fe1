//! The overlay of an image's layers: the root of a container, or a mount in it.

use super::inputs::PlanInputs;
use super::read::{setting, text};
use super::step::Root;
use crate::model::Result;
use crate::sys::mount::Attributes;

/// Returns the overlay of layers, lowest first, on `target`.
pub(super) fn stacked(
    lower: &[String],
    target: &str,
    changes: &[(&str, &str)],
    attributes: Attributes,
    inputs: &PlanInputs,
) -> Result<Root> {
    let topmost_first: Vec<_> = lower.iter().rev().map(String::as_str).collect();
    // A layer is untrusted: the kernel must not follow the redirects and metadata-only copies of
    // its extended attributes (overlayfs.rst, "Metadata only copy up").
    let confined = [("metacopy", "off"), ("redirect_dir", "nofollow"), ("index", "off")];
    let mut settings: Vec<_> = changes.iter().chain(&confined).copied().collect();
    // Only the host's root may use `trusted.*` attributes.
    if inputs.identity.in_user_namespace() {
        settings.push(("userxattr", ""));
    }
    let mut options = format!("lowerdir={}", topmost_first.join(":"));
    for (key, value) in &settings {
        let equals = if value.is_empty() { "" } else { "=" };
        options = format!("{options},{key}{equals}{value}");
    }
    Ok(Root {
        lower: lower.iter().map(|layer| text(layer)).collect::<Result<_>>()?,
        settings: settings.iter().map(|(key, value)| setting(key, value)).collect::<Result<_>>()?,
        has_lowerdir_append: inputs.has_lowerdir_append,
        attributes,
        options: text(&options)?,
        target: text(target)?,
    })
}
