//! Registries, within what the settings allow; and pulls of missing images.

use std::path::PathBuf;
use std::sync::Arc;

use super::handle::{HOST, Native};
use crate::engine::backend::{CancelToken, Images as _, Registries};
use crate::engine::rules::registries::closed;
use crate::image::{self, Connection, Keychain};
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::event::EventAction;
use crate::model::observe::progress::{Access, Event, Progress, PullOptions, Pulled, Pushed};
use crate::model::value::reference::Reference;
use crate::model::{Kind, Result};

impl Registries for Native {
    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        // An id is not pulled, and `host` is created.
        let requested =
            image::as_reference(reference).filter(|requested| requested.familiar() != HOST);
        let missing = match (&requested, pull) {
            (Some(requested), PullPolicy::Always) => {
                return self.pull(requested, options, progress, cancel).map(|pulled| pulled.image);
            }
            _ => match self.image(reference, pull) {
                Err(error) if error.kind() == Kind::NotFound => error,
                result => return result,
            },
        };
        let Some(requested) = requested.filter(|_| pull == PullPolicy::Missing) else {
            return Err(missing);
        };
        progress.report(&Event::Missing(requested.familiar()));
        self.pull(&requested, options, progress, cancel).map(|pulled| pulled.image).map_err(
            |error| {
                if error.kind() == Kind::Cancelled {
                    return error;
                }
                let local =
                    "list local images with `images`, or load an archive with `load -i FILE`";
                let hint = match error.hint_text() {
                    Some(hint) => format!("{hint}; {local}"),
                    None => local.to_owned(),
                };
                error.context(missing.message().to_owned()).hint(hint)
            },
        )
    }

    fn pull(
        &self,
        reference: &Reference,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pulled> {
        self.check_allowed(reference)?;
        let connection = self.connection(options.access);
        let platform = options.platform.as_ref();
        let pulled =
            self.store()?.pull(reference, platform, &connection, progress, &|| cancel.check());
        progress.report(&Event::End);
        let pulled = pulled?;
        self.emit_transfer(EventAction::Pull, reference, &pulled.image);
        Ok(pulled)
    }

    fn tags(
        &self,
        repository: &Reference,
        access: Access,
        cancel: &CancelToken,
    ) -> Result<Vec<Reference>> {
        self.check_allowed(repository)?;
        image::tags(repository, &self.connection(access), &|| cancel.check())
    }

    fn push(
        &self,
        image: &str,
        reference: &Reference,
        access: Access,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pushed> {
        self.check_allowed(reference)?;
        let (store, connection) = (self.store()?, self.connection(access));
        let pushed = store.push(image, reference, &connection, progress, &|| cancel.check());
        progress.report(&Event::End);
        let pushed = pushed?;
        if let Ok(image) = store.find(image) {
            self.emit_transfer(EventAction::Push, reference, &image);
        }
        Ok(pushed)
    }

    fn login(
        &self,
        registry: &str,
        user: &str,
        password: &str,
        access: Access,
        cancel: &CancelToken,
    ) -> Result<Option<PathBuf>> {
        let connection = self.connection(access);
        image::log_in(registry, user, password, &connection, &|| cancel.check())
    }

    fn logout(&self, registry: &str) -> Result<bool> {
        image::log_out(registry, &Keychain::of(self.settings.docker_config.as_deref()))
    }
}

impl Native {
    fn connection(&self, access: Access) -> Connection {
        Connection { access, keychain: Keychain::of(self.settings.docker_config.as_deref()) }
    }

    /// Checks that this engine may access the registry of a reference.
    fn check_allowed(&self, reference: &Reference) -> Result<()> {
        if self.settings.registries {
            return Ok(());
        }
        Err(closed(reference))
    }
}
