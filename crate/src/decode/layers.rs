//! The photo as two layers: the person, who moves, and what is behind, which holds still.
//!
//! Laid over one another unmoved they are the photo again, exactly; where the person moves away, the filled background
//! is seen. Colours of the person are stored times their opacity, free of the background's: hair does not carry a rim
//! of the old wall along.

use super::crown::crown;
use super::fill::fill;
use super::mainland::keep_mainland;
use super::matte::{matte, sure};
use super::plane::Plane;
use super::raster::{FAR, Target};
use super::regrow::regrow;
use crate::portrait::fitted::{PAD, SIDE, TEX, TEX_FULL};
use crate::portrait::person::MASK;

/// Pixels with less of the person than this are background.
const LEAST: f32 = 0.02;
/// Pixels with more of the person than this are wholly the person's.
const MOST: f32 = 0.97;
/// The background is not trusted this near to the person, texture pixels: fine hair and the lens' blur reach there.
const RIM: usize = 3;
/// Up to here around the person a camera's sharpening, a file's compression or a painter's hand leave a faint rim of their
/// own, texture pixels; it would stay behind as an outline when the person moves. What differs by less than `FAINT` levels
/// from the background further out is taken for such a rim.
const HALO: usize = 7;
const FAINT: f32 = 22.0;
/// Pixels this far inside of the face's outline are the person's whatever the mask says, texture pixels.
const DEEP: usize = 7;

/// Person and background of a photo, [`TEX_FULL`] pixels a side.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    /// Colours times opacity (0..255), and opacity (0..1).
    pub person: Plane<4>,
    /// The photo without the person, and the person's opacity (0..1) as the mask alone has it: where the background is
    /// kept, more is the person's, so that both together are the photo; before another background that would be seen.
    pub still: Plane<4>,
}

impl Layers {
    /// Parts a photo by a mask of [`MASK`] x [`MASK`] values. `face`: crop pixels of the face's triangles in the photo.
    /// `photo`: the part of the texture that is photo (left, top, right, bottom). `None` if the mask cannot be trusted.
    pub fn part(texture: &Plane<3>, mask: &[f32], face: &[[[f32; 2]; 3]], photo: [f32; 4]) -> Option<Self> {
        let covered = covered(face);
        let on_mask: Vec<bool> = (0..MASK * MASK)
            .map(|i| {
                let at = |v: usize| (v * TEX_FULL + TEX_FULL / 2) / MASK;
                covered.at(at(i % MASK) as isize, at(i / MASK) as isize)[0] > 0.5
            })
            .collect();
        if !sure(mask, &on_mask) {
            return None;
        }
        let deep = covered.mean_around(DEEP);
        let mut opacity = matte(texture, mask);
        for ([a], [d]) in opacity.data.iter_mut().zip(&deep.data) {
            *a = match *a {
                _ if *d > 0.999 => 1.0,
                a if a < LEAST => 0.0,
                a if a > MOST => 1.0,
                a => a,
            };
        }
        keep_mainland(&mut opacity, &deep);
        let person = opacity.map(|[a]| [if a > 0.0 { 1.0 } else { 0.0 }]);
        let near = person.mean_around(RIM);
        // beyond the photo nothing is known: its repeated border would be seen as streaks
        let [left, top, right, bottom] = photo;
        let within = |v: usize, low: f32, high: f32| (low..=high).contains(&(v as f32 + 0.5));
        let on_photo = |x: usize, y: usize| within(x, left, right) && within(y, top, bottom);
        let (width, height) = (texture.width, texture.height);
        let known = Plane::from_fn(width, height, |x, y| {
            let seen = on_photo(x, y) && near.data[y * width + x][0] <= 1e-5;
            [if seen { 1.0 } else { 0.0 }]
        });
        let known = without_halo(texture, known, &person);
        let still = regrow(texture, &known);
        let grown = crown(texture, &opacity, &covered, photo);
        let texture = grown.as_ref().unwrap_or(texture);
        let person = Plane::from_fn(width, height, |x, y| {
            let i = y * width + x;
            let (shown, behind, a) = (texture.data[i], still.data[i], opacity.data[i][0]);
            if !on_photo(x, y) {
                return [a * shown[0], a * shown[1], a * shown[2], a];
            }
            let a = a.max(least_opacity(shown, behind));
            let [r, g, b] = [0, 1, 2].map(|c| (shown[c] - (1.0 - a) * behind[c]).clamp(0.0, 255.0 * a));
            [r, g, b, a]
        });
        let with_matte = still.data.iter().zip(&opacity.data).map(|(&[r, g, b], &[a])| [r, g, b, a]).collect();
        Some(Self { person, still: Plane { width, height, data: with_matte } })
    }
}

