//! Finds faces: detector, landmarker and blendshape estimator of MediaPipe's face landmarker
//! on the processor, in the tab as natively.

use std::sync::{Mutex, PoisonError};

use super::{
    FaceLandmarks, Picture, PortraitError,
    blendshapes::{self, SUBSET},
    detector::{self, Detection},
    landmarks::LANDMARKS,
    network::{self, NetworkError},
    region::{Outside, Pyramid, Region},
    views::views,
};
use crate::{
    exec::{Device, ExecError, Session},
    pack::Pack,
};

/// Pixels along a side of the landmarker's input.
pub const LANDMARKER_INPUT: usize = 256;
/// Candidates below this probability are no faces.
const LEAST_PRESENCE: f32 = 0.5;
/// More faces than this are not looked at.
const MAX_FACES: usize = 16;
/// Two faces whose landmarks' boxes overlap by more than this are one.
const SAME_FACE: f32 = 0.4;
/// How many looks a badly placed square costs: each halves its error at least.
const MOST_LOOKS: usize = 6;
/// The landmarker's square is this much larger than the box around the landmarks.
const ENLARGE: f32 = 1.5;
/// Outer corners of the eyes, the subject's right one first.
const EYE_CORNERS: [usize; 2] = [33, 263];

/// Why faces could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The pack has no usable face networks.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A network could not be prepared or run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A network is not the one it is named as.
    #[error(
        "the network `{name}` of the model pack has the wrong inputs or outputs: use the pack that was made for this version"
    )]
    Shape {
        /// Its name in the pack.
        name: &'static str,
    },
    /// The picture has no pixels, or not as many as its size says.
    #[error("the picture's {found} bytes do not fit its size of {width} x {height} pixels: load it again")]
    Picture {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes that are there.
        found: usize,
    },
}

/// The three face networks, ready to run.
#[derive(Debug)]
pub struct FaceFinder {
    networks: Mutex<Networks>,
}

#[derive(Debug)]
struct Networks {
    detector: Session,
    landmarker: Session,
    blendshapes: Session,
}

impl FaceFinder {
    /// Builds the networks `detector`, `landmarker` and `blendshapes` of a pack on the processor.
    ///
    /// # Errors
    /// [`FindError`] when one is missing or damaged.
    pub fn new(pack: &Pack) -> Result<Self, FindError> {
        Self::on(pack, &Device::Cpu)
    }

    /// Builds the networks of a pack on a device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(pack: &Pack, device: &Device) -> Result<Self, FindError> {
        let (image, face) = ([detector::INPUT; 2], [LANDMARKER_INPUT; 2]);
        let boxes = detector::ANCHORS * detector::COORDINATES;
        let networks = Networks {
            detector: prepare(pack, device, "detector", image[0] * image[1] * 3, &[boxes, detector::ANCHORS])?,
            landmarker: prepare(pack, device, "landmarker", face[0] * face[1] * 3, &[LANDMARKS * 3, 1])?,
            blendshapes: prepare(pack, device, "blendshapes", SUBSET.len() * 2, &[blendshapes::NAMES.len()])?,
        };
        Ok(Self { networks: Mutex::new(networks) })
    }

    /// All faces of a picture, the largest first; empty when there is none. Small, turned and cropped faces are looked
    /// for only as long as nothing has been found.
    ///
    /// # Errors
    /// [`FindError::Picture`] or a failure of the executor.
    pub fn find(&self, picture: &Picture) -> Result<Vec<FaceLandmarks>, FindError> {
        check(picture)?;
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let pyramid = Pyramid::new(picture);
        for (number, group) in views(picture).into_iter().enumerate() {
            let mut faces = networks.faces(&pyramid, &group)?;
            if number > 0 {
                faces = networks.confirmed(&pyramid, faces)?;
            }
            let mut faces = distinct(faces);
            if !faces.is_empty() {
                faces.sort_by(|a, b| area(b).total_cmp(&area(a)));
                return Ok(faces);
            }
        }
        Ok(Vec::new())
    }

    /// The largest face of a picture, or face `index` counted from 0 by size.
    ///
    /// # Errors
    /// [`PortraitError::NoFace`], [`PortraitError::NoSuchFace`], [`PortraitError::Find`].
    pub fn find_one(&self, picture: &Picture, index: Option<usize>) -> Result<FaceLandmarks, PortraitError> {
        let mut faces = self.find(picture)?;
        let chosen = choose(&faces, index)?;
        Ok(faces.swap_remove(chosen))
    }

    /// Looks once more at a face whose landmarks are known, in the square around them; `None` when it is no face.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn look_again(&self, picture: &Picture, face: &FaceLandmarks) -> Result<Option<FaceLandmarks>, FindError> {
        check(picture)?;
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        networks.landmarks(&Pyramid::new(picture), &region_around(face))
    }
}

