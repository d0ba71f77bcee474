//! The square of the photo that everything later works on.

use super::fit::FitError;
use super::fitted::{PAD, SIDE, TEX, TEX_FULL};
use super::picture::Picture;
use super::resample::{resample, sharpen};

/// Forehead-to-chin distance over the crop's side.
pub const FACE_SHARE: f32 = 0.47;
/// ... at most this, where the photo has no more room.
const TIGHTEST: f32 = 0.72;
/// The crop may move by this share of its side to stay inside of the photo.
const SHIFT: f32 = 0.20;
/// Least height of a face, forehead to chin, pixels of the photo.
const LEAST_HEIGHT: f32 = 32.0;

/// Pixels along a side of the texture's square in a frame whose crop has [`SIDE`] pixels.
const SEEN: usize = (SIDE * (1.0 + 2.0 * PAD)) as usize;

/// Landmark of the highest point of the forehead.
pub const FOREHEAD: usize = 10;
/// Landmark of the lowest point of the chin.
pub const CHIN: usize = 152;

/// Where the crop lies in the photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropFrame {
    /// Its middle, pixels of the photo.
    pub center: [f32; 2],
    /// Its side, pixels of the photo.
    pub side: f32,
}

impl CropFrame {
    /// Frames a face in a photo of `width` x `height` pixels: rather tighter, or a little aside, than beyond the
    /// photo's border. `landmarks` are the 478 points in the photo, all finite.
    ///
    /// # Errors
    /// [`FitError::TooSmall`].
    pub fn around(landmarks: &[[f32; 2]], width: usize, height: usize) -> Result<Self, FitError> {
        let (top, chin) = (landmarks[FOREHEAD], landmarks[CHIN]);
        let face = (top[0] - chin[0]).hypot(top[1] - chin[1]);
        if face < LEAST_HEIGHT {
            return Err(FitError::TooSmall { height: face, least: LEAST_HEIGHT });
        }
        let room = width.min(height) as f32;
        let side = room.clamp(face / TIGHTEST, face / FACE_SHARE);
        let center = [(top[0] + chin[0], width), (top[1] + chin[1], height)].map(|(sum, count)| {
            let (middle, count) = (sum / 2.0, count as f32);
            let (low, high) = (side / 2.0, count - side / 2.0);
            let wanted = middle.clamp(low.min(high), low.max(high));
            middle + (wanted - middle).clamp(-SHIFT * side, SHIFT * side)
        });
        Ok(Self { center, side })
    }

    /// Pixels of the photo to crop pixels.
    pub fn to_crop(&self, p: [f32; 2]) -> [f32; 2] {
        std::array::from_fn(|i| (p[i] - self.center[i]) / self.side * SIDE + SIDE / 2.0)
    }

    /// The part of the texture that shows a photo of `width` x `height` pixels: left, top, right, bottom, texture pixels.
    pub fn photo(&self, width: usize, height: usize) -> [f32; 4] {
        let full = TEX_FULL as f32;
        let [[left, right], [top, bottom]] = [(0, width), (1, height)].map(|(axis, count)| {
            let corner = self.center[axis] - self.side * (0.5 + PAD);
            [0.0, count as f32].map(|edge| ((edge - corner) * TEX / self.side).clamp(0.0, full))
        });
        [left, top, right, bottom]
    }

    /// The crop with its margin: RGB, 0..255, `TEX_FULL * TEX_FULL * 3` values (see [`super::fitted`]).
    pub fn texture(&self, picture: &Picture) -> Vec<f32> {
        let corner = self.center.map(|c| c - self.side * (0.5 + PAD));
        let mut texture = resample(picture, corner, self.side / TEX, TEX_FULL);
        // a frame without motion, of the usual size, shall be the photo
        let seen = resample(picture, corner, self.side / SIDE, SEEN);
        let [left, top, right, bottom] = self.photo(picture.width, picture.height);
        sharpen(&mut texture, TEX_FULL, &seen, SEEN, [left, right], [top, bottom]);
        texture
    }
}

/// Crop pixels to texture pixels.
pub fn to_texture(p: [f32; 2]) -> [f32; 2] {
    p.map(|v| (v + PAD * SIDE) * TEX / SIDE)
}