/// What is known of the background, less the faint rim around the person (1 where there is anything of it).
fn without_halo(texture: &Plane<3>, mut known: Plane<1>, person: &Plane<1>) -> Plane<1> {
    let near = person.mean_around(HALO);
    let beyond = known.data.iter().zip(&near.data).map(|(&[k], &[n])| [if n > 1e-5 { 0.0 } else { k }]).collect();
    let beyond = fill(texture, &Plane { width: known.width, height: known.height, data: beyond });
    let off = texture
        .data
        .iter()
        .zip(&beyond.data)
        .map(|(is, was)| [is.iter().zip(was).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)]);
    // single pixels do not count: what is left of a rim would be specks
    let off = Plane::<1> { width: known.width, height: known.height, data: off.collect() }.mean_around(2);
    for ((k, off), near) in known.data.iter_mut().zip(&off.data).zip(&near.data) {
        if near[0] > 1e-5 && off[0] < FAINT {
            k[0] = 0.0;
        }
    }
    known
}

/// The person cut out for another background: the mask's own opacity, colours free of the old background.
pub(crate) fn cut_out(person: &Plane<4>, still: &Plane<4>) -> Plane<4> {
    let cut = |(&[r, g, b, a], behind): (&[f32; 4], &[f32; 4])| {
        let matte = behind[3];
        let own = |shown: f32, c: usize| {
            let photo = shown + (1.0 - a) * behind[c];
            (photo - (1.0 - matte) * behind[c]).clamp(0.0, 255.0 * matte)
        };
        [own(r, 0), own(g, 1), own(b, 2), matte]
    };
    let data = person.data.iter().zip(&still.data).map(cut).collect();
    Plane { width: person.width, height: person.height, data }
}

/// The least opacity that a layer over `behind` needs to look like `photo`.
fn least_opacity(photo: [f32; 3], behind: [f32; 3]) -> f32 {
    let mut least = 0.0f32;
    for (p, b) in photo.into_iter().zip(behind) {
        let (away, room) = if p < b { (b - p, b) } else { (p - b, 255.0 - b) };
        // half a level is rounding, no hair
        if away > 0.5 {
            least = least.max(away / room.max(away));
        }
    }
    least
}

/// 1 where triangles (crop pixels) cover the texture.
fn covered(triangles: &[[[f32; 2]; 3]]) -> Plane<1> {
    let mut target = Target::<1>::with_room(TEX_FULL * TEX_FULL);
    target.clear(TEX_FULL, 0..TEX_FULL);
    let ids: Vec<[u32; 3]> = (0..triangles.len() as u32).map(|t| [3 * t, 3 * t + 1, 3 * t + 2]).collect();
    let corner = |i: u32| {
        let [x, y] = triangles[i as usize / 3][i as usize % 3].map(|v| (v + PAD * SIDE) * TEX / SIDE);
        [x, y, 0.0]
    };
    target.draw(&ids, corner, |_| [1.0]);
    let data = target.depth.iter().map(|&d| [if d < FAR { 1.0 } else { 0.0 }]).collect();
    Plane { width: TEX_FULL, height: TEX_FULL, data }
}
