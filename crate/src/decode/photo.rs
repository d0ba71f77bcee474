//! The photo as frames look it up: bytes, as the GPU has them, a quarter of the memory that a look-up in floating-point
//! numbers would drag through the caches, and horizontal sums in whole numbers, four products an instruction.
//!
//! The formula is that of [`bicubic`](super::sample::bicubic); weights of a row are rounded to 1/16384, which changes a
//! result by less than 0.04. Whatever the processor has, results are the same to the bit.

use super::plane::Plane;
use super::sample::taps;
use super::shapes::AT_ONCE;

/// Repeated pixels around the picture: as many as the taps of all places reach.
const BORDER: usize = 4;
/// Places before the first of these, or beyond the picture by more than the second, show the border only.
const OUTSIDE: (f32, f32) = (-2.0, 1.0);
/// Less opacity than this, of 255, is not seen.
const TRACE: u8 = 8;
/// The sum of a row's weights.
const ONE: f32 = 16384.0;

/// Operations on numbers that one look-up takes: its place, two times four weights, four rows of four pixels of four
/// channels, and their sum.
pub(crate) const OPERATIONS: usize = 2 * 5 + 2 * 24 + 8 + 4 * (4 * 7) + 4 * (4 + 4) + 4 * 3;

/// Bytes of a pixel that is looked up.
pub(crate) const TEXEL: usize = 4;

/// A picture of colours 0..255 and opacity 0..1, as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Photo {
    width: usize,
    height: usize,
    /// Pixels from row to row.
    stride: usize,
    texels: Vec<[u8; 4]>,
}

/// Where the look-ups of some pixels begin, and their weights.
struct Places {
    start: [i32; AT_ONCE],
    /// Weights of the first two and of the last two columns: the left in the low, the right in the high half.
    columns: [[i32; AT_ONCE]; 2],
    rows: [[f32; AT_ONCE]; 4],
}

impl Photo {
    /// Rounds a picture.
    pub fn new(picture: &Plane<4>) -> Self {
        let (width, height) = (picture.width, picture.height);
        let stride = width + 2 * BORDER;
        let inner = |v: usize| v as isize - BORDER as isize;
        let texel = |x: usize, y: usize| {
            let [r, g, b, a] = picture.at(inner(x), inner(y));
            [r, g, b, 255.0 * a].map(|v| (v + 0.5) as u8) // a cast saturates
        };
        let texels = (0..height + 2 * BORDER).flat_map(|y| (0..stride).map(move |x| (x, y)));
        Self { width, height, stride, texels: texels.map(|(x, y)| texel(x, y)).collect() }
    }