impl Networks {
    /// Faces in any of some squares; one that is in several comes several times.
    fn faces(&mut self, pyramid: &Pyramid, group: &[Region]) -> Result<Vec<FaceLandmarks>, FindError> {
        let mut faces = Vec::new();
        for region in group {
            for detection in self.detect(pyramid, region)?.iter().take(MAX_FACES) {
                faces.extend(self.face(pyramid, detection.region())?);
            }
        }
        Ok(faces)
    }

    /// Landmarks of the face in a square. When the square does not sit well on the face that was found, which happens
    /// with heads on their side, looks again in better and better ones; where that leads nowhere, there is no face.
    fn face(&mut self, pyramid: &Pyramid, region: Region) -> Result<Option<FaceLandmarks>, FindError> {
        let mut seen = region;
        for look in 0..MOST_LOOKS {
            let Some(face) = self.landmarks(pyramid, &seen)? else { return Ok(None) };
            let around = region_around(&face);
            if sits_well(&seen, &around) {
                return if look == 0 { Ok(Some(face)) } else { self.landmarks(pyramid, &around) };
            }
            seen = around;
        }
        Ok(None)
    }

    /// Those that still are faces at a second look, with its landmarks: an upside-down face taken for an upright one
    /// and shapes in the background are not.
    fn confirmed(&mut self, pyramid: &Pyramid, faces: Vec<FaceLandmarks>) -> Result<Vec<FaceLandmarks>, FindError> {
        let again = faces.iter().map(|face| self.landmarks(pyramid, &region_around(face)));
        Ok(again.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn detect(&mut self, pyramid: &Pyramid, region: &Region) -> Result<Vec<Detection>, FindError> {
        let input = pyramid.sample(region, detector::INPUT, Outside::Black, detector::RANGE);
        let outputs = self.detector.run(&[&input])?;
        let [boxes, scores] = &outputs[..] else { return Err(FindError::Shape { name: "detector" }) };
        Ok(detector::suppress(detector::decode(boxes, scores, region)))
    }

    /// Landmarks of the face in a square of the picture, if there is one.
    fn landmarks(&mut self, pyramid: &Pyramid, region: &Region) -> Result<Option<FaceLandmarks>, FindError> {
        let input = pyramid.sample(region, LANDMARKER_INPUT, Outside::Edge, [0.0, 1.0]);
        let outputs = self.landmarker.run(&[&input])?;
        let [numbers, presence, ..] = &outputs[..] else { return Err(FindError::Shape { name: "landmarker" }) };
        let presence = 1.0 / (1.0 + (-presence[0]).exp());
        let scale = 1.0 / LANDMARKER_INPUT as f32;
        let points: Vec<[f32; 3]> = numbers
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[x, y, z]| {
                let [px, py] = region.point(x * scale, y * scale);
                [px, py, z * scale * region.side]
            })
            .collect();
        if presence.is_nan() || presence < LEAST_PRESENCE || points.iter().flatten().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        let subset: Vec<f32> = SUBSET.iter().flat_map(|&i| [points[i][0], points[i][1]]).collect();
        let blendshapes = self.blendshapes.run(&[&subset])?.swap_remove(0);
        Ok(Some(FaceLandmarks { points, presence, blendshapes }))
    }
}

/// The largest of the faces of a picture, or number `index` counted from 0 by size. `faces`: as [`FaceFinder::find`]
/// gives them.
///
/// # Errors
/// [`PortraitError::NoFace`], [`PortraitError::NoSuchFace`].
pub fn choose(faces: &[FaceLandmarks], index: Option<usize>) -> Result<usize, PortraitError> {
    let (wanted, found) = (index.unwrap_or(0), faces.len());
    match found {
        0 => Err(PortraitError::NoFace),
        _ if wanted >= found => Err(PortraitError::NoSuchFace { wanted, found }),
        _ => Ok(wanted),
    }
}

/// Of faces that overlap only the most certain one.
fn distinct(mut faces: Vec<FaceLandmarks>) -> Vec<FaceLandmarks> {
    faces.sort_by(|a, b| b.presence.total_cmp(&a.presence));
    let mut kept: Vec<FaceLandmarks> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| overlap(bounds(&face), bounds(other)) < SAME_FACE) {
            kept.push(face);
        }
    }
    kept
}

