// The mesh of the person, filled with the photo: colours times opacity, and opacity. Twin of `Canvas::draw_mesh` and `Canvas::draw_fine`.

@group(0) @binding(1) var photo: texture_2d<f32>;
// xy: output pixel at the target's top left, z: target pixels to an output pixel, w: target pixels along a side
@group(0) @binding(2) var<uniform> window: vec4f;

// red: change of brightness at full strength, 128 for none
@group(0) @binding(3) var folds: texture_2d<f32>;

// Change of brightness that the bytes of the map span: 127 steps to either side.
const DEEPEST = 0.6;
// Share of the change that red makes.
const RED = 0.75;
// Folds weaker than this are not looked up.
const LEAST_FOLD = 0.01;

struct Corner {
    @builtin(position) position: vec4f,
    // At the middle of the pixel, not of the part of it that a triangle covers: triangles that go on smoothly then agree, and
    // the mean of their samples is as sharp as one. At the end of a nose a triangle is continued by half a pixel at most.
    @location(0) source: vec2f,
    // gain, strength of folds
    @location(1) tone: vec2f,
}

// Distances from the camera are below this, cm.
const FARTHEST = 1024.0;

@vertex
fn mesh_vertex(@location(0) place: vec3f, @location(1) source: vec2f, @location(2) tone: vec2f) -> Corner {
    let pixel = (place.xy * plan.scale.x - window.xy) * window.z / window.w;
    return Corner(vec4f(2.0 * pixel.x - 1.0, 1.0 - 2.0 * pixel.y, place.z / FARTHEST, 1.0), source, tone);
}

@fragment
fn mesh_fragment(corner: Corner) -> @location(0) vec4f {
    let colour = bicubic(photo, (corner.source + MARGIN) * plan.scale.z);
    var shade = vec3f(1.0 + corner.tone.x);
    if (abs(corner.tone.y) > LEAST_FOLD) {
        let depth = (bilinear(folds, corner.source - plan.folds.xy).r - 128.0) / 127.0 * DEEPEST;
        let x = depth * corner.tone.y;
        shade *= 1.0 + vec3f(RED, 1.0, 1.0) * (x + 0.5 * x * x);
    }
    return vec4f(colour.rgb * shade, colour.a) / WHITE;
}
