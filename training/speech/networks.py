"""The two networks. Causal, so that a stream can run them chunk by chunk; FORMAT.md lists every tensor."""
import torch
import torch.nn.functional as F
from torch import nn

from .articulation import GATES, TRACKS
from .mel import BANDS
from .phones import PHONES

DELAY_ROWS = 3  # row j of the encoder speaks of the phone at 20(j - 3) + 10 ms
LIP_FIRST_ROW = 2  # motion frame i hears encoder rows 2i + 2 and 2i + 3

ENCODER = {"bands": BANDS, "channels": 288, "hidden": 384, "kernels": [5, 4, 3], "strides": [1, 2, 1],
           "phones": len(PHONES), "delay_rows": DELAY_ROWS, "rows_per_second": 50}
LIPS = {"rows": 2, "inputs": 2 * ENCODER["hidden"], "hidden": 224, "kernel": 3, "outputs": len(TRACKS) + len(GATES),
        "first_row": LIP_FIRST_ROW, "frames_per_second": 25}

# The lip network gives standardised tracks: track = output * TRACK_SCALE + TRACK_MEAN.
TRACK_MEAN = (0.55, 0.45, 0.20, 0.15, 0.35)
TRACK_SCALE = (0.35, 0.25, 0.30, 0.15, 0.35)


class CausalConv(nn.Module):
    """[batch, channels, time]; zeros before the start; output j ends with input frame j * stride + stride - 1"""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.before = kernel - stride
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)

    def forward(self, x):
        return F.silu(self.conv(F.pad(x, (self.before, 0))))


class Dropout(nn.Module):
    """leaves out the same channels for a whole crop: kinder to recurrent networks, and far fewer random numbers"""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x):
        if not self.training:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2]) >= self.share
        return x * (kept.to(x.dtype) / (1 - self.share))


class Encoder(nn.Module):
    """standardised log-mel [batch, 2n, 80] -> rows [batch, n, 320]; `phones` makes logits of them"""

    def __init__(self, config):
        super().__init__()
        c, h = config["channels"], config["hidden"]
        self.conv1 = CausalConv(BANDS, c, 5)
        self.conv2 = CausalConv(c, c, 4, stride=2)
        self.conv3 = CausalConv(c, c, 3)
        self.norm1, self.norm2 = nn.LayerNorm(c), nn.LayerNorm(c)
        self.gru1, self.gru2 = nn.GRU(c, h, batch_first=True), nn.GRU(h, h, batch_first=True)
        self.norm3 = nn.LayerNorm(h)
        self.phones = nn.Linear(h, len(PHONES))
        self.drop = Dropout(0.12)

    def forward(self, mel):
        x = self.conv2(self.conv1(mel.transpose(1, 2)))
        x = self.norm1(x.transpose(1, 2))
        x = self.norm2(x + self.conv3(x.transpose(1, 2)).transpose(1, 2))
        low, _ = self.gru1(self.drop(x))
        high, _ = self.gru2(self.drop(low))
        return self.norm3(low + high)


class Lips(nn.Module):
    """encoder rows [batch, n, 2 * hidden] -> [batch, n, 7]: standardised TRACKS, logits of GATES"""

    def __init__(self, config):
        super().__init__()
        h = config["hidden"]
        self.input = nn.Linear(config["inputs"], h)
        self.conv = CausalConv(h, h, config["kernel"])
        self.gru = nn.GRU(h, h, batch_first=True)
        self.output = nn.Linear(h, config["outputs"])
        self.drop = Dropout(0.1)

    def forward(self, rows):
        x = F.silu(self.input(self.drop(rows)))
        x = x + self.conv(x.transpose(1, 2)).transpose(1, 2)
        return self.output(self.gru(self.drop(x))[0])


class Speech(nn.Module):
    """both together; the sizes are those of a pack or those that are trained now"""

    def __init__(self, encoder=ENCODER, lips=LIPS):
        super().__init__()
        self.encoder, self.lips = Encoder(encoder), Lips(lips)

    def forward(self, mel):
        """standardised log-mel [batch, 2n, 80] -> phone logits [batch, n, 40], lips [batch, n // 2 - 1, 7]"""
        rows = self.encoder(mel)
        logits = self.encoder.phones(self.encoder.drop(rows))
        frames = (rows.shape[1] - LIP_FIRST_ROW) // 2
        pairs = rows[:, LIP_FIRST_ROW : LIP_FIRST_ROW + 2 * frames]
        return logits, self.lips(pairs.reshape(len(rows), frames, -1))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


if __name__ == "__main__":
    model = Speech()
    out = model(torch.zeros(2, 320, BANDS))
    print(parameters(model.encoder), parameters(model.lips), [tuple(o.shape) for o in out])
