//! Errors of starts: turns a report of init into words.

use rustix::io::Errno;

use crate::model::value::account::MAX_ID;
use crate::model::value::visible;
use crate::model::{Error, Kind};
use crate::runtime::plan::{BindSource, Credentials, MountStep, Plan, Step, VolumeMount};
use crate::runtime::protocol::Report;
use crate::sys::userns;

/// Explains a report, with Docker's exit code for it.
pub(crate) fn explain(plan: &Plan, report: Report, arguments: &[String]) -> Error {
    let number = usize::try_from(report.step).unwrap_or(usize::MAX);
    let Some(step) = plan.steps.get(number) else {
        return Error::from_errno("start the container", report.errno);
    };
    let errno = Errno::from_raw_os_error(report.errno);
    let program = arguments.first().map_or("", String::as_str);
    Some(step)
        .filter(|_| userns::in_user_namespace())
        .and_then(|step| explain_rootless(step, errno))
        .or_else(|| explain_label(step, errno))
        .or_else(|| explain_program(step, errno, program))
        .or_else(|| explain_mount(step, errno))
        .or_else(|| explain_root(step, errno))
        .or_else(|| explain_place(step, errno, joins(plan)))
        .unwrap_or_else(|| {
            let step = format!("step {} of {}: {step}", number + 1, plan.steps.len());
            Error::from_errno(step, report.errno).with_kind(Kind::System)
        })
}

/// Explains a failure that only an ordinary user meets.
fn explain_rootless(step: &Step, errno: Errno) -> Option<Error> {
    match (step, errno) {
        (Step::SetCredentials(step), Errno::INVAL | Errno::PERM) => {
            let identity = userns::identity();
            let ids: u64 = identity.gids.iter().map(|range| u64::from(range.count)).sum();
            Some(explain_unmapped(step, identity.groups_fixed || ids == 1).with_exit_code(126))
        }
        (Step::Mount(_), Errno::PERM) => {
            let hint = "a container around this one hides parts of /proc or /sys; start that one \
                        with --privileged, or with --security-opt systempaths=unconfined";
            Some(Error::from_errno(step.to_string(), errno.raw_os_error()).hint(hint))
        }
        _ => None,
    }
}

/// Explains that a user or group has no id in an ordinary user's namespace, where `single` says
/// that root is the only one.
fn explain_unmapped(step: &Credentials, single: bool) -> Error {
    let names = match written(step, true)[..] {
        [] => "the user of the image".to_owned(),
        ref names => format!("`{}`", names.join("`, `")),
    };
    if single {
        let message = format!(
            "cannot become {names}: this user has no subordinate ids, so containers have no user \
             and no group but 0"
        );
        return Error::new(Kind::Denied, message).hint(
            "leave out --user and --group-add, or add subordinate ids with the command of: \
             lifebox info",
        );
    }
    let message = format!("cannot become {names}: not one of this user's subordinate ids");
    Error::new(Kind::Denied, message)
        .hint("see the available ids, and the command for more: lifebox info")
}

/// Returns groups and user as they were written.
fn written(step: &Credentials, with_groups: bool) -> Vec<&str> {
    let groups = step.groups.iter().filter(|_| with_groups);
    groups.chain(Some(&step.user).filter(|user| !user.is_empty())).map(String::as_str).collect()
}

/// Explains why the overlay could not be mounted.
fn explain_root(step: &Step, errno: Errno) -> Option<Error> {
    let refusals = [Errno::INVAL, Errno::PERM, Errno::OPNOTSUPP, Errno::NODEV];
    let refused = matches!(step, Step::MountRoot(_)) && refusals.contains(&errno);
    refused.then(|| {
        Error::from_errno(step.to_string(), errno.raw_os_error()).hint(
            "create the container again with --storage-driver vfs, or choose a store on a local disk \
             with --root: overlay cannot write on network file systems or on another overlay",
        )
    })
}

/// Explains why a process could not be cloned into the container's cgroup.
pub(crate) fn explain_clone(error: Error) -> Error {
    // The kernel requires rights in the common ancestor cgroup (cgroups(7), "Delegation").
    if error.errno() != Some(libc::EACCES) || !userns::in_user_namespace() {
        return error;
    }
    Error::new(Kind::Denied, "cannot enter the container's cgroup from this session")
        .hint("run it in the session, or scope of systemd, that started the container")
}

/// Explains why the program could not be executed.
fn explain_program(step: &Step, errno: Errno, program: &str) -> Option<Error> {
    if !matches!(step, Step::Execute) {
        return None;
    }
    let error = match errno {
        Errno::NOENT | Errno::NOTDIR => {
            let what = if program.contains('/') {
                "no such file or directory"
            } else {
                "executable file not found in $PATH"
            };
            Error::new(Kind::NotFound, format!("`{program}`: {what}"))
                .hint("check that the image has it, and the interpreter in its first line")
                .with_exit_code(127)
        }
        Errno::ACCESS => Error::new(Kind::Denied, format!("`{program}`: permission denied"))
            .hint("name a file, and set its executable bit: chmod +x FILE")
            .with_exit_code(126),
        Errno::NOEXEC => Error::new(Kind::Invalid, format!("`{program}`: exec format error"))
            .hint("use a program for this processor, or begin the script with `#!/bin/sh`")
            .with_exit_code(126),
        _ => return None,
    };
    Some(error)
}

/// Explains why the user or the working directory could not be set. The exit codes are those of
/// Docker's `run` and `exec`.
fn explain_place(step: &Step, errno: Errno, joins: bool) -> Option<Error> {
    match step {
        Step::SetCredentials(step) => {
            let error = explain_account(step, errno)?;
            Some(error.with_exit_code(if joins { 126 } else { 125 }))
        }
        Step::SetCwd { path, .. } => {
            let path = path.to_string_lossy();
            let what = format!("enter the working directory `{path}`");
            let error = Error::from_errno(what, errno.raw_os_error());
            Some(error.with_exit_code(if joins { 126 } else { 127 }))
        }
        _ => None,
    }
}

