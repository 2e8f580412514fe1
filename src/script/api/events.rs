//! Events of containers, images and volumes.

use super::signature::{ActionOrActions, Options, array_of};
use crate::model::Result;
use crate::model::value::visible::one_line;
use crate::script::context::callback;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::events::Events as Stream;
use crate::script::flow::handlers;
use crate::script::flow::handlers::Subscription as SubscriptionHandle;
use crate::script::options::{self, Watch};
use crate::script::values;
use crate::script::values::event::Event as EventValue;
use rhai::plugin::*;
use rhai::{Dynamic, FnPtr, ImmutableString, Map};
use std::any::TypeId;

/// Returns the functions, with the iterator of `Events`.
pub fn module() -> Module {
    let mut module = exported_module!(events);
    module.set_iter_result(TypeId::of::<Stream>(), |events: Dynamic| {
        match events.try_cast::<Stream>() {
            Some(events) => events.iterate(),
            None => Box::new(std::iter::empty()),
        }
    });
    module
}

/// Events.
#[export_module]
pub mod events {
    /// A stream of events, to loop over.
    pub type Events = Stream;
    /// One event: `time`, `type`, `action`, `id`, `name`, `image`, `attributes`.
    pub type Event = EventValue;
    /// A subscription, from `on` for `off`.
    pub type Subscription = SubscriptionHandle;

    /// Returns past events, the oldest first, as an array of Event. About the last 30000 are kept.
    ///
    /// ```rhai
    /// for e in events() { print(`${e.time} ${e.type} ${e.action} ${e.name}`); }
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn past(ctx: NativeCallContext) -> RhaiResultOf<rhai::Array> {
        read(&ctx, &Watch::default())
    }

    /// Returns the events that match options. Without `follow` the result is an array of past
    /// events; with `follow` a stream of events from this call on, after those since `since` if
    /// that is given. Loop over it; `break`, `timeout` or `before` end the loop, and a second loop
    /// continues where the first ended. `until` is a reserved word of Rhai: write `before`, or
    /// `"until"` in quotes.
    ///
    /// ```rhai
    /// let web = create("host", #{ cmd: "true" });
    /// let life = events(#{ follow: true, timeout: "30s", filter: #{ container: web } });
    /// web.start();
    /// for e in life {
    ///     if e.action == "die" { print(e.attributes.exitCode); break; }
    /// }
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn events_with(ctx: NativeCallContext, options: Options) -> RhaiResultOf<Dynamic> {
        let watch = options::events(options).or_raise(&ctx)?;
        match watch.options.follow {
            true => Ok(Dynamic::from(open(&ctx, &watch)?)),
            false => read(&ctx, &watch).map(Dynamic::from),
        }
    }

    /// Calls a function with each new event, until the function returns false.
    ///
    /// ```rhai
    /// events(|e| { print(e); e.action != "die" });
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn each(ctx: NativeCallContext, each: FnPtr) -> RhaiResultOf<()> {
        follow(&ctx, Watch::default(), &each)
    }

    /// As `events(each)`, with options.
    ///
    /// ```rhai
    /// events(#{ since: "1h", timeout: "30s", filter: #{ event: ["die", "oom"] } }, |e| {
    ///     print(`${e.name} ${e.action}`);
    ///     e.action != "die"
    /// });
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn each_with(ctx: NativeCallContext, options: Options, each: FnPtr) -> RhaiResultOf<()> {
        let watch = options::events(options).or_raise(&ctx)?;
        follow(&ctx, watch, &each)
    }

    /// Calls a function on each new event with this action, by Docker's name, or with one of an
    /// array of actions. In a closure `this` is the event. Returns a Subscription.
    ///
    /// Handlers run one after the other, on the thread that called `on` and only while it waits: in
    /// `sleep`, `wait`, `wait_for`, `stop`, `restart`, `exec`, between two tries of `retry`, in
    /// loops over `logs`, `events` and `stats` that follow, and once more at the end of the script,
    /// which ends all subscriptions. So no other part of the script runs meanwhile; the waiting
    /// call continues. An error of a handler ends the waiting call, which throws it. Events during
    /// a handler wait for its end. Other long calls (`pull`, `build`, `parallel`, `attach`) keep
    /// events until the next call that waits.
    ///
    /// ```rhai
    /// on("die", |e| print(`${e.name} ended with ${e.attributes.exitCode}`));
    /// run("host", "true").wait();
    /// ```
    #[rhai_fn(name = "on", volatile, return_raw)]
    pub fn on(
        ctx: NativeCallContext,
        action: ActionOrActions,
        handler: FnPtr,
    ) -> RhaiResultOf<Subscription> {
        subscribe(&ctx, action, Map::new(), handler)
    }

