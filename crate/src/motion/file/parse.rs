//! JSON to [`MotionFile`], frame by frame.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::Value;

use super::{FORMAT, FrameExtras, MAX_FRAMES, MAX_UNKNOWN, MotionFile, MotionFileError, Unknown, VERSION, check_fps};
use super::{blendshape_slot, gaze_slot, head_slot};
use crate::motion::frame::{MotionFrame, Reference};

/// One frame as it stands in the file.
#[derive(Default)]
pub(super) struct ParsedFrame {
    pub frame: MotionFrame,
    pub extras: FrameExtras,
    pub gaze_given: bool,
}

/// Where in the file the reader is, so that an error can name the frame, and how much unknown it has met.
#[derive(Default)]
struct Place {
    unknown: Cell<usize>,
    frame: Cell<Option<usize>>,
    failure: Cell<Option<MotionFileError>>,
}

/// Reads a whole file.
pub(super) fn file<'de, R: serde_json::de::Read<'de>>(
    json: &mut serde_json::Deserializer<R>,
) -> Result<MotionFile, MotionFileError> {
    let place = Place::default();
    let result = FileSeed { place: &place }.deserialize(&mut *json).and_then(|file| json.end().map(|()| file));
    result.map_err(|e| {
        if let Some(failure) = place.failure.take() {
            return failure;
        }
        if e.is_io() {
            return MotionFileError::Io(e.into());
        }
        match place.frame.get() {
            Some(frame) => MotionFileError::Frame { frame, problem: e.to_string() },
            None => MotionFileError::Syntax(e.to_string()),
        }
    })
}

struct FileSeed<'a> {
    place: &'a Place,
}

impl FileSeed<'_> {
    /// Stops the reader with a typed error: serde's own can only carry text.
    fn fail<E: serde::de::Error>(&self, error: MotionFileError) -> E {
        let text = error.to_string();
        self.place.failure.set(Some(error));
        E::custom(text)
    }
}

impl<'de> DeserializeSeed<'de> for FileSeed<'_> {
    type Value = MotionFile;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<MotionFile, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FileSeed<'_> {
    type Value = MotionFile;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a motion file (an object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MotionFile, A::Error> {
        let mut file = MotionFile::default();
        let (mut format, mut version, mut fps, mut frames) = (None::<String>, None::<u64>, None::<f64>, false);
        while let Some(key) = map.next_key::<Cow<str>>()? {
            match key.as_ref() {
                "format" => format = Some(map.next_value()?),
                "version" => version = Some(map.next_value()?),
                "fps" => fps = Some(map.next_value()?),
                "reference" => file.reference = reference(&map.next_value::<Cow<str>>()?).map_err(A::Error::custom)?,
                "frames" if frames => return Err(A::Error::duplicate_field("frames")),
                "frames" => {
                    map.next_value_seed(Frames { file: &mut file, seed: &self })?;
                    frames = true;
                }
                _ => file.unknown.push((key.into_owned(), map.next_value_seed(Keep(self.place))?)),
            }
        }
        if format.as_deref() != Some(FORMAT) {
            return Err(self.fail(MotionFileError::Format));
        }
        match version {
            Some(VERSION) => {}
            Some(other) => return Err(self.fail(MotionFileError::Version(other))),
            None => return Err(A::Error::missing_field("version")),
        }
        file.fps = fps.ok_or_else(|| A::Error::missing_field("fps"))?;
        check_fps(file.fps).map_err(|e| self.fail(e))?;
        if frames { Ok(file) } else { Err(A::Error::missing_field("frames")) }
    }
}

fn reference(name: &str) -> Result<Reference, String> {
    match name {
        "portrait" => Ok(Reference::Portrait),
        "neutral" => Ok(Reference::Neutral),
        "speech" => Ok(Reference::Speech),
        _ => Err(format!("\"reference\" is \"{name:.40}\" and must be \"portrait\", \"neutral\" or \"speech\"")),
    }
}

