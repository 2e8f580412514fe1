//! Teaching: plans, traces, reasons, diagrams, resources.

use super::signature::{
    AnyOrName, Anything, ContainerOrName, ContainerOrOptions, Duration, Options,
};
use crate::model::error::Context as _;
use crate::model::image::PullPolicy;
use crate::model::value::language::ReaderProfile;
use crate::model::{Error, Kind};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::teaching::trace;
use crate::script::values::handle::{Container, Image};
use crate::script::{options, teaching, values};
use rhai::plugin::*;
use rhai::{Dynamic, FnPtr, ImmutableString};

/// Teaching.
#[export_module]
pub mod teaching_functions {
    /// Prints what a verb would do to a container: each step, its reason, and its system calls.
    /// Nothing is done.
    ///
    /// ```rhai
    /// let c = create("host", #{ cmd: "sleep 100" });
    /// explain("start", c);
    /// ```
    #[rhai_fn(name = "explain", volatile, return_raw)]
    pub fn explain_verb(
        ctx: NativeCallContext,
        verb: &str,
        container: ContainerOrName,
    ) -> RhaiResultOf<()> {
        // If one of two texts is a path, the other is a container's name.
        let second = container.read_lock::<ImmutableString>().map(|text| text.clone());
        if let Some(path) = second.filter(|text| text.starts_with('/')) {
            return sources(&ctx, &verb.into(), &path);
        }
        let context = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let (backend, reader) = (context.backend().as_ref(), context.host().reader);
        let page = teaching::plan(backend, reader, verb, handle.id());
        page.map(|page| context.print_paged(page.trim_end())).or_raise(&ctx)
    }

    /// Prints what a container is in the kernel and on the disk, seen from inside and outside, or
    /// what an image consists of.
    ///
    /// ```rhai
    /// explain(run("host", "sleep 100"));
    /// explain(image("host"));
    /// ```
    #[rhai_fn(name = "explain", volatile, return_raw)]
    pub fn explain(ctx: NativeCallContext, of: AnyOrName) -> RhaiResultOf<()> {
        let context = ScriptContext::of(&ctx)?;
        let of = of.flatten();
        let is_image = of.is::<Image>()
            || of.read_lock::<ImmutableString>().is_some_and(|name| {
                context.backend().find(&name).is_err()
                    && context.backend().image(&name, PullPolicy::Never).is_ok()
            });
        let (backend, reader) = (context.backend().as_ref(), context.host().reader);
        let page = if is_image {
            let image = resolve::image(&ctx, &of, PullPolicy::Missing)?;
            teaching::image(backend, reader, image.metadata().id.as_str())
        } else {
            let handle = resolve::container(&ctx, &of)?;
            teaching::container(backend, reader, handle.id())
        };
        page.map(|page| context.print_paged(page.trim_end())).or_raise(&ctx)
    }

    /// Prints which layers have a file at a path of a container, and which of these is visible.
    ///
    /// ```rhai
    /// explain(run("host", "touch /new"), "/new");
    /// ```
    #[rhai_fn(name = "explain", volatile, return_raw)]
    pub fn explain_path(
        ctx: NativeCallContext,
        container: Container,
        path: &str,
    ) -> RhaiResultOf<()> {
        sources(&ctx, &Dynamic::from(container), path)
    }

