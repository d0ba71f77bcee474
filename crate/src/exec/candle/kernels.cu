// What candle has no kernel for, or only as dozens of them. One thread makes one number of the result; neighbouring threads
// have neighbouring channels. `crate/tests/cuda_kernels.rs` runs this very file on a processor.

// How a window slides over pictures [picture][row][column][channel].
struct Window {
    unsigned elements;
    unsigned channels;
    unsigned in_height, in_width;
    unsigned out_height, out_width;
    unsigned kernel_height, kernel_width;
    unsigned stride_y, stride_x;
    unsigned dilation_y, dilation_x;
    unsigned before_y, before_x;
    // 1: pooling takes the largest, not the mean.
    unsigned largest;
};

struct Transposed {
    unsigned elements;
    unsigned columns;
    unsigned in_height, in_width;
    unsigned out_height, out_width;
    unsigned kernel_height, kernel_width;
    unsigned stride_y, stride_x;
    // Rows and columns cut from the top and the left.
    unsigned cut_y, cut_x;
};

struct Recurrent {
    unsigned elements;
    // The row of `from_input` that this step reads.
    unsigned step;
};

// Where a tap of an output pixel lies in a picture's rows or columns; false in the padding.
__device__ inline bool source(unsigned at, unsigned stride, unsigned tap, unsigned dilation, unsigned before,
                              unsigned length, unsigned* place) {
    *place = at * stride + tap * dilation - before;
    return *place < length;
}

// The pixels under every tap beside each other, [pixel][tap][channel]: the left factor of a convolution as a product.
extern "C" __global__ void patches(const float* x, float* y, Window w) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= w.elements) return;
    unsigned channel = i % w.channels, rest = i / w.channels;
    unsigned kx = rest % w.kernel_width, ky = rest / w.kernel_width % w.kernel_height;
    unsigned pixel = rest / (w.kernel_width * w.kernel_height);
    unsigned row = pixel / w.out_width, sx, sy;
    bool real = source(row % w.out_height, w.stride_y, ky, w.dilation_y, w.before_y, w.in_height, &sy);
    real = source(pixel % w.out_width, w.stride_x, kx, w.dilation_x, w.before_x, w.in_width, &sx) && real;
    y[i] = real ? x[((row / w.out_height * w.in_height + sy) * w.in_width + sx) * w.channels + channel] : 0.0f;
}

// Depthwise convolution: weights [tap][channel].
extern "C" __global__ void depthwise2d(const float* x, const float* weight, float* y, Window w) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= w.elements) return;
    unsigned channel = i % w.channels, pixel = i / w.channels, row = pixel / w.out_width, sx, sy;
    float sum = 0.0f;
    for (unsigned ky = 0; ky < w.kernel_height; ky++) {
        if (!source(row % w.out_height, w.stride_y, ky, w.dilation_y, w.before_y, w.in_height, &sy)) continue;
        for (unsigned kx = 0; kx < w.kernel_width; kx++) {
            if (!source(pixel % w.out_width, w.stride_x, kx, w.dilation_x, w.before_x, w.in_width, &sx)) continue;
            unsigned at = (row / w.out_height * w.in_height + sy) * w.in_width + sx;
            sum += x[at * w.channels + channel] * weight[(ky * w.kernel_width + kx) * w.channels + channel];
        }
    }
    y[i] = sum;
}

// The largest or the mean of what a window sees; padding does not count.
extern "C" __global__ void pool2d(const float* x, float* y, Window w) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= w.elements) return;
    unsigned channel = i % w.channels, pixel = i / w.channels, row = pixel / w.out_width, sx, sy;
    float result = 0.0f, seen = 0.0f;
    for (unsigned ky = 0; ky < w.kernel_height; ky++) {
        if (!source(row % w.out_height, w.stride_y, ky, w.dilation_y, w.before_y, w.in_height, &sy)) continue;
        for (unsigned kx = 0; kx < w.kernel_width; kx++) {
            if (!source(pixel % w.out_width, w.stride_x, kx, w.dilation_x, w.before_x, w.in_width, &sx)) continue;
            float value = x[((row / w.out_height * w.in_height + sy) * w.in_width + sx) * w.channels + channel];
            result = seen == 0.0f ? value : w.largest ? fmaxf(result, value) : result + value;
            seen += 1.0f;
        }
    }
    y[i] = w.largest ? result : result / seen;
}

// Transposed convolution: sums what the input's pixels give under every tap, products [pixel][tap][column].
extern "C" __global__ void gather_transposed(const float* products, float* y, Transposed t) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= t.elements) return;
    unsigned column = i % t.columns, pixel = i / t.columns, row = pixel / t.out_width;
    unsigned oy = row % t.out_height + t.cut_y, ox = pixel % t.out_width + t.cut_x;
    float sum = 0.0f;
    for (unsigned ky = 0; ky < t.kernel_height && ky <= oy; ky++) {
        unsigned sy = (oy - ky) / t.stride_y;
        if ((oy - ky) % t.stride_y != 0 || sy >= t.in_height) continue;
        for (unsigned kx = 0; kx < t.kernel_width && kx <= ox; kx++) {
            unsigned sx = (ox - kx) / t.stride_x;
            if ((ox - kx) % t.stride_x != 0 || sx >= t.in_width) continue;
            unsigned at = (row / t.out_height * t.in_height + sy) * t.in_width + sx;
            sum += products[((at * t.kernel_height + ky) * t.kernel_width + kx) * t.columns + column];
        }
    }
    y[i] = sum;
}

// A step of a gated recurrent unit. from_input [step][reset, update, new][unit], with all biases but that of the state's part of
// `new`; weight [from][reset, update, new][unit], and that bias as the last row of its third part.
extern "C" __global__ void gru_step(const float* from_input, const float* state, const float* weight, float* y, Recurrent g) {
    unsigned unit = blockIdx.x * blockDim.x + threadIdx.x, units = g.elements;
    if (unit >= units) return;
    const float* input = from_input + g.step * 3 * units;
    float reset = input[unit], update = input[units + unit], fresh = weight[units * 3 * units + 2 * units + unit];
    for (unsigned from = 0; from < units; from++) {
        const float* row = weight + from * 3 * units + unit;
        float h = state[from];
        reset += h * row[0];
        update += h * row[units];
        fresh += h * row[2 * units];
    }
    reset = 1.0f / (1.0f + expf(-reset));
    update = 1.0f / (1.0f + expf(-update));
    float now = tanhf(input[2 * units + unit] + reset * fresh);
    y[unit] = now + update * (state[unit] - now);
}
