//! What the monitor does while a container runs and when it exits: restarts, health checks, and
//! the limits of the log.

use std::collections::BTreeMap;

use super::assign::set;
use super::row::CreateOption as Row;
use super::row::Trust::Any;
use super::{read, write};
use crate::model::container::logging::LogDriver;
use crate::model::container::options::CreateOptions;
use crate::model::container::supervision::RestartPolicy;
use crate::model::value::expression::Expression;
use crate::model::value::health_check::{HealthCheck, nanoseconds};
use crate::model::value::list::list_or;
use crate::model::value::option_spec::{OptionSpec, ValueType as T, option_spec};
use crate::model::value::shell;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};

/// The keys of the map that `health` takes.
pub const HEALTH: &[OptionSpec] = &[
    option_spec("cmd", T::Command, COMMAND),
    option_spec("interval", T::Duration, INTERVAL),
    option_spec("timeout", T::Duration, TIMEOUT),
    option_spec("retries", T::UInt, RETRIES),
    option_spec("start_period", T::Duration, START_PERIOD),
    option_spec("start_interval", T::Duration, START_INTERVAL),
];

// Docker's sentences, which keys and flags share.
const COMMAND: &str = "Command to run to check health; a shell runs a string";
const INTERVAL: &str = "Time between running the check (default 30s)";
const TIMEOUT: &str = "Maximum time to allow one check to run (default 30s)";
const RETRIES: &str = "Consecutive failures needed to report unhealthy (default 3)";
const START_PERIOD: &str =
    "Start period for the container to initialize before starting health-retries countdown";
const START_INTERVAL: &str = "Time between running the check during the start period (default 5s)";

fn health(options: &CreateOptions) -> Option<Expression> {
    let check = &options.supervision.health;
    if check.is_none() {
        return Some(Expression::Flag(false));
    }
    let test = match check.test.as_slice() {
        [] => None,
        [kind, line] if kind == "CMD-SHELL" => Some(Expression::text(line.as_str())),
        [_, words @ ..] => Some(Expression::list(words)),
    };
    let retries = Some(check.retries).filter(|retries| *retries != 0);
    let rest = [
        ("interval", write::nanoseconds(check.interval)),
        ("timeout", write::nanoseconds(check.timeout)),
        ("retries", retries.map(Expression::Number)),
        ("start_period", write::nanoseconds(check.start_period)),
        ("start_interval", write::nanoseconds(check.start_interval)),
    ];
    let rest: Vec<_> = rest.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    match (test, rest.is_empty()) {
        (None, true) => None,
        // Alone, this word would disable the health check.
        (Some(Expression::Text(line)), true) if line != "none" => Some(Expression::Text(line)),
        (test, _) => {
            let test = test.map(|test| ("cmd", test));
            Some(Expression::Options(test.into_iter().chain(rest).collect()))
        }
    }
}

fn read_health(value: &Expression) -> Result<HealthCheck> {
    match value {
        Expression::Flag(false) => Ok(HealthCheck::none()),
        // As a command it would make no sense: there is no such program.
        Expression::Text(word) if word == "none" => Ok(HealthCheck::none()),
        Expression::Text(_) | Expression::List(_) => {
            Ok(HealthCheck { test: test(value)?, ..HealthCheck::default() })
        }
        other => match other.entries() {
            Some(entries) => parts(&entries),
            None => Err(T::Health.mismatch(&other.shown())),
        },
    }
}

fn parts(entries: &[(&str, &Expression)]) -> Result<HealthCheck> {
    let mut check = HealthCheck::default();
    for &(key, value) in entries {
        let set = set_part(&mut check, key, value);
        set.map_err(|error| match HEALTH.iter().any(|spec| spec.name == key) {
            true => error.about(format_args!("`{key}`")),
            false => error,
        })?;
    }
    Ok(check)
}

/// Sets what one key of the map says.
fn set_part(check: &mut HealthCheck, key: &str, value: &Expression) -> Result<()> {
    let time = || read::duration(value).map(nanoseconds);
    match key {
        "cmd" => test(value).map(|test| check.test = test),
        "interval" => time().map(|time| check.interval = time),
        "timeout" => time().map(|time| check.timeout = time),
        "start_period" => time().map(|time| check.start_period = time),
        "start_interval" => time().map(|time| check.start_interval = time),
        "retries" => retries(value).map(|retries| check.retries = retries),
        unknown => Err(unknown_part(unknown)),
    }
}

fn unknown_part(key: &str) -> Error {
    let known: Vec<&str> = HEALTH.iter().map(|spec| spec.name).collect();
    let hint = match suggest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", list_or(&known)),
    };
    Error::new(Kind::Invalid, format!("no option `{key}`")).hint(hint)
}

/// Reads the command of a check: a string for a shell, or the words of a program, as in a
/// Dockerfile.
fn test(value: &Expression) -> Result<Vec<String>> {
    match value {
        Expression::Text(line) if line.trim().is_empty() => {
            let error = Error::new(Kind::Invalid, "the command is empty");
            Err(error.hint("to disable the image's check, use --no-healthcheck or health: false"))
        }
        Expression::Text(line) => Ok(HealthCheck::shell(line)),
        words => {
            let words = read::command(words)?;
            Ok(std::iter::once("CMD".to_owned()).chain(words).collect())
        }
    }
}

