//! Whether a delivery is from whom it says: signatures over the bytes as they came.
//!
//! Invariant: nothing is parsed before it is verified, but for what a scheme itself signs. Secrets and signatures are
//! compared in constant time, and every secret is tried to the end, so that time tells neither how much of one was
//! right nor which of several it was. An empty secret matches nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as STANDARD_BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use steward_core::time::Timestamp;
use subtle::ConstantTimeEq as _;

use super::{Delivery, Platform};
use crate::text::{hex, unbase64, unhex};

/// How long after it was signed a delivery is taken, in seconds; the schemes' own libraries use the same.
const WINDOW_SECONDS: i64 = 300;
/// The same for ElevenLabs, whose library waits longer.
const ELEVENLABS_WINDOW_SECONDS: i64 = 1_800;
/// How far ahead a sender's clock may be, in seconds.
const AHEAD_SECONDS: i64 = 300;
/// The most signatures of one header that are tried: a sender has two while it changes its secret.
const MAX_SIGNATURES: usize = 8;

/// Why a delivery is not believed. The words say what to look at, and nothing of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is nothing to verify with.
    #[error("this connection has no secret: set the one that the platform signs with")]
    NoSecret,
    /// A header is not there.
    #[error("the header {0} is missing: turn signing on where the webhook is set up, or send the token")]
    Missing(String),
    /// A header is not of its form.
    #[error("the header {header} is not of the form {form}")]
    Malformed {
        /// The header.
        header: String,
        /// How it should look.
        form: &'static str,
    },
    /// It was signed too long ago, or sent a second time.
    #[error(
        "the delivery was signed {age_seconds} seconds ago, and {window_seconds} are allowed: it is late or repeated"
    )]
    TooOld {
        /// How long ago.
        age_seconds: i64,
        /// How long is allowed.
        window_seconds: i64,
    },
    /// It was signed in the future.
    #[error("the delivery was signed {ahead_seconds} seconds ahead of this machine's clock: look at both clocks")]
    Ahead {
        /// How far.
        ahead_seconds: i64,
    },
    /// Another secret signed it, or it was changed on its way.
    #[error("the signature does not fit: the secret is another one, or the body was changed on its way")]
    Wrong,
}

/// The hash under an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Hexadecimal, in any case.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

/// An HMAC whose every part the sender lets one choose, as Vapi's credentials do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HmacPlan {
    /// The header with the signature.
    pub signature_header: String,
    /// The header with the time.
    pub timestamp_header: String,
    /// The header with the delivery's id, where the format has `{svix-id}`.
    pub id_header: String,
    /// What is signed; `{body}`, `{timestamp}`, `{method}`, `{url}` and `{svix-id}` stand for what they say.
    pub format: String,
    /// What stands before the signature in its header: `sha256=`.
    pub prefix: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// How the signature is written.
    pub encoding: Encoding,
    /// The secret is base64 of its bytes.
    pub secret_is_base64: bool,
}

impl Default for HmacPlan {
    fn default() -> Self {
        Self {
            signature_header: "x-signature".to_owned(),
            timestamp_header: "x-timestamp".to_owned(),
            id_header: "x-message-id".to_owned(),
            format: "{timestamp}.{body}".to_owned(),
            prefix: String::new(),
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Hex,
            secret_is_base64: false,
        }
    }
}

/// How a delivery shows that it is from whom it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// The secret itself stands in a header: in the one that is named, else as `Authorization: Bearer …`,
    /// `X-Vapi-Secret` or `X-Steward-Token`. There is no time in it, so nothing tells a repeated delivery.
    Token {
        /// The header; `None` takes any of the usual ones.
        header: Option<String>,
    },
    /// An HMAC of chosen parts.
    Hmac(HmacPlan),
    /// Retell: `X-Retell-Signature: v=<ms>,d=<hex>` over body and time.
    Retell,
    /// ElevenLabs: `ElevenLabs-Signature: t=<s>,v0=<hex>` over time, a point, and body.
    ElevenLabs,
    /// Twilio: `X-Twilio-Signature` over the address and the sorted fields, or the body's hash in the address.
    Twilio,
    /// Standard Webhooks, as OpenAI and others use them: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// Stripe: `Stripe-Signature: t=<s>,v1=<hex>`.
    Stripe,
    /// Synthflow: an HMAC of the call's id alone. It says nothing of the rest of the body.
    Synthflow,
}

