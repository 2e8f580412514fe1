//! The shell face: arguments in, Docker's verbs done, text and an exit code out.
//!
//! Besides the REPL this is the only room that writes to the terminal. A verb asks the engine
//! through `Backend`, gets its text from `ui`, and returns; errors are shown in one place,
//! [`crate::cli::terminal::outcome::settle`]. Verbs never create a script engine.

use std::ffi::OsString;

use crate::cli::arguments::store::SystemVerb;
use crate::cli::arguments::teaching::TeachVerb;
use crate::cli::arguments::{
    Arguments, ContainerVerb, ImageVerb, LimitVerb, OfContainer, SandboxFlags, Subject, Verb, parse,
};
use crate::cli::route::{Program, Route};
use crate::cli::terminal::ending::{CommandResult, FAILED};
use crate::cli::terminal::outcome::{finish, print_error};
use crate::cli::terminal::screen::Terminal;
use crate::cli::verb::context::CommandContext;

use crate::engine::{self, Settings};
use crate::model::{Error, Kind};
use crate::script::Tracing;

/// Does what the command line says (`words` without the program's name) and returns the exit code.
pub fn main(words: &[OsString]) -> u8 {
    crate::cli::script::panic_hook::catch_panic(words, || {
        let mut settings = Settings::from_environment();
        let (mut before, route) = match crate::cli::route::route(words) {
            Ok(found) => found,
            Err(error) => {
                print_error(&mut Terminal::new(), &error);
                return FAILED;
            }
        };
        if let Err(error) = crate::cli::terminal::reader::set_language(before.lang.as_deref()) {
            print_error(&mut Terminal::new(), &error);
            return FAILED;
        }
        settings.take(before.root.take(), before.storage_driver.take());
        let flag = before.sandbox_flags.flag().filter(|_| !matches!(route, Route::Script(..)));
        if let Some(flag) = flag {
            let error = Error::new(Kind::Invalid, format!("{flag} is for scripts"))
                .hint("such as: lifebox --dry-run workflow.rhai, or lifebox --untrusted -e TEXT");
            print_error(&mut Terminal::new(), &error);
            return FAILED;
        }
        match route {
            Route::Version => {
                let mut screen = Terminal::new();
                let shown =
                    screen.line(format_args!("lifebox {}", crate::cli::verb::system::VERSION));
                finish(&mut screen, shown.map(|()| 0).map_err(Into::into))
            }
            Route::Verb => command(words, settings),
            Route::Script(program, arguments) => entered(&settings, || {
                let trace = crate::cli::script::host::tracing(before.trace.as_deref());
                crate::cli::script::host::script(
                    &settings,
                    program,
                    arguments,
                    &before.sandbox_flags,
                    trace,
                )
            }),
            Route::Repl => entered(&settings, || crate::cli::script::host::repl(&settings)),
        }
    })
}

/// Does what needs containers or their files, as root of a user namespace if not as root.
fn entered(settings: &Settings, work: impl FnOnce() -> u8) -> u8 {
    match engine::enter_user_namespace(settings) {
        Ok(()) => work(),
        Err(error) => {
            print_error(&mut Terminal::new(), &error);
            FAILED
        }
    }
}

