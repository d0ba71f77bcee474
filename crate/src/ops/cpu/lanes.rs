//! Vectors of numbers that the processor handles at once.
//!
//! The kernels are generic over [`Lanes`] and inlined whole into one function for each instruction set that carries the
//! matching `#[target_feature]`. Intrinsics of a set may therefore only be called from there.

/// A vector register.
pub(super) trait Lanes: Copy {
    /// Numbers in it.
    const WIDTH: usize;

    /// # Safety
    /// The instruction set must be there (for this and all other methods).
    unsafe fn splat(value: f32) -> Self;

    /// # Safety
    /// `WIDTH` numbers must be readable at `from`; any alignment.
    unsafe fn load(from: *const f32) -> Self;

    /// Signed bytes as numbers.
    ///
    /// # Safety
    /// `WIDTH` bytes must be readable at `from`; any alignment.
    unsafe fn load_bytes(from: *const i8) -> Self;

    /// # Safety
    /// `WIDTH` numbers must be writable at `to`; any alignment.
    unsafe fn store(self, to: *mut f32);

    /// `self + a b`, fused where the set can.
    ///
    /// # Safety
    /// See [`Self::splat`].
    unsafe fn add_product(self, a: Self, b: Self) -> Self;

    /// # Safety
    /// See [`Self::splat`].
    unsafe fn max(self, other: Self) -> Self;

    /// # Safety
    /// See [`Self::splat`].
    unsafe fn min(self, other: Self) -> Self;
}

/// Implements [`Lanes`] by six intrinsics and an expression for the multiply-add.
macro_rules! lanes {
    ($name:ident, $register:ty, $width:literal, $splat:path, $load:path, $bytes:path, $store:path, $max:path, $min:path, |$s:ident, $a:ident, $b:ident| $fma:expr) => {
        #[derive(Clone, Copy)]
        pub(in crate::ops::cpu) struct $name($register);

        impl Lanes for $name {
            const WIDTH: usize = $width;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                // SAFETY: the caller has the instruction set.
                #[allow(unused_unsafe)]
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: the caller has the instruction set, and the numbers are readable.
                Self(unsafe { $load(from.cast()) })
            }

            #[inline(always)]
            unsafe fn load_bytes(from: *const i8) -> Self {
                // SAFETY: the caller has the instruction set, and the bytes are readable.
                Self(unsafe { $bytes(from) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: the caller has the instruction set, and the numbers are writable.
                unsafe { $store(to.cast(), self.0) }
            }

            #[inline(always)]
            unsafe fn add_product(self, a: Self, b: Self) -> Self {
                let ($s, $a, $b) = (self.0, a.0, b.0);
                // SAFETY: the caller has the instruction set.
                #[allow(unused_unsafe)]
                Self(unsafe { $fma })
            }

            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                // SAFETY: the caller has the instruction set.
                #[allow(unused_unsafe)]
                Self(unsafe { $max(self.0, other.0) })
            }

            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                // SAFETY: the caller has the instruction set.
                #[allow(unused_unsafe)]
                Self(unsafe { $min(self.0, other.0) })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn bytes512(from: *const i8) -> __m512 {
        // SAFETY: the caller promises 16 readable bytes.
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(unsafe { _mm_loadu_si128(from.cast()) }))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn bytes256(from: *const i8) -> __m256 {
        // SAFETY: the caller promises 8 readable bytes.
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(unsafe { _mm_loadl_epi64(from.cast()) }))
    }

    /// Each byte four times, of which the shift leaves the uppermost with its sign.
    #[inline]
    #[target_feature(enable = "sse2")]
    unsafe fn bytes128(from: *const i8) -> __m128 {
        // SAFETY: the caller promises 4 readable bytes.
        let four = _mm_cvtsi32_si128(unsafe { from.cast::<i32>().read_unaligned() });
        let twice = _mm_unpacklo_epi8(four, four);
        _mm_cvtepi32_ps(_mm_srai_epi32::<24>(_mm_unpacklo_epi16(twice, twice)))
    }

    lanes!(
        Avx512,
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        bytes512,
        _mm512_storeu_ps,
        _mm512_max_ps,
        _mm512_min_ps,
        |s, a, b| _mm512_fmadd_ps(a, b, s)
    );
    lanes!(
        Avx2,
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        bytes256,
        _mm256_storeu_ps,
        _mm256_max_ps,
        _mm256_min_ps,
        |s, a, b| _mm256_fmadd_ps(a, b, s)
    );
    lanes!(Sse2, __m128, 4, _mm_set1_ps, _mm_loadu_ps, bytes128, _mm_storeu_ps, _mm_max_ps, _mm_min_ps, |s, a, b| {
        _mm_add_ps(s, _mm_mul_ps(a, b))
    });
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Sse2 as Baseline;

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::Lanes;

    #[inline]
    unsafe fn bytes(from: *const i8) -> float32x4_t {
        // SAFETY: the caller promises 4 readable bytes; every processor of this architecture has these instructions.
        unsafe {
            let four = vcreate_s8(u64::from(from.cast::<u32>().read_unaligned()));
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(four))))
        }
    }

    lanes!(Neon, float32x4_t, 4, vdupq_n_f32, vld1q_f32, bytes, vst1q_f32, vmaxq_f32, vminq_f32, |s, a, b| vfmaq_f32(
        s, a, b
    ));
}

#[cfg(target_arch = "aarch64")]
pub(super) use arm::Neon as Baseline;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use std::arch::wasm32::*;

    use super::Lanes;

    #[inline]
    unsafe fn bytes(from: *const i8) -> v128 {
        // SAFETY: the caller promises 4 readable bytes.
        let four = unsafe { v128_load32_zero(from.cast()) };
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(four)))
    }

    // The relaxed form is one instruction; without it browsers have to round twice.
    #[cfg(target_feature = "relaxed-simd")]
    lanes!(Wasm, v128, 4, f32x4_splat, v128_load, bytes, v128_store, f32x4_pmax, f32x4_pmin, |s, a, b| {
        f32x4_relaxed_madd(a, b, s)
    });
    #[cfg(not(target_feature = "relaxed-simd"))]
    lanes!(Wasm, v128, 4, f32x4_splat, v128_load, bytes, v128_store, f32x4_pmax, f32x4_pmin, |s, a, b| f32x4_add(
        s,
        f32x4_mul(a, b)
    ));
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use wasm::Wasm as Baseline;

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
mod plain {
    use super::Lanes;

    unsafe fn load(from: *const [f32; 4]) -> [f32; 4] {
        // SAFETY: the caller promises four readable numbers.
        unsafe { from.read_unaligned() }
    }

    unsafe fn bytes(from: *const i8) -> [f32; 4] {
        // SAFETY: the caller promises four readable bytes.
        unsafe { from.cast::<[i8; 4]>().read_unaligned() }.map(f32::from)
    }

    unsafe fn store(to: *mut [f32; 4], value: [f32; 4]) {
        // SAFETY: the caller promises four writable numbers.
        unsafe { to.write_unaligned(value) }
    }

    fn splat(value: f32) -> [f32; 4] {
        [value; 4]
    }

    fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].max(b[i]))
    }

    fn min(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].min(b[i]))
    }

    lanes!(Plain, [f32; 4], 4, splat, load, bytes, store, max, min, |s, a, b| std::array::from_fn(
        |i| s[i] + a[i] * b[i]
    ));
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub(super) use plain::Plain as Baseline;
