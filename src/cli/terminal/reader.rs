//! The reader of texts: the chosen language, and the terminal's width and characters.

use std::io;

use once_cell::sync::OnceCell;

use crate::model::Result;
use crate::model::value::language::{Language, ReaderProfile};

static READER: OnceCell<ReaderProfile> = OnceCell::new();

/// The minimum width; narrower tables are unreadable.
const NARROWEST: usize = 40;
const USUAL: usize = 80;

/// Sets the language that a flag selects. The first call wins.
///
/// # Errors
/// [`crate::model::Kind::Invalid`] for a language without texts.
pub fn set_language(flag: Option<&str>) -> Result<()> {
    let language = flag.map(str::parse).transpose()?;
    if let Some(language) = language {
        let _ = READER.set(ReaderProfile { language, ..from_environment() });
    }
    Ok(())
}

/// Returns the reader profile of this process.
pub fn reader() -> ReaderProfile {
    *READER.get_or_init(from_environment)
}

fn from_environment() -> ReaderProfile {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The first variable that is set wins (locale(7)).
    let messages = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    let characters = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let plain = ["C", "POSIX"].map(str::to_owned);
    ReaderProfile {
        language: messages.as_deref().map(Language::from_locale).unwrap_or_default(),
        width: width(),
        // No variable is set in most containers and services, whose readers show all characters.
        ascii: characters.is_some_and(|locale| plain.contains(&locale)),
    }
}

/// Returns the width of the terminal, or of `COLUMNS`.
fn width() -> usize {
    let of_terminal = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let of_terminal = of_terminal.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
    let of_variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    of_terminal.or_else(of_variable).unwrap_or(USUAL).clamp(NARROWEST, 120)
}
