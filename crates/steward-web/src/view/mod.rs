//! What pages are made of: the shell around them, the components in them, and a view structure with a template for each page.
//!
//! Nothing here knows the application: a page's structure holds plain data, already in words, and a handler
//! fills it. Text is escaped where it is written; markup that is already safe is [`html::Html`] or a component.

pub mod components;
pub mod format;
pub mod gallery;
pub mod html;
pub mod page;
pub mod pages;
pub mod samples;
pub mod shell;
