// Depthwise convolution: one invocation a pixel and channel. Neighbouring invocations are neighbouring channels, so all
// reads lie together; each input is read by as many windows as see it, which the caches absorb.

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
    dilation_y: u32,
    dilation_x: u32,
    before_y: u32,
    before_x: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;          // [tap][channel]
@group(0) @binding(3) var<storage, read> epilogue: array<f32>;        // biases, slopes
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let to = place(at, p.out_height, p.out_width, p.channels);
    let top = i32(to.row * p.stride_y) - i32(p.before_y);
    let left = i32(to.column * p.stride_x) - i32(p.before_x);
    var sum = epilogue[to.channel];
    for (var ky = 0u; ky < p.kernel_height; ky++) {
        let sy = top + i32(ky * p.dilation_y);
        if sy < 0 || sy >= i32(p.in_height) {
            continue;
        }
        let line = (to.picture * p.in_height + u32(sy)) * p.in_width;
        for (var kx = 0u; kx < p.kernel_width; kx++) {
            let sx = left + i32(kx * p.dilation_x);
            if sx >= 0 && sx < i32(p.in_width) {
                let w = weight[(ky * p.kernel_width + kx) * p.channels + to.channel];
                sum = fma(x[(line + u32(sx)) * p.channels + to.channel], w, sum);
            }
        }
    }
    y[at] = activate(sum, epilogue[p.channels + to.channel]);
}