/// One verb, as typed on the command line.
fn command(words: &[OsString], mut settings: Settings) -> u8 {
    let mut screen = Terminal::new();
    let arguments = match parse(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(Program::File(path)) = crate::cli::arg_errors::script_meant(&error, words) {
                let rest = words.iter().skip_while(|word| *word != path.as_os_str()).skip(1);
                let rest = rest.map(|word| word.to_string_lossy().into_owned()).collect();
                return entered(&settings, || {
                    let (program, bounds) = (Program::File(path), SandboxFlags::default());
                    crate::cli::script::host::script(
                        &settings,
                        program,
                        rest,
                        &bounds,
                        Tracing::Off,
                    )
                });
            }
            return crate::cli::arg_errors::show(&mut screen, &error, words);
        }
    };
    settings.take(arguments.root.clone(), arguments.storage_driver.clone());
    if let Err(error) = crate::cli::terminal::reader::set_language(arguments.lang.as_deref()) {
        print_error(&mut screen, &error);
        return FAILED;
    }
    let tracing = crate::cli::script::host::tracing(arguments.trace.as_deref());
    if let Verb::Script(script) = arguments.verb {
        let (program, arguments, bounds) = script.parts();
        return entered(&settings, || {
            crate::cli::script::host::script(&settings, program, arguments, &bounds, tracing)
        });
    }
    if let Verb::Learn(lessons) = &arguments.verb {
        let place = match crate::cli::script::learn::LessonStore::take(&settings) {
            Ok(place) => place,
            Err(error) => return finish(&mut screen, Err(error.into())),
        };
        return entered(&place.settings, || {
            let outcome = crate::cli::script::learn::learn(&place.settings, &mut screen, lessons);
            finish(&mut screen, outcome)
        });
    }
    let mut perform = || match CommandContext::new(settings.clone()) {
        Ok(shell) => crate::cli::script::teaching::traced(tracing, &mut screen, |screen| {
            let outcome = perform(&shell, screen, &arguments.verb);
            finish(screen, outcome)
        }),
        Err(error) => finish(&mut screen, Err(error.into())),
    };
    match arguments.verb {
        Verb::Version(_)
        | Verb::Check(_)
        | Verb::Docs(_)
        | Verb::Login(_)
        | Verb::Logout(_)
        | Verb::Teach(TeachVerb::FromDocker(_)) => perform(),
        // It tells what is in the way.
        Verb::Info(_) | Verb::System(SystemVerb::Info(_)) => {
            let _ = engine::enter_user_namespace(&settings);
            perform()
        }
        _ => entered(&settings, perform),
    }
}

