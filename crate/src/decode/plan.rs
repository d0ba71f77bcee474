//! What one frame looks like, as plain numbers: where every vertex lies, and the lines, colours and maps that pixels
//! are painted from. The CPU and the GPU paint the same plan; the structures have the layout of WGSL's uniforms.

use bytemuck::{Pod, Zeroable};

/// Points along a lip or lid line.
pub(crate) const POINTS: usize = 17;

/// A line in crop pixels.
pub(crate) type Line = [[f32; 2]; POINTS];

/// One eye.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct EyePlan {
    /// Upper (xy) and lower (zw) lid margin, crop pixels.
    pub lids: [[f32; 4]; POINTS],
    /// xy: the fold that the lid comes out of, which is the photo's open upper lid in the pose of this frame; z: length
    /// of the lashes in widths of the eye, w: their strength, 0..1.
    pub second: [[f32; 4]; POINTS],
    /// Two rows of the map from crop pixels now to crop pixels of the photo on the eyeball.
    pub to_photo: [[f32; 4]; 2],
    /// Iris in the photo's view: xy now, zw in the photo.
    pub iris: [f32; 4],
    /// xy: direction of the turn, z: how much the iris is foreshortened along it.
    pub turn: [f32; 4],
    /// xy: how far mirrored light moves, crop pixels of the photo; z: how soft lashes and the lid's edge are, crop pixels.
    pub glint: [f32; 4],
    /// Layers: xy origin in texture pixels of the portrait, zw size.
    pub layer: [f32; 4],
    /// Lashes: colour, and how far they have come down, 0..1.
    pub lash: [f32; 4],
    /// x: strength of the lid's shadow on the eyeball, y: its reach in crop pixels, z: strength of the eyeball (0..1),
    /// w: crop pixels to a centimetre.
    pub shade: [f32; 4],
    /// x: strength of the painted lid, y: height above the margin that it begins at (below 0 it reaches beyond the margin),
    /// crop pixels, z: strength of the shading by the eyeball below, w: width of the eye, crop pixels.
    pub lid: [f32; 4],
    /// Output pixels that may be touched: x0, y0, x1, y1.
    pub area: [f32; 4],
}

/// The mouth.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct MouthPlan {
    /// Upper (xy) and lower (zw) inner lip, crop pixels.
    pub lips: [[f32; 4]; POINTS],
    /// x: strength of the dark line between shut lips.
    pub seam: [[f32; 4]; POINTS],
    /// Two rows of the map from crop pixels now to pixels of the card of the photo's teeth.
    pub to_card: [[f32; 4]; 2],
    /// Colour of teeth; w: strength of the card (0 or 1).
    pub tooth: [f32; 4],
    /// Colour of gums, tongue and walls; w: how much of the interior is drawn, 0 while the mouth is shut.
    pub tissue: [f32; 4],
    /// Colour of light; w: crop pixels to a centimetre.
    pub light: [f32; 4],
    /// x: how much the edges of the interior are softened, crop pixels; y: distance of the samples that its picture is
    /// blurred with, in samples of half an output pixel (0: not at all); z: how far the tongue is put
    /// out; w: how colourful the photo is, 0..1.
    pub soft: [f32; 4],
    /// How far light reaches into the mouth, cm, for red, green and blue; w: strength of the seam (0 or 1).
    pub reach: [f32; 4],
    /// Output pixels that may be touched: x0, y0, x1, y1.
    pub area: [f32; 4],
    /// Output pixels around the lips that are drawn with 2 x 2 samples: x0, y0, x1, y1.
    pub fine: [f32; 4],
}

/// Everything of a frame that is not a vertex.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct PixelPlan {
    /// x: output pixels to a crop pixel, y: output pixels along a side, z: texture pixels to a crop pixel, w: half
    /// width of an antialiased edge, crop pixels.
    pub scale: [f32; 4],
    /// xy: crop pixel of the photo at the top left of the map of folds.
    pub folds: [f32; 4],
    /// The subject's right and left eye.
    pub eyes: [EyePlan; 2],
    /// The mouth.
    pub mouth: MouthPlan,
}

/// A vertex of the interior of the mouth.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct MouthVertex {
    /// Crop pixel and distance from the camera, cm.
    pub position: [f32; 3],
    /// Surface normal (head space), distance behind the lips in cm, how much it is tooth, wall and tongue (0..1), and
    /// the place on it: of a tooth -1..1 across and crowns from its cutting edge, of the tongue cm to the side and cm behind
    /// its tip; last how much it lies over the lower lip (0..1).
    pub surface: [f32; 10],
}

