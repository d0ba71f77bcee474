//! What this machine can do at most, by trying, and what the system tells about memory and energy.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use parlante::exec::roof::{Roof, RoofSource};
use rayon::prelude::*;
use serde::Serialize;

/// Numbers in each of the three arrays of the memory probe: together 48 MB, more than most caches hold.
const FAR: usize = 4 << 20;
/// The same for the cache probe, for each thread: together 192 kB.
const NEAR: usize = 16 << 10;
/// Sums that the arithmetic probe adds up side by side: twelve vectors, so that none waits for another.
const SUMS: usize = 12 * 8;
const WIDEST_SUMS: usize = 12 * 16;
/// Rounds of the arithmetic probe: milliseconds, beside which waking the other threads is short.
const ROUNDS: usize = 2_000_000;
/// Tries; the best counts, so that what else the machine does matters less.
const TRIES: usize = 12;

/// Speeds of all cores together.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Machine {
    /// Multiply-adds in registers, 10^9 operations a second; one counts as two.
    pub gflop_per_second: f64,
    /// Stream (a = b + s c) over 48 MB, 10^9 bytes a second.
    pub memory_gb_per_second: f64,
    /// The same over what fits into the cores' own caches.
    pub cache_gb_per_second: f64,
}

impl Machine {
    /// Takes most of a second.
    pub fn measure() -> Self {
        let threads = rayon::current_num_threads();
        let fastest = |run: &mut dyn FnMut()| {
            let time = || {
                let start = Instant::now();
                run();
                start.elapsed().as_secs_f64()
            };
            std::iter::repeat_with(time).take(TRIES).fold(f64::INFINITY, f64::min)
        };
        let mut done = 0usize;
        let arithmetic = fastest(&mut || {
            // To every thread its own: what can be stolen is often done by one while the others wake.
            done = rayon::broadcast(|_| multiply_add()).into_iter().sum();
        });
        let flops = (2 * ROUNDS * done) as f64;
        let [mut a, b, c] = [0.0f32, 1.0, 2.0].map(|v| vec![v; FAR]);
        let part = FAR.div_ceil(threads);
        let memory = fastest(&mut || {
            let parts = a.par_chunks_mut(part).zip(b.par_chunks(part)).zip(c.par_chunks(part));
            parts.for_each(|((a, b), c)| stream(a, b, c));
            black_box(&mut a);
        });
        let repeats = 1024;
        let cache = fastest(&mut || {
            rayon::broadcast(|_| {
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

    /// The processor's, from memory.
    pub fn roof(&self) -> Roof {
        Roof {
            device: "this processor".into(),
            gflop_per_second: self.gflop_per_second,
            gb_per_second: self.memory_gb_per_second,
            source: RoofSource::Measured,
        }
    }
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

/// Memory of this process as `/proc` names it (`VmHWM`: the largest so far, `VmRSS`: now), 10^6 bytes; none where the
/// system does not tell.
pub fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// Energy that the processor has used so far, joules; none where the system does not tell (Linux does by RAPL, mostly to
/// root only).
pub fn energy() -> Option<f64> {
    energy_in(Path::new("/sys/class/powercap"))
}

fn energy_in(folder: &Path) -> Option<f64> {
    let packages = std::fs::read_dir(folder).ok()?.flatten().filter(|zone| {
        // intel-rapl:0 is a processor; intel-rapl:0:1 is a part of it
        let name = zone.file_name();
        name.to_str().and_then(|n| n.strip_prefix("intel-rapl:")).is_some_and(|n| n.parse::<u32>().is_ok())
    });
    let joules = packages.map(|zone| {
        let text = std::fs::read_to_string(zone.path().join("energy_uj")).ok()?;
        Some(text.trim().parse::<f64>().ok()? / 1e6)
    });
    let all: Vec<f64> = joules.collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_of_all_processors_is_added_and_none_is_made_up() {
        let folder = std::env::temp_dir().join(format!("parlante-rapl-{}", std::process::id()));
        for (zone, energy) in [("intel-rapl:0", "1500000\n"), ("intel-rapl:0:0", "9\n"), ("intel-rapl:1", "500000\n")] {
            std::fs::create_dir_all(folder.join(zone)).unwrap();
            std::fs::write(folder.join(zone).join("energy_uj"), energy).unwrap();
        }
        assert_eq!(energy_in(&folder), Some(2.0));
        std::fs::write(folder.join("intel-rapl:1/energy_uj"), "?").unwrap();
        assert_eq!(energy_in(&folder), None);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(energy_in(&folder), None);
    }
}
