//! The messages as tables, in our `notation`.
//!
//! The names are the standards', and so is the order of components; of types it is ours. Adjoining booleans and small
//! numbers that nobody looks at share a line.

pub mod capability;
pub mod h225;
pub mod h235;
pub mod h245;
pub mod ras;
pub mod signalling;