impl Scheme {
    /// The scheme by which a platform signs, where a connection says nothing else.
    ///
    /// Platforms without one of their own may send the secret as a token or sign by Standard Webhooks.
    #[must_use]
    pub fn of(platform: Platform, delivery: &Delivery<'_>) -> Self {
        match platform {
            Platform::Retell => Self::Retell,
            Platform::ElevenLabs => Self::ElevenLabs,
            Platform::Twilio => Self::Twilio,
            Platform::Vapi if delivery.header("x-signature").is_some() => Self::Hmac(HmacPlan::default()),
            _ if delivery.header("webhook-signature").is_some() => Self::StandardWebhooks,
            _ => Self::Token { header: None },
        }
    }
}

/// Verifies a delivery by its platform's own scheme. Any of the secrets will do, so that one can be changed.
///
/// # Errors
///
/// When the delivery is not shown to be from whom it says.
pub fn verify(platform: Platform, secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    verify_by(&Scheme::of(platform, delivery), secrets, delivery)
}

/// Verifies a delivery by a scheme.
///
/// # Errors
///
/// When the delivery is not shown to be from whom it says.
pub fn verify_by(scheme: &Scheme, secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    let secrets: Vec<&str> = secrets.iter().copied().filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    match scheme {
        Scheme::Token { header } => by_token(header.as_deref(), &secrets, delivery),
        Scheme::Hmac(plan) => by_plan(plan, &secrets, delivery),
        Scheme::Retell => by_retell(&secrets, delivery),
        Scheme::ElevenLabs => by_stamped("elevenlabs-signature", "v0", ELEVENLABS_WINDOW_SECONDS, &secrets, delivery),
        Scheme::Twilio => by_twilio(&secrets, delivery),
        Scheme::StandardWebhooks => by_standard(&secrets, delivery),
        Scheme::Stripe => by_stamped("stripe-signature", "v1", WINDOW_SECONDS, &secrets, delivery),
        Scheme::Synthflow => by_synthflow(&secrets, delivery),
    }
}

/// The headers that a platform would send with a delivery, signed by its own scheme with a secret at an instant: for
/// trying a connection out. `url` and `body` are what is sent.
#[must_use]
pub fn sign(platform: Platform, secret: &str, url: &str, body: &[u8], at: Timestamp) -> Vec<(&'static str, String)> {
    let by = |parts: &[&[u8]]| {
        // A key of any length is taken.
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_or_else(
            |_| String::new(),
            |mut mac| {
                parts.iter().for_each(|part| mac.update(part));
                hex(mac.finalize().into_bytes().as_slice())
            },
        )
    };
    match platform {
        Platform::Retell => {
            let ms = at.0.div_euclid(1_000).to_string();
            vec![("x-retell-signature", format!("v={ms},d={}", by(&[body, ms.as_bytes()])))]
        }
        Platform::ElevenLabs => {
            let seconds = at.0.div_euclid(1_000_000).to_string();
            vec![("elevenlabs-signature", format!("t={seconds},v0={}", by(&[seconds.as_bytes(), b".", body])))]
        }
        Platform::Twilio => {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return Vec::new() };
            mac.update(url.as_bytes());
            mac.update(form_fields(body).as_bytes());
            vec![("x-twilio-signature", STANDARD_BASE64.encode(mac.finalize().into_bytes()))]
        }
        _ => vec![("authorization", format!("Bearer {secret}"))],
    }
}

