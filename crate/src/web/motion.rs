//! Motion for JavaScript: frames as plain numbers.

use wasm_bindgen::prelude::*;

use super::error::OrJs;
use super::words::Phones;
use crate::animator::MotionStream;
use crate::motion::controls::{Controls, Emotion};
use crate::motion::frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame};

/// Numbers of one motion frame: blendshapes, head (yaw, pitch, roll, x, y, scale), gaze (x, y).
const WIDTH: usize = Blendshape::COUNT + 8;

fn append(frame: &MotionFrame, out: &mut Vec<f32>) {
    let HeadPose { yaw, pitch, roll, x, y, scale } = frame.head;
    out.extend_from_slice(&frame.blendshapes.0);
    out.extend_from_slice(&[yaw, pitch, roll, x, y, scale, frame.gaze.x, frame.gaze.y]);
}

/// The motion frame of numbers that [`Motion`] answered; `None` where there are too few.
pub(super) fn frame_of(numbers: &[f32]) -> Option<MotionFrame> {
    let (shapes, rest) = numbers.split_first_chunk()?;
    let &[yaw, pitch, roll, x, y, scale, gaze_x, gaze_y] = rest.first_chunk()?;
    Some(MotionFrame {
        blendshapes: Blendshapes(*shapes),
        head: HeadPose { yaw, pitch, roll, x, y, scale },
        gaze: Gaze { x: gaze_x, y: gaze_y },
    })
}

/// Controls from numbers: a weight for each of [`emotion_names`], gaze x and y, distance, liveliness, articulation, head
/// motion, listening, blinks a minute, yaw, pitch and roll of the head. What is missing keeps its default.
pub(super) fn controls_of(numbers: &[f32]) -> Controls {
    let mut controls = Controls::default();
    for (weight, &number) in controls.emotion.iter_mut().zip(numbers) {
        *weight = number;
    }
    if let Some(&[x, y, distance, liveliness, articulation]) =
        numbers.get(Emotion::COUNT..).and_then(|n| n.first_chunk())
    {
        controls.gaze = Gaze { x, y };
        controls.distance = distance;
        controls.expressiveness = liveliness;
        controls.mouth_amplitude = articulation;
    }
    if let Some(&[head_motion, listening, blink_rate, yaw, pitch, roll]) =
        numbers.get(Emotion::COUNT + 5..).and_then(|n| n.first_chunk())
    {
        controls.head_motion = head_motion;
        controls.listening = listening;
        controls.blink_rate = blink_rate;
        controls.pose = [yaw, pitch, roll];
    }
    controls
}

/// The emotions in the order in which controls name their weights.
#[wasm_bindgen(js_name = emotionNames)]
pub fn emotion_names() -> Vec<String> {
    Emotion::ALL.iter().map(|emotion| emotion.name().to_owned()).collect()
}

/// Makes motion from speech, piece by piece.
#[wasm_bindgen]
pub struct Motion {
    stream: MotionStream,
    frames: Vec<MotionFrame>,
}

impl Motion {
    pub(super) fn new(stream: MotionStream) -> Self {
        Self { stream, frames: Vec::new() }
    }

    /// The frames that are waiting, as numbers one after another.
    fn take(&mut self) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(self.frames.len() * WIDTH);
        for frame in self.frames.drain(..) {
            append(&frame, &mut numbers);
        }
        numbers
    }
}

/// The portrait as it is, as a frame.
#[wasm_bindgen(js_name = restFrame)]
pub fn rest_frame() -> Vec<f32> {
    let mut numbers = Vec::with_capacity(WIDTH);
    append(&MotionFrame::default(), &mut numbers);
    numbers
}

#[wasm_bindgen]
impl Motion {
    /// Numbers of one frame.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        WIDTH
    }

    /// Takes speech (16 kHz, mono) and answers the frames that are complete, one after another.
    ///
    /// # Errors
    /// When a network fails (code `motion`).
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, JsValue> {
        self.stream.push(samples, &mut self.frames).or_js("motion")?;
        Ok(self.take())
    }

    /// Answers the frames that are left after the last sample.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(&mut self) -> Result<Vec<f32>, JsValue> {
        self.stream.finish(&mut self.frames).or_js("motion")?;
        Ok(self.take())
    }

    /// The lips follow `phones` from the next sample on, which is second `from` of their time.
    #[wasm_bindgen(js_name = followPhones)]
    pub fn follow_phones(&mut self, phones: &Phones, from: f64) {
        self.stream.set_phones(Some(phones.timed()), from);
    }

    /// The lips follow the sound again.
    #[wasm_bindgen(js_name = followSound)]
    pub fn follow_sound(&mut self) {
        self.stream.set_phones(None, 0.0);
    }

    /// Changes the controls; the next frames follow smoothly.
    #[wasm_bindgen(js_name = setControls)]
    pub fn set_controls(&mut self, controls: &[f32]) {
        self.stream.set_controls(controls_of(controls));
    }
}