    /// Columns without the border.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bicubic look-ups; pixel centres lie at .5, coordinates outside repeat the border, and what is no number is
    /// somewhere. Colours 0..255, opacity 0..1; they may overshoot.
    ///
    /// # Safety
    /// With `WIDE` the processor must have AVX2.
    #[inline(always)]
    pub unsafe fn look_up<const WIDE: bool>(&self, x: &[f32; AT_ONCE], y: &[f32; AT_ONCE]) -> [[f32; 4]; AT_ONCE] {
        let places = self.places(x, y);
        let mut out = [[0.0; 4]; AT_ONCE];
        for (i, out) in out.iter_mut().enumerate() {
            let columns = [places.columns[0][i], places.columns[1][i]];
            let rows = std::array::from_fn(|j| places.rows[j][i]);
            let start = places.start[i] as usize;
            debug_assert!(start + 3 * self.stride + 4 <= self.texels.len());
            #[cfg(target_arch = "x86_64")]
            {
                // SAFETY: `places` clamps to the picture, whose border has room for the taps of every place; AVX2 is there.
                *out = unsafe {
                    let from = self.texels.as_ptr().add(start).cast();
                    if WIDE {
                        x86::wide(from, self.stride, columns, rows)
                    } else {
                        x86::narrow(from, self.stride, columns, rows)
                    }
                };
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            {
                // SAFETY: `places` clamps to the picture, whose border has room for the taps of every place.
                *out = unsafe { wasm::look(self.texels.as_ptr().add(start).cast(), self.stride, columns, rows) };
            }
            #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
            {
                *out = plain(&self.texels[start..], self.stride, columns, rows);
            }
            out[3] *= 1.0 / 255.0;
        }
        out
    }

    /// Whether something is seen of the photo at a place: more than a trace of opacity.
    pub fn is_seen(&self, x: f32, y: f32) -> bool {
        let within = |v: f32, n: usize| v.max(0.0).min(n as f32 - 1.0) as usize + BORDER;
        let at = within(y, self.height) * self.stride + within(x, self.width);
        self.texels[at][3] >= TRACE
    }

    #[inline(always)]
    fn places(&self, x: &[f32; AT_ONCE], y: &[f32; AT_ONCE]) -> Places {
        let ((x0, across), (y0, down)) = (corners(x, self.width), corners(y, self.height));
        let mut places = Places { start: [0; AT_ONCE], columns: [[0; AT_ONCE]; 2], rows: [[0.0; AT_ONCE]; 4] };
        for (i, share) in across.into_iter().enumerate() {
            let [a, b, c, _] = taps(share).map(|w| whole(w * ONE + 0.5));
            places.columns[0][i] = a & 0xffff | b << 16;
            places.columns[1][i] = c & 0xffff | (ONE as i32 - a - b - c) << 16;
        }
        for (i, share) in down.into_iter().enumerate() {
            for (row, weight) in places.rows.iter_mut().zip(taps(share)) {
                row[i] = weight * (1.0 / ONE);
            }
        }
        for (start, (x, y)) in places.start.iter_mut().zip(x0.into_iter().zip(y0)) {
            *start = (y + BORDER as i32 - 1) * self.stride as i32 + x + BORDER as i32 - 1;
        }
        places
    }
}

/// For some places along an axis of `n` pixels: the pixels before them, and their shares of the way to the next ones.
#[inline(always)]
fn corners(at: &[f32; AT_ONCE], n: usize) -> ([i32; AT_ONCE], [f32; AT_ONCE]) {
    let most = n as f32 + OUTSIDE.1;
    let (mut before, mut share) = ([0; AT_ONCE], [0.0; AT_ONCE]);
    for ((before, share), at) in before.iter_mut().zip(&mut share).zip(at) {
        let at = (at - 0.5).max(OUTSIDE.0).min(most);
        *before = whole(at);
        *share = at - *before as f32;
    }
    (before, share)
}

/// The largest whole number that is not above `v`, which must be a number within what `i32` holds: a test of that would
/// keep compilers from vectors.
#[inline(always)]
fn whole(v: f32) -> i32 {
    // SAFETY: places lie within the picture and its border, and weights are about 1.
    let towards_zero: i32 = unsafe { v.to_int_unchecked() };
    towards_zero - i32::from(v < towards_zero as f32)
}

/// One look-up without vectors.
#[cfg(any(test, not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))))]
#[inline(always)]
fn plain(from: &[[u8; 4]], stride: usize, columns: [i32; 2], rows: [f32; 4]) -> [f32; 4] {
    let weights = [columns[0] as i16, (columns[0] >> 16) as i16, columns[1] as i16, (columns[1] >> 16) as i16];
    let sums: [[f32; 4]; 4] = std::array::from_fn(|j| {
        let texels = &from[j * stride..][..4];
        std::array::from_fn(|c| {
            let sum: i32 = texels.iter().zip(weights).map(|(t, w)| i32::from(t[c]) * i32::from(w)).sum();
            sum as f32 * rows[j]
        })
    });
    std::array::from_fn(|c| (sums[0][c] + sums[2][c]) + (sums[1][c] + sums[3][c]))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// One look-up, row by row, with what every processor of this kind has.
    ///
    /// # Safety
    /// Four texels must be readable from `from` and from three times `stride` texels behind it.
    #[inline(always)]
    pub unsafe fn narrow(from: *const __m128i, stride: usize, columns: [i32; 2], rows: [f32; 4]) -> [f32; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            let zero = _mm_setzero_si128();
            let (left, right) = (_mm_set1_epi32(columns[0]), _mm_set1_epi32(columns[1]));
            let mut sums = [_mm_setzero_ps(); 4];
            for (j, sum) in sums.iter_mut().enumerate() {
                let texels = _mm_loadu_si128(from.byte_add(4 * j * stride));
                let next = _mm_srli_si128::<4>(texels);
                let first = _mm_unpacklo_epi8(_mm_unpacklo_epi8(texels, next), zero);
                let last = _mm_unpacklo_epi8(_mm_unpackhi_epi8(texels, next), zero);
                let row = _mm_add_epi32(_mm_madd_epi16(first, left), _mm_madd_epi16(last, right));
                *sum = _mm_mul_ps(_mm_cvtepi32_ps(row), _mm_set1_ps(rows[j]));
            }
            let mut out = [0.0; 4];
            let sum = _mm_add_ps(_mm_add_ps(sums[0], sums[2]), _mm_add_ps(sums[1], sums[3]));
            _mm_storeu_ps(out.as_mut_ptr(), sum);
            out
        }
    }

