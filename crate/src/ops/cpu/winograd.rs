//! Convolution with 3 x 3 taps, 2 x 2 results at a time: 16 multiplications where there were 36 (Winograd, 1980; Lavin and
//! Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, F(2 x 2, 3 x 3)).
//!
//! Sums and differences turn tiles of 4 x 4 input pixels, two apart, into 16 others. Each of these places is a product of
//! matrices, tiles by channels with channels by output channels, and sums and differences of the 16 results are the pixels.
//! All factors are 1, -1 or, for the weights, 1/2: little is lost by rounding.

use std::sync::{Mutex, PoisonError};

use super::{Epilogue, Product, for_pieces, wide};
use crate::{
    graph::Constant,
    ops::{Activation, window::Window},
};

/// Channels on both sides from which on the products are what takes the time.
const LEAST: usize = 64;
/// Tiles of a picture from which on it is worth while.
const FEWEST: usize = 64;
/// Tiles that are transformed at once: the far cache keeps them.
const TILES: usize = 256;
/// Transformed numbers, at most: a description of a network can ask for rows of any length.
const MOST: usize = 1 << 24;
/// Places of a tile along a side, and in all.
const SIDE: usize = 4;
const PLACES: usize = SIDE * SIDE;
/// Channels that are transformed together.
const LANES: usize = 16;

type Some16 = [f32; LANES];

/// A convolution prepared that way.
pub(crate) struct Winograd {
    window: Window,
    channels: usize,
    columns: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
    /// Rows of tiles that are transformed at once.
    rows: usize,
    /// One for each place.
    products: Vec<Product>,
    epilogue: Epilogue,
    scratch: Mutex<Scratch>,
}

/// Transformed tiles, `[place][tile][channel]`, and their products, `[place][tile][output channel]`.
struct Scratch {
    pixels: Vec<f32>,
    results: Vec<f32>,
}

impl Winograd {
    /// Transforms the weights, `[columns][3][3][channels]`; none for other windows, and where it would not be faster.
    pub fn new(
        window: Window,
        channels: usize,
        weight: &Constant,
        bias: Option<&Constant>,
        activation: &Activation,
    ) -> Option<Self> {
        let tiles = window.output.map(|n| n.div_ceil(2));
        let columns = weight.shape().elements() / (9 * channels);
        let fits = window.kernel == [3, 3] && window.stride == [1, 1] && window.dilation == [1, 1];
        let whole = channels.is_multiple_of(LANES) && columns.is_multiple_of(LANES);
        if !fits || !whole || channels.min(columns) < LEAST || tiles[0] * tiles[1] < FEWEST {
            return None;
        }
        let blocks = tiles[0].div_ceil(TILES.div_ceil(tiles[1]));
        let rows = tiles[0].div_ceil(blocks);
        let count = rows * tiles[1];
        count.checked_mul(PLACES * channels.max(columns)).filter(|&numbers| numbers <= MOST)?;
        let weight = weight.to_f32();
        let product = |place| {
            let transformed = transformed_weights(&weight, channels, place);
            Product::of_values([count, channels, columns], &transformed, true)
        };
        let products = (0..PLACES).map(product).collect();
        let epilogue = Epilogue::new(bias, activation, columns);
        let [pixels, results] = [channels, columns].map(|n| vec![0.0; PLACES * count * n]);
        let scratch = Mutex::new(Scratch { pixels, results });
        Some(Self { window, channels, columns, tiles, rows, products, epilogue, scratch })
    }

    /// Computes all output pixels; `addend` is added to them before the activation.
    pub fn run(&self, x: &[f32], addend: Option<&[f32]>, y: &mut [f32]) {
        let [input, output] = [self.window.input, self.window.output].map(|[height, width]| height * width);
        let line = self.window.output[1] * self.columns;
        let count = self.rows * self.tiles[1];
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let Scratch { pixels, results } = &mut *scratch;
        let pictures = x.chunks_exact(input * self.channels).zip(y.chunks_exact_mut(output * self.columns));
        for (n, (x, y)) in pictures.enumerate() {
            for (block, y) in y.chunks_mut(2 * self.rows * line).enumerate() {
                let first = block * self.rows;
                self.transform(x, first, pixels);
                let sides =
                    pixels.chunks_exact(count * self.channels).zip(results.chunks_exact_mut(count * self.columns));
                self.products.iter().zip(sides).for_each(|(product, (x, y))| product.run(x, None, y));
                let start = n * output * self.columns + 2 * first * line;
                self.gather(results, addend.map(|addend| &addend[start..][..y.len()]), y);
            }
        }
    }

