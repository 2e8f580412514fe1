//! `system prune` and `builder prune`: what each of them removes, in Docker's order and words.

use super::context::CommandContext;
use super::filters::{FilterSet, volume_prune_filter};
use super::list::image_filter;
use super::prune::{Freed, ask, remove_containers, remove_images, stopped};
use super::volume;
use crate::cli::arguments::store::{PruneBuilderArguments, PruneSystemArguments};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::model::image::usage::PruneOptions;
use crate::model::observe::volume::PruneVolumesOptions;
use crate::model::value::units::parse_bytes;
use crate::model::{Error, Kind};

/// Carries out `system prune`: stopped containers, with `--volumes` anonymous volumes, unused
/// images, and what builds keep.
///
/// # Errors
/// When a filter is invalid, or there is no answer.
pub fn system(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PruneSystemArguments,
) -> CommandResult {
    let filter = image_filter(context, &arguments.filter, FilterSet::PruningContainers)?;
    let is_time = |text: &String| text.trim_start().to_lowercase().starts_with("until=");
    if arguments.volumes && arguments.filter.iter().any(is_time) {
        let message = "the \"until\" filter is not supported with \"--volumes\"";
        return Err(Error::new(Kind::Invalid, message)
            .hint("prune volumes by themselves: lifebox volume prune")
            .into());
    }
    if !arguments.force {
        let mut parts = vec!["all stopped containers"];
        if arguments.volumes {
            parts.push("all anonymous volumes not used by at least one container");
        }
        parts.extend(match arguments.all {
            true => {
                ["all images without at least one container associated to them", "all build cache"]
            }
            false => ["all dangling images", "unused build cache"],
        });
        let mut warning = format!("WARNING! This will remove:\n  - {}\n", parts.join("\n  - "));
        if !arguments.filter.is_empty() {
            let filters = arguments.filter.join("\n  - ");
            warning.push_str(&format!(
                "\n  Items to be pruned will be filtered with:\n  - {filters}\n"
            ));
        }
        if !ask(context, terminal, &format!("{warning}\n"))? {
            return Ok(0);
        }
    }
    let mut all = Freed { list: String::new(), bytes: 0 };
    let mut add = |freed: Freed| {
        all.list.push_str(&freed.list);
        all.bytes += freed.bytes;
    };
    add(remove_containers(context, &stopped(context, &filter)?)?);
    if arguments.volumes {
        let filter = volume_prune_filter(&arguments.filter)?;
        let options = PruneVolumesOptions { all: false, filter, dry_run: false };
        add(volume::remove_unused(context, &options)?);
    }
    let images = PruneOptions { all: arguments.all, filter, ..PruneOptions::default() };
    add(remove_images(context, &images)?);
    add(remove_images(context, &PruneOptions { of_builds: true, ..images })?);
    all.show(terminal)
}

/// Carries out `builder prune`: the images of build steps that nothing needs, and the caches of
/// `RUN --mount=type=cache`; with `-a` also the steps of images that have a tag.
///
/// # Errors
/// When a filter is invalid, or there is no answer.
pub fn builder(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PruneBuilderArguments,
) -> CommandResult {
    let filter = image_filter(context, &arguments.filter, FilterSet::PruningContainers)?;
    let keep = arguments.keep_storage.as_deref().map(parse_bytes).transpose();
    let keep = keep.map_err(|error| error.about("invalid argument for \"--keep-storage\" flag"))?;
    let keep = keep.unwrap_or(0);
    let what = if arguments.all { "all build cache" } else { "all dangling build cache" };
    let warning = format!("WARNING! This will remove {what}. ");
    if !arguments.force && !ask(context, terminal, &warning)? {
        return Ok(0);
    }
    let options =
        PruneOptions { all: arguments.all, filter, of_builds: true, keep, dry_run: false };
    remove_images(context, &options)?.show(terminal)
}
