//! Handlers: closures that are called when something happens, on the thread that made them, while
//! it waits. No two parts of a script ever run at the same time for them.
//!
//! The journal of events is the queue: nobody reads it before there is time to call somebody. A
//! call that waits does so on a thread beside, where no script runs, and this thread follows the
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

/// What `on` gives: the handler is called for as long as this is on. Copies are the same.
#[derive(Clone, Debug)]
pub struct Subscription(Arc<AtomicBool>);

impl Subscription {
    /// Ends it. False where it had ended.
    pub fn cancel(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    /// Whether it has not ended.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

thread_local! {
    static HANDLERS: RefCell<Option<Handlers>> = const { RefCell::new(None) };
    /// Whether a handler runs: others wait until it is done.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// The handlers of one thread.
struct Handlers {
    context: ScriptContext,
    stream: Rc<RefCell<Box<dyn EventStream>>>,
    /// How many events were read.
    read: u64,
    /// Those that nobody was told of yet, each with its number.
    queue: VecDeque<(u64, Event)>,
    list: Vec<Rc<Handler>>,
    /// Made for the first call: a loop that waits has no interpreter at hand.
    engine: Option<Rc<Engine>>,
}

/// A closure, and what it is for.
struct Handler {
    subscription: Subscription,
    filter: EventFilter,
    /// The number of the last event that was read when it was made.
    after: u64,
    function: StoredClosure,
}

/// From now on `function` is called with each event that `filter` takes.
///
/// # Errors
/// When events can't be followed.
pub fn add(
    ctx: &NativeCallContext,
    stage: &ScriptContext,
    filter: EventFilter,
    function: FnPtr,
) -> Result<Subscription> {
    let subscription = Subscription(Arc::new(AtomicBool::new(true)));
    if HANDLERS.with_borrow(Option::is_none) {
        let options = EventOptions { follow: true, ..EventOptions::default() };
        let stream = Rc::new(RefCell::new(stage.backend().events(&options)?));
        let (untold, list) = (VecDeque::new(), Vec::new());
        let handlers =
            Handlers { context: stage.clone(), stream, read: 0, queue: untold, list, engine: None };
        HANDLERS.set(Some(handlers));
    }
    // What happened before is not for it.
    read(&stage.cancel())?;
    let function = StoredClosure::new(ctx, callback::with_cloned_handles(function));
    HANDLERS.with_borrow_mut(|handlers| {
        let Some(handlers) = handlers else { return };
        let (subscription, after) = (subscription.clone(), handlers.read);
        handlers.list.push(Rc::new(Handler { subscription, filter, after, function }));
    });
    Ok(subscription)
}

/// Does a whole piece of a script. If it ends well, its handlers hear of what happened until then;
/// in any case they end with it.
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

/// Does `work`, which waits until its flag is raised. Meanwhile the handlers of this thread are
/// called; when one throws, that ends the work.
///
/// # Errors
/// Those of `work`; [`Kind::Cancelled`] when a handler has thrown, which [`thread::take_pending`]
/// gives.
pub fn wait<T: Send>(
    cancel: &CancelToken,
    work: impl FnOnce(&CancelToken) -> Result<T> + Send,
) -> Result<T> {
    if !has_handlers() {
        return work(cancel);
    }
    dispatch(cancel)?;
    let (part, done) = (cancel.child()?, cancel.child()?);
    let (told, value) = std::thread::scope(|scope| {
        let worker = stack::thread().spawn_scoped(scope, || {
            let result = stack::without_panic(|| work(&part)).and_then(|result| result);
            done.cancel();
            result
        });
        let worker = worker.context(|| "make a thread".to_owned())?;
        let told = dispatch_until(&done);
        if told.is_err() {
            part.cancel();
        }
        let failed = |_| Err(Error::new(Kind::Bug, "the thread of a call has failed"));
        Ok((told, worker.join().unwrap_or_else(failed)))
    })?;
    told?;
    let value = value?;
    dispatch(cancel)?;
    Ok(value)
}

/// The same for what comes piece by piece. What is there already is taken without a thread.
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

/// Whether there is anybody to be told. The last one to go takes the journal with it.
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

/// Tells of what has happened until now.
fn dispatch(cancel: &CancelToken) -> Result<()> {
    read(cancel)?;
    dispatch_queue()
}

/// Tells of what happens, until `done` is raised.
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
        // Events without end must not keep the call from its end.
        if done.is_cancelled() {
            return Ok(());
        }
    }
}

fn stream() -> Option<Rc<RefCell<Box<dyn EventStream>>>> {
    HANDLERS.with_borrow(|handlers| handlers.as_ref().map(|handlers| Rc::clone(&handlers.stream)))
}

/// Reads what has happened until now.
fn read(cancel: &CancelToken) -> Result<()> {
    let begun = Timestamp::now();
    let Some(stream) = stream() else { return Ok(()) };
    loop {
        let event = match stream.borrow_mut().next_event(Some(Duration::ZERO), cancel) {
            Ok(Some(event)) => Event::new(event),
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == Kind::Timeout => return Ok(()),
            Err(error) => return Err(error),
        };
        let later = event.event().time > begun;
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
        // Most is for nobody.
        if list.iter().any(|handler| handler.filter.matches(event.event())) {
            let number = *read;
            handlers.queue.push_back((number, event));
        }
    });
}

/// Calls the handlers, event after event, in the order in which they were made.
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

/// The next event that somebody is to be told of, who that is, and what calls them.
fn next_queued() -> Option<(Event, Vec<Rc<Handler>>, Rc<Engine>)> {
    HANDLERS.with_borrow_mut(|handlers| {
        let handlers = handlers.as_mut()?;
        let (number, event) = handlers.queue.pop_front()?;
        let wanted = |handler: &&Rc<Handler>| {
            handler.after < number && handler.filter.matches(event.event())
        };
        let list = handlers.list.iter().filter(wanted).cloned().collect();
        let stage = &handlers.context;
        let engine = handlers.engine.get_or_insert_with(|| Rc::new(stage.new_engine()));
        Some((event, list, Rc::clone(engine)))
    })
}

/// A handler runs for as long as this lives, also when it panics.
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
