// Sum or largest along axes: one invocation walks over a piece of the box of elements that a result is made of, and
// neighbouring invocations belong to neighbouring results, so that their reads lie together. Long boxes are cut into
// pieces, and a second dispatch takes the pieces' results together.

override LARGEST: u32 = 0u;           // 0: sum
override AXES: u32 = 8u;              // that are taken together

struct Params {
    elements: u32,                    // results x pieces
    results: u32,
    count: u32,                       // elements of a result
    piece: u32,                       // elements of a piece
    factor: f32,                      // of a result: one by the count makes a mean
    kept: array<vec4<u32>, 2>,        // lengths of the axes that stay, innermost first
    kept_strides: array<vec4<u32>, 2>,
    gone: array<vec4<u32>, 2>,        // lengths of the axes that are taken together
    gone_strides: array<vec4<u32>, 2>,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;     // [piece][result]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    var base = 0u;
    var rest = at % p.results;
    for (var axis = 0u; axis < 8u && rest > 0u; axis++) {
        let length = p.kept[axis / 4u][axis % 4u];
        base += rest % length * p.kept_strides[axis / 4u][axis % 4u];
        rest /= length;
    }
    let first = at / p.results * p.piece;
    let last = min(first + p.piece, p.count);
    var sum = 0.0;
    var largest = 0.0;
    for (var i = first; i < last; i++) {
        var source = base;
        if AXES == 1u {
            source += i * p.gone_strides[0][0];
        } else {
            var left = i;
            for (var axis = 0u; axis < AXES && left > 0u; axis++) {
                let length = p.gone[axis / 4u][axis % 4u];
                source += left % length * p.gone_strides[axis / 4u][axis % 4u];
                left /= length;
            }
        }
        let value = x[source];
        sum += value;
        largest = select(max(largest, value), value, i == first);
    }
    y[at] = select(sum, largest, LARGEST == 1u) * p.factor;
}
