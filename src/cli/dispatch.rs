//! Carries out command lines: picks the face, then the function of the verb.
//!
//! Besides the REPL this is the only room that writes to the terminal. A verb calls the engine
//! through `Backend`, gets its text from `ui`, and returns. Errors are printed in one place,
//! `finish`. Verbs never create a script engine.

use std::ffi::OsString;
use std::sync::Arc;

use crate::cli::arg_errors;
use crate::cli::arguments::store::{BuilderVerb, SystemVerb};
use crate::cli::arguments::teaching::TeachVerb;
use crate::cli::arguments::{
    ContainerVerb, ImageVerb, LimitVerb, OfContainer, OfImage, SandboxFlags, Subject, Verb, parse,
};
use crate::cli::route::{GlobalFlags, Program, Route, route};
use crate::cli::script::learn::ReplTeacher;
use crate::cli::script::panic_hook::catch_panic;
use crate::cli::script::private_store::PrivateStore;
use crate::cli::script::{check, docs, host, isolated, learn, repl, run, teaching, test};
use crate::cli::terminal::command_result::{CommandError, CommandResult, ENGINE_FAILED, FAILED};
use crate::cli::terminal::finish::{fail, finish};
use crate::cli::terminal::reader::set_language;
use crate::cli::terminal::screen::Terminal;
use crate::cli::verb::context::CommandContext;
use crate::cli::verb::{
    build, contexts, create, events, exec, images, inspect, lifecycle, list, logs, prune,
    prune_all, registry, stats, system, update, volume,
};
use crate::engine::{self, Settings};
use crate::model::{Error, Kind};
use crate::script::Tracing;

/// Carries out a command line (`words` without the program's name) and returns the exit code.
pub fn main(words: &[OsString]) -> u8 {
    catch_panic(words, || {
        let mut settings = Settings::from_environment();
        let (mut before, route) = match route(words) {
            Ok(found) => found,
            Err(error) => return fail(&error),
        };
        if let Err(error) = set_language(before.lang.as_deref()) {
            return fail(&error);
        }
        settings.take(before.root.take(), before.storage_driver.take());
        settings.docker_config.clone_from(&before.config);
        let flag = before.sandbox_flags.flag().filter(|_| !matches!(route, Route::Script(..)));
        if let Some(flag) = flag {
            let error = Error::new(Kind::Invalid, format!("{flag} is only allowed with a script"))
                .hint("add a script: lifebox --dry-run FILE, or lifebox --untrusted -e TEXT");
            return fail(&error);
        }
        match route {
            Route::Version => {
                let mut terminal = Terminal::new();
                let shown = terminal.line(format_args!("lifebox {}", system::VERSION));
                finish(&mut terminal, shown.map(|()| 0).map_err(Into::into))
            }
            Route::Verb => command(words, settings),
            Route::Script(program, arguments) => script(&settings, &before, program, arguments),
            Route::Repl => entered(&settings, || {
                repl::repl(&settings, perform, Arc::new(ReplTeacher::new(&settings, perform)))
            }),
        }
    })
}

/// Runs `work`, which needs containers or their files. An ordinary user enters a user namespace
/// first.
fn entered(settings: &Settings, work: impl FnOnce() -> u8) -> u8 {
    match engine::enter_user_namespace(settings) {
        Ok(()) => work(),
        Err(error) => fail(&error),
    }
}

/// Runs a script: with `--isolated` in a process and a store of its own.
fn script(
    settings: &Settings,
    before: &GlobalFlags,
    program: Program,
    arguments: Vec<String>,
) -> u8 {
    let flags = &before.sandbox_flags;
    if !flags.isolated {
        let trace = host::tracing(before.trace.as_deref());
        return entered(settings, || run::script(settings, program, arguments, flags, trace));
    }
    match PrivateStore::take(settings, "isolated") {
        Ok(store) => entered(&store.settings, || {
            isolated::run(&store, before, &program, &arguments).unwrap_or_else(|error| fail(&error))
        }),
        Err(error) => fail(&error),
    }
}

