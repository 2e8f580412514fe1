//! The report of a script as one self-contained page of HTML: no network, no JavaScript. All texts
//! may be hostile and go through `text::escaped`.

mod code;
mod document;
mod plot;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod words;

pub use document::page;
