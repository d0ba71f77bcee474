//! The processor's costly kernels: convolution, depthwise convolution, linear layers, products.
//!
//! They are written once, over [`lanes::Lanes`], and compiled for each instruction set; which one is used is found out when a
//! network is prepared. (candle's convolution writes the whole patch matrix to memory first, and its depthwise convolution runs
//! at 0.5 GFLOP/s; its matrix product is near the machine's limit.)

#[cfg(not(target_arch = "wasm32"))]
mod awake;
mod depthwise;
mod doubling;
mod lanes;
mod packed;
mod product;
mod table;
mod winograd;

use lanes::Lanes;

pub(crate) use depthwise::Depthwise;
pub(crate) use doubling::Doubling;
pub(crate) use product::Product;
pub(crate) use winograd::Winograd;

use super::Activation;
use crate::graph::Constant;

/// Columns of a weight panel; all kernels work on so many output channels at once.
pub(crate) const PANEL: usize = 16;

/// Instruction set the kernels run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What every processor of this architecture has: SSE2, NEON or WebAssembly's 128-bit vectors.
    Baseline,
}

impl Isa {
    /// The best one this machine has.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }
}

/// What happens to a sum before it is stored: `min(max(x, 0) + slope min(x, 0), cap)`, which covers most activations, or
/// hard swish, or another function afterwards.
struct Epilogue {
    /// Padded to whole panels.
    bias: Vec<f32>,
    /// Padded to whole panels.
    slope: Vec<f32>,
    cap: f32,
    curve: Curve,
    /// A function that needs more than multiplications; applied in a second pass while the results are in the cache.
    then: Option<Activation>,
}

impl Epilogue {
    fn new(bias: Option<&Constant>, activation: &Activation, channels: usize) -> Self {
        use Activation::{HardSwish, LeakyRelu, None as Identity, Prelu, Relu, Relu6};
        let padded = channels.next_multiple_of(PANEL);
        let mut bias = bias.map_or_else(|| vec![0.0; channels], Constant::to_f32);
        bias.resize(padded, 0.0);
        let mut slope = activation.slope_table(channels);
        slope.resize(padded, 1.0);
        let cap = if matches!(activation, Relu6) { 6.0 } else { f32::INFINITY };
        let inline = matches!(activation, Identity | Relu | Relu6 | LeakyRelu(_) | Prelu(_) | HardSwish);
        let curve = match activation {
            Relu => Curve::Relu,
            HardSwish => Curve::HardSwish,
            Relu6 | LeakyRelu(_) | Prelu(_) => Curve::Slope,
            _ => Curve::Identity,
        };
        Self { bias, slope, cap, curve, then: (!inline).then(|| activation.clone()) }
    }

    /// Takes what does not change into registers.
    ///
    /// # Safety
    /// The instruction set must be there.
    #[inline(always)]
    unsafe fn closer<L: Lanes>(&self) -> Closer<L> {
        // SAFETY: the caller has the instruction set.
        unsafe { Closer { curve: self.curve, cap: L::splat(self.cap), zero: L::splat(0.0) } }
    }

    /// What is stored for one sum of this channel: [`Closer::close`] without vectors.
    fn close_one(&self, sum: f32, channel: usize) -> f32 {
        let mut sums = [sum];
        self.close_some(&mut sums, channel);
        sums[0]
    }

    /// The same for neighbouring channels.
    #[inline(always)]
    fn close_some<const N: usize>(&self, sums: &mut [f32; N], channel: usize) {
        match self.curve {
            Curve::Identity => (),
            Curve::Relu => sums.iter_mut().for_each(|sum| *sum = sum.max(0.0)),
            Curve::HardSwish => sums.iter_mut().for_each(|sum| *sum *= (0.5 + *sum * (1.0 / 6.0)).clamp(0.0, 1.0)),
            Curve::Slope => {
                let slopes = &self.slope[channel..][..N];
                let close = |sum: f32, slope: f32| (sum.max(0.0) + slope * sum.min(0.0)).min(self.cap);
                sums.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum = close(*sum, *slope));
            }
        }
    }

    fn finish(&self, y: &mut [f32]) {
        if let Some(activation) = &self.then {
            activation.apply(y);
        }
    }
}

/// What a sum goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Curve {
    /// Nothing.
    Identity,
    /// `max(x, 0)`: slope 0, no cap.
    Relu,
    /// `x min(max(x + 3, 0), 6) / 6`, instead of slope and cap.
    HardSwish,
    /// Slope and cap.
    Slope,
}

