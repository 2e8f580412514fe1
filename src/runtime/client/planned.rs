//! What a verb will do to a container, told beforehand: the acts of front and monitor around the
//! plan that init walks.

use crate::model::container::Container;
use crate::model::container::namespaces::Mode;
use crate::model::container::options::Grace;
use crate::model::container::status;
use crate::model::container::status::{Action, Next};
use crate::model::script::trace::{Deed, Who};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::Runtime;
use crate::runtime::cgroup::Hierarchies;
use crate::runtime::spawn;
use crate::runtime::trace::operation::Act;
use crate::sys::userns;

impl Runtime {
    /// The deeds by which `action` would be done to a container as it is now, in order.
    ///
    /// # Errors
    /// [`Kind::Refused`] where it is not legal now, [`Kind::Unsupported`] for an action that
    /// changes no container.
    pub fn planned(&self, id: &ContainerId, action: Action) -> Result<Vec<Deed>> {
        let container = self.inspect(id)?;
        let state = &container.state;
        let next = status::check(state.name.as_str(), state.status, action)?;
        let front = |act: Act| act.told(Who::Front);
        let mut deeds = vec![front(Act::TakeLock)];
        if next == Next::Stays {
            return Ok(deeds);
        }
        let live = state.status.is_live();
        let stop = |deeds: &mut Vec<Deed>, signal: Option<Signal>| {
            deeds.push(front(Act::AskMonitor));
            deeds.extend(ending(&container, signal));
        };
        match action {
            Action::Start => deeds.extend(self.start_planned(&container)?),
            Action::Restart => {
                if live {
                    stop(&mut deeds, None);
                    deeds.push(front(Act::TakeLock));
                }
                deeds.extend(self.start_planned(&container)?);
            }
            Action::Pause => deeds.extend(
                [front(Act::AskMonitor)].into_iter().chain(by_monitor([Act::Freeze, Act::Record])),
            ),
            Action::Unpause => deeds.extend(
                [front(Act::AskMonitor)].into_iter().chain(by_monitor([Act::Thaw, Act::Record])),
            ),
            Action::Stop => stop(&mut deeds, None),
            Action::Kill => stop(&mut deeds, Some(Signal::KILL)),
            Action::Rm => deeds.push(front(Act::RemoveFiles)),
            Action::RmForce => {
                if live {
                    stop(&mut deeds, Some(Signal::KILL));
                    deeds.push(front(Act::TakeLock));
                }
                deeds.push(front(Act::RemoveFiles));
            }
            _ => return Err(no_plan(action)),
        }
        Ok(deeds)
    }

    fn start_planned(&self, container: &Container) -> Result<Vec<Deed>> {
        let id = &container.spec.id;
        let hierarchies = Hierarchies::of_host()?.delegated(self.parent_of(id).as_ref());
        let directory = self.catalogue.directory(id);
        let (plan, limits) = spawn::planned(&directory, &hierarchies, &container.spec)?;
        let mut deeds = vec![Act::StartMonitor.told(Who::Front), Act::AskMonitor.told(Who::Front)];
        deeds.extend(by_monitor([Act::MakeCgroup]));
        deeds.extend(by_monitor([Act::SetLimits]).filter(|_| limits));
        deeds.extend(by_monitor([Act::OpenLog]));
        let joins = matches!(container.spec.host.sharing.pid, Mode::Container(_));
        deeds.extend(by_monitor([Act::JoinProcesses]).filter(|_| joins));
        deeds.extend(by_monitor([Act::Clone(plan.namespaces)]));
        deeds.extend(plan.told().into_iter().map(|deed| of_container(container, deed)));
        deeds.extend(by_monitor([Act::AwaitExecution, Act::Record]));
        Ok(deeds)
    }
}

/// A step whose reason depends on what the container shares and runs.
fn of_container(container: &Container, mut deed: Deed) -> Deed {
    let sharing = &container.spec.host.sharing;
    let key = match deed.key.as_str() {
        "execute" if sharing.init => "execute-init",
        "execute" if sharing.pid.is_private() => "execute-first",
        "become-root" if userns::nested() => "become-root-nested",
        other => other,
    };
    deed.key = key.to_owned();
    deed
}

fn by_monitor<const N: usize>(acts: [Act; N]) -> impl Iterator<Item = Deed> {
    acts.into_iter().map(|act| act.told(Who::Monitor))
}

/// How a container is ended: by this signal, or as `stop` does.
fn ending(container: &Container, signal: Option<Signal>) -> Vec<Deed> {
    let config = &container.spec.config;
    let mut acts = vec![Act::SendSignal(signal.or(config.stop_signal).unwrap_or(Signal::TERM))];
    if container.state.status == status::Status::Paused {
        acts.extend([Act::Thaw, Act::Record]);
    }
    if signal.is_none() {
        let grace: Grace = config.stop_timeout.unwrap_or_default();
        acts.push(Act::AwaitEnd(grace));
    }
    acts.extend([Act::Reap, Act::RemoveCgroup, Act::Record]);
    acts.into_iter().map(|act| act.told(Who::Monitor)).collect()
}

fn no_plan(action: Action) -> Error {
    let message = format!("`{}` has no plan: it changes no container", action.verb());
    Error::new(Kind::Unsupported, message)
        .hint("plans are for start, pause, unpause, stop, kill, restart, rm and rm -f")
}
