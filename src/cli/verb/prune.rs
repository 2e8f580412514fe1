//! `image prune` and `container prune`: print what will be removed, and ask for confirmation.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;

use super::context::CommandContext;
use super::filters::FilterSet;
use super::list::image_filter;
use crate::cli::arguments::store::{PruneContainersArguments, PruneImagesArguments};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::model::container::Container;
use crate::model::container::options::RemoveOptions;
use crate::model::image::Removed;
use crate::model::image::filter::ImageFilter;
use crate::model::image::usage::PruneOptions;
use crate::model::value::units::human_bytes;
use crate::model::{Error, Kind, Result};

/// The longest answer, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Carries out `image prune`.
///
/// # Errors
/// When a filter is invalid, or there is no terminal to ask.
pub fn images(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PruneImagesArguments,
) -> CommandResult {
    let filter = image_filter(context, &arguments.filter, FilterSet::Pruning)?;
    // As in Docker, whose `-a` is this filter.
    let all = arguments.all || filter.dangling == Some(false);
    let options = PruneOptions {
        all,
        filter: ImageFilter { dangling: None, ..filter },
        ..Default::default()
    };
    let backend = context.backend()?;
    if !arguments.force {
        let would = backend.prune_images(&PruneOptions { dry_run: true, ..options.clone() })?;
        let what = if all {
            "all images without at least one container associated to them"
        } else {
            "all dangling images"
        };
        let names = would.removed.iter().filter_map(|removed| match removed {
            Removed::Untagged(reference) => Some(reference.familiar()),
            Removed::Deleted(_) => None,
        });
        let effect = PruneSummary { what, count: would.images, noun: "image", bytes: would.bytes };
        if !confirm(context, terminal, &effect, names)? {
            return Ok(0);
        }
    }
    let freed = remove_images(context, &options)?;
    freed.show(terminal)
}

/// What a prune has removed, as Docker prints it.
pub(super) struct Freed {
    /// The list of what is gone, under its heading; empty if nothing is.
    pub(super) list: String,
    /// The bytes.
    pub(super) bytes: u64,
}

impl Freed {
    /// Returns the removals under a heading.
    pub(super) fn of(heading: &str, lines: &[String], bytes: u64) -> Freed {
        let list = match lines.is_empty() {
            true => String::new(),
            false => format!("{heading}:\n{}\n\n", lines.join("\n")),
        };
        Freed { list, bytes }
    }

    /// Prints the list and the sum.
    pub(super) fn show(&self, terminal: &mut Terminal) -> CommandResult {
        terminal.text(&self.list)?;
        terminal.line(format_args!("Total reclaimed space: {}", human_bytes(self.bytes)))?;
        Ok(0)
    }
}

/// Removes unused images, or with `of_builds` what builds keep.
pub(super) fn remove_images(context: &CommandContext, options: &PruneOptions) -> Result<Freed> {
    let pruned = context.backend()?.prune_images(options)?;
    let line = |removed: &Removed| match (removed, options.of_builds) {
        (Removed::Untagged(reference), _) => format!("untagged: {}", reference.familiar()),
        (Removed::Deleted(digest), false) => format!("deleted: {digest}"),
        (Removed::Deleted(digest), true) => digest.hex().to_owned(),
    };
    let lines: Vec<String> = pruned.removed.iter().map(line).collect();
    let heading = if options.of_builds { "Deleted build cache objects" } else { "Deleted Images" };
    Ok(Freed::of(heading, &lines, pruned.bytes))
}

/// Carries out `container prune`.
///
/// # Errors
/// When a filter is invalid, or there is no terminal to ask.
pub fn containers(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PruneContainersArguments,
) -> CommandResult {
    let filter = image_filter(context, &arguments.filter, FilterSet::PruningContainers)?;
    let going = stopped(context, &filter)?;
    if !arguments.force {
        let bytes = going.iter().map(|(_, size)| size).sum();
        let count = going.len() as u64;
        let effect =
            PruneSummary { what: "all stopped containers", count, noun: "container", bytes };
        let names = going.iter().map(|(container, _)| container.state.name.to_string());
        if !confirm(context, terminal, &effect, names)? {
            return Ok(0);
        }
    }
    remove_containers(context, &going)?.show(terminal)
}

