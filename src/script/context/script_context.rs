//! What every native function can reach: the host, the texts of the running scripts, and whether
//! the output is still open. It travels as the engine's tag.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use once_cell::sync::OnceCell;
use rhai::{Engine, NativeCallContext};

use super::calls::Calls;
use super::test_state::TestState;
use super::thread;
use super::thrown::{Ending, RhaiResultOf, throw_by};
use crate::engine::{Backend, CancelToken, Session};
use crate::model::container::options::CreateOptions;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::docs::Library;
use crate::script::host::Host;
use crate::script::sandbox::backend::SandboxedBackend;
use crate::script::sandbox::policy::AllowedPath;
use crate::script::syntax::sources::Sources;

/// The language of a script: what stands above its context and is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// What there is to say of its functions.
    pub library: &'static Library,
    /// Builds an interpreter of it.
    pub engine: fn(&ScriptContext) -> Engine,
}

/// The surroundings of a script. Copies are the same surroundings.
#[derive(Clone, Debug)]
pub struct ScriptContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    language: Language,
    sources: Sources,
    tests: TestState,
    calls: Calls,
    /// Whether `ending` is set: asked at each operation.
    ended: AtomicBool,
    ending: Mutex<Option<Ending>>,
    /// Whether the time of cleanups is over too.
    no_cleanup: AtomicBool,
    /// What ends cleanups that have a flag of their own then.
    cleanup_token: OnceCell<CancelToken>,
    /// This process as the owner of what scopes make; none before the first.
    session: OnceCell<Session>,
}

impl ScriptContext {
    /// Surroundings without any source.
    pub fn new(mut host: Host, language: Language) -> Self {
        if let Some(fence) = &host.sandbox {
            host.backend = Arc::new(SandboxedBackend::new(host.backend, Arc::clone(fence)));
        }
        ScriptContext(Arc::new(Inner {
            host,
            language,
            sources: Sources::default(),
            tests: TestState::default(),
            calls: Calls::default(),
            ended: AtomicBool::new(false),
            ending: Mutex::new(None),
            no_cleanup: AtomicBool::new(false),
            cleanup_token: OnceCell::new(),
            session: OnceCell::new(),
        }))
    }

    /// The surroundings that the calling function runs in.
    pub fn of(ctx: &NativeCallContext) -> RhaiResultOf<ScriptContext> {
        let stage =
            ctx.tag().and_then(|tag| tag.clone().try_cast::<ScriptContext>()).ok_or_else(|| {
                throw_by(ctx, &Error::new(Kind::Bug, "the engine has lost its surroundings"))
            })?;
        stage.0.calls.note(ctx);
        Ok(stage)
    }

    /// The calls of native functions, while they are noted.
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Notes that the calling function is about a container, where that is kept. To be called
    /// before anything is done to it.
    pub fn note_use(&self, ctx: &NativeCallContext, id: &ContainerId) {
        if let Some(observer) = &self.0.host.observer {
            observer.note_use(ctx, id);
        }
    }

    /// Looks at a container that has just changed, where that is kept.
    pub fn refresh(&self, id: &ContainerId) {
        if let Some(observer) = &self.0.host.observer {
            observer.refresh(id);
        }
    }

    /// What the script was given.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// A path of this machine that a script wrote.
    ///
    /// # Errors
    /// [`Kind::Denied`] where the script may not go there.
    pub fn path(&self, path: &str) -> Result<AllowedPath<'_>> {
        self.0
            .host
            .sandbox
            .as_ref()
            .map_or_else(|| Ok(AllowedPath::unrestricted(path)), |fence| fence.path(path))
    }

    /// Whether the script may make such a container.
    ///
    /// # Errors
    /// [`Kind::Denied`].
    pub fn check_creation(&self, options: &CreateOptions) -> Result<()> {
        self.0.host.sandbox.as_ref().map_or(Ok(()), |fence| fence.check(options))
    }

    /// What there is to say of the functions of the language.
    pub fn library(&self) -> &'static Library {
        self.0.language.library
    }

    /// Another interpreter of the language, in these surroundings.
    pub fn new_engine(&self) -> Engine {
        (self.0.language.engine)(self)
    }

    /// The containers and images.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.host.backend
    }

    /// The texts behind error positions.
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// The tests of the script.
    pub fn tests(&self) -> &TestState {
        &self.0.tests
    }

    /// Why the script is to end now, if it is. Rhai lets a `catch` see an ending that passed
    /// through `array.map(...)`; so it is kept here and raised again at the next operation.
    pub fn ending(&self) -> Option<Ending> {
        if self.0.ended.load(Ordering::Relaxed) && (!thread::is_in_cleanup() || self.no_cleanup()) {
            return *self.lock();
        }
        let raised = thread::is_cancelled().unwrap_or_else(|| self.0.host.cancel.is_cancelled());
        raised.then_some(Ending::Interrupted)
    }

    /// What ends the calls of this thread.
    pub fn cancel(&self) -> CancelToken {
        thread::cancel().unwrap_or_else(|| self.0.host.cancel.clone())
    }

    /// Before tidying up: notes that Ctrl-C ended the script, and takes its flag down, so that the
    /// calls of the cleanup work and a second Ctrl-C ends these.
    pub fn begin_cleanup(&self) {
        let cancel = &self.0.host.cancel;
        if cancel.is_cancelled() {
            self.end(Ending::Interrupted);
            cancel.reset();
            // For good, also where that came just now.
            if self.no_cleanup() {
                cancel.cancel();
            }
        }
    }

    /// What ends the cleanup of a part that runs beside others and has been told to end.
    pub fn cleanup_flag(&self) -> Option<CancelToken> {
        self.0.cleanup_token.get_or_try_init(CancelToken::new).and_then(CancelToken::child).ok()
    }

    /// Ends the script and its cleanups: what is left is the keeper's.
    pub fn end_cleanups(&self, ending: Ending) {
        self.end(ending);
        self.0.no_cleanup.store(true, Ordering::SeqCst);
        self.0.host.cancel.cancel();
        if let Ok(last) = self.0.cleanup_token.get_or_try_init(CancelToken::new) {
            last.cancel();
        }
    }

    /// Whether cleanups have been ended.
    pub fn no_cleanup(&self) -> bool {
        self.0.no_cleanup.load(Ordering::SeqCst)
    }

    /// This process as the owner of containers, made when it is first needed.
    ///
    /// # Errors
    /// When its keeper can't be started.
    pub fn session(&self) -> Result<&Session> {
        self.0.session.get_or_try_init(|| self.backend().start_session())
    }

    /// Ends the script at its next operation. The first reason stays.
    pub fn end(&self, ending: Ending) {
        self.lock().get_or_insert(ending);
        self.0.ended.store(true, Ordering::Relaxed);
    }

    /// Why the script ends, as it was noted first.
    pub fn end_reason(&self) -> Option<Ending> {
        *self.lock()
    }

    /// Before the next line of a REPL.
    pub fn begin(&self) {
        *self.lock() = None;
        self.0.ended.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ending>> {
        self.0.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a line. A failure to write means that nobody reads any more.
    pub fn print(&self, text: &str) {
        if self.0.host.output.print(text).is_err() {
            self.end(Ending::Closed);
        }
    }

    /// Prints a text that may be long, as [`Self::print`].
    pub fn print_paged(&self, text: &str) {
        if self.0.host.output.page(text).is_err() {
            self.end(Ending::Closed);
        }
    }

    /// Prints a line beside the output. Failing here must not end a script.
    pub fn eprint(&self, text: &str) {
        let _ = self.0.host.output.eprint(text);
    }
}
