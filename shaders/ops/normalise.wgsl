// Layer and instance normalisation: one workgroup a group of elements that share mean and variance.
// Element i of group g lies at g / inner * outer_stride + g % inner + i * stride.

struct Params {
    groups: u32,
    length: u32,
    stride: u32,
    inner: u32,
    outer_stride: u32,
    channel_is_element: u32,          // 1: the channel is i (layer), 0: it is g % inner (instance)
    channels: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;          // scales, shifts
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> shared_sum: array<f32, 64>;

fn total(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    shared_sum[lane] = value;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if lane < half {
            shared_sum[lane] += shared_sum[lane + half];
        }
        workgroupBarrier();
    }
    return shared_sum[0];
}

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let g = min(element(group, groups, 1u), p.groups - 1u);
    let base = g / p.inner * p.outer_stride + g % p.inner;
    var sum = 0.0;
    for (var i = lane; i < p.length; i += 64u) {
        sum += x[base + i * p.stride];
    }
    let mean = total(lane, sum) / f32(p.length);
    // A second pass for the variance: mean of squares minus square of mean would cancel.
    var squares = 0.0;
    for (var i = lane; i < p.length; i += 64u) {
        let d = x[base + i * p.stride] - mean;
        squares = fma(d, d, squares);
    }
    let scale = inverseSqrt(total(lane, squares) / f32(p.length) + p.epsilon);
    for (var i = lane; i < p.length; i += 64u) {
        let channel = select(g % p.inner, i, p.channel_is_element == 1u);
        let at = base + i * p.stride;
        y[at] = (x[at] - mean) * scale * affine[channel] + affine[p.channels + channel];
    }
}
