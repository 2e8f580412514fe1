//! The tables of `system df`, with Docker's columns.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{images, ps, volumes};
use crate::model::container::Container;
use crate::model::image::Image;
#[cfg(test)]
use crate::model::image::usage::VolumeUsage;
use crate::model::image::usage::{ImageUsage, Pruned, Usage};
use crate::model::observe::volume::VolumeUse;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::units::{human_bytes, human_size};
use crate::ui::format::columns::align;

/// The images and containers, with their sizes.
#[derive(Clone, Debug)]
pub struct UsageInput {
    /// All images.
    pub images: Vec<Image>,
    /// All containers.
    pub containers: Vec<Container>,
    /// The volumes, for [`details_fields`](Self::details_fields).
    pub volumes: Vec<VolumeUse>,
    /// The sizes.
    pub usage: Usage,
    /// What `builder prune -a` would remove.
    pub builds: Pruned,
}

/// A row of the summary.
struct Line {
    kind: &'static str,
    total: usize,
    active: usize,
    size: u64,
    reclaimable: u64,
}

impl UsageInput {
    fn lines(&self) -> [Line; 4] {
        let usage = &self.usage;
        let live = |container: &&Container| container.state.status.is_live();
        let sizes = self.container_sizes();
        let size_of =
            |container: &Container| sizes.get(&container.spec.id).copied().unwrap_or_default();
        let size: u64 = self.containers.iter().map(size_of).sum();
        let unused = usage.volumes.iter().filter(|volume| volume.links == 0);
        let in_use: u64 = self.containers.iter().filter(live).map(size_of).sum();
        [
            Line {
                kind: "Images",
                total: usage.images.len(),
                active: usage.images.iter().filter(|image| image.containers > 0).count(),
                size: usage.image_bytes,
                reclaimable: usage.reclaimable,
            },
            Line {
                kind: "Containers",
                total: self.containers.len(),
                active: self.containers.iter().filter(live).count(),
                size,
                reclaimable: size - in_use,
            },
            Line {
                kind: "Local Volumes",
                total: usage.volumes.len(),
                active: usage.volumes.iter().filter(|volume| volume.links > 0).count(),
                size: usage.volumes.iter().map(|volume| volume.size).sum(),
                reclaimable: unused.map(|volume| volume.size).sum(),
            },
            Line {
                kind: "Build Cache",
                total: self.builds.removed.len(),
                active: 0,
                size: self.builds.bytes,
                reclaimable: self.builds.bytes,
            },
        ]
    }

    fn container_sizes(&self) -> HashMap<&ContainerId, u64> {
        self.usage.containers.iter().map(|one| (&one.id, one.size)).collect()
    }

    /// Returns the rows of the summary as fields; all values are text, as Docker's.
    pub fn fields(&self) -> Vec<Value> {
        let fields = |line: &Line| {
            json!({
                "Active": line.active.to_string(),
                "Reclaimable": line.reclaimable(),
                "Size": human_bytes(line.size),
                "TotalCount": line.total.to_string(),
                "Type": line.kind,
            })
        };
        self.lines().iter().map(fields).collect()
    }