    /// One look-up, two rows at once.
    ///
    /// # Safety
    /// As [`narrow`], and the processor must have AVX2.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn wide(from: *const __m128i, stride: usize, columns: [i32; 2], rows: [f32; 4]) -> [f32; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            let zero = _mm256_setzero_si256();
            let (left, right) = (_mm256_set1_epi32(columns[0]), _mm256_set1_epi32(columns[1]));
            let mut sums = [_mm256_setzero_ps(); 2];
            for (j, sum) in sums.iter_mut().enumerate() {
                let upper = _mm_loadu_si128(from.byte_add(8 * j * stride));
                let lower = _mm_loadu_si128(from.byte_add(8 * j * stride + 4 * stride));
                let texels = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(upper), lower);
                let next = _mm256_srli_si256::<4>(texels);
                let first = _mm256_unpacklo_epi8(_mm256_unpacklo_epi8(texels, next), zero);
                let last = _mm256_unpacklo_epi8(_mm256_unpackhi_epi8(texels, next), zero);
                let row = _mm256_add_epi32(_mm256_madd_epi16(first, left), _mm256_madd_epi16(last, right));
                let weight = _mm256_set_m128(_mm_set1_ps(rows[2 * j + 1]), _mm_set1_ps(rows[2 * j]));
                *sum = _mm256_mul_ps(_mm256_cvtepi32_ps(row), weight);
            }
            let both = _mm256_add_ps(sums[0], sums[1]);
            let sum = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps::<1>(both));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sum);
            out
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use std::arch::wasm32::*;

    /// One look-up, row by row.
    ///
    /// # Safety
    /// Four texels must be readable from `from` and from three times `stride` texels behind it.
    #[inline(always)]
    pub unsafe fn look(from: *const v128, stride: usize, columns: [i32; 2], rows: [f32; 4]) -> [f32; 4] {
        let (left, right) = (i32x4_splat(columns[0]), i32x4_splat(columns[1]));
        let mut sums = [f32x4_splat(0.0); 4];
        for (j, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let texels = unsafe { v128_load(from.byte_add(4 * j * stride)) };
            let pairs = i8x16_shuffle::<0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15>(texels, texels);
            let first = i32x4_dot_i16x8(u16x8_extend_low_u8x16(pairs), left);
            let last = i32x4_dot_i16x8(u16x8_extend_high_u8x16(pairs), right);
            *sum = f32x4_mul(f32x4_convert_i32x4(i32x4_add(first, last)), f32x4_splat(rows[j]));
        }
        let sum = f32x4_add(f32x4_add(sums[0], sums[2]), f32x4_add(sums[1], sums[3]));
        [
            f32x4_extract_lane::<0>(sum),
            f32x4_extract_lane::<1>(sum),
            f32x4_extract_lane::<2>(sum),
            f32x4_extract_lane::<3>(sum),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::bicubic;
    use super::*;

    /// Colours without any order.
    fn noise(width: usize, height: usize) -> Plane<4> {
        let byte = |x: usize, y: usize, c: usize| ((x * 7919 + y * 104_729 + c * 1_299_709) % 65_537 % 256) as f32;
        Plane::from_fn(width, height, |x, y| [byte(x, y, 0), byte(x, y, 1), byte(x, y, 2), byte(x, y, 3) / 255.0])
    }

    fn places() -> impl Strategy<Value = [[f32; AT_ONCE]; 2]> {
        prop::array::uniform2(prop::array::uniform8(prop_oneof![-9.0f32..30.0, -1e9f32..1e9]))
    }

    proptest! {
        #[test]
        fn bytes_say_what_numbers_say([x, y] in places()) {
            let picture = noise(23, 17);
            let photo = Photo::new(&picture);
            // SAFETY: nothing is needed.
            let found = unsafe { photo.look_up::<false>(&x, &y) };
            for (i, found) in found.into_iter().enumerate() {
                let wanted = bicubic(&picture, x[i], y[i]);
                for c in 0..3 {
                    prop_assert!((found[c] - wanted[c]).abs() < 0.06, "{found:?} {wanted:?} at {} {}", x[i], y[i]);
                }
                prop_assert!((found[3] - wanted[3]).abs() < 0.0003, "{found:?} {wanted:?}");
            }
        }

        #[test]
        fn all_processors_agree_to_the_bit([x, y] in places()) {
            let photo = Photo::new(&noise(23, 17));
            let places = photo.places(&x, &y);
            let wanted: Vec<_> = (0..AT_ONCE).map(|i| {
                let rows = std::array::from_fn(|j| places.rows[j][i]);
                let columns = [places.columns[0][i], places.columns[1][i]];
                let [r, g, b, a] = plain(&photo.texels[places.start[i] as usize..], photo.stride, columns, rows);
                [r, g, b, a * (1.0 / 255.0)]
            }).collect();
            // SAFETY: nothing is needed.
            prop_assert_eq!(&unsafe { photo.look_up::<false>(&x, &y) }[..], &wanted[..]);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: AVX2 is there.
                prop_assert_eq!(&unsafe { photo.look_up::<true>(&x, &y) }[..], &wanted[..]);
            }
        }
    }

    #[test]
    fn an_even_picture_stays_even_and_nonsense_is_harmless() {
        let photo = Photo::new(&Plane::from_fn(9, 9, |_, _| [200.0, 3.0, 0.0, 1.0]));
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 4.3, 0.0, 9.0];
        // SAFETY: nothing is needed.
        for c in unsafe { photo.look_up::<false>(&odd, &odd) } {
            assert!([200.0, 3.0, 0.0, 1.0].iter().zip(c).all(|(a, b)| (a - b).abs() < 1e-4), "{c:?}");
        }
    }
}