/// How the photo's colour changes at a vertex of the picture's mesh.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub(crate) struct Tone {
    /// Brightness now over brightness in the photo, less 1.
    pub gain: f32,
    /// Strength of the folds, negative where folds of the photo fade.
    pub fold: f32,
}

/// One frame.
#[derive(Clone, Debug)]
pub(crate) struct FramePlan {
    /// Crop pixel and distance from the camera (cm) of every vertex of the picture's mesh.
    pub positions: Vec<[f32; 3]>,
    /// The crop pixel of the photo that each vertex shows.
    pub source: Vec<[f32; 2]>,
    /// How the photo's colour changes at each vertex.
    pub tone: Vec<Tone>,
    /// Vertices of the interior of the mouth; stale while the mouth is shut.
    pub mouth_vertices: Vec<MouthVertex>,
    /// Lines, colours and maps.
    pub pixels: PixelPlan,
}

/// The smallest rectangle of output pixels around some crop pixels and `margin` crop pixels more.
pub(crate) fn area(points: impl IntoIterator<Item = [f32; 2]>, margin: f32, scale: f32, size: f32) -> [f32; 4] {
    let (mut lo, mut hi) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for p in points {
        for c in 0..2 {
            lo[c] = lo[c].min(p[c]);
            hi[c] = hi[c].max(p[c]);
        }
    }
    let low = |x: f32| ((x - margin) * scale).floor().clamp(0.0, size);
    let high = |x: f32| ((x + margin) * scale).ceil().clamp(0.0, size);
    [low(lo[0]), low(lo[1]), high(hi[0]), high(hi[1])]
}

/// `POINTS` points at equal shares of the vertices of a contour.
pub(crate) fn resample<const C: usize>(ids: &[u32], point: impl Fn(u32) -> [f32; C]) -> [[f32; C]; POINTS] {
    std::array::from_fn(|k| {
        let at = (ids.len() - 1) as f32 * k as f32 / (POINTS - 1) as f32;
        let i = (at as usize).min(ids.len() - 2);
        let f = at - i as f32;
        let (a, b) = (point(ids[i]), point(ids[i + 1]));
        std::array::from_fn(|c| a[c] + (b[c] - a[c]) * f)
    })
}

/// Least-squares affine map (two rows) from `from` to `to`.
pub(crate) fn affine(from: &[[f32; 2]], to: &[[f32; 2]]) -> [[f32; 4]; 2] {
    let n = from.len() as f32;
    let centre = |p: &[[f32; 2]]| [p.iter().map(|q| q[0]).sum::<f32>() / n, p.iter().map(|q| q[1]).sum::<f32>() / n];
    let (a, b) = (centre(from), centre(to));
    let (mut xx, mut xy, mut yy) = (1e-6, 0.0, 1e-6);
    let mut right = [[0.0f32; 2]; 2];
    for (p, q) in from.iter().zip(to) {
        let (x, y) = (p[0] - a[0], p[1] - a[1]);
        xx += x * x;
        xy += x * y;
        yy += y * y;
        for c in 0..2 {
            right[c][0] += x * (q[c] - b[c]);
            right[c][1] += y * (q[c] - b[c]);
        }
    }
    let det = xx * yy - xy * xy;
    std::array::from_fn(|c| {
        let [u, v] = right[c];
        let (gx, gy) = ((yy * u - xy * v) / det, (xx * v - xy * u) / det);
        [gx, gy, b[c] - gx * a[0] - gy * a[1], 0.0]
    })
}

/// The affine map at a point.
pub(crate) fn map(rows: &[[f32; 4]; 2], p: [f32; 2]) -> [f32; 2] {
    [rows[0][0] * p[0] + rows[0][1] * p[1] + rows[0][2], rows[1][0] * p[0] + rows[1][1] * p[1] + rows[1][2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affine_recovers_a_map() {
        let rows = [[1.1, 0.2, 3.0, 0.0], [-0.1, 0.9, -4.0, 0.0]];
        let from = [[10.0, 20.0], [30.0, 25.0], [12.0, 40.0], [28.0, 44.0], [19.0, 30.0]];
        let to = from.map(|p| map(&rows, p));
        for (a, b) in affine(&from, &to).iter().flatten().zip(rows.iter().flatten()) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn areas_stay_inside_the_picture() {
        assert_eq!(area([[-50.0, 3.0], [700.0, 20.0]], 2.0, 0.5, 256.0), [0.0, 0.0, 256.0, 11.0]);
    }
}
