//! For tests alone: databases of both kinds, an application with a clock that stands still, and people who ask it things.
//!
//! Requests go through the router, never to a function. Ids are counted and time is moved by hand, so that an answer is
//! the same on every run and a snapshot of it needs no redaction.

mod answer;
mod db;
mod grpc;
mod logs;
mod seat;
mod test_app;

pub use answer::Answer;
pub use db::{TestDb, run, run_on_postgres};
pub use grpc::{Called, call};
pub use logs::Logs;
pub use seat::{KeyHolder, Seat};
pub use test_app::{NOW, PASSWORD, TestApp};
/// For tests of rooms that may use only the use cases.
pub use {steward_core, steward_wire};

/// Runs each test on both databases: `x` becomes `x::sqlite` and `x::postgres`.
///
/// ```text
/// db_tests! {
///     async fn a_run_of_another_agency_is_not_found(db: TestDb) {
///         let app = TestApp::new(db).await;
///         …
///     }
/// }
/// ```
#[macro_export]
macro_rules! db_tests {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn on($db: $crate::TestDb) $body

            #[test]
            fn sqlite() {
                $crate::run(async { on($crate::TestDb::sqlite()).await });
            }

            #[test]
            fn postgres() {
                $crate::run_on_postgres(on);
            }
        }
    )*};
}
