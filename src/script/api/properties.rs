//! Properties of handles. They are read-only; a container's are read at each access.

use crate::model::container::Container as Record;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::values;
use crate::script::values::handle::{Container, Image};
use crate::script::values::noun::Noun;
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, INT, ImmutableString, Map};

/// Properties of Container and Image.
#[export_module]
pub mod properties {
    /// The id, 64 digits.
    #[rhai_fn(get = "id")]
    pub fn id(c: Container) -> ImmutableString {
        c.id().as_str().into()
    }

    /// The first 12 digits of the id.
    #[rhai_fn(get = "short_id")]
    pub fn short_id(c: Container) -> ImmutableString {
        c.id().short().into()
    }

    /// The name.
    #[rhai_fn(get = "name", return_raw)]
    pub fn name(ctx: NativeCallContext, c: Container) -> RhaiResultOf<String> {
        Ok(now(&ctx, &c)?.state.name.to_string())
    }

    /// The image, as it was named at creation.
    #[rhai_fn(get = "image", return_raw)]
    pub fn image(ctx: NativeCallContext, c: Container) -> RhaiResultOf<String> {
        Ok(now(&ctx, &c)?.spec.image.reference)
    }

    /// The status: "created", "running", "paused", "restarting", "exited" or "dead".
    #[rhai_fn(get = "status", return_raw)]
    pub fn status(ctx: NativeCallContext, c: Container) -> RhaiResultOf<ImmutableString> {
        Ok(now(&ctx, &c)?.state.status.as_str().into())
    }

    /// The state in detail: `State` of `inspect`, a map.
    #[rhai_fn(get = "state", return_raw)]
    pub fn state(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let backend = ScriptContext::of(&ctx)?.backend().clone();
        let mut document = backend.inspect_json(c.id()).or_raise(&ctx)?;
        let state = document.get_mut("State").map(serde_json::Value::take);
        values::from_json(state).or_raise(&ctx)
    }

    /// The process id of the main process on the host; `()` without a process.
    #[rhai_fn(get = "pid", return_raw)]
    pub fn pid(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let pid = now(&ctx, &c)?.state.pid;
        Ok(if pid == 0 { Dynamic::UNIT } else { INT::from(pid).into() })
    }

    /// The exit code of the last run; `()` before the first exit.
    #[rhai_fn(get = "exit_code", return_raw)]
    pub fn exit_code(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let code = c.exit_code().or_raise(&ctx)?;
        Ok(code.map_or(Dynamic::UNIT, |code| INT::from(code).into()))
    }

    /// Whether the kernel killed the last run for lack of memory.
    #[rhai_fn(get = "oom_killed", return_raw)]
    pub fn oom_killed(ctx: NativeCallContext, c: Container) -> RhaiResultOf<bool> {
        Ok(now(&ctx, &c)?.state.oom_killed)
    }

    /// The health: `"starting"`, `"healthy"` or `"unhealthy"`; `"none"` without a health check.
    #[rhai_fn(get = "health", return_raw)]
    pub fn health(ctx: NativeCallContext, c: Container) -> RhaiResultOf<ImmutableString> {
        Ok(now(&ctx, &c)?.health().into())
    }

    /// Why the last start failed; `()` if it succeeded.
    #[rhai_fn(get = "error", return_raw)]
    pub fn error(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let error = now(&ctx, &c)?.state.error;
        Ok(if error.is_empty() { Dynamic::UNIT } else { error.into() })
    }