/// Whether an HMAC over parts in a row is this signature; compared in constant time.
macro_rules! hmac_fits {
    ($hash:ty, $key:expr, $parts:expr, $signature:expr) => {
        // A key of any length is taken.
        Hmac::<$hash>::new_from_slice($key).is_ok_and(|mut mac| {
            $parts.iter().for_each(|part| mac.update(part));
            mac.verify_slice($signature).is_ok()
        })
    };
}

/// Whether any secret makes any of the signatures. All are tried.
fn any_fits(
    algorithm: Algorithm,
    keys: impl Iterator<Item = Vec<u8>>,
    parts: &[&[u8]],
    signatures: &[Vec<u8>],
) -> Result<(), SignatureError> {
    let mut fits = false;
    for key in keys.filter(|key| !key.is_empty()) {
        for signature in signatures.iter().take(MAX_SIGNATURES) {
            fits |= match algorithm {
                Algorithm::Sha1 => hmac_fits!(Sha1, &key, parts, signature),
                Algorithm::Sha256 => hmac_fits!(Sha256, &key, parts, signature),
                Algorithm::Sha512 => hmac_fits!(Sha512, &key, parts, signature),
            };
        }
    }
    if fits { Ok(()) } else { Err(SignatureError::Wrong) }
}

fn raw<'a>(secrets: &'a [&str]) -> impl Iterator<Item = Vec<u8>> + 'a {
    secrets.iter().map(|secret| secret.as_bytes().to_vec())
}

fn required<'a>(delivery: &Delivery<'a>, header: &str) -> Result<&'a str, SignatureError> {
    delivery.header(header).ok_or_else(|| SignatureError::Missing(header.to_owned()))
}

fn malformed(header: &str, form: &'static str) -> SignatureError {
    SignatureError::Malformed { header: header.to_owned(), form }
}

fn in_time(signed_at: Timestamp, now: Timestamp, window_seconds: i64) -> Result<(), SignatureError> {
    let age_seconds = now.0.saturating_sub(signed_at.0).div_euclid(1_000_000);
    if age_seconds > window_seconds {
        return Err(SignatureError::TooOld { age_seconds, window_seconds });
    }
    if age_seconds < -AHEAD_SECONDS {
        return Err(SignatureError::Ahead { ahead_seconds: age_seconds.saturating_neg() });
    }
    Ok(())
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn by_token(header: Option<&str>, secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    let sent = match header {
        Some(header) => bearer(required(delivery, header)?),
        None => ["authorization", "x-vapi-secret", "x-steward-token"]
            .iter()
            .find_map(|header| delivery.header(header))
            .map(bearer)
            .ok_or_else(|| SignatureError::Missing("authorization".to_owned()))?,
    };
    // Hashes are of one length, so that not even the length of a secret shows.
    let sent = Sha256::digest(sent.as_bytes());
    let mut fits = subtle::Choice::from(0);
    for secret in secrets {
        fits |= Sha256::digest(secret.as_bytes()).as_slice().ct_eq(sent.as_slice());
    }
    if bool::from(fits) { Ok(()) } else { Err(SignatureError::Wrong) }
}

fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((word, token)) if word.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

fn by_plan(plan: &HmacPlan, secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    let sent = required(delivery, &plan.signature_header)?;
    let form = match plan.encoding {
        Encoding::Hex => "hexadecimal, with the prefix of the credential",
        Encoding::Base64 => "base64, with the prefix of the credential",
    };
    let signature = sent.strip_prefix(&*plan.prefix).and_then(|text| match plan.encoding {
        Encoding::Hex => unhex(text),
        Encoding::Base64 => unbase64(text),
    });
    let signature = signature.ok_or_else(|| malformed(&plan.signature_header, form))?;
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut rest = plan.format.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(before.as_bytes());
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        parts.push(match name {
            "body" => delivery.body,
            "method" => delivery.method.as_bytes(),
            "url" => delivery.url.as_bytes(),
            "svix-id" => required(delivery, &plan.id_header)?.as_bytes(),
            "timestamp" => {
                let stamp = required(delivery, &plan.timestamp_header)?;
                let value = serde_json::Value::String(stamp.to_owned());
                let signed_at = crate::fields::instant(&value)
                    .filter(|at| at.is_plausible())
                    .ok_or_else(|| malformed(&plan.timestamp_header, "seconds or milliseconds since 1970"))?;
                in_time(signed_at, delivery.received_at, WINDOW_SECONDS)?;
                stamp.as_bytes()
            }
            _ => b"",
        });
        rest = after;
    }
    parts.push(rest.as_bytes());
    let keys = secrets.iter().map(|secret| {
        if plan.secret_is_base64 { unbase64(secret).unwrap_or_default() } else { secret.as_bytes().to_vec() }
    });
    any_fits(plan.algorithm, keys, &parts, &[signature])
}

