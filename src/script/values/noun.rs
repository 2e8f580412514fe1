//! `Noun`: what a handle is of, as messages name it.

/// A container or an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A container.
    Container,
    /// An image.
    Image,
}

impl Noun {
    /// The article that goes before it.
    pub fn article(self) -> &'static str {
        match self {
            Noun::Container => "a",
            Noun::Image => "an",
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Noun::Container => "container",
            Noun::Image => "image",
        }
    }

    /// The type of its handle.
    pub fn type_name(self) -> &'static str {
        match self {
            Noun::Container => "Container",
            Noun::Image => "Image",
        }
    }
}
