"""Reads packs/motion.gguf back into the PyTorch networks: the weights as the runtime sees them."""
import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize

from .export import pack_name
from .networks import Speech


class MotionPack:
    def __init__(self, path):
        reader = GGUFReader(str(Path(path)))
        arrays = {}
        for t in reader.tensors:
            shape = [int(n) for n in reversed(t.shape)]
            arrays[t.name] = dequantize(t.data, t.tensor_type).astype(np.float32).reshape(shape)
        text = lambda key: bytes(reader.fields[key].parts[-1]).decode()
        self.encoder_config = json.loads(text("parlante.encoder.config"))
        self.lip_config = json.loads(text("parlante.lips.config"))
        self.mean, self.scale = arrays["encoder.mel.mean"], arrays["encoder.mel.scale"]
        self.model = Speech(self.encoder_config, self.lip_config).eval()
        state = {}
        for name, value in self.model.state_dict().items():
            array = arrays[pack_name(name)]
            array = array.transpose(0, 2, 1) if array.ndim == 3 else array
            if array.ndim == 3:
                array = array[:, :value.shape[1]]  # zeros behind it fill blocks of bytes
            state[name] = torch.from_numpy(array.copy())
            assert state[name].shape == value.shape, name
        self.model.load_state_dict(state)

    @property
    def articulation(self):
        return self.lip_config["articulation"]
