//! `ScriptContext`: what every native function can reach, such as the host, the texts of the
//! running scripts and the end of the script. It travels as the engine's tag.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use once_cell::sync::OnceCell;
use rhai::{Engine, NativeCallContext};

use super::calls::Calls;
use super::test_state::TestState;
use super::thread;
use super::thrown::{Ending, RhaiResultOf, throw_by};
use crate::engine::{Backend, CancelToken, ContainerSession, write_atomic};
use crate::model::container::options::CreateOptions;
use crate::model::value::id::ContainerId;
use crate::model::value::visible::escape_control;
use crate::model::{Error, Kind, Result};
use crate::script::docs::Library;
use crate::script::host::ScriptHost;
use crate::script::sandbox::backend::SandboxedBackend;
use crate::script::sandbox::policy::AllowedPath;
use crate::script::syntax::sources::Sources;

/// Whether an error of writing means that output is lost. After Ctrl-C or a time limit the writer
/// stops waiting for a reader: that ends the script anyway.
pub fn is_lost(error: &io::Error) -> bool {
    Error::downcast_io(error).is_none_or(|error| error.kind() != Kind::Cancelled)
}

/// The language of a script, defined above this wing and passed in.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// The documentation of its functions.
    pub library: &'static Library,
    /// Builds an interpreter of the language.
    pub engine: fn(&ScriptContext) -> Engine,
}

/// The context of a script. Copies share their state.
#[derive(Clone, Debug)]
pub struct ScriptContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: ScriptHost,
    language: Language,
    sources: Sources,
    tests: TestState,
    calls: Calls,
    /// Whether `ending` is set; read at each operation.
    ended: AtomicBool,
    ending: Mutex<Option<Ending>>,
    /// Whether the time limit of cleanups is reached too.
    no_cleanup: AtomicBool,
    /// Cancels cleanups that have their own token then.
    cleanup_token: OnceCell<CancelToken>,
    /// The session that owns the containers of scopes; none before the first container.
    session: OnceCell<ContainerSession>,
}

impl ScriptContext {
    /// Creates a context without any source.
    pub fn new(mut host: ScriptHost, language: Language) -> Self {
        if let Some(sandbox) = &host.sandbox {
            host.backend = Arc::new(SandboxedBackend::new(host.backend, Arc::clone(sandbox)));
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

    /// Returns the context that the calling function runs in.
    pub fn of(ctx: &NativeCallContext) -> RhaiResultOf<ScriptContext> {
        let context =
            ctx.tag().and_then(|tag| tag.clone().try_cast::<ScriptContext>()).ok_or_else(|| {
                throw_by(ctx, &Error::new(Kind::Bug, "the engine has no script context"))
            })?;
        context.0.calls.note(ctx);
        Ok(context)
    }

    /// Returns the recorded calls of native functions.
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Reports to the observer that the calling function uses a container, before the function
    /// changes it.
    pub fn note_use(&self, ctx: &NativeCallContext, id: &ContainerId) {
        if let Some(observer) = &self.0.host.observer {
            observer.note_use(ctx, id);
        }
    }

    /// Reports to the observer that a container has just changed.
    pub fn refresh(&self, id: &ContainerId) {
        if let Some(observer) = &self.0.host.observer {
            observer.refresh(id);
        }
    }

    /// Returns the host of the script.
    pub fn host(&self) -> &ScriptHost {
        &self.0.host
    }

    /// Checks a path on the host that a script wrote.
    ///
    /// # Errors
    /// [`Kind::Denied`] for a path outside of the sandbox.
    pub fn path(&self, path: &str) -> Result<AllowedPath<'_>> {
        self.0
            .host
            .sandbox
            .as_ref()
            .map_or_else(|| Ok(AllowedPath::unrestricted(path)), |sandbox| sandbox.path(path))
    }

    /// Writes a file on the host, the one way for functions of the language. In a dry run nothing
    /// is written: the content is produced and dropped.
    ///
    /// # Errors
    /// As [`write_atomic`], and those of `write`.
    pub fn write_host_file(
        &self,
        path: &AllowedPath<'_>,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
    ) -> Result<()> {
        if self.backend().is_dry_run() {
            return write(&mut std::io::sink());
        }
        let cancel = self.cancel();
        write_atomic(path, &|| cancel.check(), write)
    }

    /// Checks whether the sandbox allows such a container.
    ///
    /// # Errors
    /// [`Kind::Denied`].
    pub fn check_creation(&self, options: &CreateOptions) -> Result<()> {
        self.0.host.sandbox.as_ref().map_or(Ok(()), |sandbox| sandbox.check(options))
    }

    /// Returns the documentation of the functions of the language.
    pub fn library(&self) -> &'static Library {
        self.0.language.library
    }

