//! Translates the verbs of images.

use super::containers::inspected;
use super::unsupported::refuse;
use super::words::{each, filters, flag, one, parsed, text, time, truth};
use crate::cli::arguments::registry::{PullArguments, PushArguments, Transport};
use crate::cli::arguments::store::{
    HistoryArguments, ImagesArguments, InspectImageArguments, LoadArguments, PruneImagesArguments,
    RmiArguments, SaveArguments,
};
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};

/// Translates `docker images`.
pub fn list(arguments: &ImagesArguments) -> Result<Vec<Expression>> {
    let verb = "docker images";
    refuse(verb, &[("--format", arguments.format.is_some())])?;
    let mut options = parsed([("all", flag(arguments.all))]);
    let mut names: Vec<String> = arguments.repository.iter().cloned().collect();
    let known = ["before", "dangling", "label", "reference", "since"];
    for (key, values) in filters(&arguments.filter, &known, verb)? {
        options.push(match key.as_str() {
            "reference" if !names.is_empty() => {
                let message = "a repository and the flag `--filter reference` of `docker images` \
                               cannot be translated together";
                return Err(Error::new(Kind::Unsupported, message));
            }
            "reference" => {
                names.extend(values);
                continue;
            }
            "label" => ("label", Expression::list(values)),
            "before" => ("before", one(verb, &key, &values)?),
            "since" => ("since", one(verb, &key, &values)?),
            _ => ("dangling", truth(&key, &one(verb, &key, &values)?)?),
        });
    }
    options.extend((!names.is_empty()).then(|| ("name", Expression::texts(names))));
    let list = Expression::call("images", vec![], options);
    Ok(vec![if arguments.quiet { Expression::Each(Box::new(list), "id") } else { list }])
}

/// Translates `docker rmi`.
pub fn rmi(arguments: &RmiArguments) -> Result<Vec<Expression>> {
    refuse("docker rmi", &[("--platform", !arguments.platform.is_empty())])?;
    Ok(each("rmi", &arguments.images, &parsed([("force", flag(arguments.force))])))
}

/// Translates `docker load -i`.
pub fn load(arguments: &LoadArguments) -> Result<Vec<Expression>> {
    let Some(input) = &arguments.input else {
        let message = "`docker load` without flag `--input` reads standard input";
        return Err(Error::new(Kind::Unsupported, message).hint("write --input FILE"));
    };
    let platform = arguments.platform.as_ref().map(|one| Expression::text(one.to_string()));
    let values = vec![Expression::text(input.to_string_lossy())];
    Ok(vec![Expression::call("load", values, parsed([("platform", platform)]))])
}

/// Translates `docker save -o`.
pub fn save(arguments: &SaveArguments) -> Result<Vec<Expression>> {
    let Some(output) = &arguments.output else {
        let message = "`docker save` without flag `--output` writes to standard output";
        return Err(Error::new(Kind::Unsupported, message).hint("write --output FILE"));
    };
    refuse("docker save", &[("--platform", arguments.platform.is_some())])?;
    let [image] = arguments.images.as_slice() else {
        let message = "`docker save` of several images cannot be translated";
        return Err(Error::new(Kind::Unsupported, message).hint("save each image to its own file"));
    };
    let format = Some(&arguments.format).filter(|format| *format != "docker");
    let options =
        parsed([("format", text(format)), ("compress", text(arguments.compress.as_ref()))]);
    let values = vec![Expression::text(image.as_str()), Expression::text(output.to_string_lossy())];
    Ok(vec![Expression::call("save", values, options)])
}

/// Translates `docker image inspect`.
pub fn inspect(arguments: &InspectImageArguments) -> Result<Vec<Expression>> {
    refuse("docker image inspect", &[("--platform", arguments.platform.is_some())])?;
    let image = |name: &String| Expression::Call("image", vec![Expression::text(name.as_str())]);
    inspected(arguments.images.iter().map(image), arguments.format.as_deref())
}

/// Translates `docker history`.
pub fn history(arguments: &HistoryArguments) -> Result<Vec<Expression>> {
    refuse(
        "docker history",
        &[("--format", arguments.format.is_some()), ("--platform", arguments.platform.is_some())],
    )?;
    let steps = Expression::Call("history", vec![Expression::text(arguments.image.as_str())]);
    Ok(vec![if arguments.quiet { Expression::Each(Box::new(steps), "id") } else { steps }])
}

/// Translates `docker image prune`. Scripts prune without confirmation.
pub fn prune(arguments: &PruneImagesArguments) -> Result<Vec<Expression>> {
    let verb = "docker image prune";
    let mut options = parsed([("all", flag(arguments.all))]);
    for (key, values) in filters(&arguments.filter, &["label", "until"], verb)? {
        options.push(match key.as_str() {
            "label" => ("label", Expression::list(values)),
            _ => {
                one(verb, &key, &values)?;
                let time = time(values.first())?.unwrap_or_else(|| Expression::text(""));
                ("before", time)
            }
        });
    }
    Ok(vec![Expression::call("prune_images", vec![], options)])
}

/// Translates `docker pull`.
pub fn pull(arguments: &PullArguments) -> Result<Vec<Expression>> {
    refuse("docker pull", &[("--all-tags", arguments.all_tags)])?;
    let options = parsed([
        ("platform", text(arguments.platform.as_ref())),
        ("tls_verify", unchecked(arguments.transport)),
    ]);
    let values = vec![Expression::text(arguments.reference.as_str())];
    Ok(vec![Expression::call("pull", values, options)])
}

/// Translates `docker push`.
pub fn push(arguments: &PushArguments) -> Result<Vec<Expression>> {
    let platform = arguments.platform.is_some();
    refuse("docker push", &[("--all-tags", arguments.all_tags), ("--platform", platform)])?;
    let values = vec![Expression::text(arguments.reference.as_str())];
    let options = parsed([("tls_verify", unchecked(arguments.transport))]);
    Ok(vec![Expression::call("push", values, options)])
}

fn unchecked(transport: Transport) -> Option<Expression> {
    (!transport.tls_verify).then_some(Expression::Flag(false))
}