    /// As `on(action, handler)`, for some containers, images or volumes only.
    ///
    /// ```rhai
    /// let web = create("host", #{ cmd: "true" });
    /// let s = on(["start", "die"], #{ container: web }, |e| print(e.action));
    /// web.start().wait();
    /// off(s);
    /// ```
    #[rhai_fn(name = "on", volatile, return_raw)]
    pub fn on_with(
        ctx: NativeCallContext,
        action: ActionOrActions,
        options: Options,
        handler: FnPtr,
    ) -> RhaiResultOf<Subscription> {
        subscribe(&ctx, action, options, handler)
    }

    /// Cancels a subscription, also from within its handler. Returns false if the subscription had
    /// already ended.
    ///
    /// ```rhai
    /// let s = on("oom", |e| print(e));
    /// s.off();
    /// ```
    #[rhai_fn(name = "off", volatile)]
    pub fn off(subscription: Subscription) -> bool {
        subscription.cancel()
    }

    /// Returns whether the subscription is on or off, as text.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show_subscription(subscription: Subscription) -> ImmutableString {
        if subscription.is_on() { "Subscription(on)".into() } else { "Subscription(off)".into() }
    }

    /// Returns the name of the type; loop over a value for its events.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show_stream(_events: Events) -> ImmutableString {
        "Events".into()
    }

    /// The time of the event.
    #[rhai_fn(get = "time")]
    pub fn time(event: Event) -> Dynamic {
        values::time(Some(event.event().time))
    }

    /// `"container"`, `"image"` or `"volume"`.
    #[rhai_fn(get = "type")]
    pub fn subject(event: Event) -> String {
        event.event().subject.as_str().to_owned()
    }

    /// The action, by Docker's name: `"start"`, `"die"`, `"exec_create: echo hi"`.
    #[rhai_fn(get = "action")]
    pub fn action(event: Event) -> String {
        event.event().action.clone()
    }

    /// The id of the container or image, the name of the volume.
    #[rhai_fn(get = "id")]
    pub fn id(event: Event) -> String {
        event.event().id.clone()
    }

    /// The name of the container, image or volume at that time.
    #[rhai_fn(get = "name")]
    pub fn name(event: Event) -> String {
        event.event().name().to_owned()
    }

    /// The image of the container, as it was named at creation.
    #[rhai_fn(get = "image")]
    pub fn image(event: Event) -> String {
        event.event().image().to_owned()
    }

    /// The labels, and details of the action such as `exitCode` or `signal`: a map of strings.
    #[rhai_fn(get = "attributes")]
    pub fn attributes(event: Event) -> Map {
        let pairs = event.event().attributes.iter();
        pairs.map(|(key, value)| (key.into(), value.into())).collect()
    }

    /// Returns the event as the command line prints it.
    #[rhai_fn(name = "to_string")]
    pub fn show(event: Event) -> String {
        event.line()
    }

    /// Returns type, action and name, for `debug`.
    #[rhai_fn(name = "to_debug")]
    pub fn debug(event: Event) -> String {
        let event = event.event();
        let action = one_line(&event.action);
        format!("Event({} {action} {:?})", event.subject.as_str(), event.name())
    }
}

fn subscribe(
    ctx: &NativeCallContext,
    action: Dynamic,
    options: Map,
    handler: FnPtr,
) -> RhaiResultOf<SubscriptionHandle> {
    let filter = options::on(action, options).or_raise(ctx)?;
    handlers::add(ctx, &ScriptContext::of(ctx)?, filter, handler).or_raise(ctx)
}

fn open(ctx: &NativeCallContext, watch: &Watch) -> RhaiResultOf<Stream> {
    let context = ScriptContext::of(ctx)?;
    Stream::open(context.backend(), watch, &context.cancel()).or_raise(ctx)
}

/// Returns past events.
fn read(ctx: &NativeCallContext, watch: &Watch) -> RhaiResultOf<rhai::Array> {
    let events: Result<Vec<EventValue>> = open(ctx, watch)?.events().collect();
    Ok(array_of(events.or_raise(ctx)?))
}

/// Calls the closure with each event, until it returns false.
fn follow(ctx: &NativeCallContext, mut watch: Watch, each: &FnPtr) -> RhaiResultOf<()> {
    watch.options.follow = true;
    for event in open(ctx, &watch)?.events() {
        let event = Dynamic::from(event.or_raise(ctx)?);
        let answer = callback::call(ctx, each, event.clone(), event)?;
        if callback::says_stop(&answer) {
            break;
        }
    }
    Ok(())
}
