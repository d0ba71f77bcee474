// Arithmetic of two values. A repeated axis has stride 0, so broadcasting is only a matter of addresses.

override KIND: u32 = 0u;

struct Params {
    elements: u32,
    lengths: array<vec4<u32>, 2>,     // of the result, innermost axis first
    strides_a: array<vec4<u32>, 2>,
    strides_b: array<vec4<u32>, 2>,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    var rest = at;
    var from_a = 0u;
    var from_b = 0u;
    for (var axis = 0u; axis < 8u && rest > 0u; axis++) {
        let length = p.lengths[axis / 4u][axis % 4u];
        let i = rest % length;
        rest /= length;
        from_a += i * p.strides_a[axis / 4u][axis % 4u];
        from_b += i * p.strides_b[axis / 4u][axis % 4u];
    }
    let u = a[from_a];
    let v = b[from_b];
    var result = u + v;
    switch KIND {
        case 1u: { result = u - v; }
        case 2u: { result = u * v; }
        case 3u: { result = u / v; }
        case 4u: { result = max(u, v); }
        case 5u: { result = min(u, v); }
        case 6u: { result = (u - v) * (u - v); }
        default: {}
    }
    y[at] = result;
}