fn retries(value: &Expression) -> Result<i64> {
    match value {
        Expression::Number(..0) => Err(Error::new(Kind::Invalid, "cannot be negative")),
        Expression::Number(number) => Ok(*number),
        other => Err(T::UInt.mismatch(&other.shown())),
    }
}

/// Returns the command as a line for a shell.
fn line(options: &CreateOptions) -> Option<Expression> {
    match options.supervision.health.test.as_slice() {
        _ if options.supervision.health.is_none() => None,
        [kind, line] if kind == "CMD-SHELL" => Some(Expression::text(line.as_str())),
        // A health check never contains a NUL byte.
        [_, words @ ..] => {
            shell::quoted(words.iter().map(String::as_str)).ok().map(Expression::Text)
        }
        [] => None,
    }
}

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "restart",
        T::Text,
        Any,
        "Restart policy to apply when a container exits: no, always, unless-stopped, \
         on-failure[:N]; no container starts when the host boots",
        |o| {
            let restart = Some(o.supervision.restart).filter(|policy| *policy != RestartPolicy::No);
            restart.map(|policy| Expression::text(policy.to_string()))
        },
        |o, v| {
            o.supervision.restart = read::text(v)?.parse()?;
            Ok(())
        },
    )
    .flag("restart", "POLICY")
    .live(),
    Row::new(
        "log_driver",
        T::Text,
        Any,
        "Logging driver for the container: json-file (default), local, or none to keep no output",
        |o| {
            let driver = o.supervision.log_driver;
            (driver != LogDriver::default()).then(|| Expression::text(driver.as_str()))
        },
        |o, v| {
            o.supervision.log_driver = read::text(v)?.parse()?;
            Ok(())
        },
    )
    .flag("log-driver", "DRIVER"),
    Row::new(
        "log_opts",
        T::Pairs,
        Any,
        "Log driver options: max-size=16m, max-file=3, labels=KEYS, env=KEYS, tag=TEXT",
        |o| {
            let all = &o.supervision;
            let rest = all.log_options.iter().map(|(key, value)| (key.clone(), value.clone()));
            let options: BTreeMap<String, String> = all.log.changed_options().chain(rest).collect();
            write::pairs(options.iter())
        },
        |o, v| {
            for (key, value) in read::pairs(v)? {
                let missing =
                    || Error::new(Kind::Invalid, format!("log option `{key}` has no value"));
                o.supervision.set_log_option(&key, &value.ok_or_else(missing)?)?;
            }
            Ok(())
        },
    )
    .flag("log-opt", "KEY=VALUE"),
    Row::new(
        "health",
        T::Health,
        Any,
        "Health check: a command, or #{ cmd, interval, timeout, retries, start_period, \
         start_interval }; false disables the image's",
        health,
        |o, v| set(&mut o.supervision.health, read_health(v)),
    ),
    Row::flag_only("health-cmd", "COMMAND", T::Text, COMMAND, line, |o, v| {
        set_part(&mut o.supervision.health, "cmd", v)
    }),
    Row::flag_only(
        "health-interval",
        "TIME",
        T::Duration,
        INTERVAL,
        |o| write::nanoseconds(o.supervision.health.interval),
        |o, v| set_part(&mut o.supervision.health, "interval", v),
    ),
    Row::flag_only(
        "health-timeout",
        "TIME",
        T::Duration,
        TIMEOUT,
        |o| write::nanoseconds(o.supervision.health.timeout),
        |o, v| set_part(&mut o.supervision.health, "timeout", v),
    ),
    Row::flag_only(
        "health-retries",
        "N",
        T::UInt,
        RETRIES,
        |o| {
            let retries = Some(o.supervision.health.retries).filter(|retries| *retries != 0);
            retries.map(Expression::Number)
        },
        |o, v| set_part(&mut o.supervision.health, "retries", v),
    ),
    Row::flag_only(
        "health-start-period",
        "TIME",
        T::Duration,
        START_PERIOD,
        |o| write::nanoseconds(o.supervision.health.start_period),
        |o, v| set_part(&mut o.supervision.health, "start_period", v),
    ),
    Row::flag_only(
        "health-start-interval",
        "TIME",
        T::Duration,
        START_INTERVAL,
        |o| write::nanoseconds(o.supervision.health.start_interval),
        |o, v| set_part(&mut o.supervision.health, "start_interval", v),
    ),
    Row::flag_only(
        "no-healthcheck",
        "",
        T::Flag,
        "Disable any container-specified HEALTHCHECK",
        |o| write::flag(o.supervision.health.is_none()),
        |o, _| {
            if o.supervision.health != HealthCheck::default() {
                let message = "--no-healthcheck conflicts with --health-* options";
                return Err(Error::new(Kind::Invalid, message));
            }
            o.supervision.health = HealthCheck::none();
            Ok(())
        },
    ),
];
