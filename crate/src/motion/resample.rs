//! Motion at another frame rate, in a stream and in constant memory.
//!
//! Plain interpolation would open lips that were shut for one frame only. So every source frame in which the lips are
//! closed or a lid is shut goes to the output frame next to it with its lips or lids unchanged (the most closed one,
//! where several do); everything else is interpolated linearly.

use std::collections::VecDeque;

use super::frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame};
use super::lipgap::lip_gap;

/// Lips count as closed under this gap, cm.
const CLOSED_GAP: f32 = 0.10;
/// A lid counts as shut over this value of `eyeBlink`.
const SHUT_LID: f32 = 0.6;

/// Turns frames at one rate into frames at another. Both rates are 1 to 240 frames a second.
#[derive(Clone, Debug)]
pub struct FrameResampler {
    from: f64,
    to: f64,
    /// The newest source frames; the last has the index `pushed - 1`.
    recent: VecDeque<MotionFrame>,
    pushed: u64,
    emitted: u64,
}

impl FrameResampler {
    /// `None` if a rate is out of range.
    pub fn new(from: f64, to: f64) -> Option<Self> {
        let allowed = super::file::FPS_RANGE;
        (allowed.contains(&from) && allowed.contains(&to)).then(|| Self {
            from,
            to,
            recent: VecDeque::with_capacity((2.0 * from / to).ceil() as usize + 6),
            pushed: 0,
            emitted: 0,
        })
    }

    /// Takes the next source frame and emits the output frames that are complete with it. Output frame `k` stands
    /// at `k / to` seconds.
    pub fn push(&mut self, frame: &MotionFrame, emit: &mut impl FnMut(MotionFrame)) {
        if self.recent.len() == self.recent.capacity() {
            self.recent.pop_front();
        }
        self.recent.push_back(*frame);
        self.pushed += 1;
        // A source frame is only known to be a closure when its successor is there.
        while self.last_needed(self.emitted) + 1.0 <= (self.pushed - 1) as f64 {
            self.emit_next(emit);
        }
    }

    /// Emits what is left: in all, `ceil(source frames / from * to)` frames.
    pub fn finish(&mut self, emit: &mut impl FnMut(MotionFrame)) {
        let total = (self.pushed as f64 / self.from * self.to - 1e-6).ceil().max(0.0) as u64;
        while self.emitted < total {
            self.emit_next(emit);
        }
    }

    /// Position of an output frame among the source frames.
    fn position(&self, output: u64) -> f64 {
        output as f64 * self.from / self.to
    }

    /// Newest source frame that an output frame depends on.
    fn last_needed(&self, output: u64) -> f64 {
        let position = self.position(output);
        position.ceil().max(self.last_assigned(output) as f64)
    }

    /// Source frames nearest to this output frame: the first of them.
    fn first_assigned(&self, output: u64) -> u64 {
        (self.position(output) - 0.5 * self.from / self.to).max(-0.5).floor() as i64 as u64 + 1
    }

    fn last_assigned(&self, output: u64) -> u64 {
        (self.position(output) + 0.5 * self.from / self.to).floor() as u64
    }

    fn source(&self, index: u64) -> &MotionFrame {
        let index = index.min(self.pushed.saturating_sub(1));
        let back = (self.pushed - 1 - index) as usize;
        &self.recent[self.recent.len() - 1 - back.min(self.recent.len() - 1)]
    }

    fn emit_next(&mut self, emit: &mut impl FnMut(MotionFrame)) {
        let position = self.position(self.emitted);
        let before = position.floor() as u64;
        let mut frame = mix(self.source(before), self.source(before + 1), (position - before as f64) as f32);
        let (first, last) = (self.first_assigned(self.emitted), self.last_assigned(self.emitted).min(self.pushed - 1));
        let mut lips = CLOSED_GAP.min(lip_gap(&frame.blendshapes));
        let mut lids = SHUT_LID.max(shut(&frame.blendshapes));
        for index in first..=last {
            let here = &self.source(index).blendshapes;
            if lip_gap(here) < lips {
                lips = lip_gap(here);
                copy(here, &mut frame.blendshapes, is_mouth);
            }
            if shut(here) > lids {
                lids = shut(here);
                copy(here, &mut frame.blendshapes, is_lid);
            }
        }
        self.emitted += 1;
        emit(frame);
    }
}

fn shut(b: &Blendshapes) -> f32 {
    b[Blendshape::EyeBlinkLeft].max(b[Blendshape::EyeBlinkRight])
}

/// Whether a shape moves jaw, lips, tongue or puffed cheeks.
pub(super) fn is_mouth(b: Blendshape) -> bool {
    (Blendshape::JawForward as usize..=Blendshape::MouthUpperUpRight as usize).contains(&(b as usize))
        || matches!(b, Blendshape::TongueOut | Blendshape::TongueUp | Blendshape::CheekPuff)
}

fn is_lid(b: Blendshape) -> bool {
    use Blendshape as B;
    matches!(b, B::EyeBlinkLeft | B::EyeBlinkRight | B::EyeSquintLeft | B::EyeSquintRight)
        || matches!(b, B::EyeWideLeft | B::EyeWideRight)
}

fn copy(from: &Blendshapes, to: &mut Blendshapes, which: fn(Blendshape) -> bool) {
    for b in Blendshape::ALL.into_iter().filter(|&b| which(b)) {
        to[b] = from[b];
    }
}

