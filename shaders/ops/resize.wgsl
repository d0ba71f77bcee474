// Bilinear resizing: one invocation a pixel and channel. The taps are tables made when the network is prepared:
// for every output row, then every output column: first neighbour, second neighbour, weight of the second.

struct Params {
    elements: u32,
    channels: u32,
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> taps: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let to = place(at, p.out_height, p.out_width, p.channels);
    let channel = to.channel;
    let row = to.row * 3u;
    let column = (p.out_height + to.column) * 3u;
    let above = to.picture * p.in_height;
    let upper = (above + u32(taps[row])) * p.in_width;
    let lower = (above + u32(taps[row + 1u])) * p.in_width;
    let left = u32(taps[column]);
    let right = u32(taps[column + 1u]);
    let a = mix(x[(upper + left) * p.channels + channel], x[(lower + left) * p.channels + channel], taps[row + 2u]);
    let b = mix(x[(upper + right) * p.channels + channel], x[(lower + right) * p.channels + channel], taps[row + 2u]);
    y[at] = mix(a, b, taps[column + 2u]);
}
