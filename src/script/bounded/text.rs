//! Text: padding, replacing and splitting.

use super::cut::whole_text;
use super::pace::{LONGEST_TEXT, MOST_ITEMS, Pace};
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Dynamic, INT, ImmutableString};

/// What an item of an array takes, beside its text.
const ITEM: usize = 64;
/// What a padding writes in one piece, in bytes.
const BLOCK: usize = 16 << 10;

/// Text.
#[export_module]
pub mod text {
    /// Pads a text at its end with a character, to this length.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        len: INT,
        character: char,
    ) -> RhaiResultOf<()> {
        pad_with(&ctx, string, len, character.encode_utf8(&mut [0; 4]))
    }

    /// Pads a text at its end with another, to this length.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        len: INT,
        padding: &str,
    ) -> RhaiResultOf<()> {
        pad_with(&ctx, string, len, padding)
    }

    /// Replaces each occurrence of a text.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        find_string: &str,
        substitute_string: &str,
    ) -> RhaiResultOf<()> {
        replace_with(&ctx, string, find_string, substitute_string)
    }

    /// Replaces each occurrence of a text by a character.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_by_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        find_string: &str,
        substitute_character: char,
    ) -> RhaiResultOf<()> {
        replace_with(&ctx, string, find_string, substitute_character.encode_utf8(&mut [0; 4]))
    }

    /// Replaces each occurrence of a character by a text.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        find_character: char,
        substitute_string: &str,
    ) -> RhaiResultOf<()> {
        replace_with(&ctx, string, find_character.encode_utf8(&mut [0; 4]), substitute_string)
    }

    /// Replaces each occurrence of a character by another.
    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_char_by_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        find_character: char,
        substitute_character: char,
    ) -> RhaiResultOf<()> {
        let (find, by) = (find_character.to_string(), substitute_character.to_string());
        replace_with(&ctx, string, &find, &by)
    }

    /// Returns the characters of a text.
    #[rhai_fn(name = "to_chars", return_raw)]
    pub fn to_chars(ctx: NativeCallContext, string: &str) -> RhaiResultOf<Array> {
        Pace::new(&ctx).fits_items(string.chars().count())?;
        collect(&ctx, string.chars().map(|c| (Dynamic::from(c), c.len_utf8())))
    }

    /// Returns the words of a text.
    #[rhai_fn(name = "split", pure, return_raw)]
    pub fn split_words(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
    ) -> RhaiResultOf<Array> {
        if string.is_empty() {
            return Ok(whole(string));
        }
        parts(&ctx, string.split_whitespace())
    }

    /// Splits a text at each occurrence of another.
    #[rhai_fn(name = "split", pure, return_raw)]
    pub fn split(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: &str,
    ) -> RhaiResultOf<Array> {
        if string.is_empty() {
            return Ok(whole(string));
        }
        parts(&ctx, string.split(delimiter))
    }

    /// Splits a text at occurrences of another, into at most this number of parts.
    #[rhai_fn(name = "split", pure, return_raw)]
    pub fn split_most(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: &str,
        segments: INT,
    ) -> RhaiResultOf<Array> {
        match most(string, segments) {
            Some(most) => parts(&ctx, string.splitn(most, delimiter)),
            None => Ok(whole(string)),
        }
    }

    /// Splits a text at each occurrence of a character.
    #[rhai_fn(name = "split", pure, return_raw)]
    pub fn split_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: char,
    ) -> RhaiResultOf<Array> {
        parts(&ctx, string.split(delimiter))
    }

    /// Splits a text at occurrences of a character, into at most this number of parts.
    #[rhai_fn(name = "split", pure, return_raw)]
    pub fn split_char_most(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: char,
        segments: INT,
    ) -> RhaiResultOf<Array> {
        match most(string, segments) {
            Some(most) => parts(&ctx, string.splitn(most, delimiter)),
            None => Ok(whole(string)),
        }
    }

    /// Splits a text at each occurrence of another, from its end.
    #[rhai_fn(name = "split_rev", pure, return_raw)]
    pub fn split_rev(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: &str,
    ) -> RhaiResultOf<Array> {
        if string.is_empty() {
            return Ok(whole(string));
        }
        parts(&ctx, string.rsplit(delimiter))
    }

    /// Splits a text at occurrences of another, from its end, into at most this number of parts.
    #[rhai_fn(name = "split_rev", pure, return_raw)]
    pub fn split_rev_most(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: &str,
        segments: INT,
    ) -> RhaiResultOf<Array> {
        match most(string, segments) {
            Some(most) => parts(&ctx, string.rsplitn(most, delimiter)),
            None => Ok(whole(string)),
        }
    }

    /// Splits a text at each occurrence of a character, from its end.
    #[rhai_fn(name = "split_rev", pure, return_raw)]
    pub fn split_rev_char(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: char,
    ) -> RhaiResultOf<Array> {
        parts(&ctx, string.rsplit(delimiter))
    }

    /// Splits a text at occurrences of a character, from its end, into at most this number of
    /// parts.
    #[rhai_fn(name = "split_rev", pure, return_raw)]
    pub fn split_rev_char_most(
        ctx: NativeCallContext,
        string: &mut ImmutableString,
        delimiter: char,
        segments: INT,
    ) -> RhaiResultOf<Array> {
        match most(string, segments) {
            Some(most) => parts(&ctx, string.rsplitn(most, delimiter)),
            None => Ok(whole(string)),
        }
    }
}

