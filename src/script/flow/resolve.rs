//! Who a verb is about: a handle, a name or an id, whatever the script has at hand.

use rhai::{Dynamic, NativeCallContext};

use crate::model::image::PullPolicy;
use crate::model::observe::progress::PullOptions;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::values;
use crate::script::values::handle::{Container, Image};
use crate::script::values::noun::Noun;

/// The container that `subject` names.
pub fn container(ctx: &NativeCallContext, subject: &Dynamic) -> RhaiResultOf<Container> {
    // A variable that a closure captured arrives as a shared cell.
    let subject = subject.clone().flatten();
    let stage = ScriptContext::of(ctx)?;
    if let Some(container) = subject.clone().try_cast::<Container>() {
        stage.note_use(ctx, container.id());
        return Ok(container);
    }
    let name = text(ctx, &subject, Noun::Container)?;
    let id = stage.backend().find(&name).or_raise(ctx)?;
    stage.note_use(ctx, &id);
    Ok(Container::new(stage.backend(), id))
}

/// The image that `subject` names; made or fetched as `pull` says.
pub fn image(ctx: &NativeCallContext, subject: &Dynamic, pull: PullPolicy) -> RhaiResultOf<Image> {
    let subject = subject.clone().flatten();
    if let Some(image) = subject.clone().try_cast::<Image>() {
        return Ok(image);
    }
    let reference = text(ctx, &subject, Noun::Image)?;
    let stage = ScriptContext::of(ctx)?;
    let host = stage.host();
    let fetch = PullOptions::default();
    let metadata =
        stage.backend().ensure_image(&reference, pull, &fetch, &host.progress, &stage.cancel());
    let metadata = metadata.or_raise(ctx)?;
    Ok(Image::new(stage.backend(), metadata, &reference))
}

/// A name, or our own sentence about what is wanted instead of "function not found".
fn text(ctx: &NativeCallContext, subject: &Dynamic, noun: Noun) -> RhaiResultOf<String> {
    if let Some(text) = subject.read_lock::<rhai::ImmutableString>() {
        return Ok(text.to_string());
    }
    let (article, word) = (noun.article(), noun.word());
    let kind = values::type_of(subject);
    let message = format!("{}(): {article} {word} is wanted, not {kind}", ctx.fn_name());
    let hint = if subject.is_unit() {
        "the value is (): was something not found, or does a function return nothing?".to_owned()
    } else if noun == Noun::Image {
        "give an Image, or a reference such as \"host\" or \"alpine:3\"".to_owned()
    } else {
        "give a Container, a name or an id; ps() has them".to_owned()
    };
    Err(raise(ctx, &Error::new(Kind::Invalid, message).hint(hint)))
}
