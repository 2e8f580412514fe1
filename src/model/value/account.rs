//! Users and groups as `--user`, `--group-add`, `USER` and `--chown` name them: a number is that
//! id, and only what is not a number is a name.
//!
//! An image brings its own `/etc/passwd`: were `1001` looked up as a name, the image could make it
//! uid 0.

use super::visible::is_hidden;
use crate::model::{Error, Kind, Result};

/// The highest id (moby/sys/user, `maxID`).
pub const MAX_ID: u32 = i32::MAX.unsigned_abs();

/// A user or group, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// This id.
    Id(u32),
    /// The name of an entry in `/etc/passwd` or `/etc/group`.
    Name(&'a str),
    /// A number that is not an id.
    OutOfRange,
}

impl<'a> Account<'a> {
    /// Tells a number, also with a sign, from a name.
    pub fn of(text: &'a str) -> Self {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Account::Name(text);
        }
        let id = text.parse::<u32>().ok().filter(|id| *id <= MAX_ID);
        id.map_or(Account::OutOfRange, Account::Id)
    }
}

/// Splits `user[:group]`. An empty user is root; an empty group is none.
pub fn split(text: &str) -> (&str, Option<&str>) {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let user = if user.is_empty() { "0" } else { user };
    (user, Some(group).filter(|group| !group.is_empty()))
}

/// Returns whether `user[:group]` looks like root. Another name for root in `/etc/passwd` is
/// resolved by init.
pub fn is_root(text: &str) -> bool {
    matches!(Account::of(split(text).0), Account::Id(0) | Account::Name("root"))
}

/// Refuses a number that is not an id in `user[:group]`.
///
/// # Errors
/// [`Kind::Invalid`], with the range.
pub fn check_user(text: &str) -> Result<()> {
    let (user, group) = split(text);
    check("user", user)?;
    group.map_or(Ok(()), check_group)
}

/// Refuses a number that is not an id of a group.
///
/// # Errors
/// [`Kind::Invalid`], with the range.
pub fn check_group(text: &str) -> Result<()> {
    check("group", text)
}

fn check(what: &str, text: &str) -> Result<()> {
    // An image may bring a number of any length.
    let shown = || text.chars().take(32).collect::<String>().escape_debug().to_string();
    // `1001 ` is not the number, and an image could have a user of this name.
    if text.contains(|c: char| c.is_whitespace() || is_hidden(c)) {
        let message =
            format!("invalid {what} `{}`: it contains white space or a hidden character", shown());
        return Err(Error::new(Kind::Invalid, message)
            .hint(format!("write an id such as 1000, or the name of a {what} of the image")));
    }
    if Account::of(text) != Account::OutOfRange {
        return Ok(());
    }
    let shown = shown();
    let message = format!("invalid {what} `{shown}`: uids and gids must be in range 0-{MAX_ID}");
    Err(Error::new(Kind::Invalid, message)
        .hint(format!("write an id such as 1000, or the name of a {what} of the image")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_an_id_and_never_a_name() {
        for (text, id) in [("0", 0), ("1001", 1001), ("00", 0), ("+7", 7), ("2147483647", MAX_ID)] {
            assert_eq!(Account::of(text), Account::Id(id), "{text}");
        }
        for text in ["-1", "2147483648", "4294967295", "4294967296", &"9".repeat(99)] {
            assert_eq!(Account::of(text), Account::OutOfRange, "{text}");
        }
        for text in ["", "+", "app", "1001x", "0x10", " 1", "1.5", "١"] {
            assert_eq!(Account::of(text), Account::Name(text), "{text}");
        }
    }

    #[test]
    fn a_number_out_of_range_and_white_space_are_refused_as_user_and_as_group() {
        for text in ["2147483648", "-1:0", "0:4294967296", ":-1"] {
            let error = check_user(text).unwrap_err();
            assert!(
                error.message().contains("uids and gids must be in range 0-2147483647"),
                "{text}"
            );
        }
        for text in ["1001 ", " 0", "0:1001 ", "a\tb", "app\n", "1001\u{a0}", "1001\u{200b}"] {
            let error = check_user(text).unwrap_err();
            assert!(error.message().contains("white space"), "{text:?}");
        }
        for text in ["", "0", "app", "app:", ":7", "1000:video"] {
            assert!(check_user(text).is_ok(), "{text}");
        }
        assert!(check_group("2147483648").is_err() && check_group("video").is_ok());
    }

    #[test]
    fn root_is_told_by_number_and_by_name() {
        for (text, root) in [
            ("", true),
            ("0:7", true),
            ("00", true),
            ("root", true),
            ("1:0", false),
            ("app", false),
        ] {
            assert_eq!(is_root(text), root, "{text}");
        }
    }
}