    /// Builds another interpreter of the language, with this context.
    pub fn new_engine(&self) -> Engine {
        (self.0.language.engine)(self)
    }

    /// Returns the engine.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.host.backend
    }

    /// Returns the texts behind error positions.
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// Returns the tests of the script.
    pub fn tests(&self) -> &TestState {
        &self.0.tests
    }

    /// Returns why the script must end now, if it must. Rhai lets a `catch` see an ending that
    /// passed through `array.map(...)`; so the ending is kept here and raised again at the next
    /// operation.
    pub fn ending(&self) -> Option<Ending> {
        if self.0.ended.load(Ordering::Relaxed) && (!thread::is_in_cleanup() || self.no_cleanup()) {
            return *self.lock();
        }
        let raised = thread::is_cancelled().unwrap_or_else(|| self.0.host.cancel.is_cancelled());
        raised.then_some(Ending::Interrupted)
    }

    /// Returns why the script of a call has ended, if it has. Cheap enough to be asked often.
    pub fn ending_of(ctx: &NativeCallContext) -> Option<Ending> {
        ctx.tag()?.read_lock::<ScriptContext>()?.ending()
    }

    /// Returns the token that cancels calls of this thread.
    pub fn cancel(&self) -> CancelToken {
        thread::cancel().unwrap_or_else(|| self.0.host.cancel.clone())
    }

    /// Prepares cleanups: notes that Ctrl-C ended the script and resets its token, so that calls in
    /// cleanups work and a second Ctrl-C cancels them.
    pub fn begin_cleanup(&self) {
        let cancel = &self.0.host.cancel;
        if cancel.is_cancelled() {
            self.end(Ending::Interrupted);
            cancel.reset();
            // Ended cleanups, also of just now, stay cancelled.
            if self.no_cleanup() {
                cancel.cancel();
            }
        }
    }

    /// Returns the token for the cleanup of a cancelled part of `parallel`.
    pub fn new_cleanup_token(&self) -> Option<CancelToken> {
        self.0.cleanup_token.get_or_try_init(CancelToken::new).and_then(CancelToken::child).ok()
    }

    /// Ends the script and its cleanups; the resource reaper removes what is left.
    pub fn end_cleanups(&self, ending: Ending) {
        self.end(ending);
        self.0.no_cleanup.store(true, Ordering::SeqCst);
        self.0.host.cancel.cancel();
        if let Ok(last) = self.0.cleanup_token.get_or_try_init(CancelToken::new) {
            last.cancel();
        }
    }

    /// Returns whether cleanups have been ended.
    pub fn no_cleanup(&self) -> bool {
        self.0.no_cleanup.load(Ordering::SeqCst)
    }

    /// Returns the session that owns containers of scopes; starts it when it is first needed.
    ///
    /// # Errors
    /// When the resource reaper cannot be started.
    pub fn session(&self) -> Result<&ContainerSession> {
        self.0.session.get_or_try_init(|| self.backend().start_session())
    }

    /// Ends the script at its next operation. The first reason is kept.
    pub fn end(&self, ending: Ending) {
        self.lock().get_or_insert(ending);
        self.0.ended.store(true, Ordering::Relaxed);
    }

    /// Returns the first reason why the script ends.
    pub fn end_reason(&self) -> Option<Ending> {
        *self.lock()
    }

    /// Resets the ending before the next line of a REPL.
    pub fn begin(&self) {
        *self.lock() = None;
        self.0.ended.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ending>> {
        self.0.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a text of lifebox's own, without the control characters of strangers. If the output
    /// cannot be written, the script ends.
    pub fn print(&self, text: &str) {
        self.print_verbatim(&escape_control(text));
    }

    /// Prints a text that may be long, as [`Self::print`] does.
    pub fn print_paged(&self, text: &str) {
        self.end_unless(self.0.host.output.page(&escape_control(text)));
    }

    /// Prints what the script itself prints, which may have colours.
    pub fn print_verbatim(&self, text: &str) {
        self.end_unless(self.0.host.output.print(text));
    }

    /// Prints what the script prints for its author, to standard error, whose reader may be gone.
    pub fn print_debug(&self, text: &str) {
        let written = self.0.host.output.eprint(text);
        let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        self.end_unless(written.or_else(|error| if closed(&error) { Ok(()) } else { Err(error) }));
    }

    /// Ends the script at its next operation if its output is lost: [`Output`] keeps the error.
    ///
    /// [`Output`]: crate::script::host::Output
    pub fn end_unless(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.end(if is_lost(&error) { Ending::Closed } else { Ending::Interrupted });
        }
    }

    /// Prints a line to standard error. A failure must not end the script.
    pub fn eprint(&self, text: &str) {
        let _ = self.0.host.output.eprint(text);
    }
}
