//! From a photo to a fitted face: crop, second look at the landmarks, lip snapping, solving, pinning.

use super::beyond::round_off;
use super::covered::mouth_is_covered;
use super::crop::{CHIN, CropFrame, FOREHEAD, from_texture, to_texture};
use super::error::PortraitError;
use super::face_model::FaceModel;
use super::find::{FaceFinder, choose};
use super::fitted::{FittedFace, SIDE, TEX, TEX_FULL};
use super::glasses::wears_glasses;
use super::landmarks::{FaceLandmarks, LANDMARKS};
use super::light::Light;
use super::patch::{Patch, luminance};
use super::person::PersonFinder;
use super::picture::Picture;
use super::pin::pin;
use super::snap::snap_lips;
use super::solve::solve;
use super::warning::{self, PortraitWarning};

/// Why the 3-D face could not be fitted to landmarks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The wrong number of landmarks.
    #[error("{found} landmarks were given where {LANDMARKS} are needed: pass what the face finder returned")]
    LandmarkCount {
        /// How many came.
        found: usize,
    },
    /// A landmark is NaN or infinite.
    #[error("landmark {index} is not a number: choose another photo")]
    NotFinite {
        /// The first such landmark.
        index: usize,
    },
    /// The points do not span a face (all in one place or on a line).
    #[error("the landmarks do not form a face: choose another photo")]
    Degenerate,
    /// The face is too small in the photo to be used.
    #[error("the face is only {height:.0} pixels high: choose a photo in which it has at least {least:.0}")]
    TooSmall {
        /// Forehead to chin, pixels of the photo.
        height: f32,
        /// The least height that is accepted.
        least: f32,
    },
    /// The face is seen from the side.
    #[error("the head is turned by {:.0} degrees: choose a photo in which it looks towards the camera", yaw.abs())]
    Profile {
        /// From the frontal view, degrees, positive to the picture's right.
        yaw: f32,
    },
}

/// Landmarks further out than this many picture sizes are no landmarks.
const FARTHEST: f32 = 8.0;
/// A face must be at least this much wider than a line, as a share of its height.
const NARROWEST: f32 = 0.1;

/// x and y of landmarks that can be worked with: 478 finite points that span an area near a `size` wide picture.
fn checked(points: &[[f32; 3]], size: f32) -> Result<Vec<[f32; 2]>, FitError> {
    if points.len() != LANDMARKS {
        return Err(FitError::LandmarkCount { found: points.len() });
    }
    if let Some(index) = points.iter().position(|p| !(p[0].is_finite() && p[1].is_finite())) {
        return Err(FitError::NotFinite { index });
    }
    let points: Vec<[f32; 2]> = points.iter().map(|p| [p[0], p[1]]).collect();
    if points.iter().flatten().any(|v| v.abs() > FARTHEST * size) {
        return Err(FitError::Degenerate);
    }
    // the smaller axis of the cloud of points
    let n = points.len() as f32;
    let mean = [0, 1].map(|i| points.iter().map(|p| p[i]).sum::<f32>() / n);
    let moment = |i: usize, j: usize| points.iter().map(|p| (p[i] - mean[i]) * (p[j] - mean[j])).sum::<f32>() / n;
    let (a, b, c) = (moment(0, 0), moment(0, 1), moment(1, 1));
    let root = ((a - c) / 2.0).hypot(b);
    let (large, small) = ((a + c) / 2.0 + root, (a + c) / 2.0 - root);
    if large < 1e-6 || small < NARROWEST * NARROWEST * large {
        return Err(FitError::Degenerate);
    }
    Ok(points)
}

/// Finds a face in a photo and fits the model to it: the largest face, or face `index` counted from 0 by size.
/// `persons` tells the person from the background.
///
/// # Errors
/// [`PortraitError::NoFace`], [`PortraitError::NoSuchFace`], [`PortraitError::Fit`] for a face that is too small or
/// hidden, [`PortraitError::Find`] if the networks fail.
pub fn fit(
    model: &FaceModel,
    finder: &FaceFinder,
    persons: Option<&PersonFinder>,
    picture: &Picture,
    index: Option<usize>,
) -> Result<FittedFace, PortraitError> {
    fit_found(model, finder, persons, picture, finder.find(picture)?, index)
}

