//! JSON.

use std::io::{self, Read};

use super::pace::Pace;
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map};

/// JSON.
#[export_module]
pub mod json {
    /// Returns a JSON text as maps, arrays, numbers and strings.
    #[rhai_fn(name = "parse_json", return_raw)]
    pub fn parse_json(ctx: NativeCallContext, json: &str) -> RhaiResultOf<Dynamic> {
        let mut pieces = Pieces { rest: json.as_bytes(), pace: Pace::new(&ctx), ended: None };
        let parsed = serde_json::from_reader(io::BufReader::new(&mut pieces));
        if let Some(ended) = pieces.ended {
            return Err(ended);
        }
        parsed.map_err(|error| error.to_string().into())
    }

    /// Returns a map as a JSON text.
    #[rhai_fn(name = "to_json", pure, return_raw)]
    pub fn to_json(ctx: NativeCallContext, map: &mut Map) -> RhaiResultOf<ImmutableString> {
        let mut out = Out { pace: Pace::new(&ctx), text: String::new() };
        out.map(map)?;
        Ok(out.text.into())
    }
}

/// A text that is read piece by piece, until the script ends.
struct Pieces<'t, 'c, 'a> {
    rest: &'t [u8],
    pace: Pace<'c, 'a>,
    ended: Option<Box<EvalAltResult>>,
}

impl Read for Pieces<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.rest.read(buffer)?;
        if let Err(ended) = self.pace.spend(read) {
            self.ended = Some(ended);
            return Err(io::ErrorKind::Other.into());
        }
        Ok(read)
    }
}

struct Out<'c, 'a> {
    pace: Pace<'c, 'a>,
    text: String,
}

impl Out<'_, '_> {
    fn map(&mut self, map: &Map) -> RhaiResultOf<()> {
        self.text.push('{');
        for (index, (key, value)) in map.iter().enumerate() {
            self.separate(index);
            self.string(key)?;
            self.text.push(':');
            self.value(value)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn array<'v>(
        &mut self,
        items: impl IntoIterator<Item = &'v Dynamic>,
        first: usize,
    ) -> RhaiResultOf<()> {
        for (index, item) in items.into_iter().enumerate() {
            self.separate(first + index);
            self.value(item)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    fn string(&mut self, text: &str) -> RhaiResultOf<()> {
        self.pace.spend(text.len())?;
        self.pace.fits_text(self.text.len() + text.len())?;
        let quoted = serde_json::to_string(text).map_err(|error| error.to_string())?;
        self.text.push_str(&quoted);
        Ok(())
    }

    fn value(&mut self, value: &Dynamic) -> RhaiResultOf<()> {
        self.pace.spend(16)?;
        self.pace.fits_text(self.text.len())?;
        if value.is_unit() {
            self.text.push_str("null");
        } else if let Some(text) = value.read_lock::<ImmutableString>() {
            return self.string(&text);
        } else if let Some(map) = value.read_lock::<Map>() {
            return self.map(&map);
        } else if let Some(list) = value.read_lock::<Array>() {
            self.text.push('[');
            return self.array(list.iter(), 0);
        } else if let Some(blob) = value.read_lock::<Blob>() {
            self.text.push('[');
            for (index, byte) in blob.iter().enumerate() {
                self.pace.spend(4)?;
                self.separate(index);
                self.text.push_str(&byte.to_string());
            }
            self.text.push(']');
        } else if let Some(function) = value.read_lock::<FnPtr>() {
            if !function.is_curried() {
                return self.string(function.fn_name());
            }
            self.text.push('[');
            self.string(function.fn_name())?;
            return self.array(function.iter_curry(), 1);
        } else {
            self.text.push_str(&format!("{value:?}"));
        }
        Ok(())
    }
}
