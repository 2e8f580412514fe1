//! Handlers: closures that are called for events, on the thread that added them, while it waits. So
//! handlers never run concurrently with another part of the script.
//!
//! The journal of events is the queue: it is read only when there is time to call handlers. A call
//! that waits does so on a second thread, which runs no script; the script's thread follows the
//! journal meanwhile. A script without handlers pays nothing.

use crate::engine::{CancelToken, EventStream};
use crate::model::error::Context;
use crate::model::observe::event::{EventFilter, EventOptions};
use crate::model::{Error, Kind, Result};
use crate::script::context::callback::StoredClosure;
use crate::script::context::raise::in_loop;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::context::{callback, stack, thread};
use crate::script::values::event::Event;
use jiff::Timestamp;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A subscription, as returned by `on`. Its handler is called as long as it is on. Copies share
/// their state.
#[derive(Clone, Debug)]
pub struct Subscription(Arc<AtomicBool>);

impl Subscription {
    /// Cancels the subscription. Returns false if it had already ended.
    pub fn cancel(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    /// Returns whether the subscription is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

thread_local! {
    static HANDLERS: RefCell<Option<Handlers>> = const { RefCell::new(None) };
    /// Whether a handler is running; other handlers wait until it returns.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// The handlers of one thread.
struct Handlers {
    context: ScriptContext,
    stream: Rc<RefCell<Box<dyn EventStream>>>,
    /// How many events were read.
    read: u64,
    /// The events that are not dispatched yet, each with its number.
    queue: VecDeque<(u64, Event)>,
    list: Vec<Rc<Handler>>,
    /// The interpreter that calls handlers; created at the first call, because a loop that waits
    /// has none.
    engine: Option<Rc<Engine>>,
}

/// A closure and its filter.
struct Handler {
    subscription: Subscription,
    filter: EventFilter,
    /// The number of the last event that was read when the handler was added.
    after: u64,
    function: StoredClosure,
}

/// Calls `function` with each later event that matches `filter`.
///
/// # Errors
/// When the journal cannot be followed.
pub fn add(
    ctx: &NativeCallContext,
    context: &ScriptContext,
    filter: EventFilter,
    function: FnPtr,
) -> Result<Subscription> {
    let subscription = Subscription(Arc::new(AtomicBool::new(true)));
    if HANDLERS.with_borrow(Option::is_none) {
        let options = EventOptions { follow: true, ..EventOptions::default() };
        let stream = Rc::new(RefCell::new(context.backend().events(&options)?));
        let (untold, list) = (VecDeque::new(), Vec::new());
        let handlers = Handlers {
            context: context.clone(),
            stream,
            read: 0,
            queue: untold,
            list,
            engine: None,
        };
        HANDLERS.set(Some(handlers));
    }
    // Earlier events are not for this handler.
    read(&context.cancel())?;
    let function = StoredClosure::new(ctx, callback::with_cloned_handles(function));
    HANDLERS.with_borrow_mut(|handlers| {
        let Some(handlers) = handlers else { return };
        let (subscription, after) = (subscription.clone(), handlers.read);
        handlers.list.push(Rc::new(Handler { subscription, filter, after, function }));
    });
    Ok(subscription)
}

/// Runs a whole input of a script. If it succeeds, its handlers receive the events until then. All
/// its handlers end with it.
pub fn with_handlers(
    work: impl FnOnce() -> RhaiResultOf<Dynamic>,
    cancel: impl FnOnce() -> CancelToken,
) -> RhaiResultOf<Dynamic> {
    let ended = work().and_then(|value| {
        if has_handlers() {
            dispatch(&cancel()).map_err(|error| in_loop(&error, "on"))?;
        }
        Ok(value)
    });
    for handler in HANDLERS.take().into_iter().flat_map(|handlers| handlers.list) {
        handler.subscription.cancel();
    }
    ended
}

/// Runs `work`, which waits, at most until its token is cancelled. Meanwhile the handlers of this
/// thread are called; an error of a handler cancels the work.
///
/// # Errors
/// Those of `work`; [`Kind::Cancelled`] when a handler has thrown. [`thread::take_pending`] returns
/// its error.
pub fn wait<T: Send>(
    cancel: &CancelToken,
    work: impl FnOnce(&CancelToken) -> Result<T> + Send,
) -> Result<T> {
    if !has_handlers() {
        return work(cancel);
    }
    dispatch(cancel)?;
    let (child, done) = (cancel.child()?, cancel.child()?);
    let (dispatched, value) = std::thread::scope(|scope| {
        let worker = stack::thread().spawn_scoped(scope, || {
            let result = stack::without_panic(|| work(&child)).and_then(|result| result);
            done.cancel();
            result
        });
        let worker = worker.context(|| "create a thread".to_owned())?;
        let dispatched = dispatch_until(&done);
        if dispatched.is_err() {
            child.cancel();
        }
        let failed = |_| Err(Error::new(Kind::Bug, "the thread of a call has failed"));
        Ok((dispatched, worker.join().unwrap_or_else(failed)))
    })?;
    dispatched?;
    let value = value?;
    dispatch(cancel)?;
    Ok(value)
}

/// As [`wait`], for a stream of items. Items that are available immediately need no thread.
///
/// # Errors
/// As [`wait`].
pub fn next_item<T: Send>(
    timeout: Option<Duration>,
    cancel: &CancelToken,
    mut next: impl FnMut(Option<Duration>, &CancelToken) -> Result<T> + Send,
) -> Result<T> {
    if has_handlers() {
        dispatch(cancel)?;
        match next(Some(Duration::ZERO), cancel) {
            Err(error) if error.kind() == Kind::Timeout => {}
            there => return there,
        }
    }
    wait(cancel, |cancel| next(timeout, cancel))
}

/// Returns whether there are handlers; closes the journal if there are none.
fn has_handlers() -> bool {
    if IN_HANDLER.get() {
        return false;
    }
    HANDLERS.with_borrow_mut(|handlers| {
        if let Some(all) = handlers {
            all.list.retain(|handler| handler.subscription.is_on());
            if all.list.is_empty() {
                *handlers = None;
            }
        }
        handlers.is_some()
    })
}

/// Dispatches the events until now.
fn dispatch(cancel: &CancelToken) -> Result<()> {
    read(cancel)?;
    dispatch_queue()
}

/// Dispatches events until `done` is cancelled.
fn dispatch_until(done: &CancelToken) -> Result<()> {
    loop {
        let happened = match has_handlers().then(stream).flatten() {
            Some(stream) => stream.borrow_mut().next_event(None, done),
            None => done.sleep(Duration::MAX).map(|()| None),
        };
        match happened {
            Ok(Some(event)) => enqueue(Event::new(event)),
            Ok(None) => {}
            Err(error) if error.kind() == Kind::Cancelled => return Ok(()),
            Err(error) => return Err(error),
        }
        dispatch_queue()?;
        // An endless flow of events must not keep the call from its end.
        if done.is_cancelled() {
            return Ok(());
        }
    }
}

fn stream() -> Option<Rc<RefCell<Box<dyn EventStream>>>> {
    HANDLERS.with_borrow(|handlers| handlers.as_ref().map(|handlers| Rc::clone(&handlers.stream)))
}

/// Reads the events until now.
fn read(cancel: &CancelToken) -> Result<()> {
    let start = Timestamp::now();
    let Some(stream) = stream() else { return Ok(()) };
    loop {
        let event = match stream.borrow_mut().next_event(Some(Duration::ZERO), cancel) {
            Ok(Some(event)) => Event::new(event),
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == Kind::Timeout => return Ok(()),
            Err(error) => return Err(error),
        };
        let later = event.event().time > start;
        enqueue(event);
        if later {
            return Ok(());
        }
    }
}

fn enqueue(event: Event) {
    HANDLERS.with_borrow_mut(|handlers| {
        let Some(handlers) = handlers else { return };
        handlers.read += 1;
        let Handlers { list, read, .. } = handlers;
        // Most events have no handler.
        if list.iter().any(|handler| handler.filter.matches(event.event())) {
            let number = *read;
            handlers.queue.push_back((number, event));
        }
    });
}

/// Calls the handlers, event by event, in the order in which they were added.
fn dispatch_queue() -> Result<()> {
    while let Some((event, handlers, engine)) = next_queued() {
        for handler in handlers.iter().filter(|handler| handler.subscription.is_on()) {
            let value = Dynamic::from(event.clone());
            let _telling = HandlerGuard::begin();
            if let Err(error) = handler.function.call_with(&engine, event.clone(), value) {
                thread::set_pending(error);
                return Err(Error::new(Kind::Cancelled, "a handler has failed"));
            }
        }
    }
    Ok(())
}

/// Returns the next event of the queue, its handlers, and the interpreter that calls them.
fn next_queued() -> Option<(Event, Vec<Rc<Handler>>, Rc<Engine>)> {
    HANDLERS.with_borrow_mut(|handlers| {
        let handlers = handlers.as_mut()?;
        let (number, event) = handlers.queue.pop_front()?;
        let wanted = |handler: &&Rc<Handler>| {
            handler.after < number && handler.filter.matches(event.event())
        };
        let list = handlers.list.iter().filter(wanted).cloned().collect();
        let context = &handlers.context;
        let engine = handlers.engine.get_or_insert_with(|| Rc::new(context.new_engine()));
        Some((event, list, Rc::clone(engine)))
    })
}

/// Marks that a handler runs, as long as it lives, also across a panic.
struct HandlerGuard;

impl HandlerGuard {
    fn begin() -> Self {
        IN_HANDLER.set(true);
        HandlerGuard
    }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        IN_HANDLER.set(false);
    }
}
