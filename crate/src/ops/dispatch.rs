//! What the operations' GPU recordings have in common.

use super::Activation;
use crate::graph::{Binding, Constant, Dispatch, GraphError, Shader, Shape};

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

/// A walk over a box of elements with as few axes as it takes: axes of length 1 go, and neighbours that every one of
/// `strides` walks through without a jump become one. Shaders divide once an axis, so this is what they cost.
pub(crate) fn fewest_axes<const N: usize>(lengths: &[usize], strides: [&[usize]; N]) -> (Vec<usize>, [Vec<usize>; N]) {
    let mut merged: Vec<usize> = Vec::new();
    let mut steps: [Vec<usize>; N] = std::array::from_fn(|_| Vec::new());
    for (axis, &length) in lengths.iter().enumerate().filter(|&(_, &length)| length != 1) {
        let stride = strides.map(|s| s[axis]);
        // The axis outside of this one goes on where this one ends.
        let follows =
            steps.iter().zip(stride).all(|(s, stride)| s.last().is_some_and(|&outer| outer == stride * length));
        match merged.last_mut() {
            Some(outer) if follows => {
                *outer *= length;
                steps.iter_mut().zip(stride).for_each(|(s, stride)| *s.last_mut().unwrap_or(&mut 0) = stride);
            }
            _ => {
                merged.push(length);
                steps.iter_mut().zip(stride).for_each(|(s, stride)| s.push(stride));
            }
        }
    }
    (merged, steps)
}

/// A box of elements that is copied.
pub(crate) struct BoxCopy<'a> {
    /// Lengths of the box, outermost axis first.
    pub lengths: &'a [usize],
    /// First element and strides in the source.
    pub source: (usize, &'a [usize]),
    /// First element and strides in the result.
    pub target: (usize, &'a [usize]),
}

impl BoxCopy<'_> {
    /// Copies from the operation's input `input` to its output.
    pub fn dispatch(&self, input: usize) -> Dispatch {
        let mut params = vec![self.source.0 as u32, self.target.0 as u32, 0];
        let (lengths, strides) = fewest_axes(self.lengths, [self.source.1, self.target.1]);
        params.extend(axes(lengths.into_iter(), 1));
        params.extend(strides.into_iter().flat_map(|s| axes(s.into_iter(), 0)));
        let elements = self.lengths.iter().product();
        elementwise(shader!("copy"), vec![], elements, params, vec![Binding::Input(input), Binding::Output])
    }
}

/// Offset of the element at `at` in a dense tensor.
pub(crate) fn offset(shape: &Shape, at: impl Iterator<Item = usize>) -> usize {
    shape.strides().iter().zip(at).map(|(s, i)| s * i).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_follow_each_other_become_one() {
        let dense = Shape::from([2, 3, 1, 4]).strides();
        assert_eq!(fewest_axes(&[2, 3, 1, 4], [&dense]), (vec![24], [vec![1]]));
        // A factor for each channel repeats over pixels; a slice of channels jumps after each pixel.
        assert_eq!(fewest_axes(&[2, 3, 1, 4], [&dense, &[0, 0, 0, 1]]), (vec![6, 4], [vec![4, 1], vec![0, 1]]));
        assert_eq!(fewest_axes(&[2, 3, 4], [&[12, 4, 1], &[24, 8, 1]]), (vec![6, 4], [vec![4, 1], vec![8, 1]]));
        assert_eq!(fewest_axes(&[3, 2], [&[1, 3]]), (vec![3, 2], [vec![1, 3]]));
        assert_eq!(fewest_axes(&[1, 1], [&[1, 1]]), (vec![], [vec![]]));
    }

    #[test]
    fn long_lists_wrap_and_lose_nothing() {
        for count in [0, 1, 65535, 65536, 200_000, 10_000_000] {
            let [x, y, z] = groups(count);
            assert!(x as usize <= MAX_GROUPS && y as usize <= MAX_GROUPS && z == 1);
            assert!(x as usize * y as usize >= count);
        }
    }
}
