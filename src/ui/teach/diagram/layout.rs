//! The arrows of the life cycle, from the table of states, and the notes below the picture.

use crate::model::container::status::{self, Action, Status, Transition};
use crate::model::value::language::Language;
use crate::ui::messages::format_message;

/// The container in the diagram: name and status.
pub type Position<'a> = Option<(&'a str, Status)>;

/// An arrow: the verbs that lead from one status to another, or remove the container (`None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: Status,
    pub(super) to: Option<Status>,
    pub(super) verbs: Vec<&'static str>,
}

/// Returns all legal transitions of the table.
pub(super) fn arrows() -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for from in Status::ALL {
        for action in Action::ALL.into_iter().filter(|action| action.changes_status()) {
            let to = match status::transition(from, action) {
                Ok(Transition::Becomes(to)) => Some(to),
                Ok(Transition::Removed) => None,
                Ok(Transition::Stays) | Err(_) => continue,
            };
            match arrows.iter_mut().find(|arrow| arrow.from == from && arrow.to == to) {
                Some(arrow) => arrow.verbs.push(action.verb()),
                None => arrows.push(Arrow { from, to, verbs: vec![action.verb()] }),
            }
        }
    }
    arrows
}

/// Returns the verbs of one arrow; empty if the table has no such arrow.
pub(super) fn verbs(from: Status, to: Option<Status>) -> String {
    let arrows = arrows();
    let found = arrows.iter().find(|arrow| arrow.from == from && arrow.to == to);
    found.map(|arrow| arrow.verbs.join(", ")).unwrap_or_default()
}

/// The arrows in the picture, in drawing order.
pub(super) const DRAWN: [(Status, Option<Status>); 7] = [
    (Status::Created, Some(Status::Running)),
    (Status::Running, Some(Status::Paused)),
    (Status::Paused, Some(Status::Running)),
    (Status::Running, Some(Status::Exited)),
    (Status::Exited, Some(Status::Running)),
    (Status::Paused, Some(Status::Exited)),
    (Status::Exited, None),
];

/// Formats the transitions outside of the picture, and the verbs that are legal now.
pub(super) fn notes(language: Language, position: Position<'_>, ascii: bool) -> String {
    let to = if ascii { "->" } else { "→" };
    let mut text = String::new();
    let rest = arrows().into_iter().filter(|arrow| !DRAWN.contains(&(arrow.from, arrow.to)));
    for arrow in rest {
        let target = match arrow.to {
            Some(status) => format_message(language, &format!("status-{status}"), &[]),
            None => format_message(language, "diagram-removed", &[]),
        };
        let from = format_message(language, &format!("status-{}", arrow.from), &[]);
        text.push_str(&format!("{from}: {} {to} {target}\n", arrow.verbs.join(", ")));
    }
    if let Some((_, status)) = position {
        let legal =
            format_message(language, "diagram-legal", &[("verbs", &status::legal_verbs(status))]);
        text.push_str(&format!("\n{legal}\n"));
    }
    text
}
