//! The conversation: read, evaluate, show.
