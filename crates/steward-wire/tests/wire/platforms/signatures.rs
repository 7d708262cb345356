use hmac_of::hex_sha256;
use steward_core::time::Timestamp;
use steward_wire::platforms::signature::{Algorithm, Encoding, HmacPlan, Scheme, SignatureError, verify, verify_by};
use steward_wire::platforms::{Delivery, Platform, new_standard_secret, sign_standard};

/// The vectors, as they are computed by the senders' own libraries.
const RETELL_BODY: &str = r#"{"event":"call_ended","call":{"call_id":"abc"}}"#;
const RETELL: &str = "v=1741475892000,d=63a9cb971d1112cbdd3478635110c62e1733d8adaf9cfd112a5828ad17670c4d";
const ELEVENLABS_BODY: &str =
    r#"{"type":"post_call_transcription","event_timestamp":1739537297,"data":{"conversation_id":"abc"}}"#;
const ELEVENLABS: &str = "t=1739537297,v0=6e321e2044a124192e73090ae6cd11a39fe97800cc3e4e6361404552a92914b0";
const VAPI_BODY: &str = r#"{"message":{"type":"end-of-call-report"}}"#;
const VAPI: &str = "f39ebce77ca637ac2ec030dcadd51c6edf5401b08f4ccd16fa80de86ae4a51ce";
const STANDARD_BODY: &str =
    r#"{"object":"event","id":"evt_1","type":"response.completed","created_at":1741475892,"data":{"id":"resp_1"}}"#;
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const STANDARD: &str = "v1,TZGBLL0DWUmlPFlgr8Plk96Ldb2uphiLHTJC+aYzSbw=";
const TWILIO_BODY: &str =
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const TWILIO_URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const TWILIO: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
const STAMP: i64 = 1_741_475_892;

fn delivery<'a>(headers: &'a [(&'a str, &'a str)], body: &'a str, at: i64) -> Delivery<'a> {
    Delivery {
        method: "POST",
        url: TWILIO_URL,
        headers,
        body: body.as_bytes(),
        received_at: Timestamp::from_seconds(at),
        scope: "",
    }
}

