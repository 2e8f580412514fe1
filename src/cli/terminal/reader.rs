//! Whom texts are for: the language that was asked for, and this terminal.

use std::io;

use once_cell::sync::OnceCell;

use crate::model::Result;
use crate::model::value::language::{Language, ReaderProfile};

static READER: OnceCell<ReaderProfile> = OnceCell::new();

/// Narrower than this no table is readable.
const NARROWEST: usize = 40;
const USUAL: usize = 80;

/// Takes the language that a flag asks for. The first one counts, for there is one reader.
///
/// # Errors
/// [`crate::model::Kind::Invalid`] for a language without texts.
pub fn set_language(flag: Option<&str>) -> Result<()> {
    let asked = flag.map(str::parse).transpose()?;
    if let Some(language) = asked {
        let _ = READER.set(ReaderProfile { language, ..from_environment() });
    }
    Ok(())
}

/// The reader of this process.
pub fn reader() -> ReaderProfile {
    *READER.get_or_init(from_environment)
}

fn from_environment() -> ReaderProfile {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The first that is set counts (locale(7)).
    let messages = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    let characters = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let plain = ["C", "POSIX"].map(str::to_owned);
    ReaderProfile {
        language: messages.as_deref().map(Language::from_locale).unwrap_or_default(),
        width: width(),
        // Nothing set is most often a container or a service, whose reader can show all.
        ascii: characters.is_some_and(|locale| plain.contains(&locale)),
    }
}

/// The columns of the terminal, or of `COLUMNS`.
fn width() -> usize {
    let of_terminal = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let of_terminal = of_terminal.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
    let of_variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    of_terminal.or_else(of_variable).unwrap_or(USUAL).clamp(NARROWEST, 120)
}
