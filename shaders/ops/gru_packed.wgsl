// The step of gru.wgsl with weights in bytes (GGML's Q8_0): a step reads every weight for one product, so how much there is
// to read decides. Four weights come as one word, 32 share a scale, and four units share what is read of the state.

override FIRST: u32 = 0u;             // 1: the state before is `start`

struct Params {
    elements: u32,        // groups of four units
    step: u32,
    blocks: u32,          // units in blocks of 32
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_input: array<vec4<f32>>; // [step][reset, update, new][unit / 4]
@group(0) @binding(2) var<storage, read> start: array<vec4<f32>>;     // [unit / 4]
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;    // [from / 4][reset, update, new][unit / 4], a word a unit
@group(0) @binding(4) var<storage, read> scale: array<vec4<f32>>;     // [from / 32][reset, update, new][unit / 4]
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;      // [reset, update, new][unit / 4]
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;   // [step][unit / 4]

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(-x));
}

// Four units of the state before this step.
fn state(four: u32) -> vec4<f32> {
    if FIRST == 1u {
        return start[four];
    }
    return y[(p.step - 1u) * p.elements + four];
}

fn products(h: vec4<f32>, words: vec4<u32>) -> vec4<f32> {
    return vec4(dot(h, bytes(words.x)), dot(h, bytes(words.y)), dot(h, bytes(words.z)), dot(h, bytes(words.w)));
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let j = element(id, groups, 16u);
    if j >= p.elements {
        return;
    }
    let fours = p.elements;
    var r = bias[j];
    var z = bias[fours + j];
    var n = bias[2u * fours + j];
    var at = j;
    for (var block = 0u; block < p.blocks; block++) {
        var tr = vec4<f32>();
        var tz = vec4<f32>();
        var tn = vec4<f32>();
        for (var i = 8u * block; i < 8u * block + 8u; i++) {
            let h = state(i);
            tr += products(h, weight[at]);
            tz += products(h, weight[at + fours]);
            tn += products(h, weight[at + 2u * fours]);
            at += 3u * fours;
        }
        let factor = 3u * fours * block + j;
        r = fma(tr, scale[factor], r);
        z = fma(tz, scale[factor + fours], z);
        n = fma(tn, scale[factor + 2u * fours], n);
    }
    let x = 3u * p.step * fours + j;
    let reset = sigmoid(from_input[x] + r);
    let update = sigmoid(from_input[x + fours] + z);
    let new_ = tanh(clamp(from_input[x + 2u * fours] + reset * n, vec4(-10.0), vec4(10.0)));
    y[p.step * fours + j] = mix(new_, state(j), update);
}