/// Explains why a user or group is not known inside.
fn explain_account(step: &Credentials, errno: Errno) -> Option<Error> {
    let hint = format!("use a number from 0 to {MAX_ID}, or a name in /etc/passwd of the image");
    let (kind, file) = match errno {
        Errno::NOENT => ("user", "passwd"),
        Errno::SRCH => ("group", "group"),
        Errno::RANGE => {
            let names = written(step, true).join("`, `");
            let message = format!("`{names}`: uids and gids must be in range 0-{MAX_ID}");
            return Some(Error::new(Kind::Invalid, message).hint(hint));
        }
        _ => return None,
    };
    let of = written(step, kind == "group").join("`, `");
    let message = format!("unable to find {kind} of `{of}`: no matching entries in /etc/{file}");
    Some(Error::new(Kind::NotFound, message).hint(hint))
}

/// Whether the plan is that of an exec, which creates no namespaces.
fn joins(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step, Step::JoinNamespaces(_)))
}

/// Explains why a security module refuses a name, if the reason is known.
fn explain_label(step: &Step, errno: Errno) -> Option<Error> {
    match (step, errno) {
        (Step::SetApparmorProfile(order), Errno::NOENT) => {
            let order = order.to_string_lossy();
            let name = order.trim_start_matches("exec ");
            let message = format!("AppArmor profile `{name}` is not loaded");
            let hint = "load it as root: apparmor_parser -r FILE";
            Some(Error::new(Kind::NotFound, message).hint(hint))
        }
        (Step::SetSelinuxLabel(label), Errno::INVAL) => {
            let label = label.to_string_lossy();
            let message = format!("the SELinux policy does not define the label `{label}`");
            let hint = "choose a type of the policy: seinfo -t";
            Some(Error::new(Kind::Invalid, message).hint(hint))
        }
        _ => None,
    }
}

/// Explains why a mount of the user's failed, if the reason is known.
fn explain_mount(step: &Step, errno: Errno) -> Option<Error> {
    let target = match step {
        Step::MountVolume(volume) => return Some(explain_volume(volume, errno)),
        Step::OpenBindSource(source) if source.beneath.is_some() => {
            return explain_beneath(source, errno);
        }
        Step::OpenBindSource(source) if errno == Errno::NOENT => {
            let path = source.path.to_string_lossy();
            let message = format!("bind source path does not exist: {path}");
            let hint = "restore it on the host, then start the container again";
            return Some(Error::new(Kind::NotFound, message).hint(hint));
        }
        Step::AttachBind { target, .. } | Step::MountTmpfs(MountStep { target, .. }) => target,
        _ => return None,
    };
    let (why, hint) = match errno {
        Errno::NOTDIR => (
            "not a directory",
            "are you trying to mount a directory onto a file (or vice-versa)? check if the \
             specified host path exists and is the expected type",
        ),
        Errno::LOOP => ("too many links", "the image has links there that lead in a circle"),
        Errno::BUSY | Errno::XDEV => (
            "a link of the image leads to the root or to a file system of the kernel",
            "mount it at another place",
        ),
        _ => return None,
    };
    let message = format!("cannot mount on /{}: {why}", target.to_string_lossy());
    let error = Error::new(Kind::Refused, message).hint(hint);
    Some(if errno == Errno::NOTDIR { error.with_exit_code(127) } else { error })
}

/// Explains why the device of a volume could not be mounted, in Docker's words.
pub(in crate::runtime) fn explain_volume(volume: &VolumeMount, errno: Errno) -> Error {
    let (name, device) = (&volume.name, visible::short(&volume.source.to_string_lossy()));
    let what = format!(
        "error while mounting volume '{name}': failed to mount local volume: mount {device}"
    );
    let error = Error::from_errno(what, errno.raw_os_error()).with_kind(Kind::Refused);
    let hint = match errno {
        Errno::NOENT => "create the device on the host, then start the container again".to_owned(),
        Errno::STALE => {
            "a running container of this volume hides it: stop the containers first".to_owned()
        }
        Errno::PERM if userns::in_user_namespace() => {
            "an ordinary user can mount directories (o=bind) and tmpfs".to_owned()
        }
        _ => format!("see its options: lifebox volume inspect {name}"),
    };
    let error = error.hint(hint);
    if errno == Errno::NOENT { error.with_exit_code(127) } else { error }
}

/// Explains why a place in a volume or an image could not be opened, in Docker's words.
fn explain_beneath(source: &BindSource, errno: Errno) -> Option<Error> {
    let beneath = source.beneath.as_ref()?.to_string_lossy();
    let path = source.path.to_string_lossy();
    let whole = match path.strip_prefix("../../volumes/").and_then(|path| path.split_once('/')) {
        Some((name, _)) => format!("the volume `{name}`"),
        None => "the image".to_owned(),
    };
    let shown = visible::short(&beneath);
    match errno {
        Errno::XDEV => {
            let message = format!("path concatenation escapes the base directory: `{shown}`");
            Some(
                Error::new(Kind::Refused, message)
                    .hint(format!("a link there leads out of {whole}: mount another path")),
            )
        }
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => {
            let what = format!("cannot access path `{shown}` in {whole}");
            Some(
                Error::from_errno(what, errno.raw_os_error())
                    .hint("create it first: no subpath is created")
                    .with_exit_code(127),
            )
        }
        _ => None,
    }
}