fn by_retell(secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    const HEADER: &str = "x-retell-signature";
    const FORM: &str = "v=<milliseconds>,d=<64 hexadecimal digits>";
    let sent = required(delivery, HEADER)?;
    let (stamp, signature) = sent.split_once(',').ok_or_else(|| malformed(HEADER, FORM))?;
    let member = |part: &'_ str, name: &str| -> Option<String> {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    };
    let stamp = member(stamp, "v").ok_or_else(|| malformed(HEADER, FORM))?;
    let ms = digits(&stamp).ok_or_else(|| malformed(HEADER, FORM))?;
    let signature = member(signature, "d")
        .and_then(|text| unhex(&text))
        .filter(|bytes| bytes.len() == 32)
        .ok_or_else(|| malformed(HEADER, FORM))?;
    in_time(Timestamp(ms.saturating_mul(1_000)), delivery.received_at, WINDOW_SECONDS)?;
    any_fits(Algorithm::Sha256, raw(secrets), &[delivery.body, stamp.as_bytes()], &[signature])
}

/// `t=<seconds>,<version>=<hex>`, signed over time, a point, and body; the version may stand there several times.
fn by_stamped(
    header: &str,
    version: &str,
    window_seconds: i64,
    secrets: &[&str],
    delivery: &Delivery<'_>,
) -> Result<(), SignatureError> {
    const FORM: &str = "t=<seconds>,<version>=<hexadecimal digits>";
    let sent = required(delivery, header)?;
    let members = || sent.split(',').filter_map(|part| part.trim().split_once('='));
    let stamp =
        members().find(|(key, _)| *key == "t").map(|(_, value)| value).ok_or_else(|| malformed(header, FORM))?;
    let seconds = digits(stamp).ok_or_else(|| malformed(header, FORM))?;
    let signatures: Vec<Vec<u8>> =
        members().filter(|(key, _)| *key == version).take(MAX_SIGNATURES).filter_map(|(_, text)| unhex(text)).collect();
    if signatures.is_empty() {
        return Err(malformed(header, FORM));
    }
    in_time(Timestamp::from_seconds(seconds), delivery.received_at, window_seconds)?;
    any_fits(Algorithm::Sha256, raw(secrets), &[stamp.as_bytes(), b".", delivery.body], &signatures)
}

fn by_standard(secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    let id = required(delivery, "webhook-id")?;
    let stamp = required(delivery, "webhook-timestamp")?;
    let sent = required(delivery, "webhook-signature")?;
    let seconds = digits(stamp).ok_or_else(|| malformed("webhook-timestamp", "seconds since 1970"))?;
    let signatures: Vec<Vec<u8>> = sent
        .split_ascii_whitespace()
        .filter_map(|part| part.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .filter_map(unbase64)
        .collect();
    if signatures.is_empty() {
        return Err(malformed("webhook-signature", "v1,<base64>"));
    }
    in_time(Timestamp::from_seconds(seconds), delivery.received_at, WINDOW_SECONDS)?;
    let keys = secrets.iter().map(|secret| match secret.strip_prefix("whsec_") {
        Some(key) => unbase64(key).unwrap_or_default(),
        None => secret.as_bytes().to_vec(),
    });
    let parts = [id.as_bytes(), b".", stamp.as_bytes(), b".", delivery.body];
    any_fits(Algorithm::Sha256, keys, &parts, &signatures)
}

/// The beginning of a secret, as Standard Webhooks writes it.
const STANDARD: &str = "whsec_";

/// A secret to sign with, as Standard Webhooks writes it.
#[must_use]
pub fn new_standard_secret(bytes: &[u8; 32]) -> String {
    format!("{STANDARD}{}", STANDARD_BASE64.encode(bytes))
}

/// Signs what Steward itself sends, as Standard Webhooks says: the text of the header `webhook-signature`. `None` for a
/// secret that is none.
#[must_use]
pub fn sign_standard(secret: &str, id: &str, at: Timestamp, body: &str) -> Option<String> {
    let key = unbase64(secret.strip_prefix(STANDARD)?).filter(|key| !key.is_empty())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    let seconds = at.as_micros().div_euclid(1_000_000);
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD_BASE64.encode(mac.finalize().into_bytes())))
}

