//! Skin that the photo does not show: the inside of the nostrils.
//!
//! When the head is raised it comes into view. Its own place in the photo is covered by the tip of the nose, whose
//! bright skin would appear a second time inside of the nostril; so it takes the darkest place beside it.

use super::lids::to_texel;
use super::plane::Plane;
use super::raster::Target;
use crate::portrait::fitted::SIDE;

/// Skin this far behind what the photo shows at its place is hidden, cm.
const BEHIND: f32 = 0.12;
/// How far from the rim of a nostril its darkest place is looked for, crop pixels.
const AROUND: i32 = 9;

/// Which of the vertices inside of `region` are hidden. `place`: crop pixel and distance from the camera.
pub(crate) fn hidden(triangles: &[[u32; 3]], place: &[[f32; 3]], region: impl Fn(usize) -> bool) -> Vec<bool> {
    let size = SIDE as usize;
    let mut seen = Target::<1>::with_room(size * size);
    seen.clear(size, size);
    seen.draw(triangles, |i| place[i as usize], |_| [0.0]);
    place
        .iter()
        .enumerate()
        .map(|(i, &[x, y, depth])| {
            let inside = x >= 0.0 && y >= 0.0 && x < SIDE && y < SIDE;
            inside && region(i) && depth > seen.depth[y as usize * size + x as usize] + BEHIND
        })
        .collect()
}

/// Gives hidden vertices the darkest place of the photo near the skin that surrounds them. `soft`: slightly blurred
/// brightness of the texture.
pub(crate) fn darken(triangles: &[[u32; 3]], hidden: &[bool], soft: &Plane<1>, source: &mut [[f32; 2]]) {
    let (mut sum, mut count) = ([0.0f32; 2], 0.0f32);
    for t in triangles.iter().filter(|t| t.iter().any(|&i| hidden[i as usize])) {
        for &i in t.iter().filter(|&&i| !hidden[i as usize]) {
            sum = [sum[0] + source[i as usize][0], sum[1] + source[i as usize][1]];
            count += 1.0;
        }
    }
    if count == 0.0 {
        return;
    }
    let rim = sum.map(|s| s / count);
    let steps = || -AROUND..=AROUND;
    let near = steps().flat_map(|y| steps().map(move |x| [rim[0] + x as f32, rim[1] + y as f32]));
    let brightness = |p: &[f32; 2]| {
        let [x, y] = to_texel(*p);
        soft.bilinear(x, y)[0]
    };
    let Some(darkest) = near.min_by(|a, b| brightness(a).total_cmp(&brightness(b))) else { return };
    for (s, _) in source.iter_mut().zip(hidden).filter(|(_, h)| **h) {
        *s = darkest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square with a fan of four triangles around its middle.
    const FAN: [[u32; 3]; 4] = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]];

    #[test]
    fn only_what_lies_behind_is_hidden() {
        let mut place = vec![[100.0, 100.0, 90.0], [140.0, 100.0, 90.0], [140.0, 140.0, 90.0], [100.0, 140.0, 90.0]];
        place.push([120.5, 120.5, 90.0]);
        assert_eq!(hidden(&FAN, &place, |_| true), [false; 5]);
        place.push([121.5, 118.5, 93.0]);
        assert_eq!(hidden(&FAN, &place, |_| true), [false, false, false, false, false, true]);
        assert_eq!(hidden(&FAN, &place, |i| i < 5), [false; 6]);
    }

    #[test]
    fn hidden_vertices_take_the_darkest_place_near() {
        let dark = to_texel([103.0, 101.0]);
        let soft = Plane::<1>::from_fn(960, 960, |x, y| [(x as f32 - dark[0]).hypot(y as f32 - dark[1])]);
        let mut source = vec![[100.0, 100.0], [104.0, 100.0], [104.0, 104.0], [100.0, 104.0], [90.0, -7.0]];
        darken(&FAN, &[false, false, false, false, true], &soft, &mut source);
        assert!((source[4][0] - 103.0).abs() < 1.0 && (source[4][1] - 101.0).abs() < 1.0, "{:?}", source[4]);
        assert_eq!(source[0], [100.0, 100.0]);
    }
}
