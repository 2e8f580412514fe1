//! Contradictions between the options of one mount, such as `ro,rw`.

use crate::model::value::units::parse_bool;
use crate::model::{Error, Kind, Result};

/// The options of a mount so far: what each decides, how, and how it was written.
#[derive(Debug, Default)]
pub(super) struct Decisions<'a>(Vec<(&'static str, String, &'a str)>);

impl<'a> Decisions<'a> {
    /// Records that the option `written` decides `question` in the way `answer`. The same answer
    /// may come twice.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if another option has decided otherwise; names both.
    pub(super) fn record(
        &mut self,
        question: &'static str,
        answer: &str,
        written: &'a str,
    ) -> Result<()> {
        let earlier = self.0.iter().find(|(known, ..)| *known == question);
        if let Some((_, _, earlier)) = earlier.filter(|(_, known, _)| known != answer) {
            let shown =
                |text: &str| text.chars().take(80).collect::<String>().escape_debug().to_string();
            let message = format!(
                "contradictory mount options: `{}` and `{}`",
                shown(earlier),
                shown(written)
            );
            return Err(Error::new(Kind::Invalid, message).hint("leave out one of the two"));
        }
        self.0.push((question, answer.to_owned(), written));
        Ok(())
    }

    /// Records an option without a value, as `-v`, `--tmpfs` and `--volumes-from` take them.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a contradiction.
    pub(super) fn record_word(&mut self, word: &'a str) -> Result<()> {
        match question(word) {
            Some(question) => self.record(question, word, word),
            None => Ok(()),
        }
    }
}

/// Returns what an option without a value decides, together with its opposites.
fn question(word: &str) -> Option<&'static str> {
    Some(match word {
        "ro" | "rw" => "access",
        "suid" | "nosuid" => "suid",
        "dev" | "nodev" => "dev",
        "exec" | "noexec" => "exec",
        "bind" | "rbind" => "recursion",
        "private" | "rprivate" | "slave" | "rslave" | "shared" | "rshared" => "propagation",
        "z" | "Z" => "label",
        "consistent" | "cached" | "delegated" => "consistency",
        _ => return None,
    })
}

/// Returns what a field of `--mount` or a setting of tmpfs decides, and how: two names of one
/// field decide the same.
pub(super) fn decision(key: &str, value: Option<&str>) -> Option<(&'static str, String)> {
    let written = value.unwrap_or_default();
    let flag = |yes, no| match value.and_then(parse_bool) {
        Some(false) => no,
        _ => yes,
    };
    let (question, answer) = match key {
        "type" => ("type", written),
        "source" | "src" => ("source", written),
        "target" | "dst" | "destination" => ("target", written),
        "readonly" | "ro" => ("access", flag("ro", "rw")),
        "bind-propagation" => ("propagation", written),
        "bind-nonrecursive" => ("recursion", flag("bind", "rbind")),
        "bind-recursive" => ("recursion", if written == "disabled" { "bind" } else { "rbind" }),
        "volume-nocopy" => ("copy", flag("no", "yes")),
        "volume-driver" => ("driver", written),
        "volume-subpath" | "image-subpath" => ("subpath", written),
        // Both limit the memory.
        "tmpfs-size" | "size" | "nr_blocks" => ("size", written),
        "tmpfs-mode" | "mode" => ("mode", written),
        "uid" => ("uid", written),
        "gid" => ("gid", written),
        "nr_inodes" => ("inodes", written),
        "consistency" => ("consistency", written),
        _ => return None,
    };
    Some((question, answer.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::model::container::mounts::{Mount, volumes_from};
    use crate::model::{Error, Kind};

    fn names_both(error: &Error, one: &str, other: &str) {
        assert_eq!(error.kind(), Kind::Invalid);
        for written in [one, other] {
            assert!(error.message().contains(&format!("`{written}`")), "{}", error.message());
        }
    }

    #[test]
    fn options_of_v_and_tmpfs_that_contradict_are_refused_by_name() {
        for (one, other) in [
            ("ro", "rw"),
            ("rw", "ro"),
            ("suid", "nosuid"),
            ("exec", "noexec"),
            ("bind", "rbind"),
            ("rprivate", "rslave"),
            ("z", "Z"),
            ("cached", "delegated"),
        ] {
            let error = Mount::from_volume(&format!("/srv:/x:{one},nodev,{other}")).unwrap_err();
            names_both(&error, one, other);
        }
        for (one, other) in [
            ("ro", "rw"),
            ("exec", "noexec"),
            ("nosuid", "suid"),
            ("size=1m", "size=2m"),
            ("mode=700", "mode=755"),
            ("uid=1", "uid=2"),
            ("size=1m", "nr_blocks=5"),
        ] {
            let error = Mount::from_tmpfs(&format!("/x:{one},nodev,{other}")).unwrap_err();
            names_both(&error, one, other);
        }
        names_both(&volumes_from("web:ro,rw").unwrap_err(), "ro", "rw");
    }

    #[test]
    fn fields_of_mount_that_contradict_are_refused_by_name() {
        for (kind, one, other) in [
            ("bind", "readonly=true", "readonly=false"),
            ("bind", "ro", "readonly=0"),
            ("bind", "source=/a", "src=/b"),
            ("bind", "dst=/y", "destination=/z"),
            ("bind", "type=volume", "type=tmpfs"),
            ("bind", "bind-propagation=rslave", "bind-propagation=rprivate"),
            ("bind", "bind-nonrecursive", "bind-recursive=enabled"),
            ("volume", "volume-nocopy", "volume-nocopy=false"),
            ("tmpfs", "tmpfs-size=1m", "tmpfs-size=2m"),
            ("tmpfs", "tmpfs-mode=700", "tmpfs-mode=755"),
        ] {
            let error = Mount::from_mount(&format!("{one},type={kind},{other}")).unwrap_err();
            assert!(error.message().starts_with("contradictory"), "{one}: {}", error.message());
            if !one.starts_with("type") {
                names_both(&error, one, other);
            }
        }
    }

    #[test]
    fn the_same_option_twice_is_no_contradiction() {
        assert!(Mount::from_volume("/srv:/x:ro,z,ro").unwrap().read_only);
        assert!(Mount::from_mount("type=tmpfs,dst=/x,ro,readonly=true,type=tmpfs").is_ok());
        assert!(Mount::from_tmpfs("/x:size=1m,size=1m,ro").is_ok());
    }
}
