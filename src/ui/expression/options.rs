//! Converts options of a container into options of the language. The inverse of `script/options`.

use std::net::IpAddr;
use std::time::Duration;

use crate::model::container::mounts::{MountFlag, Mounts};
use crate::model::container::namespaces::Namespaces;
use crate::model::container::options::{CreateOptions, EnvEntry, StopTimeout};
use crate::model::container::resources::Resources;
use crate::model::container::security::Security;
use crate::model::container::supervision::{RestartPolicy, Supervision};
use crate::model::script::expression::Expression;
use crate::model::value::health_check::HealthCheck;
use crate::model::value::shell;
use crate::model::value::units::{exact_size, format_duration};

use crate::ui::docker::log_options;

/// Options with their values.
type Options = Vec<(&'static str, Expression)>;

/// Returns the options of `create`. The caller adds those of standard input.
pub fn new_container(options: &CreateOptions) -> Options {
    let text = |text: &Option<String>| text.clone().map(Expression::Text);
    let some = [
        ("name", options.name.as_ref().map(|name| Expression::text(name.as_str()))),
        ("cmd", options.cmd.as_deref().map(command)),
        ("entrypoint", options.entrypoint.as_deref().map(command)),
        ("env", Some(env(&options.env)).filter(|_| !options.env.is_empty())),
        ("workdir", text(&options.workdir)),
        ("user", text(&options.user)),
        ("hostname", text(&options.hostname)),
        ("labels", pairs(options.labels.iter())),
        ("stop_signal", options.stop_signal.map(|signal| Expression::text(signal.to_string()))),
        ("stop_timeout", options.stop_timeout.map(grace)),
        ("tty", flag(options.tty)),
        ("rm", flag(options.auto_remove)),
    ];
    let mut all = parsed(some);
    all.extend(security(&options.security));
    all.extend(resources(&options.resources));
    all.extend(mounts(&options.mounts));
    all.extend(namespaces(&options.namespaces));
    all.extend(supervision(&options.supervision));
    all
}

fn parsed(options: impl IntoIterator<Item = (&'static str, Option<Expression>)>) -> Options {
    options.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn flag(set: bool) -> Option<Expression> {
    set.then_some(Expression::Flag(true))
}

/// Returns one string or a list of strings; `None` without items.
fn texts<T: ToString>(items: &[T]) -> Option<Expression> {
    let texts = items.iter().map(T::to_string);
    (!items.is_empty()).then(|| Expression::texts(texts))
}

/// Returns a command as one string if no word needs quotes, else as a list.
pub fn command(words: &[String]) -> Expression {
    match !words.is_empty() && words.iter().all(|word| shell::is_plain(word)) {
        true => Expression::Text(words.join(" ")),
        false => Expression::list(words),
    }
}

/// Returns the pairs as a map if it loses nothing: maps are sorted, with each key once.
pub fn pairs<'a>(entries: impl Iterator<Item = (&'a String, &'a String)>) -> Option<Expression> {
    let entries: Vec<(&String, &String)> = entries.collect();
    if entries.is_empty() {
        return None;
    }
    Some(match entries.is_sorted_by(|one, next| one.0 < next.0) {
        true => {
            let entry = |(key, value): &(&String, &String)| {
                ((*key).clone(), Expression::text(value.as_str()))
            };
            Expression::Map(entries.iter().map(entry).collect())
        }
        false => Expression::list(entries.iter().map(|(key, value)| format!("{key}={value}"))),
    })
}

/// Returns environment variables. A name without a value takes the value of the script's caller.
pub fn env(entries: &[EnvEntry]) -> Expression {
    let set: Option<Vec<(&String, &String)>> = entries
        .iter()
        .map(|entry| match entry {
            EnvEntry::Set { key, value } => Some((key, value)),
            EnvEntry::Unset { .. } => None,
        })
        .collect();
    set.and_then(|set| pairs(set.into_iter())).unwrap_or_else(|| {
        Expression::list(entries.iter().map(|entry| match entry {
            EnvEntry::Set { key, value } => format!("{key}={value}"),
            EnvEntry::Unset { key } => key.clone(),
        }))
    })
}

/// Returns a stop timeout.
pub fn grace(grace: StopTimeout) -> Expression {
    match grace {
        StopTimeout::NoLimit => Expression::Number(-1),
        StopTimeout::After(time) => match (time.subsec_nanos(), i64::try_from(time.as_secs())) {
            (0, Ok(seconds)) => Expression::Number(seconds),
            _ => Expression::text(format_duration(time)),
        },
    }
}

fn security(security: &Security) -> Options {
    let bare = |names: &[String]| {
        let bare = |name: &String| name.strip_prefix("CAP_").unwrap_or(name).to_owned();
        texts(&names.iter().map(bare).collect::<Vec<_>>())
    };
    parsed([
        ("cap_add", bare(&security.cap_add)),
        ("cap_drop", bare(&security.cap_drop)),
        ("privileged", flag(security.privileged)),
        ("read_only", flag(security.read_only)),
        ("security", texts(&security.options)),
        ("devices", texts(&security.devices)),
        ("group_add", texts(&security.groups)),
    ])
}

fn size(bytes: Option<i64>) -> Option<Expression> {
    let text = bytes.map(|bytes| (bytes, exact_size(bytes)));
    text.map(|(bytes, text)| match text.parse::<i64>() {
        Ok(_) => Expression::Number(bytes),
        Err(_) => Expression::Text(text),
    })
}

fn resources(resources: &Resources) -> Options {
    let mut all = limits(resources);
    let limits: Vec<(String, String)> = resources
        .ulimits
        .iter()
        .map(|limit| (limit.name.clone(), format!("{}:{}", limit.soft, limit.hard)))
        .collect();
    all.extend(parsed([
        ("ulimits", pairs(limits.iter().map(|(name, value)| (name, value)))),
        ("shm_size", size(resources.shm_size)),
        ("oom_score_adj", resources.oom_score_adj.map(Expression::Number)),
    ]));
    all
}

/// Returns the limits, which are also options of `update`.
pub fn limits(resources: &Resources) -> Options {
    let text = |text: &Option<String>| text.clone().map(Expression::Text);
    parsed([
        ("memory", size(resources.memory)),
        ("memory_swap", size(resources.memory_swap)),
        ("memory_reservation", size(resources.memory_reservation)),
        ("cpus", resources.nano_cpus.map(Expression::Billionths)),
        ("cpu_shares", resources.cpu_shares.map(Expression::Number)),
        ("cpu_period", resources.cpu_period.map(Expression::Number)),
        ("cpu_quota", resources.cpu_quota.map(Expression::Number)),
        ("cpuset_cpus", text(&resources.cpuset_cpus)),
        ("cpuset_mems", text(&resources.cpuset_mems)),
        ("pids", resources.pids_limit.map(Expression::Number)),
        ("blkio_weight", resources.blkio_weight.map(Expression::Number)),
    ])
}

fn mounts(mounts: &Mounts) -> Options {
    let written: Vec<(MountFlag, String)> =
        mounts.list.iter().filter_map(|m| m.to_flag()).collect();
    let of = |flag: MountFlag| {
        let values =
            written.iter().filter(|(name, _)| *name == flag).map(|(_, text)| text.as_str());
        texts(&values.collect::<Vec<_>>())
    };
    parsed([
        ("volumes", of(MountFlag::Volume)),
        ("mounts", of(MountFlag::Mount)),
        ("tmpfs", of(MountFlag::Tmpfs)),
        ("volumes_from", texts(&mounts.from)),
    ])
}

fn namespaces(sharing: &Namespaces) -> Options {
    let word = |text: String| Some(text).filter(|text| !text.is_empty()).map(Expression::Text);
    let ipc = match (sharing.ipc_none, sharing.ipc_shareable) {
        (true, _) => "none".to_owned(),
        (_, true) => "shareable".to_owned(),
        _ => sharing.ipc.show(""),
    };
    let host = |(name, address): &(String, IpAddr)| format!("{name}:{address}");
    let hosts: Vec<String> = sharing.extra_hosts.iter().map(host).collect();
    parsed([
        ("network", word(sharing.network.show(""))),
        ("ipc", word(ipc)),
        ("pid", word(sharing.pid.show(""))),
        ("uts", word(sharing.uts.show(""))),
        ("init", flag(sharing.init)),
        ("domainname", word(sharing.domainname.clone())),
        ("sysctls", pairs(sharing.sysctls.iter())),
        ("add_hosts", texts(&hosts)),
        ("dns", texts(&sharing.dns)),
        ("dns_options", texts(&sharing.dns_options)),
        ("dns_search", texts(&sharing.dns_search)),
    ])
}

fn supervision(upkeep: &Supervision) -> Options {
    let restart = Some(upkeep.restart).filter(|policy| *policy != RestartPolicy::No);
    let log: Vec<(String, String)> =
        log_options(upkeep.log).map(|(key, value)| (key.to_owned(), value)).collect();
    parsed([
        ("restart", restart.map(|policy| Expression::text(policy.to_string()))),
        ("log_opts", pairs(log.iter().map(|(key, value)| (key, value)))),
        ("health", health(&upkeep.health)),
    ])
}

fn health(check: &HealthCheck) -> Option<Expression> {
    if check.is_none() {
        return Some(Expression::Flag(false));
    }
    let test = match check.test.as_slice() {
        [] => None,
        [kind, line] if kind == "CMD-SHELL" => Some(Expression::text(line.as_str())),
        [_, words @ ..] => Some(Expression::list(words)),
    };
    let time = |time: i64| {
        let time = u64::try_from(time).ok().filter(|time| *time > 0)?;
        Some(Expression::text(format_duration(Duration::from_nanos(time))))
    };
    let retries = Some(check.retries).filter(|retries| *retries != 0);
    let rest = parsed([
        ("interval", time(check.interval)),
        ("timeout", time(check.timeout)),
        ("retries", retries.map(Expression::Number)),
        ("start_period", time(check.start_period)),
        ("start_interval", time(check.start_interval)),
    ]);
    match (test, rest.is_empty()) {
        (None, true) => None,
        // Alone, this word would disable the health check.
        (Some(Expression::Text(line)), true) if line != "none" => Some(Expression::Text(line)),
        (test, _) => {
            Some(Expression::Options(parsed([("cmd", test)]).into_iter().chain(rest).collect()))
        }
    }
}
