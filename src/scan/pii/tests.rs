//! What is found and what is not.

use proptest::prelude::*;

use crate::scan::{Confidence, Fact, Source, Worker};

fn facts(path: &str, text: &[u8], least: Confidence) -> Vec<Fact> {
    let mut worker = Worker::new(&[&super::Pii], None).at_least(least);
    worker.scan(&Source::new(path, text));
    worker.into_facts()
}

fn entities(text: &str) -> Vec<String> {
    facts("src/data.py", text.as_bytes(), Confidence::Medium)
        .iter()
        .map(|f| f.attributes["entity"].clone())
        .collect()
}

#[test]
fn personal_data_is_found() {
    for (text, entity) in [
        ("owner = 'maria.keller@posteo.de'", "EMAIL_ADDRESS"),
        ("call +49 30 901820 or not", "PHONE_NUMBER"),
        ("phone: 415-867-5391", "PHONE_NUMBER"),
        ("pay to CH93 0076 2011 6238 5295 7 today", "IBAN_CODE"),
        ("card: 4539 5787 6362 1486", "CREDIT_CARD"),
        ("credit card 4539578763621486", "CREDIT_CARD"),
        ("ssn = '536-22-8145'", "US_SSN"),
        ("NHS number 943 476 5919", "UK_NHS"),
        ("hetu 131052-308T", "FI_PERSONAL_IDENTITY_CODE"),
        ("mi NIE es X9613851N", "ES_NIE"),
        ("Steuer-ID: 86095742719", "DE_TAX_ID"),
        ("passport: T3569075", "IN_PASSPORT"),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa now", "CRYPTO"),
    ] {
        assert!(entities(text).contains(&entity.to_owned()), "{text}: {:?}", entities(text));
    }
}

#[test]
fn look_alikes_are_left_alone() {
    for text in [
        "user@example.com, jane.doe@test.com, noreply@github.com, a@b.example",
        "icon@2x.png lodash@4.17.21 @scope/package git@github.com:a/b.git",
        "# Author: Maria Keller <maria.keller@posteo.de>",
        "support@posteo.de",
        "timestamp 1700000000000 and 1700000000000000000",
        "pi = 3.1415926535897932384626433832795028841971",
        "card: 4242 4242 4242 4242",
        "id = 4539578763621486",
        "version 10.20.30.40 and 192.168.1.1",
        "call +1 415 555 0132",
        "x = a +1234567890;",
        "sha = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "range 078-05-1120 ssn",
        "GB00 WEST 1234 5698 7654 32",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "routing_number = compute(123456780)",
        "12345678Z",
        "DE89 3704 0044 0532 0130 00",
    ] {
        let found = entities(text);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn the_number_is_never_shown() {
    for text in ["ssn = '536-22-8145'", "pay CH93 0076 2011 6238 5295 7", "owner = 'maria.keller@posteo.de'"]
    {
        for fact in facts("a.py", text.as_bytes(), Confidence::Low) {
            for part in ["536-22", "0076 2011", "maria.keller", "8145"] {
                assert!(!fact.evidence.contains(part), "{}", fact.evidence);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..1_500), digits in "[-0-9 +@.A-Z:]{0,400}") {
        for least in [Confidence::Low, Confidence::Medium] {
            facts("a", &bytes, least);
            facts("a", digits.as_bytes(), least);
            facts("a", &[digits.as_bytes(), &bytes].concat(), least);
        }
    }
}
