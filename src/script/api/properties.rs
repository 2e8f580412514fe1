//! What handles tell about themselves. Nothing here changes anything; a container's are asked anew
//! each time.

use crate::model::container::Container as Record;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::syntax::suggest::suggest;
use crate::script::values;
use crate::script::values::handle::{Container, Image};
use crate::script::values::noun::Noun;
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, INT, ImmutableString, Map};

/// Properties of Container and Image.
#[export_module]
pub mod properties {
    /// Its id, 64 digits.
    #[rhai_fn(get = "id")]
    pub fn id(c: Container) -> ImmutableString {
        c.id().as_str().into()
    }

    /// The first 12 digits of its id.
    #[rhai_fn(get = "short_id")]
    pub fn short_id(c: Container) -> ImmutableString {
        c.id().short().into()
    }

    /// Its name.
    #[rhai_fn(get = "name", return_raw)]
    pub fn name(ctx: NativeCallContext, c: Container) -> RhaiResultOf<String> {
        Ok(now(&ctx, &c)?.state.name.to_string())
    }

    /// The image it was made from, as it was named.
    #[rhai_fn(get = "image", return_raw)]
    pub fn image(ctx: NativeCallContext, c: Container) -> RhaiResultOf<String> {
        Ok(now(&ctx, &c)?.spec.image.reference)
    }

    /// Where it is in its life: "created", "running", "paused", "exited" or "dead".
    #[rhai_fn(get = "status", return_raw)]
    pub fn status(ctx: NativeCallContext, c: Container) -> RhaiResultOf<ImmutableString> {
        Ok(now(&ctx, &c)?.state.status.as_str().into())
    }

    /// Its state in detail: the `State` of inspect, a map.
    #[rhai_fn(get = "state", return_raw)]
    pub fn state(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let backend = ScriptContext::of(&ctx)?.backend().clone();
        let mut document = backend.inspect_json(c.id()).or_raise(&ctx)?;
        let state = document.get_mut("State").map(serde_json::Value::take);
        values::from_json(state).or_raise(&ctx)
    }

    /// The process id of its first process, as the host sees it; `()` without process.
    #[rhai_fn(get = "pid", return_raw)]
    pub fn pid(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let pid = now(&ctx, &c)?.state.pid;
        Ok(if pid == 0 { Dynamic::UNIT } else { INT::from(pid).into() })
    }

    /// The exit code of its last run; `()` while it has none.
    #[rhai_fn(get = "exit_code", return_raw)]
    pub fn exit_code(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let code = c.exit_code().or_raise(&ctx)?;
        Ok(code.map_or(Dynamic::UNIT, |code| INT::from(code).into()))
    }

    /// Whether the kernel ended its last run for want of memory.
    #[rhai_fn(get = "oom_killed", return_raw)]
    pub fn oom_killed(ctx: NativeCallContext, c: Container) -> RhaiResultOf<bool> {
        Ok(now(&ctx, &c)?.state.oom_killed)
    }

    /// How well it is: `"starting"`, `"healthy"` or `"unhealthy"`; `"none"` where it is not asked.
    #[rhai_fn(get = "health", return_raw)]
    pub fn health(ctx: NativeCallContext, c: Container) -> RhaiResultOf<ImmutableString> {
        Ok(now(&ctx, &c)?.health().into())
    }

    /// Why its last start failed; `()` if it did not.
    #[rhai_fn(get = "error", return_raw)]
    pub fn error(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        let error = now(&ctx, &c)?.state.error;
        Ok(if error.is_empty() { Dynamic::UNIT } else { error.into() })
    }