    /// Returns all of `system df -v` as one value, with Docker's keys.
    pub fn details_fields(&self, now: Timestamp) -> Value {
        let of_images: HashMap<&Digest, &ImageUsage> =
            self.usage.images.iter().map(|usage| (&usage.id, usage)).collect();
        let image = |row: &images::Row<'_>| {
            let mut fields = images::fields(row, now, &TimeZone::UTC, true);
            if let Some(usage) = of_images.get(&row.image().id) {
                fields["Containers"] = usage.containers.to_string().into();
                fields["SharedSize"] = human_bytes(usage.shared).into();
                fields["UniqueSize"] = human_bytes(usage.unique()).into();
            }
            fields
        };
        let of_containers = self.container_sizes();
        let container = |one: &Container| {
            let mut fields = ps::fields(one, None, now, &TimeZone::UTC, true);
            let size = of_containers.get(&one.spec.id).copied().unwrap_or_default();
            fields["Size"] = human_bytes(size).into();
            fields
        };
        let of_volumes: HashMap<&str, u64> =
            self.usage.volumes.iter().map(|one| (one.name.as_str(), one.size)).collect();
        let volume = |one: &VolumeUse| {
            let mut fields = volumes::fields(one);
            fields["Links"] = one.users.len().to_string().into();
            fields["Size"] = human_bytes(*of_volumes.get(one.volume.name.as_str())?).into();
            Some(fields)
        };
        json!({
            "BuildCache": [],
            "Containers": self.containers.iter().map(container).collect::<Vec<_>>(),
            "Images": images::rows(&self.images, false).iter().map(image).collect::<Vec<_>>(),
            "Volumes": self.volumes.iter().filter_map(volume).collect::<Vec<_>>(),
        })
    }

    /// Formats the table of `system df`.
    pub fn summary(&self) -> String {
        let mut text = String::from("TYPE\tTOTAL\tACTIVE\tSIZE\tRECLAIMABLE\n");
        for line in self.lines() {
            let (total, active) = (line.total.to_string(), line.active.to_string());
            let cells = [line.kind, &total, &active, &human_bytes(line.size), &line.reclaimable()];
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        align(&text)
    }

    /// Formats the tables of `system df -v`.
    pub fn details(&self, now: Timestamp) -> String {
        let mut text = String::from(
            "REPOSITORY\tTAG\tIMAGE ID\tCREATED\tSIZE\tSHARED SIZE\tUNIQUE SIZE\tCONTAINERS\n",
        );
        let of_images: HashMap<&Digest, &ImageUsage> =
            self.usage.images.iter().map(|usage| (&usage.id, usage)).collect();
        let of_containers = self.container_sizes();
        for row in images::rows(&self.images, false) {
            let fields = images::fields(&row, now, &TimeZone::UTC, false);
            let usage = of_images.get(&row.image().id).copied();
            for key in ["Repository", "Tag", "ID", "CreatedSince"] {
                text.push_str(fields[key].as_str().unwrap_or_default());
                text.push('\t');
            }
            text.push_str(&usage.map(sizes).unwrap_or_default());
            text.push('\n');
        }
        let mut containers = String::from(
            "CONTAINER ID\tIMAGE\tCOMMAND\tLOCAL VOLUMES\tSIZE\tCREATED\tSTATUS\tNAMES\n",
        );
        for container in &self.containers {
            let fields = ps::fields(container, None, now, &TimeZone::UTC, false);
            let size = of_containers.get(&container.spec.id).copied().unwrap_or_default();
            let size = human_bytes(size);
            let cell = |key: &str| fields[key].as_str().unwrap_or_default().to_owned();
            let cells = ["ID", "Image", "Command", "LocalVolumes"].map(cell);
            let rest = ["RunningFor", "Status", "Names"].map(cell);
            containers.push_str(&format!("{}\t{size}\t{}\n", cells.join("\t"), rest.join("\t")));
        }
        let mut of_volumes = String::from("VOLUME NAME\tLINKS\tSIZE\n");
        for volume in &self.usage.volumes {
            let size = human_bytes(volume.size);
            of_volumes.push_str(&format!("{}\t{}\t{size}\n", volume.name, volume.links));
        }
        format!(
            "Images space usage:\n\n{}\nContainers space usage:\n\n{}\n\
             Local Volumes space usage:\n\n{}",
            align(&text),
            align(&containers),
            align(&of_volumes)
        )
    }
}

fn sizes(usage: &ImageUsage) -> String {
    let size = human_size(usage.size);
    let [shared, unique] = [usage.shared, usage.unique()].map(human_bytes);
    format!("{size}\t{shared}\t{unique}\t{}", usage.containers)
}

impl Line {
    /// Formats the reclaimable size with its share of the total.
    fn reclaimable(&self) -> String {
        let text = human_bytes(self.reclaimable);
        match (self.reclaimable.saturating_mul(100)).checked_div(self.size) {
            Some(percent) => format!("{text} ({percent}%)"),
            None => text,
        }
    }
}

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Active": "ACTIVE", "Reclaimable": "RECLAIMABLE", "Size": "SIZE", "TotalCount": "TOTAL",
        "Type": "TYPE",
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_summary_says_what_can_be_given_back() {
        let usage = |seed: u8, containers| ImageUsage {
            id: Digest::from_bytes(&[seed; 32]),
            size: 1_500_000,
            shared: 500,
            containers,
        };
        let inventory = UsageInput {
            images: Vec::new(),
            containers: Vec::new(),
            volumes: Vec::new(),
            usage: Usage {
                images: vec![usage(1, 1), usage(2, 0)],
                image_bytes: 3_000_000,
                reclaimable: 1_499_500,
                containers: Vec::new(),
                volumes: [("data", 1, 1000), ("old", 0, 500)]
                    .map(|(name, links, size)| VolumeUsage { name: name.into(), links, size })
                    .into(),
            },
            builds: Pruned { images: 1, bytes: 700, ..Pruned::default() },
        };
        expect![[r"
            TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
            Images          2         1         3MB       1.5MB (49%)
            Containers      0         0         0B        0B
            Local Volumes   2         1         1.5kB     500B (33%)
            Build Cache     0         0         700B      700B (100%)
        "]]
        .assert_eq(&inventory.summary());
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&inventory.fields()[0]), keys(&headings()));
        assert_eq!(sizes(&usage(1, 3)), "1.5MB\t500B\t1.5MB\t3");
    }
}
