//! `image prune` and `container prune`: print what will be removed, and ask for confirmation.

use std::io::BufRead as _;
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
    let options =
        PruneOptions { all, filter: ImageFilter { dangling: None, ..filter }, dry_run: false };
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
    let pruned = backend.prune_images(&options)?;
    if !pruned.removed.is_empty() {
        terminal.line("Deleted Images:")?;
        for step in &pruned.removed {
            match step {
                Removed::Untagged(reference) => {
                    terminal.line(format_args!("untagged: {}", reference.familiar()))?;
                }
                Removed::Deleted(digest) => terminal.line(format_args!("deleted: {digest}"))?,
            }
        }
        terminal.line("")?;
    }
    terminal.line(format_args!("Total reclaimed space: {}", human_bytes(pruned.bytes)))?;
    Ok(0)
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
    let backend = context.backend()?;
    let goes = |container: &Container| {
        let (spec, state) = (&container.spec, &container.state);
        !state.status.is_live()
            && filter.matches_labels_and_time(&spec.config.labels, Some(spec.created))
    };
    let going: Vec<Container> = backend.ps()?.into_iter().filter(goes).collect();
    let mut sizes = Vec::with_capacity(going.len());
    for container in &going {
        sizes.push(backend.container_size(&container.spec.id).unwrap_or_default());
    }
    if !arguments.force {
        let (count, bytes) = (going.len() as u64, sizes.iter().sum());
        let effect =
            PruneSummary { what: "all stopped containers", count, noun: "container", bytes };
        let names = going.iter().map(|container| container.state.name.to_string());
        if !confirm(context, terminal, &effect, names)? {
            return Ok(0);
        }
    }
    let mut freed = 0;
    let mut removed = Vec::new();
    for (container, size) in going.iter().zip(sizes) {
        match backend.rm(&container.spec.id, &RemoveOptions::default(), context.interruptible()?) {
            Ok(()) => {
                freed += size;
                removed.push(container.spec.id.as_str());
            }
            // The container was started or removed meanwhile.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !removed.is_empty() {
        terminal.line(format_args!("Deleted Containers:\n{}\n", removed.join("\n")))?;
    }
    terminal.line(format_args!("Total reclaimed space: {}", human_bytes(freed)))?;
    Ok(0)
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
    let stdin = std::io::stdin();
    let PruneSummary { what, count, noun, bytes } = effect;
    let plural = if *count == 1 { "" } else { "s" };
    let mut text = format!("WARNING! This will remove {what}.\n");
    text.push_str(&format!("{count} {noun}{plural}, {} to be freed", human_bytes(*bytes)));
    let names: Vec<String> = names.collect();
    if !names.is_empty() {
        text.push_str(&format!(": {}", names.join(", ")));
    }
    text.push_str("\nAre you sure you want to continue? [y/N] ");
    let write = |error: std::io::Error| Error::from_io("write the question", &error);
    terminal.text(&text).and_then(|()| terminal.flush()).map_err(write)?;
    // Ctrl-C is an answer too: the REPL catches it, and the read would continue.
    let cancel = context.interruptible()?;
    wait_for_either(stdin.as_fd(), cancel.as_fd())?;
    cancel.check()?;
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
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
