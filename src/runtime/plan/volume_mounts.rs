//! The steps that mount volumes with a device, and images: before the sources of binds are opened,
//! because these are what the binds show.

use std::collections::BTreeMap;
use std::ffi::CString;

use oci_spec::runtime::Spec;

use super::inputs::PlanInputs;
use super::read::{missing, setting, text};
use super::stack::stacked;
use super::step::{Root, Step, VolumeMount};
use crate::model::container::mounts::DriverOptions;
use crate::model::container::mounts::driver_options::is_memory;
use crate::model::{Error, Kind, Result};
use crate::runtime::oci;
use crate::sys::mount::{Attributes, Setting, View};

/// Reads an annotation in JSON; the default where it is missing.
pub(super) fn annotation<T: serde::de::DeserializeOwned + Default>(
    spec: &Spec,
    key: &str,
) -> Result<T> {
    let text = spec.annotations().as_ref().and_then(|all| all.get(key));
    let Some(text) = text else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|_| missing(key))
}

/// Returns the steps that mount the devices of volumes, and those that mount images.
pub(super) fn steps(spec: &Spec, inputs: &PlanInputs) -> Result<Vec<Step>> {
    let devices: BTreeMap<String, DriverOptions> = annotation(spec, oci::VOLUME_DEVICES)?;
    let (mut shared, mut opened) = (0.., 0..);
    let mut steps = Vec::new();
    for (name, options) in &devices {
        let mut volume = volume(name, options)?;
        match (is_memory(options), volume.bind) {
            (true, _) => volume.shared = shared.next(),
            (false, None) => volume.opened = opened.next(),
            (false, Some(_)) => {}
        }
        steps.push(Step::MountVolume(volume));
    }
    let images: Vec<Vec<String>> = annotation(spec, oci::IMAGE_LAYERS)?;
    for (number, lower) in images.iter().enumerate().filter(|(_, lower)| !lower.is_empty()) {
        steps.push(Step::MountImage(image(number, lower, inputs)?));
    }
    Ok(steps)
}

/// Returns the mount of a volume's device, with the flags of mount(8) as Docker reads them.
fn volume(name: &str, options: &DriverOptions) -> Result<VolumeMount> {
    let option = |key: &str| options.get(key).map_or("", String::as_str);
    let failed = |why: &str| {
        Error::new(Kind::Invalid, format!("error while mounting volume '{name}': {why}"))
            .hint(format!("see its options: lifebox volume inspect {name}"))
    };
    if option("device").is_empty() {
        return Err(failed("missing device in volume options"));
    }
    let (mut attributes, mut settings, mut bind) = (Attributes::empty(), Vec::new(), None);
    for word in option("o").split(',').filter(|word| !word.is_empty()) {
        match word {
            "ro" => {
                attributes |= Attributes::MOUNT_ATTR_RDONLY;
                settings.push(flag(word)?);
            }
            "nosuid" => attributes |= Attributes::MOUNT_ATTR_NOSUID,
            "nodev" => attributes |= Attributes::MOUNT_ATTR_NODEV,
            "noexec" => attributes |= Attributes::MOUNT_ATTR_NOEXEC,
            "noatime" => attributes |= Attributes::MOUNT_ATTR_NOATIME,
            "nodiratime" => attributes |= Attributes::MOUNT_ATTR_NODIRATIME,
            "strictatime" => attributes |= Attributes::MOUNT_ATTR_STRICTATIME,
            "bind" => bind = bind.or(Some(false)),
            "rbind" => bind = Some(true),
            // The defaults of a mount; and the propagation, which ends at the container.
            "defaults" | "rw" | "suid" | "dev" | "exec" | "async" | "atime" | "diratime"
            | "relatime" | "norelatime" | "nostrictatime" | "nomand" | "private" | "rprivate"
            | "slave" | "rslave" | "shared" | "rshared" | "unbindable" | "runbindable" => {}
            other => settings.push(match other.split_once('=') {
                Some((key, value)) => setting(key, value)?,
                None => flag(other)?,
            }),
        }
    }
    let whole = bind.unwrap_or_default();
    Ok(VolumeMount {
        name: name.to_owned(),
        target: text(&format!("../../volumes/{name}/_data"))?,
        source: text(option("device"))?,
        fstype: text(option("type"))?,
        bind: bind.map(|_| View { whole, attributes, slave: false }),
        settings,
        attributes,
        shared: None,
        opened: None,
    })
}

fn flag(word: &str) -> Result<Setting> {
    Ok(Setting { key: text(word)?, value: None })
}

/// Returns the root of an image that is mounted.
fn image(number: usize, lower: &[String], inputs: &PlanInputs) -> Result<Root> {
    let target = format!("{}/{number}", oci::IMAGES);
    let attributes = Attributes::MOUNT_ATTR_NODEV | Attributes::MOUNT_ATTR_RDONLY;
    stacked(lower, &target, &[], attributes, inputs)
}

/// Returns the place beneath a source that the mount at a target shows.
pub(super) fn beneath(parts: &BTreeMap<String, String>, target: &str) -> Result<Option<CString>> {
    parts.get(target).map(|part| text(part)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<VolumeMount> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        volume("data", &pairs.collect())
    }

    #[test]
    fn options_become_flags_and_settings_as_docker_reads_them() {
        let bind = of(&[("type", "none"), ("device", "/srv"), ("o", "rbind,ro,rshared")]).unwrap();
        assert!(bind.bind.is_some_and(|view| view.whole));
        assert!(bind.attributes.contains(Attributes::MOUNT_ATTR_RDONLY));
        let nfs = [("type", "nfs"), ("device", ":/x"), ("o", "addr=10.0.0.1,rw,noatime,vers=4")];
        let nfs = of(&nfs).unwrap();
        let settings: Vec<_> = nfs.settings.iter().map(|one| one.key.to_str().unwrap()).collect();
        assert_eq!(settings, ["addr", "vers"]);
        assert!(nfs.bind.is_none() && nfs.attributes == Attributes::MOUNT_ATTR_NOATIME);
    }

    #[test]
    fn what_cannot_be_mounted_is_named_with_the_volume() {
        let error = of(&[("type", "tmpfs"), ("device", "")]).unwrap_err();
        let expected = "error while mounting volume 'data': missing device in volume options";
        assert_eq!(error.message(), expected);
    }
}
