//! A fitted face as bytes, for another decoder of the same portrait in another worker: a GGUF file like the pack.

use nalgebra::{Matrix3, Vector3};

use super::fitted::{CameraPose, FittedFace};
use super::light::Light;
use crate::graph::DType;
use crate::pack::{Pack, PackError, PackWriter};

/// Metadata keys of the two things that are true or false.
const GLASSES: &str = "fitted.glasses";
const MOUTH_COVERED: &str = "fitted.mouth_covered";

impl FittedFace {
    /// Everything that a decoder needs, exactly; the warnings, which are for people, stay behind.
    ///
    /// # Errors
    /// [`PackError::Tensor`] for a face without vertices, which no fit makes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackError> {
        let Self { texture, landmarks, pose, identity, expression, shape, base, light, .. } = self;
        let mut writer = PackWriter::new();
        writer.metadata(GLASSES, self.glasses).metadata(MOUTH_COVERED, self.mouth_covered);
        let mut put = |name: &str, values: &[f32]| {
            writer.tensor(format!("fitted.{name}"), &[values.len()][..], DType::F32, values).map(|_| ())
        };
        put("texture", texture)?;
        put("landmarks", landmarks.as_flattened())?;
        put("rotation", pose.rotation.as_slice())?;
        put("translation", pose.translation.as_slice())?;
        put("identity", identity)?;
        put("expression", expression)?;
        put("shape", shape.as_flattened())?;
        put("base", base.as_flattened())?;
        put("eye_right", &self.eye_right)?;
        put("eye_left", &self.eye_left)?;
        put("error", &[self.error])?;
        put("photo", &self.photo)?;
        put("light", &light.coefficients)?;
        put("skin", &light.skin)?;
        put("residual", &[light.residual])?;
        if let Some(person) = &self.person {
            put("person", person)?;
        }
        Ok(writer.finish())
    }

    /// The fitted face of [`Self::to_bytes`], without warnings. Whether it goes with a face model is seen when a decoder
    /// is made of both.
    ///
    /// # Errors
    /// When the bytes are no fitted face.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, PackError> {
        let pack = Pack::from_bytes(bytes)?;
        let get = |name: &str| pack.tensor(&format!("fitted.{name}")).map(|tensor| tensor.to_f32());
        let points = |name: &str| -> Result<Vec<[f32; 3]>, PackError> { Ok(get(name)?.as_chunks().0.to_vec()) };
        Ok(Self {
            texture: get("texture")?,
            landmarks: get("landmarks")?.as_chunks().0.to_vec(),
            pose: CameraPose {
                rotation: Matrix3::from_column_slice(&fixed::<9>(&pack, "rotation")?),
                translation: Vector3::from(fixed::<3>(&pack, "translation")?),
            },
            identity: get("identity")?,
            expression: get("expression")?,
            shape: points("shape")?,
            base: points("base")?,
            eye_right: fixed(&pack, "eye_right")?,
            eye_left: fixed(&pack, "eye_left")?,
            error: fixed::<1>(&pack, "error")?[0],
            glasses: truth(&pack, GLASSES)?,
            person: pack.contains("fitted.person").then(|| get("person")).transpose()?,
            photo: fixed(&pack, "photo")?,
            mouth_covered: truth(&pack, MOUTH_COVERED)?,
            warnings: Vec::new(),
            light: Light {
                coefficients: fixed(&pack, "light")?,
                skin: fixed(&pack, "skin")?,
                residual: fixed::<1>(&pack, "residual")?[0],
            },
        })
    }
}

/// A tensor of exactly `N` numbers.
fn fixed<const N: usize>(pack: &Pack, name: &str) -> Result<[f32; N], PackError> {
    let values = pack.tensor(&format!("fitted.{name}"))?.with_shape(&[N])?.to_f32();
    values.try_into().map_err(|_| PackError::MissingTensor(format!("fitted.{name}")))
}

fn truth(pack: &Pack, key: &str) -> Result<bool, PackError> {
    match pack.value(key)? {
        crate::pack::MetaValue::Bool(value) => Ok(*value),
        _ => Err(PackError::WrongKind { key: key.to_owned(), wanted: "true or false" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::testing::{model, parted, person};

    #[test]
    fn nothing_is_lost() {
        let model = model();
        let smile = [("mouthSmile_L", 0.4), ("mouthSmile_R", 0.3)];
        let mut faces = [person(&model, &smile, true), parted(&model, &smile)];
        faces[1].mouth_covered = true;
        for mut face in faces {
            let bytes = face.to_bytes().expect("a face has vertices");
            let mut again = FittedFace::from_bytes(bytes).expect("these are its bytes");
            // not a million numbers as text
            assert!(std::mem::take(&mut again.texture) == std::mem::take(&mut face.texture));
            assert_eq!(format!("{again:?}"), format!("{face:?}"));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = person(&model(), &[], false).to_bytes().expect("a face has vertices");
        for cut in [0, 3, 100, 1000, bytes.len() - 1] {
            assert!(FittedFace::from_bytes(bytes[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        assert!(FittedFace::from_bytes(PackWriter::new().finish()).is_err());
    }
}
