//! Secrets of others, at rest: what a platform signs with or is asked with has to be known again in the clear, so it
//! is encrypted under a key that is not in the database. A copy of the database alone opens none of them.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::{App, AppError};

/// The form of what is sealed: a byte, then the nonce, then the ciphertext with its tag.
const FORM: u8 = 1;
/// The least characters of a key's text.
pub const LEAST_CHARS: usize = 32;

/// What secrets of others are sealed with.
pub struct Seal(LessSafeKey);

impl Seal {
    /// A seal of a key's text. `None` when it is shorter than [`LEAST_CHARS`].
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().count() < LEAST_CHARS {
            return None;
        }
        // The text is as random as a key; the hash only gives it a key's length.
        let key = UnboundKey::new(&CHACHA20_POLY1305, &Sha256::digest(text.as_bytes())).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Seals a text for one place; in another it does not open.
    fn close(&self, text: &str, place: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut bytes = text.as_bytes().to_vec();
        let key = &self.0;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut bytes).ok()?;
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut bytes);
        Some(sealed)
    }

    /// Opens what was sealed for a place. `None` when it is of another key or place, or was changed.
    fn open(&self, sealed: &[u8], place: &[u8]) -> Option<String> {
        let (form, rest) = sealed.split_first()?;
        let (nonce, bytes) = rest.split_at_checked(NONCE_LEN).filter(|_| *form == FORM)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let text = self.0.open_in_place(nonce, Aad::from(place), &mut bytes).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl App {
    /// Seals a text for a place.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] when this process has no key to seal with.
    pub(crate) fn seal(&self, text: &str, place: &[u8]) -> Result<Vec<u8>, AppError> {
        let none = "there is no key to seal secrets with: set secret_key in steward.toml, or STEWARD_SECRET_KEY";
        let seal = self.inner.seal.get().ok_or_else(|| AppError::Invalid(none.to_owned()))?;
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&self.ids().secret()[..NONCE_LEN]);
        seal.close(text, place, nonce).ok_or(AppError::Fault("sealing a secret"))
    }

    /// Opens what was sealed for a place.
    ///
    /// # Errors
    ///
    /// [`AppError::Fault`] when this process has another key, or none.
    pub(crate) fn unseal(&self, sealed: &[u8], place: &[u8]) -> Result<String, AppError> {
        let opened = self.inner.seal.get().and_then(|seal| seal.open(sealed, place));
        opened.ok_or(AppError::Fault("opening a sealed secret: secret_key is not the one that it was sealed with"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(text: &str) -> Seal {
        Seal::of(text).expect("long enough")
    }

    #[test]
    fn what_is_sealed_opens_only_with_its_key_in_its_place_and_unchanged() {
        let ours = seal("a key of at least thirty-two characters");
        let sealed = ours.close("hunter2", b"here", [7; NONCE_LEN]).expect("sealed");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(ours.open(&sealed, b"here").as_deref(), Some("hunter2"));
        assert_eq!(ours.open(&sealed, b"there"), None);
        assert_eq!(seal("another key of at least thirty-two characters").open(&sealed, b"here"), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(ours.open(&changed, b"here"), None, "byte {place}");
        }
        for n_bytes in 0..sealed.len() {
            assert_eq!(ours.open(&sealed[..n_bytes], b"here"), None, "{n_bytes} bytes");
        }
    }

    #[test]
    fn a_short_key_is_none() {
        assert!(Seal::of(&"x".repeat(LEAST_CHARS - 1)).is_none());
        assert!(Seal::of(&format!(" {} ", "x".repeat(LEAST_CHARS - 1))).is_none());
    }
}
