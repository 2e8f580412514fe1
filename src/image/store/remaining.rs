//! What removals leave of the list of images: finds, and forgets, without a walk through the list.
//!
//! A removal of thousands of tags is one change of the list. Each tag costs a look into a map.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use super::handle::{ambiguous, as_reference, no_such};
use super::index::{Entry, Index};
use crate::model::Result;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// The images and references of a list that are not removed yet.
pub(super) struct Remaining<'a> {
    references: HashMap<&'a Reference, &'a Entry>,
    /// For a reference with a digest, which may name a tag's image.
    by_repository: HashMap<String, Vec<&'a Entry>>,
    /// By id.
    images: BTreeMap<&'a str, Image<'a>>,
    removed: BTreeSet<Reference>,
    deleted: HashSet<Digest>,
}

/// The references of an image.
struct Image<'a> {
    id: &'a Digest,
    repositories: BTreeMap<String, Names<'a>>,
    /// How many there are in all repositories.
    count: usize,
}

/// The references of an image in one repository.
#[derive(Default)]
struct Names<'a> {
    tags: BTreeSet<&'a Reference>,
    digests: BTreeSet<&'a Reference>,
}

impl<'a> Remaining<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        let mut remaining = Remaining {
            references: HashMap::new(),
            by_repository: HashMap::new(),
            images: BTreeMap::new(),
            removed: BTreeSet::new(),
            deleted: HashSet::new(),
        };
        for entry in &index.entries {
            let image = remaining.images.entry(entry.id.as_str());
            let image = image.or_insert_with(|| Image::new(&entry.id));
            let Some(reference) = &entry.reference else { continue };
            let repository = reference.repository();
            image.add(&repository, reference);
            remaining.references.entry(reference).or_insert(entry);
            remaining.by_repository.entry(repository).or_default().push(entry);
        }
        remaining
    }

    /// Resolves `query` as [`resolve`](super::handle::resolve) does. Also returns the reference, if
    /// `query` is one.
    pub(super) fn resolve(&self, query: &str) -> Result<(Digest, Option<Reference>)> {
        let reference = as_reference(query);
        if let Some(reference) = reference
            && let Some(entry) = self.by_reference(&reference)
        {
            return Ok((entry.id.clone(), Some(reference)));
        }
        let digits = query.strip_prefix("sha256:").unwrap_or(query);
        let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !hexadecimal || digits.is_empty() {
            return Err(no_such(query, self.references.keys().copied()));
        }
        // Sorted: those that begin so follow each other.
        let first = format!("sha256:{digits}");
        let beginning = (Bound::Included(first.as_str()), Bound::Unbounded);
        let following = self.images.range::<str, _>(beginning).map(|(_, image)| image.id);
        let matching: Vec<&Digest> =
            following.take_while(|id| id.hex().starts_with(digits)).collect();
        match matching[..] {
            [id] => Ok((id.clone(), None)),
            [] => Err(no_such(query, self.references.keys().copied())),
            _ => Err(ambiguous(query, &matching)),
        }
    }

    fn by_reference(&self, requested: &Reference) -> Option<&'a Entry> {
        if let Some(entry) = self.references.get(requested) {
            return Some(entry);
        }
        let digest = requested.digest()?;
        let mut known = self.by_repository.get(&requested.repository())?.iter();
        known
            .find(|entry| {
                let is_left =
                    entry.reference.as_ref().is_some_and(|r| self.references.contains_key(r));
                is_left && (entry.manifest == *digest || entry.id == *digest)
            })
            .copied()
    }

    /// Returns all references of an image.
    pub(super) fn references(&self, id: &Digest) -> BTreeSet<Reference> {
        let images = self.images.get(id.as_str()).into_iter();
        images.flat_map(|image| image.repositories.values()).flat_map(Names::all).cloned().collect()
    }

    /// Returns the references that are removed with `named`: digests are removed with the last tag
    /// of their repository, because they say what was pulled under it (moby, `image_delete.go`).
    pub(super) fn with_digests(&self, id: &Digest, named: &Reference) -> BTreeSet<Reference> {
        let image = self.images.get(id.as_str());
        let names = image.and_then(|image| image.repositories.get(&named.repository()));
        let Some(names) = names else { return BTreeSet::new() };
        let is_known = names.tags.contains(named) || names.digests.contains(named);
        let is_last = named.digest().is_none() && names.tags.iter().all(|tag| *tag == named);
        match is_known && !is_last {
            true => BTreeSet::from([named.clone()]),
            // A digest may be given that the store does not list: it names a tag's image.
            false => names.all().cloned().collect(),
        }
    }

    /// Returns how many references an image has.
    pub(super) fn count(&self, id: &Digest) -> usize {
        self.images.get(id.as_str()).map_or(0, |image| image.count)
    }

    /// Forgets references of an image.
    pub(super) fn untag(&mut self, id: &Digest, references: &BTreeSet<Reference>) {
        let Some(image) = self.images.get_mut(id.as_str()) else { return };
        for reference in references {
            self.references.remove(reference);
            image.forget(reference);
        }
        self.removed.extend(references.iter().cloned());
    }

    /// Forgets an image with its references.
    pub(super) fn delete(&mut self, id: &Digest) {
        let references = self.references(id);
        self.untag(id, &references);
        self.images.remove(id.as_str());
        self.deleted.insert(id.clone());
    }

    /// Returns what was removed: references, and whole images.
    pub(super) fn into_removed(self) -> (BTreeSet<Reference>, HashSet<Digest>) {
        (self.removed, self.deleted)
    }
}

impl<'a> Image<'a> {
    fn new(id: &'a Digest) -> Self {
        Image { id, repositories: BTreeMap::new(), count: 0 }
    }

    fn add(&mut self, repository: &str, reference: &'a Reference) {
        let names = self.repositories.entry(repository.to_owned()).or_default();
        let is_new = match reference.digest() {
            None => names.tags.insert(reference),
            Some(_) => names.digests.insert(reference),
        };
        self.count += usize::from(is_new);
    }

    fn forget(&mut self, reference: &Reference) {
        let repository = reference.repository();
        let Some(names) = self.repositories.get_mut(&repository) else { return };
        self.count -= usize::from(names.tags.remove(reference) || names.digests.remove(reference));
        if names.all().next().is_none() {
            self.repositories.remove(&repository);
        }
    }
}

impl<'a> Names<'a> {
    fn all(&self) -> impl Iterator<Item = &'a Reference> {
        self.tags.iter().chain(&self.digests).copied()
    }
}
