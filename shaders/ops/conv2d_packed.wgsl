// The convolution of conv2d.wgsl for few pixels and weights in bytes, as a sequence that comes in small steps needs it. Every
// weight is read for little work then, so reading is what takes the time: four weights come as one word, and an invocation
// shares what it reads of the input among four channels.
//
//   invocation  PIXELS pixels x 4 channels, nothing shared
//
// Weights are GGML's Q8_0: 32 signed bytes along the input channels share a scale, which is applied to their sum.

override PIXELS: u32 = 2u;            // 1, 2 or 4
override PADDED: u32 = 1u;            // windows reach beyond the picture

struct Params {
    elements: u32,        // invocations
    pixels: u32,          // output pixels of all pictures
    columns: u32,         // output channels
    columns4: u32,        // in vectors of 4, rounded up
    blocks: u32,          // input channels in blocks of 32
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
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<u32>>;        // [tap][in / 4][out / 4], a word an output
@group(0) @binding(3) var<storage, read> scale: array<vec4<f32>>;         // [tap][in / 32][out / 4]
@group(0) @binding(4) var<storage, read> epilogue: array<vec4<f32>>;      // columns4 biases, columns4 slopes
@group(0) @binding(5) var<storage, read> addend: array<f32>;              // like y; the input again where there is none
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

// Where a window's pixel lies, in vectors, and whether it lies in the picture at all.
struct Source {
    at: u32,
    real: bool,
}

fn source(pixel: u32, dy: i32, dx: i32) -> Source {
    let inside = min(pixel, p.pixels - 1u);
    let row = inside / p.out_width;
    let sy = i32(row % p.out_height * p.stride_y) - i32(p.before_y) + dy;
    let sx = i32(inside % p.out_width * p.stride_x) - i32(p.before_x) + dx;
    let at = ((row / p.out_height * p.in_height + u32(sy)) * p.in_width + u32(sx)) * p.blocks * 8u;
    if PADDED == 0u {
        return Source(at, true);
    }
    let real = u32(sy) < p.in_height && u32(sx) < p.in_width;
    return Source(select(0u, at, real), real);
}

fn fetch(s: Source, c: u32) -> vec4<f32> {
    let value = input[s.at + c];
    if PADDED == 0u {
        return value;
    }
    return select(vec4<f32>(), value, s.real);
}

fn store(pixel: u32, vector: u32, sum: vec4<f32>) {
    if pixel >= p.pixels {
        return;
    }
    let value = sum + epilogue[vector];
    let slope = epilogue[p.columns4 + vector];
    let at = pixel * p.columns + 4u * vector;
    for (var j = 0u; j < min(4u, p.columns - 4u * vector); j++) {
        var one = value[j];
        if p.has_addend != 0u {
            one += addend[at + j];
        }
        y[at + j] = activate(one, slope[j]);
    }
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    // Neighbouring invocations have neighbouring channels of the same pixels.
    let at = element(id, groups, 16u);
    if at >= p.elements {
        return;
    }
    let vector = at % p.columns4;
    let pixel = at / p.columns4 * PIXELS;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    var w = vector;
    var b = vector;
    for (var ky = 0u; ky < p.kernel_height; ky++) {
        for (var kx = 0u; kx < p.kernel_width; kx++) {
            let dy = i32(ky * p.dilation_y);
            let dx = i32(kx * p.dilation_x);
            let f0 = source(pixel, dy, dx);
            let f1 = source(pixel + 1u, dy, dx);
            let f2 = source(pixel + 2u, dy, dx);
            let f3 = source(pixel + 3u, dy, dx);
            for (var block = 0u; block < p.blocks; block++) {
                var t0 = vec4<f32>();
                var t1 = vec4<f32>();
                var t2 = vec4<f32>();
                var t3 = vec4<f32>();
                for (var c = 8u * block; c < 8u * block + 8u; c++) {
                    let words = weight[w];
                    let weights = mat4x4(bytes(words.x), bytes(words.y), bytes(words.z), bytes(words.w));
                    t0 += fetch(f0, c) * weights;
                    if PIXELS > 1u {
                        t1 += fetch(f1, c) * weights;
                    }
                    if PIXELS > 2u {
                        t2 += fetch(f2, c) * weights;
                        t3 += fetch(f3, c) * weights;
                    }
                    w += p.columns4;
                }
                let factor = scale[b];
                s0 = fma(t0, factor, s0);
                s1 = fma(t1, factor, s1);
                s2 = fma(t2, factor, s2);
                s3 = fma(t3, factor, s3);
                b += p.columns4;
            }
        }
    }
    store(pixel, vector, s0);
    if PIXELS > 1u {
        store(pixel + 1u, vector, s1);
    }
    if PIXELS > 2u {
        store(pixel + 2u, vector, s2);
        store(pixel + 3u, vector, s3);
    }
}