/// An [`Epilogue`] at work.
#[derive(Clone, Copy)]
struct Closer<L> {
    curve: Curve,
    cap: L,
    zero: L,
}

impl<L: Lanes> Closer<L> {
    /// What is stored for the sums of some rows of vectors, one slope for each place in a row.
    ///
    /// # Safety
    /// The instruction set must be there.
    #[inline(always)]
    unsafe fn close<const ROWS: usize, const VECTORS: usize>(
        self,
        sums: &mut [[L; VECTORS]; ROWS],
        slopes: &[L; VECTORS],
    ) {
        // SAFETY: the caller has the instruction set.
        unsafe {
            match self.curve {
                Curve::Identity => (),
                Curve::Relu => each(sums, |sum, _| sum.max(self.zero)),
                Curve::HardSwish => {
                    let (half, sixth, one) = (L::splat(0.5), L::splat(1.0 / 6.0), L::splat(1.0));
                    let gate = |sum| half.add_product(sum, sixth).max(self.zero).min(one);
                    each(sums, |sum, _| self.zero.add_product(sum, gate(sum)));
                }
                Curve::Slope => {
                    each(sums, |sum, v| sum.max(self.zero).add_product(sum.min(self.zero), slopes[v]).min(self.cap))
                }
            }
        }
    }
}

/// Every vector of a tile through a function, which also gets its place in the row.
#[inline(always)]
fn each<L: Lanes, const ROWS: usize, const VECTORS: usize>(sums: &mut [[L; VECTORS]; ROWS], f: impl Fn(L, usize) -> L) {
    for row in sums {
        for (v, sum) in row.iter_mut().enumerate() {
            *sum = f(*sum, v);
        }
    }
}

/// Runs a loop over numbers with vectors as long as the machine has, where the compiler makes vectors of it by itself. Results do
/// not depend on that.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the instruction set is there.
            return unsafe { avx2(work) };
        }
    }
    work()
}

/// Floating point operations that are worth waking a thread.
pub(crate) const WORTH_THREADS: usize = 1_000_000;

/// Rows of a result that one thread makes, at most, before another is asked.
pub(crate) const ROWS_OF_A_THREAD: usize = 48;

/// Runs `work` on equal pieces of `y` (the last may be shorter), on all cores where there are threads and the work is
/// worth waking them.
pub(super) fn for_pieces(y: &mut [f32], piece: usize, flops: usize, work: impl Fn(usize, &mut [f32]) + Sync + Send) {
    /// Parts of the work for each thread: enough that one that was late leaves some to the others.
    #[cfg(not(target_arch = "wasm32"))]
    const PARTS: usize = 4;
    #[cfg(not(target_arch = "wasm32"))]
    if flops > WORTH_THREADS && y.len() > piece {
        use rayon::prelude::*;
        let part = y.len().div_ceil(piece).div_ceil(PARTS * rayon::current_num_threads());
        y.par_chunks_mut(piece).enumerate().with_min_len(part).for_each(|(i, part)| work(i, part));
        return;
    }
    let _ = flops;
    y.chunks_mut(piece).enumerate().for_each(|(i, part)| work(i, part));
}