fn pad_with(
    ctx: &NativeCallContext,
    string: &mut ImmutableString,
    len: INT,
    padding: &str,
) -> RhaiResultOf<()> {
    let mut pace = Pace::new(ctx);
    let own = string.chars().count();
    let Some(missing) = usize::try_from(len).ok().and_then(|len| len.checked_sub(own)) else {
        return Ok(());
    };
    if missing == 0 {
        return Ok(());
    }
    let each = padding.chars().count();
    if each == 0 {
        let hint = "name a text to pad with: text.pad(10, \" \")";
        return Err(pace.refuse("the padding is empty", hint));
    }
    let (times, rest) = (missing / each, missing % each);
    let rest = padding.char_indices().nth(rest).map_or("", |(end, _)| &padding[..end]);
    let bytes = times.saturating_mul(padding.len()).saturating_add(string.len() + rest.len());
    pace.fits_text(bytes)?;
    let mut text = String::with_capacity(bytes);
    text.push_str(string);
    let block = padding.repeat((BLOCK / padding.len()).clamp(1, times.max(1)));
    for _ in 0..times / (block.len() / padding.len()) {
        pace.spend(block.len())?;
        text.push_str(&block);
    }
    let whole = string.len() + times * padding.len();
    text.push_str(&block[..whole - text.len()]);
    text.push_str(rest);
    *string = text.into();
    Ok(())
}

fn replace_with(
    ctx: &NativeCallContext,
    string: &mut ImmutableString,
    find: &str,
    by: &str,
) -> RhaiResultOf<()> {
    if string.is_empty() {
        return Ok(());
    }
    let mut pace = Pace::new(ctx);
    let mut text = String::new();
    let mut copied = 0;
    for (at, found) in string.match_indices(find) {
        pace.spend(at - copied + by.len() + 1)?;
        pace.fits_text(text.len() + at - copied + by.len())?;
        text.push_str(&string[copied..at]);
        text.push_str(by);
        copied = at + found.len();
    }
    pace.fits_text(text.len() + string.len() - copied)?;
    text.push_str(&string[copied..]);
    *string = text.into();
    Ok(())
}

fn whole(string: &ImmutableString) -> Array {
    vec![string.clone().into()]
}

/// Returns the most parts of a split; `None` if the text stays whole.
fn most(string: &str, segments: INT) -> Option<usize> {
    (segments > 1 && !string.is_empty()).then(|| usize::try_from(segments).unwrap_or(usize::MAX))
}

fn parts<'t>(
    ctx: &NativeCallContext,
    parts: impl Iterator<Item = &'t str> + Clone,
) -> RhaiResultOf<Array> {
    Pace::new(ctx).fits_items(parts.clone().take(MOST_ITEMS + 1).count())?;
    collect(ctx, parts.map(|part| (part.into(), part.len())))
}

/// Returns the texts of items, with a separator between them.
///
/// # Errors
/// For a text that would be too long; the end of the script.
pub(in crate::script) fn join(
    ctx: &NativeCallContext,
    array: &Array,
    separator: &str,
) -> RhaiResultOf<String> {
    let mut pace = Pace::new(ctx);
    let mut text = String::new();
    for (index, item) in array.iter().enumerate() {
        if index > 0 {
            pace.fits_text(text.len() + separator.len())?;
            text.push_str(separator);
        }
        let Ok(item) = whole_text(item, LONGEST_TEXT - text.len()) else {
            return Err(pace.too_long());
        };
        pace.spend(item.len() + separator.len())?;
        text.push_str(&item);
    }
    Ok(text)
}

/// Collects items, each with its size. Their number is known to fit.
pub(super) fn collect(
    ctx: &NativeCallContext,
    items: impl Iterator<Item = (Dynamic, usize)>,
) -> RhaiResultOf<Array> {
    let mut pace = Pace::new(ctx);
    let mut list = Array::new();
    for (item, size) in items {
        pace.spend(size.saturating_add(ITEM))?;
        list.push(item);
    }
    Ok(list)
}
