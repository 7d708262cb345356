//! A database of its own for every test.

use std::future::Future;
use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use steward_store::{Store, testing};
use tempfile::TempDir;

/// A database of its own, removed when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    url: String,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// The folder of the SQLite file.
    Folder(#[expect(dead_code, reason = "it is removed when it is dropped")] TempDir),
    /// A schema on a server.
    Schema { server: String, name: String },
}

impl TestDb {
    /// An empty SQLite file.
    ///
    /// # Panics
    ///
    /// When no temporary folder can be made.
    #[must_use]
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("steward.db").display());
        Self { url, kept: Kept::Folder(folder) }
    }

    /// An empty schema on the PostgreSQL server that `TEST_DATABASE_URL` names. `None` when it names none.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn postgres() -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let server = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())?;
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // What a process of the same number left behind.
        testing::drop_schema(&server, &name).await.expect("PostgreSQL answers");
        let url = testing::create_schema(&server, &name).await.expect("a schema");
        Some(Self { url, kept: Kept::Schema { server, name } })
    }

    /// Another empty one of the same kind.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn another(&self) -> Self {
        match self.kept {
            Kept::Folder(_) => Self::sqlite(),
            Kept::Schema { .. } => Self::postgres().await.expect("the server that this one is on"),
        }
    }

    /// Its address, for [`Store::open`].
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it, as one process among several would.
    ///
    /// # Panics
    ///
    /// When it cannot be opened.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.expect("the database opens")
    }

    /// Every text and every blob in it, decompressed, each with its table and column.
    ///
    /// # Panics
    ///
    /// When the database does not answer.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn everything_stored(&self) -> Vec<(String, Vec<u8>)> {
        testing::everything_stored(&self.url).await.expect("the database answers")
    }

    /// Runs a statement on it behind the program's back.
    ///
    /// # Panics
    ///
    /// When the database refuses it.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn run(&self, text: &str) {
        testing::run(&self.url, text).await.expect("the statement runs");
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Kept::Schema { server, name } = &self.kept else { return };
        let (server, name) = (server.clone(), name.clone());
        // Dropping happens inside of a runtime, and another one cannot be entered there.
        let dropping = std::thread::spawn(move || run(async { testing::drop_schema(&server, &name).await }));
        if !matches!(dropping.join(), Ok(Ok(()))) && !std::thread::panicking() {
            say_once("a test's schema could not be removed");
        }
    }
}

/// Runs a test's body.
///
/// # Panics
///
/// When no runtime can be made.
#[expect(clippy::expect_used, reason = "in tests a panic is the report")]
pub fn run<T>(body: impl Future<Output = T>) -> T {
    // One thread, so that what is logged belongs to the test that runs on it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    // A test that runs on both databases asserts each of its snapshots twice, and both must be the same.
    insta::allow_duplicates! { runtime.block_on(body) }
}

/// Runs a test's body on PostgreSQL, or says that it was left out.
///
/// # Panics
///
/// When no server is named and `STEWARD_REQUIRE_POSTGRES` is set.
pub fn run_on_postgres<F: Future<Output = ()>>(on: impl FnOnce(TestDb) -> F) {
    run(async {
        match TestDb::postgres().await {
            Some(db) => on(db).await,
            None if std::env::var_os("STEWARD_REQUIRE_POSTGRES").is_some() => {
                panic!("TEST_DATABASE_URL names no PostgreSQL server, and STEWARD_REQUIRE_POSTGRES asks for one")
            }
            None => say_once(
                "left out: tests on PostgreSQL, because TEST_DATABASE_URL names no server (see `cargo xtask postgres`)",
            ),
        }
    });
}

fn say_once(words: &str) {
    static SAID: Once = Once::new();
    // Past the test harness, which keeps what tests that pass print to itself.
    SAID.call_once(|| drop(writeln!(std::io::stderr(), "{words}")));
}