    /// Calls a function, and prints each step of lifebox and the kernel with its time, beside the
    /// line that caused it. Returns the result of the function.
    ///
    /// ```rhai
    /// let c = trace(|| run("host", "true"));
    /// ```
    #[rhai_fn(name = "trace", volatile, return_raw)]
    pub fn trace(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<Anything> {
        trace::trace(&ctx, &function, false)
    }

    /// As `trace(function)`; `step` stops before each step and waits for Enter.
    ///
    /// ```rhai
    /// trace(#{ step: true }, || run("host", "true"));
    /// ```
    #[rhai_fn(name = "trace", volatile, return_raw)]
    pub fn trace_with(
        ctx: NativeCallContext,
        options: Options,
        function: FnPtr,
    ) -> RhaiResultOf<Anything> {
        let step = options::trace(options).or_raise(&ctx)?;
        trace::trace(&ctx, &function, step)
    }

    /// Returns as text why a container has its status, and what to try: its exit code, the signal
    /// that killed it, lack of memory, a missing program.
    ///
    /// ```rhai
    /// let c = run("host", "false");
    /// c.wait();
    /// print(why(c));
    /// ```
    #[rhai_fn(name = "why", volatile, return_raw)]
    pub fn why(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<String> {
        let context = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        teaching::why(context.backend().as_ref(), context.host().reader, handle.id()).or_raise(&ctx)
    }

    /// Prints the life cycle of containers: each status, its cost, and the verbs between them.
    ///
    /// ```rhai
    /// diagram();
    /// ```
    #[rhai_fn(name = "diagram", volatile, return_raw)]
    pub fn diagram(ctx: NativeCallContext) -> RhaiResultOf<()> {
        draw(&ctx, None, Options::new())
    }

    /// Prints the life cycle with a container's status and its legal verbs marked; with options
    /// only, prints the plain one.
    ///
    /// ```rhai
    /// diagram(create("host"));
    /// diagram(#{ ascii: true });
    /// ```
    #[rhai_fn(name = "diagram", volatile, return_raw)]
    pub fn diagram_of(ctx: NativeCallContext, container: ContainerOrOptions) -> RhaiResultOf<()> {
        match container.read_lock::<Options>().map(|options| options.clone()) {
            Some(options) => draw(&ctx, None, options),
            None => draw(&ctx, Some(&container), Options::new()),
        }
    }

    /// As `diagram(container)`, with options: ASCII only, or an SVG picture in a file.
    ///
    /// ```rhai
    /// diagram(create("host"), #{ svg: "life.svg" });
    /// ```
    #[rhai_fn(name = "diagram", volatile, return_raw)]
    pub fn diagram_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<()> {
        draw(&ctx, Some(&container), options)
    }

    /// Starts the lessons about containers, at the prompt and in a store of their own. `:quit`
    /// returns to the prompt.
    ///
    /// ```rhai
    /// learn();
    /// ```
    #[rhai_fn(name = "learn", volatile, return_raw)]
    pub fn learn(ctx: NativeCallContext) -> RhaiResultOf<()> {
        take_lessons(&ctx, None)
    }

    /// As `learn()`, from this lesson on: its name or number.
    ///
    /// ```rhai
    /// learn("create");
    /// ```
    #[rhai_fn(name = "learn", volatile, return_raw)]
    pub fn learn_from(ctx: NativeCallContext, lesson: &str) -> RhaiResultOf<()> {
        take_lessons(&ctx, Some(lesson))
    }

    /// Prints the Docker commands that create such a container and bring it to its present status.
    ///
    /// ```rhai
    /// let c = create("host", #{ name: "web", cmd: "sleep 100", env: #{ PORT: 8080 } });
    /// docker(c);
    /// ```
    #[rhai_fn(name = "docker", volatile, return_raw)]
    pub fn docker(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<()> {
        let context = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let (backend, reader) = (context.backend().as_ref(), context.host().reader);
        let lines = teaching::docker(backend, reader, handle.id());
        lines.map(|lines| context.print(&lines)).or_raise(&ctx)
    }

    /// Returns Docker commands, one a line, translated into this language. Nothing is run, and no
    /// file or variable is read. Throws an error that names the flag that has no translation.
    ///
    /// ```rhai
    /// print(from_docker("docker run -d --name web --env A=b nginx"));
    /// ```
    #[rhai_fn(name = "from_docker", volatile, return_raw)]
    pub fn from_docker(ctx: NativeCallContext, commands: &str) -> RhaiResultOf<String> {
        let context = ScriptContext::of(&ctx)?;
        let missing = || {
            Error::new(
                Kind::Unsupported,
                "from_docker(): only the command line can translate Docker commands",
            )
        };
        let reader = context.host().command_line.as_deref().ok_or_else(missing).or_raise(&ctx)?;
        teaching::from_docker(reader, commands).or_raise(&ctx)
    }

    /// Prints the resources that a container uses now and has used in each status: processor time,
    /// memory, disk, processes. A running container is sampled for a second.
    ///
    /// ```rhai
    /// let c = run("host", "sleep 100");
    /// c.pause();
    /// resources(c);
    /// ```
    #[rhai_fn(name = "resources", volatile, return_raw)]
    pub fn resources(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<()> {
        measure(&ctx, &container, teaching::A_SECOND)
    }

    /// As `resources(container)`; a running container is sampled for this time.
    ///
    /// ```rhai
    /// resources(run("host", "sleep 100"), "200ms");
    /// ```
    #[rhai_fn(name = "resources", volatile, return_raw)]
    pub fn resources_for(
        ctx: NativeCallContext,
        container: ContainerOrName,
        time: Duration,
    ) -> RhaiResultOf<()> {
        let time = values::parameter("time", values::duration(&time.flatten())).or_raise(&ctx)?;
        measure(&ctx, &container, time)
    }
}

fn sources(ctx: &NativeCallContext, container: &Dynamic, path: &str) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let handle = resolve::container(ctx, container)?;
    let (backend, reader) = (context.backend().as_ref(), context.host().reader);
    let page = teaching::sources(backend, reader, handle.id(), path);
    page.map(|page| context.print_paged(page.trim_end())).or_raise(ctx)
}

fn draw(ctx: &NativeCallContext, container: Option<&Dynamic>, given: Options) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let options = options::diagram(given).or_raise(ctx)?;
    let handle = container.map(|container| resolve::container(ctx, container)).transpose()?;
    let id = handle.as_ref().map(|handle| handle.id());
    let reader = context.host().reader;
    let reader = ReaderProfile { ascii: options.ascii.unwrap_or(reader.ascii), ..reader };
    let picture = teaching::diagram(context.backend().as_ref(), reader, id, options.svg.is_some());
    let picture = picture.or_raise(ctx)?;
    let Some(file) = &options.svg else {
        context.print(picture.trim_end());
        return Ok(());
    };
    let path = context.path(file).or_raise(ctx)?;
    if context.backend().is_dry_run() {
        context.print(&format!("would write {file}"));
    }
    let what = || format!("write `{file}`");
    context
        .write_host_file(&path, |out| out.write_all(picture.as_bytes()).context(what))
        .or_raise(ctx)
}

fn take_lessons(ctx: &NativeCallContext, lesson: Option<&str>) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let no_prompt = || {
        Error::new(Kind::Unsupported, "learn(): lessons are only available at the prompt")
            .hint("run `lifebox learn`")
    };
    let teacher = context.host().teacher.as_ref().ok_or_else(no_prompt).or_raise(ctx)?;
    if context.backend().is_dry_run() {
        let message = "learn(): a dry run gives no lessons, because they run containers";
        return Err(Error::new(Kind::Refused, message).hint("run `lifebox learn`")).or_raise(ctx);
    }
    teacher.learn(lesson, &context.host().cancel).or_raise(ctx)
}

fn measure(
    ctx: &NativeCallContext,
    container: &Dynamic,
    time: std::time::Duration,
) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let handle = resolve::container(ctx, container)?;
    let (backend, reader) = (context.backend().as_ref(), context.host().reader);
    let page = teaching::resources(backend, reader, handle.id(), time, &context.cancel());
    page.map(|page| context.print_paged(page.trim_end())).or_raise(ctx)
}
