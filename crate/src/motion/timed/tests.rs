use proptest::prelude::*;

use super::*;

use Phone as P;

fn read(text: &str) -> Vec<(Phone, f64, f64)> {
    let phones = TimedPhones::from_text(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let round = |t: f64| (t * 1000.0).round() / 1000.0;
    phones.phones().iter().map(|p| (p.phone, round(p.start), round(p.end))).collect()
}

fn refused(text: &str) -> String {
    TimedPhones::from_text(text).expect_err(text).to_string()
}

#[test]
fn every_format_says_the_same() {
    let expected = vec![(P::Sil, 0.0, 0.1), (P::P, 0.1, 0.2), (P::Aa, 0.2, 0.35)];
    let json = r#"[{"phone": "P", "start": 0.1, "end": 0.2}, {"phone": "AA1", "start": 0.2, "end": 0.35}]"#;
    assert_eq!(read(json), expected);
    assert_eq!(read(&format!("{{\"version\": 1, \"phones\": {json}}}")), expected);
    assert_eq!(
        read("{\"phone\":\"p\",\"start\":0.1,\"end\":0.2}\n{\"phone\":\"ɑː\",\"start\":0.2,\"duration\":0.15}\n"),
        expected
    );
    assert_eq!(
        read("[{\"viseme\":\"PP\",\"start\":0.1,\"end\":0.2},{\"viseme\":\"aa\",\"start\":0.2,\"end\":0.35}]"),
        expected
    );
    assert_eq!(read(";; made by hand\na 1 0.10 0.10 P\na 1 0.20 0.15 AA1_E 0.99\n"), expected);
    let long = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 0.35\ntiers? <exists>\nsize = 2\nitem []:\n  \
        item [1]:\n class = \"IntervalTier\"\n name = \"words\"\n xmin = 0\n xmax = 0.35\n intervals: size = 1\n intervals [1]:\n \
        xmin = 0\n xmax = 0.35\n text = \"pa \"\"so\"\"\"\n  item [2]:\n class = \"IntervalTier\"\n name = \"phones\"\n xmin = 0\n \
        xmax = 0.35\n intervals: size = 3\n intervals [1]:\n xmin = 0\n xmax = 0.1\n text = \"\"\n intervals [2]:\n xmin = 0.1\n \
        xmax = 0.2\n text = \"P\"\n intervals [3]:\n xmin = 0.2\n xmax = 0.35\n text = \"AA1\"\n";
    assert_eq!(read(long), expected);
    let short = "File type = \"ooTextFile\"\n\"TextGrid\"\n\n0\n0.35\n<exists>\n1\n\"IntervalTier\"\n\"phones\"\n0\n0.35\n3\n0\n0.1\n\"sil\"\n\
        0.1\n0.2\n\"P\"\n0.2\n0.35\n\"AA1\"\n";
    assert_eq!(read(short), expected);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(short.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(TimedPhones::from_bytes(&wide).unwrap(), TimedPhones::from_text(short).unwrap());
    let cues = r#"{"metadata": {}, "mouthCues": [{"start": 0.1, "end": 0.2, "value": "A"}, {"start": 0.2, "end": 0.35, "value": "D"}]}"#;
    assert_eq!(read(cues), expected);
}

#[test]
fn events_last_until_the_next() {
    let expected = vec![(P::Sil, 0.0, 0.1), (P::P, 0.1, 0.2), (P::Aa, 0.2, 0.35), (P::Sil, 0.35, 0.5)];
    let polly = "{\"time\":0,\"type\":\"sentence\",\"start\":0,\"end\":2,\"value\":\"Pa\"}\n{\"time\":100,\"type\":\"word\",\"value\":\"Pa\"}\n\
        {\"time\":100,\"type\":\"viseme\",\"value\":\"p\"}\n{\"time\":200,\"type\":\"viseme\",\"value\":\"a\"}\n\
        {\"time\":350,\"type\":\"viseme\",\"value\":\"sil\"}\n";
    assert_eq!(read(polly), expected);
    let azure = |unit: f64| {
        let event = |(t, id): (f64, u32)| format!("{{\"audioOffset\": {}, \"visemeId\": {id}}}", t * unit);
        format!("[{}]", [(0.1, 21), (0.2, 2), (0.35, 0)].map(event).join(",\n"))
    };
    assert_eq!((read(&azure(1e7)), read(&azure(1e3))), (expected.clone(), expected));
    // A vowel that is not followed by anything does not last for ever.
    let held =
        "{\"time\":0,\"type\":\"viseme\",\"value\":\"a\"}\n{\"time\":5000,\"type\":\"viseme\",\"value\":\"p\"}\n";
    assert_eq!(read(held)[..2], [(P::Aa, 0.0, 0.6), (P::Sil, 0.6, 5.0)]);
}

#[test]
fn errors_name_the_line() {
    let entry = |p: &str, a: f64, b: f64| format!("{{\"phone\": \"{p}\", \"start\": {a}, \"end\": {b}}}");
    let list = |entries: &[String]| format!("[\n{}\n]", entries.join(",\n"));
    let unknown = refused(&list(&[entry("P", 0.0, 0.1), entry("QQ", 0.1, 0.2)]));
    assert!(unknown.contains("Line 3") && unknown.contains("QQ"), "{unknown}");
    let overlap = refused(&list(&[entry("P", 0.0, 0.2), entry("T", 0.1, 0.3)]));
    assert!(overlap.contains("Line 3") && overlap.contains("line 2"), "{overlap}");
    let turned = refused(&list(&[entry("P", 0.2, 0.1)]));
    assert!(turned.contains("Line 2") && turned.contains("before it begins"), "{turned}");
    assert!(refused(&list(&[entry("P", -0.2, 0.1)])).contains("Line 2"));
    assert!(refused(&list(&[entry("P", 0.0, 1e9)])).contains("Line 2"));
    assert!(refused("[{\"phone\": \"P\", \"start\": 0, \"end\": 1e999}]").contains("Line 1"));
    assert!(refused("[{\"phone\": \"P\", \"start\": \"0\", \"end\": 1}]").contains("Line 1"));
    assert!(refused("[\n{\"audioOffset\": 1, \"visemeId\": 99}]").contains("Line 2"));
    assert!(
        refused("{\"time\":1,\"type\":\"viseme\",\"value\":\"p\"}\n{\"time\":2,\"type\":\"viseme\",\"value\":\"#\"}")
            .contains("Line 2")
    );
    assert!(refused("a 1 0 0.1 P\na 1 0.1 0.1 XYZ\n").contains("Line 2"));
    assert!(refused("a 1 0 0.1 P\nb 1 0.1 0.1 T\n").contains("Line 2"));
    assert!(refused("a 1 0 0.1 P\na 1 nan 0.1 T\n").contains("Line 2"));
    assert!(refused("a 1 0 0.1 P\na 1 0.1\n").contains("Line 2"));
    let grid = "File type = \"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"phones\"\n0\n1\n1\n0\n1\n\"WORD\"\n";
    assert!(refused(grid).contains("Line 12"), "{}", refused(grid));
}

#[test]
fn what_is_no_phone_file_is_said_to_be_none() {
    for text in ["", "  \n", "[]", "{}", "[1]", "hello", "{\"a\": [}", "<xml/>", "\u{0}\u{1}", "[[[[[[[["] {
        assert!(TimedPhones::from_text(text).is_err(), "{text}");
    }
    assert_eq!(TimedPhones::from_bytes(&[0xc3, 0x28]), Err(TimedPhonesError::Format("it is no text".into())));
    let deep = "[".repeat(100_000);
    assert!(TimedPhones::from_text(&deep).is_err());
    let grid = "File type = \"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"phones\"\n0\n1\n999999999999\n";
    assert_eq!(TimedPhones::from_text(grid), Err(TimedPhonesError::TooLarge));
}

#[test]
fn small_faults_are_repaired_and_told() {
    let phones = TimedPhones::from_text("a 1 0.20 0.10 AA\na 1 0.10 0.12 P\na 1 0.31 0.10 T\n").unwrap();
    let times: Vec<f64> = phones.phones().iter().flat_map(|p| [p.start, p.end]).map(|t| (t * 1000.0).round()).collect();
    assert_eq!(times, [0.0, 100.0, 100.0, 210.0, 210.0, 310.0, 310.0, 410.0]);
    assert_eq!(phones.warnings().len(), 1);
}

#[test]
fn phones_past_the_end_of_the_sound_are_refused() {
    let phones =
        TimedPhones::from_text("a 1 0.10 0.10 P\na 1 0.20 0.10 AA\na 1 0.30 0.20 T\na 1 0.50 4.00 SIL\n").unwrap();
    // Rounded times and silences may reach past the end.
    assert_eq!((phones.fit(1.0), phones.fit(0.42)), (Ok(()), Ok(())));
    let late = phones.fit(0.35).unwrap_err().to_string();
    assert!(late.contains("Line 3") && late.contains("T lasts from 0.30 to 0.50 s"), "{late}");
    assert!(phones.fit(0.0).unwrap_err().to_string().contains("Line 1"));
    // Speech marks do not say how long the last one lasts.
    let marks =
        "{\"time\":100,\"type\":\"viseme\",\"value\":\"p\"}\n{\"time\":200,\"type\":\"viseme\",\"value\":\"a\"}\n";
    let marks = TimedPhones::from_text(marks).unwrap();
    assert_eq!(marks.fit(0.21), Ok(()));
    assert!(marks.fit(0.05).unwrap_err().to_string().contains("Line 1"));
}

proptest! {
    #[test]
    fn nothing_breaks_the_reader(text in "[\\[\\]{}\",:a-zA-Z0-9. \n<>_-]{0,200}") {
        let _ = TimedPhones::from_text(&text);
        let _ = TimedPhones::from_text(&format!("\"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 {text}"));
        let _ = TimedPhones::from_text(&format!("[{{\"phone\":\"P\",\"start\":0,\"end\":1}},{text}]"));
    }

    #[test]
    fn phones_are_in_order_and_touch(parts in prop::collection::vec((0.0f64..0.3, 0.0f64..0.2, 0usize..40), 1..40)) {
        let mut now = 0.0;
        let list: Vec<TimedPhone> = parts.iter().map(|&(gap, length, phone)| {
            let start = now + gap;
            now = start + length;
            TimedPhone { phone: Phone::ALL[phone], start, end: now }
        }).collect();
        let phones = TimedPhones::new(&list).unwrap();
        prop_assert!(phones.phones()[0].start == 0.0);
        prop_assert!(phones.phones().iter().all(|p| p.end >= p.start));
        prop_assert!(phones.phones().windows(2).all(|w| w[0].end == w[1].start));
    }
}
