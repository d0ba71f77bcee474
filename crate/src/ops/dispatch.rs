//! What the operations' GPU recordings have in common.

use super::Activation;
use crate::graph::{Binding, Constant, Dispatch, GraphError, Shader};

/// A file of `shaders/ops`, by its name.
macro_rules! shader {
    ($name:literal) => {
        $crate::graph::Shader { name: $name, source: include_str!(concat!("../../../shaders/ops/", $name, ".wgsl")) }
    };
}
pub(crate) use shader;

/// Invocations in a workgroup of the element-by-element shaders.
const GROUP: usize = 64;
/// WebGPU's limit for each axis of a dispatch.
const MAX_GROUPS: usize = 65535;

/// Workgroups for so many invocations groups: along x, and along y what x cannot hold. Twin of `element` in the prelude.
pub(crate) fn groups(count: usize) -> [u32; 3] {
    let rows = count.div_ceil(MAX_GROUPS).max(1);
    [count.div_ceil(rows).max(1) as u32, rows as u32, 1]
}

/// A dispatch of one invocation for each of `elements`.
pub(crate) fn elementwise(
    shader: Shader,
    constants: Vec<(&'static str, f64)>,
    elements: usize,
    mut params: Vec<u32>,
    bindings: Vec<Binding>,
) -> Dispatch {
    params.insert(0, elements as u32);
    Dispatch { shader, constants, params, bindings, workgroups: groups(elements.div_ceil(GROUP)) }
}

/// A switch as an override constant.
pub(crate) fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// Axis lengths or strides as the shaders want them: innermost first, always eight; what is missing is `rest`.
pub(crate) fn axes(outermost_first: impl DoubleEndedIterator<Item = usize>, rest: u32) -> [u32; 8] {
    let mut out = [rest; 8];
    for (slot, value) in out.iter_mut().zip(outermost_first.rev()) {
        *slot = value as u32;
    }
    out
}

/// Refuses a bias or slopes that are not one for each of `channels`: how operations with an epilogue end.
pub(crate) fn check_epilogue(
    op: &'static str,
    bias: Option<&Constant>,
    activation: &Activation,
    channels: usize,
) -> Result<(), GraphError> {
    match bias {
        Some(bias) if bias.shape().elements() != channels => {
            Err(GraphError::op(op, format!("a bias of {} for {channels} channels", bias.shape())))
        }
        _ => activation.check(op, channels),
    }
}

/// Biases and slopes: what convolutions and matrix products end with.
pub(crate) fn tables(bias: Option<&Constant>, activation: &Activation, channels: usize) -> [Vec<f32>; 2] {
    [bias.map_or_else(|| vec![0.0; channels], Constant::to_f32), activation.slope_table(channels)]
}

/// Both [`tables`] one after the other.
pub(crate) fn epilogue(bias: Option<&Constant>, activation: &Activation, channels: usize) -> Binding {
    Binding::weights(tables(bias, activation, channels).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_wrap_and_lose_nothing() {
        for count in [0, 1, 65535, 65536, 200_000, 10_000_000] {
            let [x, y, z] = groups(count);
            assert!(x as usize <= MAX_GROUPS && y as usize <= MAX_GROUPS && z == 1);
            assert!(x as usize * y as usize >= count);
        }
    }
}
