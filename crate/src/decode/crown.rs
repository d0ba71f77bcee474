//! Hair beyond the photo's upper edge.
//!
//! Where a photo cuts a head off, the texture repeats its last row. Over a forehead that would be a column of skin when the
//! head bows. Hair that the photo shows beside the face goes on there instead, above a hairline that the forehead reaches
//! in an arch.

use super::plane::Plane;
use super::regrow::regrow;
use super::weights::smooth;

/// Least hair that must be seen, texture pixels.
const LEAST_HAIR: usize = 3000;
/// Least distance of its colour from the skin's: a bald head has none.
const LEAST_DIFFERENCE: f32 = 45.0;
/// Nothing is taken for hair this near to the face, texture pixels.
const BESIDE: usize = 8;
/// Height of the arch over a cut forehead, as a share of half its width.
const ARCH: f32 = 0.3;
/// Softness of the hairline, texture pixels.
const SOFT: f32 = 9.0;

/// The texture with hair above the photo; `None` where no head is cut off or no hair is seen. `opacity`: how much a pixel
/// is the person; `face`: 1 where it is skin of the face; `photo`: the part of the texture that is photo (left, top, right,
/// bottom).
pub(crate) fn crown(texture: &Plane<3>, opacity: &Plane<1>, face: &Plane<1>, photo: [f32; 4]) -> Option<Plane<3>> {
    let (width, height) = (texture.width, texture.height);
    let [left, top, right, _] = photo.map(|v| v.ceil().max(0.0) as usize);
    let first = top + 2;
    if top < 4 || first + 8 >= height || !(left..right.min(width)).any(|x| opacity.data[first * width + x][0] > 0.5) {
        return None;
    }
    let skin: Vec<usize> = (0..width * height).filter(|&i| face.data[i][0] > 0.5).collect();
    let middle = (skin.first()? / width + skin.last()? / width) / 2;
    let near_face = face.mean_around(BESIDE);
    let inside = |x: usize, y: usize| (left + 2..right.saturating_sub(2)).contains(&x) && (first..middle).contains(&y);
    let hair = Plane::from_fn(width, height, |x, y| {
        let i = y * width + x;
        let is = inside(x, y) && opacity.data[i][0] > 0.97 && near_face.data[i][0] < 1e-4;
        [if is { 1.0 } else { 0.0 }]
    });
    let mean = |of: &mut dyn Iterator<Item = usize>| {
        let (mut sum, mut count) = ([0.0f32; 3], 0usize);
        for i in of {
            sum.iter_mut().zip(texture.data[i]).for_each(|(s, c)| *s += c);
            count += 1;
        }
        (sum.map(|s| s / count.max(1) as f32), count)
    };
    let (hairs, count) = mean(&mut (0..width * height).filter(|&i| hair.data[i][0] > 0.0));
    let (bare, _) = mean(&mut skin.iter().copied().filter(|&i| inside(i % width, i / width)));
    let way: [f32; 3] = std::array::from_fn(|c| bare[c] - hairs[c]);
    let length = way.iter().map(|w| w * w).sum::<f32>();
    if count < LEAST_HAIR || length < LEAST_DIFFERENCE * LEAST_DIFFERENCE {
        return None;
    }
    // where the photo's first rows show skin rather than hair
    let forehead = |x: usize| {
        let i = first * width + x;
        let at = (0..3).map(|c| (texture.data[i][c] - hairs[c]) * way[c]).sum::<f32>() / length;
        opacity.data[i][0] > 0.5 && at > 0.5
    };
    let mut hairline = vec![0.0f32; width];
    let mut x = left;
    while x < right.min(width) {
        let end = (x..right.min(width)).find(|&e| !forehead(e)).unwrap_or(right.min(width));
        let half = 0.5 * (end - x) as f32;
        for (k, line) in hairline[x..end].iter_mut().enumerate() {
            let across = (k as f32 + 0.5 - half) / half;
            *line = ARCH * half * (1.0 - across * across).max(0.0).sqrt();
        }
        x = end.max(x + 1);
    }
    let grown = regrow(texture, &hair);
    let mut out = texture.clone();
    for y in 0..top {
        let up = (top - y) as f32;
        for (x, &own) in hairline.iter().enumerate().take(width) {
            let i = y * width + x;
            // strands end at different heights
            let line = own * (1.0 + 0.12 * (0.9 * x as f32).sin() + 0.08 * (0.37 * x as f32 + 1.0).sin());
            let bare = if line > 0.0 { 1.0 - smooth(up, line - SOFT, line + SOFT) } else { 0.0 };
            out.data[i] = std::array::from_fn(|c| grown.data[i][c] + (out.data[i][c] - grown.data[i][c]) * bare);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head of brown hair around a pale face; the photo begins at row 60.
    fn cut_off(hair: [f32; 3]) -> (Plane<3>, Plane<1>, Plane<1>) {
        let (oval, head) = (
            |x: usize, y: usize| (x as f32 - 150.0).hypot(0.8 * (y as f32 - 160.0)) < 85.0,
            |x: usize, y: usize| (x as f32 - 150.0).hypot(0.7 * (y as f32 - 130.0)) < 125.0,
        );
        let texture = Plane::from_fn(300, 300, |x, y| {
            let y = y.max(60);
            match () {
                () if oval(x, y) => [220.0, 180.0, 160.0],
                () if head(x, y) => hair,
                () => [120.0, 140.0, 160.0],
            }
        });
        let one = |is: bool| [if is { 1.0 } else { 0.0 }];
        let opacity = Plane::from_fn(300, 300, |x, y| one(head(x, y.max(60))));
        (texture, opacity, Plane::from_fn(300, 300, |x, y| one(oval(x, y) && y >= 60)))
    }

    #[test]
    fn hair_closes_over_a_cut_forehead_in_an_arch() {
        let (texture, opacity, face) = cut_off([70.0, 40.0, 20.0]);
        let grown = crown(&texture, &opacity, &face, [0.0, 60.0, 300.0, 300.0]).expect("hair is seen");
        assert!(grown.data[60 * 300..] == texture.data[60 * 300..], "the photo stays");
        let at = |x: isize, y: isize| grown.at(x, y)[0];
        assert!(at(150, 57) > 190.0, "the forehead goes on: {}", at(150, 57));
        assert!(at(150, 15) < 90.0, "then comes hair: {}", at(150, 15));
        assert!(at(150, 15) < 90.0 && at(90, 50) < 100.0, "{} {}", at(150, 15), at(90, 50));
    }

    #[test]
    fn whole_heads_and_bald_ones_stay_as_they_are() {
        let (texture, opacity, face) = cut_off([70.0, 40.0, 20.0]);
        assert!(crown(&texture, &opacity, &face, [0.0, 0.0, 300.0, 300.0]).is_none());
        let (texture, opacity, face) = cut_off([222.0, 178.0, 155.0]);
        assert!(crown(&texture, &opacity, &face, [0.0, 60.0, 300.0, 300.0]).is_none());
    }
}
