//! Secrets: made here, stored only as hashes, compared in constant time, never logged.

use sha2::{Digest, Sha256};

/// A secret that a person or program holds: shown once, never stored.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret of 32 random bytes with a prefix that says what it is for.
    #[must_use]
    pub fn of(prefix: &str, bytes: [u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut text = prefix.to_owned();
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Takes a secret that somebody sent.
    #[must_use]
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret itself: to show once, or to send to its holder.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored. Secrets are 256 random bits, so a plain hash cannot be turned back.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
