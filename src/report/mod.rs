//! What is printed and written: a file a format.

pub mod events;
pub mod json;
