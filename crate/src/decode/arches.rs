//! Where one person's teeth are: both rows, lengthened and shortened to those that the photo shows.

use std::ops::Range;

use super::card::Card;
use super::pose::project;
use super::teeth::Row;
use super::tongue::Bite;
use crate::portrait::fitted::{FOCAL, SIDE};
use crate::portrait::{FaceModel, FittedFace};

/// The model's upper teeth hide behind the lip; those of people show a little, cm.
pub(crate) const TEETH_DOWN: f32 = 0.12;
/// Limits of that where the photo tells, cm.
const MOST_RAISED: f32 = -0.2;
const MOST_LOWERED: f32 = 0.45;
/// The model's teeth end this much above those of the photo that lie over them, cm.
const UNDER_CARD: f32 = 0.05;
/// The model's lower teeth hide behind the lip; those of people show a little on open vowels, cm.
pub(crate) const LOWER_UP: f32 = 0.10;

/// Where this person's teeth are.
pub(crate) fn bite(model: &FaceModel, face: &FittedFace, rows: &[Row; 2], down: f32) -> Bite {
    let front = |range: &Range<usize>| range.clone().map(|i| face.shape[i][2]).fold(f32::NEG_INFINITY, f32::max);
    let edge = |range: &Range<usize>, row: &Row| {
        let edges = range.clone().zip(&row.place).filter(|(i, p)| p[1] < 0.06 && face.shape[*i][0].abs() < 0.9);
        super::plane::quantile(edges.map(|(i, _)| face.shape[i][1]), 0.5)
    };
    Bite {
        upper: edge(&model.teeth_upper, &rows[0]) - down,
        lower: edge(&model.teeth_lower, &rows[1]) + LOWER_UP,
        upper_front: front(&model.teeth_upper),
        lower_front: front(&model.teeth_lower),
    }
}

/// The row of upper or lower teeth of this person.
pub(crate) fn row_of(model: &FaceModel, face: &FittedFace, range: Range<usize>, upper: bool) -> Row {
    let start = range.start as u32;
    let triangles: Vec<[u32; 3]> = model
        .triangles
        .iter()
        .filter(|t| t.iter().all(|&i| range.contains(&(i as usize))))
        .map(|t| t.map(|i| i - start))
        .collect();
    Row::new(&face.shape[range], &triangles, upper, &face.identity)
}

/// Lengthens and shortens the upper teeth so that their edges end where those of the photo end. Returns how much lower
/// teeth sit that the photo does not show, cm.
pub(crate) fn fit_to_card(row: &mut Row, base: &[[f32; 3]], face: &FittedFace, card: &Card) -> f32 {
    let count = row.tooth.iter().copied().max().map_or(0, usize::from) + 1;
    let lowered: Vec<Option<f32>> = (0..count)
        .map(|number| {
            let own =
                || row.tooth.iter().zip(base).zip(&row.place).filter(move |((t, _), _)| usize::from(**t) == number);
            let seen = |x: [f32; 3]| project(&face.pose, x);
            let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
            let (mut edge, mut distance, mut n) = (0.0, 0.0, 0.0f32);
            for ((_, &x), place) in own() {
                let ([px, py], d) = seen(x);
                left = left.min(px);
                right = right.max(px);
                if place[1] < 0.06 {
                    edge += py;
                    distance += d;
                    n += 1.0;
                }
            }
            let quarter = 0.25 * (right - left);
            let row = card.cutting_edge(left + quarter, right - quarter)?;
            let cm = (row - edge / n.max(1.0)) * distance / n.max(1.0) / (FOCAL * SIDE);
            (n > 0.0).then_some((cm - UNDER_CARD).clamp(MOST_RAISED, MOST_LOWERED))
        })
        .collect();
    let known: Vec<f32> = lowered.iter().flatten().copied().collect();
    if known.is_empty() {
        return TEETH_DOWN;
    }
    let typical = super::plane::quantile(known, 0.5);
    for (own, number) in row.own.iter_mut().zip(&row.tooth) {
        let drop = lowered[usize::from(*number)].unwrap_or(typical);
        *own = [own[0], typical - drop, own[2]];
    }
    typical
}
