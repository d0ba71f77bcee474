// Sum, mean or largest along axes: one invocation a result walks over the box of elements it is made of.

override KIND: u32 = 0u;

struct Params {
    elements: u32,                    // results
    count: u32,                       // elements of each
    kept: array<vec4<u32>, 2>,        // lengths of the axes that stay, innermost first
    kept_strides: array<vec4<u32>, 2>,
    gone: array<vec4<u32>, 2>,        // lengths of the axes that are taken together
    gone_strides: array<vec4<u32>, 2>,
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
    var base = 0u;
    var rest = at;
    for (var axis = 0u; axis < 8u && rest > 0u; axis++) {
        let length = p.kept[axis / 4u][axis % 4u];
        base += rest % length * p.kept_strides[axis / 4u][axis % 4u];
        rest /= length;
    }
    var sum = 0.0;
    var largest = x[base];
    for (var i = 0u; i < p.count; i++) {
        var source = base;
        var left = i;
        for (var axis = 0u; axis < 8u && left > 0u; axis++) {
            let length = p.gone[axis / 4u][axis % 4u];
            source += left % length * p.gone_strides[axis / 4u][axis % 4u];
            left /= length;
        }
        sum += x[source];
        largest = max(largest, x[source]);
    }
    switch KIND {
        case 1u: { y[at] = sum / f32(p.count); }
        case 2u: { y[at] = largest; }
        default: { y[at] = sum; }
    }
}
