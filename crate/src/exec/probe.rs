//! What this machine's processor can do at most, by trying.

use std::hint::black_box;

use serde::Serialize;

use super::{
    clock::seconds,
    roof::{Roof, RoofSource},
};

/// Numbers in each of the three arrays of the memory probe: together 48 MB, more than most caches hold. In a browser, whose
/// memory never shrinks, 12 MB.
const FAR: usize = if cfg!(target_arch = "wasm32") { 1 << 20 } else { 4 << 20 };
/// The same for the cache probe, for each thread: together 192 kB.
const NEAR: usize = 16 << 10;
/// Sums that the arithmetic probe adds up side by side: twelve vectors, so that none waits for another.
const SUMS: usize = if cfg!(target_arch = "wasm32") { 12 * 4 } else { 12 * 8 };
#[cfg(target_arch = "x86_64")]
const WIDEST_SUMS: usize = 12 * 16;
/// Rounds of the arithmetic probe: milliseconds, beside which waking the other threads is short.
const ROUNDS: usize = if cfg!(target_arch = "wasm32") { 200_000 } else { 2_000_000 };
/// Tries; the best counts, so that what else the machine does matters less.
const TRIES: usize = 12;

/// Speeds of all cores together.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Machine {
    /// Multiply-adds in registers, 10^9 operations a second; one counts as two.
    pub gflop_per_second: f64,
    /// Stream (a = b + s c) over more than the caches hold, 10^9 bytes a second.
    pub memory_gb_per_second: f64,
    /// The same over what fits into the cores' own caches.
    pub cache_gb_per_second: f64,
}

impl Machine {
    /// Takes most of a second.
    pub fn measure() -> Self {
        let threads = everywhere(|| ()).len();
        let fastest = |run: &mut dyn FnMut()| {
            let time = || {
                let start = seconds();
                run();
                seconds() - start
            };
            std::iter::repeat_with(time).take(TRIES).fold(f64::INFINITY, f64::min)
        };
        let mut done = 0usize;
        let arithmetic = fastest(&mut || {
            // To every thread its own: what can be stolen is often done by one while the others wake.
            done = everywhere(multiply_add).into_iter().sum();
        });
        let flops = (2 * ROUNDS * done) as f64;
        let [mut a, b, c] = [0.0f32, 1.0, 2.0].map(|v| vec![v; FAR]);
        let part = FAR.div_ceil(threads);
        let memory = fastest(&mut || {
            far(&mut a, &b, &c, part);
            black_box(&mut a);
        });
        let repeats = 1024;
        let cache = fastest(&mut || {
            everywhere(|| {
                let [mut a, b, c] = [0.0f32, 1.0, 2.0].map(|v| vec![v; NEAR]);
                for _ in 0..repeats {
                    stream(&mut a, &b, &c);
                    black_box(&mut a);
                }
            });
        });
        Self {
            gflop_per_second: flops / arithmetic / 1e9,
            memory_gb_per_second: (3 * 4 * FAR) as f64 / memory / 1e9,
            cache_gb_per_second: (3 * 4 * NEAR * repeats * threads) as f64 / cache / 1e9,
        }
    }

    /// What bounds whatever it does: arithmetic, and its caches, from which small networks are read again and again.
    pub fn roof(&self) -> Roof {
        Roof {
            device: "this processor".into(),
            gflop_per_second: self.gflop_per_second,
            gb_per_second: self.cache_gb_per_second,
            source: RoofSource::Measured,
        }
    }
}

/// Does something on every thread; in a browser there is one.
fn everywhere<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::broadcast(|_| work());
    #[cfg(target_arch = "wasm32")]
    vec![work()]
}

/// [`stream`] on all threads.
fn far(a: &mut [f32], b: &[f32], c: &[f32], part: usize) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let parts = a.par_chunks_mut(part).zip(b.par_chunks(part)).zip(c.par_chunks(part));
        parts.for_each(|((a, b), c)| stream(a, b, c));
    }
    #[cfg(target_arch = "wasm32")]
    a.chunks_mut(part).zip(b.chunks(part)).zip(c.chunks(part)).for_each(|((a, b), c)| stream(a, b, c));
}

fn stream(a: &mut [f32], b: &[f32], c: &[f32]) {
    let s = black_box(3.0);
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + s * c;
    }
}

/// [`ROUNDS`] multiply-adds of each of some sums with the widest vectors of this processor; answers how many sums.
fn multiply_add() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            #[target_feature(enable = "avx512f")]
            unsafe fn widest() -> usize {
                sums::<WIDEST_SUMS>(f32::mul_add)
            }
            // SAFETY: AVX-512 is there.
            return unsafe { widest() };
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            #[target_feature(enable = "avx2,fma")]
            unsafe fn wide() -> usize {
                sums::<SUMS>(f32::mul_add)
            }
            // SAFETY: AVX2 and fused multiply-add are there.
            return unsafe { wide() };
        }
    }
    #[cfg(target_arch = "aarch64")]
    return sums::<SUMS>(f32::mul_add);
    #[cfg(not(target_arch = "aarch64"))]
    sums::<SUMS>(|x, factor, term| x * factor + term)
}

#[inline(always)]
fn sums<const N: usize>(step: impl Fn(f32, f32, f32) -> f32) -> usize {
    let (factor, term) = (black_box(0.999), black_box(0.001));
    let mut sums: [f32; N] = std::array::from_fn(|i| i as f32);
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = step(*sum, factor, term);
        }
    }
    black_box(sums);
    N
}
