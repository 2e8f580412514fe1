//! Resolves the subject of a verb: a handle, a name or an id.

use rhai::{Dynamic, NativeCallContext};

use crate::model::image::PullPolicy;
use crate::model::observe::progress::PullOptions;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{RhaiResultOf, called};
use crate::script::values;
use crate::script::values::handle::{Container, Image};
use crate::script::values::noun::Noun;

/// Returns the container that `subject` names.
pub fn container(ctx: &NativeCallContext, subject: &Dynamic) -> RhaiResultOf<Container> {
    // A variable that a closure captured arrives as a shared cell.
    let subject = subject.clone().flatten();
    let context = ScriptContext::of(ctx)?;
    if let Some(container) = subject.clone().try_cast::<Container>() {
        context.note_use(ctx, container.id());
        return Ok(container);
    }
    let name = text(ctx, &subject, Noun::Container)?;
    let id = context.backend().find(&name).or_raise(ctx)?;
    context.note_use(ctx, &id);
    Ok(Container::new(context.backend(), id))
}

/// Returns the image that `subject` names; creates or pulls it as the policy says.
pub fn image(ctx: &NativeCallContext, subject: &Dynamic, pull: PullPolicy) -> RhaiResultOf<Image> {
    let subject = subject.clone().flatten();
    if let Some(image) = subject.clone().try_cast::<Image>() {
        return Ok(image);
    }
    let reference = text(ctx, &subject, Noun::Image)?;
    let context = ScriptContext::of(ctx)?;
    let host = context.host();
    let fetch = PullOptions::default();
    let metadata =
        context.backend().ensure_image(&reference, pull, &fetch, &host.progress, &context.cancel());
    let metadata = metadata.or_raise(ctx)?;
    Ok(Image::new(context.backend(), metadata, &reference))
}

/// Returns the name, or an error that says what was expected; Rhai would report "function not
/// found".
fn text(ctx: &NativeCallContext, subject: &Dynamic, noun: Noun) -> RhaiResultOf<String> {
    if let Some(text) = subject.read_lock::<rhai::ImmutableString>() {
        return Ok(text.to_string());
    }
    let (article, word) = (noun.article(), noun.word());
    let kind = values::type_of(subject);
    let message = format!("{}(): expected {article} {word}, got {kind}", called(ctx));
    let hint = if subject.is_unit() {
        "find out why the value is (): nothing was found, or a function returns nothing".to_owned()
    } else if noun == Noun::Image {
        "give an Image, or a reference such as \"host\" or \"alpine:3\"".to_owned()
    } else {
        "give a Container, a name or an id; ps() lists them".to_owned()
    };
    Err(raise(ctx, &Error::new(Kind::Invalid, message).hint(hint)))
}
