// In front of every compute shader: what they share.

// Which function ends an operation; numbered like `Activation::code` in crate/src/ops/activation.rs.
override ACTIVATION: u32 = 0u;

// erf to 1.5e-7 (Abramowitz and Stegun 7.1.26); WGSL has none.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let p = t * (0.2548296 + t * (-0.28449672 + t * (1.4214138 + t * (-1.4531521 + t * 1.0614054))));
    return sign(x) * (1.0 - p * exp(-x * x));
}

// ACTIVATION is known when the pipeline is compiled: one branch stays. `slope` belongs to the channel (PReLU).
fn activate(x: f32, slope: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return max(x, 0.0); }
        case 2u: { return clamp(x, 0.0, 6.0); }
        case 3u: { return max(x, 0.0) + slope * min(x, 0.0); }
        case 4u: { return 0.5 * x * (1.0 + erf(x * 0.70710678)); }
        case 5u: { return 1.0 / (1.0 + exp(-x)); }
        case 6u: { return x / (1.0 + exp(-x)); }
        // tanh of large arguments overflows on some drivers; beyond 10 it is 1 in f32.
        case 7u: { return tanh(clamp(x, -10.0, 10.0)); }
        case 8u: { return exp(x); }
        case 9u: { return sqrt(x); }
        case 10u: { return inverseSqrt(x); }
        case 11u: { return x * x; }
        case 12u: { return -x; }
        case 13u: { return abs(x); }
        case 14u: { return x * clamp(x + 3.0, 0.0, 6.0) / 6.0; }
        default: { return x; }
    }
}

fn activate4(x: vec4<f32>, slope: vec4<f32>) -> vec4<f32> {
    return vec4(activate(x.x, slope.x), activate(x.y, slope.y), activate(x.z, slope.z), activate(x.w, slope.w));
}

// Four signed bytes of a word over 127, the lowest first. The built-in function takes software adapters two thirds of the time
// that shifts take; a byte of -128 would read as -127.
fn bytes(word: u32) -> vec4<f32> {
    return unpack4x8snorm(word);
}

// Where in pictures [picture][row][column][channel] an element stands.
struct Place {
    picture: u32,
    row: u32,
    column: u32,
    channel: u32,
}

fn place(at: u32, height: u32, width: u32, channels: u32) -> Place {
    let pixel = at / channels;
    let line = pixel / width;
    return Place(line / height, line % height, pixel % width, at % channels);
}

// A dispatch has at most 65535 workgroups along x: long element lists wrap into y.
fn element(id: vec3<u32>, groups: vec3<u32>, per_group: u32) -> u32 {
    return id.x + id.y * groups.x * per_group;
}
