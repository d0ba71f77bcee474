//! What a decoder promises, checked on a made-up person.

use super::background::Background;
use super::plan::FramePlan;
use super::puppet::Puppet;
use super::testing::{HEAD, face, model, parted, person, psnr, turned};
use super::{DecodeError, Decoder};
use crate::motion::frame::{Blendshape as B, Reference};
use crate::motion::{Gaze, MotionFrame};
use proptest::prelude::*;

const SIZE: u32 = 256;

pub(super) fn frame(decoder: &mut Decoder, motion: &MotionFrame, reference: Reference) -> Vec<u8> {
    let mut rgba = vec![0; (decoder.size() * decoder.size() * 4) as usize];
    decoder.render(motion, reference, &mut rgba).expect("the buffer fits");
    rgba
}

pub(super) fn plan(motion: &MotionFrame, reference: Reference, shown: &[(&str, f32)]) -> FramePlan {
    let model = model();
    let mut puppet = Puppet::new(&model, &person(&model, shown, false)).expect("a sound fit");
    let mut plan = puppet.frame_plan();
    puppet.plan(motion, reference, 512, 1.25, &mut plan);
    plan
}

#[test]
fn an_empty_frame_is_the_photo() {
    let model = model();
    for shown in [&[][..], &[("jawOpen", 0.4), ("mouthSmile_L", 0.5), ("mouthSmile_R", 0.5)]] {
        let fit = person(&model, shown, false);
        let photo = super::plane::Plane { width: 960, height: 960, data: fit.texture.as_chunks::<3>().0.to_vec() };
        let photo = super::sample::for_size(&photo.map(|[r, g, b]| [r, g, b, 1.0]), 512);
        let mut wanted = Vec::new();
        for i in 0..512 * 512 {
            let at = |v: usize| ((v as f32 + 0.5) + 128.0) * 1.25;
            let c = super::sample::bicubic(&photo, at(i % 512), at(i / 512));
            wanted.extend([c[0], c[1], c[2], 255.0].map(|v| (v + 0.5) as u8));
        }
        for person in [None, parted(&model, shown).person] {
            let known = person.is_some();
            let fit = crate::portrait::FittedFace { person, ..fit.clone() };
            let mut decoder = Decoder::new(model.clone(), fit, 512).expect("a sound fit");
            let db = psnr(&frame(&mut decoder, &MotionFrame::default(), Reference::Portrait), &wanted);
            assert!(db >= 45.0, "{db:.1} dB with {shown:?}, person known: {known}");
        }
    }
}

#[test]
fn a_frame_depends_on_nothing_but_its_motion() {
    let model = model();
    let shown = [("mouthSmile_L", 0.4), ("mouthSmile_R", 0.4)];
    let mut one = Decoder::new(model.clone(), person(&model, &shown, false), SIZE).expect("a sound fit");
    let mut two = Decoder::new(model.clone(), person(&model, &shown, false), SIZE).expect("a sound fit");
    let talk = face(&[(B::JawOpen, 0.5), (B::MouthFunnel, 0.3)]);
    let first = frame(&mut one, &talk, Reference::Speech);
    for other in [turned(12.0, 5.0, -8.0), face(&[(B::EyeBlinkLeft, 1.0), (B::EyeBlinkRight, 1.0)])] {
        frame(&mut one, &other, Reference::Speech);
    }
    assert!(first == frame(&mut one, &talk, Reference::Speech), "earlier frames must leave no trace");
    assert!(first == frame(&mut two, &talk, Reference::Speech), "two decoders must agree");
}

