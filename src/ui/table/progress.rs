//! Formats the progress of image transfers in Docker's words.

use crate::model::observe::progress::{Event, Step};
use crate::model::value::reference::Reference;
use crate::model::value::visible::escape_line;

/// Formats an event as a line, for a pipe or a log file. Returns `None` for an event that only
/// moves a bar.
pub fn line(event: &Event) -> Option<String> {
    let line = match event {
        Event::Missing(image) => Some(format!("Unable to find image '{image}' locally")),
        Event::Pulling { name, repository } => Some(format!("{name}: Pulling from {repository}")),
        Event::Pushing { repository } => {
            Some(format!("The push refers to repository [{repository}]"))
        }
        Event::Layer(digest, step) => {
            let counts = matches!(step, Step::Downloading(..) | Step::Uploading(..));
            let shown = !counts && *step != Step::Unpacking;
            shown.then(|| format!("{}: {}", digest.short(), word(step)))
        }
        Event::Waiting { reason, seconds } => {
            let unit = if *seconds == 1 { "second" } else { "seconds" };
            Some(format!("{reason}, trying again in {seconds} {unit}"))
        }
        Event::End => None,
    };
    // The reasons and the names in it are the registry's.
    line.map(|line| escape_line(&line))
}

/// Formats the step of a layer.
pub fn word(step: &Step) -> String {
    match step {
        Step::Waiting => "Pulling fs layer".to_owned(),
        Step::Exists => "Already exists".to_owned(),
        Step::Downloading(..) => "Downloading".to_owned(),
        Step::Downloaded => "Download complete".to_owned(),
        Step::Unpacking => "Extracting".to_owned(),
        Step::Done => "Pull complete".to_owned(),
        Step::Preparing => "Preparing".to_owned(),
        Step::Uploading(..) => "Pushing".to_owned(),
        Step::Pushed => "Pushed".to_owned(),
        Step::AlreadyExists => "Layer already exists".to_owned(),
        Step::Mounted(from) => format!("Mounted from {from}"),
    }
}

/// Returns the message for a reference without a tag.
pub fn default_tag(typed: &str, reference: &Reference) -> Option<String> {
    let tag = reference.tag().filter(|_| reference.digest().is_none())?;
    let left_out = !typed.ends_with(&format!(":{tag}"));
    left_out.then(|| format!("Using default tag: {tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_dockers() {
        let digest: crate::model::value::digest::Digest =
            format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let layer = |step| line(&Event::Layer(digest.clone(), step));
        assert_eq!(layer(Step::Waiting).unwrap(), "aaaaaaaaaaaa: Pulling fs layer");
        assert_eq!(layer(Step::Downloading(1, 2)), None);
        assert_eq!(layer(Step::Mounted("a/b".into())).unwrap(), "aaaaaaaaaaaa: Mounted from a/b");
        let pulling = Event::Pulling { name: "3".into(), repository: "library/alpine".into() };
        assert_eq!(line(&pulling).unwrap(), "3: Pulling from library/alpine");
    }

    #[test]
    fn a_tag_that_was_left_out_is_said() {
        let said = |typed: &str| default_tag(typed, &typed.parse().unwrap());
        assert_eq!(said("alpine").unwrap(), "Using default tag: latest");
        assert_eq!(said("localhost:5000/alpine").unwrap(), "Using default tag: latest");
        assert_eq!(said("alpine:latest"), None);
        assert_eq!(said(&format!("alpine@sha256:{}", "a".repeat(64))), None);
    }
}
