// Softmax over rows: one workgroup a row, 64 invocations share the work and meet in workgroup memory.

struct Params {
    rows: u32,
    length: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> shared_sum: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    // Workgroups past the last row repeat it, so that all invocations meet at the barriers.
    let row = min(element(group, groups, 1u), p.rows - 1u);
    let base = row * p.length;

    var largest = x[base];
    for (var i = lane; i < p.length; i += 64u) {
        largest = max(largest, x[base + i]);
    }
    shared_sum[lane] = largest;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if lane < half {
            shared_sum[lane] = max(shared_sum[lane], shared_sum[lane + half]);
        }
        workgroupBarrier();
    }
    // Subtracted before exp, which then cannot overflow.
    largest = shared_sum[0];
    workgroupBarrier();

    var sum = 0.0;
    for (var i = lane; i < p.length; i += 64u) {
        sum += exp(x[base + i] - largest);
    }
    shared_sum[lane] = sum;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if lane < half {
            shared_sum[lane] += shared_sum[lane + half];
        }
        workgroupBarrier();
    }
    for (var i = lane; i < p.length; i += 64u) {
        y[base + i] = exp(x[base + i] - largest) / shared_sum[0];
    }
}
