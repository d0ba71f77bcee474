//! Which places of a picture a hole in it is copied from.
//!
//! Patches of the hole look for their like in what is known, coarse to fine: first where large shapes go on, then where
//! small ones do (Wexler, Shechtman and Irani, *Space-Time Completion of Video*, 2007; the search is that of Barnes et al.,
//! *PatchMatch*, 2009).

use super::plane::Plane;

/// The finest picture that is searched is this many times smaller.
pub(crate) const SMALLER: usize = 4;
/// Coarser ones before it, each half as large.
const COARSER: usize = 2;
/// Half width of the patches that are compared.
const PATCH: i32 = 2;
/// The hole is searched this far from its rim, pixels of the finest picture.
const DEPTH: usize = 30;
/// How far away a place may be, pixels of the finest picture.
const SEARCH: i32 = 52;
/// Random places tried until one is known.
const TRIES: usize = 40;
/// Rounds over all pixels, on the coarsest picture and on the finer ones.
const ROUNDS: [usize; COARSER + 1] = [5, 3, 2];

/// Where every pixel of a hole is copied from.
pub(crate) struct Patches {
    width: i32,
    height: i32,
    colours: Vec<[f32; 3]>,
    /// Pixels around which a whole patch is known.
    source: Vec<bool>,
    /// Steps from the rim of the hole; 0 for known pixels, `u16::MAX` too deep inside.
    depth: Vec<u16>,
    /// The pixels of the hole that are searched, row by row.
    hole: Vec<u32>,
    from: Vec<Option<[i32; 2]>>,
    search: i32,
    random: u32,
}

impl Patches {
    /// `filled`: the picture, half as large as it is, with its hole filled smoothly; `known`: 1 where it is known.
    pub fn find(filled: &Plane<3>, known: &Plane<1>) -> Self {
        let mut levels = vec![(filled.halved(), known.halved())];
        for _ in 0..COARSER {
            let (picture, known) = &levels[levels.len() - 1];
            let next = (picture.halved(), known.halved());
            levels.push(next);
        }
        let mut found: Option<Self> = None;
        for (level, rounds) in (0..levels.len()).rev().zip(ROUNDS) {
            let (picture, known) = &levels[level];
            let mut patches = Self::new(picture, known, DEPTH >> level, SEARCH >> level);
            match &found {
                Some(coarse) => patches.refine(coarse),
                None => patches.scatter(),
            }
            for round in 0..rounds {
                patches.round(round % 2 == 1);
                patches.vote();
            }
            found = Some(patches);
        }
        // there is always a coarsest picture
        found.unwrap_or_else(|| Self::new(filled, known, 0, 0))
    }

    fn new(picture: &Plane<3>, known: &Plane<1>, deepest: usize, search: i32) -> Self {
        let (w, h) = (picture.width, picture.height);
        let certain: Vec<bool> = known.data.iter().map(|[k]| *k > 0.999).collect();
        let whole = Plane { width: w, height: h, data: certain.iter().map(|&c| [if c { 1.0 } else { 0.0 }]).collect() };
        let whole = whole.mean_around(PATCH as usize);
        let edge = PATCH as usize;
        let inner = |i: usize| {
            let (x, y) = (i % w, i / w);
            x >= edge && y >= edge && x + edge < w && y + edge < h
        };
        let source = whole.data.iter().enumerate().map(|(i, [a])| *a > 0.999 && inner(i)).collect();
        let mut depth: Vec<u16> = certain.iter().map(|&c| if c { 0 } else { u16::MAX }).collect();
        let mut front: Vec<usize> = (0..w * h).filter(|&i| certain[i]).collect();
        for step in 1..=deepest as u16 {
            let mut next = Vec::new();
            for &i in &front {
                let (x, y) = (i % w, i / w);
                let beside =
                    [(x > 0, i.wrapping_sub(1)), (x + 1 < w, i + 1), (y > 0, i.wrapping_sub(w)), (y + 1 < h, i + w)];
                for (_, j) in beside.into_iter().filter(|b| b.0) {
                    if depth[j] == u16::MAX {
                        depth[j] = step;
                        next.push(j);
                    }
                }
            }
            front = next;
        }
        let hole = (0..(w * h) as u32).filter(|&i| (1..u16::MAX).contains(&depth[i as usize])).collect();
        Self {
            width: w as i32,
            height: h as i32,
            colours: picture.data.clone(),
            source,
            depth,
            hole,
            from: vec![None; w * h],
            search,
            random: 9,
        }
    }

    /// Begins with random places.
    fn scatter(&mut self) {
        for k in 0..self.hole.len() {
            let i = self.hole[k] as usize;
            let at = self.position(i);
            for _ in 0..TRIES {
                let there = self.near(at, self.search);
                if self.is_source(there) {
                    self.from[i] = Some(there);
                    break;
                }
            }
        }
    }

