//! Data: options of a script's own functions, documents, files on the host.

use super::signature::{Anything, Duration};
use crate::engine::stream;
use crate::model::error::Context as _;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::values;
use rhai::plugin::*;
use rhai::{Dynamic, FLOAT, Map};

/// The maximum size of a file of `read_text`, in bytes.
const LARGEST: u64 = 64 << 20;

/// Data.
#[export_module]
pub mod data {
    /// Returns the options of a function of your own: the defaults, overridden by `given`. A key
    /// without a default is an error that suggests the nearest. A value `()` leaves the default.
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

    /// Returns a duration such as `"500ms"` or `"2m"`, or a number of seconds, in seconds.
    ///
    /// ```rhai
    /// print(seconds("1m"));
    /// ```
    #[rhai_fn(name = "seconds", return_raw)]
    pub fn seconds(ctx: NativeCallContext, time: Duration) -> RhaiResultOf<FLOAT> {
        let time = values::parameter("time", values::duration(&time.flatten()));
        time.map(|time| time.as_secs_f64()).or_raise(&ctx)
    }

    /// Returns a YAML 1.2 document as maps, arrays, numbers and strings. A number that would change
    /// if written back stays a string: `010`, and numbers above the largest integer.
    ///
    /// ```rhai
    /// let services = parse_yaml("web: { image: alpine }");
    /// print(services.web.image);
    /// ```
    #[rhai_fn(name = "parse_yaml", return_raw)]
    pub fn parse_yaml(ctx: NativeCallContext, text: &str) -> RhaiResultOf<Anything> {
        yaml(text).or_raise(&ctx)
    }

    /// Returns the absolute path of a path on the host, without `.` and double slashes. A relative
    /// path begins in the working directory.
    ///
    /// ```rhai
    /// print(absolute_path("data"));
    /// ```
    #[rhai_fn(name = "absolute_path", name = "absolute", volatile, return_raw)]
    pub fn absolute_path(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        let absolute = std::path::absolute(path).context(|| format!("cannot resolve `{path}`"));
        absolute.map(|path| path.to_string_lossy().into_owned()).or_raise(&ctx)
    }

    /// Returns the text of a file on the host, up to 64 MiB.
    ///
    /// ```rhai
    /// let name = read_text("/etc/hostname");
    /// ```
    #[rhai_fn(name = "read_text", volatile, return_raw)]
    pub fn read_text(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        let context = ScriptContext::of(&ctx)?;
        let own = context.path(path).or_raise(&ctx)?;
        let cancel = context.cancel();
        stream::read_text(&own, LARGEST, &|| cancel.check())
            .context(|| format!("cannot read `{path}`"))
            .or_raise(&ctx)
    }
}

fn laid_over(function: &str, given: Map, mut defaults: Map) -> Result<Map> {
    for (key, value) in given {
        let Some(place) = defaults.get_mut(&key) else {
            let names: Vec<&str> = defaults.keys().map(|name| name.as_str()).collect();
            let all = format!("use one of {}", names.join(", "));
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
    // YAML 1.2, as Compose: `on` and `no` are text. So is `010`, to keep its zero. The parser's
    // limits on aliases, depth and size protect against hostile documents.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    let parsed = serde_saphyr::from_str_with_options(text, options);
    let document: serde_json::Value = parsed.map_err(|error| {
        // Messages for authors of YAML, not for users of the parser.
        let words = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
        Error::new(Kind::Invalid, "parse_yaml(): the text is not YAML").cause(words)
    })?;
    values::from_json(without_big_numbers(document))
}

/// Converts numbers above the language's largest integer to text, digit for digit.
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
