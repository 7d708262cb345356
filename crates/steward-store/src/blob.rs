//! Compressed columns: JSON or raw payloads as zstd.

use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::Compressor;

/// For what is kept for long and read often. A higher level costs more than the disk it saves.
const LEVEL: i32 = 1;
/// For payloads as they came: they are kept for weeks, repeat themselves, and are hardly ever read.
const RAW_LEVEL: i32 = -1;

type Kept = RefCell<Option<Compressor<'static>>>;

thread_local! {
    // Setting up a compressor costs more than compressing a run's steps, so each thread keeps one of each level.
    static COMPRESSOR: Kept = const { RefCell::new(None) };
    static RAW_COMPRESSOR: Kept = const { RefCell::new(None) };
}

/// What every zstd frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Compresses a payload for the inbox; where there is no memory for it, it is stored as it is.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    RAW_COMPRESSOR.with(|kept| compress(kept, RAW_LEVEL, bytes))
}

fn compress(kept: &Kept, level: i32, bytes: &[u8]) -> Vec<u8> {
    let mut kept = kept.borrow_mut();
    if kept.is_none() {
        *kept = Compressor::new(level).ok();
    }
    let packed = kept.as_mut().and_then(|compressor| compressor.compress(bytes).ok());
    packed.unwrap_or_else(|| bytes.to_vec())
}

/// Writes a value as JSON and compresses it.
pub(crate) fn pack_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).unwrap_or_default();
    COMPRESSOR.with(|kept| compress(kept, LEVEL, &json))
}

/// What [`pack`] made. `None` when it is not that.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(&MAGIC) { zstd::stream::decode_all(bytes).ok() } else { Some(bytes.to_vec()) }
}

/// What [`pack_json`] made. `None` when it is not that.
pub(crate) fn unpack_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(&unpack(bytes)?).ok()
}