/// Does as [`fit`] with the faces that the finder found in the photo.
///
/// # Errors
/// As [`fit`].
pub fn fit_found(
    model: &FaceModel,
    finder: &FaceFinder,
    persons: Option<&PersonFinder>,
    picture: &Picture,
    mut faces: Vec<FaceLandmarks>,
    index: Option<usize>,
) -> Result<FittedFace, PortraitError> {
    let chosen = choose(&faces, index)?;
    let mut warnings = warning::of_faces(&faces, chosen, picture.width, picture.height);
    let mut face = faces.swap_remove(chosen);
    let (cropped, mut points) = Cropped::new(picture, &face.points)?;
    // landmarks are best where all faces have one size
    for (place, p) in face.points.iter_mut().zip(&points) {
        let [x, y] = to_texture(*p);
        *place = [x, y, place[2] * TEX / cropped.frame.side];
    }
    if let Some(again) = finder.look_again(&cropped.picture(), &face)? {
        points = Cropped::points_of(&again.points)?;
    }
    let mut person = persons.map(|p| p.find(&cropped.texture)).transpose()?;
    if let Some(mask) = &mut person {
        round_off(mask, cropped.photo[1]);
    }
    let mut fitted = cropped.fit(model, &points)?;
    warnings.append(&mut fitted.warnings);
    Ok(FittedFace { person, warnings, ..fitted })
}

/// A crop whose landmarks are still to be looked for a second time.
pub struct Cropped {
    frame: CropFrame,
    texture: Vec<f32>,
    /// The part of the texture that is photo, as in [`FittedFace::photo`].
    photo: [f32; 4],
}

impl Cropped {
    /// Cuts a face out of its photo. `landmarks` are the 478 points in the photo.
    ///
    /// # Errors
    /// [`FitError`] if the landmarks are no face or too small a one.
    pub fn new(picture: &Picture, landmarks: &[[f32; 3]]) -> Result<(Self, Vec<[f32; 2]>), FitError> {
        let points = checked(landmarks, picture.width.max(picture.height) as f32)?;
        let frame = CropFrame::around(&points, picture.width, picture.height)?;
        let points = points.into_iter().map(|p| frame.to_crop(p)).collect();
        let photo = frame.photo(picture.width, picture.height);
        Ok((Self { frame, texture: frame.texture(picture), photo }, points))
    }

    /// Where the crop lies in the photo.
    pub fn frame(&self) -> CropFrame {
        self.frame
    }

    /// The texture as a picture: landmarks are best when they are found on it, where all faces have one size.
    pub fn picture(&self) -> Picture {
        let data = self.texture.iter().map(|v| (v + 0.5) as u8).collect();
        Picture { width: TEX_FULL, height: TEX_FULL, data }
    }

    /// Landmarks found on [`Self::picture`] in crop pixels.
    ///
    /// # Errors
    /// [`FitError`] if they are no face.
    pub fn points_of(landmarks: &[[f32; 3]]) -> Result<Vec<[f32; 2]>, FitError> {
        Ok(checked(landmarks, TEX_FULL as f32)?.into_iter().map(from_texture).collect())
    }

