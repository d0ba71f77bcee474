//! What a machine can do at most, which measured times are compared with (Williams, Waterman, Patterson, "Roofline: an
//! insightful visual performance model", 2009).

use std::borrow::Cow;

use serde::Serialize;

/// Arithmetic and memory at full speed.
#[derive(Clone, Debug, Serialize)]
pub struct Roof {
    /// Whose speed it is.
    pub device: Cow<'static, str>,
    /// 10^9 operations on f32 a second; a multiply-add counts as two.
    pub gflop_per_second: f64,
    /// 10^9 bytes a second from memory.
    pub gb_per_second: f64,
    /// Where the two numbers come from.
    pub source: RoofSource,
}

/// How a [`Roof`] is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoofSource {
    /// Probed on this machine.
    Measured,
    /// From clocks and numbers of units. Nothing ran.
    Computed,
}

impl RoofSource {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Computed => "computed from clocks and numbers of units, nothing ran",
        }
    }
}

/// What CUDA's driver tells of a GPU.
#[derive(Clone, Copy, Debug)]
pub struct CudaUnits {
    /// Compute capability, major and minor.
    pub capability: [i32; 2],
    /// Multiprocessors.
    pub multiprocessors: i32,
    /// Their clock, kHz.
    pub clock_khz: i32,
    /// The memory's clock, kHz; two transfers each.
    pub memory_clock_khz: i32,
    /// Width of the memory's bus, bits.
    pub bus_bits: i32,
}

impl CudaUnits {
    /// Multiply-adds of f32 that a multiprocessor begins in a cycle (CUDA C++ Programming Guide, "Arithmetic Instructions").
    fn lanes(&self) -> i32 {
        match self.capability {
            [6, 0] | [7, _] | [8, 0] => 64,
            [3, _] => 192,
            _ => 128,
        }
    }
}

impl Roof {
    /// The GPU that this project aims at, by its data sheet: 16,384 lanes at 2.52 GHz, 384 bits at 21 Gbit/s.
    pub fn rtx_4090() -> Self {
        Self {
            device: "RTX 4090".into(),
            gflop_per_second: 2.0 * 16_384.0 * 2.52,
            gb_per_second: 384.0 / 8.0 * 21.0,
            source: RoofSource::Computed,
        }
    }

    /// An NVIDIA GPU. Tensor cores are left out: the networks compute in f32.
    pub fn of_cuda(name: String, units: &CudaUnits) -> Self {
        let lanes = f64::from(units.multiprocessors) * f64::from(units.lanes());
        Self {
            device: name.into(),
            gflop_per_second: 2.0 * lanes * f64::from(units.clock_khz) / 1e6,
            gb_per_second: 2.0 * f64::from(units.memory_clock_khz) / 1e6 * f64::from(units.bus_bits) / 8.0,
            source: RoofSource::Computed,
        }
    }

    /// Seconds that so much arithmetic and so many bytes take at least, each at full speed beside the other.
    pub fn least_seconds(&self, gflop: f64, bytes: f64) -> f64 {
        (gflop / self.gflop_per_second).max(bytes * 1e-9 / self.gb_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_arithmetic_and_memory_counts() {
        let source = RoofSource::Measured;
        let roof = Roof { device: "test".into(), gflop_per_second: 100.0, gb_per_second: 10.0, source };
        assert!((roof.least_seconds(0.2, 1e6) - 2e-3).abs() < 1e-12);
        assert!((roof.least_seconds(0.2, 50e6) - 5e-3).abs() < 1e-12);
    }

    #[test]
    fn what_a_driver_tells_leads_to_the_data_sheet() {
        let units = CudaUnits {
            capability: [8, 9],
            multiprocessors: 128,
            clock_khz: 2_520_000,
            memory_clock_khz: 10_501_000,
            bus_bits: 384,
        };
        let (told, sheet) = (Roof::of_cuda("RTX 4090".into(), &units), Roof::rtx_4090());
        assert!((told.gflop_per_second / sheet.gflop_per_second - 1.0).abs() < 1e-3);
        assert!((told.gb_per_second / sheet.gb_per_second - 1.0).abs() < 1e-3);
        // A100: 19.5 TFLOP/s and 1,555 GB/s
        let units = CudaUnits {
            capability: [8, 0],
            multiprocessors: 108,
            clock_khz: 1_410_000,
            memory_clock_khz: 1_215_000,
            bus_bits: 5120,
        };
        let told = Roof::of_cuda("A100".into(), &units);
        assert!((told.gflop_per_second - 19_490.0).abs() < 10.0 && (told.gb_per_second - 1_555.0).abs() < 1.0);
    }
}
