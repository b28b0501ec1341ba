//! nft(8)'s language, and that of libnftables-json(5).
//!
//! Both are read into the same few words (`words`), which are gathered by table and chain (`draft`) and then turned into
//! the model (`meaning`, `matches`). The way back is the same: `phrase` finds the words, `write` and `write_json` print
//! them.

mod cursor;
mod draft;
mod json;
mod matches;
mod meaning;
mod names;
mod parts;
mod phrase;
mod said;
mod script;
mod statement;
mod tcp_flags;
mod token;
mod values;
mod words;
mod write;
mod write_json;

pub use json::read_json;
pub use phrase::Unwritable;
pub use script::read;
pub use write::{write, write_rule};
pub use write_json::write_json;
