//! Compressed columns: JSON or raw payloads as zstd.

use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::Compressor;

/// A higher level costs more than the disk it saves.
const LEVEL: i32 = 1;

thread_local! {
    /// Setting up a compressor costs more than compressing a run's steps, so each thread keeps one.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// What every zstd frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Compresses bytes for storing; where there is no memory for it they are stored as they are.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = Compressor::new(LEVEL).ok();
        }
        let packed = kept.as_mut().and_then(|compressor| compressor.compress(bytes).ok());
        packed.unwrap_or_else(|| bytes.to_vec())
    })
}

/// Writes a value as JSON and compresses it.
pub(crate) fn pack_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    pack(&serde_json::to_vec(value).unwrap_or_default())
}

/// What [`pack`] made. `None` when it is not that.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(&MAGIC) { zstd::stream::decode_all(bytes).ok() } else { Some(bytes.to_vec()) }
}

/// What [`pack_json`] made. `None` when it is not that.
pub(crate) fn unpack_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(&unpack(bytes)?).ok()
}
