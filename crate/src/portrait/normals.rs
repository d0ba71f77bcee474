//! Normals of a triangle mesh.

/// Unit normal of every vertex: the mean of its triangles' normals, weighted by their areas. Zero where no triangle
/// has an area. Triangles are counter-clockwise seen from outside; `out` has as many entries as `vertices`.
pub(crate) fn vertex_normals(triangles: &[[u32; 3]], vertices: &[[f32; 3]], out: &mut [[f32; 3]]) {
    out.fill([0.0; 3]);
    for t in triangles {
        let [a, b, c] = t.map(|i| vertices[i as usize]);
        let u: [f32; 3] = std::array::from_fn(|k| b[k] - a[k]);
        let v: [f32; 3] = std::array::from_fn(|k| c[k] - a[k]);
        let n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        for &i in t {
            for (sum, n) in out[i as usize].iter_mut().zip(n) {
                *sum += n;
            }
        }
    }
    for n in out {
        let length = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt();
        if length > 1e-12 {
            *n = n.map(|x| x / length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roof_has_a_slanted_ridge_and_a_lonely_vertex_none() {
        let vertices = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [9.0, 9.0, 9.0]];
        let mut normals = [[0.0; 3]; 5];
        vertex_normals(&[[0, 1, 2], [0, 2, 3]], &vertices, &mut normals);
        let half = 0.5f32.sqrt();
        for (a, b) in normals[0].iter().zip([half, 0.0, half]) {
            assert!((a - b).abs() < 1e-6, "{:?}", normals[0]);
        }
        assert_eq!((normals[1], normals[3], normals[4]), ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0; 3]));
    }
}
