//! The flag and value that a mount was written with.

use super::csv;
use super::mount::{Mount, MountKind, MountSpec};

/// The flag of a mount, which is also its option in scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountFlag {
    /// `--volume`
    Volume,
    /// `--mount`
    Mount,
    /// `--tmpfs`
    Tmpfs,
}

impl Mount {
    /// Returns the flag and its value; `None` for mounts of the image, and for those taken over
    /// from another container.
    pub fn to_flag(&self) -> Option<(MountFlag, String)> {
        match &self.spec {
            MountSpec::Volume(text) => Some((MountFlag::Volume, text.clone())),
            MountSpec::Mount => Some((MountFlag::Mount, self.fields())),
            MountSpec::Tmpfs(options) if options.is_empty() => {
                Some((MountFlag::Tmpfs, self.target.clone()))
            }
            MountSpec::Tmpfs(options) => {
                Some((MountFlag::Tmpfs, format!("{}:{options}", self.target)))
            }
            MountSpec::Image | MountSpec::From => None,
        }
    }

    fn fields(&self) -> String {
        let mut text = format!("type={}", self.kind.as_str());
        // The generated name of an anonymous volume is not the user's.
        let mut add = |field: String| text.push_str(&format!(",{}", csv::field(&field)));
        if !self.anonymous && !self.source.is_empty() {
            add(format!("source={}", self.source));
        }
        add(format!("target={}", self.target));
        if !self.subpath.is_empty() {
            add(format!("{}-subpath={}", self.kind.as_str(), self.subpath));
        }
        self.options.iter().for_each(|(key, value)| add(format!("volume-opt={key}={value}")));
        self.labels.iter().for_each(|(key, value)| add(format!("volume-label={key}={value}")));
        let flags = [
            (self.read_only && self.kind != MountKind::Image, ",readonly"),
            (self.slave, ",bind-propagation=rslave"),
            (self.nonrecursive, ",bind-recursive=disabled"),
            (self.nocopy && self.kind == MountKind::Volume, ",volume-nocopy"),
        ];
        text.extend(flags.iter().filter(|(set, _)| *set).map(|(_, field)| *field));
        for setting in &self.settings {
            text.push_str(&format!(",tmpfs-{setting}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["/data", "/srv:/data:ro,rslave", "name:/db:nocopy,suid"] {
            let mount = Mount::from_volume(text).unwrap();
            assert_eq!(mount.to_flag(), Some((MountFlag::Volume, text.to_owned())));
        }
        for text in ["/run", "/run:size=64m,mode=1777,exec"] {
            let mount = Mount::from_tmpfs(text).unwrap();
            assert_eq!(mount.to_flag(), Some((MountFlag::Tmpfs, text.to_owned())));
        }
        for text in [
            "type=bind,src=/srv,dst=/data,ro,bind-propagation=slave,bind-nonrecursive",
            "type=volume,target=/db,volume-nocopy",
            "source=name,target=/db,readonly",
            "type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1777",
            "source=vol,target=/d,\"volume-opt=o=bind,ro\",volume-opt=type=none,volume-opt=device=/d",
            "source=vol,target=/d,volume-label=a=b,volume-label=c,volume-subpath=a/b",
            "type=image,source=app:1,target=/i,image-subpath=etc",
        ] {
            let mount = Mount::from_mount(text).unwrap();
            let (flag, written) = mount.to_flag().unwrap();
            assert_eq!(flag, MountFlag::Mount);
            assert_eq!(Mount::from_mount(&written).unwrap(), mount, "{text}: {written}");
        }
    }
}
