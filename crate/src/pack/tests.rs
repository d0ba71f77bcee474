use proptest::prelude::*;

use super::*;

fn sample() -> Vec<u8> {
    let mut writer = PackWriter::new();
    writer.metadata("parlante.version", "1").metadata("parlante.licence", "MIT").metadata("parlante.count", 7u64);
    writer.metadata("list", MetaValue::Array(vec!["a".into(), "b".into()]));
    let numbers: Vec<f32> = (0..64).map(|i| i as f32 - 31.5).collect();
    writer.tensor("a.weight", [2, 32], DType::Q8_0, &numbers).unwrap();
    writer.tensor("a.bias", [3], DType::F32, &numbers[..3]).unwrap();
    writer.tensor("b.weight", [2, 2, 3], DType::F16, &numbers[..12]).unwrap();
    writer.tensor("b.index", [5], DType::I16, &numbers[..5]).unwrap();
    writer.finish()
}

#[test]
fn what_is_written_is_read() {
    let pack = Pack::from_bytes(sample()).unwrap();
    assert_eq!(pack.str("parlante.version").unwrap(), "1");
    assert_eq!(pack.number("parlante.count").unwrap(), 7.0);
    assert_eq!(pack.names().collect::<Vec<_>>(), ["a.bias", "a.weight", "b.index", "b.weight"]);
    let weight = pack.tensor("a.weight").unwrap();
    assert_eq!(weight.shape().dims(), [2, 32]);
    assert_eq!(weight.dtype(), DType::Q8_0);
    for (i, v) in weight.to_f32().iter().enumerate() {
        assert!((v - (i as f32 - 31.5)).abs() < 0.13);
    }
    assert_eq!(pack.tensor("a.bias").unwrap().to_f32(), [-31.5, -30.5, -29.5]);
    assert_eq!(pack.constant("b.weight").unwrap().shape().dims(), [2, 2, 3]);
    assert!(pack.tensor("b.weight").unwrap().with_shape(&[2, 3, 2]).is_err());
    assert_eq!(pack.tensor("nothing").unwrap_err(), PackError::MissingTensor("nothing".to_owned()));
    assert!(matches!(pack.str("parlante.count"), Err(PackError::WrongKind { .. })));
    assert_eq!(pack.to_bytes().unwrap(), sample());
    let inspection = pack.inspect();
    assert_eq!(inspection.parameters, 64 + 3 + 12 + 5);
    assert!(inspection.to_string().contains("a.weight  Q8_0"));
}

#[test]
fn merged_packs_act_as_one() {
    let mut other = PackWriter::new();
    other.metadata("parlante.version", "1").metadata("parlante.licence", "Apache-2.0");
    other.tensor("c", [1], DType::F32, &[5.0]).unwrap();
    let other = Pack::from_bytes(other.finish()).unwrap();
    let first = Pack::from_bytes(sample()).unwrap();
    let merged = Pack::merge([first.clone(), other.clone()]).unwrap();
    assert_eq!(merged.tensor("c").unwrap().to_f32(), [5.0]);
    assert_eq!(merged.str("parlante.licence").unwrap(), "MIT\nApache-2.0");
    let reread = Pack::from_bytes(merged.to_bytes().unwrap()).unwrap();
    assert_eq!(reread.tensor("a.weight").unwrap().to_f32(), first.tensor("a.weight").unwrap().to_f32());

    assert!(matches!(Pack::merge([first.clone(), first.clone()]), Err(PackError::DuplicateTensor(_))));
    let mut newer = PackWriter::new();
    newer.metadata("parlante.count", 8u64);
    let newer = Pack::from_bytes(newer.finish()).unwrap();
    assert_eq!(Pack::merge([first, newer]).unwrap_err(), PackError::Conflict("parlante.count".to_owned()));
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = sample();
    for end in 0..bytes.len() {
        assert!(Pack::from_bytes(&bytes[..end]).is_err(), "{end} of {} bytes were accepted", bytes.len());
    }
}

/// A header with one tensor of the given axes, type and offset, and 64 bytes of data.
fn hostile(dims: &[u64], code: u32, offset: u64) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.push(b't');
    bytes.extend((dims.len() as u32).to_le_bytes());
    dims.iter().for_each(|d| bytes.extend(d.to_le_bytes()));
    bytes.extend(code.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(32) + 64, 0);
    bytes
}

#[test]
fn hostile_headers_are_refused_before_anything_is_allocated() {
    assert!(Pack::from_bytes(hostile(&[16], 0, 0)).is_ok());
    assert!(matches!(Pack::from_bytes(hostile(&[17], 0, 0)), Err(PackError::Truncated(_))));
    assert!(matches!(Pack::from_bytes(hostile(&[16], 0, u64::MAX)), Err(PackError::Truncated(_))));
    assert!(matches!(Pack::from_bytes(hostile(&[u64::MAX, u64::MAX], 0, 0)), Err(PackError::Tensor { .. })));
    assert!(matches!(Pack::from_bytes(hostile(&[1 << 40, 1 << 40], 1, 0)), Err(PackError::Tensor { .. })));
    assert!(matches!(Pack::from_bytes(hostile(&[0], 0, 0)), Err(PackError::Tensor { .. })));
    assert!(matches!(Pack::from_bytes(hostile(&[8, 4], 8, 0)), Err(PackError::Tensor { .. })));
    assert!(matches!(Pack::from_bytes(hostile(&[1; 5], 0, 0)), Err(PackError::Tensor { .. })));
    assert!(matches!(Pack::from_bytes(hostile(&[4], 2, 0)), Err(PackError::UnknownType { code: 2, .. })));
    for count_at in [8, 16] {
        let mut bytes = hostile(&[4], 0, 0);
        bytes[count_at..count_at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(Pack::from_bytes(bytes).is_err());
    }
    assert_eq!(Pack::from_bytes(b"\x89PNG\r\n\x1a\n".to_vec()).unwrap_err(), PackError::NotGguf);
    assert_eq!(Pack::from_bytes(Vec::new()).unwrap_err(), PackError::NotGguf);
    let mut old = sample();
    old[4] = 2;
    assert_eq!(Pack::from_bytes(old).unwrap_err(), PackError::Version(2));
}

#[test]
fn arrays_that_announce_much_or_nest_deeply_are_refused() {
    let array = |count: u64, depth: usize| {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.push(b'k');
        for _ in 0..depth {
            bytes.extend(9u32.to_le_bytes());
            // After each "array" comes its element type and its length; nesting repeats the pair.
            bytes.extend(9u32.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        bytes
    };
    assert!(matches!(Pack::from_bytes(array(u64::MAX, 1)), Err(PackError::Damaged(_))));
    assert!(Pack::from_bytes(array(1, 1000)).is_err());
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic_and_stay_inside_the_file(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = sample();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let size = bytes.len();
        if let Ok(pack) = Pack::from_bytes(bytes) {
            let total: usize = pack.names().map(|n| pack.tensor(n).unwrap().bytes().len()).sum();
            prop_assert!(total <= size);
            for name in pack.names() {
                let numbers = pack.tensor(name).unwrap().to_f32();
                prop_assert_eq!(numbers.len(), pack.tensor(name).unwrap().shape().elements());
            }
        }
    }

    #[test]
    fn random_bytes_after_the_magic_never_panic(tail in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tail);
        let _ = Pack::from_bytes(bytes);
    }
}
