//! Detail for a filled background: bricks, leaves and the film's grain go on where the smooth filling has none.
//!
//! Only what differs from the neighbourhood's mean is copied, so a plain wall keeps its shade and shows no seams. Where
//! to copy from is found at a quarter of the resolution, from the rim inwards: mostly beside the place that a neighbour
//! was copied from, which keeps bricks whole (Ashikhmin, *Synthesizing Natural Textures*, 2001; Barnes et al.,
//! *PatchMatch*, 2009).

use super::fill::fill;
use super::plane::Plane;

/// Half width of the mean that detail is measured against, taken twice, in halved pixels.
const MEAN: usize = 7;
/// Places are searched in a picture this many times smaller.
const SMALLER: usize = 4;
/// Half width of the patches that are compared, pixels of the small picture.
const PATCH: i32 = 3;
/// Detail goes on this far into the hole, pixels of the small picture.
const DEPTH: u16 = 22;
/// How far from its place detail is looked for, pixels of the small picture.
const SEARCH: i32 = 48;
/// Random places tried where no neighbour suggests one, and around the best one.
const TRIES: usize = 24;
/// Half width of the mean of its strength, pixels of the small picture.
const CALM: usize = 4;
/// Share of them that must be known.
const LEAST_KNOWN: f32 = 0.25;
/// Rounds over all pixels after the first.
const ROUNDS: usize = 1;

/// Adds detail to the unknown pixels of `filled`; `known` is 1 where `picture` is right and 0 elsewhere.
pub(crate) fn go_on(picture: &Plane<3>, known: &Plane<1>, filled: Plane<3>) -> Plane<3> {
    let detail = detail(picture, known);
    let liveliness = Liveliness::new(&detail, known);
    let (small, certain) = (detail.halved().halved(), known.halved().halved());
    let mut search = Search::new(small, &certain);
    search.run();
    let (width, height) = (filled.width, filled.height);
    let k = SMALLER as f32;
    let mut out = filled;
    for y in 0..height {
        for x in 0..width {
            if known.data[y * width + x][0] > 0.0 {
                continue;
            }
            // the four nearest places each suggest a copy; so no seam is hard
            let (u, v) = ((x as f32 + 0.5) / k - 0.5, (y as f32 + 0.5) / k - 0.5);
            let (u0, v0) = (u.floor(), v.floor());
            let mut sum = [0.0f32; 4];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let weight = (1.0 - (u - u0 - dx as f32).abs()) * (1.0 - (v - v0 - dy as f32).abs());
                let Some((shift, strength)) = search.shift(u0 as i32 + dx, v0 as i32 + dy) else { continue };
                let (from_x, from_y) =
                    (x as isize + SMALLER as isize * shift[0], y as isize + SMALLER as isize * shift[1]);
                let from = detail.at(from_x, from_y);
                let strength = strength * liveliness.share([x as isize, y as isize], [from_x, from_y]);
                let weight = weight.max(1e-3);
                for (s, d) in sum.iter_mut().zip(from) {
                    *s += weight * strength * d;
                }
                sum[3] += weight;
            }
            if sum[3] > 0.0 {
                for (o, s) in out.data[y * width + x].iter_mut().zip(sum) {
                    *o = (*o + s / sum[3]).clamp(0.0, 255.0);
                }
            }
        }
    }
    out
}

/// How strong detail is, so that a calm place gets no copy of a lively one: a ring of light is seen once.
struct Liveliness {
    /// Mean square of the detail around a place; in the hole that of the rim goes on.
    around: Plane<3>,
}

impl Liveliness {
    fn new(detail: &Plane<3>, known: &Plane<1>) -> Self {
        let squares = Plane {
            width: detail.width,
            height: detail.height,
            data: detail
                .data
                .iter()
                .zip(&known.data)
                .map(|(d, &[w])| [w * d.map(|v| v * v).iter().sum::<f32>(), w])
                .collect(),
        };
        let means = squares.halved().halved().mean_around(CALM);
        let known = means.map(|[_, w]| [if w > LEAST_KNOWN { 1.0 } else { 0.0 }]);
        Self { around: fill(&means.map(|[s, w]| [s / w.max(1e-3); 3]), &known) }
    }

    /// Share of the detail at `from` that may be shown at `to`, 0..1.
    fn share(&self, to: [isize; 2], from: [isize; 2]) -> f32 {
        let at = |p: [isize; 2]| {
            let k = SMALLER as isize;
            self.around.at(p[0].div_euclid(k), p[1].div_euclid(k))[0]
        };
        ((at(to) + 1.0) / (at(from) + 1.0)).sqrt().min(1.0)
    }
}

