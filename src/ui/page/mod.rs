//! What a script did, as one page of HTML that needs nothing else: no network, no script. What it
//! shows is strangers' text: all of it goes through [`text::escaped`].

mod code;
mod document;
mod plot;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod words;

pub use document::page;
