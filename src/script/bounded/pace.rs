//! `Pace`: lets a long call look at the end of the script between its parts.

use rhai::{EvalAltResult, NativeCallContext};

use crate::model::{Error, Kind};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{RhaiResultOf, called, throw_by};

/// The longest text that one call makes, in bytes.
pub(super) const LONGEST_TEXT: usize = 256 << 20;
/// The most items that one call makes.
pub(super) const MOST_ITEMS: usize = 16 << 20;

/// The work between two looks, in about a byte copied.
const PART: usize = 64 << 10;

/// The work of a call.
#[derive(Debug)]
pub(super) struct Pace<'c, 'a> {
    ctx: &'c NativeCallContext<'a>,
    left: usize,
}

impl<'c, 'a> Pace<'c, 'a> {
    pub(super) fn new(ctx: &'c NativeCallContext<'a>) -> Self {
        Pace { ctx, left: PART }
    }

    /// Counts the work of the next part.
    ///
    /// # Errors
    /// The end of the script, which comes no later than after a part.
    pub(super) fn spend(&mut self, work: usize) -> RhaiResultOf<()> {
        if let Some(left) = self.left.checked_sub(work) {
            self.left = left;
            return Ok(());
        }
        self.left = PART;
        self.look()
    }

    /// # Errors
    /// The end of the script.
    pub(super) fn look(&self) -> RhaiResultOf<()> {
        match ScriptContext::ending_of(self.ctx) {
            Some(ending) => Err(ending.at(self.ctx.call_position())),
            None => Ok(()),
        }
    }

    /// # Errors
    /// For a text that would be too long.
    pub(super) fn fits_text(&self, bytes: usize) -> RhaiResultOf<()> {
        if bytes <= LONGEST_TEXT {
            return Ok(());
        }
        Err(self.too_long())
    }

    pub(super) fn too_long(&self) -> Box<EvalAltResult> {
        let what = format!("the text would be longer than {} MiB", LONGEST_TEXT >> 20);
        self.refuse(&what, "work on parts of the text: text.sub_string(0, 1000)")
    }

    /// # Errors
    /// For a list that would have too many items.
    pub(super) fn fits_items(&self, items: usize) -> RhaiResultOf<()> {
        if items <= MOST_ITEMS {
            return Ok(());
        }
        let what = format!("the array would have more than {MOST_ITEMS} items");
        Err(self.refuse(&what, "work on parts of it: list.extract(0, 1000)"))
    }

    /// # Errors
    /// For a blob that would be too long.
    pub(super) fn fits_blob(&self, bytes: usize) -> RhaiResultOf<()> {
        if bytes <= LONGEST_TEXT {
            return Ok(());
        }
        let what = format!("the blob would be longer than {} MiB", LONGEST_TEXT >> 20);
        Err(self.refuse(&what, "work on parts of it: blob.extract(0, 1000)"))
    }

    /// Returns the error of the called function.
    pub(super) fn refuse(&self, what: &str, hint: &str) -> Box<EvalAltResult> {
        let message = format!("{}(): {what}", called(self.ctx));
        throw_by(self.ctx, &Error::new(Kind::Invalid, message).hint(hint))
    }
}