#[test]
fn rows_are_the_same_whoever_draws_them() {
    let model = model();
    let [mut one, mut two] =
        [0, 1].map(|_| Decoder::new(model.clone(), person(&model, &[], false), SIZE).expect("a sound fit"));
    let talk = MotionFrame {
        head: turned(8.0, 3.0, 4.0).head,
        ..face(&[(B::JawOpen, 0.6), (B::EyeBlinkLeft, 0.4), (B::MouthFunnel, 0.2)])
    };
    let whole = frame(&mut one, &talk, Reference::Speech);
    let bytes = (SIZE * 4) as usize;
    for cut in [0, 1, 77, 150, 163, 170, SIZE] {
        let mut rgba = vec![0; whole.len()];
        let (upper, lower) = rgba.split_at_mut(cut as usize * bytes);
        // who draws the lower rows was busy with other ones of another frame before
        two.plan(&MotionFrame::default(), Reference::Speech);
        two.paint(40..90, &mut vec![0; 50 * bytes]).expect("the buffer fits");
        for (decoder, rows, piece) in [(&mut one, 0..cut, upper), (&mut two, cut..SIZE, lower)] {
            decoder.plan(&talk, Reference::Speech);
            decoder.paint(rows, piece).expect("the buffer fits");
        }
        assert!(rgba == whole, "cut at row {cut}");
    }
}

#[test]
fn rows_that_a_frame_does_not_have_are_refused() {
    let model = model();
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), SIZE).expect("a sound fit");
    let bytes = (SIZE * 4) as usize;
    let mut paint = |rows, buffer: usize| decoder.paint(rows, &mut vec![0; buffer]).is_ok();
    assert!(paint(3..5, 2 * bytes) && paint(7..7, 0));
    assert!(!paint(3..5, 2 * bytes + 4) && !paint(SIZE - 1..SIZE + 1, 2 * bytes));
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller may do wrong")]
    let backwards = 9..3;
    assert!(paint(backwards, 0), "no rows at all");
}

#[test]
fn every_pixel_is_covered() {
    let model = model();
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), SIZE).expect("a sound fit");
    let mut motions = vec![turned(30.0, 10.0, 10.0), turned(-30.0, -10.0, -15.0)];
    motions.push(face(&[(B::JawOpen, 1.0), (B::MouthFunnel, 1.0), (B::EyeWideLeft, 1.0)]));
    motions.push(face(&[(B::MouthPucker, 1.0), (B::EyeBlinkLeft, 1.0), (B::EyeBlinkRight, 1.0)]));
    for motion in motions {
        frame(&mut decoder, &motion, Reference::Speech);
        assert_eq!(decoder.canvas.uncovered(), 0, "{motion:?}");
    }
}

#[test]
fn a_blink_shuts_the_lids() {
    let blink = face(&[(B::EyeBlinkLeft, 1.0), (B::EyeBlinkRight, 1.0)]);
    for (motion, shut) in [(MotionFrame::default(), false), (blink, true)] {
        for eye in &plan(&motion, Reference::Speech, &[]).pixels.eyes {
            let gap = eye.lids.iter().map(|p| p[3] - p[1]).fold(f32::MIN, f32::max);
            assert_eq!(gap < 2.5, shut, "{gap} px");
        }
    }
}

#[test]
fn lines_that_enclose_something_share_their_ends() {
    let half = face(&[(B::EyeBlinkLeft, 0.5), (B::EyeBlinkRight, 0.9), (B::EyeLookDownLeft, 0.5)]);
    let plan = plan(&half, Reference::Speech, &[("eyeBlink_L", 0.2)]);
    for eye in &plan.pixels.eyes {
        for k in [0, 16] {
            let [x, y, z, w] = eye.lids[k];
            assert_eq!(([x, y], [x, y]), ([z, w], [eye.second[k][0], eye.second[k][1]]));
        }
    }
    for k in [0, 16] {
        let [x, y, z, w] = plan.pixels.mouth.lips[k];
        assert_eq!([x, y], [z, w]);
    }
}