/// Parses and carries out one verb.
fn command(words: &[OsString], mut settings: Settings) -> u8 {
    let mut terminal = Terminal::new();
    let arguments = match parse(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(Program::File(path)) = arg_errors::script_meant(&error, words) {
                let rest = words.iter().skip_while(|word| *word != path.as_os_str()).skip(1);
                let rest = rest.map(|word| word.to_string_lossy().into_owned()).collect();
                return entered(&settings, || {
                    let (program, flags) = (Program::File(path), SandboxFlags::default());
                    run::script(&settings, program, rest, &flags, Tracing::Off)
                });
            }
            return arg_errors::show(&mut terminal, &error, words);
        }
    };
    settings.take(arguments.global.root.clone(), arguments.global.storage_driver.clone());
    if let Err(error) = set_language(arguments.global.lang.as_deref()) {
        return fail(&error);
    }
    let tracing = host::tracing(arguments.global.trace.as_deref());
    if let Verb::Script(script) = arguments.verb {
        let (program, words, sandbox_flags) = script.parts();
        let (lang, trace) = (arguments.global.lang, arguments.global.trace);
        let before = GlobalFlags {
            storage_driver: arguments.global.storage_driver,
            sandbox_flags,
            lang,
            trace,
            ..GlobalFlags::default()
        };
        return self::script(&settings, &before, program, words);
    }
    if let Verb::Learn(lessons) = &arguments.verb {
        let place = match PrivateStore::take(&settings, learn::STORE) {
            Ok(place) => place,
            Err(error) => return finish(&mut terminal, Err(error.into())),
        };
        return entered(&place.settings, || {
            let outcome = learn::learn(&place.settings, &mut terminal, lessons, perform);
            finish(&mut terminal, outcome)
        });
    }
    let work = || match CommandContext::new(settings.clone()) {
        Ok(context) => {
            terminal.until(context.cancel());
            teaching::traced(tracing, context.cancel(), &mut terminal, |terminal| {
                let outcome = perform(&context, terminal, &arguments.verb);
                finish(terminal, outcome)
            })
        }
        Err(error) => finish(&mut terminal, Err(error.into())),
    };
    in_namespace(&settings, &arguments.verb, words, work)
}

/// Carries out a verb's work, in the user namespace of an ordinary user where it needs that.
fn in_namespace(
    settings: &Settings,
    verb: &Verb,
    words: &[OsString],
    mut work: impl FnMut() -> u8,
) -> u8 {
    match NamespaceUse::of(verb) {
        NamespaceUse::None => work(),
        NamespaceUse::Optional => {
            let _ = engine::enter_user_namespace(settings);
            work()
        }
        NamespaceUse::Required => match engine::enter_user_namespace(settings) {
            Ok(()) => work(),
            Err(error) => {
                let failed = CommandError::with_code(without_engine(words))(error);
                finish(&mut Terminal::new(), Err(failed))
            }
        },
    }
}

/// The exit code of a verb that finds no engine: of `run` it is not one of the program's.
fn without_engine(words: &[OsString]) -> u8 {
    match arg_errors::verb(words).as_deref() {
        Some("run") => ENGINE_FAILED,
        _ => FAILED,
    }
}

/// Whether a verb runs in the user namespace of an ordinary user's store.
enum NamespaceUse {
    /// The verb reads neither containers nor images.
    None,
    /// The verb also runs outside, and reports why there is no namespace.
    Optional,
    /// The verb fails outside.
    Required,
}

impl NamespaceUse {
    fn of(verb: &Verb) -> Self {
        match verb {
            Verb::Version(_)
            | Verb::Context(_)
            | Verb::Check(_)
            | Verb::Docs(_)
            | Verb::Login(_)
            | Verb::Logout(_)
            | Verb::Teach(TeachVerb::FromDocker(_)) => NamespaceUse::None,
            Verb::Info(_) | Verb::System(SystemVerb::Info(_)) => NamespaceUse::Optional,
            Verb::Container(_)
            | Verb::OfContainer(_)
            | Verb::OfImage(_)
            | Verb::Image(_)
            | Verb::Images(_)
            | Verb::Rmi(_)
            | Verb::System(
                SystemVerb::Df(_)
                | SystemVerb::Check(_)
                | SystemVerb::Events(_)
                | SystemVerb::Prune(_),
            )
            | Verb::Builder(_)
            | Verb::Volume(_)
            | Verb::Events(_)
            | Verb::Teach(
                TeachVerb::Explain(_)
                | TeachVerb::Why(_)
                | TeachVerb::Diagram(_)
                | TeachVerb::Resources(_)
                | TeachVerb::Docker(_),
            )
            | Verb::Script(_)
            | Verb::Learn(_)
            | Verb::Test(_) => NamespaceUse::Required,
        }
    }
}

