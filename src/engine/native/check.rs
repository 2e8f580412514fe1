//! The check of the whole store: of the images, and of what containers need of them.

use super::backend::Native;
use crate::engine::backend::CancelToken;
use crate::model::Result;
use crate::model::observe::check_report::{Finding, Problem, Report, Resolution};

impl Native {
    pub(crate) fn check_all(&self, repair: bool, cancel: &CancelToken) -> Result<Report> {
        let store = self.store()?;
        let hold = |still: bool| if still { self.lock_in_use() } else { self.list_in_use() };
        let mut report = store.check(repair, &hold, &|| cancel.check())?;
        for user in self.users()? {
            let missing = user.layers.iter().find(|layer| !store.layer_dir(layer).is_dir());
            if let Some(layer) = missing {
                let why = "remove it with `rm -f`, or bring its image in again".to_owned();
                report.findings.push(Finding {
                    problem: Problem::Damage,
                    what: format!(
                        "a container needs the layer `{}`, which is missing",
                        layer.short()
                    ),
                    image: None,
                    containers: vec![user.container],
                    resolution: if repair {
                        Resolution::Unrepaired(why)
                    } else {
                        Resolution::Found
                    },
                });
            }
        }
        for what in self.runtime.orphans(repair)? {
            report.findings.push(Finding {
                problem: Problem::Leftover,
                what,
                image: None,
                containers: Vec::new(),
                resolution: if repair { Resolution::Removed } else { Resolution::Found },
            });
        }
        Ok(report)
    }
}