#[test]
fn gaze_moves_the_irises_and_given_gaze_wins() {
    let iris = |m: &MotionFrame| {
        plan(m, Reference::Speech, &[]).pixels.eyes.map(|e| [e.iris[0] - e.iris[2], e.iris[1] - e.iris[3]])
    };
    let right = MotionFrame { gaze: Gaze { x: 15.0, y: 0.0 }, ..Default::default() };
    let mut both = face(&[(B::EyeLookOutRight, 0.5), (B::EyeLookInLeft, 0.5)]);
    for [x, _] in iris(&right) {
        assert!(x > 3.0, "{x}");
    }
    for [x, _] in iris(&both) {
        assert!(x < -3.0, "{x}");
    }
    both.gaze.x = 15.0;
    assert_eq!(iris(&both), iris(&right));
    for [_, y] in iris(&MotionFrame { gaze: Gaze { x: 0.0, y: 10.0 }, ..Default::default() }) {
        assert!(y > 2.0, "{y}");
    }
}

#[test]
fn eyes_that_the_photo_shows_shut_have_no_gaze() {
    let away = MotionFrame { gaze: Gaze { x: 20.0, y: 0.0 }, ..Default::default() };
    for (shown, seen) in [(0.0, true), (1.0, false)] {
        let eyes = plan(&away, Reference::Speech, &[("eyeBlink_L", shown), ("eyeBlink_R", shown)]).pixels.eyes;
        assert!(eyes.iter().all(|e| (e.shade[2] > 0.0) == seen), "{shown}: {:?}", eyes.map(|e| e.shade));
    }
}

#[test]
fn lids_follow_the_gaze() {
    let lids = |y: f32| {
        let motion = MotionFrame { gaze: Gaze { x: 0.0, y }, ..Default::default() };
        plan(&motion, Reference::Speech, &[]).pixels.eyes.map(|e| [e.lids[8][1], e.lids[8][3]])
    };
    let (up, ahead, down) = (lids(-20.0), lids(0.0), lids(20.0));
    for e in 0..2 {
        // both lids go along, the upper one further
        assert!(up[e][0] < ahead[e][0] - 1.0 && ahead[e][0] < down[e][0] - 3.0, "{up:?} {ahead:?} {down:?}");
        assert!(ahead[e][1] < down[e][1] && down[e][1] - ahead[e][1] < down[e][0] - ahead[e][0], "{ahead:?} {down:?}");
    }
}

#[test]
fn behind_glasses_lids_close_and_no_skin_moves() {
    let model = model();
    for glasses in [true, false] {
        let mut puppet = Puppet::new(&model, &person(&model, &[], glasses)).expect("a sound fit");
        let mut at = puppet.frame_plan();
        puppet.plan(&MotionFrame::default(), Reference::Speech, 512, 1.25, &mut at);
        let open = at.positions.clone();
        puppet.plan(&face(&[(B::EyeBlinkRight, 1.0)]), Reference::Speech, 512, 1.25, &mut at);
        let eye = &at.pixels.eyes[0];
        let gap = eye.lids[8][3] - eye.lids[8][1];
        assert!(gap < 2.0 && eye.lid[0] > 0.8, "{gap} {}", eye.lid[0]);
        let lids = model.lids_right.upper.iter().map(|&i| (at.positions[i as usize][1] - open[i as usize][1]).abs());
        assert_eq!(lids.fold(0.0, f32::max) < 0.01, glasses);
    }
}

#[test]
fn corners_stay_when_the_head_moves() {
    let model = model();
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), SIZE).expect("a sound fit");
    let still = frame(&mut decoder, &MotionFrame::default(), Reference::Speech);
    for motion in [turned(15.0, 0.0, 0.0), turned(0.0, 10.0, 0.0), turned(0.0, 0.0, 10.0)] {
        let moved = frame(&mut decoder, &motion, Reference::Speech);
        for y in 0..16 {
            for x in (0..16).chain(240..256) {
                let i = 4 * (y * 256 + x);
                for c in 0..3 {
                    assert!(still[i + c].abs_diff(moved[i + c]) <= 6, "{motion:?} moves pixel {x}, {y}");
                }
            }
        }
    }
}

