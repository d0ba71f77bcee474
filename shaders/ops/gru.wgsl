// One step of the recurrent part of a GRU, one invocation a unit. A step needs the one before, so every step is a dispatch
// of its own and all of the GPU works on it; the input's part of the gates comes from a matrix product made beforehand.

struct Params {
    elements: u32,        // units
    step: u32,
    hidden4: u32,         // units in vectors of 4, rounded up
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_input: array<f32>;      // [step][3 units]: reset, update, new
@group(0) @binding(2) var<storage, read> start: array<f32>;           // [unit]
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;    // [from / 4][reset, update, new][unit]
@group(0) @binding(4) var<storage, read> bias: array<f32>;            // [3 units]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;         // [step][unit]

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

// The state before this step; zero beyond its end.
fn state(unit: u32) -> f32 {
    if unit >= p.elements {
        return 0.0;
    }
    if p.step == 0u {
        return start[unit];
    }
    return y[(p.step - 1u) * p.elements + unit];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = element(id, groups, 64u);
    if j >= p.elements {
        return;
    }
    let units = p.elements;
    var r = bias[j];
    var z = bias[units + j];
    var n = bias[2u * units + j];
    for (var i = 0u; i < p.hidden4; i++) {
        let h = vec4(state(4u * i), state(4u * i + 1u), state(4u * i + 2u), state(4u * i + 3u));
        let at = i * 3u * units + j;
        r += dot(h, weight[at]);
        z += dot(h, weight[at + units]);
        n += dot(h, weight[at + 2u * units]);
    }
    let x = p.step * 3u * units + j;
    let reset = sigmoid(from_input[x] + r);
    let update = sigmoid(from_input[x + units] + z);
    let new_ = tanh(clamp(from_input[x + 2u * units] + reset * n, -10.0, 10.0));
    y[p.step * units + j] = mix(new_, state(j), update);
}
