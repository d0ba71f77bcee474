// The mesh of the person, filled with the photo: colours times opacity, and opacity. Twin of `Canvas::draw_mesh` and `Canvas::draw_fine`.

@group(0) @binding(1) var photo: texture_2d<f32>;
// xy: output pixel at the target's top left, z: target pixels to an output pixel, w: target pixels along a side
@group(0) @binding(2) var<uniform> window: vec4f;

struct Corner {
    @builtin(position) position: vec4f,
    @location(0) source: vec2f,
}

// Distances from the camera are below this, cm.
const FARTHEST = 1024.0;

@vertex
fn mesh_vertex(@location(0) place: vec3f, @location(1) source: vec2f) -> Corner {
    let pixel = (place.xy * plan.scale.x - window.xy) * window.z / window.w;
    return Corner(vec4f(2.0 * pixel.x - 1.0, 1.0 - 2.0 * pixel.y, place.z / FARTHEST, 1.0), source);
}

@fragment
fn mesh_fragment(corner: Corner) -> @location(0) vec4f {
    let colour = bicubic(photo, (corner.source + MARGIN) * plan.scale.z);
    return colour / WHITE;
}