/// Motions that take the whole head somewhere else.
fn everywhere() -> Vec<MotionFrame> {
    let mut all =
        vec![turned(25.0, 0.0, 0.0), turned(-25.0, 0.0, 0.0), turned(0.0, 15.0, 0.0), turned(5.0, -15.0, 15.0)];
    for (x, scale) in [(0.1, 1.0), (0.0, 1.2), (-0.1, 0.8)] {
        let head = crate::motion::HeadPose { x, scale, ..Default::default() };
        all.push(MotionFrame { head, ..Default::default() });
    }
    all
}

#[test]
fn what_is_behind_the_person_holds_still() {
    let model = model();
    let fit = parted(&model, &[]);
    let middle = fit.landmarks[1].map(|v| 0.5 * v);
    let mut decoder = Decoder::new(model.clone(), fit, SIZE).expect("a sound fit");
    let still = frame(&mut decoder, &MotionFrame::default(), Reference::Speech);
    for motion in everywhere() {
        let moved = frame(&mut decoder, &motion, Reference::Speech);
        let mut changed = 0;
        for (i, (a, b)) in still.as_chunks::<4>().0.iter().zip(moved.as_chunks::<4>().0).enumerate() {
            let (x, y) = ((i % 256) as f32 - middle[0], (i / 256) as f32 - middle[1]);
            let out = (2.0 * x / HEAD[0]).hypot(2.0 * y / HEAD[1]);
            changed += usize::from(out < 1.0 && a != b);
            assert!(out < 1.7 || a == b, "{motion:?} moves the wall at {x}, {y} from the nose: {a:?} {b:?}");
        }
        assert!(changed > 3000, "{motion:?} must move the head: {changed}");
    }
}

#[test]
fn no_second_face_is_left_behind() {
    // where the head was the wall is filled: no skin
    let model = model();
    let fit = parted(&model, &[]);
    let ear = [fit.landmarks[1][0] * 0.5 - 0.5 * 0.8 * HEAD[0], fit.landmarks[1][1] * 0.5].map(|v| v as usize);
    let mut decoder = Decoder::new(model.clone(), fit, SIZE).expect("a sound fit");
    let head = crate::motion::HeadPose { x: 0.45, ..Default::default() };
    let gone = frame(&mut decoder, &MotionFrame { head, ..Default::default() }, Reference::Speech);
    let [r, _, b, _] = gone.as_chunks::<4>().0[ear[1] * 256 + ear[0]];
    assert!(b > r, "bluish wall, not skin: {r} {b}");
}