/// The square that MediaPipe would look at next when it follows this face through a video.
fn region_around(face: &FaceLandmarks) -> Region {
    let ([x, y], [width, height]) = bounds(face);
    let [right, left] = EYE_CORNERS.map(|i| face.points[i]);
    Region { center: [x, y], side: width.max(height) * ENLARGE, angle: (left[1] - right[1]).atan2(left[0] - right[0]) }
}

/// True when a face was seen in nearly the square that belongs to it, so that a second look would show the same. Of 98
/// upright portraits none is further off than 0.08 sides and 8 degrees; heads on their side are.
fn sits_well(seen: &Region, around: &Region) -> bool {
    let off = (seen.center[0] - around.center[0]).hypot(seen.center[1] - around.center[1]);
    let turn = (seen.angle - around.angle).sin().abs().max(1.0 - (seen.angle - around.angle).cos());
    off < 0.12 * around.side && (0.75..1.3).contains(&(seen.side / around.side)) && turn < 0.18
}

/// Centre and size of the upright box around a face.
fn bounds(face: &FaceLandmarks) -> ([f32; 2], [f32; 2]) {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for point in &face.points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    ([0, 1].map(|a| (low[a] + high[a]) / 2.0), [0, 1].map(|a| high[a] - low[a]))
}

fn area(face: &FaceLandmarks) -> f32 {
    let (_, [width, height]) = bounds(face);
    width * height
}

/// Intersection over union of two boxes given by centre and size.
fn overlap((a, a_size): ([f32; 2], [f32; 2]), (b, b_size): ([f32; 2], [f32; 2])) -> f32 {
    let shared = |i: usize| {
        let reach = (a_size[i] + b_size[i]) / 2.0 - (a[i] - b[i]).abs();
        reach.min(a_size[i]).min(b_size[i]).max(0.0)
    };
    let both = shared(0) * shared(1);
    both / (a_size[0] * a_size[1] + b_size[0] * b_size[1] - both).max(f32::MIN_POSITIVE)
}

fn check(picture: &Picture) -> Result<(), FindError> {
    let (width, height, found) = (picture.width, picture.height, picture.data.len());
    let expected = width.checked_mul(height).and_then(|n| n.checked_mul(3));
    if found == 0 || expected != Some(found) {
        return Err(FindError::Picture { width, height, found });
    }
    Ok(())
}

/// Builds a network and makes sure that it takes and gives what this module expects (further outputs are ignored).
pub(super) fn prepare(
    pack: &Pack,
    device: &Device,
    name: &'static str,
    input: usize,
    outputs: &[usize],
) -> Result<Session, FindError> {
    let graph = network::build(pack, name)?;
    let sizes = |ports: &[crate::graph::Port]| -> Vec<usize> {
        ports.iter().map(|p| graph.shape(p.value).elements()).collect()
    };
    if sizes(graph.inputs()) != [input] || !sizes(graph.outputs()).starts_with(outputs) {
        return Err(FindError::Shape { name });
    }
    Ok(Session::on(&graph, device)?)
}
