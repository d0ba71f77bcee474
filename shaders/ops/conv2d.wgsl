// Dense convolution as an implicit matrix product: rows are output pixels (m), columns output channels (n), and the
// inner axis (k) runs over the taps of the window and, fastest, over input channels. The patch matrix never exists: each
// workgroup gathers the part it needs, one tile at a time, into workgroup memory.
//
//   workgroup   SIDE x SIDE invocations make 4 BLOCKS SIDE pixels x 4 SIDE channels
//   invocation  4 BLOCKS pixels x 4 channels in registers: for each k it reads BLOCKS + 1 vectors of workgroup memory, for
//               16 BLOCKS multiply-adds
//
// SIDE is also the depth of a tile in k. That makes the loads even: every invocation fetches 4 BLOCKS inputs, all for the
// same k, and one vector of 4 weights. A linear layer is the same program with one tap.

override SIDE: u32 = 16u;
override BLOCKS: u32 = 1u;            // 1 or 2
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

// One vector more than needed: neighbouring invocations write neighbouring k, and would all hit one memory bank.
var<workgroup> tile_x: array<vec4<f32>, SIDE * (BLOCKS * SIDE + 1u)>;     // [k][m / 4]
var<workgroup> tile_w: array<vec4<f32>, SIDE * SIDE>;                     // [k][n / 4]

// Where the window of an output pixel begins.
struct Corner {
    top: i32,
    left: i32,
    picture: u32,
}

fn corner(pixel: u32) -> Corner {
    let row = pixel / p.out_width;
    var top = i32(row % p.out_height * p.stride_y) - i32(p.before_y);
    let left = i32(pixel % p.out_width * p.stride_x) - i32(p.before_x);
    if pixel >= p.pixels {
        top = -0x40000000; // outside of every picture: reads as zero
    }
    return Corner(top, left, row / p.out_height * p.in_height);
}

// The place of k in the window, and its channel; beyond the last k nothing is read.
struct Tap {
    dy: i32,
    dx: i32,
    channel: u32,
    real: bool,
}

fn fetch(c: Corner, tap: Tap) -> f32 {
    let sy = c.top + tap.dy;
    let sx = c.left + tap.dx;
    if tap.real && sy >= 0 && sy < i32(p.in_height) && sx >= 0 && sx < i32(p.in_width) {
        return x[((c.picture + u32(sy)) * p.in_width + u32(sx)) * p.channels + tap.channel];
    }
    return 0.0;
}

fn store(pixel: u32, column: u32, sum: vec4<f32>) {
    for (var j = 0u; j < 4u; j++) {
        let n = column + j;
        if pixel < p.pixels && n < p.columns {
            let at = pixel * p.columns + n;
            var value = sum[j] + epilogue[n];
            if ADDEND != 0u {
                value += addend[at];
            }
            y[at] = activate(value, epilogue[p.columns + n]);
        }
    }
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let row_length = BLOCKS * SIDE + 1u;
    let pixel = group.x * 4u * BLOCKS * SIDE + 4u * local.y;
    let first_column = group.y * SIDE;

    // This invocation gathers k = local.x of its own 4 pixels, and of 4 more a tile's half further on. Where each pixel's
    // window begins does not change with k, so it is worked out once.
    let c0 = corner(pixel);
    let c1 = corner(pixel + 1u);
    let c2 = corner(pixel + 2u);
    let c3 = corner(pixel + 3u);
    let c4 = corner(pixel + 4u * SIDE);
    let c5 = corner(pixel + 4u * SIDE + 1u);
    let c6 = corner(pixel + 4u * SIDE + 2u);
    let c7 = corner(pixel + 4u * SIDE + 3u);

    // Written out: an array that is indexed by a loop does not stay in registers everywhere.
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    var s4 = vec4<f32>();
    var s5 = vec4<f32>();
    var s6 = vec4<f32>();
    var s7 = vec4<f32>();
    for (var k0 = 0u; k0 < p.inner; k0 += SIDE) {
        let k = k0 + local.x;
        let at = k / p.channels;
        let dy = i32(at / p.kernel_width * p.dilation_y);
        let dx = i32(at % p.kernel_width * p.dilation_x);
        let tap = Tap(dy, dx, k % p.channels, k < p.inner);
        let mine = local.x * row_length + local.y;
        tile_x[mine] = vec4(fetch(c0, tap), fetch(c1, tap), fetch(c2, tap), fetch(c3, tap));
        if BLOCKS > 1u {
            tile_x[mine + SIDE] = vec4(fetch(c4, tap), fetch(c5, tap), fetch(c6, tap), fetch(c7, tap));
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
            let a = tile_x[i * row_length + local.y];
            s0 = fma(vec4(a.x), w, s0);
            s1 = fma(vec4(a.y), w, s1);
            s2 = fma(vec4(a.z), w, s2);
            s3 = fma(vec4(a.w), w, s3);
            if BLOCKS > 1u {
                let b = tile_x[i * row_length + local.y + SIDE];
                s4 = fma(vec4(b.x), w, s4);
                s5 = fma(vec4(b.y), w, s5);
                s6 = fma(vec4(b.z), w, s6);
                s7 = fma(vec4(b.w), w, s7);
            }
        }
        workgroupBarrier();
    }

    let column = (first_column + local.x) * 4u;
    store(pixel, column, s0);
    store(pixel + 1u, column, s1);
    store(pixel + 2u, column, s2);
    store(pixel + 3u, column, s3);
    if BLOCKS > 1u {
        store(pixel + 4u * SIDE, column, s4);
        store(pixel + 4u * SIDE + 1u, column, s5);
        store(pixel + 4u * SIDE + 2u, column, s6);
        store(pixel + 4u * SIDE + 3u, column, s7);
    }
}