    /// The time of creation.
    #[rhai_fn(get = "created", return_raw)]
    pub fn created(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(Some(now(&ctx, &c)?.spec.created)))
    }

    /// The time of the last start; `()` before the first.
    #[rhai_fn(get = "started_at", return_raw)]
    pub fn started_at(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(now(&ctx, &c)?.state.started_at))
    }

    /// The time of the last exit; `()` before the first.
    #[rhai_fn(get = "finished_at", return_raw)]
    pub fn finished_at(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(now(&ctx, &c)?.state.finished_at))
    }

    /// The program and its arguments.
    #[rhai_fn(get = "cmd", return_raw)]
    pub fn cmd(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Array> {
        Ok(values::strings(now(&ctx, &c)?.spec.config.argv()))
    }

    /// The environment variables, a map.
    #[rhai_fn(get = "env", return_raw)]
    pub fn env(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Map> {
        Ok(variables(&now(&ctx, &c)?.spec.config.env))
    }

    /// The labels, a map.
    #[rhai_fn(get = "labels", return_raw)]
    pub fn labels(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Map> {
        Ok(texts(now(&ctx, &c)?.spec.config.labels))
    }

    /// The ports that the image exposes, such as "8080/tcp".
    #[rhai_fn(get = "ports", return_raw)]
    pub fn ports(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Array> {
        Ok(values::strings(now(&ctx, &c)?.spec.config.exposed_ports))
    }

    /// How often the restart policy has restarted the container.
    #[rhai_fn(get = "restart_count", return_raw)]
    pub fn restart_count(ctx: NativeCallContext, c: Container) -> RhaiResultOf<INT> {
        Ok(INT::from(now(&ctx, &c)?.state.restart_count))
    }

    /// Returns the name.
    #[rhai_fn(name = "to_string")]
    pub fn show(c: Container) -> String {
        c.to_string()
    }

    /// Returns name and status.
    #[rhai_fn(name = "to_debug")]
    pub fn show_debug(c: Container) -> String {
        format!("{c:?}")
    }

    /// Returns whether both are the same container.
    #[rhai_fn(name = "==")]
    pub fn equal(a: Container, b: Container) -> bool {
        a.id() == b.id()
    }

    /// Returns whether they are different containers.
    #[rhai_fn(name = "!=")]
    pub fn different(a: Container, b: Container) -> bool {
        a.id() != b.id()
    }

    /// Returns the property of this name, as in `c["status"]`. The error for an unknown name
    /// suggests the nearest.
    #[rhai_fn(index_get, return_raw)]
    pub fn named(ctx: NativeCallContext, c: Container, name: &str) -> RhaiResultOf<Dynamic> {
        property(&ctx, Dynamic::from(c), Noun::Container, name)
    }

    /// Refuses to set a property: handles are read-only.
    #[rhai_fn(index_set, return_raw)]
    pub fn read_only(
        ctx: NativeCallContext,
        c: Container,
        name: ImmutableString,
        value: Dynamic,
    ) -> RhaiResultOf<()> {
        set_unchanged(&ctx, Dynamic::from(c), Noun::Container, &name, &value)
    }

    /// The id, `sha256:` and 64 digits.
    #[rhai_fn(get = "id")]
    pub fn image_id(i: Image) -> String {
        i.metadata().id.to_string()
    }

    /// The first 12 digits of the id.
    #[rhai_fn(get = "short_id")]
    pub fn image_short_id(i: Image) -> ImmutableString {
        i.metadata().id.short().into()
    }

    /// The references of the image now.
    #[rhai_fn(get = "tags", return_raw)]
    pub fn image_tags(ctx: NativeCallContext, i: Image) -> RhaiResultOf<Array> {
        let now = i.now().or_raise(&ctx)?;
        Ok(values::strings(now.tags.iter().map(|tag| tag.familiar())))
    }

    /// The environment variables, a map.
    #[rhai_fn(get = "env")]
    pub fn image_env(i: Image) -> Map {
        variables(&i.metadata().config.env)
    }

    /// The default command, or arguments of the entrypoint; `()` without one.
    #[rhai_fn(get = "cmd")]
    pub fn image_cmd(i: Image) -> Dynamic {
        words(i.metadata().config.cmd.as_ref())
    }

    /// The program to which `cmd` is appended; `()` without one.
    #[rhai_fn(get = "entrypoint")]
    pub fn image_entrypoint(i: Image) -> Dynamic {
        words(i.metadata().config.entrypoint.as_ref())
    }

    /// The working directory.
    #[rhai_fn(get = "workdir")]
    pub fn image_workdir(i: Image) -> String {
        i.metadata().config.working_dir.clone()
    }

    /// The user of the program; empty for root.
    #[rhai_fn(get = "user")]
    pub fn image_user(i: Image) -> String {
        i.metadata().config.user.clone()
    }

    /// The labels, a map.
    #[rhai_fn(get = "labels")]
    pub fn image_labels(i: Image) -> Map {
        texts(i.metadata().config.labels.clone())
    }

    /// The size of the files, in bytes.
    #[rhai_fn(get = "size")]
    pub fn image_size(i: Image) -> INT {
        values::int(i.metadata().size)
    }

    /// The size of the layers that other images share, in bytes.
    #[rhai_fn(get = "shared_size", return_raw)]
    pub fn image_shared_size(ctx: NativeCallContext, i: Image) -> RhaiResultOf<INT> {
        Ok(values::int(i.usage().or_raise(&ctx)?.shared))
    }

    /// The size of the layers that only this image has, in bytes: what removing it reclaims.
    #[rhai_fn(get = "unique_size", return_raw)]
    pub fn image_unique_size(ctx: NativeCallContext, i: Image) -> RhaiResultOf<INT> {
        Ok(values::int(i.usage().or_raise(&ctx)?.unique()))
    }

    /// The digests of the image in registries, such as "alpine@sha256:...".
    #[rhai_fn(get = "digests", return_raw)]
    pub fn image_digests(ctx: NativeCallContext, i: Image) -> RhaiResultOf<Array> {
        let now = i.now().or_raise(&ctx)?;
        Ok(values::strings(now.digests.iter().map(|digest| digest.familiar())))
    }

    /// The digest of the manifest, for `pull` by digest; `()` if it is not known.
    #[rhai_fn(get = "digest")]
    pub fn image_digest(i: Image) -> Dynamic {
        i.metadata().manifest.as_ref().map_or(Dynamic::UNIT, |digest| digest.to_string().into())
    }

    /// The time of the build; `()` if the image does not say.
    #[rhai_fn(get = "created")]
    pub fn image_created(i: Image) -> Dynamic {
        values::time(i.metadata().created)
    }

    /// The digests of the layers, the lowest first.
    #[rhai_fn(get = "layers")]
    pub fn image_layers(i: Image) -> Array {
        values::strings(&i.metadata().layers)
    }

    /// The exposed ports, such as "8080/tcp".
    #[rhai_fn(get = "exposed_ports")]
    pub fn image_ports(i: Image) -> Array {
        values::strings(i.metadata().config.exposed_ports.keys())
    }

    /// The declared mount points.
    #[rhai_fn(get = "volumes")]
    pub fn image_volumes(i: Image) -> Array {
        values::strings(i.metadata().config.volumes.keys())
    }

    /// The signal that `stop` sends; `()` if the image does not say.
    #[rhai_fn(get = "stop_signal")]
    pub fn image_stop_signal(i: Image) -> Dynamic {
        i.metadata().config.stop_signal.clone().map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// The processor architecture, such as "amd64".
    #[rhai_fn(get = "arch")]
    pub fn image_arch(i: Image) -> String {
        i.metadata().architecture.clone()
    }

    /// The operating system, such as "linux".
    #[rhai_fn(get = "os")]
    pub fn image_os(i: Image) -> String {
        i.metadata().os.clone()
    }

    /// Returns the reference.
    #[rhai_fn(name = "to_string")]
    pub fn image_show(i: Image) -> String {
        i.to_string()
    }

    /// Returns reference and id.
    #[rhai_fn(name = "to_debug")]
    pub fn image_debug(i: Image) -> String {
        format!("{i:?}")
    }

    /// Returns whether both are the same image.
    #[rhai_fn(name = "==")]
    pub fn image_equal(a: Image, b: Image) -> bool {
        a.metadata().id == b.metadata().id
    }

    /// Returns whether they are different images.
    #[rhai_fn(name = "!=")]
    pub fn image_different(a: Image, b: Image) -> bool {
        a.metadata().id != b.metadata().id
    }

    /// Returns the property of this name. The error for an unknown name suggests the nearest.
    #[rhai_fn(index_get, return_raw)]
    pub fn image_named(ctx: NativeCallContext, i: Image, name: &str) -> RhaiResultOf<Dynamic> {
        property(&ctx, Dynamic::from(i), Noun::Image, name)
    }

    /// Refuses to set a property: handles are read-only.
    #[rhai_fn(index_set, return_raw)]
    pub fn image_read_only(
        ctx: NativeCallContext,
        i: Image,
        name: ImmutableString,
        value: Dynamic,
    ) -> RhaiResultOf<()> {
        set_unchanged(&ctx, Dynamic::from(i), Noun::Image, &name, &value)
    }
}

/// Returns the property of this name. Rhai calls it for `c[name]`, and for `c.name` if there is no
/// such property.
fn property(
    ctx: &NativeCallContext,
    mut value: Dynamic,
    noun: Noun,
    name: &str,
) -> RhaiResultOf<Dynamic> {
    match ctx.call_native_fn_raw(format!("get${name}"), true, &mut [&mut value]) {
        // Errors of our getters are of another kind.
        Err(error)
            if matches!(
                *error,
                EvalAltResult::ErrorDotExpr(..) | EvalAltResult::ErrorFunctionNotFound(..)
            ) =>
        {
            Err(no_property(ctx, &value, noun, name))
        }
        read => read,
    }
}

fn now(ctx: &NativeCallContext, container: &Container) -> RhaiResultOf<Record> {
    container.now().or_raise(ctx)
}

fn words(words: Option<&Vec<String>>) -> Dynamic {
    words.map_or(Dynamic::UNIT, |words| values::strings(words).into())
}

fn texts(pairs: impl IntoIterator<Item = (String, String)>) -> Map {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

/// Returns `KEY=VALUE` lines as a map; a lone `KEY` is left out.
fn variables(lines: &[String]) -> Map {
    let pair =
        |line: &String| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    texts(lines.iter().filter_map(pair))
}

fn no_property(
    ctx: &NativeCallContext,
    subject: &Dynamic,
    noun: Noun,
    name: &str,
) -> Box<EvalAltResult> {
    let library = match ScriptContext::of(ctx) {
        Ok(context) => context.library(),
        Err(error) => return error,
    };
    let known = library.properties(ctx.engine(), subject.type_id());
    let hint = match suggest(name, known.iter().map(String::as_str)) {
        _ if library.is_function(ctx.engine(), name) => {
            format!("`{name}` is a function: call it, .{name}()")
        }
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("see help(\"{}\")", noun.type_name()),
    };
    let message = format!("{} {} has no property `{name}`", noun.article(), noun.type_name());
    raise(ctx, &Error::new(Kind::Invalid, message).hint(hint))
}

/// Accepts the present value of a property: Rhai writes the value back after each method call on
/// it, as in `image.tags.len()`. Any other value is an error.
fn set_unchanged(
    ctx: &NativeCallContext,
    subject: Dynamic,
    noun: Noun,
    name: &str,
    value: &Dynamic,
) -> RhaiResultOf<()> {
    let present = property(ctx, subject, noun, name)?;
    if format!("{present:?}") == format!("{value:?}") {
        return Ok(());
    }
    Err(cannot_set(ctx, noun, name))
}

fn cannot_set(ctx: &NativeCallContext, noun: Noun, name: &str) -> Box<EvalAltResult> {
    let message = format!(
        "cannot set `{name}`: the properties of {} {} are read-only",
        noun.article(),
        noun.type_name()
    );
    let hint = "pass options to create(), or rename a container with rename()";
    raise(ctx, &Error::new(Kind::Invalid, message).hint(hint))
}
