//! Where the detector looks, one group of squares after the other until a face is found. It sees faces that fill
//! between about a sixth and all of its square and stand upright to 45 degrees; the groups bring others into that range.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::{Picture, region::Region};

/// Squares on the short side of a picture, in shares of it: first large tiles, then small ones.
const TILES: [f32; 3] = [1.0, 0.6, 0.3];
/// Tiles with fewer pixels than this on a side hold no face worth animating.
const LEAST_TILE: f32 = 96.0;

/// Groups of squares, the most promising first.
pub fn views(picture: &Picture) -> Vec<Vec<Region>> {
    let whole = Region::whole(picture);
    let scaled = |by: f32| Region { side: whole.side * by, ..whole };
    let turned = |angle: f32, by: f32| Region { angle, ..scaled(by) };
    let mut groups = vec![
        vec![whole],
        // A face that fills the picture to its edges.
        vec![scaled(1.4), scaled(2.0)],
        // A head on its side or upside down. A square turned by half a right angle must be larger to hold the corners.
        vec![
            turned(FRAC_PI_4, 1.2),
            turned(-FRAC_PI_4, 1.2),
            turned(FRAC_PI_2, 1.0),
            turned(-FRAC_PI_2, 1.0),
            turned(PI, 1.0),
        ],
    ];
    groups.extend(TILES.iter().filter_map(|&share| tiles(picture, share)));
    groups
}

/// Squares that cover the picture and overlap by at least a third.
fn tiles(picture: &Picture, share: f32) -> Option<Vec<Region>> {
    let (width, height) = (picture.width as f32, picture.height as f32);
    let side = width.min(height) * share;
    let centers = |length: f32| {
        let count = ((length - side) / (side * 2.0 / 3.0)).ceil().clamp(0.0, 64.0) as usize;
        (0..=count).map(move |i| side / 2.0 + (length - side) * i as f32 / count.max(1) as f32)
    };
    let squares: Vec<_> = centers(height)
        .flat_map(|y| centers(width).map(move |x| Region { center: [x, y], side, angle: 0.0 }))
        .collect();
    (side >= LEAST_TILE && squares.len() > 1).then_some(squares)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tiles_cover_the_picture(width in 96usize..3000, height in 96usize..3000, share in 0.3f32..1.0) {
            let picture = Picture { width, height, data: Vec::new() };
            let Some(squares) = tiles(&picture, share) else { return Ok(()) };
            for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.3, 0.8), (0.5, 0.5), (1.0, 1.0)] {
                let point = [x * width as f32, y * height as f32];
                let holds = |r: &Region| (0..2).all(|a| (point[a] - r.center[a]).abs() <= r.side / 2.0 + 0.1);
                // Very long pictures would need more squares than are worth the time.
                prop_assert!(squares.iter().any(holds) || width.max(height) > 40 * width.min(height));
            }
        }
    }

    #[test]
    fn the_whole_picture_comes_first_and_small_pictures_have_no_tiles() {
        let picture = |width, height| Picture { width, height, data: Vec::new() };
        assert_eq!(views(&picture(300, 200))[0], [Region { center: [150.0, 100.0], side: 300.0, angle: 0.0 }]);
        assert!(tiles(&picture(100, 90), 1.0).is_none());
        assert!(tiles(&picture(512, 512), 1.0).is_none());
        assert_eq!(tiles(&picture(512, 512), 0.6).map(|t| t.len()), Some(4));
    }
}
