// One pass over the picture: the mesh, finer around the lips, then both eyes and the mouth. Twin of `decode/paint.rs`.

@group(0) @binding(1) var photo: texture_2d<f32>;
@group(0) @binding(3) var scene: texture_2d<f32>;
@group(0) @binding(4) var fine: texture_2d<f32>;
@group(0) @binding(5) var inner: texture_2d<f32>;
// sclera of the right and left eye, iris of the right and left eye
@group(0) @binding(6) var layers: texture_2d_array<f32>;
@group(0) @binding(7) var card: texture_2d<f32>;
// what is behind the person, pixel by pixel
@group(0) @binding(8) var still: texture_2d<f32>;

// Texture pixels to a crop pixel of the eyes' layers.
const LAYER_TEXELS = 1.25;
// Half width of the soft edge of the tone on a lid, crop pixels.
const TONE_EDGE = 3.5;

@vertex
fn composite_vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

// Mean of the 2 x 2 samples of an output pixel in a picture whose top left is the pixel `origin`.
fn mean_of_four(picture: texture_2d<f32>, pixel: vec2f, origin: vec2f) -> vec4f {
    let at = 2 * vec2i(pixel - origin);
    let sum = texel(picture, at) + texel(picture, at + vec2i(1, 0)) + texel(picture, at + vec2i(0, 1))
        + texel(picture, at + vec2i(1, 1));
    return 0.25 * sum;
}

@fragment
fn composite_fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let pixel = floor(position.xy);
    let p = position.xy / plan.scale.x;
    var person = texel(scene, vec2i(pixel));
    if (inside_area(plan.mouth.fine, pixel)) {
        person = mean_of_four(fine, pixel, plan.mouth.fine.xy);
    }
    let shown = person + (1.0 - person.a / WHITE) * texel(still, vec2i(pixel));
    var colour = shown.rgb;
    for (var side = 0u; side < 2u; side++) {
        if (inside_area(plan.eyes[side].area, pixel)) {
            colour = eye(p, colour, side);
        }
    }
    if (inside_area(plan.mouth.area, pixel)) {
        colour = mouth(p, pixel, colour);
    }
    return vec4f(colour, shown.a) / WHITE;
}

fn eye(p: vec2f, before: vec3f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    var upper: Line;
    var lower: Line;
    var second: Line;
    for (var i = 0u; i < POINTS; i++) {
        upper[i] = (*eye).lids[i].xy;
        lower[i] = (*eye).lids[i].zw;
        second[i] = (*eye).second[i].xy;
    }
    let shade = (*eye).shade;
    let lid = (*eye).lid;
    let up = nearest(p, &upper);
    let low = nearest(p, &lower);
    let other = nearest(p, &second);
    let open = coverage(up, low, plan.scale.w);
    let q = map_affine((*eye).to_photo[0], (*eye).to_photo[1], p);
    var colour = before;
    if (open * shade.z > 0.0) {
        // a lid lower than in the photo throws its shadow lower
        let shadow = 1.0 - shade.x * exp(-up.distance / shade.y);
        colour = mix(colour, eyeball(q, side) * shadow, open);
    }
    if (lid.y > 0.0) {
        colour = laid_over_lid(q, up, other, open, colour, shade.w, lid.z);
    } else if (lid.x > 0.0) {
        colour = lid_tone(p, coverage(other, up, TONE_EDGE), colour, side);
    }
    let lash = (*eye).lash;
    if (lash.w > 0.0) {
        let margin = select(up.distance, low.distance, lid.y > 0.0);
        let wide = select(0.028, 0.045, up.under) * lid.w;
        let ends = smooth_step(up.along, -0.02, 0.12) * smooth_step(1.0 - up.along, -0.02, 0.12);
        colour = mix(colour, lash.rgb, lash.w * ends * exp(-square(margin / wide)));
    }
    return colour;
}

// Sclera and iris at crop pixel `q` of the photo.
fn eyeball(q: vec2f, side: u32) -> vec3f {
    let eye = &plan.eyes[side];
    let origin = (*eye).layer.xy;
    let white = bicubic_layer(layers, side, (q + MARGIN) * LAYER_TEXELS - origin).rgb;
    var d = q - (*eye).iris.xy;
    d += dot(d, (*eye).turn.xy) * (*eye).turn.z * (*eye).turn.xy;
    let iris = bicubic_layer(layers, side + 2u, ((*eye).iris.zw + d + MARGIN) * LAYER_TEXELS - origin);
    return mix(white, iris.rgb, clamp(iris.a / WHITE, 0.0, 1.0));
}

