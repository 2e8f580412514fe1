//! Finding containers: by name, all of them, or those that match a filter.

use super::signature::{AnyOrName, ContainerOrName, Options, array_of};
use crate::model::container::{Container as Record, status};
use crate::model::image::PullPolicy;
use crate::model::{Kind, Result};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::options::{self, Filter};
use crate::script::values;
use crate::script::values::handle::{Container as Handle, Image};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

/// Finding containers.
#[export_module]
pub mod find {
    /// Returns the container with this name, id or beginning of an id. Throws the kind `not_found`
    /// if there is none.
    ///
    /// ```rhai
    /// let c = container("web");
    /// print(c.status);
    /// ```
    #[rhai_fn(name = "container", volatile, return_raw)]
    pub fn container(ctx: NativeCallContext, name: ContainerOrName) -> RhaiResultOf<Handle> {
        resolve::container(&ctx, &name)
    }

    /// Returns whether there is such a container.
    ///
    /// ```rhai
    /// if !exists("web") { run("host", #{ name: "web", cmd: "sleep 100" }); }
    /// ```
    #[rhai_fn(name = "exists", volatile, return_raw)]
    pub fn exists(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<bool> {
        let context = ScriptContext::of(&ctx)?;
        let found = match values::text(&container) {
            Some(name) => context.backend().find(&name).map(drop),
            None => resolve::container(&ctx, &container)?.now().map(drop),
        };
        match found {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(raise(&ctx, &error)),
        }
    }

    /// Returns the running containers, also paused ones, newest first, as an array of Container.
    ///
    /// ```rhai
    /// for c in ps() { print(`${c.name} ${c.status}`); }
    /// ```
    #[rhai_fn(name = "ps", volatile, return_raw)]
    pub fn ps(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        list(&ctx, &Filter::default())
    }

    /// Returns the containers that match a filter, newest first, as an array of Container.
    ///
    /// ```rhai
    /// for c in ps(#{ status: "exited", label: "app=web" }) { c.rm(); }
    /// ```
    #[rhai_fn(name = "ps", volatile, return_raw)]
    pub fn ps_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Array> {
        let filter = options::filter(options).or_raise(&ctx)?;
        list(&ctx, &filter)
    }

    /// Returns a table as text, of an array of containers or images, or of rows that are arrays.
    ///
    /// ```rhai
    /// print(table(ps(#{ all: true })));
    /// ```
    #[rhai_fn(name = "table", volatile, return_raw)]
    pub fn table(ctx: NativeCallContext, list: Array) -> RhaiResultOf<String> {
        crate::script::display::table(&list).or_raise(&ctx)
    }

    /// Returns low-level information on a container or an image: the document of `docker inspect`
    /// as a map.
    ///
    /// ```rhai
    /// let seen = inspect("web");
    /// print(seen.State.Status);
    /// ```
    #[rhai_fn(name = "inspect", volatile, return_raw)]
    pub fn inspect(ctx: NativeCallContext, subject: AnyOrName) -> RhaiResultOf<Map> {
        let document = document(&ctx, &subject)?;
        let value = values::from_json(document).or_raise(&ctx)?;
        Ok(value.try_cast::<Map>().unwrap_or_default())
    }

    /// Returns the verbs that are legal in the container's status, as an array of strings.
    ///
    /// ```rhai
    /// print(actions("web"));
    /// ```
    #[rhai_fn(name = "actions", name = "moves", volatile, return_raw)]
    pub fn actions(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Array> {
        let now = resolve::container(&ctx, &container)?.now().or_raise(&ctx)?;
        let verbs = status::actions(now.state.status);
        Ok(values::strings(verbs.into_iter().map(status::Action::verb)))
    }
}

/// Returns the inspect document; a container takes precedence over an image, as with `docker
/// inspect`.
fn document(ctx: &NativeCallContext, subject: &Dynamic) -> RhaiResultOf<serde_json::Value> {
    let subject = subject.clone().flatten();
    let backend = ScriptContext::of(ctx)?.backend().clone();
    if let Some(image) = subject.clone().try_cast::<Image>() {
        return backend.image_json(&image.metadata().id.to_string()).or_raise(ctx);
    }
    if let Some(name) = values::text(&subject) {
        let found = backend.find(&name).and_then(|id| backend.inspect_json(&id));
        return match found {
            Err(error) if error.kind() == Kind::NotFound => {
                backend.image_json(&name).map_err(|_| error).or_raise(ctx)
            }
            found => found.or_raise(ctx),
        };
    }
    let handle = resolve::container(ctx, &subject)?;
    backend.inspect_json(handle.id()).or_raise(ctx)
}

fn list(ctx: &NativeCallContext, filter: &Filter) -> RhaiResultOf<Array> {
    let context = ScriptContext::of(ctx)?;
    let backend = context.backend();
    let ancestor = match &filter.ancestor {
        // Docker lists nothing for an unknown image; here a typing error is reported.
        Some(name) => Some(backend.image(name, PullPolicy::Never).or_raise(ctx)?.id),
        None => None,
    };
    let passes = |record: &Record| {
        filter.passes(record) && ancestor.as_ref().is_none_or(|id| record.spec.image.id == *id)
    };
    let all: Result<Vec<Record>> = backend.ps();
    let most = filter.last.map_or(usize::MAX, |last| usize::try_from(last).unwrap_or(usize::MAX));
    let passed = all.or_raise(ctx)?.into_iter().filter(passes).take(most);
    Ok(array_of(passed.map(|record| Handle::of(backend, &record))))
}

impl Filter {
    /// Returns whether a container matches, apart from its image.
    fn passes(&self, record: &Record) -> bool {
        let Record { spec, state } = record;
        let has = |(key, value): (&String, &String)| {
            let label = spec.config.labels.get(key);
            label.is_some_and(|label| value.is_empty() || label == value)
        };
        let ended_with = |code: i64| {
            state.finished_at.is_some()
                && !state.status.is_live()
                && i64::from(state.exit_code) == code
        };
        (self.all || state.status.is_live())
            && self.name.as_ref().is_none_or(|part| state.name.as_str().contains(part.as_str()))
            && self.id.as_ref().is_none_or(|part| spec.id.as_str().starts_with(part.as_str()))
            && self.labels.iter().all(has)
            && (self.status.is_empty() || self.status.contains(&state.status))
            && self.exited.is_none_or(ended_with)
            && self.health.as_ref().is_none_or(|health| record.health() == health)
    }
}
