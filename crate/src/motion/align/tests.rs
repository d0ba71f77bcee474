use super::super::fixtures;
use super::*;

/// Steps an aligner through opinions that are sure of one phone a row.
fn heard(text: &str, rows: &[(Phone, usize)]) -> Result<TimedPhones, MotionError> {
    let transcript = Transcript::new(text, None).unwrap();
    let mut aligner = Aligner::new(&fixtures::pack(), &transcript).unwrap();
    for _ in 0..DELAY {
        aligner.step(sure(Phone::Sil));
    }
    for &(phone, count) in rows {
        (0..count).for_each(|_| aligner.step(sure(phone)));
    }
    aligner.finish()
}

fn sure(phone: Phone) -> [f32; Phone::COUNT] {
    let mut logits = [0.0; Phone::COUNT];
    logits[phone as usize] = 8.0;
    opinion(&logits)
}

fn names(phones: &TimedPhones) -> String {
    phones.phones().iter().map(|p| p.phone.name()).collect::<Vec<_>>().join(" ")
}

use Phone as P;

#[test]
fn phones_are_found_where_they_are_heard() {
    let rows =
        [(P::Sil, 20), (P::B, 4), (P::Ih, 6), (P::M, 5), (P::Sil, 30), (P::B, 4), (P::Ih, 5), (P::P, 5), (P::Sil, 20)];
    let phones = heard("bim bip", &rows).unwrap();
    assert_eq!(names(&phones), "SIL B IH M SIL B IH P SIL");
    let mut now = 0;
    for (p, (_, count)) in phones.phones().iter().zip(&rows[..8]) {
        assert!((p.start - now as f64 * ROW).abs() < 0.001, "{p:?} should begin at row {now}");
        now += count;
    }
}

#[test]
fn a_pause_between_words_is_no_must() {
    let rows = [(P::B, 4), (P::Ih, 6), (P::M, 5), (P::B, 4), (P::Ih, 5), (P::P, 5)];
    assert_eq!(names(&heard("bim bip", &rows).unwrap()), "B IH M B IH P");
}

#[test]
fn the_wrong_text_is_noticed() {
    let rows = [(P::Sil, 10), (P::S, 30), (P::Aa, 30), (P::K, 30), (P::Uw, 30), (P::Sil, 10)];
    let error = heard("bim bip bim bip", &rows).unwrap_err();
    assert!(matches!(error, MotionError::Transcript(TranscriptError::Misfit { wrong: 60.. })), "{error}");
    // More text than sound.
    assert!(heard(&"bim ".repeat(50), &[(P::B, 30)]).is_err());
}

#[test]
fn an_hour_takes_little_memory() {
    let mut rows = Vec::new();
    for _ in 0..400 {
        rows.extend([(P::B, 4), (P::Ih, 6), (P::M, 5), (P::Sil, 30)]);
    }
    let transcript = Transcript::new(&"bim ".repeat(400), None).unwrap();
    let mut aligner = Aligner::new(&fixtures::pack(), &transcript).unwrap();
    for &(phone, count) in &rows {
        for _ in 0..count {
            aligner.step(sure(phone));
            assert!(aligner.came.len() < HORIZON + DECIDED && aligner.opinions.len() < HORIZON + DECIDED);
            assert!(aligner.range.len() <= WIDEST);
        }
    }
    let phones = aligner.finish().unwrap();
    assert_eq!(phones.phones().iter().filter(|p| p.phone == P::M).count(), 400);
}
