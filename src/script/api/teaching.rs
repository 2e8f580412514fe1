//! What a container is, shown: plans, traces, reasons, pictures, measures.

use super::signature::{
    AnyOrName, Anything, ContainerOrName, ContainerOrOptions, Duration, Options,
};
use crate::engine::write_atomic;
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

/// What a container is.
#[export_module]
pub mod teaching_functions {
    /// Prints what a verb would do to a container: each step, why, and its system calls. Nothing
    /// is done.
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
        // Of two texts, a path tells that the other is a name.
        let second = container.read_lock::<ImmutableString>().map(|text| text.clone());
        if let Some(path) = second.filter(|text| text.starts_with('/')) {
            return sources(&ctx, &verb.into(), &path);
        }
        let stage = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let (backend, reader) = (stage.backend().as_ref(), stage.host().reader);
        let page = teaching::plan(backend, reader, verb, handle.id());
        page.map(|page| stage.print_paged(page.trim_end())).or_raise(&ctx)
    }

    /// Prints what a container is in the kernel and on the disk, seen from inside and outside; or
    /// what an image is made of.
    ///
    /// ```rhai
    /// explain(run("host", "sleep 100"));
    /// explain(image("host"));
    /// ```
    #[rhai_fn(name = "explain", volatile, return_raw)]
    pub fn explain(ctx: NativeCallContext, of: AnyOrName) -> RhaiResultOf<()> {
        let stage = ScriptContext::of(&ctx)?;
        let of = of.flatten();
        let is_image = of.is::<Image>()
            || of.read_lock::<ImmutableString>().is_some_and(|name| {
                stage.backend().find(&name).is_err()
                    && stage.backend().image(&name, PullPolicy::Never).is_ok()
            });
        let (backend, reader) = (stage.backend().as_ref(), stage.host().reader);
        let page = if is_image {
            let image = resolve::image(&ctx, &of, PullPolicy::Missing)?;
            teaching::image(backend, reader, image.metadata().id.as_str())
        } else {
            let handle = resolve::container(&ctx, &of)?;
            teaching::container(backend, reader, handle.id())
        };
        page.map(|page| stage.print_paged(page.trim_end())).or_raise(&ctx)
    }

    /// Prints which layers have something at a path of a container, and which of it is seen.
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

    /// Calls a function and prints what lifebox and the kernel really did for it, step by step with
    /// times, beside the lines that caused it. Returns the value of the function.
    ///
    /// ```rhai
    /// let c = trace(|| run("host", "true"));
    /// ```
    #[rhai_fn(name = "trace", volatile, return_raw)]
    pub fn trace(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<Anything> {
        trace::trace(&ctx, &function, false)
    }

    /// The same; with `step`, stops before each step and waits for Enter.
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

    /// Why a container is as it is, in words, and what to try: its exit code, the signal that ended
    /// it, want of memory, a program that is missing.
    ///
    /// ```rhai
    /// let c = run("host", "false");
    /// c.wait();
    /// print(why(c));
    /// ```
    #[rhai_fn(name = "why", volatile, return_raw)]
    pub fn why(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<String> {
        let stage = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        teaching::why(stage.backend().as_ref(), stage.host().reader, handle.id()).or_raise(&ctx)
    }

    /// Prints the life cycle of containers: each state, what it costs, and the verbs that lead from
    /// one to another.
    ///
    /// ```rhai
    /// diagram();
    /// ```
    #[rhai_fn(name = "diagram", volatile, return_raw)]
    pub fn diagram(ctx: NativeCallContext) -> RhaiResultOf<()> {
        draw(&ctx, None, Options::new())
    }

    /// Prints it with the present state of a container marked, and what is legal from there; or
    /// the plain one with options.
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

    /// The same, with options: in ASCII alone, or as a picture in a file.
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

    /// Takes lessons about containers, here at the prompt, in a store of their own. `:quit` leads
    /// back.
    ///
    /// ```rhai
    /// learn();
    /// ```
    #[rhai_fn(name = "learn", volatile, return_raw)]
    pub fn learn(ctx: NativeCallContext) -> RhaiResultOf<()> {
        take_lessons(&ctx, None)
    }

    /// The same, from this lesson on: its name or number.
    ///
    /// ```rhai
    /// learn("create");
    /// ```
    #[rhai_fn(name = "learn", volatile, return_raw)]
    pub fn learn_from(ctx: NativeCallContext, lesson: &str) -> RhaiResultOf<()> {
        take_lessons(&ctx, Some(lesson))
    }

    /// Prints the commands of Docker that would make such a container, as it is treated now, and
    /// bring it to its present state.
    ///
    /// ```rhai
    /// let c = create("host", #{ name: "web", cmd: "sleep 100", env: #{ PORT: 8080 } });
    /// docker(c);
    /// ```
    #[rhai_fn(name = "docker", volatile, return_raw)]
    pub fn docker(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<()> {
        let stage = ScriptContext::of(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let (backend, reader) = (stage.backend().as_ref(), stage.host().reader);
        let lines = teaching::docker(backend, reader, handle.id());
        lines.map(|lines| stage.print(&lines)).or_raise(&ctx)
    }

    /// The line of this language that does the same as a command of Docker. Several commands, each
    /// on a line of its own, become as many. Nothing is done, and no file or variable is read; what
    /// cannot be said is an error that names the flag.
    ///
    /// ```rhai
    /// print(from_docker("docker run -d --name web --env A=b nginx"));
    /// ```
    #[rhai_fn(name = "from_docker", volatile, return_raw)]
    pub fn from_docker(ctx: NativeCallContext, commands: &str) -> RhaiResultOf<String> {
        let stage = ScriptContext::of(&ctx)?;
        let missing = || Error::new(Kind::Unsupported, "nobody reads commands of Docker here");
        let reader = stage.host().command_line.as_deref().ok_or_else(missing).or_raise(&ctx)?;
        teaching::from_docker(reader, commands).or_raise(&ctx)
    }

    /// Prints what a container uses now and has used in each state so far: processor time, memory,
    /// disk, processes. One that runs is watched for a second.
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

    /// The same, and one that runs is watched for so long.
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
        let time = values::duration(&time.flatten()).or_raise(&ctx)?;
        measure(&ctx, &container, time)
    }
}

fn sources(ctx: &NativeCallContext, container: &Dynamic, path: &str) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let handle = resolve::container(ctx, container)?;
    let (backend, reader) = (stage.backend().as_ref(), stage.host().reader);
    let page = teaching::sources(backend, reader, handle.id(), path);
    page.map(|page| stage.print_paged(page.trim_end())).or_raise(ctx)
}

fn draw(ctx: &NativeCallContext, container: Option<&Dynamic>, given: Options) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let options = options::diagram(given).or_raise(ctx)?;
    let handle = container.map(|container| resolve::container(ctx, container)).transpose()?;
    let id = handle.as_ref().map(|handle| handle.id());
    let reader = stage.host().reader;
    let reader = ReaderProfile { ascii: options.ascii.unwrap_or(reader.ascii), ..reader };
    let picture = teaching::diagram(stage.backend().as_ref(), reader, id, options.svg.is_some());
    let picture = picture.or_raise(ctx)?;
    let Some(file) = &options.svg else {
        stage.print(picture.trim_end());
        return Ok(());
    };
    let path = stage.path(file).or_raise(ctx)?;
    let what = || format!("write `{file}`");
    write_atomic(&path, |out| out.write_all(picture.as_bytes()).context(what)).or_raise(ctx)
}

fn take_lessons(ctx: &NativeCallContext, lesson: Option<&str>) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let nobody = || {
        Error::new(Kind::Unsupported, "learn(): lessons are for somebody at the prompt")
            .hint("lifebox learn")
    };
    let teacher = stage.host().teacher.as_ref().ok_or_else(nobody).or_raise(ctx)?;
    teacher.learn(lesson, &stage.host().cancel).or_raise(ctx)
}

fn measure(
    ctx: &NativeCallContext,
    container: &Dynamic,
    time: std::time::Duration,
) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let handle = resolve::container(ctx, container)?;
    let (backend, reader) = (stage.backend().as_ref(), stage.host().reader);
    let page = teaching::resources(backend, reader, handle.id(), time, &stage.cancel());
    page.map(|page| stage.print_paged(page.trim_end())).or_raise(ctx)
}
