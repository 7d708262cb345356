//! What is masked, what is not, and that masking is total, stable and leaves nothing behind.

use proptest::prelude::*;
use steward_core::privacy::{Content, MaskKind, Masked, Privacy};
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_wire::mask::{
    Masker, Rest, Sorted, Treatment, find_contacts, keep_of_delivery, keep_of_unreadable, without_traces_delivery,
};
use steward_wire::platforms::{Delivery, Platform, read};

fn masker() -> Masker {
    let words = ["Project Falcon", "Müller", "ACME"].map(str::to_owned).to_vec();
    Masker::new(&Privacy { words, ..Privacy::default() }, [7; 32])
}

fn masked(text: &str) -> String {
    masker().mask_text(text).0.into_owned()
}

#[track_caller]
fn all_become(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(masked(text), *expected, "{text:?}");
    }
}

#[track_caller]
fn all_stay(texts: &[&str]) {
    for text in texts {
        let (out, counts) = masker().mask_text(text);
        assert!(matches!(out, std::borrow::Cow::Borrowed(_)) && counts.is_empty(), "{text:?} became {out:?}");
    }
}

#[test]
fn addresses_are_masked() {
    all_become(&[
        ("write to ada.lovelace+x@example.co.uk.", "write to [e-mail]."),
        ("<a@b.com>,b_c@d-e.org", "<[e-mail]>,[e-mail]"),
        ("mailto:jörg@müller.de?x=1", "mailto:[e-mail]?x=1"),
        ("john%40example.com", "[e-mail]"),
        (r"a\njohn@example.com\n", r"a\n[e-mail]\n"),
        ("o'brien@example.com", "[e-mail]"),
        ("'john@example.com'", "'[e-mail]'"),
        ("a@b.com@c.org", "[e-mail]"),
        ("postgres://bob:hunter2@db/x", "postgres://bob:[secret]@db/x"),
    ]);
    all_stay(&["@mention", "user@localhost", "react@18.2.0", "image@2x.png", "a @ b.com", "@", "%40", "x@", "@x.com"]);
}

