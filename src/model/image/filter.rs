//! Docker's filters of `images` and `image prune`.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::metadata::Image;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// A filter of images. The values of one field are alternatives, except of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFilter {
    /// Whether intermediate images are included.
    pub all: bool,
    /// Whether the image is untagged (`dangling`).
    pub dangling: Option<bool>,
    /// `key` or `key=value`: the image must have all of these labels.
    pub labels: Vec<String>,
    /// `key` or `key=value`: the image must not have all of these labels.
    pub without_labels: Vec<String>,
    /// Built before this time.
    pub before: Option<Timestamp>,
    /// Built after this time.
    pub since: Option<Timestamp>,
    /// Patterns, one of which a reference must match: `alpine`, `alpine:3*`, `*/*:latest`.
    pub references: Vec<String>,
}

impl ImageFilter {
    /// Returns the images that match, each with the references that match.
    pub fn choose(&self, images: Vec<Image>) -> Vec<Image> {
        let parents: HashSet<Digest> =
            images.iter().filter_map(|image| image.parent.clone()).collect();
        images.into_iter().filter_map(|image| self.take(image, &parents)).collect()
    }

    fn take(&self, mut image: Image, parents: &HashSet<Digest>) -> Option<Image> {
        let nameless = image.tags.is_empty() && image.digests.is_empty();
        // As Docker does, also for the result of a build, once another image is built upon it.
        let below = image.intermediate || nameless && parents.contains(&image.id);
        let hidden = below && (!self.all || self.dangling == Some(true));
        if hidden || !self.matches(&image) {
            return None;
        }
        if !self.references.is_empty() {
            image.tags.retain(|tag| self.names(tag));
            image.digests.retain(|digest| self.names(digest));
        }
        let named = !image.tags.is_empty() || !image.digests.is_empty();
        let fits = match self.dangling {
            // An image that only a digest names is both, as in Docker.
            Some(true) => image.tags.is_empty(),
            Some(false) => named,
            None => true,
        };
        (fits && (named || self.references.is_empty())).then_some(image)
    }

    /// Returns whether labels and time of an image match.
    pub fn matches(&self, image: &Image) -> bool {
        self.matches_labels_and_time(&image.config.labels, image.created)
    }

    /// Returns whether labels and a time match; an object without a time is older than all others,
    /// as in Docker.
    pub fn matches_labels_and_time(
        &self,
        labels: &BTreeMap<String, String>,
        created: Option<Timestamp>,
    ) -> bool {
        let built = created.unwrap_or(Timestamp::MIN);
        let has = |wanted: &String| has_label(labels, wanted);
        self.labels.iter().all(has)
            && (self.without_labels.is_empty() || !self.without_labels.iter().all(has))
            && self.before.is_none_or(|before| built < before)
            && self.since.is_none_or(|since| built > since)
    }

    fn names(&self, reference: &Reference) -> bool {
        self.references.iter().any(|pattern| matches(pattern, reference))
    }
}

fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// Returns whether a pattern matches a reference: its shortest form, that without tag, or the whole
/// one.
fn matches(pattern: &str, reference: &Reference) -> bool {
    let texts = [reference.familiar(), reference.repository(), reference.to_string()];
    texts.iter().any(|text| glob(pattern.as_bytes(), text.as_bytes()))
}

