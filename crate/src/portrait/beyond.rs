//! The person beyond the photo's upper edge, where a head that moves down brings it into view.
//!
//! There the texture repeats the photo's last row, softer and softer, and a mask of it would be a column. A head of hair
//! that the photo cuts off is round instead.

use super::fitted::TEX_FULL;
use super::person::MASK;

/// Height of the dome over what is cut off, as a share of its width.
const DOME: f32 = 0.3;
/// Half width of the dome's soft edge, mask pixels.
const EDGE: f32 = 1.2;

/// Rounds a mask ([`MASK`] x [`MASK`]) off above the photo, which begins at row `top` of the texture.
pub fn round_off(mask: &mut [f32], top: f32) {
    // the first row of the mask that shows nothing but photo
    let first = (top * MASK as f32 / TEX_FULL as f32).ceil().max(0.0) as usize;
    if first == 0 || first >= MASK || mask.len() != MASK * MASK {
        return;
    }
    let (beyond, photo) = mask.split_at_mut(first * MASK);
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for (x, &m) in photo[..MASK].iter().enumerate() {
        match runs.last_mut() {
            Some(run) if m > 0.5 && run[1] == x => run[1] = x + 1,
            _ if m > 0.5 => runs.push([x, x + 1]),
            _ => {}
        }
    }
    for (row, line) in beyond.chunks_exact_mut(MASK).enumerate() {
        let up = (first - row) as f32;
        for (x, m) in line.iter_mut().enumerate() {
            let inside = runs.iter().map(|&[from, to]| {
                let (half, middle) = ((to - from) as f32 / 2.0, (to + from) as f32 / 2.0);
                let high = up / (2.0 * DOME * half);
                half * (1.0 - high * high).max(0.0).sqrt() - (x as f32 + 0.5 - middle).abs() - 2.0 * EDGE * high.powi(8)
            });
            let most = inside.fold(f32::NEG_INFINITY, f32::max);
            *m = (0.5 + 0.5 * most / EDGE).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_cut_off_gets_a_dome() {
        let mut mask: Vec<f32> =
            (0..MASK * MASK).map(|i| if (80..180).contains(&(i % MASK)) { 1.0 } else { 0.0 }).collect();
        let whole = mask.clone();
        round_off(&mut mask, 0.0);
        assert_eq!(mask, whole, "the photo reaches to the texture's edge");
        round_off(&mut mask, 225.0);
        let at = |x: usize, y: usize| mask[y * MASK + x];
        assert!(mask[60 * MASK..] == whole[60 * MASK..], "the photo itself stays");
        assert_eq!((at(130, 55), at(82, 58), at(130, 35)), (1.0, 1.0, 1.0));
        assert_eq!((at(130, 26), at(84, 40), at(176, 40), at(70, 58)), (0.0, 0.0, 0.0, 0.0));
    }
}
