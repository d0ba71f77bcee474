// Transposed convolution, seen from the output: one invocation a pixel and channel adds up the input pixels whose kernel
// reaches it, those whose distance is a whole number of strides.

struct Params {
    elements: u32,
    columns: u32,                     // output channels
    channels: u32,                    // input channels
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    cut_y: u32,
    cut_x: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;          // [tap][in][out]
@group(0) @binding(3) var<storage, read> epilogue: array<f32>;        // biases, slopes
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = element(id, groups, 64u);
    if at >= p.elements {
        return;
    }
    let to = place(at, p.out_height, p.out_width, p.columns);
    let n = to.channel;
    let oy = to.row + p.cut_y;
    let ox = to.column + p.cut_x;
    var sum = epilogue[n];
    for (var ky = oy % p.stride_y; ky < p.kernel_height && ky <= oy; ky += p.stride_y) {
        let sy = (oy - ky) / p.stride_y;
        if sy >= p.in_height {
            continue;
        }
        for (var kx = ox % p.stride_x; kx < p.kernel_width && kx <= ox; kx += p.stride_x) {
            let sx = (ox - kx) / p.stride_x;
            if sx >= p.in_width {
                continue;
            }
            let source = ((to.picture * p.in_height + sy) * p.in_width + sx) * p.channels;
            let w = (ky * p.kernel_width + kx) * p.channels;
            for (var c = 0u; c < p.channels; c++) {
                sum = fma(x[source + c], weight[(w + c) * p.columns + n], sum);
            }
        }
    }
    y[at] = activate(sum, epilogue[p.columns + n]);
}