#[test]
fn every_vector_is_verified() {
    let retell = [("X-Retell-Signature", RETELL)];
    assert_eq!(verify(Platform::Retell, &["key_test"], &delivery(&retell, RETELL_BODY, STAMP + 10)), Ok(()));
    let elevenlabs = [("ElevenLabs-Signature", ELEVENLABS)];
    let call = delivery(&elevenlabs, ELEVENLABS_BODY, 1_739_537_297);
    assert_eq!(verify(Platform::ElevenLabs, &["wsec_test"], &call), Ok(()));
    let vapi = [("x-timestamp", "1741475892"), ("x-signature", VAPI)];
    assert_eq!(verify(Platform::Vapi, &["s3cret"], &delivery(&vapi, VAPI_BODY, STAMP)), Ok(()));
    let standard = [("webhook-id", "wh_1"), ("webhook-timestamp", "1741475892"), ("webhook-signature", STANDARD)];
    assert_eq!(verify(Platform::Event, &[STANDARD_SECRET], &delivery(&standard, STANDARD_BODY, STAMP)), Ok(()));
    let twilio = [("X-Twilio-Signature", TWILIO)];
    assert_eq!(verify(Platform::Twilio, &["12345"], &delivery(&twilio, TWILIO_BODY, STAMP)), Ok(()));
    let stripe =
        [("Stripe-Signature", "t=1741475892,v1=91517d649dd31bc2ecb63ca68d32fff4e44a56840e683a2141e87360ef39d5a5")];
    let event = delivery(&stripe, r#"{"id":"evt_1"}"#, STAMP);
    assert_eq!(verify_by(&Scheme::Stripe, &["whsec_test"], &event), Ok(()));
    let synthflow = [("HTTP_SYNTHFLOW_SIGNATURE", "eEAfVhCzbZSWEy9RgRENhp5Tz9A9435K/skLdUHvgbY=")];
    let call = delivery(&synthflow, r#"{"call":{"call_id":"11111111-1111-1111-1111-111111111111"}}"#, STAMP);
    assert_eq!(verify_by(&Scheme::Synthflow, &["s"], &call), Ok(()));
}

#[test]
fn a_changed_byte_a_wrong_secret_and_no_secret_are_refused() {
    let headers = [("x-retell-signature", RETELL)];
    let changed = RETELL_BODY.replace("abc", "abd");
    let wrong = Err(SignatureError::Wrong);
    assert_eq!(verify(Platform::Retell, &["key_test"], &delivery(&headers, &changed, STAMP)), wrong);
    assert_eq!(verify(Platform::Retell, &["other"], &delivery(&headers, RETELL_BODY, STAMP)), wrong);
    let none = Err(SignatureError::NoSecret);
    assert_eq!(verify(Platform::Retell, &[], &delivery(&headers, RETELL_BODY, STAMP)), none);
    assert_eq!(verify(Platform::Retell, &[""], &delivery(&headers, RETELL_BODY, STAMP)), none);
    let empty = [("authorization", "Bearer ")];
    assert_eq!(verify(Platform::N8n, &[""], &delivery(&empty, "{}", STAMP)), none);
    assert_eq!(verify(Platform::N8n, &["", "x"], &delivery(&empty, "{}", STAMP)), wrong);
}

#[test]
fn any_of_several_secrets_will_do_while_one_is_changed() {
    let headers = [("x-retell-signature", RETELL)];
    for secrets in [["old", "key_test"], ["key_test", "new"]] {
        assert_eq!(verify(Platform::Retell, &secrets, &delivery(&headers, RETELL_BODY, STAMP)), Ok(()));
    }
    let two = format!("t=1739537297,v0={},v0={}", "0".repeat(64), &ELEVENLABS[16..]);
    let headers = [("elevenlabs-signature", two.as_str())];
    let call = delivery(&headers, ELEVENLABS_BODY, 1_739_537_297);
    assert_eq!(verify(Platform::ElevenLabs, &["wsec_test"], &call), Ok(()));
}

#[test]
fn what_was_signed_too_long_ago_or_in_the_future_is_refused() {
    let headers = [("x-retell-signature", RETELL)];
    let at = |seconds: i64| verify(Platform::Retell, &["key_test"], &delivery(&headers, RETELL_BODY, STAMP + seconds));
    assert_eq!((at(300), at(-300)), (Ok(()), Ok(())));
    assert_eq!(at(301), Err(SignatureError::TooOld { age_seconds: 301, window_seconds: 300 }));
    assert_eq!(at(-301), Err(SignatureError::Ahead { ahead_seconds: 301 }));
    let headers = [("elevenlabs-signature", ELEVENLABS)];
    let at = |seconds: i64| {
        verify(Platform::ElevenLabs, &["wsec_test"], &delivery(&headers, ELEVENLABS_BODY, 1_739_537_297 + seconds))
    };
    assert_eq!(at(1_800), Ok(()));
    assert!(matches!(at(1_801), Err(SignatureError::TooOld { .. })));
}

#[test]
fn headers_that_are_missing_or_of_another_form_are_named() {
    let missing = verify(Platform::Twilio, &["x"], &delivery(&[], "", STAMP)).unwrap_err();
    insta::assert_snapshot!(missing, @"the header x-twilio-signature is missing: turn signing on where the webhook is set up, or send the token");
    for broken in
        ["", "v=1", "v=1,d=zz", "d=00,v=1", "v=-1,d=00", "v=99999999999999999999,d=00", "v=1741475892000,d=00"]
    {
        let headers = [("x-retell-signature", broken)];
        let refused = verify(Platform::Retell, &["key_test"], &delivery(&headers, RETELL_BODY, STAMP)).unwrap_err();
        assert!(matches!(refused, SignatureError::Malformed { .. }), "{broken}: {refused}");
    }
    let headers = [("webhook-id", "a"), ("webhook-timestamp", "soon"), ("webhook-signature", "v1,AA==")];
    let refused = verify(Platform::Make, &["x"], &delivery(&headers, "{}", STAMP)).unwrap_err();
    insta::assert_snapshot!(refused, @"the header webhook-timestamp is not of the form seconds since 1970");
}

#[test]
fn tokens_stand_in_the_usual_headers_or_in_one_of_choice() {
    for headers in [
        [("Authorization", "Bearer t0ken")],
        [("authorization", "bearer t0ken")],
        [("X-Vapi-Secret", "t0ken")],
        [("x-steward-token", "t0ken")],
    ] {
        assert_eq!(verify(Platform::Vapi, &["t0ken"], &delivery(&headers, "{}", STAMP)), Ok(()));
        assert_eq!(verify(Platform::Vapi, &["t0ken2"], &delivery(&headers, "{}", STAMP)), Err(SignatureError::Wrong));
    }
    let headers = [("x-mine", "t0ken"), ("authorization", "Bearer other")];
    let scheme = Scheme::Token { header: Some("X-Mine".to_owned()) };
    assert_eq!(verify_by(&scheme, &["t0ken"], &delivery(&headers, "{}", STAMP)), Ok(()));
}

#[test]
fn a_credential_of_vapi_may_choose_every_part() {
    // Milliseconds are as good as seconds.
    let signature = hex_sha256(b"s3cret", format!("1741475892000.{VAPI_BODY}").as_bytes());
    let headers = [("x-timestamp", "1741475892000"), ("x-signature", signature.as_str())];
    assert_eq!(verify(Platform::Vapi, &["s3cret"], &delivery(&headers, VAPI_BODY, STAMP)), Ok(()));
    let plan = HmacPlan {
        signature_header: "x-sig".to_owned(),
        format: "{method} {url} {body}".to_owned(),
        prefix: "sha256=".to_owned(),
        secret_is_base64: true,
        ..HmacPlan::default()
    };
    let signed = format!("sha256={}", hex_sha256(b"s3cret", format!("POST {TWILIO_URL} {VAPI_BODY}").as_bytes()));
    let headers = [("x-sig", signed.as_str())];
    let scheme = Scheme::Hmac(plan.clone());
    assert_eq!(verify_by(&scheme, &["czNjcmV0"], &delivery(&headers, VAPI_BODY, STAMP)), Ok(()));
    for (algorithm, encoding) in [(Algorithm::Sha1, Encoding::Hex), (Algorithm::Sha512, Encoding::Base64)] {
        let scheme = Scheme::Hmac(HmacPlan { algorithm, encoding, ..plan.clone() });
        let refused = verify_by(&scheme, &["czNjcmV0"], &delivery(&headers, VAPI_BODY, STAMP)).unwrap_err();
        assert_eq!(refused, SignatureError::Wrong);
    }
    let late = [("x-timestamp", "1741475892"), ("x-signature", VAPI)];
    let refused = verify(Platform::Vapi, &["s3cret"], &delivery(&late, VAPI_BODY, STAMP + 3_600)).unwrap_err();
    assert!(matches!(refused, SignatureError::TooOld { .. }));
}

#[test]
fn twilio_signs_the_address_with_or_without_its_port_and_json_by_its_hash() {
    let headers = [("x-twilio-signature", TWILIO)];
    let with_port =
        Delivery { url: "https://mycompany.com:443/myapp.php?foo=1&bar=2", ..delivery(&headers, TWILIO_BODY, STAMP) };
    assert_eq!(verify(Platform::Twilio, &["12345"], &with_port), Ok(()));
    let elsewhere = Delivery { url: "https://other.example/myapp.php?foo=1&bar=2", ..with_port };
    assert_eq!(verify(Platform::Twilio, &["12345"], &elsewhere), Err(SignatureError::Wrong));
    let json = r#"{"property": "value", "boolean": true}"#;
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let headers = [("x-twilio-signature", "a9nBmqA0ju/hNViExpshrM61xv4=")];
    let by_hash = Delivery { url, ..delivery(&headers, json, STAMP) };
    assert_eq!(verify(Platform::Twilio, &["12345"], &by_hash), Ok(()));
    let changed = Delivery { body: br#"{"property": "value", "boolean": false}"#, ..by_hash };
    assert_eq!(verify(Platform::Twilio, &["12345"], &changed), Err(SignatureError::Wrong));
}

/// HMAC-SHA256 by its definition, so that the readers' library is not tested by itself.
mod hmac_of {
    use sha2::{Digest, Sha256};

    pub(super) fn hex_sha256(key: &[u8], message: &[u8]) -> String {
        let padded = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
            block
        };
        let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
        let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
        outer.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[test]
fn what_steward_signs_is_what_standard_webhooks_signs() {
    let (at, body) = (Timestamp::from_seconds(STAMP), STANDARD_BODY);
    assert_eq!(sign_standard(STANDARD_SECRET, "wh_1", at, body).as_deref(), Some(STANDARD));
    assert_eq!(new_standard_secret(b"0123456789abcdef0123456789abcdef"), STANDARD_SECRET);
    for none in ["", "whsec_", "whsec_?", "MDEy"] {
        assert_eq!(sign_standard(none, "wh_1", at, body), None, "{none}");
    }
}
