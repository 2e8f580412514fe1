//! The error of a request to a registry in a run that is not trusted.

use crate::model::value::reference::Reference;
use crate::model::{Error, Kind};

/// Returns the error of a request for `reference`.
pub(in crate::engine) fn closed(reference: &Reference) -> Error {
    Error::new(Kind::Denied, "access to registries is not allowed with --untrusted")
        .hint(format!("pull the image before: lifebox pull {}", reference.familiar()))
}
