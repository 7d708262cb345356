//! Runs as a Parquet file, written row group by row group.
//!
//! Costs are decimals of nine digits after the point, so sums over the file are exact. Names are lists.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use steward_store::tenant::RunRow;

use super::Names;
use super::columns::{Cell, Column, Kind};
use crate::AppError;

/// Runs in one row group: large enough to compress well, small enough to hold in memory.
const ROWS_A_GROUP: usize = 20_000;
/// A decimal of 18 digits, the most that fit into 64 bits.
const MAX_USD_NANOS: i64 = 999_999_999_999_999_999;

/// A Parquet file that is being written.
pub(super) struct ParquetFile {
    columns: Vec<&'static Column>,
    /// `None` when it has ended.
    file: Option<SerializedFileWriter<Sink>>,
    sink: Sink,
    /// One list of cells a column, for the row group to come.
    waiting: Vec<Vec<Cell>>,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

/// Where the writer puts its bytes, and from where they are taken while it goes on.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn drain_into(&self, out: &mut Vec<u8>) {
        out.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ParquetFile {
    pub(super) fn begin(columns: Vec<&'static Column>) -> Result<Self, AppError> {
        let schema = parse_message_type(&message_type(&columns)).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .set_created_by("steward".to_owned())
            .build();
        let sink = Sink::default();
        let file = SerializedFileWriter::new(sink.clone(), Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let waiting = columns.iter().map(|_| Vec::new()).collect();
        Ok(Self { columns, file: Some(file), sink, waiting })
    }

    pub(super) fn rows(&mut self, rows: &[RunRow], names: &Names, out: &mut Vec<u8>) -> Result<(), AppError> {
        for (column, cells) in self.columns.iter().zip(&mut self.waiting) {
            cells.extend(rows.iter().map(|row| (column.cell)(row, names)));
        }
        if self.waiting.first().is_some_and(|cells| cells.len() >= ROWS_A_GROUP) {
            self.write_group().map_err(failed)?;
        }
        self.sink.drain_into(out);
        Ok(())
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AppError> {
        if self.waiting.first().is_some_and(|cells| !cells.is_empty()) {
            self.write_group().map_err(failed)?;
        }
        if let Some(file) = self.file.take() {
            file.close().map_err(failed)?;
        }
        self.sink.drain_into(out);
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut group = file.next_row_group()?;
        for cells in &mut self.waiting {
            if let Some(mut column) = group.next_column()? {
                write_column(&mut column, cells)?;
                column.close()?;
            }
            cells.clear();
        }
        group.close()?;
        // The writer buffers the end of the group; what is not flushed waits for the next one.
        file.flush().map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// The schema in Parquet's own words.
fn message_type(columns: &[&'static Column]) -> String {
    let mut text = "message runs {".to_owned();
    for Column { name, kind, .. } in columns {
        text.push_str(&match kind {
            Kind::Text => format!("REQUIRED BYTE_ARRAY {name} (STRING);"),
            Kind::Names => {
                format!(
                    "REQUIRED GROUP {name} (LIST) {{ REPEATED GROUP list {{ REQUIRED BYTE_ARRAY element (STRING); }} }}"
                )
            }
            Kind::Time => format!("REQUIRED INT64 {name} (TIMESTAMP(MICROS,true));"),
            Kind::Count => format!("REQUIRED INT64 {name};"),
            Kind::Flag => format!("REQUIRED BOOLEAN {name};"),
            Kind::Usd => format!("OPTIONAL INT64 {name} (DECIMAL(18,9));"),
        });
    }
    text.push('}');
    text
}

fn write_column(column: &mut SerializedColumnWriter<'_>, cells: &[Cell]) -> Result<(), ParquetError> {
    match column.untyped() {
        ColumnWriter::BoolColumnWriter(column) => {
            let values: Vec<bool> = cells.iter().map(|cell| matches!(cell, Cell::Flag(true))).collect();
            column.write_batch(&values, None, None)?;
        }
        ColumnWriter::Int64ColumnWriter(column) => {
            let is_money = cells.iter().any(|cell| matches!(cell, Cell::Usd(_)));
            let values: Vec<i64> = cells.iter().filter_map(number).collect();
            let levels: Option<Vec<i16>> =
                is_money.then(|| cells.iter().map(|cell| number(cell).is_some().into()).collect());
            column.write_batch(&values, levels.as_deref(), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(column) => {
            let bytes = |text: &str| ByteArray::from(text.as_bytes().to_vec());
            if cells.iter().any(|cell| matches!(cell, Cell::Names(_))) {
                let mut list = NameLevels::default();
                cells.iter().for_each(|cell| list.add(if let Cell::Names(names) = cell { names } else { &[] }));
                let values: Vec<ByteArray> = list.values.iter().map(|name| bytes(name)).collect();
                column.write_batch(&values, Some(&list.definitions), Some(&list.repetitions))?;
            } else {
                let values: Vec<ByteArray> = cells.iter().map(|cell| bytes(&cell.plain())).collect();
                column.write_batch(&values, None, None)?;
            }
        }
        _ => return Err(ParquetError::General("a column of a type that no export has".to_owned())),
    }
    Ok(())
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Time(at) => Some(at.0),
        Cell::Count(n) => Some(*n),
        Cell::Usd(nanos) => nanos.map(|n| n.clamp(-MAX_USD_NANOS, MAX_USD_NANOS)),
        Cell::Text(_) | Cell::Names(_) | Cell::Flag(_) => None,
    }
}

/// Lists flattened as Parquet has them: a level that says whether a place holds something, and one that says whether
/// it goes on with the list before it.
#[derive(Debug, Default)]
struct NameLevels<'a> {
    values: Vec<&'a str>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

impl<'a> NameLevels<'a> {
    fn add(&mut self, names: &'a [String]) {
        if names.is_empty() {
            self.definitions.push(0);
            self.repetitions.push(0);
        }
        for (place, name) in names.iter().enumerate() {
            self.values.push(name);
            self.definitions.push(1);
            self.repetitions.push((place > 0).into());
        }
    }
}

/// The writer writes into memory: what fails is a schema and values that do not fit, a mistake of this module.
fn failed(error: ParquetError) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "a Parquet file could not be written");
    AppError::Invalid("the Parquet file could not be written; CSV and JSON lines hold the same".to_owned())
}
