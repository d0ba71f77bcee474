//! A transcript laid under a recording: Viterbi search for the likeliest times of its phones in what the encoder hears.
//!
//! The search runs with the sound. Only places near the best one are followed (a beam), and what lies half a minute
//! back is decided, so that memory grows with the text and hardly with the sound.

use std::collections::VecDeque;

use super::encoder::{BLOCK_FRAMES, BLOCK_ROWS, Encoder};
use super::error::MotionError;
use super::phone::Phone;
use super::timed::{TimedPhone, TimedPhones};
use super::words::{Transcript, TranscriptError};
use crate::audio::mel::{BANDS, LogMel};
use crate::pack::Pack;

/// Seconds of an encoder row.
const ROW: f64 = 0.02;
/// Rows by which the encoder's opinion comes late.
const DELAY: u64 = 3;
/// Samples of an encoder block.
const BLOCK: usize = 640;
/// Places worse than the best one by this much are given up, natural logarithm.
const BEAM: f32 = 150.0;
/// Most places that are followed at once.
const WIDEST: usize = 4000;
/// Rows after which a decision is final, and how many are decided at once.
const HORIZON: usize = 1500;
const DECIDED: usize = 250;
/// What a pause costs, so that no closure of a stop becomes one.
const PAUSE_COST: f32 = 4.0;
/// How much silence is a stop's own closure, natural logarithm.
const CLOSURE: f32 = -1.0;
/// Opinions under this do not get any worse: a cough is not the end.
const LEAST: f32 = -9.0;
/// A row fits if its phone has at least this share of the likeliest one's probability.
const FITS: f32 = 0.1;
/// How much less likely than the likeliest phones those of the text may be on average, natural logarithm. Right texts of
/// native speakers lose 0.8 at most (35 clips), other people's texts 1.4 at least.
const MOST_LOSS: f32 = 1.2;
/// Fewer rows of speech prove nothing.
const FEW_ROWS: u32 = 40;

/// Phones in the order in which they may be said.
#[derive(Debug)]
struct Course {
    phones: Vec<Phone>,
    /// Predecessors of node `i`: `before[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    before: Vec<u32>,
    /// Farthest node that follows each node.
    reach: Vec<u32>,
    /// Where the text may begin and end.
    first: Vec<u32>,
    last: Vec<u32>,
}

impl Course {
    fn new(transcript: &Transcript) -> Self {
        let mut all = Self {
            phones: Vec::new(),
            starts: vec![0],
            before: Vec::new(),
            reach: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
        };
        let silence = all.node(Phone::Sil, &[]);
        all.first.push(silence);
        // `None`: the beginning of the sound.
        let mut exits = vec![silence];
        let mut beginning = true;
        for word in transcript.words() {
            let mut ends = Vec::new();
            for way in &word.ways {
                let mut last = None;
                for &phone in way {
                    let node = match last {
                        None => {
                            let node = all.node(phone, &exits);
                            if beginning {
                                all.first.push(node);
                            }
                            node
                        }
                        Some(last) => all.node(phone, &[last]),
                    };
                    last = Some(node);
                }
                ends.extend(last);
            }
            let pause = all.node(Phone::Sil, &ends);
            exits = ends;
            exits.push(pause);
            beginning = false;
        }
        all.last = exits;
        all
    }

    fn node(&mut self, phone: Phone, before: &[u32]) -> u32 {
        let node = self.phones.len() as u32;
        self.phones.push(phone);
        self.before.extend_from_slice(before);
        self.starts.push(self.before.len() as u32);
        self.reach.push(node);
        for &b in before {
            self.reach[b as usize] = node;
        }
        node
    }

