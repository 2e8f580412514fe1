//! The check of the whole store: of the images, and of what containers need of them.

use super::backend::Native;
use crate::engine::backend::Cancel;
use crate::model::Result;
use crate::model::observe::check_report::{Fate, Finding, Report, Trouble};

impl Native {
    pub(crate) fn check_all(&self, repair: bool, cancel: &Cancel) -> Result<Report> {
        let store = self.store()?;
        let hold = |still: bool| if still { self.hold_still() } else { self.look_on() };
        let mut report = store.check(repair, &hold, &|| cancel.check())?;
        for user in self.users()? {
            let missing = user.layers.iter().find(|layer| !store.layer_dir(layer).is_dir());
            if let Some(layer) = missing {
                let why = "remove it with `rm -f`, or bring its image in again".to_owned();
                report.findings.push(Finding {
                    trouble: Trouble::Damage,
                    what: format!(
                        "a container needs the layer `{}`, which is missing",
                        layer.short()
                    ),
                    image: None,
                    containers: vec![user.container],
                    fate: if repair { Fate::Left(why) } else { Fate::Found },
                });
            }
        }
        for what in self.runtime.leftovers(repair)? {
            report.findings.push(Finding {
                trouble: Trouble::Leftover,
                what,
                image: None,
                containers: Vec::new(),
                fate: if repair { Fate::Removed } else { Fate::Found },
            });
        }
        Ok(report)
    }
}
