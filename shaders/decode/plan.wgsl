// What one frame looks like; the same structures as in `crate/src/decode/plan.rs`, where the fields are explained.

const POINTS = 17u;

struct EyePlan {
    lids: array<vec4f, 17>,
    second: array<vec4f, 17>,
    to_photo: array<vec4f, 2>,
    iris: vec4f,
    turn: vec4f,
    glint: vec4f,
    layer: vec4f,
    lash: vec4f,
    shade: vec4f,
    lid: vec4f,
    area: vec4f,
}

struct MouthPlan {
    lips: array<vec4f, 17>,
    seam: array<vec4f, 17>,
    to_card: array<vec4f, 2>,
    tooth: vec4f,
    tissue: vec4f,
    light: vec4f,
    soft: vec4f,
    reach: vec4f,
    area: vec4f,
    fine: vec4f,
}

struct PixelPlan {
    scale: vec4f,
    folds: vec4f,
    eyes: array<EyePlan, 2>,
    mouth: MouthPlan,
}

// Colours are 0..255 as on the CPU; textures hold 0..1.
const WHITE = 255.0;
// Margin of the photo around the crop, crop pixels.
const MARGIN = 128.0;

@group(0) @binding(0) var<uniform> plan: PixelPlan;

fn inside_area(area: vec4f, pixel: vec2f) -> bool {
    return all(pixel >= area.xy) && all(pixel < area.zw);
}

fn map_affine(x: vec4f, y: vec4f, p: vec2f) -> vec2f {
    return vec2f(dot(x.xy, p) + x.z, dot(y.xy, p) + y.z);
}