    /// Tiles of [`Self::rows`] rows from `first` on, as far as there are so many. Each part has the four places of one row of
    /// tiles' places, which come from two rows of pixels.
    fn transform(&self, picture: &[f32], first: usize, to: &mut [f32]) {
        let (channels, width) = (self.channels, self.tiles[1]);
        let rows = self.rows.min(self.tiles[0] - first);
        let part = to.len() / SIDE;
        let nothing = vec![0.0; channels];
        let flops = 8 * to.len();
        for_pieces(to, part, flops, |i, to| {
            let (upper, lower, sign) = [(0, 2, -1.0), (1, 2, 1.0), (2, 1, -1.0), (1, 3, -1.0)][i];
            let mut places = to.chunks_exact_mut(part / SIDE);
            let mut next = || places.next().unwrap_or_default();
            let [a, b, c, d] = [next(), next(), next(), next()];
            let pixel = |y: usize, x: usize| {
                let at = self.window.source(0, y, 0).zip(self.window.source(1, x, 0));
                at.map_or(&nothing[..], |(y, x)| &picture[(y * self.window.input[1] + x) * channels..][..channels])
            };
            for tile in 0..rows * width {
                let (y, x) = (2 * (first + tile / width), 2 * (tile % width));
                let uppers = [0, 1, 2, 3].map(|j| pixel(y + upper, x + j).as_chunks::<LANES>().0);
                let lowers = [0, 1, 2, 3].map(|j| pixel(y + lower, x + j).as_chunks::<LANES>().0);
                let place = tile * channels..(tile + 1) * channels;
                let [a, b, c, d] = [&mut *a, &mut *b, &mut *c, &mut *d].map(|to| to[place.clone()].as_chunks_mut().0);
                wide(|| {
                    for k in 0..channels / LANES {
                        let row = [0, 1, 2, 3].map(|j| zip(uppers[j][k], lowers[j][k], |u, l| u + sign * l));
                        a[k] = zip(row[0], row[2], |u, v| u - v);
                        b[k] = zip(row[1], row[2], |u, v| u + v);
                        c[k] = zip(row[2], row[1], |u, v| u - v);
                        d[k] = zip(row[1], row[3], |u, v| u - v);
                    }
                });
            }
        });
    }

    /// Pixels of a block from the products of its tiles.
    fn gather(&self, results: &[f32], addend: Option<&[f32]>, y: &mut [f32]) {
        let (columns, width) = (self.columns, self.tiles[1]);
        let line = self.window.output[1] * columns;
        let places: Vec<&[f32]> = results.chunks_exact(results.len() / PLACES).collect();
        let flops = 40 * y.len();
        for_pieces(y, 2 * line, flops, |row, y| {
            let addend = addend.map(|addend| &addend[2 * row * line..][..y.len()]);
            wide(|| {
                for (tile, column) in (0..width).flat_map(|tile| (0..columns).step_by(LANES).map(move |n| (tile, n))) {
                    let at = (row * width + tile) * columns + column;
                    let of = |place: usize| places[place][at..].first_chunk().copied().unwrap_or([0.0; LANES]);
                    let pair = |j: usize| {
                        let [m0, m1, m2, m3] = [0, 1, 2, 3].map(|i| of(SIDE * i + j));
                        let (sum, difference) = (zip(m1, m2, |u, v| u + v), zip(m1, m2, |u, v| u - v));
                        [zip(m0, sum, |u, v| u + v), zip(difference, m3, |u, v| u - v)]
                    };
                    let [p0, p1, p2, p3] = [0, 1, 2, 3].map(pair);
                    for (below, part) in y.chunks_exact_mut(line).enumerate() {
                        let (sum, difference) =
                            (zip(p1[below], p2[below], |u, v| u + v), zip(p1[below], p2[below], |u, v| u - v));
                        let both = [zip(p0[below], sum, |u, v| u + v), zip(difference, p3[below], |u, v| u - v)];
                        for (right, pixel) in both.into_iter().enumerate() {
                            let place = (2 * tile + right) * columns + column;
                            let Some(to) = part.get_mut(place..place + LANES) else { continue };
                            let addend = addend.map(|addend| &addend[below * line + place..][..LANES]);
                            self.end(pixel, column, addend, to);
                        }
                    }
                }
            });
            self.epilogue.finish(y);
        });
    }

    /// Bias, addend and activation of neighbouring output channels of a pixel.
    #[inline(always)]
    fn end(&self, mut sums: Some16, column: usize, addend: Option<&[f32]>, to: &mut [f32]) {
        sums.iter_mut().zip(&self.epilogue.bias[column..]).for_each(|(sum, bias)| *sum += bias);
        if let Some(addend) = addend {
            sums.iter_mut().zip(addend).for_each(|(sum, addend)| *sum += addend);
        }
        self.epilogue.close_some(&mut sums, column);
        to.copy_from_slice(&sums);
    }
}

#[inline(always)]
fn zip(mut a: Some16, b: Some16, f: impl Fn(f32, f32) -> f32) -> Some16 {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = f(*a, b));
    a
}

/// Weights of one place, `[columns][channels]`.
fn transformed_weights(weight: &[f32], channels: usize, place: usize) -> Vec<f32> {
    const SHARES: [[f32; 3]; SIDE] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
    let (down, across) = (SHARES[place / SIDE], SHARES[place % SIDE]);
    let mut result = Vec::with_capacity(weight.len() / 9);
    for taps in weight.chunks_exact(9 * channels) {
        result.extend((0..channels).map(|c| {
            let tap = |i: usize| taps[i * channels + c] * down[i / 3] * across[i % 3];
            (0..9).map(tap).sum::<f32>()
        }));
    }
    result
}
