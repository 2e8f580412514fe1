//! What a container may do: capabilities, system calls, privileges, a read-only root, devices.

use super::assign::{extend, set};
use super::row::CreateOption as Row;
use super::row::Trust::{Any, Denied, DeniedIf};
use super::{read, write};
use crate::model::Result;
use crate::model::value::capability;
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType as T;

/// Writes capabilities without `CAP_`, as users do.
fn bare(names: &[String]) -> Option<Expression> {
    let bare = |name: &String| name.strip_prefix("CAP_").unwrap_or(name).to_owned();
    write::texts(&names.iter().map(bare).collect::<Vec<_>>())
}

fn capabilities(list: &mut Vec<String>, value: &Expression) -> Result<()> {
    list.extend(read::texts(value)?);
    *list = capability::canonical_all(list)?;
    Ok(())
}

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "cap_add",
        T::StringList,
        Denied,
        "Add Linux capabilities, such as NET_ADMIN, or ALL",
        |o| bare(&o.security.cap_add),
        |o, v| capabilities(&mut o.security.cap_add, v),
    )
    .flag("cap-add", "NAME"),
    Row::new(
        "cap_drop",
        T::StringList,
        Any,
        "Drop Linux capabilities",
        |o| bare(&o.security.cap_drop),
        |o, v| capabilities(&mut o.security.cap_drop, v),
    )
    .flag("cap-drop", "NAME"),
    Row::new(
        "privileged",
        T::Flag,
        Denied,
        "Give extended privileges to this container",
        |o| write::flag(o.security.privileged),
        |o, v| set(&mut o.security.privileged, read::flag(v)),
    )
    .switch("privileged"),
    Row::new(
        "read_only",
        T::Flag,
        Any,
        "Mount the container's root filesystem as read only",
        |o| write::flag(o.security.read_only),
        |o, v| set(&mut o.security.read_only, read::flag(v)),
    )
    .switch("read-only"),
    Row::new(
        "security",
        T::StringList,
        DeniedIf(|o| o.security.options.iter().any(|option| option != "no-new-privileges")),
        "Security options: no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, \
         apparmor=PROFILE, label=PART:VALUE",
        |o| write::texts(&o.security.options),
        |o, v| read::texts(v)?.iter().try_for_each(|option| o.security.set(option)),
    )
    .flag("security-opt", "OPTION")
    .building(),
    Row::new(
        "devices",
        T::StringList,
        Denied,
        "Add a host device to the container",
        |o| write::texts(&o.security.devices),
        |o, v| {
            for text in read::texts(v)? {
                o.security.devices.push(text.parse()?);
            }
            Ok(())
        },
    )
    .flag("device", "HOST[:INSIDE[:rwm]]"),
    Row::new(
        "device_cgroup_rules",
        T::StringList,
        Denied,
        "Add a rule to the cgroup allowed devices list",
        |o| write::texts(&o.security.device_rules),
        |o, v| {
            for text in read::texts(v)? {
                o.security.device_rules.push(text.parse()?);
            }
            Ok(())
        },
    )
    .flag("device-cgroup-rule", "RULE"),
    Row::new(
        "group_add",
        T::StringList,
        Any,
        "Add additional groups to join",
        |o| write::texts(&o.security.groups),
        |o, v| extend(&mut o.security.groups, read::texts_or_numbers(v)),
    )
    .flag("group-add", "GROUP"),
];
