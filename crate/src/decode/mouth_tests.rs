//! What a decoder promises of lips, teeth and tongue, checked on a made-up person.

use super::Decoder;
use super::plan::FramePlan;
use super::puppet::Puppet;
use super::testing::{face, model, person};
use super::tests::{frame, plan};
use crate::motion::MotionFrame;
use crate::motion::frame::{Blendshape as B, Reference};
use crate::portrait::FittedFace;
use crate::portrait::fitted::{PAD, SIDE, TEX, TEX_FULL};

/// Largest distance of the lower lip from the upper one, crop pixels.
fn lip_gap(plan: &FramePlan) -> f32 {
    let (upper, lower) = super::paint::lines(&plan.pixels.mouth.lips);
    lower.iter().map(|&p| super::shapes::nearest(p, &upper).distance).fold(0.0, f32::max)
}

/// A coordinate of the crop in pixels of the texture.
fn to_texture(crop: f32) -> f32 {
    (crop + PAD * SIDE) * TEX / SIDE
}

#[test]
fn lips_shut_whatever_the_photo_shows() {
    let smile = [("mouthSmile_L", 0.7), ("mouthSmile_R", 0.7), ("jawOpen", 0.25), ("mouthUpperUp_L", 0.4)];
    let still = plan(&MotionFrame::default(), Reference::Portrait, &smile);
    assert!(lip_gap(&still) > 8.0, "the photo's mouth is open by {} px", lip_gap(&still));
    for reference in [Reference::Speech, Reference::Neutral] {
        let gap = lip_gap(&plan(&MotionFrame::default(), reference, &smile));
        assert!(gap < 1.5, "{reference:?}: {gap} px");
        let gap = lip_gap(&plan(&face(&[(B::JawOpen, 0.6)]), reference, &smile));
        assert!(gap > 15.0, "{reference:?}, open: {gap} px");
    }
    let press = [(B::MouthPressLeft, 0.8), (B::MouthPressRight, 0.8), (B::JawOpen, 0.1)];
    let close = [(B::MouthClose, 0.3), (B::JawOpen, 0.3)];
    for motion in [face(&press), face(&close)] {
        for reference in [Reference::Portrait, Reference::Neutral, Reference::Speech] {
            let gap = lip_gap(&plan(&motion, reference, &smile));
            assert!(gap < 2.0, "{reference:?}: {gap} px");
        }
    }
}

#[test]
fn no_teeth_stick_to_shut_lips() {
    let model = model();
    let smile = [("mouthSmile_L", 0.7), ("mouthSmile_R", 0.7), ("jawOpen", 0.25), ("mouthUpperUp_L", 0.4)];
    let mut decoder = Decoder::new(model.clone(), person(&model, &smile, false), 512).expect("a sound fit");
    let mut white = |reference| {
        let [x0, y0, x1, y1] = plan(&MotionFrame::default(), reference, &smile).pixels.mouth.area.map(|v| v as usize);
        let rgba = frame(&mut decoder, &MotionFrame::default(), reference);
        let inside = (y0..y1).flat_map(|y| (x0..x1).map(move |x| 4 * (y * 512 + x)));
        // skin and lips have less blue than this
        inside.filter(|&i| rgba[i + 2] > 165).count()
    };
    assert!(white(Reference::Portrait) > 100, "the photo shows teeth");
    assert_eq!(white(Reference::Speech), 0);
}

#[test]
fn a_tongue_between_the_lips_is_not_taken_for_teeth() {
    let model = model();
    let mut fit = person(&model, &[("jawOpen", 0.5)], false);
    let shows_teeth = |fit: &FittedFace| Puppet::new(&model, fit).expect("a sound fit").mouth.card.is_some();
    assert!(shows_teeth(&fit));
    let [x, y] = fit.landmarks[13].map(to_texture);
    for (i, c) in fit.texture.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let near = ((i % TEX_FULL) as f32 - x).hypot((i / TEX_FULL) as f32 - y) < 90.0;
        if near && c[2] > 150.0 {
            *c = [205.0, 140.0, 140.0];
        }
    }
    assert!(!shows_teeth(&fit));
}

