// Teeth, gums, tongue and walls behind the lips. Twin of `paint::interior`.

@group(0) @binding(2) var<uniform> window: vec4f;

struct Corner {
    @builtin(position) position: vec4f,
    // normal, distance behind the lips
    @location(0) surface: vec4f,
    // tooth, wall, tongue
    @location(1) kind: vec3f,
}

const FARTHEST = 1024.0;
const LIGHT = vec3f(0.0, 0.45, 0.89);
const GLOSS = vec3f(0.0, 0.25, 0.97);

@vertex
fn interior_vertex(@location(0) place: vec3f, @location(1) surface: vec4f, @location(2) kind: vec3f) -> Corner {
    let pixel = (place.xy * plan.scale.x - window.xy) * window.z / window.w;
    return Corner(vec4f(2.0 * pixel.x - 1.0, 1.0 - 2.0 * pixel.y, place.z / FARTHEST, 1.0), surface, kind);
}

@fragment
fn interior_fragment(corner: Corner) -> @location(0) vec4f {
    let mouth = &plan.mouth;
    let normal = corner.surface.xyz / max(length(corner.surface.xyz), 1e-6);
    let behind = corner.surface.w;
    let tooth = corner.kind.x;
    let wall = corner.kind.y;
    let tongue = corner.kind.z;
    let form = clamp(dot(normal, LIGHT), 0.0, 1.0);
    // far teeth without hard facets
    let soft = 0.7 * smooth_step(behind, 1.2, 2.2) * tooth;
    let hard = (0.6 + 0.4 * form) * (1.0 - soft) + 0.8 * soft;
    let lit = hard * (1.0 - tongue) + (0.30 + 0.85 * form) * tongue;
    let deep = max(behind - 0.8, 0.0) * (1.0 - 0.15 * tooth);
    let eighth = square(square(square(clamp(dot(normal, GLOSS), 0.0, 1.0))));
    let gloss = square(square(eighth)) * eighth * (0.08 + 0.12 * tooth * (1.0 - soft) + 0.10 * tongue);
    let own = mix((*mouth).tissue.rgb, (*mouth).tooth.rgb, tooth) * (1.0 - 0.55 * wall);
    let colour = (own * lit + gloss * (*mouth).light.rgb) * (0.03 + 0.97 * exp(-deep / (*mouth).reach.rgb));
    return vec4f(colour / WHITE, 1.0);
}
