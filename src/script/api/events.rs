//! Events: what happened to containers, images and volumes, and what happens.

use super::signature::{ActionOrActions, Options, array_of};
use crate::model::Result;
use crate::script::context::callback;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::events::Events as Stream;
use crate::script::flow::handlers;
use crate::script::flow::handlers::Subscription as Subscribed;
use crate::script::options::{self, Watch};
use crate::script::values;
use crate::script::values::event::Event as Happened;
use rhai::plugin::*;
use rhai::{Dynamic, FnPtr, ImmutableString, Map};
use std::any::TypeId;

/// The functions, and how to loop over `Events`.
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

/// What happens.
#[export_module]
pub mod events {
    /// What happens from now on, to loop over.
    pub type Events = Stream;
    /// One event: `time`, `type`, `action`, `id`, `name`, `image`, `attributes`.
    pub type Event = Happened;
    /// What `on` gives and `off` takes.
    pub type Subscription = Subscribed;

    /// What has happened so far, the oldest first: an array of Event. About the last 30000 are
    /// kept.
    ///
    /// ```rhai
    /// for e in events() { print(`${e.time} ${e.type} ${e.action} ${e.name}`); }
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn past(ctx: NativeCallContext) -> RhaiResultOf<rhai::Array> {
        read(&ctx, &Watch::default())
    }

    /// With options. Without `follow` an array, which ends now; with `follow` a stream of what
    /// happens from this call on, after what has happened since `since` where that is given.
    /// Loop over it; `break`, `timeout` or `before` end it, and a second loop goes on where the
    /// first was left. `until` is a word of Rhai: write `before`, or `"until"` in quotes.
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

    /// Calls a function with each event from now on, until it returns false.
    ///
    /// ```rhai
    /// events(|e| { print(e); e.action != "die" });
    /// ```
    #[rhai_fn(name = "events", volatile, return_raw)]
    pub fn each(ctx: NativeCallContext, each: FnPtr) -> RhaiResultOf<()> {
        follow(&ctx, Watch::default(), &each)
    }

    /// The same, with options.
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

    /// From now on calls a function when something happens: an action by Docker's name, or an
    /// array of them. In a closure `this` is the event.
    ///
    /// Functions are called one after the other, by the thread that called `on` and only while it
    /// waits: in `sleep`, `wait`, `wait_for`, `stop`, `restart`, `exec`, between two tries of
    /// `retry`, in loops over `logs`, `events` and `stats` that follow, and once more at the end of
    /// the script, which ends all. So no other part of the script runs meanwhile; the call itself
    /// goes on. What such a function throws ends the call that waited, and is thrown by it. While
    /// one is called, what happens waits for its end. Other calls that take long (`pull`, `build`,
    /// `parallel`, `attach`) keep what happens until the next one of these.
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

    /// The same for some containers, images or volumes only.
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

    /// Ends what `on` began; also from within. False where it had ended.
    ///
    /// ```rhai
    /// let s = on("oom", |e| print(e));
    /// s.off();
    /// ```
    #[rhai_fn(name = "off", volatile)]
    pub fn off(subscription: Subscription) -> bool {
        subscription.cancel()
    }

    /// Whether it has not ended.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show_subscription(subscription: Subscription) -> ImmutableString {
        if subscription.is_on() { "Subscription(on)".into() } else { "Subscription(off)".into() }
    }

    /// What it is; loop over it for the events.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show_stream(_events: Events) -> ImmutableString {
        "Events".into()
    }

    /// When it happened.
    #[rhai_fn(get = "time")]
    pub fn time(event: Event) -> Dynamic {
        values::time(Some(event.event().time))
    }

    /// `"container"`, `"image"` or `"volume"`.
    #[rhai_fn(get = "type")]
    pub fn subject(event: Event) -> String {
        event.event().subject.as_str().to_owned()
    }

    /// What happened, by Docker's name: `"start"`, `"die"`, `"exec_create: echo hi"`.
    #[rhai_fn(get = "action")]
    pub fn action(event: Event) -> String {
        event.event().action.clone()
    }

    /// The id of the container or image, the name of the volume.
    #[rhai_fn(get = "id")]
    pub fn id(event: Event) -> String {
        event.event().id.clone()
    }

    /// The name of the container, image or volume then.
    #[rhai_fn(get = "name")]
    pub fn name(event: Event) -> String {
        event.event().name().to_owned()
    }

    /// The image of the container, as its maker named it.
    #[rhai_fn(get = "image")]
    pub fn image(event: Event) -> String {
        event.event().image().to_owned()
    }

    /// Labels, and what belongs to the action, such as `exitCode` or `signal`: a map of texts.
    #[rhai_fn(get = "attributes")]
    pub fn attributes(event: Event) -> Map {
        let pairs = event.event().attributes.iter();
        pairs.map(|(key, value)| (key.into(), value.into())).collect()
    }

    /// As the command line shows it.
    #[rhai_fn(name = "to_string")]
    pub fn show(event: Event) -> String {
        event.line()
    }

    /// What happened to whom.
    #[rhai_fn(name = "to_debug")]
    pub fn debug(event: Event) -> String {
        let event = event.event();
        format!("Event({} {} {:?})", event.subject.as_str(), event.action, event.name())
    }
}

fn subscribe(
    ctx: &NativeCallContext,
    action: Dynamic,
    options: Map,
    handler: FnPtr,
) -> RhaiResultOf<Subscribed> {
    let filter = options::on(action, options).or_raise(ctx)?;
    handlers::add(ctx, &ScriptContext::of(ctx)?, filter, handler).or_raise(ctx)
}

fn open(ctx: &NativeCallContext, watch: &Watch) -> RhaiResultOf<Stream> {
    let stage = ScriptContext::of(ctx)?;
    Stream::open(stage.backend(), watch, &stage.cancel()).or_raise(ctx)
}

/// What has happened.
fn read(ctx: &NativeCallContext, watch: &Watch) -> RhaiResultOf<rhai::Array> {
    let events: Result<Vec<Happened>> = open(ctx, watch)?.events().collect();
    Ok(array_of(events.or_raise(ctx)?))
}

/// Gives each event to the script, until it has enough.
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
