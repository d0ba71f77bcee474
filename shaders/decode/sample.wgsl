// Look-up of a picture: bicubic, because bilinear look-ups blur a face visibly. Twin of `decode/sample.rs`.

// Weights of the four taps around a position between the inner two; cubic convolution with A = -0.75.
fn taps(t: f32) -> vec4f {
    const A = -0.75;
    let u = t + 1.0;
    let s = 1.0 - t;
    let first = ((A * u - 5.0 * A) * u + 8.0 * A) * u - 4.0 * A;
    let second = ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let third = ((A + 2.0) * s - (A + 3.0)) * s * s + 1.0;
    return vec4f(first, second, third, 1.0 - first - second - third);
}

fn texel(picture: texture_2d<f32>, at: vec2i) -> vec4f {
    let last = vec2i(textureDimensions(picture)) - 1;
    return textureLoad(picture, clamp(at, vec2i(0), last), 0) * WHITE;
}

// Texel centres lie at .5; coordinates outside repeat the border. The result may overshoot.
fn bicubic(picture: texture_2d<f32>, at: vec2f) -> vec4f {
    let p = at - 0.5;
    let base = floor(p);
    let wx = taps(p.x - base.x);
    let wy = taps(p.y - base.y);
    let corner = vec2i(base) - 1;
    var sum = vec4f(0.0);
    for (var j = 0; j < 4; j++) {
        for (var i = 0; i < 4; i++) {
            sum += wy[j] * wx[i] * texel(picture, corner + vec2i(i, j));
        }
    }
    return sum;
}

// The same in one layer of an array.
fn bicubic_layer(pictures: texture_2d_array<f32>, layer: u32, at: vec2f) -> vec4f {
    let p = at - 0.5;
    let base = floor(p);
    let wx = taps(p.x - base.x);
    let wy = taps(p.y - base.y);
    let corner = vec2i(base) - 1;
    let last = vec2i(textureDimensions(pictures)) - 1;
    var sum = vec4f(0.0);
    for (var j = 0; j < 4; j++) {
        for (var i = 0; i < 4; i++) {
            let place = clamp(corner + vec2i(i, j), vec2i(0), last);
            sum += wy[j] * wx[i] * textureLoad(pictures, place, layer, 0);
        }
    }
    return sum * WHITE;
}

fn bilinear(picture: texture_2d<f32>, at: vec2f) -> vec4f {
    let p = at - 0.5;
    let base = floor(p);
    let f = p - base;
    let corner = vec2i(base);
    let top = mix(texel(picture, corner), texel(picture, corner + vec2i(1, 0)), f.x);
    let bottom = mix(texel(picture, corner + vec2i(0, 1)), texel(picture, corner + vec2i(1, 1)), f.x);
    return mix(top, bottom, f.y);
}
