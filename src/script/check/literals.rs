//! Options that are written out: their keys, and values that are plainly of another type.

use rhai::{Expr, Position};

use super::super::nearest::nearest;
use super::super::options::{self, Key, Takes};
use super::Notes;
use crate::model::units::{parse_bytes, parse_duration};

/// Looks at a map that is given to a function which takes options.
pub fn look(notes: &mut Notes, function: &str, argument: &Expr) {
    let keys = options::keys(function);
    let Expr::Map(map, _) = argument else { return };
    if keys.is_empty() {
        return;
    }
    for (key, value) in &map.0 {
        let Some(known) = keys.iter().find(|known| known.name == key.name.as_str()) else {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            let hint = match nearest(&key.name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", names.join(", ")),
            };
            notes.error(key.pos, format!("{function}(): no option `{}`", key.name), Some(hint));
            continue;
        };
        if let Some((given, place)) = wrong(known, value) {
            let wanted = known.takes.describe();
            let message =
                format!("{function}(): option `{}` takes {wanted}, not {given}", key.name);
            notes.error(place, message, None);
        }
        if known.takes == Takes::Conditions {
            each(notes, function, value);
        }
    }
}

/// Conditions in conditions.
fn each(notes: &mut Notes, function: &str, value: &Expr) {
    if let Expr::Array(items, _) = value {
        for item in items {
            look(notes, function, item);
        }
    }
}

/// What is written, where it can't be what the option takes.
fn wrong(key: &Key, value: &Expr) -> Option<(String, Position)> {
    use Takes as T;
    // Each line says what fits.
    let fits = match (value, key.takes) {
        // The value `()` is as not given; what is no literal is not known here.
        (Expr::Unit(_), _) => true,
        (Expr::StringConstant(text, _), T::Duration) => parse_duration(text).is_ok(),
        (Expr::StringConstant(text, _), T::Size) => parse_bytes(text).is_ok(),
        (Expr::StringConstant(text, _), T::OneOf(words)) => words.contains(&text.as_str()),
        (Expr::StringConstant(..), takes) => {
            !matches!(takes, T::Flag | T::Count | T::Code | T::Number | T::Conditions | T::Filter)
        }
        (Expr::BoolConstant(..), takes) => matches!(takes, T::Flag | T::Health),
        (Expr::IntegerConstant(number, _), T::Count) => *number >= 0,
        (Expr::IntegerConstant(..), takes) => matches!(
            takes,
            T::Code | T::Duration | T::Size | T::Number | T::Grace | T::Signal | T::Time | T::State
        ),
        (Expr::FloatConstant(..), takes) => {
            matches!(takes, T::Duration | T::Number | T::Grace | T::Time)
        }
        (Expr::Array(..), takes) => matches!(
            takes,
            T::Command | T::Pairs | T::Texts | T::Mounts | T::Conditions | T::Health | T::Named
        ),
        (Expr::Map(..), takes) => {
            matches!(takes, T::Pairs | T::Mounts | T::Health | T::Filter)
        }
        _ => true,
    };
    (!fits).then(|| (shown(value), value.position()))
}

fn shown(value: &Expr) -> String {
    match value {
        Expr::StringConstant(text, _) => format!("\"{text}\""),
        Expr::BoolConstant(value, _) => value.to_string(),
        Expr::IntegerConstant(value, _) => value.to_string(),
        Expr::FloatConstant(value, _) => value.to_string(),
        Expr::Array(..) => "an array".to_owned(),
        _ => "a map".to_owned(),
    }
}
