//! Volumes: directories that outlive containers. A volume is a name; `volume(name)` describes it.

use std::collections::BTreeMap;

use super::signature::Options;
use crate::model::observe::volume::{RemoveVolumeOptions, VolumeFilter, VolumeOptions, VolumeUse};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::{options, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

/// Volumes.
#[export_module]
pub mod volumes {
    /// Creates a volume, or finds the volume of this name. Returns its name.
    ///
    /// ```rhai
    /// let db = create_volume("db");
    /// print(run("host", "ls /data", #{ volumes: [`${db}:/data`] }).wait());
    /// ```
    #[rhai_fn(name = "create_volume", volatile, return_raw)]
    pub fn create(ctx: NativeCallContext, name: &str) -> RhaiResultOf<String> {
        create_volume(
            &ctx,
            VolumeOptions { name: Some(name.to_owned()), ..VolumeOptions::default() },
        )
    }

    /// As `create_volume(name)`, with labels, or with what the volume mounts: a directory of the
    /// host, a file system, or memory that its running containers share.
    ///
    /// ```rhai
    /// create_volume("db", #{ labels: #{ app: "shop" } });
    /// create_volume("scratch", #{ options: #{ type: "tmpfs", device: "tmpfs", o: "size=64m" } });
    /// ```
    #[rhai_fn(name = "create_volume", volatile, return_raw)]
    pub fn create_with(
        ctx: NativeCallContext,
        name: &str,
        options: Options,
    ) -> RhaiResultOf<String> {
        let options = options::new_volume(name, options).or_raise(&ctx)?;
        create_volume(&ctx, options)
    }

    /// Returns a volume as a map: name, path, labels, options, anonymous, created and users. Throws
    /// the kind `not_found` if there is no such volume.
    ///
    /// ```rhai
    /// create_volume("db");
    /// print(volume("db").users);
    /// ```
    #[rhai_fn(name = "volume", volatile, return_raw)]
    pub fn volume(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Map> {
        ScriptContext::of(&ctx)?.backend().volume(name).map(map_of).or_raise(&ctx)
    }

    /// Returns all volumes by name: an array of maps as `volume` returns.
    ///
    /// ```rhai
    /// for v in volumes() { print(`${v.name} ${v.users.len()}`); }
    /// ```
    #[rhai_fn(name = "volumes", volatile, return_raw)]
    pub fn list(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        chosen(&ctx, &VolumeFilter::default())
    }

    /// Returns the volumes that match a filter, by name.
    ///
    /// ```rhai
    /// for v in volumes(#{ dangling: true, label: "app=shop" }) { remove_volume(v.name); }
    /// ```
    #[rhai_fn(name = "volumes", volatile, return_raw)]
    pub fn list_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Array> {
        let filter = options::volumes(options).or_raise(&ctx)?;
        chosen(&ctx, &filter)
    }

    /// Removes a volume with its content. A volume that a container uses is not removed: an error.
    ///
    /// ```rhai
    /// create_volume("db");
    /// remove_volume("db");
    /// ```
    #[rhai_fn(name = "remove_volume", name = "rmv", volatile, return_raw)]
    pub fn remove(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        ScriptContext::of(&ctx)?
            .backend()
            .volume_rm(name, &RemoveVolumeOptions::default())
            .or_raise(&ctx)
    }

    /// As `remove_volume(name)`; with `force: true` a missing volume is not an error.
    ///
    /// ```rhai
    /// remove_volume("db", #{ force: true });
    /// ```
    #[rhai_fn(name = "remove_volume", name = "rmv", volatile, return_raw)]
    pub fn remove_with(ctx: NativeCallContext, name: &str, options: Options) -> RhaiResultOf<()> {
        let force = options::force("remove_volume", options).or_raise(&ctx)?;
        let options = RemoveVolumeOptions { force, created: None };
        ScriptContext::of(&ctx)?.backend().volume_rm(name, &options).or_raise(&ctx)
    }

    /// Removes the anonymous volumes that no container uses. Returns a map: removed (names) and
    /// bytes (reclaimed).
    ///
    /// ```rhai
    /// print(prune_volumes().bytes);
    /// ```
    #[rhai_fn(name = "prune_volumes", volatile, return_raw)]
    pub fn prune(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        pruned(&ctx, Map::new())
    }

    /// As `prune_volumes()`, with options: `all` also removes volumes with a name.
    ///
    /// ```rhai
    /// print(prune_volumes(#{ all: true, dry_run: true }).removed);
    /// ```
    #[rhai_fn(name = "prune_volumes", volatile, return_raw)]
    pub fn prune_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Map> {
        pruned(&ctx, options)
    }
}

fn create_volume(ctx: &NativeCallContext, options: VolumeOptions) -> RhaiResultOf<String> {
    Ok(ScriptContext::of(ctx)?.backend().volume_create(&options).or_raise(ctx)?.name)
}

fn chosen(ctx: &NativeCallContext, filter: &VolumeFilter) -> RhaiResultOf<Array> {
    let all = ScriptContext::of(ctx)?.backend().volumes().or_raise(ctx)?;
    let chosen = all.into_iter().filter(|one| filter.matches(one));
    Ok(chosen.map(|one| Dynamic::from_map(map_of(one))).collect())
}

fn pruned(ctx: &NativeCallContext, options: Map) -> RhaiResultOf<Map> {
    let options = options::prune_volumes(options).or_raise(ctx)?;
    let pruned = ScriptContext::of(ctx)?.backend().volume_prune(&options).or_raise(ctx)?;
    let mut map = Map::new();
    map.insert("removed".into(), values::strings(pruned.names).into());
    map.insert("bytes".into(), values::int(pruned.bytes).into());
    Ok(map)
}

fn map_of(one: VolumeUse) -> Map {
    let map_of = |pairs: BTreeMap<String, String>| -> Map {
        pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    };
    let mut map = Map::new();
    map.insert("name".into(), one.volume.name.into());
    map.insert("path".into(), one.mountpoint.into());
    map.insert("labels".into(), map_of(one.volume.labels).into());
    map.insert("options".into(), map_of(one.volume.options).into());
    map.insert("anonymous".into(), one.volume.anonymous.into());
    map.insert("created".into(), values::time(Some(one.volume.created)));
    map.insert("users".into(), values::strings(one.users).into());
    if let Some(why) = one.damaged {
        map.insert("created".into(), Dynamic::UNIT);
        map.insert("damaged".into(), why.into());
    }
    map
}