#[test]
fn telephone_numbers_are_masked() {
    all_become(&[
        ("call +49 170 1234567 now", "call [phone] now"),
        ("+491701234567", "[phone]"),
        ("+1 (555) 234-5678 x12", "[phone]"),
        ("0044 20 7946 0958", "[phone]"),
        ("(555) 234-5678", "[phone]"),
        ("555-234-5678, 555.234.5679 or 1-555-234-5670.", "[phone], [phone] or [phone]."),
        ("555-123-4567", "[phone]"),
        ("212 555 0142", "[phone]"),
        ("0170 1234567 und 030/1234567", "[phone] und [phone]"),
        ("01 23 45 67 89", "[phone]"),
        ("Tel.: 1234567", "Tel.: [phone]"),
        (r#"{"phone_number": "01701234567"}"#, r#"{"phone_number": "[phone]"}"#),
        (r"line\n0170 1234567", r"line\n[phone]"),
        ("my phone number is 5551234567", "my phone number is [phone]"),
    ]);
}

#[test]
fn numbers_that_are_no_telephone_s_stay() {
    all_stay(&[
        "order 4471203349",
        "order #555-234-5678",
        "2026-10-08T15:04:05.123456Z",
        "2026-10-08 15:04:05+02:00",
        "08.10.2026 15:04",
        "01.02.2026 10:30",
        "on 08/10/2026 and 09/10/2026",
        "1760000000000",
        "1760000000000000000",
        "v1.20.300, 10.0.12.1234",
        "192.168.100.200",
        "$1,234,567.89 or 1 234 567,89 €",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-1234-1234-123456789012",
        "555-1234",
        "200 300 4000",
        "08-12 13-17 18-20",
        "0.1234 5678 9012",
        "978-3-16-148410-0",
        "the hotel 1234567",
        "+12345678",
        "pages 100-200-3000x",
        "a1b2c3 0x1234567890",
        "1 2 3 4 5 6 7 8 9 10 11 12 13",
        "tokens: 123456789, 987654321",
    ]);
}

#[test]
fn cards_and_accounts_are_masked() {
    all_become(&[
        ("4111 1111 1111 1111", "[card]"),
        ("pay with 4111-1111-1111-1111.", "pay with [card]."),
        ("378282246310005", "[card]"),
        (r#"{"n": 5555555555554444}"#, r#"{"n": [card]}"#),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
        ("GB29NWBK60161331926819!", "[IBAN]!"),
        ("FR14 2004 1010 0505 0001 3M02 606", "[IBAN]"),
    ]);
    all_stay(&[
        "4111 1111 1111 1112",
        "1234 5678 9012 3456",
        "DE88 3704 0044 0532 0130 00",
        "4111111111111111.5",
        "at 12 noon we meet",
    ]);
}

#[test]
fn secrets_are_masked() {
    all_become(&[
        ("password=hunter2&x=1", "password=[secret]&x=1"),
        (r#"{"password": "hunter2"}"#, r#"{"password": "[secret]"}"#),
        (r#"{\"api_key\": \"abc\"}"#, r#"{\"api_key\": \"[secret]\"}"#),
        ("my password is Tr0ub4dor", "my password is [secret]"),
        ("DB_PASSWORD: correct-horse", "DB_PASSWORD: [secret]"),
        ("Authorization: Bearer abcdefghijklmnop123", "Authorization: [secret]"),
        ("Bearer abcdefghijklmnop123", "Bearer [secret]"),
        ("use sk-proj-abcdefghijklmnop12345678 please", "use [secret] please"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[secret]"),
        ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "[secret]"),
        ("token=9f86d081884c7d659a2feaa0c55ad015", "token=[secret]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "[secret]\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "[secret]"),
    ]);
    all_stay(&[
        "max_tokens: 4096, total_tokens=12",
        "Password: must be at least eight characters",
        "the password is incorrect",
        "the secretary: Ms. Jones",
        "the key: press enter",
        "monkey: 9f86d081884c7d659a2feaa0c55ad015",
        "bearer of bad news",
        "password=${PASSWORD}",
        "prior authorization: the patient needs it",
        "-----BEGIN CERTIFICATE-----\nMIIE",
        r#"{"token_count": 123, "password": null}"#,
        "sk-learn and eyJ",
    ]);
}

#[test]
fn configured_words_are_masked_whole_and_in_any_case() {
    all_become(&[
        ("project  falcon? PROJECT FALCON!", "project  falcon? [word]!"),
        ("Herr MÜLLER, Frau müller", "Herr [word], Frau [word]"),
        ("acme acme's", "[word] [word]'s"),
    ]);
    all_stay(&["acmes", "Müllerin", "pacme", "Project", "acme_x"]);
}

#[test]
fn what_is_spared_stays_and_what_is_masked_is_counted() {
    let spares = Privacy { spared: vec![MaskKind::Email], ..Privacy::default() };
    let text = "a@b.com +491701234567 +491701234568";
    let (out, counts) = Masker::new(&spares, [0; 32]).mask_text(text);
    assert_eq!((out.as_ref(), counts), ("a@b.com [phone] [phone]", Masked::from([(MaskKind::Phone, 2)])));
}

#[test]
fn an_id_gets_a_stand_in_that_is_its_own() {
    let mut counts = Masked::new();
    let masker = masker();
    let stand_in = |id: &str, counts: &mut Masked| masker.mask_id(id, counts).into_owned();
    let (a, b) = (stand_in("a@b.com", &mut counts), stand_in("b@b.com", &mut counts));
    assert!(a != b && a == stand_in("a@b.com", &mut counts) && a.starts_with("[e-mail:"), "{a}");
    assert_eq!((masked(&a), stand_in(&a, &mut counts)), (a.clone(), a.clone()));
    assert_eq!(stand_in("user-17", &mut counts), "user-17");
    assert_eq!(counts, Masked::from([(MaskKind::Email, 3)]));
    assert_ne!(Masker::new(&Privacy::default(), [8; 32]).mask_id("a@b.com", &mut counts), a);
    assert_eq!(masker.hide_id(&masker.hide_id("user-17")), masker.hide_id("user-17"));
}

/// Pieces from which texts are put together that are close to what is masked.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+0-9 ./():@#]{0,24}",
        "[A-Z]{2}[0-9 ]{2,24}",
        "[a-zA-Z0-9.@%_-]{0,20}",
        Just("a@b.com".to_owned()),
        Just("+49 170 1234567".to_owned()),
        Just("4111 1111 1111 1111".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        Just("password".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("Bearer ".to_owned()),
        Just("token=".to_owned()),
        Just("://u:".to_owned()),
        Just("tel ".to_owned()),
        Just("Project Falcon".to_owned()),
        Just("[phone]".to_owned()),
        Just("[e-mail:abc]".to_owned()),
        "[=:\"'\\\\{}\\[\\],;&\n ]{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_never_panics_and_leaves_nothing_to_mask(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let masker = masker();
        let (once, counts) = masker.mask_text(&text);
        let (twice, again) = masker.mask_text(&once);
        prop_assert_eq!(&once, &twice);
        prop_assert!(again.is_empty());
        prop_assert_eq!(counts.is_empty(), once == text);
    }
}

/// What is not linear does not come to an end here.
#[test]
fn long_hostile_texts_are_masked_to_their_end() {
    let pieces = [
        "a@",
        "0 ",
        "1-",
        "+49 ",
        "(((",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "eyJ",
        "a.",
        "://",
        "@",
        "%40",
        "x:y@",
        "-eyJ",
        "keyKey",
        "key=",
        "password=${",
        "tel ",
        "\\n",
        "AA00",
        "acme ",
        "“",
        "token:\"",
        "sk-",
        "5",
    ];
    for piece in pieces {
        let text = format!("{}a@b.com", piece.repeat(60_000 / piece.len()));
        let out = masked(&text);
        assert!(!out.ends_with("a@b.com"), "{piece}");
        assert_eq!(masked(&out), out, "{piece}");
    }
}

#[test]
fn what_words_on_a_payload_quote_is_gone() {
    for (words, expected) in [
        ("it holds “ada” twice", "it holds … twice"),
        ("invalid type: string \"ada x\", expected u64", "invalid type: string …, expected u64"),
        ("`a` and \"an end that never comes", "… and …"),
        ("called +491701234567", "called [phone]"),
        ("its call has no id", "its call has no id"),
    ] {
        assert_eq!(masker().mask_quoting(words), expected);
    }
}

fn delivery(body: &[u8]) -> Delivery<'_> {
    let received_at = Timestamp(1_795_437_000_000_000);
    Delivery { method: "POST", url: "", headers: &[], body, received_at, scope: "con_1" }
}

#[test]
fn ids_that_are_numbers_stay_apart_when_they_are_masked() {
    let masker = masker();
    let traces = [4_111_111_111_111_111_u64, 5_555_555_555_554_444].map(|id| {
        let body = format!(r#"{{"id": {id}, "workflow": "x", "status": "ok"}}"#);
        let treat = |_: &[&Step]| Treatment { content: Content::Masked, masker: &masker };
        let sorted = keep_of_delivery(Platform::Event, &delivery(body.as_bytes()), &treat).unwrap();
        let Rest::Rewritten(bytes) = sorted.rest else { panic!("it is masked") };
        assert!(!String::from_utf8_lossy(&bytes).contains(&id.to_string()));
        read(Platform::Event, &delivery(&bytes)).unwrap().steps[0].trace_id.clone()
    });
    assert_ne!(traces[0], traces[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn deliveries_of_any_kind_are_sorted(said in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = serde_json::Value::from(said.clone());
        let turn = format!(r#"{{"role": "user", "message": {text}, "content": {text}, "words": [{{"end": {text}}}]}}"#);
        let bodies = [
            bytes,
            said.clone().into_bytes(),
            format!(r#"{{"message": {{"type": "end-of-call-report", "call": {{"id": {text}, "customer": {{"number": {text}}}}}, "artifact": {{"messages": [{turn}]}}}}}}"#).into_bytes(),
            format!(r#"{{"event": {text}, "call": {{"call_id": {text}, "from_number": {text}, "transcript": {text}, "transcript_object": [{turn}]}}}}"#).into_bytes(),
            format!(r#"[{{"id": {text}, "run_id": {text}, "status": {text}, "error": {text}}}, {text}, {{}}]"#).into_bytes(),
            format!("CallSid=CA1&CallStatus=completed&From={said}").into_bytes(),
        ];
        let masker = masker();
        for (platform, body) in Platform::ALL.into_iter().flat_map(|platform| bodies.iter().map(move |body| (platform, body))) {
            for content in [Content::Masked, Content::None] {
                let treat = |_: &[&Step]| Treatment { content, masker: &masker };
                let _ = keep_of_unreadable(Some(platform), body, Treatment { content, masker: &masker });
                let Ok(Sorted { rest: Rest::Rewritten(kept), .. }) = keep_of_delivery(platform, &delivery(body), &treat) else { continue };
                let again = read(platform, &delivery(&kept)).unwrap();
                prop_assert!(!again.steps.is_empty(), "{}", String::from_utf8_lossy(&kept));
            }
            if let Ok(rest) = without_traces_delivery(platform, &delivery(body), &|_| true) {
                prop_assert!(!matches!(rest, Rest::Rewritten(_)));
            }
        }
    }
}

#[test]
fn addresses_and_numbers_are_found_as_masking_would_take_them_out() {
    use steward_core::handoff::ContactKind::{Email, Phone};
    let found = |text: &str| {
        find_contacts(text).into_iter().map(|(kind, value)| format!("{kind:?} {value}")).collect::<Vec<_>>()
    };
    assert_eq!(
        found("I am Anna, anna@example.com, or call +49 170 1234567."),
        [format!("{Email:?} anna@example.com"), format!("{Phone:?} +49 170 1234567")]
    );
    assert_eq!(found("order 4711, card 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00"), [""; 0]);
    assert_eq!(found("write to [e-mail] or call [phone]"), [""; 0], "what was masked is no address");
}