/// What known pixels add to the mean of the known pixels around them; 0 for the others.
fn detail(picture: &Plane<3>, known: &Plane<1>) -> Plane<3> {
    let mut weighted = Plane { width: picture.width, height: picture.height, data: Vec::new() };
    weighted.data = picture.data.iter().zip(&known.data).map(|(&[r, g, b], &[w])| [r * w, g * w, b * w, w]).collect();
    let mean = weighted.halved().mean_around(MEAN).mean_around(MEAN).stretched(picture.width, picture.height);
    let own = |(p, (m, [w])): (&[f32; 3], (&[f32; 4], &[f32; 1]))| {
        let share = 1.0 / m[3].max(1e-3);
        std::array::from_fn(|c| if *w > 0.0 { p[c] - m[c] * share } else { 0.0 })
    };
    let data = picture.data.iter().zip(mean.data.iter().zip(&known.data)).map(own).collect();
    Plane { width: picture.width, height: picture.height, data }
}

/// Where every pixel of the hole is copied from.
struct Search {
    width: i32,
    height: i32,
    colours: Vec<[f32; 3]>,
    /// Pixels that are known or have been given a colour.
    filled: Vec<bool>,
    /// Pixels around which a whole patch is known.
    source: Vec<bool>,
    /// Steps from the rim of the hole; 0 for known pixels, `u16::MAX` too deep inside.
    depth: Vec<u16>,
    /// The pixels of the hole, from the rim inwards.
    order: Vec<u32>,
    from: Vec<Option<[i32; 2]>>,
    random: u32,
}

impl Search {
    fn new(small: Plane<3>, certain: &Plane<1>) -> Self {
        let (w, h) = (small.width, small.height);
        let filled: Vec<bool> = certain.data.iter().map(|[c]| *c > 0.999).collect();
        let whole = Plane { width: w, height: h, data: filled.iter().map(|&f| [if f { 1.0 } else { 0.0 }]).collect() };
        let whole = whole.mean_around(PATCH as usize);
        let inner = |i: usize| {
            let (x, y) = (i % w, i / w);
            let edge = PATCH as usize;
            x >= edge && y >= edge && x + edge < w && y + edge < h
        };
        let source = whole.data.iter().enumerate().map(|(i, [a])| *a > 0.999 && inner(i)).collect();
        let mut depth: Vec<u16> = filled.iter().map(|&f| if f { 0 } else { u16::MAX }).collect();
        let mut front: Vec<u32> = (0..(w * h) as u32).filter(|&i| filled[i as usize]).collect();
        let mut order = Vec::new();
        for step in 1..=DEPTH {
            let mut next = Vec::new();
            for &i in &front {
                let (x, y) = (i as usize % w, i as usize / w);
                let beside = [
                    (x > 0, i.wrapping_sub(1)),
                    (x + 1 < w, i + 1),
                    (y > 0, i.wrapping_sub(w as u32)),
                    (y + 1 < h, i + w as u32),
                ];
                for (_, j) in beside.into_iter().filter(|b| b.0) {
                    if depth[j as usize] == u16::MAX {
                        depth[j as usize] = step;
                        next.push(j);
                    }
                }
            }
            order.extend(&next);
            front = next;
        }
        let from = vec![None; w * h];
        Self { width: w as i32, height: h as i32, colours: small.data, filled, source, depth, order, from, random: 9 }
    }

    fn run(&mut self) {
        if !self.source.contains(&true) {
            return;
        }
        let mut order = std::mem::take(&mut self.order);
        for round in 0..=ROUNDS {
            for &i in &order {
                self.improve(i as i32, round == 0);
            }
            order.reverse();
        }
        self.order = order;
    }

    /// Looks for a better place to copy a pixel from.
    fn improve(&mut self, i: i32, first: bool) {
        let at = [i % self.width, i / self.width];
        let mut best: Option<(f32, [i32; 2])> =
            self.from[i as usize].map(|s| (self.difference(at, s, f32::INFINITY), s));
        for dy in -1..=1 {
            for dx in -1..=1 {
                if let Some([x, y]) = self.place([at[0] + dx, at[1] + dy]).and_then(|n| self.from[n]) {
                    self.consider(at, [x - dx, y - dy], &mut best);
                }
            }
        }
        if best.is_none() {
            for _ in 0..TRIES {
                let there = self.near(at, SEARCH);
                self.consider(at, there, &mut best);
            }
        }
        let mut reach = if first { SEARCH } else { SEARCH / 16 };
        while reach > 1 {
            if let Some((_, place)) = best {
                let there = self.near(place, reach);
                self.consider(at, there, &mut best);
            }
            reach /= 2;
        }
        if let Some((_, place)) = best {
            self.from[i as usize] = Some(place);
            self.colours[i as usize] = self.colours[(place[1] * self.width + place[0]) as usize];
            self.filled[i as usize] = true;
        }
    }

