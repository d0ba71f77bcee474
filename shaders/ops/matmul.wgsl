// Batched product of two values: 16 x 16 results a workgroup, tiles of 16 along the inner axis in workgroup memory.

override TRANSPOSED: u32 = 0u;        // 1: b lies as [column][inner]

struct Params {
    rows: u32,
    inner: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// 17: a column of a tile then lies in 16 different memory banks.
var<workgroup> tile_a: array<f32, 272>;
var<workgroup> tile_b: array<f32, 272>;

@compute @workgroup_size(16, 16)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let row = group.y * 16u + local.y;
    let column = group.x * 16u + local.x;
    let base_a = group.z * p.rows * p.inner;
    let base_b = group.z * p.inner * p.columns;
    var sum = 0.0;
    for (var k0 = 0u; k0 < p.inner; k0 += 16u) {
        var u = 0.0;
        if row < p.rows && k0 + local.x < p.inner {
            u = a[base_a + row * p.inner + k0 + local.x];
        }
        tile_a[local.y * 17u + local.x] = u;
        var v = 0.0;
        if TRANSPOSED == 1u {
            // Neighbouring invocations read neighbours along k, and the tile is turned on the way.
            let n = group.x * 16u + local.y;
            if n < p.columns && k0 + local.x < p.inner {
                v = b[base_b + n * p.inner + k0 + local.x];
            }
            tile_b[local.x * 17u + local.y] = v;
        } else {
            if column < p.columns && k0 + local.y < p.inner {
                v = b[base_b + (k0 + local.y) * p.columns + column];
            }
            tile_b[local.y * 17u + local.x] = v;
        }
        workgroupBarrier();
        for (var k = 0u; k < 16u; k++) {
            sum = fma(tile_a[local.y * 17u + k], tile_b[k * 17u + local.x], sum);
        }
        workgroupBarrier();
    }
    if row < p.rows && column < p.columns {
        y[(group.z * p.rows + row) * p.columns + column] = sum;
    }
}
