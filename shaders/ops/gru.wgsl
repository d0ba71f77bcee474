// The recurrent part of a GRU. Every step needs the one before, so one workgroup walks through time alone; the state is
// in workgroup memory. The input's part of the gates comes from a matrix product made beforehand.

override HIDDEN: u32 = 64u;

struct Params {
    steps: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_input: array<f32>;      // [step][3 HIDDEN]: reset, update, new
@group(0) @binding(2) var<storage, read> start: array<f32>;           // [HIDDEN]
@group(0) @binding(3) var<storage, read> weight: array<f32>;          // [HIDDEN from][3 HIDDEN to]
@group(0) @binding(4) var<storage, read> bias: array<f32>;            // [3 HIDDEN]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;         // [step][HIDDEN]

var<workgroup> state: array<f32, HIDDEN>;
var<workgroup> next: array<f32, HIDDEN>;

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    for (var j = lane; j < HIDDEN; j += 256u) {
        state[j] = start[j];
    }
    workgroupBarrier();
    for (var step = 0u; step < p.steps; step++) {
        for (var j = lane; j < HIDDEN; j += 256u) {
            var r = bias[j];
            var z = bias[HIDDEN + j];
            var n = bias[2u * HIDDEN + j];
            for (var i = 0u; i < HIDDEN; i++) {
                let at = i * 3u * HIDDEN + j;
                let h = state[i];
                r = fma(h, weight[at], r);
                z = fma(h, weight[at + HIDDEN], z);
                n = fma(h, weight[at + 2u * HIDDEN], n);
            }
            let x = step * 3u * HIDDEN + j;
            let reset = sigmoid(from_input[x] + r);
            let update = sigmoid(from_input[x + HIDDEN] + z);
            let new_ = tanh(clamp(from_input[x + 2u * HIDDEN] + reset * n, -10.0, 10.0));
            next[j] = mix(new_, state[j], update);
        }
        workgroupBarrier();
        for (var j = lane; j < HIDDEN; j += 256u) {
            state[j] = next[j];
            y[step * HIDDEN + j] = next[j];
        }
        workgroupBarrier();
    }
}
