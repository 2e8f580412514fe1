//! Checks literals: keys of options, and values of a wrong type.

use jiff::Timestamp;
use rhai::{Dynamic, Expr, Ident, Position};

use super::finding::Findings;
use crate::model::container::options::CreateOptions;
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::{OptionSpec, ValueType};
use crate::model::value::signal::Signal;
use crate::model::value::suggest::suggest;
use crate::model::value::units::{parse_bytes, parse_duration};
use crate::script::options;
use crate::script::values;

/// Checks a map that is passed as options. `is_whole`: nothing changes the map before the call.
pub fn lint_options(findings: &mut Findings, function: &str, argument: &Expr, is_whole: bool) {
    let keys = options::keys(function);
    if keys.is_empty() {
        return;
    }
    match argument {
        Expr::Map(map, _) => {
            for (key, value) in &map.0 {
                match keys.iter().find(|known| known.name == key.name.as_str()) {
                    Some(known) if is_whole => option_value(findings, function, known, value),
                    Some(_) => {}
                    None => unknown(findings, function, &keys, (&key.name, key.pos)),
                }
            }
        }
        // The right map may override values of the left one.
        Expr::FnCall(call, _) if call.name == "+" && call.args.len() == 2 => {
            lint_options(findings, function, &call.args[0], false);
            lint_options(findings, function, &call.args[1], is_whole);
        }
        _ => {}
    }
}

fn unknown(
    findings: &mut Findings,
    function: &str,
    keys: &[OptionSpec],
    (key, place): (&str, Position),
) {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    // The map of a health check is described with the functions that take it.
    let page = if function == "health" { "create" } else { function };
    let hint = match suggest(key, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? see help(\"{page}\")"),
        None => format!("see help(\"{page}\")"),
    };
    findings.error(place, format!("{}: no option `{key}`", taker(function)), Some(hint));
}

/// Names what takes options in messages: a function, or the option whose map has keys of its own.
fn taker(function: &str) -> String {
    match function {
        "health" => "option `health`".to_owned(),
        function => format!("{function}()"),
    }
}

/// Checks the value of an option.
fn option_value(findings: &mut Findings, function: &str, key: &OptionSpec, value: &Expr) {
    let error = match options::create_option(function, key.name) {
        // Its keys are looked at below, one by one.
        Some(_) if matches!((key.value_type, value), (ValueType::Health, Expr::Map(..))) => None,
        Some(row) => match literal(value) {
            Some(value) => (row.set)(&mut CreateOptions::default(), &value).err(),
            // Of a value with computed parts only the type is known.
            None => wrong(key.value_type, value).map(|got| key.value_type.mismatch(&got)),
        },
        None => wrong(key.value_type, value).map(|got| key.value_type.mismatch(&got)),
    };
    if let Some(error) = error {
        let hint = error.hint_text().map(str::to_owned);
        let error = error.about(format_args!("{}: option `{}`", taker(function), key.name));
        findings.error(value.position(), error.message().to_owned(), hint);
    }
    match key.value_type {
        // Conditions inside conditions.
        ValueType::Conditions => {
            if let Expr::Array(items, _) = value {
                items.iter().for_each(|item| lint_options(findings, function, item, true));
            }
        }
        ValueType::Health => lint_options(findings, "health", value, true),
        ValueType::Filter => {
            if let Expr::Map(map, _) = value {
                for (key, value) in &map.0 {
                    filtered(findings, function, (&key.name, key.pos), value);
                }
            }
        }
        ValueType::Text
        | ValueType::TextOrNumber
        | ValueType::Flag
        | ValueType::UInt
        | ValueType::Int
        | ValueType::Duration
        | ValueType::Size
        | ValueType::Number
        | ValueType::StopTimeout
        | ValueType::Time
        | ValueType::Signal
        | ValueType::Command
        | ValueType::Pairs
        | ValueType::StringList
        | ValueType::Mounts
        | ValueType::NamespaceMode
        | ValueType::Handles
        | ValueType::State
        | ValueType::Image
        | ValueType::OneOf(_) => {}
    }
}

/// Checks a key of an event filter and its values.
fn filtered(findings: &mut Findings, function: &str, (key, place): (&str, Position), value: &Expr) {
    let mut note = |text: Option<&str>, place: Position| {
        let Some(error) = options::wrong_filter(key, text) else { return true };
        let hint = error.hint_text().map(str::to_owned);
        findings.error(place, format!("{function}(): {}", error.message()), hint);
        false
    };
    if !note(None, place) {
        return;
    }
    let items =
        if let Expr::Array(items, _) = value { &items[..] } else { std::slice::from_ref(value) };
    for item in items {
        if let Expr::StringConstant(text, place) = item {
            note(Some(text), *place);
        }
    }
}

/// Checks an argument that is not a map of options. `forms` has name and type of the parameter in
/// each form of the function; the argument is wrong only if no form takes it.
pub fn argument(findings: &mut Findings, function: &str, forms: &[(String, String)], value: &Expr) {
    let mut wanted = Vec::new();
    for (_, kind) in forms {
        match refuses(kind, value) {
            Some(takes) if wanted.contains(&takes) => {}
            Some(takes) => wanted.push(takes),
            None => return,
        }
    }
    let Some((name, _)) = forms.first() else { return };
    let (wanted, given) = (wanted.join(", or "), quoted(value));
    findings.error(
        value.position(),
        format!("{function}(): `{name}`: expected {wanted}, got {given}"),
        None,
    );
}

