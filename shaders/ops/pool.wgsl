// Pooling: one invocation a pixel and channel. Padding neither wins the maximum nor counts in the mean.

override MAXIMUM: u32 = 1u;

struct Params {
    elements: u32,
    channels: u32,
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    before_y: u32,
    before_x: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let to = place(at, p.out_height, p.out_width, p.channels);
    let above = to.picture * p.in_height;
    let top = i32(to.row * p.stride_y) - i32(p.before_y);
    let left = i32(to.column * p.stride_x) - i32(p.before_x);
    let first_y = u32(max(top, 0));
    let last_y = u32(min(top + i32(p.kernel_height), i32(p.in_height)));
    let first_x = u32(max(left, 0));
    let last_x = u32(min(left + i32(p.kernel_width), i32(p.in_width)));
    var result = x[((above + first_y) * p.in_width + first_x) * p.channels + to.channel];
    var sum = 0.0;
    for (var sy = first_y; sy < last_y; sy++) {
        for (var sx = first_x; sx < last_x; sx++) {
            let value = x[((above + sy) * p.in_width + sx) * p.channels + to.channel];
            result = max(result, value);
            sum += value;
        }
    }
    if MAXIMUM == 0u {
        result = sum / f32((last_y - first_y) * (last_x - first_x));
    }
    y[at] = result;
}