    /// Fits the model. `points` are the landmarks in crop pixels.
    ///
    /// # Errors
    /// [`FitError`] if they are no face.
    pub fn fit(self, model: &FaceModel, points: &[[f32; 2]]) -> Result<FittedFace, FitError> {
        let flat: Vec<[f32; 3]> = points.iter().map(|p| [p[0], p[1], 0.0]).collect();
        let mut landmarks = checked(&flat, SIDE)?;
        let (top, chin) = (landmarks[FOREHEAD], landmarks[CHIN]);
        let height = (top[0] - chin[0]).hypot(top[1] - chin[1]) * self.frame.side / SIDE;
        let mouth_covered = mouth_is_covered(&self.texture, &landmarks, height);
        snap_lips(&self.texture, &mut landmarks);
        let solution = solve(model, &landmarks)?;
        let yaw = solution.pose.yaw();
        if yaw.abs() > warning::PROFILE {
            return Err(FitError::Profile { yaw });
        }
        let pinned = pin(model, &solution, &landmarks)?;
        let glasses = wears_glasses(&self.texture, &landmarks);
        let colour = |p: [f32; 2]| Patch::around(&self.texture, [p], 0.0).at(p);
        let brightness = landmarks.iter().map(|&p| luminance(colour(to_texture(p)))).collect();
        let warnings = [
            warning::of_turn(yaw),
            warning::of_light(brightness),
            mouth_covered.then_some(PortraitWarning::MouthCovered),
        ];
        let photo = model.posed(&pinned.base, &solution.expression);
        let light = Light::fit(model, &self.texture, &landmarks, &solution.pose, &photo);
        Ok(FittedFace {
            texture: self.texture,
            landmarks,
            pose: solution.pose,
            identity: solution.identity,
            expression: solution.expression,
            shape: pinned.shape,
            base: pinned.base,
            eye_right: pinned.eyes[0],
            eye_left: pinned.eyes[1],
            error: solution.error,
            glasses,
            person: None,
            photo: self.photo,
            mouth_covered,
            warnings: warnings.into_iter().flatten().collect(),
            light,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{made_up, model};
    use super::*;

    /// A grey photo of 512 x 512 pixels in which the landmarks of a made-up head lie.
    fn photo() -> (Picture, Vec<[f32; 3]>) {
        let picture = Picture { width: 512, height: 512, data: vec![150; 512 * 512 * 3] };
        let points = made_up(model(), [8.0, 2.0, 3.0], 5).points;
        (picture, points.into_iter().map(|[x, y]| [x, y, 0.0]).collect())
    }

    fn whole(picture: &Picture, landmarks: &[[f32; 3]]) -> Result<FittedFace, FitError> {
        let (cropped, points) = Cropped::new(picture, landmarks)?;
        cropped.fit(model(), &points)
    }

    #[test]
    fn a_photo_becomes_a_face() {
        let (picture, landmarks) = photo();
        let face = whole(&picture, &landmarks).expect("a face");
        assert!(face.error < 0.6 && !face.glasses);
        assert_eq!(face.texture.len(), TEX_FULL * TEX_FULL * 3);
        assert_eq!(face.base.len(), model().neutral.len());
        assert!(face.eye_left[0] - face.eye_right[0] > 4.0);
        assert!(face.texture.iter().all(|v| (v - 150.0).abs() < 0.5));
    }

    #[test]
    fn landmarks_that_are_no_face_are_refused_with_a_reason() {
        let (picture, good) = photo();
        let changed = |change: fn(&mut Vec<[f32; 3]>)| {
            let mut landmarks = good.clone();
            change(&mut landmarks);
            whole(&picture, &landmarks).err()
        };
        assert_eq!(changed(|l| l.truncate(468)), Some(FitError::LandmarkCount { found: 468 }));
        assert_eq!(changed(|l| l[77][1] = f32::NAN), Some(FitError::NotFinite { index: 77 }));
        assert_eq!(changed(|l| l[0][0] = f32::INFINITY), Some(FitError::NotFinite { index: 0 }));
        assert_eq!(changed(|l| l.fill([200.0, 200.0, 0.0])), Some(FitError::Degenerate));
        assert_eq!(changed(|l| l.iter_mut().for_each(|p| p[0] = 200.0)), Some(FitError::Degenerate));
        assert_eq!(changed(|l| l[5][0] = 1e20), Some(FitError::Degenerate));
        assert!(matches!(
            changed(|l| l.iter_mut().for_each(|p| *p = p.map(|v| v / 20.0))),
            Some(FitError::TooSmall { .. })
        ));
        let mut scattered = 7u32;
        let mut next = || {
            scattered = scattered.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (scattered >> 23) as f32
        };
        let random: Vec<[f32; 3]> = good.iter().map(|_| [next(), next(), 0.0]).collect();
        assert!(whole(&picture, &random).is_err(), "random points are no face");
    }

    #[test]
    fn a_profile_is_refused_with_a_sentence_and_a_lesser_turn_is_told() {
        let (picture, _) = photo();
        let turned = |yaw: f32| {
            let points: Vec<[f32; 3]> =
                made_up(model(), [yaw, 0.0, 0.0], 5).points.iter().map(|p| [p[0], p[1], 0.0]).collect();
            whole(&picture, &points)
        };
        for side in [-1.0, 1.0] {
            let refused = turned(72.0 * side).expect_err("a profile");
            assert!(matches!(refused, FitError::Profile { yaw } if yaw * side > 60.0), "{refused:?}");
            let text = refused.to_string();
            assert!(text.contains("turned by 7") && text.contains("choose a photo"), "{text}");
            let told = turned(46.0 * side).expect("a face");
            assert!(
                matches!(told.warnings[..], [.., PortraitWarning::Turned { yaw }] | [PortraitWarning::Turned { yaw }, ..] if yaw * side > 35.0),
                "{:?}",
                told.warnings
            );
        }
    }

    #[test]
    fn a_face_half_outside_of_the_photo_still_works() {
        let (picture, landmarks) = photo();
        let shifted: Vec<[f32; 3]> = landmarks.iter().map(|p| [p[0] - 230.0, p[1] + 120.0, 0.0]).collect();
        let face = whole(&picture, &shifted).expect("a face");
        assert!(face.error < 0.6);
    }
}
