//! The tags of a repository: `tags/list`, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use ureq::http::Method;

use super::client::Registry;
use super::connection::Connection;
use super::exchange::RegistryRequest;
use super::response::header;
use super::rights;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::store::document;
use crate::image::tar::error::corrupt;
use crate::model::observe::progress::NoProgress;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

/// The longest page, in bytes.
const MAX_PAGE: u64 = 4 << 20;
/// The most pages.
const MAX_PAGES: usize = 200;
/// The most tags of a repository.
const MAX_TAGS: usize = 10_000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Returns all tags of the repository in its registry, each a reference, in the registry's order.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Denied`], [`Kind::Network`] or [`Kind::Corrupt`], naming the
/// registry and the repository.
pub fn tags(
    repository: &Reference,
    connection: &Connection,
    check: CancelCheck<'_>,
) -> Result<Vec<Reference>> {
    let (domain, path) = (repository.domain(), repository.path().to_owned());
    let listed = connection
        .open(domain, &path, &(Arc::new(NoProgress) as _), check)
        .and_then(|registry| registry.run_cancellable(check, move |registry| registry.tags(&path)));
    let tags = listed.map_err(|error| match error.kind() {
        Kind::Cancelled => error,
        _ => error.context(format!("cannot list the tags of `{}`", repository.repository())),
    })?;
    tags.into_iter()
        .map(|tag| {
            let whole = format!("{domain}/{}:{tag}", repository.path());
            let parsed = whole.parse::<Reference>();
            parsed.map_err(|error| error.context(format!("`{domain}` lists a tag that is none")))
        })
        .collect()
}

impl Registry {
    fn tags(&self, repository: &str) -> Result<Vec<String>> {
        let scope = rights::pull(repository);
        let mut url = self.url(&format!("{repository}/tags/list"))?;
        let (mut all, mut known) = (Vec::new(), BTreeSet::new());
        for _ in 0..MAX_PAGES {
            let request = RegistryRequest::new(Method::GET, url.clone(), &scope);
            let answer = self.request(&request.header("accept", "application/json"))?;
            if answer.status().as_u16() != 200 {
                return Err(self.refused(answer, repository));
            }
            let next = header(&answer, "link").and_then(|link| next(&link));
            let page: Page = document::parse(&self.body(answer, MAX_PAGE, "a list of tags")?)?;
            for tag in page.tags.unwrap_or_default() {
                if known.insert(tag.clone()) {
                    all.push(tag);
                }
            }
            if all.len() > MAX_TAGS {
                return Err(too_many(format_args!("more than {MAX_TAGS} tags")));
            }
            let Some(next) = next else { return Ok(all) };
            let target = url.join(&next).filter(|target| target.same_origin(&url));
            url = target.ok_or_else(|| corrupt("the next page of its tags is not in it"))?;
        }
        Err(too_many(format_args!("more than {MAX_PAGES} pages of tags")))
    }
}

fn too_many(what: std::fmt::Arguments<'_>) -> Error {
    corrupt(format!("it lists {what}")).hint("pull one tag: lifebox pull NAME:TAG")
}

/// Returns the target of `Link: <TARGET>; rel="next"` (RFC 8288).
fn next(link: &str) -> Option<String> {
    link.split(',').find_map(|one| {
        let (target, parameters) = one.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().to_ascii_lowercase();
            matches!(parameter.as_str(), "rel=next" | "rel=\"next\"")
        });
        is_next.then(|| target.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_one_of_that_relation() {
        let found = |link: &str| next(link);
        assert_eq!(
            found("</v2/a/tags/list?last=b&n=1>; rel=\"next\"").unwrap(),
            "/v2/a/tags/list?last=b&n=1"
        );
        assert_eq!(found("</x>; rel=\"prev\", </y>; rel=next").unwrap(), "/y");
        for other in ["", "</x>", "</x>; rel=prev", "/x; rel=next"] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
