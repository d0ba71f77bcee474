// Teeth, gums, tongue and walls behind the lips. Twin of `paint::interior`.

@group(0) @binding(2) var<uniform> window: vec4f;

struct Corner {
    @builtin(position) position: vec4f,
    // normal, distance behind the lips
    @location(0) surface: vec4f,
    // tooth, wall, tongue
    @location(1) kind: vec3f,
    // place on a tooth or on the tongue; how much it lies over the lower lip
    @location(2) spot: vec3f,
}

const FARTHEST = 1024.0;
const LIGHT = vec3f(0.0, 0.45, 0.89);
const BETWEEN = vec3f(0.24, 0.32, 0.36);
const CUT = vec3f(0.10, 0.06, 0.03);
const NECK = vec3f(0.05, 0.11, 0.18);
const GUM_LINE = 1.0;
const GLOSS = vec3f(0.0, 0.25, 0.97);

@vertex
fn interior_vertex(@location(0) place: vec3f, @location(1) surface: vec4f, @location(2) kind: vec3f,
    @location(3) spot: vec3f) -> Corner {
    let pixel = (place.xy * plan.scale.x - window.xy) * window.z / window.w;
    return Corner(vec4f(2.0 * pixel.x - 1.0, 1.0 - 2.0 * pixel.y, place.z / FARTHEST, 1.0), surface, kind, spot);
}

@fragment
fn interior_fragment(corner: Corner) -> @location(0) vec4f {
    let mouth = &plan.mouth;
    let normal = corner.surface.xyz / max(length(corner.surface.xyz), 1e-6);
    let behind = corner.surface.w;
    let whole = corner.kind.x;
    let wall = corner.kind.y;
    let tongue = corner.kind.z;
    let facing = dot(normal, LIGHT);
    let form = clamp(facing, 0.0, 1.0);
    let u = corner.spot.x;
    let v = corner.spot.y;
    // far teeth, walls and gums without hard facets
    let soft = 0.6 * smooth_step(behind, 1.4, 2.6) * whole;
    let rest = (1.0 - whole) * (1.0 - tongue);
    let flatness = soft + 0.8 * rest;
    let hard = (0.55 + 0.45 * form) * (1.0 - flatness) + 0.8 * flatness;
    // the tongue's back and its sides lie in its own shadow
    let back = (0.20 + 0.80 * exp(-square(max(v, 0.0) / 1.9))) * (1.0 - 0.60 * smooth_step(abs(u), 0.5, 1.8));
    // light goes through it a little
    let moist = mix(0.66 + 0.27 * facing, 0.75 + 0.18 * facing, corner.spot.z);
    let lit = hard * (1.0 - tongue) + moist * back * tongue;
    // gums begin along an arch on every tooth
    let root = whole * smooth_step(v, GUM_LINE - 0.34 * square(u) - 0.07, GUM_LINE - 0.34 * square(u) + 0.07);
    let tooth = whole - root;
    // enamel: neighbours shade each other, the cutting edge lets light through, the neck is warm
    let between = tooth * square(square(u));
    let cut = tooth * (1.0 - smooth_step(v, 0.0, 0.26));
    let neck = tooth * smooth_step(v, 0.40, GUM_LINE);
    let gum = (1.0 - tooth) * (1.0 - wall) * (1.0 - tongue);
    // tongue: a groove along its middle and a rough back
    let groove = 0.20 * tongue * exp(-square(u / 0.16)) * smooth_step(v, 0.15, 1.2);
    let rough = tongue * sin(17.0 * u + 2.0 * sin(5.0 * v)) * sin(14.0 * v);
    let near = 0.8 + 0.5 * tooth * (1.0 - smooth_step(behind, 1.6, 2.8)) + 1.2 * tongue;
    // walls and throat are lit by what little the teeth leave
    let deep = max(behind - near, 0.0) * (1.0 + 0.8 * rest);
    let eighth = square(square(square(clamp(dot(normal, GLOSS), 0.0, 1.0))));
    let gloss = square(square(eighth)) * eighth
        * (0.08 + 0.14 * tooth * (1.0 - soft) + (0.09 + 0.05 * rough) * tongue);
    let enamel = 1.0 - BETWEEN * between - CUT * cut - NECK * neck;
    let own = mix((*mouth).tissue.rgb, (*mouth).tooth.rgb, tooth) * (1.0 - 0.55 * wall) * enamel
        * (1.0 - groove + 0.025 * rough) * (1.0 + 0.25 * gum);
    let colour = (own * lit + gloss * (*mouth).light.rgb) * (0.05 + 0.95 * exp(-deep / (*mouth).reach.rgb));
    return vec4f(colour / WHITE, corner.spot.z);
}
