// A function of every element.

struct Params {
    elements: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> slopes: array<f32>;          // one a channel
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at < p.elements {
        y[at] = activate(x[at], slopes[at % p.channels]);
    }
}
