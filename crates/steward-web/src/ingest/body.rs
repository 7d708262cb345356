//! Bodies of payloads: read as they come, decompressed as they come, and never more of them in memory than is allowed.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use flate2::write::MultiGzDecoder;
use futures::StreamExt as _;
use steward_app::mistakes::Mistake;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::timeout::TimeoutError;

use crate::problem::Kind;
use crate::{Problem, WebState};

/// What is left of a refused body is read and thrown away up to here, so that its sender gets to the answer.
const DRAIN_BYTES: usize = 128 * 1024 * 1024;
const DRAIN_FOR: Duration = Duration::from_secs(15);

/// A body that was read, and its room in memory, which is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bytes: Bytes,
    pub(crate) room: Room,
}

/// A body that may still be coming.
pub(crate) struct Coming {
    stream: BodyDataStream,
    has_ended: bool,
    waits_for_go: bool,
}

impl Coming {
    pub(crate) fn new(body: Body, headers: &HeaderMap) -> Self {
        // Who asks first whether to send has not sent yet; reading would tell it to.
        Self { stream: body.into_data_stream(), has_ended: false, waits_for_go: headers.contains_key(EXPECT) }
    }

    /// Reads the body, decompressed.
    ///
    /// # Errors
    ///
    /// 415 for an encoding other than gzip, 413 for too much, 400 for gzip that is broken, 503 when there is no room.
    pub(crate) async fn read(&mut self, state: &WebState, headers: &HeaderMap) -> Result<Read, Problem> {
        let limits = Limits { sent: state.config().max_body_bytes, inflated: state.config().max_inflated_bytes };
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > limits.sent) {
            return Err(too_large(limits.sent, "as it is sent"));
        }
        let is_gzip = match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()).as_deref()
        {
            None | Some(b"" | b"identity") => false,
            Some(b"gzip" | b"x-gzip") => true,
            Some(_) => {
                return Err(Problem::new(Kind::UnsupportedMediaType)
                    .because("a body is sent as it is, or with Content-Encoding: gzip"));
            }
        };
        self.waits_for_go = false;
        let room = Room::new(state.body_room());
        if is_gzip { self.inflate(limits, room).await } else { self.collect(limits, room).await }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.stream.next().await {
            Some(Ok(chunk)) => Ok(Some(chunk)),
            Some(Err(error)) => {
                self.has_ended = true;
                Err(if has_paused(&error) { paused() } else { broken_off() })
            }
            None => {
                self.has_ended = true;
                Ok(None)
            }
        }
    }

    async fn collect(&mut self, limits: Limits, mut room: Room) -> Result<Read, Problem> {
        let Some(first) = self.next().await? else { return Ok(Read { bytes: Bytes::new(), room }) };
        room.grow_to(first.len())?;
        let Some(second) = self.next().await? else {
            return if first.len() > limits.sent {
                Err(too_large(limits.sent, "as it is sent"))
            } else {
                Ok(Read { bytes: first, room })
            };
        };
        let mut all = Vec::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if all.len() + chunk.len() > limits.sent {
                return Err(too_large(limits.sent, "as it is sent"));
            }
            room.grow_to(all.len() + chunk.len())?;
            all.extend_from_slice(&chunk);
            next = self.next().await?;
        }
        Ok(Read { bytes: all.into(), room })
    }

    async fn inflate(&mut self, limits: Limits, room: Room) -> Result<Read, Problem> {
        let mut decoder =
            MultiGzDecoder::new(Inflated { bytes: Vec::new(), most: limits.inflated, room, refusal: None });
        let mut n_sent = 0;
        let broken = |decoder: &mut MultiGzDecoder<Inflated>, error: &io::Error| {
            let words = || {
                Problem::new(Kind::BadRequest)
                    .because(format!("the body is not valid gzip: {error}; compress it, or leave Content-Encoding out"))
                    .mistaken(Mistake::Encoding)
            };
            decoder.get_mut().refusal.take().unwrap_or_else(words)
        };
        while let Some(chunk) = self.next().await? {
            n_sent += chunk.len();
            if n_sent > limits.sent {
                return Err(too_large(limits.sent, "as it is sent"));
            }
            if let Err(error) = decoder.write_all(&chunk) {
                return Err(broken(&mut decoder, &error));
            }
        }
        if let Err(error) = decoder.try_finish() {
            return Err(broken(&mut decoder, &error));
        }
        let inflated =
            decoder.finish().map_err(|_| Problem::new(Kind::BadRequest).because("the body is not valid gzip"))?;
        Ok(Read { bytes: inflated.bytes.into(), room: inflated.room })
    }

    /// Reads what is left of a refused body and throws it away, within bounds: a connection that is closed with
    /// bytes unread is reset, and the sender never sees why.
    pub(crate) async fn drain(&mut self) {
        if self.has_ended || self.waits_for_go {
            return;
        }
        let all = async {
            let mut n_bytes = 0;
            while let Ok(Some(chunk)) = self.next().await {
                n_bytes += chunk.len();
                if n_bytes > DRAIN_BYTES {
                    return;
                }
            }
        };
        // Whether it came to its end or took too long: the answer goes out.
        let _ = tokio::time::timeout(DRAIN_FOR, all).await;
    }
}

fn broken_off() -> Problem {
    Problem::new(Kind::BadRequest).because("the body broke off before its end")
}

/// Sending it again may well succeed, and exporters drop what is refused in any other way.
fn paused() -> Problem {
    Problem::new(Kind::Busy).titled("The body paused for too long").retry_after(1)
}

/// Whether a body ended because its sender paused for too long.
fn has_paused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[derive(Clone, Copy)]
struct Limits {
    sent: usize,
    inflated: usize,
}

fn too_large(most: usize, how: &str) -> Problem {
    let mebibytes = most / (1024 * 1024);
    Problem::new(Kind::TooLarge).because(format!("a body has at most {mebibytes} MiB {how}; send smaller batches"))
}

/// Where decompressed bytes go: up to a bound, and only while there is room.
struct Inflated {
    bytes: Vec<u8>,
    most: usize,
    room: Room,
    refusal: Option<Problem>,
}

impl Write for Inflated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_bytes = self.bytes.len() + bytes.len();
        let refusal = if n_bytes > self.most {
            Some(too_large(self.most, "after decompression"))
        } else {
            self.room.grow_to(n_bytes).err()
        };
        if refusal.is_some() {
            self.refusal = refusal;
            return Err(io::Error::other("refused"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Room in memory for one body, in kibibytes.
#[derive(Debug)]
pub(crate) struct Room {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(all: &Arc<Semaphore>) -> Self {
        Self { all: Arc::clone(all), held: None }
    }

    /// Takes so much room that a body of so many bytes has its place.
    pub(crate) fn grow_to(&mut self, n_bytes: usize) -> Result<(), Problem> {
        let has = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = n_bytes.div_ceil(1024).saturating_sub(has);
        if more == 0 {
            return Ok(());
        }
        let busy = || Problem::new(Kind::Busy).because("too many payloads at once; nothing was kept").retry_after(1);
        let more = u32::try_from(more).map_err(|_| busy())?;
        let more = Arc::clone(&self.all).try_acquire_many_owned(more).map_err(|_| busy())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}
