//! A transposed convolution that makes 2 x 2 pixels of one channel out of every pixel, as masks come out of a network. As a
//! product of matrices it would fill four columns of sixteen; here the four results of a pixel are one vector.

use super::for_pieces;

/// Pixels whose sums grow beside each other, so that none waits for its own last addition.
const AT_ONCE: usize = 4;

/// Weights of the kernel.
pub(crate) struct Doubling {
    /// For every input channel those of the upper left, upper right, lower left and lower right pixel.
    weight: Vec<[f32; 4]>,
    bias: f32,
}

impl Doubling {
    /// From weights `[2, 2, in]`.
    pub fn new(weight: &[f32], bias: f32) -> Self {
        let channels = weight.len() / 4;
        let of_channel = |c: usize| std::array::from_fn(|tap| weight[tap * channels + c]);
        Self { weight: (0..channels).map(of_channel).collect(), bias }
    }

    /// Doubles pictures `x` (`[height, width, in]`, one below the other) into `y` (`[2 height, 2 width]`).
    pub fn run(&self, x: &[f32], width: usize, y: &mut [f32]) {
        let pixel = self.weight.len();
        for_pieces(y, 4 * width, 8 * x.len(), |row, y| {
            let (upper, lower) = y.split_at_mut(2 * width);
            let pixels = x[row * width * pixel..][..width * pixel].chunks(AT_ONCE * pixel);
            let results = upper.chunks_mut(2 * AT_ONCE).zip(lower.chunks_mut(2 * AT_ONCE));
            for (x, (upper, lower)) in pixels.zip(results) {
                let sums = self.sums(x);
                let pairs = upper.as_chunks_mut::<2>().0.iter_mut().zip(lower.as_chunks_mut::<2>().0);
                for ((upper, lower), [a, b, c, d]) in pairs.zip(sums) {
                    (*upper, *lower) = ([a, b], [c, d]);
                }
            }
        });
    }

    /// The four results of each of some pixels; those behind the last one are of no use.
    #[inline(always)]
    fn sums(&self, x: &[f32]) -> [[f32; 4]; AT_ONCE] {
        let mut sums = [[self.bias; 4]; AT_ONCE];
        let channels = self.weight.len();
        let pixel = |i: usize| x.get(i * channels..(i + 1) * channels).unwrap_or(&x[..channels]);
        let pixels: [&[f32]; AT_ONCE] = [pixel(0), pixel(1), pixel(2), pixel(3)];
        for (c, weight) in self.weight.iter().enumerate() {
            for (sums, pixel) in sums.iter_mut().zip(pixels) {
                for (sum, weight) in sums.iter_mut().zip(weight) {
                    *sum += pixel[c] * weight;
                }
            }
        }
        sums
    }
}
