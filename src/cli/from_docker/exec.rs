//! Translates the verbs of processes in a container.

use super::unsupported::{refuse, refused};
use super::words::{Options, flag, parsed, text};
use crate::cli::arguments::exec::{CpArguments, ExecArguments, ProcessVerb};
use crate::cli::verb::copy::of_container;
use crate::cli::verb::environment;
use crate::model::creation::options::write;
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};

/// Returns the call for one of these verbs.
pub fn process_verb(verb: &ProcessVerb) -> Result<Vec<Expression>> {
    let call = |function, name: &String| {
        vec![Expression::Call(function, vec![Expression::text(name.as_str())])]
    };
    match verb {
        ProcessVerb::Exec(arguments) => exec(arguments),
        ProcessVerb::Attach(arguments) => {
            let verb = "docker attach";
            let keys = arguments.detach_keys.is_some();
            refuse(verb, &[("--detach-keys", keys), ("--sig-proxy", !arguments.sig_proxy)])?;
            Ok(call("attach", &arguments.container))
        }
        ProcessVerb::Top(arguments) => match arguments.options.as_slice() {
            [] => Ok(call("top", &arguments.container)),
            [option] if option == "-ef" => Ok(call("top", &arguments.container)),
            [option, ..] => Err(refused("docker top", option)),
        },
        ProcessVerb::Cp(arguments) => cp(arguments),
        ProcessVerb::Port(arguments) => match &arguments.port {
            None => Ok(call("port", &arguments.container)),
            Some(port) => Err(refused("docker port", port).hint("leave out the port")),
        },
    }
}

fn exec(arguments: &ExecArguments) -> Result<Vec<Expression>> {
    let verb = "docker exec";
    let terminal =
        "use exec(...) with its input as text in option `stdin`, or `lifebox exec` at a shell";
    for (flag, given) in [("-t", arguments.tty), ("-i", arguments.interactive)] {
        if given {
            return Err(refused(verb, flag).hint(terminal));
        }
    }
    refuse(
        verb,
        &[
            ("--detach", arguments.detach),
            ("--detach-keys", arguments.detach_keys.is_some()),
            ("--env-file", !arguments.env_file.is_empty()),
        ],
    )?;
    let [container, command @ ..] = arguments.container_and_command.as_slice() else {
        return Err(Error::new(Kind::Invalid, "exec requires a container and a command")
            .hint("write docker exec CONTAINER COMMAND..."));
    };
    let (user, workdir) = (arguments.user.as_ref(), arguments.workdir.as_ref());
    let options = of_program(&arguments.env, user, workdir, arguments.privileged)?;
    let values = vec![Expression::text(container.as_str()), write::command(command)];
    Ok(vec![Expression::call("exec", values, options)])
}

/// Translates `docker cp`. Owners are as the functions set them; `-L` and archives have no
/// counterpart.
fn cp(arguments: &CpArguments) -> Result<Vec<Expression>> {
    let verb = "docker cp";
    refuse(
        verb,
        &[
            ("--archive", arguments.archive),
            ("--follow-link", arguments.follow_link),
            ("-", arguments.from == "-" || arguments.to == "-"),
        ],
    )?;
    let call = |function, values: [&str; 3]| {
        Ok(vec![Expression::Call(function, values.map(Expression::text).to_vec())])
    };
    match (of_container(&arguments.from), of_container(&arguments.to)) {
        (Some((name, path)), None) => call("cp_from", [name, path, &arguments.to]),
        (None, Some((name, path))) => call("cp_to", [name, &arguments.from, path]),
        (Some(_), Some(_)) => {
            let message = "copying between containers is not supported";
            Err(Error::new(Kind::Unsupported, message).hint("copy it to the host first"))
        }
        (None, None) => {
            Err(Error::new(Kind::Invalid, "must specify at least one container source")
                .hint("write CONTAINER:PATH"))
        }
    }
}

/// Translates the options of a program that is run in a container.
fn of_program(
    env: &[String],
    user: Option<&String>,
    workdir: Option<&String>,
    privileged: bool,
) -> Result<Options> {
    let env = environment::as_written(env)?;
    Ok(parsed([
        ("env", write::env(&env)),
        ("user", text(user)),
        ("workdir", text(workdir)),
        ("privileged", flag(privileged)),
    ]))
}
