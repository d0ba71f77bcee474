// Arithmetic of two values. A repeated axis has stride 0, so broadcasting is only a matter of addresses. An invocation takes
// EACH neighbours along the innermost axis: where they are is worked out once.

override KIND: u32 = 0u;
override EACH: u32 = 1u;

struct Params {
    groups: u32,                      // of EACH elements of the result
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
    let group = element(id, groups, 64u);
    if group >= p.groups {
        return;
    }
    let first = group * EACH;
    var rest = first;
    var from_a = 0u;
    var from_b = 0u;
    for (var axis = 0u; axis < 8u && rest > 0u; axis++) {
        let length = p.lengths[axis / 4u][axis % 4u];
        let i = rest % length;
        rest /= length;
        from_a += i * p.strides_a[axis / 4u][axis % 4u];
        from_b += i * p.strides_b[axis / 4u][axis % 4u];
    }
    let step_a = p.strides_a[0].x;
    let step_b = p.strides_b[0].x;
    for (var i = 0u; i < EACH; i++) {
        y[first + i] = result(a[from_a + i * step_a], b[from_b + i * step_b]);
    }
}

fn result(u: f32, v: f32) -> f32 {
    switch KIND {
        case 1u: { return u - v; }
        case 2u: { return u * v; }
        case 3u: { return u / v; }
        case 4u: { return max(u, v); }
        case 5u: { return min(u, v); }
        case 6u: { return (u - v) * (u - v); }
        default: { return u + v; }
    }
}
