//! The steps of a verb before it runs: the operations of client and monitor around init's plan.

use super::runtime::Runtime;
use crate::model::container::Container;
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::options::StopTimeout;
use crate::model::container::status;
use crate::model::container::status::{Action, Transition};
use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::Hierarchies;
use crate::runtime::spawn::prepare;
use crate::runtime::trace::operation::Operation;
use crate::sys::userns;

impl Runtime {
    /// Returns the steps by which `action` would be done to a container in its present state, in
    /// order.
    ///
    /// # Errors
    /// [`Kind::Refused`] if the state does not allow the action, [`Kind::Unsupported`] for an
    /// action that changes no container.
    pub fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        let container = self.inspect(id)?;
        let state = &container.state;
        let next = status::check(state.name.as_str(), state.status, action)?;
        let by_client = |operation: Operation| operation.describe(ProcessRole::Client);
        let mut steps = vec![by_client(Operation::TakeLock)];
        if next == Transition::Stays {
            return Ok(steps);
        }
        let live = state.status.is_live();
        let stop = |steps: &mut Vec<TraceStep>, signal: Option<Signal>| {
            steps.push(by_client(Operation::AskMonitor));
            steps.extend(stop_steps(&container, signal));
        };
        match action {
            Action::Start => steps.extend(self.plan_start(&container)?),
            Action::Restart => {
                if live {
                    stop(&mut steps, None);
                    steps.push(by_client(Operation::TakeLock));
                }
                steps.extend(self.plan_start(&container)?);
            }
            Action::Pause => steps.extend(
                [by_client(Operation::AskMonitor)]
                    .into_iter()
                    .chain(by_monitor([Operation::Freeze, Operation::WriteState])),
            ),
            Action::Unpause => steps.extend(
                [by_client(Operation::AskMonitor)]
                    .into_iter()
                    .chain(by_monitor([Operation::Thaw, Operation::WriteState])),
            ),
            Action::Stop => stop(&mut steps, None),
            Action::Kill => stop(&mut steps, Some(Signal::KILL)),
            Action::Rm => steps.push(by_client(Operation::RemoveFiles)),
            Action::RmForce => {
                if live {
                    stop(&mut steps, Some(Signal::KILL));
                    steps.push(by_client(Operation::TakeLock));
                }
                steps.push(by_client(Operation::RemoveFiles));
            }
            Action::Update
            | Action::Rename
            | Action::Logs
            | Action::Wait
            | Action::Inspect
            | Action::Exec
            | Action::Attach
            | Action::Top => return Err(no_plan(action)),
        }
        Ok(steps)
    }

    fn plan_start(&self, container: &Container) -> Result<Vec<TraceStep>> {
        let id = &container.spec.id;
        let parent = self.parent_of(id)?;
        let hierarchies = Hierarchies::of_host()?.delegated(parent.as_ref());
        let directory = self.containers.directory(id);
        let (plan, limits) =
            prepare::planned(&directory, (&hierarchies, parent.as_ref()), container)?;
        let mut steps = vec![
            Operation::StartMonitor.describe(ProcessRole::Client),
            Operation::AskMonitor.describe(ProcessRole::Client),
        ];
        steps.extend(by_monitor([Operation::MakeCgroup]));
        steps.extend(by_monitor([Operation::SetLimits]).filter(|_| limits));
        steps.extend(by_monitor([Operation::OpenLog]));
        let joins =
            matches!(container.spec.host_config.namespaces.pid, NamespaceMode::Container(_));
        steps.extend(by_monitor([Operation::JoinPidNamespace]).filter(|_| joins));
        steps.extend(by_monitor([Operation::Clone(plan.namespaces)]));
        steps.extend(plan.describe().into_iter().map(|step| for_container(container, step)));
        steps.extend(by_monitor([Operation::WaitForExec, Operation::WriteState]));
        Ok(steps)
    }
}

/// Chooses the key of a step whose reason depends on the container's namespaces and init.
fn for_container(container: &Container, mut step: TraceStep) -> TraceStep {
    let namespaces = &container.spec.host_config.namespaces;
    let key = match step.key.as_str() {
        "execute" if namespaces.init => "execute-init",
        "execute" if namespaces.pid.is_private() => "execute-first",
        "set-credentials-root" if userns::in_user_namespace() => "set-credentials-root-nested",
        other => other,
    };
    step.key = key.to_owned();
    step
}

fn by_monitor<const N: usize>(operations: [Operation; N]) -> impl Iterator<Item = TraceStep> {
    operations.into_iter().map(|operation| operation.describe(ProcessRole::Monitor))
}

/// Returns the steps that end a container: by `signal`, or as `stop` does.
fn stop_steps(container: &Container, signal: Option<Signal>) -> Vec<TraceStep> {
    let config = &container.spec.config;
    let mut operations =
        vec![Operation::SendSignal(signal.unwrap_or_else(|| config.stop_signal()))];
    if container.state.status == status::Status::Paused {
        operations.extend([Operation::Thaw, Operation::WriteState]);
    }
    if signal.is_none() {
        let grace: StopTimeout = config.stop_timeout.unwrap_or_default();
        operations.push(Operation::WaitForExit(grace));
    }
    operations.extend([Operation::Reap, Operation::RemoveCgroup, Operation::WriteState]);
    operations.into_iter().map(|operation| operation.describe(ProcessRole::Monitor)).collect()
}

fn no_plan(action: Action) -> Error {
    let message = format!("`{}` has no plan: it changes no container", action.verb());
    Error::new(Kind::Unsupported, message)
        .hint("choose start, pause, unpause, stop, kill, restart, rm or rm -f")
}