#[test]
fn the_background_can_be_exchanged_where_the_person_is_known() {
    let model = model();
    let mut known = Decoder::new(model.clone(), parted(&model, &[]), SIZE).expect("a sound fit");
    let photo = frame(&mut known, &MotionFrame::default(), Reference::Speech);
    let pixel = |rgba: &[u8], x: usize, y: usize| rgba.as_chunks::<4>().0[y * 256 + x];
    let middle = parted(&model, &[]).landmarks[1].map(|v| (0.5 * v) as usize);
    let blue = crate::portrait::Picture { width: 30, height: 20, data: [0, 0, 255].repeat(600) };
    for (background, corner) in [
        (Background::Colour([10, 200, 30]), [10, 200, 30, 255]),
        (Background::Transparent, [0; 4]),
        (Background::Picture(std::sync::Arc::new(blue)), [0, 0, 255, 255]),
    ] {
        known.set_background(&background).expect("the person is known");
        let shown = frame(&mut known, &MotionFrame::default(), Reference::Speech);
        assert_eq!(pixel(&shown, 5, 5), corner, "{background:?}");
        assert_eq!(pixel(&shown, middle[0], middle[1]), pixel(&photo, middle[0], middle[1]), "{background:?}");
    }
    // nothing of the old wall hangs about the head
    known.set_background(&Background::Transparent).expect("the person is known");
    let clear = frame(&mut known, &MotionFrame::default(), Reference::Speech);
    for (i, p) in clear.as_chunks::<4>().0.iter().enumerate() {
        let (x, y) = ((i % 256) as f32 - middle[0] as f32, (i / 256) as f32 - middle[1] as f32);
        let out = (2.0 * x / HEAD[0]).hypot(2.0 * y / HEAD[1]);
        assert!(out < 1.25 || p[3] < 8, "{p:?} at {x}, {y} from the nose");
    }
    known.set_background(&Background::Blur).expect("the person is known");
    let soft = frame(&mut known, &MotionFrame::default(), Reference::Speech);
    let contrast = |rgba: &[u8]| {
        (0..60).map(|x| u32::from(pixel(rgba, x, 20)[0].abs_diff(pixel(rgba, x + 1, 20)[0]))).sum::<u32>()
    };
    assert!(contrast(&soft) * 4 < contrast(&photo) * 3, "{} {}", contrast(&soft), contrast(&photo));
    known.set_background(&Background::Keep).expect("always");
    assert!(frame(&mut known, &MotionFrame::default(), Reference::Speech) == photo);

    let empty = crate::portrait::Picture { width: 0, height: 0, data: Vec::new() };
    let refused = known.set_background(&Background::Picture(std::sync::Arc::new(empty)));
    assert_eq!(refused, Err(DecodeError::Picture));
}

#[test]
fn a_mask_that_cannot_be_trusted_leaves_the_photo_whole() {
    let model = model();
    let whole = Decoder::new(model.clone(), person(&model, &[], false), SIZE).expect("a sound fit");
    let vague = parted(&model, &[]).person.map(|mask| mask.iter().map(|m| 0.3 + 0.4 * m).collect());
    for mask in
        [None, vague, Some(vec![0.0; 65_536]), Some(vec![1.0; 65_536]), Some(vec![f32::NAN; 65_536]), Some(vec![])]
    {
        let fit = crate::portrait::FittedFace { person: mask, ..person(&model, &[], false) };
        let mut decoder = Decoder::new(model.clone(), fit, SIZE).expect("a sound fit");
        let motion = turned(12.0, 3.0, 4.0);
        assert!(
            frame(&mut decoder, &motion, Reference::Speech) == frame(&mut whole.clone(), &motion, Reference::Speech)
        );
        assert_eq!(decoder.set_background(&Background::Keep), Ok(()));
        for other in [Background::Blur, Background::Transparent, Background::Colour([0; 3])] {
            assert_eq!(decoder.set_background(&other), Err(DecodeError::Background));
        }
    }
}

#[test]
fn wrong_sizes_and_buffers_are_refused() {
    let model = model();
    for size in [0, 1, 63, 2049, u32::MAX] {
        let refused = Decoder::new(model.clone(), person(&model, &[], false), size).err();
        assert_eq!(refused, Some(DecodeError::Size(size)));
    }
    let mut decoder = Decoder::new(model.clone(), person(&model, &[], false), 64).expect("the smallest size");
    let refused = decoder.render(&MotionFrame::default(), Reference::Speech, &mut [0; 7]);
    assert_eq!(refused, Err(DecodeError::Buffer { got: 7, needed: 64 * 64 * 4 }));
}

