//! A mount as it is written: with the flag that it was asked for by.

use super::mount::{Given, Mount, MountKind};

/// The flag of a mount, which is also its option in scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `--volume`
    Volume,
    /// `--mount`
    Mount,
    /// `--tmpfs`
    Tmpfs,
}

impl Mount {
    /// The flag and its value; `None` where nobody asked for it but the image, or another
    /// container whose mounts are taken over.
    pub fn written(&self) -> Option<(Flag, String)> {
        match &self.given {
            Given::Volume(text) => Some((Flag::Volume, text.clone())),
            Given::Mount => Some((Flag::Mount, self.fields())),
            Given::Tmpfs(options) if options.is_empty() => Some((Flag::Tmpfs, self.target.clone())),
            Given::Tmpfs(options) => Some((Flag::Tmpfs, format!("{}:{options}", self.target))),
            Given::Image | Given::From => None,
        }
    }

    fn fields(&self) -> String {
        let mut text = format!("type={}", self.kind.as_str());
        // The engine's own name of a volume that has none is not the user's.
        if !self.anonymous && !self.source.is_empty() {
            text.push_str(&format!(",source={}", self.source));
        }
        text.push_str(&format!(",target={}", self.target));
        let flags = [
            (self.read_only, ",readonly"),
            (self.slave, ",bind-propagation=rslave"),
            (self.alone, ",bind-recursive=disabled"),
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
            assert_eq!(mount.written(), Some((Flag::Volume, text.to_owned())));
        }
        for text in ["/run", "/run:size=64m,mode=1777,exec"] {
            let mount = Mount::from_tmpfs(text).unwrap();
            assert_eq!(mount.written(), Some((Flag::Tmpfs, text.to_owned())));
        }
        for text in [
            "type=bind,src=/srv,dst=/data,ro,bind-propagation=slave,bind-nonrecursive",
            "type=volume,target=/db,volume-nocopy",
            "source=name,target=/db,readonly",
            "type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1777",
        ] {
            let mount = Mount::from_mount(text).unwrap();
            let (flag, written) = mount.written().unwrap();
            assert_eq!(flag, Flag::Mount);
            assert_eq!(Mount::from_mount(&written).unwrap(), mount, "{text}: {written}");
        }
    }
}
