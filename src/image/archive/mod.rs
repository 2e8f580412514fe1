//! Image archives of other tools, read and written.

mod contents;
mod layout;
mod load;
mod save;
