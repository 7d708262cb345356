//! The commands, one file each.

pub mod backup;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod import;
pub mod key;
pub mod migrate;
pub mod patterns;
pub mod prices;
pub mod rebuild;
pub mod report;
pub mod serve;
pub mod user;
pub mod user_data;
