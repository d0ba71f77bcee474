//! Model packs: one GGUF file with all tensors and metadata.
