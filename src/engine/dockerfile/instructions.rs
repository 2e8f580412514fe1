//! Instructions that configure an image: in a Dockerfile, and as `--change` of `commit` and
//! `import`.

use std::time::Duration;

use serde_json::Value;

use super::parser;
use super::parser::{Flag, Instruction};
use super::words::Expander;
use crate::image::build::configure;
use crate::model::error::Context;
use crate::model::image::build::{BuildStep, CommandLine, Healthcheck};
use crate::model::value::units::parse_duration;
use crate::model::{Error, Kind, Result};

/// Applies the instructions of `--change` to a document. Variables are those of the document, with
/// the earlier changes applied.
pub(crate) fn change(document: &mut Value, lines: &[String]) -> Result<()> {
    let mut has_cmd = false;
    for line in lines {
        let lookup = |name: &str| variable(document, name);
        let read = || {
            let parsed = parser::parse_one(line)?;
            step(&parsed.what, &Expander { escape: '\\', lookup: &lookup }, has_cmd)
        };
        let step = read().context(|| format!("cannot apply the change `{line}`"))?;
        has_cmd |= matches!(step, BuildStep::Cmd(_));
        configure::configure(document, &step)?;
    }
    Ok(())
}

fn variable(document: &Value, name: &str) -> Option<String> {
    let env = document.pointer("/config/Env").and_then(Value::as_array);
    let mut pairs = env.into_iter().flatten().filter_map(|entry| entry.as_str()?.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Returns the step of an instruction that needs no files. `has_cmd`: an earlier instruction has
/// set a command, which an entrypoint then keeps.
pub(crate) fn step(
    what: &Instruction,
    expander: &Expander<'_>,
    has_cmd: bool,
) -> Result<BuildStep> {
    let word = |text: &String| expander.word(text);
    let list = |texts: &[String]| texts.iter().map(word).collect::<Result<Vec<_>>>();
    let pairs = |pairs: &[(String, String)]| {
        let pair = |(key, value): &(String, String)| Ok((word(key)?, word(value)?));
        pairs.iter().map(pair).collect::<Result<Vec<_>>>()
    };
    Ok(match what {
        Instruction::Env(list) => BuildStep::Env(pairs(list)?),
        Instruction::Label(list) => BuildStep::Label(pairs(list)?),
        Instruction::Cmd(command) => BuildStep::Cmd(command.clone()),
        Instruction::Entrypoint(command) => {
            BuildStep::Entrypoint { command: command.clone(), keep_cmd: has_cmd }
        }
        Instruction::Workdir(path) => BuildStep::Workdir(word(path)?),
        Instruction::User(user) => BuildStep::User(word(user)?),
        Instruction::Expose(ports) => {
            let ports = list(ports)?;
            let words = ports.iter().flat_map(|port| port.split_whitespace());
            BuildStep::Expose(words.map(str::to_owned).collect())
        }
        Instruction::Volume(paths) => BuildStep::Volume(list(paths)?),
        Instruction::StopSignal(signal) => BuildStep::StopSignal(word(signal)?),
        Instruction::Healthcheck { flags, command } => {
            BuildStep::Healthcheck(healthcheck(flags, command.as_ref())?)
        }
        Instruction::Shell(words) => BuildStep::Shell(words.clone()),
        Instruction::OnBuild(line) => BuildStep::OnBuild(line.text.clone()),
        Instruction::Maintainer(name) => BuildStep::Maintainer(name.clone()),
        Instruction::From { .. }
        | Instruction::Arg(_)
        | Instruction::Run { .. }
        | Instruction::Copy { .. } => {
            return Err(Error::new(Kind::Invalid, "not a valid change command").hint(
                "use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, \
                 STOPSIGNAL, USER, VOLUME, WORKDIR",
            ));
        }
    })
}

fn healthcheck(flags: &[Flag], command: Option<&CommandLine>) -> Result<Option<Healthcheck>> {
    let Some(command) = command else { return Ok(None) };
    let mut health = Healthcheck { command: Some(command.clone()), ..Healthcheck::default() };
    for (name, value) in flags {
        let value = value.as_deref().unwrap_or_default();
        let time = || {
            let time = parse_duration(value)?;
            if value.parse::<f64>().is_ok() {
                let message = format!("missing unit in the duration --{name}={value}");
                return Err(Error::new(Kind::Invalid, message).hint("write a duration such as 30s"));
            }
            // A start period of zero may be written as 0.
            if time < Duration::from_millis(1) && !(time.is_zero() && name == "start-period") {
                let message = format!("--{name}={value} cannot be less than 1ms");
                return Err(Error::new(Kind::Invalid, message));
            }
            Ok::<u64, Error>(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        match name.as_str() {
            "interval" => health.interval = time()?,
            "timeout" => health.timeout = time()?,
            "start-period" => health.start_period = time()?,
            "start-interval" => health.start_interval = time()?,
            "retries" => {
                health.retries = value.parse().map_err(|_| {
                    Error::new(Kind::Invalid, format!("--retries={value} is not a number"))
                })?;
            }
            _ => {
                return Err(Error::new(
                    Kind::Invalid,
                    format!("unknown flag: --{name} of HEALTHCHECK"),
                ));
            }
        }
    }
    Ok(Some(health))
}