    /// When it was made.
    #[rhai_fn(get = "created", return_raw)]
    pub fn created(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(Some(now(&ctx, &c)?.spec.created)))
    }

    /// When it last started; `()` before it has.
    #[rhai_fn(get = "started_at", return_raw)]
    pub fn started_at(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(now(&ctx, &c)?.state.started_at))
    }

    /// When it last ended; `()` before it has.
    #[rhai_fn(get = "finished_at", return_raw)]
    pub fn finished_at(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Dynamic> {
        Ok(values::time(now(&ctx, &c)?.state.finished_at))
    }

    /// What it runs: program and arguments.
    #[rhai_fn(get = "cmd", return_raw)]
    pub fn cmd(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Array> {
        Ok(values::strings(now(&ctx, &c)?.spec.config.argv()))
    }

    /// Its environment, a map.
    #[rhai_fn(get = "env", return_raw)]
    pub fn env(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Map> {
        Ok(variables(&now(&ctx, &c)?.spec.config.env))
    }

    /// Its labels, a map.
    #[rhai_fn(get = "labels", return_raw)]
    pub fn labels(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Map> {
        Ok(texts(now(&ctx, &c)?.spec.config.labels))
    }

    /// The ports that its image declares, such as "8080/tcp".
    #[rhai_fn(get = "ports", return_raw)]
    pub fn ports(ctx: NativeCallContext, c: Container) -> RhaiResultOf<Array> {
        Ok(values::strings(now(&ctx, &c)?.spec.config.exposed_ports))
    }

    /// How often its policy restarted it.
    #[rhai_fn(get = "restart_count", return_raw)]
    pub fn restart_count(ctx: NativeCallContext, c: Container) -> RhaiResultOf<INT> {
        Ok(INT::from(now(&ctx, &c)?.state.restart_count))
    }

    /// Its name.
    #[rhai_fn(name = "to_string")]
    pub fn show(c: Container) -> String {
        c.to_string()
    }

    /// Its name and status.
    #[rhai_fn(name = "to_debug")]
    pub fn show_debug(c: Container) -> String {
        format!("{c:?}")
    }

    /// Whether both are the same container.
    #[rhai_fn(name = "==")]
    pub fn equal(a: Container, b: Container) -> bool {
        a.id() == b.id()
    }

    /// Whether they are different containers.
    #[rhai_fn(name = "!=")]
    pub fn different(a: Container, b: Container) -> bool {
        a.id() != b.id()
    }

    /// A property whose name is a value, as in `c["status"]`. What is no property says which one was
    /// meant.
    #[rhai_fn(index_get, return_raw)]
    pub fn named(ctx: NativeCallContext, c: Container, name: &str) -> RhaiResultOf<Dynamic> {
        property(&ctx, Dynamic::from(c), Noun::Container, name)
    }

    /// Handles tell; verbs change.
    #[rhai_fn(index_set, return_raw)]
    pub fn read_only(
        ctx: NativeCallContext,
        c: Container,
        name: ImmutableString,
        value: Dynamic,
    ) -> RhaiResultOf<()> {
        set_unchanged(&ctx, Dynamic::from(c), Noun::Container, &name, &value)
    }

    /// Its id, `sha256:` and 64 digits.
    #[rhai_fn(get = "id")]
    pub fn image_id(i: Image) -> String {
        i.metadata().id.to_string()
    }

    /// The first 12 digits of its id.
    #[rhai_fn(get = "short_id")]
    pub fn image_short_id(i: Image) -> ImmutableString {
        i.metadata().id.short().into()
    }

    /// The references that name it now.
    #[rhai_fn(get = "tags", return_raw)]
    pub fn image_tags(ctx: NativeCallContext, i: Image) -> RhaiResultOf<Array> {
        let now = i.now().or_raise(&ctx)?;
        Ok(values::strings(now.tags.iter().map(|tag| tag.familiar())))
    }

    /// Its environment, a map.
    #[rhai_fn(get = "env")]
    pub fn image_env(i: Image) -> Map {
        variables(&i.metadata().config.env)
    }

    /// The default arguments, or the whole command; `()` without one.
    #[rhai_fn(get = "cmd")]
    pub fn image_cmd(i: Image) -> Dynamic {
        words(i.metadata().config.cmd.as_ref())
    }

    /// The program that cmd is appended to; `()` without one.
    #[rhai_fn(get = "entrypoint")]
    pub fn image_entrypoint(i: Image) -> Dynamic {
        words(i.metadata().config.entrypoint.as_ref())
    }

    /// The working directory.
    #[rhai_fn(get = "workdir")]
    pub fn image_workdir(i: Image) -> String {
        i.metadata().config.working_dir.clone()
    }

    /// The user that its program runs as; empty is root.
    #[rhai_fn(get = "user")]
    pub fn image_user(i: Image) -> String {
        i.metadata().config.user.clone()
    }

    /// Its labels, a map.
    #[rhai_fn(get = "labels")]
    pub fn image_labels(i: Image) -> Map {
        texts(i.metadata().config.labels.clone())
    }

    /// The bytes of its files.
    #[rhai_fn(get = "size")]
    pub fn image_size(i: Image) -> INT {
        values::int(i.metadata().size)
    }

    /// The bytes of the layers that other images have too.
    #[rhai_fn(get = "shared_size", return_raw)]
    pub fn image_shared_size(ctx: NativeCallContext, i: Image) -> RhaiResultOf<INT> {
        Ok(values::int(i.usage().or_raise(&ctx)?.shared))
    }

    /// The bytes of the layers that no other image has: what removing it gives back.
    #[rhai_fn(get = "unique_size", return_raw)]
    pub fn image_unique_size(ctx: NativeCallContext, i: Image) -> RhaiResultOf<INT> {
        Ok(values::int(i.usage().or_raise(&ctx)?.unique()))
    }

    /// The digests by which registries know it, such as "alpine@sha256:...".
    #[rhai_fn(get = "digests", return_raw)]
    pub fn image_digests(ctx: NativeCallContext, i: Image) -> RhaiResultOf<Array> {
        let now = i.now().or_raise(&ctx)?;
        Ok(values::strings(now.digests.iter().map(|digest| digest.familiar())))
    }

    /// The digest of its manifest: what `pull` by digest takes; `()` where there is none.
    #[rhai_fn(get = "digest")]
    pub fn image_digest(i: Image) -> Dynamic {
        i.metadata().manifest.as_ref().map_or(Dynamic::UNIT, |digest| digest.to_string().into())
    }

    /// When it was built; `()` where it does not say.
    #[rhai_fn(get = "created")]
    pub fn image_created(i: Image) -> Dynamic {
        values::time(i.metadata().created)
    }

    /// The digests of its layers, lowest first.
    #[rhai_fn(get = "layers")]
    pub fn image_layers(i: Image) -> Array {
        values::strings(&i.metadata().layers)
    }

    /// The ports that it declares, such as "8080/tcp".
    #[rhai_fn(get = "exposed_ports")]
    pub fn image_ports(i: Image) -> Array {
        values::strings(i.metadata().config.exposed_ports.keys())
    }

    /// The mount points that it declares.
    #[rhai_fn(get = "volumes")]
    pub fn image_volumes(i: Image) -> Array {
        values::strings(i.metadata().config.volumes.keys())
    }

    /// The signal that stop sends; `()` where it does not say.
    #[rhai_fn(get = "stop_signal")]
    pub fn image_stop_signal(i: Image) -> Dynamic {
        i.metadata().config.stop_signal.clone().map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// The processor it is for, such as "amd64".
    #[rhai_fn(get = "arch")]
    pub fn image_arch(i: Image) -> String {
        i.metadata().architecture.clone()
    }

    /// The system it is for, such as "linux".
    #[rhai_fn(get = "os")]
    pub fn image_os(i: Image) -> String {
        i.metadata().os.clone()
    }

    /// Its reference.
    #[rhai_fn(name = "to_string")]
    pub fn image_show(i: Image) -> String {
        i.to_string()
    }

    /// Its reference and id.
    #[rhai_fn(name = "to_debug")]
    pub fn image_debug(i: Image) -> String {
        format!("{i:?}")
    }

    /// Whether both are the same image.
    #[rhai_fn(name = "==")]
    pub fn image_equal(a: Image, b: Image) -> bool {
        a.metadata().id == b.metadata().id
    }

    /// Whether they are different images.
    #[rhai_fn(name = "!=")]
    pub fn image_different(a: Image, b: Image) -> bool {
        a.metadata().id != b.metadata().id
    }

    /// A property whose name is a value. What is no property says which one was meant.
    #[rhai_fn(index_get, return_raw)]
    pub fn image_named(ctx: NativeCallContext, i: Image, name: &str) -> RhaiResultOf<Dynamic> {
        property(&ctx, Dynamic::from(i), Noun::Image, name)
    }

    /// Images never change.
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

/// The property of this name. Rhai comes here for `c[name]`, and for `c.name` where there is none.
fn property(
    ctx: &NativeCallContext,
    mut value: Dynamic,
    noun: Noun,
    name: &str,
) -> RhaiResultOf<Dynamic> {
    match ctx.call_native_fn_raw(format!("get${name}"), true, &mut [&mut value]) {
        // What our getters throw is another kind of error.
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

/// `KEY=VALUE` lines as a map; a lone `KEY` is absent.
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
        None => format!("it has {}", known.join(", ")),
    };
    let message = format!("{} {} has no property `{name}`", noun.article(), noun.type_name());
    raise(ctx, &Error::new(Kind::Invalid, message).hint(hint))
}

/// A property is set to what it is: Rhai gives the value back after each method call on it, as in
/// `image.tags.len()`. Any other value would change it.
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
        "cannot set `{name}`: the properties of {} {} only tell",
        noun.article(),
        noun.type_name()
    );
    let hint = "options are given to create(); rename() gives another name";
    raise(ctx, &Error::new(Kind::Invalid, message).hint(hint))
}
