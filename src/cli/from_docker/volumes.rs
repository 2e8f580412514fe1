//! Translates the verbs of volumes.

use super::unsupported::refuse;
use super::words::{each, filters, flag, keyed, one, parsed, truth};
use crate::cli::arguments::volume::VolumeVerb;
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};

/// Returns the call for a verb of volumes.
pub fn of_volumes(verb: &VolumeVerb) -> Result<Vec<Expression>> {
    match verb {
        VolumeVerb::Create(arguments) => {
            arguments.check_driver()?;
            let Some(name) = arguments.name()? else {
                let message = "`docker volume create` without a name cannot be translated";
                return Err(Error::new(Kind::Unsupported, message)
                    .hint("add a name: docker volume create NAME"));
            };
            let options =
                parsed([("labels", keyed(&arguments.label)), ("options", keyed(&arguments.opt))]);
            let values = vec![Expression::text(name)];
            Ok(vec![Expression::call("create_volume", values, options)])
        }
        VolumeVerb::Ls(arguments) => {
            let verb = "docker volume ls";
            refuse(verb, &[("--format", arguments.format.is_some())])?;
            let mut options = Vec::new();
            for (key, values) in filters(&arguments.filter, &["dangling", "label", "name"], verb)? {
                options.push(match key.as_str() {
                    "label" => ("label", Expression::list(values)),
                    "name" => ("name", Expression::texts(values)),
                    _ => ("dangling", truth(&key, &one(verb, &key, &values)?)?),
                });
            }
            let list = Expression::call("volumes", vec![], options);
            Ok(vec![if arguments.quiet { Expression::Each(Box::new(list), "name") } else { list }])
        }
        VolumeVerb::Inspect(arguments) => {
            refuse("docker volume inspect", &[("--format", arguments.format.is_some())])?;
            Ok(each("volume", &arguments.names, &vec![]))
        }
        VolumeVerb::Rm(arguments) => {
            Ok(each("remove_volume", &arguments.names, &parsed([("force", flag(arguments.force))])))
        }
        VolumeVerb::Prune(arguments) => {
            let mut options = parsed([("all", flag(arguments.all))]);
            let labels = filters(&arguments.filter, &["label"], "docker volume prune")?;
            options.extend(labels.into_iter().map(|(_, all)| ("label", Expression::list(all))));
            Ok(vec![Expression::call("prune_volumes", vec![], options)])
        }
    }
}