    fn before(&self, node: usize) -> &[u32] {
        &self.before[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}

/// How a row's places were reached: of each node from `from` on, 0 is itself, `k` its predecessor `k - 1`.
#[derive(Debug)]
struct Came {
    from: u32,
    by: Vec<u8>,
}

/// Aligns a transcript with a recording that comes piece by piece.
#[derive(Debug)]
pub struct Aligner {
    encoder: Encoder,
    mel: LogMel,
    block: Vec<f32>,
    course: Course,
    /// Log probability of the best way to each node, in the range that is followed.
    score: Vec<f32>,
    next: Vec<f32>,
    range: std::ops::Range<usize>,
    came: VecDeque<Came>,
    /// Nodes of the rows that are decided.
    path: Vec<u32>,
    rows: u64,
    samples: u64,
    /// Opinions about the last rows, to judge the fit of what is decided.
    opinions: VecDeque<[f32; Phone::COUNT]>,
    fitting: u32,
    spoken: u32,
    loss: f32,
}

impl Aligner {
    /// Begins with the start of a recording.
    ///
    /// # Errors
    /// [`MotionError`] when the pack has no encoder, or one with other phones.
    pub fn new(pack: &Pack, transcript: &Transcript) -> Result<Self, MotionError> {
        let encoder = Encoder::new(pack)?;
        if !encoder.phones().iter().map(String::as_str).eq(Phone::ALL.into_iter().map(Phone::name)) {
            return Err(MotionError::Config("encoder: transcripts need its phones to be the 40 of ARPAbet".into()));
        }
        let course = Course::new(transcript);
        let nodes = course.phones.len();
        Ok(Self {
            encoder,
            mel: LogMel::new(),
            block: Vec::with_capacity(BLOCK),
            course,
            score: vec![f32::NEG_INFINITY; nodes],
            next: vec![f32::NEG_INFINITY; nodes],
            range: 0..0,
            came: VecDeque::new(),
            path: Vec::new(),
            rows: 0,
            samples: 0,
            opinions: VecDeque::new(),
            fitting: 0,
            spoken: 0,
            loss: 0.0,
        })
    }

    /// Takes mono samples at 16 kHz; what is not finite counts as silence.
    ///
    /// # Errors
    /// [`MotionError::Run`].
    pub fn push(&mut self, samples: &[f32]) -> Result<(), MotionError> {
        self.samples += samples.len() as u64;
        self.feed(samples)
    }

    fn feed(&mut self, samples: &[f32]) -> Result<(), MotionError> {
        for &x in samples {
            self.block.push(if x.is_finite() { x.clamp(-1e4, 1e4) } else { 0.0 });
            if self.block.len() == BLOCK {
                self.hear()?;
            }
        }
        Ok(())
    }

    /// Ends the recording: the phones of the text with their times.
    ///
    /// # Errors
    /// [`MotionError::Run`], and [`MotionError::Transcript`] when the text does not fit the sound.
    pub fn finish(mut self) -> Result<TimedPhones, MotionError> {
        let wanted = self.samples.div_ceil(BLOCK as u64 / BLOCK_ROWS as u64) + DELAY;
        let silence = [0.0; BLOCK];
        while self.rows < wanted {
            self.feed(&silence[self.block.len()..])?;
        }
        let best = |nodes: &mut dyn Iterator<Item = usize>| {
            nodes
                .max_by(|&a, &b| self.score[a].total_cmp(&self.score[b]))
                .filter(|&n| self.score[n] > f32::NEG_INFINITY)
        };
        let ends = &self.course.last;
        let complete = best(&mut ends.iter().map(|&n| n as usize).filter(|n| self.range.contains(n)));
        let Some(end) = complete.or_else(|| best(&mut self.range.clone())) else {
            return Err(TranscriptError::Empty.into());
        };
        self.decide(end, self.came.len());
        let wrong = 1.0 - self.fitting as f32 / self.spoken.max(1) as f32;
        let misfit = self.spoken > FEW_ROWS && self.loss > MOST_LOSS * self.spoken as f32;
        if misfit || complete.is_none() {
            return Err(TranscriptError::Misfit { wrong: (100.0 * wrong).round() as u32 }.into());
        }
        Ok(self.timed())
    }

    fn timed(&self) -> TimedPhones {
        let mut phones: Vec<TimedPhone> = Vec::new();
        let mut last = None;
        for (row, &node) in self.path.iter().enumerate().skip(DELAY as usize) {
            let start = (row as u64 - DELAY) as f64 * ROW;
            match phones.last_mut().filter(|_| last == Some(node)) {
                Some(phone) => phone.end = start + ROW,
                None => {
                    let phone = self.course.phones[node as usize];
                    phones.push(TimedPhone { phone, start, end: start + ROW });
                }
            }
            last = Some(node);
        }
        // Times that rise one after another cannot be refused.
        TimedPhones::new(&phones).unwrap_or_default()
    }

    /// Runs a full block.
    fn hear(&mut self) -> Result<(), MotionError> {
        let mut mel = [[0.0; BANDS]; BLOCK_FRAMES];
        let mut frames = mel.iter_mut();
        self.mel.push(&self.block, &mut |frame| {
            if let Some(to) = frames.next() {
                *to = *frame;
            }
        });
        self.block.clear();
        let encoded = self.encoder.run(&mel)?;
        for logits in encoded.logits.as_chunks::<{ Phone::COUNT }>().0 {
            self.step(opinion(logits));
        }
        Ok(())
    }

    /// Moves all places on by a row.
    fn step(&mut self, opinion: [f32; Phone::COUNT]) {
        self.rows += 1;
        self.opinions.push_back(opinion);
        let nodes = self.course.phones.len();
        if self.came.is_empty() && self.path.is_empty() {
            for &node in &self.course.first {
                self.score[node as usize] = opinion[self.course.phones[node as usize] as usize];
            }
            let end = self.course.first.iter().max().map_or(0, |&n| n as usize + 1);
            self.range = 0..end;
            self.came.push_back(Came { from: 0, by: vec![0; end] });
            return;
        }
        let reach = self.course.reach[self.range.clone()].iter().max().map_or(0, |&r| r as usize);
        let end = (reach + 1).min(nodes);
        let mut by = Vec::with_capacity(end - self.range.start);
        let mut top = f32::NEG_INFINITY;
        for node in self.range.start..end {
            let inside = |n: usize| if self.range.contains(&n) { self.score[n] } else { f32::NEG_INFINITY };
            let (mut best, mut from) = (inside(node), 0);
            let phone = self.course.phones[node];
            let cost = if phone == Phone::Sil { PAUSE_COST } else { 0.0 };
            for (k, &before) in (1..).zip(self.course.before(node)) {
                let way = inside(before as usize) - cost;
                if way > best {
                    (best, from) = (way, k);
                }
            }
            let score = best + opinion[phone as usize];
            self.next[node] = score;
            top = top.max(score);
            by.push(from);
        }
        std::mem::swap(&mut self.score, &mut self.next);
        let alive = |n: &usize| self.score[*n] > top - BEAM;
        let mut range = self.range.start..end;
        range.start = range.clone().find(alive).unwrap_or(range.start);
        range.end = range.clone().rev().find(alive).map_or(range.end, |n| n + 1);
        if range.len() > WIDEST {
            let middle = range.clone().max_by(|&a, &b| self.score[a].total_cmp(&self.score[b])).unwrap_or(range.start);
            range = range.start.max(middle.saturating_sub(WIDEST / 2))..range.end.min(middle + WIDEST / 2);
        }
        self.came.push_back(Came { from: self.range.start as u32, by });
        self.range = range;
        if self.came.len() >= HORIZON + DECIDED {
            let best = self.range.clone().max_by(|&a, &b| self.score[a].total_cmp(&self.score[b]));
            if let Some(best) = best {
                self.decide(best, DECIDED);
            }
        }
    }

    /// Decides the oldest `count` rows by the way to `end`.
    fn decide(&mut self, end: usize, count: usize) {
        let mut node = end as u32;
        let mut way = vec![0; self.came.len()];
        for (row, came) in self.came.iter().enumerate().rev() {
            way[row] = node;
            let by = node.checked_sub(came.from).and_then(|i| came.by.get(i as usize)).copied().unwrap_or(0);
            if by > 0
                && let Some(&before) = self.course.before(node as usize).get(usize::from(by) - 1)
            {
                node = before;
            }
        }
        for &node in &way[..count.min(way.len())] {
            // Two decisions may differ at their border; the text never runs backwards.
            let node = node.max(self.path.last().copied().unwrap_or(0));
            self.path.push(node);
            self.came.pop_front();
            let phone = self.course.phones[node as usize];
            if let Some(opinion) = self.opinions.pop_front() {
                let likeliest = opinion.iter().copied().fold(f32::MIN, f32::max);
                let loss = likeliest - opinion[phone as usize];
                let fits = loss < -FITS.ln();
                // Speech where the text has none counts as much as the other way round.
                if phone != Phone::Sil || !fits {
                    self.spoken += 1;
                    self.fitting += u32::from(fits);
                    self.loss += loss;
                }
            }
        }
    }
}

/// Log probability of each phone.
fn opinion(logits: &[f32; Phone::COUNT]) -> [f32; Phone::COUNT] {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum = logits.iter().map(|l| (l - top).exp()).sum::<f32>().ln();
    let mut all = logits.map(|l| (l - top - sum).max(LEAST));
    let silence = all[Phone::Sil as usize];
    for stop in [Phone::P, Phone::B, Phone::T, Phone::D, Phone::K, Phone::G] {
        let own = &mut all[stop as usize];
        *own = own.max(silence + CLOSURE);
    }
    all
}

#[cfg(test)]
mod tests;
