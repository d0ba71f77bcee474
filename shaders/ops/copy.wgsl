// Copies a box of elements from anywhere to anywhere: what padding, slicing, joining and reordering axes have in common.

struct Params {
    elements: u32,
    first_x: u32,                       // first element in x
    first_y: u32,                        // first element in y
    lengths: array<vec4<u32>, 2>,     // of the box, innermost axis first
    strides_x: array<vec4<u32>, 2>,
    strides_y: array<vec4<u32>, 2>,
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
    var rest = at;
    var source = p.first_x;
    var goal = p.first_y;
    for (var axis = 0u; axis < 8u && rest > 0u; axis++) {
        let length = p.lengths[axis / 4u][axis % 4u];
        let i = rest % length;
        rest /= length;
        source += i * p.strides_x[axis / 4u][axis % 4u];
        goal += i * p.strides_y[axis / 4u][axis % 4u];
    }
    y[goal] = x[source];
}
