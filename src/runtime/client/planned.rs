//! What a verb will do to a container, told beforehand: the acts of front and monitor around the
//! plan that init walks.

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
    /// The deeds by which `action` would be done to a container as it is now, in order.
    ///
    /// # Errors
    /// [`Kind::Refused`] where it is not legal now, [`Kind::Unsupported`] for an action that
    /// changes no container.
    pub fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        let container = self.inspect(id)?;
        let state = &container.state;
        let next = status::check(state.name.as_str(), state.status, action)?;
        let front = |act: Operation| act.describe(ProcessRole::Client);
        let mut deeds = vec![front(Operation::TakeLock)];
        if next == Transition::Stays {
            return Ok(deeds);
        }
        let live = state.status.is_live();
        let stop = |deeds: &mut Vec<TraceStep>, signal: Option<Signal>| {
            deeds.push(front(Operation::AskMonitor));
            deeds.extend(stop_steps(&container, signal));
        };
        match action {
            Action::Start => deeds.extend(self.plan_start(&container)?),
            Action::Restart => {
                if live {
                    stop(&mut deeds, None);
                    deeds.push(front(Operation::TakeLock));
                }
                deeds.extend(self.plan_start(&container)?);
            }
            Action::Pause => deeds.extend(
                [front(Operation::AskMonitor)]
                    .into_iter()
                    .chain(by_monitor([Operation::Freeze, Operation::WriteState])),
            ),
            Action::Unpause => deeds.extend(
                [front(Operation::AskMonitor)]
                    .into_iter()
                    .chain(by_monitor([Operation::Thaw, Operation::WriteState])),
            ),
            Action::Stop => stop(&mut deeds, None),
            Action::Kill => stop(&mut deeds, Some(Signal::KILL)),
            Action::Rm => deeds.push(front(Operation::RemoveFiles)),
            Action::RmForce => {
                if live {
                    stop(&mut deeds, Some(Signal::KILL));
                    deeds.push(front(Operation::TakeLock));
                }
                deeds.push(front(Operation::RemoveFiles));
            }
            _ => return Err(no_plan(action)),
        }
        Ok(deeds)
    }

    fn plan_start(&self, container: &Container) -> Result<Vec<TraceStep>> {
        let id = &container.spec.id;
        let hierarchies = Hierarchies::of_host()?.delegated(self.parent_of(id).as_ref());
        let directory = self.containers.directory(id);
        let (plan, limits) = prepare::planned(&directory, &hierarchies, &container.spec)?;
        let mut deeds = vec![
            Operation::StartMonitor.describe(ProcessRole::Client),
            Operation::AskMonitor.describe(ProcessRole::Client),
        ];
        deeds.extend(by_monitor([Operation::MakeCgroup]));
        deeds.extend(by_monitor([Operation::SetLimits]).filter(|_| limits));
        deeds.extend(by_monitor([Operation::OpenLog]));
        let joins = matches!(container.spec.host.namespaces.pid, NamespaceMode::Container(_));
        deeds.extend(by_monitor([Operation::JoinPidNamespace]).filter(|_| joins));
        deeds.extend(by_monitor([Operation::Clone(plan.namespaces)]));
        deeds.extend(plan.describe().into_iter().map(|deed| for_container(container, deed)));
        deeds.extend(by_monitor([Operation::WaitForExec, Operation::WriteState]));
        Ok(deeds)
    }
}

/// A step whose reason depends on what the container shares and runs.
fn for_container(container: &Container, mut deed: TraceStep) -> TraceStep {
    let sharing = &container.spec.host.namespaces;
    let key = match deed.key.as_str() {
        "execute" if sharing.init => "execute-init",
        "execute" if sharing.pid.is_private() => "execute-first",
        "set-credentials-root" if userns::in_user_namespace() => "set-credentials-root-nested",
        other => other,
    };
    deed.key = key.to_owned();
    deed
}

fn by_monitor<const N: usize>(acts: [Operation; N]) -> impl Iterator<Item = TraceStep> {
    acts.into_iter().map(|act| act.describe(ProcessRole::Monitor))
}

/// How a container is ended: by this signal, or as `stop` does.
fn stop_steps(container: &Container, signal: Option<Signal>) -> Vec<TraceStep> {
    let config = &container.spec.config;
    let mut acts =
        vec![Operation::SendSignal(signal.or(config.stop_signal).unwrap_or(Signal::TERM))];
    if container.state.status == status::Status::Paused {
        acts.extend([Operation::Thaw, Operation::WriteState]);
    }
    if signal.is_none() {
        let grace: StopTimeout = config.stop_timeout.unwrap_or_default();
        acts.push(Operation::WaitForExit(grace));
    }
    acts.extend([Operation::Reap, Operation::RemoveCgroup, Operation::WriteState]);
    acts.into_iter().map(|act| act.describe(ProcessRole::Monitor)).collect()
}

fn no_plan(action: Action) -> Error {
    let message = format!("`{}` has no plan: it changes no container", action.verb());
    Error::new(Kind::Unsupported, message)
        .hint("plans are for start, pause, unpause, stop, kill, restart, rm and rm -f")
}