/// Returns whether `text` matches `pattern`: `*` is any number of characters but `/`, `?` is one.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // The position of the last star, and the end of the text that it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') if text[t] != b'/' => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) if text[taken] != b'/' => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::digest::Digest;

    fn image(seed: u8, references: &[&str]) -> Image {
        let references = references.iter().map(|text| text.parse::<Reference>().unwrap());
        let (digests, tags) = references.partition(|one| one.digest().is_some());
        Image {
            tags,
            digests,
            created: Some(Timestamp::from_second(i64::from(seed)).unwrap()),
            ..Image::plain(seed)
        }
    }

    fn digest() -> String {
        format!("b@sha256:{}", "d".repeat(64))
    }

    /// Returns five images. Number 4 is an intermediate image, and 5 has no creation time.
    fn images() -> Vec<Image> {
        let mut images = vec![
            image(1, &["a:1", "a:2", "team/a:1"]),
            image(2, &[&digest()]),
            image(3, &[]),
            image(4, &[]),
            image(5, &["c"]),
        ];
        images[0].config.labels = [("k".to_owned(), "v".to_owned())].into();
        images[1].config.labels = [("k".to_owned(), "w".to_owned())].into();
        images[3].intermediate = true;
        images[4].created = None;
        images
    }

    fn check(filter: &ImageFilter, expected: &[u8]) {
        let chosen = filter.choose(images());
        let seeds: Vec<_> = chosen.iter().map(|image| image.id.clone()).collect();
        let expected: Vec<_> = expected.iter().map(|n| Digest::from_bytes(&[*n; 32])).collect();
        assert_eq!(seeds, expected, "{filter:?}");
    }

    #[test]
    fn each_filter_is_dockers() {
        let none = ImageFilter::default;
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let time = |second| Timestamp::from_second(second).ok();
        check(&none(), &[1, 2, 3, 5]);
        check(&ImageFilter { all: true, ..none() }, &[1, 2, 3, 4, 5]);
        check(&ImageFilter { dangling: Some(true), ..none() }, &[2, 3]);
        check(&ImageFilter { dangling: Some(true), all: true, ..none() }, &[2, 3]);
        check(&ImageFilter { dangling: Some(false), ..none() }, &[1, 2, 5]);
        check(&ImageFilter { labels: texts(&["k"]), ..none() }, &[1, 2]);
        check(&ImageFilter { labels: texts(&["k=v", "k"]), ..none() }, &[1]);
        check(&ImageFilter { without_labels: texts(&["k=v"]), ..none() }, &[2, 3, 5]);
        check(&ImageFilter { before: time(2), ..none() }, &[1, 5]);
        check(&ImageFilter { since: time(2), ..none() }, &[3]);
        check(&ImageFilter { references: texts(&["c", "nosuch"]), ..none() }, &[5]);
        check(&ImageFilter { references: texts(&["b"]), ..none() }, &[2]);
    }

    #[test]
    fn an_image_without_a_name_is_not_listed_below_one_that_was_built_upon_it() {
        let listed = |filter: &ImageFilter, parent: u8| {
            let mut images = images();
            images[4].parent = Some(Digest::from_bytes(&[parent; 32]));
            filter.choose(images).len()
        };
        let none = ImageFilter::default;
        for (parent, usual, all, dangling) in [(9, 4, 5, 2), (1, 4, 5, 2), (3, 3, 5, 1)] {
            assert_eq!(listed(&none(), parent), usual);
            assert_eq!(listed(&ImageFilter { all: true, ..none() }, parent), all);
            assert_eq!(listed(&ImageFilter { dangling: Some(true), ..none() }, parent), dangling);
        }
    }

    #[test]
    fn of_an_image_only_the_references_that_match_are_shown() {
        let filter = ImageFilter { references: vec!["a".to_owned()], ..ImageFilter::default() };
        let chosen = filter.choose(images());
        let tags: Vec<_> = chosen[0].tags.iter().map(Reference::familiar).collect();
        assert_eq!(tags, ["a:1", "a:2"]);
    }

    #[test]
    fn references_match_as_globs() {
        for (pattern, reference, expected) in [
            ("alpine", "alpine:3", true),
            ("alpine:3", "alpine:3", true),
            ("alp*:3*", "alpine:3.20", true),
            ("*", "team/app", false),
            ("*/*", "team/app", true),
            ("docker.io/library/alpine:3", "alpine:3", true),
            ("alpine:4", "alpine:3", false),
            ("a?pine", "alpine", true),
        ] {
            let reference: Reference = reference.parse().unwrap();
            assert_eq!(matches(pattern, &reference), expected, "{pattern}");
        }
    }
}