// Pulls the stretched skin of a closing lid towards the colours around the eye.
fn lid_tone(p: vec2f, cover: f32, before: vec3f, side: u32) -> vec3f {
    if (cover <= 0.0) {
        return before;
    }
    let eye = &plan.eyes[side];
    let a = (*eye).second[0].xy;
    let d = (*eye).second[POINTS - 1u].xy - a;
    let squared = max(dot(d, d), 1e-3);
    let along = clamp(dot(p - a, d) / squared, 0.0, 1.0);
    let x = along * f32(POINTS - 1u);
    let i = min(u32(x), POINTS - 2u);
    let f = x - f32(i);
    // heights over the line from corner to corner
    let normal = vec2f(-d.y, d.x) / sqrt(squared);
    let top = dot(mix((*eye).second[i].xy, (*eye).second[i + 1u].xy, f) - a, normal);
    let bottom = dot(mix((*eye).lids[i].xy, (*eye).lids[i + 1u].xy, f) - a, normal);
    let h = clamp((dot(p - a, normal) - top) / max(bottom - top, 1.0), 0.0, 1.0);
    let shade = 1.0 - 0.10 * exp(-square((1.0 - h) / 0.15));
    let above = mix((*eye).above[i], (*eye).above[i + 1u], f).rgb;
    let below = mix((*eye).below[i], (*eye).below[i + 1u], f).rgb;
    return mix(before, mix(above, 0.94 * below, h) * shade, (*eye).lid.x * cover);
}

// Behind glasses the skin stays, and a lid of skin from below the eye is laid over it.
fn laid_over_lid(
    q: vec2f,
    up: Nearest,
    lid: Nearest,
    open: f32,
    before: vec3f,
    cm: f32,
    below: f32,
) -> vec3f {
    let cover = coverage(up, lid, plan.scale.w) * open;
    if (cover <= 0.0) {
        return before;
    }
    let skin = bicubic(photo, (q + vec2f(0.0, below) + MARGIN) * plan.scale.z).rgb;
    let margin = lid.distance / cm;
    // darker at the crease and at the margin, lighter between
    let shade = 0.97 - 0.22 * exp(-up.distance / (0.10 * cm)) - 0.10 * exp(-margin / 0.12)
        + 0.05 * exp(-square((margin - 0.35) / 0.2));
    return mix(before, skin * shade, cover);
}

fn mouth(p: vec2f, pixel: vec2f, before: vec3f) -> vec3f {
    let mouth = &plan.mouth;
    var upper: Line;
    var lower: Line;
    for (var i = 0u; i < POINTS; i++) {
        upper[i] = (*mouth).lips[i].xy;
        lower[i] = (*mouth).lips[i].zw;
    }
    let up = nearest(p, &upper);
    let low = nearest(p, &lower);
    let cm = (*mouth).light.w;
    var colour = before;
    if ((*mouth).tissue.w > 0.0) {
        let open = coverage(up, low, plan.scale.w) * (*mouth).tissue.w;
        if (open > 0.0) {
            var inside = mean_of_four(inner, pixel, (*mouth).area.xy).rgb;
            if ((*mouth).tooth.w > 0.0) {
                let at = map_affine((*mouth).to_card[0], (*mouth).to_card[1], p);
                if (all(at > vec2f(0.0)) && all(at < vec2f(textureDimensions(card)))) {
                    let tooth = bilinear(card, at);
                    inside = mix(inside, tooth.rgb, tooth.a / WHITE);
                }
            }
            // the lips' shadow on what lies behind them
            let shadow = 1.0 - 0.50 * exp(-up.distance / (0.16 * cm)) - 0.25 * exp(-low.distance / (0.10 * cm));
            colour = mix(colour, inside * max(shadow, 0.25), open);
        }
    }
    if ((*mouth).reach.w > 0.0) {
        let distance = 0.5
            * select(up.distance + low.distance, abs(up.distance - low.distance), inside(up, low));
        let ends = smooth_step(up.along, 0.0, 0.08) * smooth_step(1.0 - up.along, 0.0, 0.08);
        let x = up.along * f32(POINTS - 1u);
        let i = min(u32(x), POINTS - 2u);
        let need = mix((*mouth).seam[i].x, (*mouth).seam[i + 1u].x, x - f32(i));
        let k = need * ends
            * (0.42 * exp(-square(distance / (0.075 * cm))) + 0.15 * exp(-square(distance / (0.22 * cm))));
        colour *= 1.0 - k * vec3f(0.85, 1.0, 1.0);
    }
    return colour;
}
