//! A recording read once, for the motion and for the sound track of the video.

use std::path::Path;

use parlante::audio::opus::RATE;
use parlante::audio::{AudioReader, Converter, Mix, SAMPLE_RATE};

use super::failure::Failure;
use super::progress::Progress;

/// Reads a recording block by block in both forms.
pub struct Recording {
    reader: AudioReader,
    speech: Converter,
    sound: Converter,
    ended: bool,
}

impl Recording {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let reader = AudioReader::open(path)?;
        let speech = Converter::new(reader.format(), SAMPLE_RATE, Mix::Mono)?;
        let sound = Converter::new(reader.format(), RATE, Mix::AtMostStereo)?;
        Ok(Self { reader, speech, sound, ended: false })
    }

    /// Channels of the sound track.
    pub fn channels(&self) -> usize {
        self.sound.channels()
    }

    /// Frames of a video of this recording, as far as the file tells its length.
    pub fn expected_frames(&self, fps: u32) -> Option<u64> {
        self.reader.announced_duration().map(|seconds| (seconds * f64::from(fps)).ceil() as u64).filter(|&n| n > 0)
    }

    /// Appends the next block as 16 kHz mono and as 48 kHz sound; false once everything was read.
    pub fn read(&mut self, speech: &mut Vec<f32>, sound: &mut Vec<f32>) -> bool {
        if self.ended {
            return false;
        }
        match self.reader.next_block() {
            Some(block) => {
                self.speech.push(block, speech);
                self.sound.push(block, sound);
            }
            None => {
                self.ended = true;
                self.speech.finish(speech);
                self.sound.finish(sound);
            }
        }
        true
    }

    /// Says what was missing in the file.
    pub fn report(&self, progress: &Progress) {
        for warning in self.reader.warnings() {
            progress.say(&format!("parlante: {warning}"));
        }
    }
}
