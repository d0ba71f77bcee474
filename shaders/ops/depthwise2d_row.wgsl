// Depthwise convolution where channels are a multiple of 4: one invocation makes 4 channels of 4 pixels of a row. With
// windows that move by one pixel it keeps the 4 columns under the pixels in registers and reads one new column a tap, so
// a window of 3 x 3 costs 27 reads for 4 pixels and not 72.

override SLIDE: u32 = 0u;             // stride and dilation along the row are 1
override PADDED: u32 = 1u;            // windows reach beyond the picture

struct Params {
    elements: u32,                    // invocations
    channels4: u32,
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    dilation_y: u32,
    dilation_x: u32,
    before_y: u32,
    before_x: u32,
    groups: u32,                      // of 4 pixels in a row
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;        // [tap][channel / 4]
@group(0) @binding(3) var<storage, read> epilogue: array<vec4<f32>>;      // biases, slopes
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// The input at a column of a line of pixels; zero beyond its ends.
fn fetch(line: u32, column: i32, channel: u32) -> vec4<f32> {
    if PADDED == 0u {
        // What lies beyond the last column is computed for pixels that do not exist.
        return x[(line + min(u32(column), p.in_width - 1u)) * p.channels4 + channel];
    }
    let real = u32(column) < p.in_width;
    return select(vec4<f32>(), x[(line + select(0u, u32(column), real)) * p.channels4 + channel], real);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let to = place(at, p.out_height, p.groups, p.channels4);
    let first = to.column * 4u;
    let top = i32(to.row * p.stride_y) - i32(p.before_y);
    let left = i32(first * p.stride_x) - i32(p.before_x);
    let step = i32(p.stride_x);
    var s0 = epilogue[to.channel];
    var s1 = s0;
    var s2 = s0;
    var s3 = s0;
    for (var ky = 0u; ky < p.kernel_height; ky++) {
        let sy = top + i32(ky * p.dilation_y);
        if sy < 0 || sy >= i32(p.in_height) {
            continue;
        }
        let line = (to.picture * p.in_height + u32(sy)) * p.in_width;
        var w = ky * p.kernel_width * p.channels4 + to.channel;
        var v0: vec4<f32>;
        var v1: vec4<f32>;
        var v2: vec4<f32>;
        var v3: vec4<f32>;
        if SLIDE == 1u {
            v1 = fetch(line, left, to.channel);
            v2 = fetch(line, left + 1, to.channel);
            v3 = fetch(line, left + 2, to.channel);
        }
        for (var kx = 0u; kx < p.kernel_width; kx++) {
            if SLIDE == 1u {
                v0 = v1;
                v1 = v2;
                v2 = v3;
                v3 = fetch(line, left + 3 + i32(kx), to.channel);
            } else {
                let column = left + i32(kx * p.dilation_x);
                v0 = fetch(line, column, to.channel);
                v1 = fetch(line, column + step, to.channel);
                v2 = fetch(line, column + 2 * step, to.channel);
                v3 = fetch(line, column + 3 * step, to.channel);
            }
            let factor = weight[w];
            s0 = fma(v0, factor, s0);
            s1 = fma(v1, factor, s1);
            s2 = fma(v2, factor, s2);
            s3 = fma(v3, factor, s3);
            w += p.channels4;
        }
    }
    let slope = epilogue[p.channels4 + to.channel];
    let goal = ((to.picture * p.out_height + to.row) * p.out_width + first) * p.channels4 + to.channel;
    let rest = p.out_width - first;
    y[goal] = activate4(s0, slope);
    if rest > 1u {
        y[goal + p.channels4] = activate4(s1, slope);
    }
    if rest > 2u {
        y[goal + 2u * p.channels4] = activate4(s2, slope);
    }
    if rest > 3u {
        y[goal + 3u * p.channels4] = activate4(s3, slope);
    }
}
