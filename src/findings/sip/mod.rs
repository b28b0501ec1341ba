//! SIP: text that is no message where a helper takes it for one, whom a registration or a description names, and
//! numbers that are read in two ways.

pub mod number;
mod text;
pub mod whose;
pub mod wrapped;