/// Runs `work` on one of the threads that [`for_pieces`] shares work with, while some others stay awake for it. Each kernel
/// of a network would otherwise put its caller to sleep, wake a thread and wait for that: for small ones, and on a busy
/// machine for all, that costs more than the work. `worthwhile` says whether it is enough work to go there once.
pub(crate) fn beside_threads<R: Send>(worthwhile: bool, work: impl FnOnce() -> R + Send) -> R {
    #[cfg(not(target_arch = "wasm32"))]
    if worthwhile {
        return awake::run(work);
    }
    let _ = worthwhile;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::Shape,
        ops::{
            Padding,
            testing::{bytes, noise, weights},
            window::Window,
        },
    };

    /// Every instruction set this machine has.
    fn available() -> Vec<Isa> {
        let mut sets = vec![Isa::Baseline];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                sets.push(Isa::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f") {
                sets.push(Isa::Avx512);
            }
        }
        sets
    }

    #[test]
    fn all_instruction_sets_agree() {
        for channels in [3, 16, 37] {
            let shape = Shape::from([2, 13, 11, channels]);
            let window = Window::new("test", &shape, [3, 3], [1, 2], [1, 1], Padding::Same).unwrap();
            let x = noise(1, shape.elements());
            let prelu = |n: usize| Activation::Prelu(weights(4, &[n]));
            let dense = weights(2, &[21, 3, 3, channels]);
            let mut product = Product::new(window, channels, &dense, Some(&weights(3, &[21])), &prelu(21));
            let mut depthwise = Depthwise::new(window, channels, &weights(5, &[9, channels]), None, &prelu(channels));
            let pixels = 2 * window.output[0] * window.output[1];
            let addend = noise(6, pixels * 21);
            let mut results = Vec::new();
            for isa in available() {
                let (mut a, mut b) = (vec![0.0; pixels * 21], vec![0.0; pixels * channels]);
                product.with_isa(isa).run(&x, Some(&addend), &mut a);
                depthwise.with_isa(isa).run(&x, &mut b);
                a.extend(b);
                results.push(a);
            }
            for other in &results[1..] {
                assert!(results[0].iter().zip(other).all(|(u, v)| (u - v).abs() < 2e-5));
            }
        }
    }

    /// A long way is gone in parts: of one run, of several, of some of its channels, each with a rest.
    #[test]
    fn long_sums_agree_with_float64() {
        for (kernel, channels) in [([1, 1], 1100), ([3, 3], 130), ([5, 5], 47), ([2, 1], 700)] {
            let shape = Shape::from([1, 9, 8, channels]);
            let window = Window::new("test", &shape, kernel, [1, 1], [1, 1], Padding::VALID).unwrap();
            let (x, out) = (noise(1, shape.elements()), 21);
            let (weight, bias) = (weights(2, &[out, kernel[0], kernel[1], channels]), weights(3, &[out]));
            let (stored, biases) = (weight.to_f32(), bias.to_f32());
            let mut product = Product::new(window, channels, &weight, Some(&bias), &Activation::Relu);
            for isa in available() {
                let mut y = vec![0.0; window.output[0] * window.output[1] * out];
                product.with_isa(isa).run(&x, None, &mut y);
                for (i, found) in y.iter().enumerate() {
                    let (pixel, n) = (i / out, i % out);
                    let (oy, ox) = (pixel / window.output[1], pixel % window.output[1]);
                    let mut sum = f64::from(biases[n]);
                    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                        let x = &x[((oy + ky) * 8 + ox + kx) * channels..][..channels];
                        let w = &stored[((n * kernel[0] + ky) * kernel[1] + kx) * channels..][..channels];
                        sum += x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>();
                    }
                    // Over a thousand roundings; a product that is left out or counted twice is of the order of 1.
                    let error = (f64::from(*found) - sum.max(0.0)).abs();
                    assert!(error < 2e-4, "{isa:?}: {kernel:?} x {channels}: {error}");
                }
            }
        }
    }

    /// Few rows have several sums for each result.
    #[test]
    fn few_rows_are_summed_whole() {
        for (rows, channels) in [(1, 37), (2, 37), (3, 5), (1, 2), (5, 64)] {
            let (x, weight) = (noise(1, rows * channels), weights(2, &[21, channels]));
            let stored = weight.to_f32();
            for isa in available() {
                let mut product = Product::new(Window::row(rows), channels, &weight, None, &Activation::None);
                let mut y = vec![0.0; rows * 21];
                product.with_isa(isa).run(&x, None, &mut y);
                for (i, found) in y.iter().enumerate() {
                    let (x, w) = (&x[i / 21 * channels..], &stored[i % 21 * channels..]);
                    let expected: f64 = (0..channels).map(|c| f64::from(x[c]) * f64::from(w[c])).sum();
                    assert!((f64::from(*found) - expected).abs() < 1e-5, "{isa:?}: {rows} x {channels}");
                }
            }
        }
    }

    #[test]
    fn weights_in_bytes_mean_what_they_expand_to() {
        let shape = |rows: usize| Shape::from([1, 1, rows + 2, 64]);
        for rows in 1..=5 {
            let window = Window::new("test", &shape(rows), [1, 3], [1, 1], [1, 1], Padding::VALID).unwrap();
            let (x, stored) = (noise(1, shape(rows).elements()), bytes(2, &[37, 1, 3, 64]));
            let expanded = Constant::f32([37, 1, 3, 64], stored.to_f32()).unwrap();
            let (bias, addend) = (weights(3, &[37]), noise(4, rows * 37));
            let run = |weight: &Constant, isa| {
                let mut y = vec![0.0; rows * 37];
                let mut product = Product::new(window, 64, weight, Some(&bias), &Activation::Relu);
                product.with_isa(isa).run(&x, Some(&addend), &mut y);
                y
            };
            for isa in available() {
                let same = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-5;
                assert!(run(&stored, isa).iter().zip(&run(&expanded, isa)).all(same), "{isa:?}, {rows} rows");
            }
        }
    }
}