#[test]
fn damaged_fits_are_refused() {
    let model = model();
    type Damage = fn(&mut crate::portrait::FittedFace);
    let damages: [Damage; 7] = [
        |f| f.texture.truncate(100),
        |f| f.texture[5] = f32::NAN,
        |f| f.landmarks.truncate(400),
        |f| f.base[3][1] = f32::INFINITY,
        |f| f.shape.truncate(9),
        |f| f.expression.push(0.5),
        |f| f.pose.translation.z = 0.0,
    ];
    for damage in damages {
        let mut fit = person(&model, &[], false);
        damage(&mut fit);
        let refused = Decoder::new(model.clone(), fit, SIZE).err();
        assert!(matches!(refused, Some(DecodeError::Fit(_))), "{refused:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..Default::default() })]

    #[test]
    fn hostile_motion_draws_something(seed in 0usize..1000, bad in prop::sample::select(vec![
        f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 7.0, -7.0,
    ])) {
        let model = model();
        let mut decoder = Decoder::new(model.clone(), person(&model, &[("jawOpen", 0.3)], seed % 2 == 0), 64)
            .expect("a sound fit");
        let mut motion = MotionFrame::default();
        for (i, v) in motion.blendshapes.0.iter_mut().enumerate() {
            if (i * 7 + seed) % 3 == 0 {
                *v = bad;
            }
        }
        if seed % 5 > 0 {
            motion.head.yaw = bad;
            motion.head.x = bad;
            motion.head.scale = bad;
            motion.gaze.x = bad;
        }
        let rgba = frame(&mut decoder, &motion, Reference::Portrait);
        prop_assert_eq!(decoder.canvas.uncovered(), 0);
        prop_assert!(rgba.iter().skip(3).step_by(4).all(|&a| a == 255));
    }
}

/// Frames on the GPU (or the software one that tests install) are those of the CPU.
#[test]
fn both_decoders_agree() {
    use super::offscreen::OffscreenDecoder;
    use crate::exec::gpu::{AdapterChoice, Gpu};
    // rows of 200 pixels are not aligned the way a GPU copies them
    const SIDE: u32 = 200;
    let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).expect("tests need a GPU or a software one");
    let model = model();
    let shown = [("jawOpen", 0.4), ("mouthSmile_L", 0.5), ("mouthSmile_R", 0.5)];
    let mut drawn = vec![0; (SIDE * SIDE * 4) as usize];
    for (glasses, background) in
        [(false, None), (true, None), (false, Some(Background::Keep)), (false, Some(Background::Transparent))]
    {
        let fit = match &background {
            None => person(&model, &shown, glasses),
            Some(_) => parted(&model, &shown),
        };
        let mut cpu = Decoder::new(model.clone(), fit.clone(), SIDE).expect("a sound fit");
        let mut twin = OffscreenDecoder::new(gpu.clone(), model.clone(), fit, SIDE).expect("a sound fit");
        if let Some(background) = &background {
            cpu.set_background(background).expect("the person is known");
            twin.set_background(background).expect("the person is known");
        }
        let blink = [(B::EyeBlinkLeft, 0.7), (B::EyeBlinkRight, 1.0), (B::JawOpen, 0.6)];
        let mut motions = vec![MotionFrame::default(), face(&blink), turned(14.0, -5.0, 6.0)];
        motions.push(MotionFrame { gaze: Gaze { x: 15.0, y: 5.0 }, ..face(&[(B::MouthFunnel, 0.8)]) });
        motions.push(face(&[(B::JawOpen, 0.4), (B::TongueOut, 1.0)]));
        motions.push(face(&[(B::JawOpen, 0.3), (B::TongueUp, 1.0)]));
        motions.push(face(&[(B::BrowInnerUp, 1.0), (B::MouthSmileLeft, 1.0), (B::NoseSneerRight, 0.9)]));
        for motion in motions {
            for reference in [Reference::Portrait, Reference::Speech] {
                pollster::block_on(twin.render(&motion, reference, &mut drawn)).expect("the GPU answers");
                let db = psnr(&frame(&mut cpu, &motion, reference), &drawn);
                assert!(db >= 45.0, "{db:.1} dB, glasses {glasses}, {background:?}, {reference:?}: {motion:?}");
            }
        }
        let short = pollster::block_on(twin.render(&MotionFrame::default(), Reference::Speech, &mut [0; 8]));
        assert_eq!(short, Err(DecodeError::Buffer { got: 8, needed: 160_000 }));
    }
}
