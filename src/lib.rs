#![forbid(unsafe_code)]
//! draft
pub mod capture;
pub mod conntrack;
pub mod expectation;
pub mod helper;
pub mod packet;
pub mod time;
pub mod tuple;
pub mod replay;
pub mod report;