/// Returns the stopped containers that the filter matches, with their sizes.
pub(super) fn stopped(
    context: &CommandContext,
    filter: &ImageFilter,
) -> Result<Vec<(Container, u64)>> {
    let backend = context.backend()?;
    let goes = |container: &Container| {
        let (spec, state) = (&container.spec, &container.state);
        !state.status.is_live()
            && filter.matches_labels_and_time(&spec.config.labels, Some(spec.created))
    };
    let sized = |container: Container| {
        let size = backend.container_size(&container.spec.id).unwrap_or_default();
        (container, size)
    };
    Ok(backend.ps()?.into_iter().filter(goes).map(sized).collect())
}

/// Removes these containers, but those that were started or removed meanwhile.
pub(super) fn remove_containers(
    context: &CommandContext,
    going: &[(Container, u64)],
) -> Result<Freed> {
    let backend = context.backend()?;
    let (mut freed, mut removed) = (0, Vec::new());
    for (container, size) in going {
        match backend.rm(&container.spec.id, &RemoveOptions::default(), context.interruptible()?) {
            Ok(()) => {
                freed += size;
                removed.push(container.spec.id.as_str().to_owned());
            }
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Freed::of("Deleted Containers", &removed, freed))
}

/// What pruning will remove.
pub(crate) struct PruneSummary {
    pub what: &'static str,
    pub count: u64,
    pub noun: &'static str,
    pub bytes: u64,
}

/// Prints what will be removed, and asks. Returns whether the answer was yes.
pub(crate) fn confirm(
    context: &CommandContext,
    terminal: &mut Terminal,
    effect: &PruneSummary,
    names: impl Iterator<Item = String>,
) -> Result<bool> {
    let PruneSummary { what, count, noun, bytes } = effect;
    let plural = if *count == 1 { "" } else { "s" };
    let mut text = format!("WARNING! This will remove {what}.\n");
    text.push_str(&format!("{count} {noun}{plural}, {} to be freed", human_bytes(*bytes)));
    let names: Vec<String> = names.collect();
    if !names.is_empty() {
        text.push_str(&format!(": {}", names.join(", ")));
    }
    text.push('\n');
    ask(context, terminal, &text)
}

/// Prints `warning`, and asks on standard input, which need not be a terminal. Returns whether the
/// answer was yes.
pub(super) fn ask(
    context: &CommandContext,
    terminal: &mut Terminal,
    warning: &str,
) -> Result<bool> {
    let stdin = std::io::stdin();
    // The next line of input is the next one of the REPL.
    if context.in_repl && !stdin.is_terminal() {
        let message = "cannot ask for confirmation: standard input is not a terminal";
        return Err(
            Error::new(Kind::Invalid, message).hint("add -f to remove without confirmation")
        );
    }
    let text = format!("{warning}Are you sure you want to continue? [y/N] ");
    let write = |error: std::io::Error| Error::from_io("write the question", &error);
    terminal.text(&text).and_then(|()| terminal.flush()).map_err(write)?;
    // Ctrl-C is an answer too: the REPL catches it, and the read would continue.
    let cancel = context.interruptible()?;
    wait_for_either(stdin.as_fd(), cancel.as_fd())?;
    cancel.check()?;
    let mut answer = String::new();
    let read = stdin.lock().take(MAX_ANSWER).read_line(&mut answer);
    // As in Docker, no answer means no.
    read.map_err(|error| Error::from_io("read the answer", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y"))
}

fn wait_for_either(
    one: std::os::fd::BorrowedFd<'_>,
    other: std::os::fd::BorrowedFd<'_>,
) -> Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        let mut fds = [one, other].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("poll", errno.raw_os_error())),
        }
    }
}
