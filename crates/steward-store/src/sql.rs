//! Plain SQL with numbered placeholders, which both databases read, and rows read column by column.

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, TryGetable, Value};

use crate::error::StoreError;

/// SQLite allows 32,766 bound values per statement and PostgreSQL 65,535.
const MAX_BINDS: usize = 32_766;

/// Rows that one statement inserts: few distinct sizes, so that prepared statements are found again.
const BATCH_ROWS: [usize; 3] = [128, 16, 1];

/// PostgreSQL keeps no NUL in a text, and SQLite's functions end at one: both keep the sign for what cannot be shown.
fn without_nul(value: &mut Value) {
    match value {
        Value::String(Some(text)) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        _ => {}
    }
}

/// A statement with its values.
pub(crate) struct Sql<'a, C: ConnectionTrait> {
    connection: &'a C,
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl<'a, C: ConnectionTrait> Sql<'a, C> {
    pub(crate) fn new(connection: &'a C, backend: DbBackend, text: String) -> Self {
        Self { connection, backend, text, values: Vec::new() }
    }

    /// Binds the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the next placeholders.
    pub(crate) fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Adds to the text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a value and gives its placeholder.
    pub(crate) fn placeholder(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds values and their placeholders, separated by commas, as what `IN (` is followed by.
    ///
    /// The last is repeated up to a power of two: few distinct texts, so that prepared statements are found again.
    pub(crate) fn push_list(&mut self, values: impl IntoIterator<Item = Value>) {
        let mut values: Vec<Value> = values.into_iter().collect();
        if let Some(last) = values.last().cloned() {
            values.resize(values.len().next_power_of_two(), last);
        }
        for (i, value) in values.into_iter().enumerate() {
            let placeholder = self.placeholder(value);
            self.text.push_str(if i == 0 { "" } else { ", " });
            self.text.push_str(&placeholder);
        }
    }

    fn statement(mut self) -> (&'a C, Statement) {
        self.values.iter_mut().for_each(without_nul);
        (self.connection, Statement::from_sql_and_values(self.backend, self.text, self.values))
    }

    /// Runs it and gives the number of rows that it changed.
    pub(crate) async fn run(self) -> Result<u64, StoreError> {
        let (connection, statement) = self.statement();
        Ok(connection.execute_raw(statement).await?.rows_affected())
    }

    /// All rows.
    pub(crate) async fn all(self) -> Result<Vec<Row>, StoreError> {
        let (connection, statement) = self.statement();
        Ok(connection.query_all_raw(statement).await?.into_iter().map(|row| Row { row, next: 0 }).collect())
    }

    /// The first row. `None` when there is none.
    pub(crate) async fn first(self) -> Result<Option<Row>, StoreError> {
        let (connection, statement) = self.statement();
        Ok(connection.query_one_raw(statement).await?.map(|row| Row { row, next: 0 }))
    }
}

/// A row, read from its first column to its last.
pub(crate) struct Row {
    row: QueryResult,
    next: usize,
}

impl Row {
    /// The next column.
    pub(crate) fn take<T: TryGetable>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column as JSON text, parsed.
    pub(crate) fn take_json<T: serde::de::DeserializeOwned>(
        &mut self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, StoreError> {
        let text: String = self.take()?;
        serde_json::from_str(&text).map_err(|_| StoreError::Corrupt { table, column })
    }
}

/// Inserts many rows with as few statements as the limits of bound values allow.
///
/// `tail` is what stands behind the values, as `ON CONFLICT …`. Gives the number of rows changed.
pub(crate) async fn insert_many<C: ConnectionTrait>(
    connection: &C,
    backend: DbBackend,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
    tail: &str,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    let mut rows = rows.into_iter();
    let mut left = rows.len();
    while left > 0 {
        let most = MAX_BINDS / columns.len();
        let size = BATCH_ROWS.into_iter().find(|size| *size <= left && *size <= most).unwrap_or(1);
        left -= size;
        let values: Vec<Value> = rows.by_ref().take(size).flatten().collect();
        let text = insert_text(backend, table, columns, size, tail);
        changed += Sql::new(connection, backend, text).bind_all(values).run().await?;
    }
    Ok(changed)
}

fn insert_text(backend: DbBackend, table: &str, columns: &[&str], n_rows: usize, tail: &str) -> String {
    use std::fmt::Write as _;
    let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    let mut n = 0;
    for row in 0..n_rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            n += 1;
            let comma = if column == 0 { "" } else { ", " };
            // SQLite finds the name of each placeholder that has one by reading all of them.
            let _ = match backend {
                DbBackend::Sqlite => write!(text, "{comma}?"),
                _ => write!(text, "{comma}${n}"),
            };
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(tail);
    text
}
