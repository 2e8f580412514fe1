//! The shell face.