/// Texture pixels to crop pixels.
pub fn from_texture(p: [f32; 2]) -> [f32; 2] {
    p.map(|v| v * SIDE / TEX - PAD * SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn landmarks(top: [f32; 2], chin: [f32; 2]) -> Vec<[f32; 2]> {
        let mut points = vec![[(top[0] + chin[0]) / 2.0, (top[1] + chin[1]) / 2.0]; 478];
        points[FOREHEAD] = top;
        points[CHIN] = chin;
        points
    }

    #[test]
    fn a_roomy_photo_gives_the_usual_share() {
        let points = landmarks([500.0, 400.0], [500.0, 600.0]);
        let frame = CropFrame::around(&points, 1000, 1000).expect("a face");
        assert!((frame.side - 200.0 / FACE_SHARE).abs() < 1e-3);
        assert_eq!(frame.center, [500.0, 500.0]);
        let top = frame.to_crop(points[FOREHEAD]);
        let chin = frame.to_crop(points[CHIN]);
        assert!(((chin[1] - top[1]) / SIDE - FACE_SHARE).abs() < 1e-5);
    }

    #[test]
    fn a_tight_photo_is_cropped_tighter_and_shifted() {
        let frame = CropFrame::around(&landmarks([150.0, 60.0], [150.0, 260.0]), 360, 360).expect("a face");
        assert_eq!(frame.side, 360.0);
        assert!(frame.center[0] > 150.0 && frame.center[1] > 160.0, "moved inside: {frame:?}");
        assert!(frame.center[0] - 150.0 <= SHIFT * frame.side + 1e-3);
    }

    #[test]
    fn the_photo_in_the_texture_is_where_the_frame_says() {
        let frame = CropFrame { center: [100.0, 40.0], side: 128.0 };
        // five texture pixels to one of the photo, the texture's corner at 4, -56
        assert_eq!(frame.photo(150, 100), [0.0, 280.0, 730.0, 780.0]);
    }

    #[test]
    fn a_tiny_face_is_refused() {
        let tiny = CropFrame::around(&landmarks([5.0, 5.0], [5.0, 15.0]), 640, 480);
        assert!(matches!(tiny, Err(FitError::TooSmall { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn crop_and_texture_pixels_go_back_and_forth(x in -200.0f32..800.0, y in -200.0f32..800.0) {
            let back = from_texture(to_texture([x, y]));
            prop_assert!((back[0] - x).abs() < 1e-3 && (back[1] - y).abs() < 1e-3);
        }

        #[test]
        fn the_texture_shows_the_photo_where_the_frame_says(x in 250.0f32..350.0, y in 250.0f32..350.0, face in 60.0f32..150.0) {
            // a bright square in the photo must appear around its crop coordinates
            let spot = [x.round(), y.round()];
            let data = (0..600 * 600).flat_map(|i| {
                let (px, py) = ((i % 600) as f32 + 0.5, (i / 600) as f32 + 0.5);
                let on = (px - spot[0]).abs() < 6.0 && (py - spot[1]).abs() < 6.0;
                [if on { 250 } else { 10 }; 3]
            }).collect();
            let picture = Picture { width: 600, height: 600, data };
            let frame = CropFrame::around(&landmarks([300.0, 300.0 - face / 2.0], [300.0, 300.0 + face / 2.0]), 600, 600).expect("a face");
            let texture = frame.texture(&picture);
            let (mut sum, mut at) = (0.0, [0.0, 0.0]);
            for (i, pixel) in texture.chunks_exact(3).enumerate() {
                let weight = (pixel[0] - 30.0).max(0.0);
                sum += weight;
                at[0] += weight * ((i % TEX_FULL) as f32 + 0.5);
                at[1] += weight * ((i / TEX_FULL) as f32 + 0.5);
            }
            let found = from_texture(at.map(|v| v / sum));
            let wanted = frame.to_crop(spot);
            prop_assert!((found[0] - wanted[0]).abs() < 0.1 && (found[1] - wanted[1]).abs() < 0.1, "{found:?} {wanted:?}");
        }
    }
}
