//! Boxes of elements inside of values: walked over in as few steps as it takes, and copied.

use super::dispatch::{axes, elementwise, shader};
use crate::graph::{Binding, Dispatch, Shape};

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
#[derive(Debug)]
pub(crate) struct BoxCopy {
    /// Lengths of the box, outermost axis first.
    lengths: Vec<usize>,
    /// First element in the source and in the target.
    first: [usize; 2],
    /// Strides in the source and in the target.
    strides: [Vec<usize>; 2],
}

impl BoxCopy {
    /// A box of these lengths; source and target say at which element it begins there and how its axes go on.
    pub fn new(lengths: &[usize], source: (usize, &[usize]), target: (usize, &[usize])) -> Self {
        let (lengths, strides) = fewest_axes(lengths, [source.1, target.1]);
        Self { lengths, first: [source.0, target.0], strides }
    }

    /// Copies from the operation's input `input` to its output.
    pub fn dispatch(&self, input: usize) -> Dispatch {
        let mut params = vec![self.first[0] as u32, self.first[1] as u32, 0];
        params.extend(axes(self.lengths.iter().copied(), 1));
        params.extend(self.strides.iter().flat_map(|s| axes(s.iter().copied(), 0)));
        let elements = self.lengths.iter().product();
        elementwise(shader!("copy"), vec![], elements, params, vec![Binding::Input(input), Binding::Output])
    }

    /// Copies on the processor.
    pub fn run(&self, x: &[f32], y: &mut [f32]) {
        self.axis(0, self.first, x, y);
    }

    /// Everything inside of one axis.
    fn axis(&self, axis: usize, [mut from, mut to]: [usize; 2], x: &[f32], y: &mut [f32]) {
        let Some(&length) = self.lengths.get(axis) else {
            y[to] = x[from];
            return;
        };
        let step = [self.strides[0][axis], self.strides[1][axis]];
        if axis + 1 == self.lengths.len() {
            match step {
                [1, 1] => y[to..][..length].copy_from_slice(&x[from..][..length]),
                // A step of an axis is never 0: `fewest_axes` drops those of length 1.
                [of_x, of_y] => {
                    let source = x[from..].iter().step_by(of_x).take(length);
                    y[to..].iter_mut().step_by(of_y).zip(source).for_each(|(y, x)| *y = *x);
                }
            }
            return;
        }
        for _ in 0..length {
            self.axis(axis + 1, [from, to], x, y);
            (from, to) = (from + step[0], to + step[1]);
        }
    }
}

/// Offset of the element at `at` in a dense tensor.
pub(crate) fn offset(shape: &Shape, at: impl Iterator<Item = usize>) -> usize {
    shape.strides().iter().zip(at).map(|(s, i)| s * i).sum()
}

/// Whether a box of this shape, somewhere in a value of the other, lies together: but for one axis, those outside of it have
/// length 1 in the box, and those inside are whole.
pub(crate) fn together(whole: &Shape, part: &Shape) -> bool {
    let mut axes = whole.dims().iter().zip(part.dims()).skip_while(|(_, part)| **part == 1).skip(1);
    axes.all(|(whole, part)| whole == part)
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
}
