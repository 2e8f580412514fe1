//! The owner of a store: only that user may open it.
//!
//! Root and ordinary users mark hidden files differently, their monitors are in different
//! namespaces, and what one creates the other cannot remove. So no verb opens the store of another
//! user, a reader no more than a writer.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::user;
use crate::model::{Error, Kind, Result};

/// What a store has from its first use on; the first is in nearly all.
const MARKS: [&str; 6] =
    ["images/oci-layout", "containers", "volumes", "names", "namespace", "events.jsonl"];

/// Refuses the store of another user. A directory that is not a store yet has no owner.
///
/// # Errors
/// [`Kind::Denied`], naming the owner.
pub fn check(root: &Path) -> Result<()> {
    let own = rustix::process::geteuid().as_raw();
    match owner(root, own) {
        Some(owner) if owner != own => Err(of_other(root, owner)),
        _ => Ok(()),
    }
}

/// Returns the owner of a store; `None` of what is not one.
fn owner(root: &Path, own: u32) -> Option<u32> {
    for mark in MARKS {
        match fs::metadata(root.join(mark)) {
            Ok(found) => return Some(found.uid()),
            // The owner of a directory that only its owner may enter.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let found = fs::metadata(root).ok()?.uid();
                return Some(found).filter(|found| *found != own);
            }
            Err(_) => {}
        }
    }
    None
}

fn of_other(root: &Path, owner: u32) -> Error {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = user::name_of(owner, &passwd);
    let of_whom = name.as_ref().map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let message = format!("the store `{}` belongs to user {owner}{of_whom}", root.display());
    let who = match owner {
        0 => String::new(),
        _ => format!(" -u {}", name.unwrap_or_else(|| format!("'#{owner}'"))),
    };
    Error::new(Kind::Denied, message).hint(format!(
        "run lifebox as that user: sudo{who} lifebox ...; or choose another store with --root or \
         LIFEBOX_ROOT"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_belongs_to_who_has_made_what_is_in_it() {
        let place = tempfile::tempdir().unwrap();
        let own = fs::metadata(place.path()).unwrap().uid();
        assert_eq!(owner(place.path(), own), None);
        check(place.path()).unwrap();
        check(&place.path().join("missing")).unwrap();
        fs::create_dir(place.path().join("volumes")).unwrap();
        assert_eq!(owner(place.path(), own), Some(own));
        check(place.path()).unwrap();
    }

    #[test]
    fn the_error_names_the_owner_and_the_way_to_be_that_user() {
        let error = of_other(Path::new("/srv/store"), 0);
        assert_eq!(error.message(), "the store `/srv/store` belongs to user 0 (`root`)");
        assert!(error.hint_text().unwrap().contains("sudo lifebox ..."), "{error:?}");
        let error = of_other(Path::new("/srv/store"), 4_000_000_000);
        assert_eq!(error.message(), "the store `/srv/store` belongs to user 4000000000");
        assert!(error.hint_text().unwrap().contains("sudo -u '#4000000000' lifebox"), "{error:?}");
    }
}