    /// Begins with what was found on a picture half as large.
    fn refine(&mut self, coarse: &Self) {
        for &i in &self.hole {
            let [x, y] = self.position(i as usize);
            let from = coarse.place([x / 2, y / 2]).and_then(|n| coarse.from[n]);
            let from = from.map(|[sx, sy]| [2 * sx + x % 2, 2 * sy + y % 2]);
            self.from[i as usize] = from.filter(|&p| self.is_source(p));
        }
        self.vote();
    }

    fn round(&mut self, back: bool) {
        for k in 0..self.hole.len() {
            let i = self.hole[if back { self.hole.len() - 1 - k } else { k }] as usize;
            let at = self.position(i);
            let mut best = self.from[i].map(|s| (self.difference(at, s, f32::INFINITY), s));
            let step = if back { 1 } else { -1 };
            for [dx, dy] in [[step, 0], [0, step]] {
                if let Some([x, y]) = self.place([at[0] + dx, at[1] + dy]).and_then(|n| self.from[n]) {
                    self.consider(at, [x - dx, y - dy], &mut best);
                }
            }
            let mut reach = self.search;
            while reach > 0 {
                let there = best.map_or(at, |b| b.1);
                let there = self.near(there, reach);
                self.consider(at, there, &mut best);
                reach /= 2;
            }
            self.from[i] = best.map(|b| b.1);
        }
    }

    fn consider(&self, at: [i32; 2], from: [i32; 2], best: &mut Option<(f32, [i32; 2])>) {
        if best.is_none_or(|b| b.1 != from) && self.is_source(from) {
            let most = best.map_or(f32::INFINITY, |b| b.0);
            let difference = self.difference(at, from, most);
            if difference < most {
                *best = Some((difference, from));
            }
        }
    }

    /// Weighted squared difference of two patches; may stop early beyond `most`.
    fn difference(&self, at: [i32; 2], from: [i32; 2], most: f32) -> f32 {
        let mut sum = 0.0;
        for dy in -PATCH..=PATCH {
            let y = (at[1] + dy).clamp(0, self.height - 1);
            for dx in -PATCH..=PATCH {
                let x = (at[0] + dx).clamp(0, self.width - 1);
                let n = (y * self.width + x) as usize;
                let a = self.colours[n];
                let b = self.colours[((from[1] + dy) * self.width + from[0] + dx) as usize];
                // what the photo shows counts more than what was made up
                let weight = if self.depth[n] == 0 { 3.0 } else { 1.0 };
                sum += weight * a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            }
            if sum > most {
                return f32::INFINITY;
            }
        }
        sum
    }

    /// Every pixel of the hole becomes the mean of what the patches that cover it suggest.
    fn vote(&mut self) {
        let mut new = Vec::with_capacity(self.hole.len());
        for &i in &self.hole {
            let [x, y] = self.position(i as usize);
            let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
            for dy in -PATCH..=PATCH {
                for dx in -PATCH..=PATCH {
                    if let Some([sx, sy]) = self.place([x + dx, y + dy]).and_then(|n| self.from[n]) {
                        let c = self.colours[((sy - dy) * self.width + sx - dx) as usize];
                        let weight = 1.0 / (1 + dx.abs() + dy.abs()) as f32;
                        sum.iter_mut().zip(c).for_each(|(s, c)| *s += weight * c);
                        count += weight;
                    }
                }
            }
            new.push(if count > 0.0 { sum.map(|s| s / count) } else { self.colours[i as usize] });
        }
        for (&i, c) in self.hole.iter().zip(new) {
            self.colours[i as usize] = c;
        }
    }

    fn position(&self, i: usize) -> [i32; 2] {
        [i as i32 % self.width, i as i32 / self.width]
    }

    fn place(&self, [x, y]: [i32; 2]) -> Option<usize> {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        inside.then(|| (y * self.width + x) as usize)
    }

    fn is_source(&self, p: [i32; 2]) -> bool {
        self.place(p).is_some_and(|n| self.source[n])
    }

    /// A random place at most `reach` from another.
    fn near(&mut self, [x, y]: [i32; 2], reach: i32) -> [i32; 2] {
        let mut step = || {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.random >> 16) as i32 % (2 * reach + 1) - reach
        };
        [x + step(), y + step()]
    }

    /// How far away a pixel of the hole (pixels of the finest picture) is copied from, and how deep it lies, 0 at the rim
    /// and 1 where nothing is copied.
    pub fn shift(&self, x: i32, y: i32) -> Option<([isize; 2], f32)> {
        let i = self.place([x, y])?;
        let [sx, sy] = self.from[i]?;
        Some(([(sx - x) as isize, (sy - y) as isize], f32::from(self.depth[i]) / DEPTH as f32))
    }
}
