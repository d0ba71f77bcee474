// The step of gru.wgsl with weights in bytes (GGML's Q8_0): a step reads every weight for one product, so how much there is
// to read decides. Four weights come as one word, 32 share a scale, and two units share what is read of the state.

override FIRST: u32 = 0u;             // 1: the state before is `start`

struct Params {
    elements: u32,        // pairs of units
    step: u32,
    blocks: u32,          // units in blocks of 32
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_input: array<vec2<f32>>; // [step][reset, update, new][unit / 2]
@group(0) @binding(2) var<storage, read> start: array<vec2<f32>>;     // [unit / 2]
@group(0) @binding(3) var<storage, read> weight: array<vec2<u32>>;    // [from / 4][reset, update, new][unit / 2], a word a unit
@group(0) @binding(4) var<storage, read> scale: array<vec2<f32>>;     // [from / 32][reset, update, new][unit / 2]
@group(0) @binding(5) var<storage, read> bias: array<vec2<f32>>;      // [reset, update, new][unit / 2]
@group(0) @binding(6) var<storage, read_write> y: array<vec2<f32>>;   // [step][unit / 2]

fn sigmoid(x: vec2<f32>) -> vec2<f32> {
    return 1.0 / (1.0 + exp(-x));
}

// A pair of units of the state before this step.
fn state(pair: u32) -> vec2<f32> {
    if FIRST == 1u {
        return start[pair];
    }
    return y[(p.step - 1u) * p.elements + pair];
}

fn products(h: vec4<f32>, words: vec2<u32>) -> vec2<f32> {
    return vec2(dot(h, bytes(words.x)), dot(h, bytes(words.y)));
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = element(id, groups, 32u);
    if j >= p.elements {
        return;
    }
    let pairs = p.elements;
    var r = bias[j];
    var z = bias[pairs + j];
    var n = bias[2u * pairs + j];
    var at = j;
    for (var block = 0u; block < p.blocks; block++) {
        var tr = vec2<f32>();
        var tz = vec2<f32>();
        var tn = vec2<f32>();
        for (var i = 8u * block; i < 8u * block + 8u; i++) {
            let h = vec4(state(2u * i), state(2u * i + 1u));
            tr += products(h, weight[at]);
            tz += products(h, weight[at + pairs]);
            tn += products(h, weight[at + 2u * pairs]);
            at += 3u * pairs;
        }
        let factor = 3u * pairs * block + j;
        r = fma(tr, scale[factor], r);
        z = fma(tz, scale[factor + pairs], z);
        n = fma(tn, scale[factor + 2u * pairs], n);
    }
    let x = 3u * p.step * pairs + j;
    let reset = sigmoid(from_input[x] + r);
    let update = sigmoid(from_input[x + pairs] + z);
    let new_ = tanh(clamp(from_input[x + 2u * pairs] + reset * n, vec2(-10.0), vec2(10.0)));
    y[p.step * pairs + j] = mix(new_, state(j), update);
}