/// Returns what a parameter of this type takes, if the literal is certainly of another type.
fn refuses(kind: &str, value: &Expr) -> Option<String> {
    use Expr as E;
    let number = matches!(value, E::IntegerConstant(..) | E::FloatConstant(..));
    let scalar = number || matches!(value, E::BoolConstant(..));
    let several = matches!(value, E::Array(..) | E::Map(..));
    let text = matches!(value, E::StringConstant(..));
    let option = |takes: ValueType| wrong(takes, value).map(|_| takes.describe());
    let takes = |what: &str, refused: bool| refused.then(|| what.to_owned());
    match kind {
        "Duration" => option(ValueType::Duration),
        "DurationOrOptions" if !matches!(value, E::Map(..)) => option(ValueType::StopTimeout),
        "Signal" => option(ValueType::Signal),
        "ActionOrActions" => match value {
            E::StringConstant(text, _) => {
                let refused = options::wrong_filter("event", Some(text)).is_some();
                takes("the name of an action, such as \"die\", or an array of them", refused)
            }
            _ => None,
        },
        "Command" => option(ValueType::Command),
        "ContainerOrName" => takes("a Container, a name or an id", scalar || several),
        "ImageOrName" => takes("an Image or a reference", scalar || several),
        "AnyOrName" => takes("a Container, an Image or the name of one", scalar || several),
        "Map" | "Options" => takes("a map", scalar || text || matches!(value, E::Array(..))),
        "Array" => takes("an array", scalar || text || matches!(value, E::Map(..))),
        "&str" | "ImmutableString" | "String" => takes("a string", scalar || several),
        "FnPtr" => takes("a function", scalar || several || text),
        "i64" | "INT" => {
            let whole = matches!(value, E::IntegerConstant(..));
            takes("a whole number", (scalar && !whole) || several || text)
        }
        _ => None,
    }
}

/// Returns a value that is written out as data; `None` where a part of it is computed.
fn literal(value: &Expr) -> Option<Expression> {
    Some(match value {
        Expr::StringConstant(text, _) => Expression::text(text.as_str()),
        Expr::BoolConstant(flag, _) => Expression::Flag(*flag),
        Expr::IntegerConstant(number, _) => Expression::Number(*number),
        Expr::FloatConstant(number, _) => Expression::Decimal(number.to_string()),
        Expr::Array(items, _) => {
            Expression::List(items.iter().map(literal).collect::<Option<_>>()?)
        }
        Expr::Map(map, _) => {
            let entry =
                |(key, value): &(Ident, Expr)| Some((key.name.to_string(), literal(value)?));
            Expression::Map(map.0.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Returns the literal, if it cannot be a value of this type.
fn wrong(takes: ValueType, value: &Expr) -> Option<String> {
    use ValueType as T;
    // Each line lists what fits.
    let fits = match (value, takes) {
        // The value `()` means absent; other expressions are not known.
        (Expr::Unit(_), _) => true,
        (Expr::StringConstant(text, _), takes) => text_fits(text, takes),
        (Expr::BoolConstant(..), takes) => matches!(takes, T::Flag | T::Health),
        (Expr::IntegerConstant(number, _), T::UInt | T::Duration) => *number >= 0,
        (Expr::IntegerConstant(number, _), T::StopTimeout) => *number >= -1,
        (Expr::IntegerConstant(number, _), T::Signal) => {
            number.to_string().parse::<Signal>().is_ok()
        }
        (Expr::IntegerConstant(..), takes) => {
            matches!(takes, T::Int | T::Number | T::Time | T::State | T::Size)
        }
        (Expr::FloatConstant(..), takes) => {
            matches!(takes, T::Duration | T::Number | T::StopTimeout | T::Time)
        }
        (Expr::Array(..), takes) => matches!(
            takes,
            T::Command
                | T::Pairs
                | T::StringList
                | T::Mounts
                | T::Conditions
                | T::Health
                | T::Handles
                | T::Filter
        ),
        (Expr::Map(..), takes) => {
            matches!(takes, T::Pairs | T::Mounts | T::Health | T::Filter)
        }
        _ => true,
    };
    (!fits).then(|| quoted(value))
}

/// Returns whether a text can be a value of this type.
fn text_fits(text: &str, takes: ValueType) -> bool {
    use ValueType as T;
    match takes {
        T::Duration | T::StopTimeout => parse_duration(text).is_ok(),
        T::Size => parse_bytes(text).is_ok(),
        T::Signal => text.parse::<Signal>().is_ok(),
        T::Time => values::moment(&Dynamic::from(text.to_owned()), Timestamp::now()).is_ok(),
        T::OneOf(words) => words.contains(&text),
        takes => !matches!(takes, T::Flag | T::UInt | T::Int | T::Number | T::Conditions),
    }
}

fn quoted(value: &Expr) -> String {
    match value {
        Expr::StringConstant(text, _) => format!("\"{text}\""),
        Expr::BoolConstant(value, _) => value.to_string(),
        Expr::IntegerConstant(value, _) => value.to_string(),
        Expr::FloatConstant(value, _) => value.to_string(),
        Expr::Array(..) => "an array".to_owned(),
        _ => "a map".to_owned(),
    }
}
