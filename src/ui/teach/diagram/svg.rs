//! Draws the life cycle as SVG.

use super::layout::{DRAWN, Position, notes, verbs};
use crate::model::container::status::Status;
use crate::model::value::language::Language;
use crate::ui::messages::format_message;

/// Formats the diagram as SVG for light and dark pages.
pub fn svg(language: Language, position: Position<'_>) -> String {
    let place = |status: Status| match status {
        Status::Created => (40, 60),
        Status::Running => (40, 190),
        Status::Paused => (470, 190),
        Status::Exited | Status::Restarting | Status::Dead => (40, 320),
    };
    let mut body = String::new();
    for status in [Status::Created, Status::Running, Status::Paused, Status::Exited] {
        let (x, y) = place(status);
        let (left, upper, lower) = (x + 16, y + 28, y + 50);
        let class = if position.is_some_and(|(_, now)| now == status) { "box here" } else { "box" };
        let name = escaped(&format_message(language, &format!("status-{status}"), &[]));
        let costs = escaped(&format_message(language, &format!("costs-{status}"), &[]));
        body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"220\" height=\"64\" rx=\"8\"/>\n\
             <text class=\"name\" x=\"{left}\" y=\"{upper}\">{name}</text>\n\
             <text x=\"{left}\" y=\"{lower}\">{costs}</text>\n",
        ));
    }
    let lines = [
        ((100, 124), (100, 190), (112, 162)),
        ((260, 206), (470, 206), (290, 196)),
        ((470, 238), (260, 238), (290, 258)),
        ((80, 254), (80, 320), (92, 292)),
        ((250, 320), (250, 254), (266, 292)),
        ((560, 254), (260, 352), (430, 320)),
        ((80, 384), (80, 430), (92, 414)),
    ];
    for ((from, to), ((x1, y1), (x2, y2), (x, y))) in DRAWN.into_iter().zip(lines) {
        let mut verbs = verbs(from, to);
        if (from, to) == (Status::Running, Some(Status::Exited)) {
            verbs.push_str(&format!(", ({})", format_message(language, "by-itself", &[])));
        }
        let verbs = escaped(&verbs);
        body.push_str(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" marker-end=\"url(#tip)\"/>\n\
             <text class=\"verb\" x=\"{x}\" y=\"{y}\">{verbs}</text>\n"
        ));
    }
    let title = match position {
        Some((name, _)) => format_message(language, "diagram-title-of", &[("name", name)]),
        None => format_message(language, "diagram-title", &[]),
    };
    let notes = notes(language, position, false);
    let lines: Vec<&str> = notes.lines().filter(|line| !line.is_empty()).collect();
    for (line, y) in lines.iter().zip((490..).step_by(20)) {
        body.push_str(&format!("<text x=\"40\" y=\"{y}\">{}</text>\n", escaped(line)));
    }
    let height = 490 + 20 * lines.len();
    let title = escaped(&title);
    let removed = escaped(&format_message(language, "diagram-removed", &[]));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" markerWidth=\"10\" markerHeight=\"8\" refX=\"9\" refY=\"4\" \
         orient=\"auto\"><path class=\"tip\" d=\"M0,0 L10,4 L0,8 z\"/></marker></defs>\n\
         <text class=\"title\" x=\"40\" y=\"34\">{title}</text>\n{body}\
         <text class=\"name\" x=\"66\" y=\"452\">{removed}</text>\n</svg>\n"
    )
}

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#222}.title{font-size:18px}\
.name{font-weight:600}.verb{font-family:ui-monospace,monospace;font-size:13px}\
.box{fill:#f4f6f8;stroke:#789}.here{fill:#d7efe0;stroke:#177a3d;stroke-width:3}\
line{stroke:#456;stroke-width:1.5}.tip{fill:#456}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.box{fill:#23282e;stroke:#8aa}\
.here{fill:#143d26;stroke:#5fd38a}line{stroke:#9bb}.tip{fill:#9bb}}";

/// Escapes a text for XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text_in_a_picture() {
        let svg = svg(Language::English, Some(("a<b", Status::Created)));
        assert!(svg.contains("a&lt;b") && !svg.contains("a<b"));
    }
}
