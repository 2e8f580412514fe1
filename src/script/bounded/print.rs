//! The text of arrays and maps. An array may hold one long text many times.

use std::fmt::Write as _;

use super::pace::{LONGEST_TEXT, Pace};
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Dynamic, ImmutableString, Map};

/// The text of values.
#[export_module]
pub mod print {
    /// Returns an array as the script would write it.
    #[rhai_fn(
        name = "print",
        name = "to_string",
        name = "debug",
        name = "to_debug",
        pure,
        return_raw
    )]
    pub fn array(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<ImmutableString> {
        written(&ctx, |out| out.array(array))
    }

    /// Returns a map as the script would write it.
    #[rhai_fn(
        name = "print",
        name = "to_string",
        name = "debug",
        name = "to_debug",
        pure,
        return_raw
    )]
    pub fn map(ctx: NativeCallContext, map: &mut Map) -> RhaiResultOf<ImmutableString> {
        written(&ctx, |out| out.map(map))
    }
}

fn written(
    ctx: &NativeCallContext,
    write: impl FnOnce(&mut Out<'_, '_>) -> RhaiResultOf<()>,
) -> RhaiResultOf<ImmutableString> {
    let mut out = Out { ctx, pace: Pace::new(ctx), text: String::new() };
    match write(&mut out) {
        Ok(()) => Ok(out.text.into()),
        // After an error of `to_string`, Rhai would write the whole value itself.
        Err(_) if matches!(ctx.fn_name(), "to_string" | "to_debug") => Ok(out.cut().into()),
        Err(error) => Err(error),
    }
}

struct Out<'c, 'a> {
    ctx: &'c NativeCallContext<'a>,
    pace: Pace<'c, 'a>,
    text: String,
}

impl Out<'_, '_> {
    fn array(&mut self, array: &Array) -> RhaiResultOf<()> {
        self.text.push('[');
        for (index, item) in array.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.value(item)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn map(&mut self, map: &Map) -> RhaiResultOf<()> {
        self.text.push_str("#{");
        for (index, (key, value)) in map.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let _ = write!(self.text, "{separator}{key:?}: ");
            self.value(value)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn value(&mut self, value: &Dynamic) -> RhaiResultOf<()> {
        if let Some(array) = value.read_lock::<Array>() {
            self.pace.spend(16)?;
            return self.array(&array);
        }
        if let Some(map) = value.read_lock::<Map>() {
            self.pace.spend(16)?;
            return self.map(&map);
        }
        let length = value.read_lock::<ImmutableString>().map_or(16, |text| text.len());
        self.pace.spend(length)?;
        self.pace.fits_text(self.text.len() + length)?;
        let debug = self.ctx.call_native_fn_raw("to_debug", true, &mut [&mut value.clone()]);
        let engine = self.ctx.engine();
        match debug.map(Dynamic::into_immutable_string) {
            Ok(Ok(text)) => self.text.push_str(&text),
            Ok(Err(kind)) => self.text.push_str(engine.map_type_name(kind)),
            Err(_) => self.text.push_str(engine.map_type_name(&format!("{value:?}"))),
        }
        Ok(())
    }

    /// Returns what was written, as a text that shows its missing end.
    fn cut(mut self) -> String {
        let end = self.text.floor_char_boundary(LONGEST_TEXT);
        self.text.truncate(end);
        self.text.push('…');
        self.text
    }
}
