//! Data: options of a script's own functions, documents, files of this machine.

use super::signature::{Anything, Duration};
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::syntax::suggest::suggest;
use crate::script::values;
use rhai::plugin::*;
use rhai::{Dynamic, FLOAT, Map};
use std::path::Path;

/// The largest text that a script reads in one piece, in bytes.
const LARGEST: u64 = 64 << 20;

/// Data.
#[export_module]
pub mod data {
    /// The options of a function of your own: the defaults with what was given laid over them. A
    /// key that has no default is an error that names the nearest. The value `()` is as not given.
    ///
    /// ```rhai
    /// fn deploy(name, given) {
    ///     let o = options("deploy", given, #{ copies: 1, timeout: "30s" });
    ///     print(`${o.copies} of ${name}`);
    /// }
    /// deploy("web", #{ copies: 3 });
    /// ```
    #[rhai_fn(name = "options", return_raw)]
    pub fn options(
        ctx: NativeCallContext,
        function: &str,
        given: Map,
        defaults: Map,
    ) -> RhaiResultOf<Map> {
        laid_over(function, given, defaults).or_raise(&ctx)
    }

    /// A duration such as `"500ms"` or `"2m"`, or a number of seconds, as a number of seconds.
    ///
    /// ```rhai
    /// print(seconds("1m"));
    /// ```
    #[rhai_fn(name = "seconds", return_raw)]
    pub fn seconds(ctx: NativeCallContext, time: Duration) -> RhaiResultOf<FLOAT> {
        values::duration(&time.flatten()).map(|time| time.as_secs_f64()).or_raise(&ctx)
    }

    /// The document in a text of YAML 1.2, as maps, arrays, numbers and text. What is not as it is
    /// written when it is a number is text: `010`, and more than the language's greatest.
    ///
    /// ```rhai
    /// let services = parse_yaml("web: { image: alpine }");
    /// print(services.web.image);
    /// ```
    #[rhai_fn(name = "parse_yaml", return_raw)]
    pub fn parse_yaml(ctx: NativeCallContext, text: &str) -> RhaiResultOf<Anything> {
        yaml(text).or_raise(&ctx)
    }

    /// A path of this machine from the root on, without `.` and double slashes; a relative one begins
    /// in the working directory.
    ///
    /// ```rhai
    /// print(absolute_path("data"));
    /// ```
    #[rhai_fn(name = "absolute_path", name = "absolute", volatile, return_raw)]
    pub fn absolute_path(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        let absolute = std::path::absolute(path).context(|| format!("cannot take `{path}`"));
        absolute.map(|path| path.to_string_lossy().into_owned()).or_raise(&ctx)
    }

    /// The text of a file of this machine, up to 64 MiB.
    ///
    /// ```rhai
    /// let name = read_text("/etc/hostname");
    /// ```
    #[rhai_fn(name = "read_text", volatile, return_raw)]
    pub fn read_text(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        let stage = ScriptContext::of(&ctx)?;
        let own = stage.path(path).or_raise(&ctx)?;
        file(path, &own).or_raise(&ctx)
    }
}

fn laid_over(function: &str, given: Map, mut defaults: Map) -> Result<Map> {
    for (key, value) in given {
        let Some(place) = defaults.get_mut(&key) else {
            let names: Vec<&str> = defaults.keys().map(|name| name.as_str()).collect();
            let all = format!("known: {}", names.join(", "));
            let hint = match suggest(&key, names) {
                Some(near) => format!("did you mean `{near}`? ({all})"),
                None => all,
            };
            let message = format!("{function}(): no option `{key}`");
            return Err(Error::new(Kind::Invalid, message).hint(hint));
        };
        let value = value.flatten();
        if !value.is_unit() {
            *place = value;
        }
    }
    Ok(defaults)
}

fn yaml(text: &str) -> Result<Dynamic> {
    // YAML 1.2, as Compose: `on` and `no` are text. So is `010`, for who writes that wants it so.
    // Its own limits on aliases, depth and size hold a hostile document back.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    let parsed = serde_saphyr::from_str_with_options(text, options);
    let document: serde_json::Value = parsed.map_err(|error| {
        // For who writes YAML, not for who uses the parser.
        let words = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
        Error::new(Kind::Invalid, "parse_yaml(): the text is no YAML").cause(words)
    })?;
    values::from_json(without_big_numbers(document))
}

/// A number that is more than the language's greatest is kept as text, digit for digit.
fn without_big_numbers(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Value::String(number.to_string())
        }
        Value::Array(list) => list.into_iter().map(without_big_numbers).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (key, without_big_numbers(value))).collect()
        }
        other => other,
    }
}

fn file(path: &str, own: &Path) -> Result<String> {
    use std::io::Read as _;
    let what = || format!("cannot read `{path}`");
    let file = std::fs::File::open(own).context(what)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).context(what)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::new(Kind::Refused, format!("{}: it has more than 64 MiB", what())));
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Invalid, format!("{}: it is not UTF-8 text", what())))
}
