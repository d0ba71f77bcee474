//! The mesh's triangles in pieces from top to bottom, so that a band of rows looks only at those that can reach it.

/// Triangles of a piece.
const PIECE: usize = 64;

/// Room for rounding, crop pixels.
const SLACK: f32 = 0.1;

/// The triangles, and where each piece of them lies in a frame.
#[derive(Clone, Debug)]
pub(crate) struct Strips {
    triangles: Vec<[u32; 3]>,
    /// The least and the greatest height of each piece's corners, crop pixels.
    reach: Vec<[f32; 2]>,
}

impl Strips {
    /// Sorts triangles by their height in the photo; `source`: crop pixels of the corners there.
    pub fn new(triangles: &[[u32; 3]], source: &[[f32; 2]]) -> Self {
        let mut triangles = triangles.to_vec();
        let height = |t: &[u32; 3]| t.iter().map(|&i| source[i as usize][1]).sum::<f32>();
        triangles.sort_by(|a, b| height(a).total_cmp(&height(b)));
        let reach = vec![[0.0; 2]; triangles.len().div_ceil(PIECE)];
        Self { triangles, reach }
    }

    /// Finds out where the pieces lie in a frame; `positions`: crop pixels and depth of the corners.
    pub fn place(&mut self, positions: &[[f32; 3]]) {
        for (reach, piece) in self.reach.iter_mut().zip(self.triangles.chunks(PIECE)) {
            let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
            for &i in piece.as_flattened() {
                let y = positions[i as usize][1];
                (low, high) = (low.min(y), high.max(y));
            }
            *reach = [low - SLACK, high + SLACK];
        }
    }

    /// The pieces that may reach into these heights, crop pixels.
    pub fn between(&self, top: f32, bottom: f32) -> impl Iterator<Item = &[[u32; 3]]> {
        let pieces = self.reach.iter().zip(self.triangles.chunks(PIECE));
        pieces.filter(move |(reach, _)| reach[1] >= top && reach[0] <= bottom).map(|(_, piece)| piece)
    }

    /// How many triangles there are.
    pub fn len(&self) -> usize {
        self.triangles.len()
    }

    /// Collects the triangles that may reach into an area (x0, y0, x1, y1), crop pixels, in `out`. `positions`: as in
    /// [`Self::place`].
    pub fn within(&self, [x0, y0, x1, y1]: [f32; 4], positions: &[[f32; 3]], out: &mut Vec<[u32; 3]>) {
        out.clear();
        for piece in self.between(y0, y1) {
            out.extend(piece.iter().filter(|t| {
                let [a, b, c] = t.map(|i| positions[i as usize]);
                let reaches = |c0: f32, c1: f32, c2: f32, low: f32, high: f32| {
                    (c0.min(c1).min(c2) - SLACK < high) & (c0.max(c1).max(c2) + SLACK > low)
                };
                reaches(a[0], b[0], c[0], x0, x1) & reaches(a[1], b[1], c[1], y0, y1)
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_into_some_heights_is_there_and_little_else() {
        let source: Vec<[f32; 2]> = (0..1002).map(|i| [0.0, (i * 37 % 1002) as f32]).collect();
        let triangles: Vec<[u32; 3]> = (0..1000).map(|i| [i, i, i]).collect();
        let mut strips = Strips::new(&triangles, &source);
        // everything has moved down
        let positions: Vec<[f32; 3]> = source.iter().map(|p| [0.0, p[1] + 20.0, 5.0]).collect();
        strips.place(&positions);
        let near: Vec<u32> = strips.between(500.0, 510.0).flatten().map(|t| t[0]).collect();
        let inside = |&i: &u32| (500.0..=510.0).contains(&positions[i as usize][1]);
        assert_eq!(near.iter().filter(|i| inside(i)).count(), (0..1000).filter(inside).count());
        assert!(near.len() <= 3 * PIECE, "{}", near.len());
        assert_eq!(strips.between(0.0, 2000.0).flatten().count(), 1000);
        let mut found = Vec::new();
        strips.within([-1.0, 500.0, 1.0, 510.0], &positions, &mut found);
        assert_eq!(found.iter().filter(|t| inside(&t[0])).count(), near.iter().filter(|i| inside(i)).count());
        assert!(found.len() < near.len() / 2, "{} of {}", found.len(), near.len());
        strips.within([2.0, 500.0, 3.0, 510.0], &positions, &mut found);
        assert!(found.is_empty());
    }
}
