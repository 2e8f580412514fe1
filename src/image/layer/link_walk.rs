//! `LinkWalk`: a path that is walked down component by component, through the links that the
//! caller finds.

use std::collections::VecDeque;

use crate::image::tar::names::join;

/// How many links a walk follows, as the kernel does (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The state of a walk.
#[derive(Debug)]
pub(super) struct LinkWalk {
    todo: VecDeque<Vec<u8>>,
    done: Vec<Vec<u8>>,
    links: usize,
}

impl LinkWalk {
    /// Begins at the root.
    pub(super) fn new(path: &[u8]) -> Self {
        LinkWalk { todo: parts(path).collect(), done: Vec::new(), links: 0 }
    }

    /// Goes down one component. `..` goes up, at most to the root. Returns whether there was a
    /// component to go down.
    pub(super) fn step(&mut self) -> bool {
        while let Some(part) = self.todo.pop_front() {
            if part != b".." {
                self.done.push(part);
                return true;
            }
            self.done.pop();
        }
        false
    }

    /// Returns the components down to the present one.
    pub(super) fn done(&self) -> &[Vec<u8>] {
        &self.done
    }

    /// Returns the path down to the present component.
    pub(super) fn path(&self) -> Vec<u8> {
        join(&self.done)
    }

    /// Replaces the present component, a link, by what the link names. Returns `false` after too
    /// many links.
    pub(super) fn follow(&mut self, target: &[u8]) -> bool {
        self.links += 1;
        if self.links > MAX_LINKS {
            return false;
        }
        self.done.pop();
        if target.starts_with(b"/") {
            self.done.clear();
        }
        for part in parts(target).rev() {
            self.todo.push_front(part);
        }
        true
    }
}

fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/');
    parts.filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_on_from_their_directory_or_from_the_root_and_never_above_it() {
        let walked = |target: &[u8]| {
            let mut walk = LinkWalk::new(b"a/./link//last");
            while walk.step() {
                if walk.done().last().is_some_and(|part| part == b"link") {
                    assert!(walk.follow(target));
                }
            }
            String::from_utf8(walk.path()).unwrap()
        };
        assert_eq!(walked(b"b/c"), "a/b/c/last");
        assert_eq!(walked(b"/b"), "b/last");
        assert_eq!(walked(b"../../../b"), "b/last");
        assert_eq!(walked(b"."), "a/last");
    }

    #[test]
    fn a_link_to_itself_ends_the_walk() {
        let mut walk = LinkWalk::new(b"link");
        let followed = (0..100).take_while(|_| walk.step() && walk.follow(b"link")).count();
        assert_eq!(followed, MAX_LINKS);
    }
}
