//! Managing images: listing, tags, history, pruning, checks, disk usage.

use super::signature::{ImageOrName, Options, array_of};
use crate::model::image::filter::ImageFilter;
use crate::model::image::history::History;
use crate::model::image::usage::{ContainerUsage, ImageUsage, PruneOptions, Usage, VolumeUsage};
use crate::model::image::{PullPolicy, Removed};
use crate::model::observe::check_report::{CheckOptions, Finding, Resolution};
use crate::model::value::reference::Reference;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::values::handle::Image as ImageHandle;
use crate::script::{options, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

/// Managing images.
#[export_module]
pub mod store {
    /// Returns all images, newest first, as an array of Image.
    ///
    /// ```rhai
    /// for img in images() {
    ///     print(`${img} ${img.size}`);
    /// }
    /// ```
    #[rhai_fn(name = "images", volatile, return_raw)]
    pub fn list(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        chosen(&ctx, &ImageFilter::default())
    }

    /// Returns the images that match a filter, newest first, as an array of Image.
    ///
    /// ```rhai
    /// for img in images(#{ dangling: true }) { img.rmi(); }
    /// ```
    #[rhai_fn(name = "images", volatile, return_raw)]
    pub fn list_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Array> {
        let backend = ScriptContext::of(&ctx)?.backend().clone();
        let created = |name: &str| Ok(backend.image(name, PullPolicy::Never)?.created);
        let filter = options::images(options, created).or_raise(&ctx)?;
        chosen(&ctx, &filter)
    }

    /// Gives an image another tag, and takes the tag from the image that had it. Returns the image.
    ///
    /// ```rhai
    /// let mine = image("host").tag("mine:1");
    /// print(mine.tags);
    /// ```
    #[rhai_fn(name = "tag", volatile, return_raw)]
    pub fn tag(
        ctx: NativeCallContext,
        image: ImageOrName,
        reference: &str,
    ) -> RhaiResultOf<ImageHandle> {
        let image = resolve::image(&ctx, &image, PullPolicy::Missing)?;
        let name: Reference = reference.parse().or_raise(&ctx)?;
        let context = ScriptContext::of(&ctx)?;
        let id = image.metadata().id.to_string();
        let tagged = context.backend().tag(&id, &name).or_raise(&ctx)?;
        Ok(ImageHandle::new(context.backend(), tagged, &name.familiar()))
    }

    /// Returns the history of an image, the latest step first: an array of maps with id, created,
    /// created_by, size, comment and tags. The id is `()` for a step whose image was not kept.
    ///
    /// ```rhai
    /// for step in history("host") { print(`${step.size} ${step.created_by}`); }
    /// ```
    #[rhai_fn(name = "history", volatile, return_raw)]
    pub fn history(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Array> {
        let id = resolve::image(&ctx, &image, PullPolicy::Never)?.metadata().id.to_string();
        let steps = ScriptContext::of(&ctx)?.backend().history(&id).or_raise(&ctx)?;
        Ok(steps.into_iter().map(|step| Dynamic::from(step_map(step))).collect())
    }

    /// Removes the images that have no tag and that no container uses. Returns a map: removed,
    /// images (count), bytes (reclaimed).
    ///
    /// ```rhai
    /// print(prune_images().bytes);
    /// ```
    #[rhai_fn(name = "prune_images", volatile, return_raw)]
    pub fn prune_images(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        prune(&ctx, &PruneOptions::default())
    }

    /// As `prune_images()`, with options: `all` removes all images that no container uses.
    ///
    /// ```rhai
    /// let would = prune_images(#{ all: true, before: "24h", dry_run: true });
    /// print(would.removed);
    /// ```
    #[rhai_fn(name = "prune_images", volatile, return_raw)]
    pub fn prune_images_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Map> {
        let options = options::prune_images(options).or_raise(&ctx)?;
        prune(&ctx, &options)
    }

    /// Checks all images against their digests. Returns a map: healthy (no damage is left), images
    /// and layers (how many were checked), findings (maps with problem, what, image, containers,
    /// resolution).
    ///
    /// ```rhai
    /// assert(check_images().healthy, "the store is damaged");
    /// ```
    #[rhai_fn(name = "check_images", volatile, return_raw)]
    pub fn check_images(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        check(&ctx, false)
    }

    /// As `check_images()`; `repair: true` repairs what can be repaired and removes the rest.
    ///
    /// ```rhai
    /// for finding in check_images(#{ repair: true }).findings { print(finding); }
    /// ```
    #[rhai_fn(name = "check_images", volatile, return_raw)]
    pub fn check_images_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Map> {
        let repair = options::check_images(options).or_raise(&ctx)?;
        check(&ctx, repair)
    }

    /// Returns the disk usage of images and containers, in bytes: a map with images, containers,
    /// image_bytes and reclaimable.
    ///
    /// ```rhai
    /// let used = disk_usage();
    /// print(`${used.image_bytes} bytes, ${used.reclaimable} not needed`);
    /// ```
    #[rhai_fn(name = "disk_usage", volatile, return_raw)]
    pub fn disk_usage(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        Ok(usage_map(ScriptContext::of(&ctx)?.backend().usage().or_raise(&ctx)?))
    }
}

fn chosen(ctx: &NativeCallContext, filter: &ImageFilter) -> RhaiResultOf<Array> {
    let context = ScriptContext::of(ctx)?;
    let images = filter.choose(context.backend().images().or_raise(ctx)?);
    Ok(array_of(images.into_iter().map(|image| ImageHandle::listed(context.backend(), image))))
}

fn prune(ctx: &NativeCallContext, options: &PruneOptions) -> RhaiResultOf<Map> {
    let pruned = ScriptContext::of(ctx)?.backend().prune_images(options).or_raise(ctx)?;
    Ok(Map::from([
        ("removed".into(), removed(&pruned.removed).into()),
        ("images".into(), values::int(pruned.images).into()),
        ("bytes".into(), values::int(pruned.bytes).into()),
    ]))
}

fn check(ctx: &NativeCallContext, repair: bool) -> RhaiResultOf<Map> {
    let context = ScriptContext::of(ctx)?;
    let report =
        context.backend().check(&CheckOptions { repair }, &context.cancel()).or_raise(ctx)?;
    let finding = |finding: &Finding| {
        let image = finding.image.clone().map_or(Dynamic::UNIT, Dynamic::from);
        Dynamic::from(Map::from([
            ("problem".into(), finding.problem.as_str().into()),
            ("what".into(), finding.what.clone().into()),
            ("image".into(), image),
            ("containers".into(), values::strings(&finding.containers).into()),
            ("resolution".into(), finding.resolution.to_string().into()),
            // The former keys, for scripts that read them.
            ("trouble".into(), finding.problem.as_str().into()),
            ("fate".into(), former_word(&finding.resolution).into()),
        ]))
    };
    let findings: Array = report.findings.iter().map(finding).collect();
    Ok(Map::from([
        ("healthy".into(), report.is_healthy().into()),
        // The former key.
        ("sound".into(), report.is_healthy().into()),
        ("images".into(), values::int(report.images).into()),
        ("layers".into(), values::int(report.layers).into()),
        ("findings".into(), findings.into()),
    ]))
}

/// Returns the removed tags and images, as `rmi` lists them.
pub(super) fn removed(steps: &[Removed]) -> Array {
    values::strings(steps.iter().map(|step| match step {
        Removed::Untagged(reference) => format!("untagged: {}", reference.familiar()),
        Removed::Deleted(digest) => format!("deleted: {digest}"),
    }))
}

fn step_map(step: History) -> Map {
    let id = step.id.map_or(Dynamic::UNIT, |id| id.to_string().into());
    Map::from([
        ("id".into(), id),
        ("created".into(), values::time(step.created)),
        ("created_by".into(), step.created_by.into()),
        ("size".into(), values::int(step.size).into()),
        ("comment".into(), step.comment.into()),
        ("tags".into(), values::strings(step.tags.iter().map(Reference::familiar)).into()),
    ])
}

fn usage_map(usage: Usage) -> Map {
    let image = |image: &ImageUsage| {
        Dynamic::from(Map::from([
            ("id".into(), image.id.to_string().into()),
            ("size".into(), values::int(image.size).into()),
            ("shared_size".into(), values::int(image.shared).into()),
            ("unique_size".into(), values::int(image.unique()).into()),
            ("containers".into(), values::int(image.containers).into()),
        ]))
    };
    let container = |container: &ContainerUsage| {
        Dynamic::from(Map::from([
            ("id".into(), container.id.to_string().into()),
            ("size".into(), values::int(container.size).into()),
        ]))
    };
    let volume = |volume: &VolumeUsage| {
        Dynamic::from(Map::from([
            ("name".into(), volume.name.clone().into()),
            ("size".into(), values::int(volume.size).into()),
            ("containers".into(), values::int(volume.links).into()),
        ]))
    };
    let volumes: Array = usage.volumes.iter().map(volume).collect();
    let images: Array = usage.images.iter().map(image).collect();
    let containers: Array = usage.containers.iter().map(container).collect();
    Map::from([
        ("images".into(), images.into()),
        ("containers".into(), containers.into()),
        ("volumes".into(), volumes.into()),
        ("image_bytes".into(), values::int(usage.image_bytes).into()),
        ("reclaimable".into(), values::int(usage.reclaimable).into()),
    ])
}

/// Returns the word of the former key `fate`.
fn former_word(resolution: &Resolution) -> String {
    match resolution {
        Resolution::Repaired => "mended".to_owned(),
        Resolution::Unrepaired(why) => format!("left: {why}"),
        Resolution::Found | Resolution::Removed => resolution.to_string(),
    }
}