struct Frames<'a, 'b> {
    file: &'a mut MotionFile,
    seed: &'a FileSeed<'b>,
}

impl<'de> DeserializeSeed<'de> for Frames<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Frames<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let index = self.file.frames.len();
            self.seed.place.frame.set(Some(index));
            if index == MAX_FRAMES {
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(self.seed.fail(MotionFileError::TooManyFrames));
                }
                break;
            }
            match seq.next_element_seed(FrameSeed(self.seed.place))? {
                Some(frame) => self.file.push_parsed(frame),
                None => break,
            }
        }
        self.seed.place.frame.set(None);
        Ok(())
    }
}

struct FrameSeed<'a>(&'a Place);

impl<'de> DeserializeSeed<'de> for FrameSeed<'_> {
    type Value = ParsedFrame;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<ParsedFrame, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FrameSeed<'_> {
    type Value = ParsedFrame;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a frame (an object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParsedFrame, A::Error> {
        let mut parsed = ParsedFrame::default();
        while let Some(key) = map.next_key::<Cow<str>>()? {
            let ParsedFrame { frame, extras, gaze_given } = &mut parsed;
            match key.as_ref() {
                "blendshapes" => map.next_value_seed(Group {
                    what: "blendshapes",
                    frame,
                    place: self.0,
                    slot: blendshape_slot,
                    unknown: &mut extras.blendshapes,
                })?,
                "head" => map.next_value_seed(Group {
                    what: "head",
                    frame,
                    place: self.0,
                    slot: head_slot,
                    unknown: &mut extras.head,
                })?,
                "gaze" => {
                    *gaze_given = true;
                    map.next_value_seed(Group {
                        what: "gaze",
                        frame,
                        place: self.0,
                        slot: gaze_slot,
                        unknown: &mut extras.gaze,
                    })?;
                }
                _ => extras.frame.push((key.into_owned(), map.next_value_seed(Keep(self.0))?)),
            }
        }
        Ok(parsed)
    }
}

/// An object of numbers, some of which this program knows.
struct Group<'a> {
    what: &'static str,
    frame: &'a mut MotionFrame,
    place: &'a Place,
    slot: for<'f> fn(&'f mut MotionFrame, &str) -> Option<&'f mut f32>,
    unknown: &'a mut Unknown,
}

impl<'de> DeserializeSeed<'de> for Group<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Group<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "\"{}\" to be an object of numbers", self.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<str>>()? {
            match (self.slot)(self.frame, &key) {
                Some(slot) => *slot = map.next_value_seed(Number { what: self.what, key: &key })?,
                None => self.unknown.push((key.into_owned(), map.next_value_seed(Keep(self.place))?)),
            }
        }
        Ok(())
    }
}

/// A number that fits into an `f32`.
struct Number<'a> {
    what: &'a str,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Number<'_> {
    type Value = f32;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<f32, D::Error> {
        d.deserialize_f64(self)
    }
}

impl Visitor<'_> for Number<'_> {
    type Value = f32;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "\"{}.{}\" to be a finite number", self.what, self.key)
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<f32, E> {
        let value = v as f32;
        if value.is_finite() { Ok(value) } else { Err(E::invalid_value(Unexpected::Float(v), &self)) }
    }

    fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<f32, E> {
        Ok(v as f32)
    }

    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<f32, E> {
        Ok(v as f32)
    }
}

/// Any JSON value, kept, as long as a whole file does not hold over [`MAX_UNKNOWN`] of them.
#[derive(Clone, Copy)]
struct Keep<'a>(&'a Place);

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        let count = self.0.unknown.get() + 1;
        self.0.unknown.set(count);
        if count > MAX_UNKNOWN {
            return Err(D::Error::custom("it holds over 10 million values in unknown fields"));
        }
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(key) = map.next_key()? {
            object.insert(key, map.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}