#[test]
fn a_dark_pit_beside_a_corner_goes_with_the_photos_mouth() {
    let model = model();
    let smile = [("jawOpen", 0.3), ("mouthSmile_L", 0.5), ("mouthSmile_R", 0.5)];
    let clean = person(&model, &smile, false);
    let mut pitted = clean.clone();
    let [corner, other] = [78, 308].map(|i: usize| clean.landmarks[i]);
    let outward = if corner[0] < other[0] { -1.0 } else { 1.0 };
    let [x, y] = [corner[0] + 2.0 * outward, corner[1]].map(to_texture);
    for (i, c) in pitted.texture.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        if ((i % TEX_FULL) as f32 - x).hypot((i / TEX_FULL) as f32 - y) < 5.0 {
            *c = [20.0; 3];
        }
    }
    let shown = |fit| {
        let mut puppet = Puppet::new(&model, fit).expect("a sound fit");
        let mut plan = puppet.frame_plan();
        puppet.plan(&MotionFrame::default(), Reference::Speech, 512, 1.25, &mut plan);
        let ends = [model.lips.upper[0], model.lips.upper[model.lips.upper.len() - 1]];
        ends.map(|i| plan.source[i as usize])
    };
    let moved = shown(&clean).into_iter().zip(shown(&pitted)).map(|(a, b)| (b[0] - a[0]) * outward);
    let moved = moved.fold(0.0, f32::max);
    assert!((3.0..12.0).contains(&moved), "the corner shows skin {moved} px further outside");
}

#[test]
fn a_tongue_that_is_put_out_lies_over_the_lower_lip() {
    let model = model();
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), 512).expect("a sound fit");
    let open = face(&[(B::JawOpen, 0.4)]);
    let out = face(&[(B::JawOpen, 0.4), (B::TongueOut, 1.0)]);
    let lip = plan(&out, Reference::Speech, &[]).pixels.mouth.lips[8];
    let below = |rgba: &[u8]| {
        let i = 4 * ((lip[3] as usize + 4) * 512 + lip[2] as usize);
        [rgba[i], rgba[i + 1], rgba[i + 2]]
    };
    let (before, after) =
        (below(&frame(&mut decoder, &open, Reference::Speech)), below(&frame(&mut decoder, &out, Reference::Speech)));
    assert!(before.iter().zip(&after).map(|(a, b)| a.abs_diff(*b)).max() > Some(15), "{before:?} {after:?}");
}

#[test]
fn nothing_between_open_lips_is_black() {
    let model = model();
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), 512).expect("a sound fit");
    let open = face(&[(B::JawOpen, 0.6)]);
    let shape = plan(&open, Reference::Speech, &[]).pixels;
    let (upper, lower) = super::paint::lines(&shape.mouth.lips);
    let (scale, cm) = (shape.scale[0], shape.mouth.light[3]);
    let rgba = frame(&mut decoder, &open, Reference::Speech);
    let mut seen = 0;
    for (i, c) in rgba.as_chunks::<4>().0.iter().enumerate() {
        let p = [i % 512, i / 512].map(|v| (v as f32 + 0.5) / scale);
        let (up, low) = (super::shapes::nearest(p, &upper), super::shapes::nearest(p, &lower));
        // in front of the lower lip, and at the corners
        let low_lip = low.distance < 0.08 * cm && low.distance > 0.03 * cm;
        let beside = [upper[0], upper[upper.len() - 1]].map(|end| (p[0] - end[0]).hypot(p[1] - end[1]));
        let corner = beside.iter().any(|d| *d < 0.5 * cm) && up.distance > 0.03 * cm;
        if super::shapes::inside(&up, &low) && (low_lip || corner) {
            seen += 1;
            let least = 0.18 * shape.mouth.tissue[0];
            assert!(f32::from(c[0]) > least, "{c:?} at {p:?}, tissue {:?}", shape.mouth.tissue);
        }
    }
    assert!(seen > 100, "{seen} pixels");
}
