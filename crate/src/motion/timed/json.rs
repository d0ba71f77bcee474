//! JSON in its many shapes: a list of entries, an object that holds one, or a line for each entry.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ctm::short;
use super::{Entry, MAX_PHONES, TimedPhonesError, names};

/// Under which names objects hold their list.
const LISTS: [&str; 6] = ["phones", "phonemes", "visemes", "mouthCues", "marks", "entries"];

/// What the times of events without an end are counted in.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Seconds,
    Milliseconds,
    /// Azure's offsets: told from the numbers.
    Azure,
}

struct Found {
    phone: super::Phone,
    start: f64,
    end: Option<f64>,
    unit: Unit,
    line: usize,
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, TimedPhonesError> {
    let items = items(text)?;
    if items.len() > MAX_PHONES {
        return Err(TimedPhonesError::TooLarge);
    }
    let mut found = Vec::with_capacity(items.len());
    let mut lines = Lines { text, at: 0, line: 1 };
    for item in items {
        let line = lines.of(item);
        let wrong = |problem: String| TimedPhonesError::Line { line, problem };
        let value: Value = serde_json::from_str(item).map_err(|e| wrong(e.to_string()))?;
        let Value::Object(object) = value else { return Err(wrong("an entry must be an object in braces".into())) };
        if let Some(entry) = entry(&object, line).map_err(wrong)? {
            found.push(entry);
        }
    }
    let ticks = azure_ticks(&found);
    let seconds = |f: &Found| match f.unit {
        Unit::Seconds => 1.0,
        Unit::Milliseconds => 1e-3,
        Unit::Azure if ticks => 1e-7,
        Unit::Azure => 1e-3,
    };
    Ok(found
        .into_iter()
        .map(|f| {
            let unit = seconds(&f);
            Entry { phone: f.phone, start: f.start * unit, end: f.end.map(|e| e * unit), line: f.line }
        })
        .collect())
}

/// The texts of the entries.
fn items(text: &str) -> Result<Vec<&str>, TimedPhonesError> {
    let syntax = |e: serde_json::Error| TimedPhonesError::Line { line: e.line().max(1), problem: e.to_string() };
    let start = text.trim_start();
    if start.starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(text).map_err(syntax)?;
        return Ok(all.into_iter().map(RawValue::get).collect());
    }
    // One document, or one entry a line.
    match serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(text) {
        Ok(object) => match LISTS.iter().find_map(|name| object.get(*name)) {
            Some(raw) => {
                let all: Vec<&RawValue> = serde_json::from_str(raw.get())
                    .map_err(|_| TimedPhonesError::Format("its phones are no list".into()))?;
                Ok(all.into_iter().map(RawValue::get).collect())
            }
            None if object.contains_key("type") || object.contains_key("phone") => Ok(vec![start.trim_end()]),
            None => Err(TimedPhonesError::Format("it has no list named \"phones\"".into())),
        },
        Err(error) => {
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            let is_object = |line: &&str| serde_json::from_str::<&RawValue>(line).is_ok();
            if lines.len() > 1 && lines.first().is_some_and(is_object) { Ok(lines) } else { Err(syntax(error)) }
        }
    }
}

/// Numbers of lines, for texts in their order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, part: &str) -> usize {
        let at = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).clamp(self.at, self.text.len());
        self.line += self.text.as_bytes()[self.at..at].iter().filter(|&&b| b == b'\n').count();
        self.at = at;
        self.line
    }
}

/// An entry, `None` where it speaks of something else than phones.
fn entry(object: &Map<String, Value>, line: usize) -> Result<Option<Found>, String> {
    let field = |names: &[&str]| names.iter().find_map(|n| object.get(*n));
    let time = |names: &[&str]| match field(names) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(time) => Ok(Some(time)),
            None => Err(format!("\"{}\" is no number", names[0])),
        },
    };
    if let Some(offset) = time(&["audioOffset", "AudioOffset", "audio_offset"])? {
        let id = field(&["visemeId", "VisemeId", "viseme_id"]).ok_or("it has no \"visemeId\"")?;
        let phone = id.as_u64().and_then(names::azure).ok_or_else(|| format!("there is no viseme {}", shown(id)))?;
        return Ok(Some(Found { phone, start: offset, end: None, unit: Unit::Azure, line }));
    }
    if let (Some(kind), Some(start)) = (object.get("type"), time(&["time"])?) {
        if kind != "viseme" {
            return Ok(None);
        }
        let value = object.get("value").ok_or("it has no \"value\"")?;
        let phone = text(value)
            .and_then(|v| names::viseme(&v))
            .ok_or_else(|| format!("there is no viseme {}", shown(value)))?;
        return Ok(Some(Found { phone, start, end: None, unit: Unit::Milliseconds, line }));
    }
    let (value, what, lookup): (_, _, fn(&str) -> Option<super::Phone>) =
        if let Some(value) = field(&["phone", "phoneme", "ph", "symbol"]) {
            (value, "phone", names::phone)
        } else if let Some(value) = field(&["viseme", "visemeId"]) {
            (value, "viseme", |name| names::viseme(name).or_else(|| names::phone(name)))
        } else if let Some(value) = field(&["value"]) {
            (value, "mouth shape", names::rhubarb)
        } else {
            return Err("it has neither \"phone\" nor \"viseme\"".into());
        };
    let phone = text(value).and_then(|v| lookup(&v)).ok_or_else(|| format!("there is no {what} {}", shown(value)))?;
    let start = time(&["start", "begin", "xmin"])?.ok_or("it has no \"start\"")?;
    let end = match time(&["end", "stop", "xmax"])? {
        Some(end) => Some(end),
        None => time(&["duration", "dur"])?.map(|d| start + d),
    };
    Ok(Some(Found { phone, start, end, unit: Unit::Seconds, line }))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    short(&text(value).unwrap_or_else(|| value.to_string()))
}

/// Whether Azure's offsets are ticks of 100 ns. No two visemes of speech are a millisecond apart (10,000 ticks) and
/// none are ten seconds apart (10,000 ms), so that the distance in the middle tells.
fn azure_ticks(found: &[Found]) -> bool {
    let mut offsets: Vec<f64> = found.iter().filter(|f| f.unit == Unit::Azure).map(|f| f.start).collect();
    offsets.sort_by(f64::total_cmp);
    let mut steps: Vec<f64> = offsets.windows(2).map(|w| w[1] - w[0]).filter(|&d| d > 0.0).collect();
    if steps.is_empty() {
        return offsets.first().is_some_and(|&o| o >= 10_000.0);
    }
    steps.sort_by(f64::total_cmp);
    steps[steps.len() / 2] >= 10_000.0
}
