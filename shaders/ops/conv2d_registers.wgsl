// The convolution of conv2d.wgsl for adapters on which workgroup memory costs more than it saves: software adapters,
// which switch between invocations at every barrier and fetch every number of every lane by itself.
//
//   invocation  PIXELS pixels x VECTORS vectors of 4 channels in registers, nothing shared
//
// For each 4 input channels an invocation reads PIXELS vectors and VECTORS matrices of 4 x 4 weights: with 8 x 4 that is
// 96 numbers for 512 multiply-adds. Loops over registers are written out, because an array that is indexed by a loop
// does not stay in registers; what lies beyond PIXELS and VECTORS is removed when the pipeline is compiled.

override PIXELS: u32 = 8u;            // 1, 4 or 8
override VECTORS: u32 = 4u;           // 1, 2 or 4
override PADDED: u32 = 1u;            // windows reach beyond the picture
override RAGGED: u32 = 0u;            // input channels are no multiple of 4

struct Params {
    elements: u32,        // invocations
    pixels: u32,          // output pixels of all pictures
    columns: u32,         // output channels
    columns4: u32,        // in vectors of 4, rounded up to whole VECTORS
    channels: u32,
    channels4: u32,       // in vectors of 4, rounded up
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    dilation_y: u32,
    dilation_x: u32,
    before_y: u32,
    before_x: u32,
    has_addend: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> input4: array<vec4<f32>>;        // the same memory
@group(0) @binding(3) var<storage, read> weight: array<mat4x4<f32>>;      // [tap][in / 4][out / 4], a column an input
@group(0) @binding(4) var<storage, read> epilogue: array<vec4<f32>>;      // columns4 biases, columns4 slopes
@group(0) @binding(5) var<storage, read> addend: array<f32>;              // like y; the input again where there is none
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

// Where the window of an output pixel begins.
struct Corner {
    top: i32,
    left: i32,
    picture: u32,
}

fn corner(pixel: u32) -> Corner {
    let inside = min(pixel, p.pixels - 1u);
    let row = inside / p.out_width;
    let top = i32(row % p.out_height * p.stride_y) - i32(p.before_y);
    let left = i32(inside % p.out_width * p.stride_x) - i32(p.before_x);
    return Corner(top, left, row / p.out_height * p.in_height);
}

// Where a window's pixel lies, counted in pixels, and whether it lies in the picture at all.
struct Source {
    at: u32,
    real: bool,
}

fn source(c: Corner, dy: i32, dx: i32) -> Source {
    let sy = c.top + dy;
    let sx = c.left + dx;
    if PADDED == 0u {
        return Source((c.picture + u32(sy)) * p.in_width + u32(sx), true);
    }
    let real = u32(sy) < p.in_height && u32(sx) < p.in_width;
    return Source(select(0u, (c.picture + u32(sy)) * p.in_width + u32(sx), real), real);
}

fn fetch(s: Source, c: u32) -> vec4<f32> {
    var value: vec4<f32>;
    if RAGGED == 0u {
        value = input4[s.at * p.channels4 + c];
    } else {
        // What is beyond the last channel belongs to another pixel; its weight is zero, but it may be infinite.
        let k = 4u * c;
        let at = s.at * p.channels + k;
        let rest = vec3(k + 1u, k + 2u, k + 3u) < vec3(p.channels);
        value = vec4(input[at], select(vec3<f32>(), vec3(input[at + 1u], input[at + 2u], input[at + 3u]), rest));
    }
    if PADDED == 0u {
        return value;
    }
    return select(vec4<f32>(), value, s.real);
}

fn store(pixel: u32, vector: u32, sum: vec4<f32>) {
    if pixel >= p.pixels {
        return;
    }
    var value = sum + epilogue[vector];
    let slope = epilogue[p.columns4 + vector];
    let n = 4u * vector;
    let at = pixel * p.columns + n;
    if n + 4u <= p.columns {
        if p.has_addend != 0u {
            value += vec4(addend[at], addend[at + 1u], addend[at + 2u], addend[at + 3u]);
        }
        value = activate4(value, slope);
        y[at] = value.x;
        y[at + 1u] = value.y;
        y[at + 2u] = value.z;
        y[at + 3u] = value.w;
        return;
    }
    for (var j = 0u; n + j < p.columns; j++) {
        var one = value[j];
        if p.has_addend != 0u {
            one += addend[at + j];
        }
        y[at + j] = activate(one, slope[j]);
    }
}

fn store_row(pixel: u32, vector: u32, sum0: vec4<f32>, sum1: vec4<f32>, sum2: vec4<f32>, sum3: vec4<f32>) {
    store(pixel, vector, sum0);
    if VECTORS > 1u {
        store(pixel, vector + 1u, sum1);
    }
    if VECTORS > 2u {
        store(pixel, vector + 2u, sum2);
        store(pixel, vector + 3u, sum3);
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    // Neighbouring invocations have neighbouring channels of the same pixels.
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let across = p.columns4 / VECTORS;
    let vector = at % across * VECTORS;
    let pixel = at / across * PIXELS;
    let c0 = corner(pixel);
    let c1 = corner(pixel + 1u);
    let c2 = corner(pixel + 2u);
    let c3 = corner(pixel + 3u);
    let c4 = corner(pixel + 4u);
    let c5 = corner(pixel + 5u);
    let c6 = corner(pixel + 6u);
    let c7 = corner(pixel + 7u);

    // s: sums of pixel i, vector j.
    var s00 = vec4<f32>(); var s01 = vec4<f32>(); var s02 = vec4<f32>(); var s03 = vec4<f32>();
    var s10 = vec4<f32>(); var s11 = vec4<f32>(); var s12 = vec4<f32>(); var s13 = vec4<f32>();
    var s20 = vec4<f32>(); var s21 = vec4<f32>(); var s22 = vec4<f32>(); var s23 = vec4<f32>();
    var s30 = vec4<f32>(); var s31 = vec4<f32>(); var s32 = vec4<f32>(); var s33 = vec4<f32>();
    var s40 = vec4<f32>(); var s41 = vec4<f32>(); var s42 = vec4<f32>(); var s43 = vec4<f32>();
    var s50 = vec4<f32>(); var s51 = vec4<f32>(); var s52 = vec4<f32>(); var s53 = vec4<f32>();
    var s60 = vec4<f32>(); var s61 = vec4<f32>(); var s62 = vec4<f32>(); var s63 = vec4<f32>();
    var s70 = vec4<f32>(); var s71 = vec4<f32>(); var s72 = vec4<f32>(); var s73 = vec4<f32>();

    var w = vector;
    for (var ky = 0u; ky < p.kernel_height; ky++) {
        for (var kx = 0u; kx < p.kernel_width; kx++) {
            let dy = i32(ky * p.dilation_y);
            let dx = i32(kx * p.dilation_x);
            let f0 = source(c0, dy, dx);
            let f1 = source(c1, dy, dx);
            let f2 = source(c2, dy, dx);
            let f3 = source(c3, dy, dx);
            let f4 = source(c4, dy, dx);
            let f5 = source(c5, dy, dx);
            let f6 = source(c6, dy, dx);
            let f7 = source(c7, dy, dx);
            for (var c = 0u; c < p.channels4; c++) {
                let x0 = fetch(f0, c);
                var x1 = vec4<f32>();
                var x2 = vec4<f32>();
                var x3 = vec4<f32>();
                var x4 = vec4<f32>();
                var x5 = vec4<f32>();
                var x6 = vec4<f32>();
                var x7 = vec4<f32>();
                if PIXELS > 1u {
                    x1 = fetch(f1, c);
                    x2 = fetch(f2, c);
                    x3 = fetch(f3, c);
                }
                if PIXELS > 4u {
                    x4 = fetch(f4, c);
                    x5 = fetch(f5, c);
                    x6 = fetch(f6, c);
                    x7 = fetch(f7, c);
                }
                let w0 = weight[w];
                s00 += w0 * x0;
                s10 += w0 * x1;
                s20 += w0 * x2;
                s30 += w0 * x3;
                s40 += w0 * x4;
                s50 += w0 * x5;
                s60 += w0 * x6;
                s70 += w0 * x7;
                if VECTORS > 1u {
                    let w1 = weight[w + 1u];
                    s01 += w1 * x0;
                    s11 += w1 * x1;
                    s21 += w1 * x2;
                    s31 += w1 * x3;
                    s41 += w1 * x4;
                    s51 += w1 * x5;
                    s61 += w1 * x6;
                    s71 += w1 * x7;
                }
                if VECTORS > 2u {
                    let w2 = weight[w + 2u];
                    s02 += w2 * x0;
                    s12 += w2 * x1;
                    s22 += w2 * x2;
                    s32 += w2 * x3;
                    s42 += w2 * x4;
                    s52 += w2 * x5;
                    s62 += w2 * x6;
                    s72 += w2 * x7;
                    let w3 = weight[w + 3u];
                    s03 += w3 * x0;
                    s13 += w3 * x1;
                    s23 += w3 * x2;
                    s33 += w3 * x3;
                    s43 += w3 * x4;
                    s53 += w3 * x5;
                    s63 += w3 * x6;
                    s73 += w3 * x7;
                }
                w += p.columns4;
            }
        }
    }
    store_row(pixel, vector, s00, s01, s02, s03);
    if PIXELS > 1u {
        store_row(pixel + 1u, vector, s10, s11, s12, s13);
        store_row(pixel + 2u, vector, s20, s21, s22, s23);
        store_row(pixel + 3u, vector, s30, s31, s32, s33);
    }
    if PIXELS > 4u {
        store_row(pixel + 4u, vector, s40, s41, s42, s43);
        store_row(pixel + 5u, vector, s50, s51, s52, s53);
        store_row(pixel + 6u, vector, s60, s61, s62, s63);
        store_row(pixel + 7u, vector, s70, s71, s72, s73);
    }
}
