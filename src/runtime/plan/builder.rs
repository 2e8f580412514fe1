//! The steps of a start and of an exec, in their order.

use std::collections::BTreeMap;

use oci_spec::runtime::{LinuxNamespaceType, Process, Spec};

use super::capability;
use super::inputs::{PlanInputs, StandardInput};
use super::limit::resource;
use super::namespaces;
use super::read::{missing, relative_to_root, text};
use super::root::root_steps;
use super::step::{Credentials, Plan, Step};
use crate::model::Result;
use crate::runtime::{oci, seccomp};

/// Returns the plan for `spec` with these inputs.
///
/// # Errors
/// [`Kind::Invalid`](crate::model::Kind::Invalid) for text with a NUL and
/// [`Kind::Unsupported`](crate::model::Kind::Unsupported) for what lifebox does not do.
pub fn plan(spec: &Spec, inputs: &PlanInputs) -> Result<Plan> {
    let mut steps = vec![Step::CloseInherited, Step::DieWithMonitor];
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    steps.push(Step::SetOomScore(text(&process.oom_score_adj().unwrap_or(0).to_string())?));
    steps.extend(lsm_steps(process)?);
    steps.push(Step::JoinCgroups);
    if namespaces::lists(linux, LinuxNamespaceType::Cgroup) {
        steps.push(Step::NewCgroupNamespace);
    }
    steps.extend([Step::ClearDumpable, Step::NewKeyring, Step::NewSession]);
    namespaces::steps(spec, linux, &mut steps)?;
    steps.push(Step::MakeMountsSlave);
    root_steps(spec, linux, inputs, &mut steps)?;
    // In a stable order.
    let sysctls: BTreeMap<_, _> = linux.sysctl().iter().flatten().collect();
    for (name, value) in sysctls {
        // The kernel takes only mapped groups: the range becomes all of them.
        if inputs.identity.in_user_namespace() && name == "net.ipv4.ping_group_range" {
            continue;
        }
        let path = text(&format!("proc/sys/{}", name.replace('.', "/")))?;
        // Ping without capabilities is a default of lifebox; a parameter of the user must not fail
        // silently.
        let optional = oci::DEFAULT_SYSCTLS.contains(&(name.as_str(), value.as_str()));
        steps.push(Step::WriteSysctl { path, value: text(value)?, optional });
    }
    steps.extend([Step::PivotRoot, Step::CloseHostFds]);
    if process.terminal().unwrap_or_default() {
        steps.push(Step::OpenTerminal { console: true });
    } else if !inputs.open_stdin {
        steps.push(Step::OpenNullInput);
    }
    if let Some(name) = spec.hostname() {
        steps.push(Step::SetHostname(text(name)?));
    }
    if let Some(name) = spec.domainname() {
        steps.push(Step::SetDomainname(text(name)?));
    }
    for path in linux.readonly_paths().iter().flatten() {
        steps.push(Step::MakeReadonly(relative_to_root(path)?));
    }
    for path in linux.masked_paths().iter().flatten() {
        steps.push(Step::Mask(relative_to_root(path)?));
    }
    // With the host's network an ordinary user sees the host's /sys, and all that is mounted there.
    if inputs.identity.in_user_namespace() && namespaces::shares_network(spec, linux)? {
        steps.push(Step::Mask(relative_to_root("/sys/kernel")?));
    }
    program_steps(spec, true, &mut steps)?;
    Ok(Plan { namespaces: namespaces::created(linux), steps })
}