fn by_synthflow(secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    const HEADER: &str = "synthflow-signature";
    let sent = delivery.header("http_synthflow_signature").or_else(|| delivery.header(HEADER));
    let sent = sent.ok_or_else(|| SignatureError::Missing(HEADER.to_owned()))?;
    let signature = unbase64(sent).ok_or_else(|| malformed(HEADER, "base64"))?;
    let body: serde_json::Value = serde_json::from_slice(delivery.body).map_err(|_| SignatureError::Wrong)?;
    let id = [body.pointer("/call/call_id"), body.get("call_id")].into_iter().flatten().find_map(|id| id.as_str());
    any_fits(Algorithm::Sha256, raw(secrets), &[id.ok_or(SignatureError::Wrong)?.as_bytes()], &[signature])
}

fn by_twilio(secrets: &[&str], delivery: &Delivery<'_>) -> Result<(), SignatureError> {
    const HEADER: &str = "x-twilio-signature";
    let signature = unbase64(required(delivery, HEADER)?).ok_or_else(|| malformed(HEADER, "base64"))?;
    let query = delivery.url.split_once('?').map_or("", |(_, query)| query);
    let of_body = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "bodySHA256").map(|(_, hash)| hash);
    let fields = match of_body {
        // The address holds the hash of the body, so the address alone is signed.
        Some(said) => {
            let is = hex(Sha256::digest(delivery.body).as_slice());
            if !bool::from(is.as_bytes().ct_eq(said.to_ascii_lowercase().as_bytes())) {
                return Err(SignatureError::Wrong);
            }
            String::new()
        }
        None => form_fields(delivery.body),
    };
    let mut result = Err(SignatureError::Wrong);
    for url in with_and_without_port(delivery.url) {
        let parts = [url.as_bytes(), fields.as_bytes()];
        let fits = any_fits(Algorithm::Sha1, raw(secrets), &parts, std::slice::from_ref(&signature));
        result = result.or(fits);
    }
    result
}

/// The fields of a form as Twilio signs them: sorted, names and values in a row.
fn form_fields(body: &[u8]) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body).collect();
    pairs.sort();
    pairs.dedup();
    pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()
}

/// The address as it is, with its scheme's own port, and without any: Twilio signs one of them.
fn with_and_without_port(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let port = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    match host.rsplit_once(':') {
        Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            all.push(format!("{scheme}://{name}{path}"));
        }
        _ => all.push(format!("{scheme}://{host}:{port}{path}")),
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_tried_with_and_without_its_port() {
        assert_eq!(with_and_without_port("https://a.b/c?d"), ["https://a.b/c?d", "https://a.b:443/c?d"]);
        assert_eq!(with_and_without_port("http://a.b:8080?d"), ["http://a.b:8080?d", "http://a.b?d"]);
        assert_eq!(with_and_without_port("nonsense"), ["nonsense"]);
    }

    #[test]
    fn a_token_stands_alone_or_after_bearer() {
        assert_eq!((bearer("Bearer  x"), bearer("bearer x"), bearer("x y")), ("x", "x", "x y"));
    }
}