/// Does a verb.
pub(super) fn perform(shell: &CommandContext, screen: &mut Terminal, verb: &Verb) -> CommandResult {
    match verb {
        Verb::Container(verb) => of_container(shell, screen, verb, None),
        Verb::OfContainer(OfContainer::Plain(verb)) => {
            of_container(shell, screen, verb, Some(Subject::Container))
        }
        Verb::OfContainer(OfContainer::Prune(arguments)) => {
            crate::cli::verb::prune::containers(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Ls(arguments)) | Verb::Images(arguments) => {
            crate::cli::verb::list::images(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Inspect(arguments)) => {
            crate::cli::verb::inspect::inspect(shell, screen, arguments, Some(Subject::Image))
        }
        Verb::Image(ImageVerb::Rm(arguments)) | Verb::Rmi(arguments) => {
            crate::cli::verb::images::rmi(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Load(arguments)) | Verb::Load(arguments) => {
            crate::cli::verb::images::load(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Build(verb)) | Verb::Build(verb) => {
            crate::cli::verb::build::create_image(shell, screen, verb)
        }
        Verb::Image(ImageVerb::Save(arguments)) | Verb::Save(arguments) => {
            crate::cli::verb::images::save(shell, arguments)
        }
        Verb::Image(ImageVerb::Tag(arguments)) | Verb::Tag(arguments) => {
            crate::cli::verb::images::tag(shell, arguments)
        }
        Verb::Image(ImageVerb::History(arguments)) | Verb::History(arguments) => {
            crate::cli::verb::list::history(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Prune(arguments)) => {
            crate::cli::verb::prune::images(shell, screen, arguments)
        }
        Verb::System(SystemVerb::Events(arguments)) | Verb::Events(arguments) => {
            crate::cli::verb::events::events(shell, screen, arguments)
        }
        Verb::System(SystemVerb::Check(arguments)) => {
            crate::cli::verb::system::check(shell, screen, arguments)
        }
        Verb::System(SystemVerb::Df(arguments)) => {
            crate::cli::verb::system::df(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Pull(arguments)) | Verb::Pull(arguments) => {
            crate::cli::verb::registry::pull(shell, screen, arguments)
        }
        Verb::Image(ImageVerb::Push(arguments)) | Verb::Push(arguments) => {
            crate::cli::verb::registry::push(shell, screen, arguments)
        }
        Verb::Volume(verb) => crate::cli::verb::volume::of_volumes(shell, screen, verb),
        Verb::Login(arguments) => crate::cli::verb::registry::login(shell, screen, arguments),
        Verb::Logout(arguments) => crate::cli::verb::registry::logout(shell, screen, arguments),
        Verb::Version(arguments) => crate::cli::verb::system::version(screen, arguments),
        Verb::System(SystemVerb::Info(arguments)) | Verb::Info(arguments) => {
            crate::cli::verb::system::info(shell, screen, arguments)
        }
        Verb::Teach(verb) => crate::cli::script::teaching::teach(shell, screen, verb),
        Verb::Check(arguments) => crate::cli::script::check::check(screen, arguments),
        Verb::Docs(arguments) => crate::cli::script::docs::docs(screen, arguments),
        Verb::Test(arguments) => crate::cli::script::test::test(shell, arguments),
        // Scripts and lessons are no business of a shell with one verb: see `command`.
        Verb::Script(_) | Verb::Learn(_) => Ok(FAILED),
    }
}

fn of_container(
    shell: &CommandContext,
    screen: &mut Terminal,
    verb: &ContainerVerb,
    subject: Option<Subject>,
) -> CommandResult {
    match verb {
        ContainerVerb::Create(arguments) => {
            crate::cli::verb::create::create(shell, screen, arguments)
        }
        ContainerVerb::Run(arguments) => crate::cli::verb::create::run(shell, screen, arguments),
        ContainerVerb::Start(arguments) => {
            crate::cli::verb::create::start(shell, screen, arguments)
        }
        ContainerVerb::Pause(arguments) => {
            crate::cli::verb::lifecycle::pause(shell, screen, arguments)
        }
        ContainerVerb::Unpause(arguments) => {
            crate::cli::verb::lifecycle::unpause(shell, screen, arguments)
        }
        ContainerVerb::Stop(arguments) => {
            crate::cli::verb::lifecycle::stop(shell, screen, arguments)
        }
        ContainerVerb::Kill(arguments) => {
            crate::cli::verb::lifecycle::kill(shell, screen, arguments)
        }
        ContainerVerb::Restart(arguments) => {
            crate::cli::verb::lifecycle::restart(shell, screen, arguments)
        }
        ContainerVerb::Rm(arguments) => crate::cli::verb::lifecycle::rm(shell, screen, arguments),
        ContainerVerb::Wait(arguments) => {
            crate::cli::verb::lifecycle::wait(shell, screen, arguments)
        }
        ContainerVerb::Rename(arguments) => crate::cli::verb::lifecycle::rename(shell, arguments),
        ContainerVerb::Ps(arguments) => crate::cli::verb::list::ps(shell, screen, arguments),
        ContainerVerb::Logs(arguments) => crate::cli::verb::logs::logs(shell, screen, arguments),
        ContainerVerb::Inspect(arguments) => {
            crate::cli::verb::inspect::inspect(shell, screen, arguments, subject)
        }
        ContainerVerb::Limit(LimitVerb::Update(arguments)) => {
            crate::cli::verb::stats::update(shell, screen, arguments)
        }
        ContainerVerb::Limit(LimitVerb::Stats(arguments)) => {
            crate::cli::verb::stats::stats(shell, screen, arguments)
        }
        ContainerVerb::Files(verb) => crate::cli::verb::build::of_files(shell, screen, verb),
        ContainerVerb::Process(verb) => crate::cli::verb::exec::inside(shell, screen, verb),
    }
}
