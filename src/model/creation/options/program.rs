//! The program of a container: command, environment, user, streams, and how it is stopped.

use super::assign::{extend, set, set_some};
use super::row::CreateOption as Row;
use super::row::Trust::Any;
use super::{read, write};
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType as T;
use crate::model::{Error, Kind};

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "name",
        T::Text,
        Any,
        "Assign a name to the container",
        |o| o.name.as_ref().map(|name| Expression::text(name.as_str())),
        |o, v| {
            o.name = Some(read::text(v)?.parse()?);
            Ok(())
        },
    )
    .flag("name", "NAME"),
    Row::new(
        "cmd",
        T::Command,
        Any,
        "Overwrite the default CMD of the image",
        |o| o.cmd.as_deref().map(write::command),
        |o, v| set_some(&mut o.cmd, read::command(v)),
    ),
    Row::new(
        "entrypoint",
        T::Command,
        Any,
        "Overwrite the default ENTRYPOINT of the image; an empty one resets it",
        |o| o.entrypoint.as_deref().map(write::command),
        |o, v| set_some(&mut o.entrypoint, read::command(v)),
    )
    .flag("entrypoint", "COMMAND"),
    Row::new(
        "env",
        T::Pairs,
        Any,
        "Set environment variables; a name alone takes the value of the caller",
        |o| write::env(&o.env),
        |o, v| extend(&mut o.env, read::env(v)),
    )
    .flag("env", "KEY[=VALUE]")
    .short('e'),
    Row::new(
        "workdir",
        T::Text,
        Any,
        "Working directory inside the container",
        |o| write::text(o.workdir.as_ref()),
        |o, v| {
            o.workdir = Some(read::text(v)?).filter(|path| !path.is_empty());
            Ok(())
        },
    )
    .flag("workdir", "DIR")
    .short('w'),
    Row::new(
        "user",
        T::TextOrNumber,
        Any,
        "Username or UID (format: <name|uid>[:<group|gid>])",
        |o| write::text(o.user.as_ref()),
        |o, v| set_some(&mut o.user, read::text_or_number(v)),
    )
    .flag("user", "USER[:GROUP]")
    .short('u'),
    Row::new(
        "hostname",
        T::Text,
        Any,
        "Container host name",
        |o| write::text(o.hostname.as_ref()),
        |o, v| {
            o.hostname = Some(read::text(v)?).filter(|name| !name.is_empty());
            Ok(())
        },
    )
    .flag("hostname", "NAME")
    .short('h'),
    Row::new(
        "labels",
        T::Pairs,
        Any,
        "Set metadata on a container",
        |o| write::pairs(o.labels.iter()),
        |o, v| {
            let labels = read::pairs(v)?;
            if labels.iter().any(|(key, _)| key.is_empty()) {
                let error = Error::new(Kind::Invalid, "a label needs a key");
                return Err(error.hint("write KEY=VALUE"));
            }
            let label = |(key, value): (_, Option<_>)| (key, value.unwrap_or_default());
            o.labels.extend(labels.into_iter().map(label));
            Ok(())
        },
    )
    .flag("label", "KEY[=VALUE]")
    .short('l'),
    Row::new(
        "annotations",
        T::Pairs,
        Any,
        "Add an annotation to the container (passed through to the OCI runtime)",
        |o| write::pairs(o.annotations.iter()),
        |o, v| {
            for (key, value) in read::pairs(v)? {
                if key.is_empty() {
                    let error = Error::new(Kind::Invalid, "an annotation needs a key");
                    return Err(error.hint("write KEY=VALUE"));
                }
                o.annotations.insert(key, value.unwrap_or_default());
            }
            Ok(())
        },
    )
    .flag("annotation", "KEY=VALUE"),
    Row::new(
        "stop_signal",
        T::Signal,
        Any,
        "Signal to stop the container",
        |o| o.stop_signal.as_ref().map(|signal| Expression::text(signal.to_string())),
        |o, v| set_some(&mut o.stop_signal, read::stop_signal(v)),
    )
    .flag("stop-signal", "SIGNAL"),
    Row::new(
        "stop_timeout",
        T::StopTimeout,
        Any,
        "Timeout (in seconds) to stop a container; -1 for no limit",
        |o| o.stop_timeout.map(write::stop_timeout),
        |o, v| set_some(&mut o.stop_timeout, read::stop_timeout(v)),
    )
    .flag("stop-timeout", "SECONDS"),
    Row::new(
        "stdin",
        T::Flag,
        Any,
        "Keep STDIN open even if not attached",
        |o| write::flag(o.interactive),
        |o, v| set(&mut o.interactive, read::flag(v)),
    )
    .switch("interactive")
    .short('i'),
    Row::new(
        "tty",
        T::Flag,
        Any,
        "Allocate a pseudo-TTY",
        |o| write::flag(o.tty),
        |o, v| set(&mut o.tty, read::flag(v)),
    )
    .switch("tty")
    .short('t'),
    Row::new(
        "rm",
        T::Flag,
        Any,
        "Automatically remove the container and its associated anonymous volumes when it exits",
        |o| write::flag(o.auto_remove),
        |o, v| set(&mut o.auto_remove, read::flag(v)),
    )
    .switch("rm"),
];
