//! The person hangs together: what lies apart from the face is something else.

use super::plane::Plane;

/// Sets the opacity of everything to 0 that does not hang together with `home` (1 where the person surely is): lamps,
/// leaves and other people's hands, which a mask takes for a part of the person.
pub(crate) fn keep_mainland(opacity: &mut Plane<1>, home: &Plane<1>) {
    let (width, height) = (opacity.width, opacity.height);
    let mut reached: Vec<bool> = home.data.iter().zip(&opacity.data).map(|([h], [a])| *h > 0.5 && *a > 0.0).collect();
    let mut open: Vec<usize> = (0..reached.len()).filter(|&i| reached[i]).collect();
    while let Some(i) = open.pop() {
        let (x, y) = (i % width, i / width);
        let around = [
            (x > 0).then(|| i - 1),
            (x + 1 < width).then_some(i + 1),
            (y > 0).then(|| i - width),
            (y + 1 < height).then_some(i + width),
        ];
        for j in around.into_iter().flatten() {
            if !reached[j] && opacity.data[j][0] > 0.0 {
                reached[j] = true;
                open.push(j);
            }
        }
    }
    for ([a], reached) in opacity.data.iter_mut().zip(reached) {
        if !reached {
            *a = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_island_goes_and_a_lock_of_hair_stays() {
        let disc = |x: usize, y: usize, cx: f32, r: f32| (x as f32 - cx).hypot(y as f32 - 30.0) < r;
        let mut opacity = Plane::from_fn(90, 60, |x, y| {
            [match () {
                () if disc(x, y, 30.0, 15.0) => 1.0,
                // a thin, pale lock, and a lamp beyond a gap
                () if y == 30 && (45..60).contains(&x) => 0.05,
                () if disc(x, y, 75.0, 6.0) => 0.6,
                () => 0.0,
            }]
        });
        let home = Plane::from_fn(90, 60, |x, y| [if disc(x, y, 30.0, 8.0) { 1.0 } else { 0.0 }]);
        keep_mainland(&mut opacity, &home);
        assert_eq!([30, 40, 58, 75].map(|x| opacity.at(x, 30)[0]), [1.0, 1.0, 0.05, 0.0]);
    }
}
