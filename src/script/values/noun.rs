//! `Noun`: the kind of object of a handle, for messages.

/// A container or an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A container.
    Container,
    /// An image.
    Image,
}

impl Noun {
    /// Returns its article.
    pub fn article(self) -> &'static str {
        match self {
            Noun::Container => "a",
            Noun::Image => "an",
        }
    }

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Noun::Container => "container",
            Noun::Image => "image",
        }
    }

    /// Returns the type of its handle.
    pub fn type_name(self) -> &'static str {
        match self {
            Noun::Container => "Container",
            Noun::Image => "Image",
        }
    }
}
