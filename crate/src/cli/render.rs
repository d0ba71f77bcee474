//! Drawing on one thread, encoding on another, in order and in flat memory.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use parlante::motion::MotionFrame;
use parlante::motion::frame::Reference;
use parlante::output::{Finished, OutputError, VideoWriter};

use super::failure::Failure;
use super::interrupt;
use super::painter::Painter;
use super::progress::Progress;

/// Pictures that may wait for the encoder.
const WAITING: usize = 4;

enum Work {
    Sound(Vec<f32>),
    Picture(Vec<u8>),
    Finish,
}

/// Draws frames and hands them to an encoder on a thread of its own.
pub struct Renderer {
    painter: Painter,
    work: SyncSender<Work>,
    /// Buffers come back empty.
    empty: Receiver<Vec<u8>>,
    encoder: JoinHandle<Result<Option<Finished>, OutputError>>,
    progress: Progress,
}

impl Renderer {
    /// Starts the encoder's thread.
    pub fn start(painter: Painter, writer: VideoWriter, progress: Progress) -> Self {
        let (work, todo) = sync_channel(WAITING * 4);
        let (give_back, empty) = sync_channel(WAITING + 1);
        let bytes = painter.size() as usize * painter.size() as usize * 4;
        for _ in 0..WAITING {
            // There is room for all of them.
            let _ = give_back.try_send(vec![0; bytes]);
        }
        let encoder = thread::spawn(move || encode(writer, &todo, &give_back));
        Self { painter, work, empty, encoder, progress }
    }

    /// Adds sound (48 kHz, interleaved): all up to the time of the next frame, or more.
    pub fn sound(&mut self, samples: Vec<f32>) -> Result<(), Failure> {
        interrupt::check()?;
        // A send fails only if the encoder has stopped; `finish` then says why.
        if samples.is_empty() || self.work.send(Work::Sound(samples)).is_ok() { Ok(()) } else { Err(stopped()) }
    }

    /// Draws a frame.
    pub fn frame(&mut self, frame: &MotionFrame, reference: Reference) -> Result<(), Failure> {
        interrupt::check()?;
        let Ok(mut buffer) = self.empty.recv() else { return Err(stopped()) };
        self.painter.render(frame, reference, &mut buffer)?;
        self.progress.advance();
        self.work.send(Work::Picture(buffer)).map_err(|_| stopped())
    }

    /// Where lines for the person go.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Completes the file, or drops it and says why: `drawn` is how drawing went.
    pub fn finish(self, drawn: Result<(), Failure>) -> Result<Finished, Failure> {
        if drawn.is_ok() {
            let _ = self.work.send(Work::Finish);
        }
        drop(self.work);
        drop(self.empty);
        let written =
            self.encoder.join().map_err(|_| Failure::Internal("The encoder crashed; please report this.".into()))?;
        match (written, drawn) {
            // The encoder's own trouble is the cause, not the channel that broke.
            (Err(error), _) => Err(error.into()),
            (_, Err(failure)) => Err(failure),
            (Ok(Some(finished)), Ok(())) => Ok(finished),
            (Ok(None), Ok(())) => Err(Failure::Internal("The encoder stopped early; please report this.".into())),
        }
    }
}

fn stopped() -> Failure {
    Failure::Internal("The encoder stopped.".into())
}

/// The encoder's thread: returns what was written, or `None` when drawing failed; the file is dropped then.
fn encode(
    mut writer: VideoWriter,
    todo: &Receiver<Work>,
    give_back: &SyncSender<Vec<u8>>,
) -> Result<Option<Finished>, OutputError> {
    for work in todo {
        match work {
            Work::Sound(samples) => writer.sound(&samples)?,
            Work::Picture(buffer) => {
                writer.picture(&buffer)?;
                // Nobody waits for buffers once drawing has ended.
                let _ = give_back.try_send(buffer);
            }
            Work::Finish => return writer.finish().map(Some),
        }
    }
    Ok(None)
}