/// `a` at 0, `b` at 1.
fn mix(a: &MotionFrame, b: &MotionFrame, at: f32) -> MotionFrame {
    let lerp = |x: f32, y: f32| x + (y - x) * at;
    let mut out = *a;
    for (o, y) in out.blendshapes.0.iter_mut().zip(&b.blendshapes.0) {
        *o = lerp(*o, *y);
    }
    let (p, q) = (&a.head, &b.head);
    out.head = HeadPose {
        yaw: lerp(p.yaw, q.yaw),
        pitch: lerp(p.pitch, q.pitch),
        roll: lerp(p.roll, q.roll),
        x: lerp(p.x, q.x),
        y: lerp(p.y, q.y),
        scale: lerp(p.scale, q.scale),
    };
    out.gaze = Gaze { x: lerp(a.gaze.x, b.gaze.x), y: lerp(a.gaze.y, b.gaze.y) };
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(frames: &[MotionFrame], from: f64, to: f64) -> Vec<MotionFrame> {
        let mut out = Vec::new();
        let mut r = FrameResampler::new(from, to).unwrap();
        for f in frames {
            r.push(f, &mut |f| out.push(f));
        }
        r.finish(&mut |f| out.push(f));
        out
    }

    fn talking(n: usize, closed: &[usize]) -> Vec<MotionFrame> {
        let mut frames = vec![MotionFrame::default(); n];
        for (i, f) in frames.iter_mut().enumerate() {
            f.blendshapes[Blendshape::JawOpen] = 0.3;
            f.blendshapes[Blendshape::MouthClose] = if closed.contains(&i) { 0.28 } else { 0.0 };
            f.blendshapes[Blendshape::EyeBlinkLeft] = if closed.contains(&i) { 1.0 } else { 0.0 };
            f.head.yaw = i as f32;
        }
        frames
    }

    #[test]
    fn same_rate_changes_nothing() {
        let frames = talking(40, &[3, 17, 39]);
        assert_eq!(run(&frames, 25.0, 25.0), frames);
    }

    #[test]
    fn straight_motion_stays_straight() {
        for (k, f) in run(&talking(50, &[]), 25.0, 60.0).iter().enumerate() {
            assert!((f.head.yaw - (k as f32 * 25.0 / 60.0).min(49.0)).abs() < 1e-4, "{k} {}", f.head.yaw);
        }
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        assert!(FrameResampler::new(25.0, 0.5).is_none());
        assert!(FrameResampler::new(f64::NAN, 25.0).is_none());
        assert!(FrameResampler::new(241.0, 25.0).is_none());
    }

    /// Speech that closes for 60 ms at some moments, seen at 25 frames a second, then at other rates: the frame nearest
    /// to the middle of each closure shows it, wherever the closure lies between the frames.
    #[test]
    fn short_closures_are_seen_at_every_rate_and_phase() {
        use super::super::articulation::tests::constants;
        use super::super::coarticulation::Coarticulation;
        use super::super::{Phone, TimedPhone, TimedPhones};
        let articulation = constants();
        for phase in 0..40 {
            let mut phones = Vec::new();
            for k in 0..12 {
                let at = 0.5 + 0.001 * f64::from(phase) + 0.4 * f64::from(k);
                let closing = [Phone::P, Phone::B, Phone::M][k as usize % 3];
                phones.push(TimedPhone { phone: Phone::Aa, start: at - 0.2, end: at });
                phones.push(TimedPhone { phone: closing, start: at, end: at + 0.06 });
                phones.push(TimedPhone { phone: Phone::Iy, start: at + 0.06, end: at + 0.2 });
            }
            let mut mouth = Coarticulation::new(&TimedPhones::new(&phones).unwrap());
            let frame = |i: usize| MotionFrame {
                blendshapes: articulation.to_arkit(&mouth.tracks(i as f64 / 25.0)),
                ..MotionFrame::default()
            };
            let frames: Vec<MotionFrame> = (0..150).map(frame).collect();
            for fps in [25.0, 24.0, 30.0, 50.0, 60.0] {
                let out = run(&frames, 25.0, fps);
                for p in phones.iter().filter(|p| p.phone.is_bilabial()) {
                    let nearest = (0.5 * (p.start + p.end) * fps).round() as usize;
                    let gap = lip_gap(&out[nearest].blendshapes);
                    assert!(gap < CLOSED_GAP, "{fps} frames a second, phase {phase} ms, {p:?}: gap {gap}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_closure_survives(from in 20.0f64..70.0, ratio in 0.45f64..4.0, gap in 3usize..9, n in 1usize..120) {
            let to = (from * ratio).clamp(12.0, 240.0);
            let closed: Vec<usize> = (2..n).step_by(gap).collect();
            let out = run(&talking(n, &closed), from, to);
            prop_assert_eq!(out.len(), (n as f64 / from * to - 1e-6).ceil() as usize);
            for &c in &closed {
                let at = c as f64 / from;
                if at > (out.len() - 1) as f64 / to + 0.5 / to { continue; }
                let near = out.iter().enumerate().filter(|(k, _)| (*k as f64 / to - at).abs() <= 0.5 / to + 1e-6);
                let gap = near.clone().map(|(_, f)| lip_gap(&f.blendshapes)).fold(f32::MAX, f32::min);
                let lid = near.map(|(_, f)| shut(&f.blendshapes)).fold(0.0, f32::max);
                prop_assert!(gap < CLOSED_GAP, "closure at {at} lost: gap {gap}");
                prop_assert!(lid > 0.9, "blink at {at} lost: {lid}");
            }
        }
    }
}
