//! Where the windows of a group of output pixels begin under each of their taps.

use std::ops::Range;

use crate::ops::window::Window;

/// Up to so many channels, the taps of a window's row are read as one: runs of a single pixel would be too short.
const FEW: usize = 8;

/// How windows are read: so many runs of so many numbers a pixel.
pub(super) struct Reads {
    pub window: Window,
    pub channels: usize,
    /// The taps of a row are one run.
    rows: bool,
    /// What a window sees in the padding.
    zeros: Vec<f32>,
}

/// Pointers to the runs of a group of pixels, `[run][pixel]`. They lead into the picture, to zeros or into `patches`.
pub(super) struct Table {
    pub pointers: Vec<*const f32>,
    pub count: usize,
    /// Rows of windows that reach over the border, filled up with zeros.
    patches: Vec<f32>,
}

impl Reads {
    pub fn new(window: Window, channels: usize) -> Self {
        let rows = channels <= FEW && window.kernel[1] > 1 && window.dilation[1] == 1;
        let length = if rows { window.kernel[1] * channels } else { channels };
        Self { window, channels, rows, zeros: vec![0.0; length] }
    }

    /// Runs of a window.
    pub fn runs(&self) -> usize {
        if self.rows { self.window.kernel[0] } else { self.window.kernel[0] * self.window.kernel[1] }
    }

    /// Numbers in a run.
    pub fn length(&self) -> usize {
        self.zeros.len()
    }

    /// The table of `count` pixels from `first` on.
    pub fn table(&self, x: &[f32], first: usize, count: usize) -> Table {
        let w = &self.window;
        let patches = if self.rows { vec![0.0; self.runs() * count * self.length()] } else { Vec::new() };
        let mut table = Table { pointers: vec![self.zeros.as_ptr(); self.runs() * count], count, patches };
        // Piece by piece of an output row, so that coordinates are only divided once a piece.
        let mut at = 0;
        while at < count {
            let (row, ox) = ((first + at) / w.output[1], (first + at) % w.output[1]);
            let (picture, oy) = (row / w.output[0], row % w.output[0]);
            let piece = ox..w.output[1].min(ox + count - at);
            for ky in 0..w.kernel[0] {
                let Some(sy) = w.source(0, oy, ky) else { continue };
                let width = w.input[1] * self.channels;
                let line = &x[(picture * w.input[0] + sy) * width..][..width];
                if self.rows {
                    self.point_rows(line, piece.clone(), ky * count + at, &mut table);
                    continue;
                }
                for kx in 0..w.kernel[1] {
                    let slots = &mut table.pointers[(ky * w.kernel[1] + kx) * count + at..][..piece.len()];
                    let inside = self.inside(kx, 1, &piece);
                    self.point(line, kx, inside.clone(), &mut slots[inside.start - piece.start..][..inside.len()]);
                }
            }
            at += piece.len();
        }
        table
    }

    /// Rows of windows: those inside the picture where they are, the others copied.
    fn point_rows(&self, line: &[f32], piece: Range<usize>, first: usize, table: &mut Table) {
        let (w, length) = (&self.window, self.length());
        let inside = self.inside(0, w.kernel[1], &piece);
        let place = |ox: usize| first + ox - piece.start;
        self.point(line, 0, inside.clone(), &mut table.pointers[place(inside.start)..][..inside.len()]);
        for ox in (piece.start..inside.start).chain(inside.end..piece.end) {
            let patch = &mut table.patches[place(ox) * length..][..length];
            for (kx, pixel) in patch.chunks_exact_mut(self.channels).enumerate() {
                if let Some(sx) = w.source(1, ox, kx) {
                    pixel.copy_from_slice(&line[sx * self.channels..][..self.channels]);
                }
            }
            table.pointers[place(ox)] = patch.as_ptr();
        }
    }

    /// The output columns of a piece whose window has `taps` taps from `kx` on inside the picture; empty at the piece's
    /// start if there are none.
    fn inside(&self, kx: usize, taps: usize, piece: &Range<usize>) -> Range<usize> {
        let w = &self.window;
        let (shift, stride) = (kx * w.dilation[1], w.stride[1]);
        let first = w.before[1].saturating_sub(shift).div_ceil(stride).max(piece.start);
        let last = (w.input[1] + w.before[1]).checked_sub(shift + taps).map(|room| room / stride + 1);
        let end = last.unwrap_or(0).min(piece.end);
        if first < end { first..end } else { piece.start..piece.start }
    }

    /// Points the slots of neighbouring output columns at the pixels under their tap `kx`.
    fn point(&self, line: &[f32], kx: usize, columns: Range<usize>, slots: &mut [*const f32]) {
        let w = &self.window;
        let source = |ox: usize| (ox * w.stride[1] + kx * w.dilation[1] - w.before[1]) * self.channels;
        if columns.is_empty() {
            return;
        }
        // The last run reads furthest: if it is inside, all are. What reads through the pointers does so unchecked.
        assert!(source(columns.end - 1) + self.length() <= line.len());
        let mut pointer = line[source(columns.start)..].as_ptr();
        for slot in slots {
            *slot = pointer;
            pointer = pointer.wrapping_add(w.stride[1] * self.channels);
        }
    }
}