/// Carries out a verb.
fn perform(context: &CommandContext, terminal: &mut Terminal, verb: &Verb) -> CommandResult {
    match verb {
        Verb::Container(verb) => container_verb(context, terminal, verb, None),
        Verb::OfContainer(OfContainer::Plain(verb)) => {
            container_verb(context, terminal, verb, Some(Subject::Container))
        }
        Verb::OfContainer(OfContainer::Prune(arguments)) => {
            prune::containers(context, terminal, arguments)
        }
        Verb::OfImage(OfImage::Ls(arguments)) | Verb::Images(arguments) => {
            list::images(context, terminal, arguments)
        }
        Verb::OfImage(OfImage::Inspect(arguments)) => inspect::images(context, terminal, arguments),
        Verb::OfImage(OfImage::Rm(arguments)) | Verb::Rmi(arguments) => {
            images::rmi(context, terminal, arguments)
        }
        Verb::OfImage(OfImage::Prune(arguments)) => prune::images(context, terminal, arguments),
        Verb::OfImage(OfImage::Plain(verb)) | Verb::Image(verb) => {
            image_verb(context, terminal, verb)
        }
        Verb::System(SystemVerb::Events(arguments)) | Verb::Events(arguments) => {
            events::events(context, terminal, arguments)
        }
        Verb::System(SystemVerb::Check(arguments)) => system::check(context, terminal, arguments),
        Verb::System(SystemVerb::Df(arguments)) => system::df(context, terminal, arguments),
        Verb::System(SystemVerb::Prune(arguments)) => {
            prune_all::system(context, terminal, arguments)
        }
        Verb::Builder(BuilderVerb::Prune(arguments)) => {
            prune_all::builder(context, terminal, arguments)
        }
        Verb::Builder(BuilderVerb::Build(arguments)) => build::build(context, terminal, arguments),
        Verb::Context(verb) => contexts::of_contexts(context, terminal, verb),
        Verb::Volume(verb) => volume::of_volumes(context, terminal, verb),
        Verb::Login(arguments) => registry::login(context, terminal, arguments),
        Verb::Logout(arguments) => registry::logout(context, terminal, arguments),
        Verb::Version(arguments) => system::version(terminal, arguments),
        Verb::System(SystemVerb::Info(arguments)) | Verb::Info(arguments) => {
            system::info(context, terminal, arguments)
        }
        Verb::Teach(verb) => teaching::teach(context, terminal, verb),
        Verb::Check(arguments) => check::check(terminal, arguments),
        Verb::Docs(arguments) => docs::docs(terminal, arguments),
        Verb::Test(arguments) => test::test(context, arguments),
        // `command` and the REPL take scripts and lessons themselves.
        Verb::Script(_) | Verb::Learn(_) => Ok(FAILED),
    }
}

fn image_verb(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &ImageVerb,
) -> CommandResult {
    match verb {
        ImageVerb::Tag(arguments) => images::tag(context, arguments),
        ImageVerb::History(arguments) => list::history(context, terminal, arguments),
        ImageVerb::Load(arguments) => images::load(context, terminal, arguments),
        ImageVerb::Build(verb) => build::create_image(context, terminal, verb),
        ImageVerb::Save(arguments) => images::save(context, arguments),
        ImageVerb::Pull(arguments) => registry::pull(context, terminal, arguments),
        ImageVerb::Push(arguments) => registry::push(context, terminal, arguments),
    }
}

fn container_verb(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &ContainerVerb,
    subject: Option<Subject>,
) -> CommandResult {
    match verb {
        ContainerVerb::Create(arguments) => create::create(context, terminal, arguments),
        ContainerVerb::Run(arguments) => create::run(context, terminal, arguments),
        ContainerVerb::Start(arguments) => create::start(context, terminal, arguments),
        ContainerVerb::Pause(arguments) => lifecycle::pause(context, terminal, arguments),
        ContainerVerb::Unpause(arguments) => lifecycle::unpause(context, terminal, arguments),
        ContainerVerb::Stop(arguments) => lifecycle::stop(context, terminal, arguments),
        ContainerVerb::Kill(arguments) => lifecycle::kill(context, terminal, arguments),
        ContainerVerb::Restart(arguments) => lifecycle::restart(context, terminal, arguments),
        ContainerVerb::Rm(arguments) => lifecycle::rm(context, terminal, arguments),
        ContainerVerb::Wait(arguments) => lifecycle::wait(context, terminal, arguments),
        ContainerVerb::Rename(arguments) => lifecycle::rename(context, arguments),
        ContainerVerb::Ps(arguments) => list::ps(context, terminal, arguments),
        ContainerVerb::Logs(arguments) => logs::logs(context, terminal, arguments),
        ContainerVerb::Inspect(arguments) => {
            inspect::inspect(context, terminal, arguments, subject)
        }
        ContainerVerb::Limit(LimitVerb::Update(arguments)) => {
            update::update(context, terminal, arguments)
        }
        ContainerVerb::Limit(LimitVerb::Stats(arguments)) => {
            stats::stats(context, terminal, arguments)
        }
        ContainerVerb::Files(verb) => build::files_verb(context, terminal, verb),
        ContainerVerb::Process(verb) => exec::process_verb(context, terminal, verb),
    }
}