/// Returns the plan for an exec: the process joins the namespaces of the container's first process.
/// `spec` is the container's, with the new process as its process.
///
/// # Errors
/// As [`plan`].
pub fn join(spec: &Spec, stdin: StandardInput) -> Result<Plan> {
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    let has_own_cgroups = namespaces::lists(linux, LinuxNamespaceType::Cgroup);
    let cgroup = if has_own_cgroups { libc::CLONE_NEWCGROUP } else { 0 };
    let mut steps = vec![
        Step::CloseInherited,
        Step::DieWithMonitor,
        Step::ClearDumpable,
        Step::SetOomScore(text(&process.oom_score_adj().unwrap_or(0).to_string())?),
    ];
    steps.extend(lsm_steps(process)?);
    steps.extend([
        Step::JoinCgroups,
        Step::NewKeyring,
        Step::NewSession,
        // The PID namespace was joined by the helper before the clone.
        Step::JoinNamespaces(
            libc::CLONE_NEWNS
                | libc::CLONE_NEWUTS
                | libc::CLONE_NEWIPC
                | libc::CLONE_NEWNET
                | cgroup,
        ),
        Step::CloseHostFds,
    ]);
    if process.terminal().unwrap_or_default() {
        steps.push(Step::OpenTerminal { console: false });
    } else if stdin == StandardInput::Null {
        steps.push(Step::OpenNullInput);
    }
    program_steps(spec, false, &mut steps)?;
    Ok(Plan { namespaces: 0, steps })
}

/// Adds the steps from the container's root to the program, which every process of a container
/// takes.
fn program_steps(spec: &Spec, is_first: bool, steps: &mut Vec<Step>) -> Result<()> {
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = resource(&name.trim_start_matches("RLIMIT_").to_lowercase())?;
        steps.push(Step::SetLimit { resource, soft: limit.soft(), hard: limit.hard() });
    }
    let cwd = process.cwd().to_string_lossy().into_owned();
    steps.extend([
        Step::ResetSignals,
        Step::ResetPersonality,
        Step::ResetSchedule,
        Step::SetUmask(process.user().umask().unwrap_or(0o022)),
        Step::SetCwd { path: text(&cwd)?, make: is_first },
    ]);
    // After the working directory, which may have to be created.
    if is_first && spec.root().as_ref().and_then(|root| root.readonly()).unwrap_or(false) {
        steps.push(Step::RemountRootReadonly);
    }
    steps.extend(privilege_steps(spec, process)?);
    steps.push(Step::Execute);
    Ok(())
}

/// Returns the steps that set the security labels. They write to the host's `/proc`, before the
/// container can substitute its own (ARCHITECTURE.md, D5), and take effect at execve(2).
fn lsm_steps(process: &Process) -> Result<Vec<Step>> {
    let profile = process.apparmor_profile().as_ref();
    let profile = profile.map(|name| text(&format!("exec {name}")).map(Step::SetApparmorProfile));
    let label =
        process.selinux_label().as_ref().map(|label| text(label).map(Step::SetSelinuxLabel));
    profile.into_iter().chain(label).collect()
}

/// Returns the steps that drop privileges, of the first process and of each exec.
fn privilege_steps(spec: &Spec, process: &Process) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let annotation =
        |name: &str| spec.annotations().as_ref().and_then(|all| all.get(name)).cloned();
    let user = annotation(oci::USER).unwrap_or_default();
    text(&user)?;
    let groups = annotation(oci::GROUPS).unwrap_or_else(|| "[]".to_owned());
    let groups = serde_json::from_str(&groups).map_err(|_| missing(oci::GROUPS))?;
    let sets = process.capabilities().as_ref();
    let bounding = capability::set(sets.and_then(|sets| sets.bounding().as_ref()));
    let ambient = capability::set(sets.and_then(|sets| sets.ambient().as_ref()));
    let become_user = Step::SetCredentials(Credentials { user, groups, bounding, ambient });
    let seccomp = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    let filter = seccomp.map(seccomp::compile).transpose()?.map(Step::LoadSeccomp);
    if process.no_new_privileges().unwrap_or(false) {
        // With no_new_privs an unprivileged process may load a filter, so the filter need not allow
        // earlier steps.
        steps.extend([Step::SetNoNewPrivs, become_user, Step::CloseDescriptors]);
        steps.extend(filter);
    } else {
        // Loading a filter needs CAP_SYS_ADMIN, which the change of user drops.
        steps.extend(filter);
        steps.extend([become_user, Step::CloseDescriptors]);
    }
    Ok(steps)
}
