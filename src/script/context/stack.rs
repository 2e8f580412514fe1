//! Runs scripts on threads with a big stack: an overflow would end the process, not the script.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use crate::model::{Error, Kind, Result};

/// The stack size, in address space, not memory. Debug builds need about four times as much for one
/// script call.
const STACK: usize = if cfg!(debug_assertions) { 256 << 20 } else { 64 << 20 };

/// The name of threads that run scripts.
const THREAD: &str = "script";

thread_local! {
    /// The place of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Returns a builder of threads for scripts.
pub fn thread() -> std::thread::Builder {
    std::thread::Builder::new().name(THREAD.to_owned()).stack_size(STACK)
}

/// Runs `job` on its own thread and waits for it. A panic becomes an error of the kind `bug`.
///
/// # Errors
/// When the thread cannot be created, or `job` panicked.
pub fn on_big_stack<T: Send>(job: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = thread()
            .spawn_scoped(scope, move || without_panic(job))
            .map_err(|error| Error::from_io("cannot create a thread for the script", &error))?;
        thread.join().unwrap_or_else(|payload| Err(bug(payload.as_ref(), None)))
    })
}

/// Runs `job`; a panic becomes an error of the kind `bug`.
pub fn without_panic<T>(job: impl FnOnce() -> T) -> Result<T> {
    // The state of `job` is dropped or repaired afterwards: poisoned locks are recovered, and the
    // session truncates its libraries.
    catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
        let place = PLACE.with(|place| place.borrow_mut().take());
        bug(payload.as_ref(), place)
    })
}

/// Notes the place of a panic, for `std::panic::set_hook`. Returns whether a script report will
/// show the panic, so that the hook writes nothing.
pub fn took_panic(info: &PanicHookInfo<'_>) -> bool {
    if std::thread::current().name() != Some(THREAD) {
        return false;
    }
    let place = info.location().map(ToString::to_string);
    PLACE.with(|kept| *kept.borrow_mut() = place);
    true
}

/// Returns the error of a panic.
fn bug(payload: &(dyn Any + Send), place: Option<String>) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let at = place.map(|place| format!(" ({place})")).unwrap_or_default();
    Error::new(Kind::Bug, format!("lifebox itself failed: {text}{at}"))
        .hint("this is a bug of lifebox, not of the script; please report it with the script")
}