    fn consider(&self, at: [i32; 2], from: [i32; 2], best: &mut Option<(f32, [i32; 2])>) {
        // neighbours mostly suggest one and the same place
        if best.is_none_or(|b| b.1 != from) && self.place(from).is_some_and(|n| self.source[n]) {
            let most = best.map_or(f32::INFINITY, |b| b.0);
            let difference = self.difference(at, from, most);
            if difference < most {
                *best = Some((difference, from));
            }
        }
    }

    /// Mean squared difference of two patches, as far as the first is filled; may stop early beyond `most`.
    fn difference(&self, at: [i32; 2], from: [i32; 2], most: f32) -> f32 {
        let (mut sum, mut count) = (0.0, 1e-3);
        for dy in -PATCH..=PATCH {
            for dx in -PATCH..=PATCH {
                if let Some(n) = self.place([at[0] + dx, at[1] + dy]).filter(|&n| self.filled[n]) {
                    let a = self.colours[n];
                    let b = self.colours[((from[1] + dy) * self.width + from[0] + dx) as usize];
                    sum += a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
                    count += 1.0;
                }
            }
            if sum > most * ((2 * PATCH + 1) * (2 * PATCH + 1)) as f32 {
                return f32::INFINITY;
            }
        }
        sum / count
    }

    fn place(&self, [x, y]: [i32; 2]) -> Option<usize> {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        inside.then(|| (y * self.width + x) as usize)
    }

    /// A random place at most `reach` from another.
    fn near(&mut self, [x, y]: [i32; 2], reach: i32) -> [i32; 2] {
        let mut step = || {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.random >> 16) as i32 % (2 * reach + 1) - reach
        };
        [x + step(), y + step()]
    }

    /// How far away the detail of a pixel is taken from, and how strongly it is shown: less and less inside of the hole.
    fn shift(&self, x: i32, y: i32) -> Option<([isize; 2], f32)> {
        let i = self.place([x, y])?;
        let [sx, sy] = self.from[i]?;
        let strength = (1.6 * (1.0 - f32::from(self.depth[i]) / f32::from(DEPTH))).min(1.0);
        Some(([(sx - x) as isize, (sy - y) as isize], strength))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole() -> Plane<1> {
        Plane::from_fn(400, 400, |x, y| [if x.abs_diff(200) < 60 && y.abs_diff(200) < 60 { 0.0 } else { 1.0 }])
    }

    #[test]
    fn stripes_go_on_into_the_hole() {
        let (hole, stripes) =
            (hole(), Plane::<3>::from_fn(400, 400, |_, y| [if y / 12 % 2 == 0 { 60.0 } else { 180.0 }; 3]));
        let smooth = fill(&stripes, &hole);
        let done = go_on(&stripes, &hole, smooth.clone());
        let error = |p: &Plane<3>| {
            let rim = (150..250).flat_map(|y| (145..170).map(move |x| y * 400 + x));
            rim.map(|i| (p.data[i][0] - stripes.data[i][0]).abs()).sum::<f32>() / 2500.0
        };
        assert!(error(&done) < 0.5 * error(&smooth), "{} {}", error(&done), error(&smooth));
        for ((a, b), [known]) in done.data.iter().zip(&stripes.data).zip(&hole.data) {
            assert!(*known == 0.0 || a == b, "known pixels stay");
        }
    }

    #[test]
    fn a_ring_beside_the_hole_is_not_copied_into_a_calm_part_of_it() {
        let hole = hole();
        let ring = |x: usize, y: usize| ((x as f32 - 118.0).hypot(y as f32 - 118.0) - 14.0).abs() < 2.0;
        let wall = Plane::<3>::from_fn(400, 400, |x, y| {
            [if ring(x, y) { 230.0 } else { 90.0 + ((x * 7 + y * 13) % 5) as f32 }; 3]
        });
        let done = go_on(&wall, &hole, fill(&wall, &hole));
        let far = (190..262).flat_map(|y| (190..262).map(move |x| y * 400 + x)).filter(|&i| hole.data[i][0] == 0.0);
        let most = far.map(|i| (done.data[i][0] - 92.0).abs()).fold(0.0, f32::max);
        assert!(most < 25.0, "a copy that stands out by {most}");
    }

    #[test]
    fn a_plain_wall_stays_plain_and_nothing_known_is_no_trouble() {
        let (hole, wall) = (hole(), Plane::<3>::from_fn(400, 400, |_, _| [100.0, 90.0, 20.0]));
        let done = go_on(&wall, &hole, fill(&wall, &hole));
        assert!(done.data.iter().zip(&wall.data).all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.0)));
        let none = Plane::from_fn(400, 400, |_, _| [0.0]);
        let done = go_on(&wall, &none, fill(&wall, &none));
        assert!(done.data.iter().flatten().all(|v| v.is_finite()));
    }
}
