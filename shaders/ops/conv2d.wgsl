// Dense convolution as an implicit matrix product: rows are output pixels (m), columns output channels (n), and the
// inner axis (k) runs over the taps of the window and, fastest, over input channels. The patch matrix never exists: each
// workgroup gathers the part it needs, one tile at a time, into workgroup memory.
//
//   workgroup   SIDE x SIDE invocations make 4 SIDE pixels x 4 SIDE channels
//   invocation  4 pixels x 4 channels in registers: 16 multiply-adds for 4 + 1 reads of workgroup memory
//
// SIDE is also the depth of a tile in k. That makes the loads even: every invocation fetches 4 inputs, all for the same
// k, and one vector of 4 weights. A linear layer is the same program with one tap.

override SIDE: u32 = 16u;
override ADDEND: u32 = 0u;

struct Params {
    pixels: u32,          // m: output pixels of all pictures
    columns: u32,         // n: output channels
    columns4: u32,        // n in vectors of 4, rounded up
    inner: u32,           // k: taps x input channels
    channels: u32,
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    dilation_y: u32,
    dilation_x: u32,
    before_y: u32,
    before_x: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;    // [k][n / 4]
@group(0) @binding(3) var<storage, read> epilogue: array<f32>;        // n biases, n slopes
@group(0) @binding(4) var<storage, read> addend: array<f32>;          // like y; x again where there is none
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// One column more than needed: neighbouring invocations write neighbouring k, and would all hit one memory bank.
var<workgroup> tile_x: array<f32, SIDE * (4u * SIDE + 1u)>;           // [k][m]
var<workgroup> tile_w: array<vec4<f32>, SIDE * SIDE>;                 // [k][n / 4]

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let row_length = 4u * SIDE + 1u;
    let first_pixel = group.x * 4u * SIDE;
    let first_column = group.y * SIDE;

    // This invocation gathers k = local.x of the pixels local.y, local.y + SIDE, ... of the tile. Where each pixel's
    // window begins does not change with k, so it is worked out once.
    var top: array<i32, 4>;
    var left: array<i32, 4>;
    var picture: array<u32, 4>;
    for (var i = 0u; i < 4u; i++) {
        let pixel = first_pixel + local.y + i * SIDE;
        let row = pixel / p.out_width;
        picture[i] = row / p.out_height * p.in_height;
        top[i] = i32(row % p.out_height * p.stride_y) - i32(p.before_y);
        left[i] = i32(pixel % p.out_width * p.stride_x) - i32(p.before_x);
        if pixel >= p.pixels {
            top[i] = -0x40000000; // outside of every picture: reads as zero
        }
    }

    var sum: array<vec4<f32>, 4>;
    for (var k0 = 0u; k0 < p.inner; k0 += SIDE) {
        let k = k0 + local.x;
        let tap = k / p.channels;
        let channel = k % p.channels;
        let dy = i32(tap / p.kernel_width * p.dilation_y);
        let dx = i32(tap % p.kernel_width * p.dilation_x);
        for (var i = 0u; i < 4u; i++) {
            let sy = top[i] + dy;
            let sx = left[i] + dx;
            var value = 0.0;
            if k < p.inner && sy >= 0 && sy < i32(p.in_height) && sx >= 0 && sx < i32(p.in_width) {
                value = x[((picture[i] + u32(sy)) * p.in_width + u32(sx)) * p.channels + channel];
            }
            tile_x[local.x * row_length + local.y + i * SIDE] = value;
        }
        let wk = k0 + local.y;
        let wn = first_column + local.x;
        var w = vec4<f32>();
        if wk < p.inner && wn < p.columns4 {
            w = weight[wk * p.columns4 + wn];
        }
        tile_w[local.y * SIDE + local.x] = w;
        workgroupBarrier();

        for (var i = 0u; i < SIDE; i++) {
            let w = tile_w[i * SIDE + local.x];
            let at = i * row_length + local.y * 4u;
            sum[0] = fma(vec4(tile_x[at]), w, sum[0]);
            sum[1] = fma(vec4(tile_x[at + 1u]), w, sum[1]);
            sum[2] = fma(vec4(tile_x[at + 2u]), w, sum[2]);
            sum[3] = fma(vec4(tile_x[at + 3u]), w, sum[3]);
        }
        workgroupBarrier();
    }

    let column = (first_column + local.x) * 4u;
    for (var i = 0u; i < 4u; i++) {
        let pixel = first_pixel + local.y * 4u + i;
        for (var j = 0u; j < 4u; j++) {
            let n = column + j;
            if pixel < p.pixels && n < p.columns {
                let at = pixel * p.columns + n;
                var value = sum[i][j] + epilogue[n];
                if ADDEND != 0u {
                    value += addend[at];
                }
                y[at] = activate(value, epilogue[p.columns + n]);
            }
        }
    }
}
