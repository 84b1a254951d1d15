"""Writes what PyTorch computes, with the weights, as a safetensors file: python3 pytorch.py pytorch.safetensors

For each module: its state_dict under the module's name, and <name>.x and <name>.y, images with the channels last.
"""

import json
import struct
import sys

import torch
from torch import nn

torch.manual_seed(7)
torch.set_num_threads(1)
tensors = {}


def keep(name, tensor):
    tensors[name] = tensor.detach().to(torch.float32).contiguous()


def stir(module):
    """No parameter and no statistic stays 0 or 1."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.3)
            if name.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)


def last(x):
    """(n, channels, ...) with the channels last."""
    return x.movedim(1, -1) if x.dim() > 2 else x


def case(name, module, x, run=None, images=False):
    module.eval()
    stir(module)
    y = (run or (lambda m, x: m(x)))(module, x)
    keep(name + ".x", last(x) if images else x)
    keep(name + ".y", last(y) if images else y)
    for key, value in module.state_dict().items():
        keep(name + "." + key, value)


rand = torch.randn
case("dense", nn.Linear(3, 4), rand(2, 3))
case("unbiased", nn.Linear(3, 2, bias=False), rand(2, 3))
case("steps", nn.Linear(3, 2), rand(2, 4, 3))
case("conv1d", nn.Conv1d(2, 3, 3, stride=2), rand(2, 2, 7), images=True)
case("conv2d", nn.Conv2d(2, 3, (2, 3)), rand(2, 2, 4, 5), images=True)
case("conv3d", nn.Conv3d(2, 2, (2, 1, 2)), rand(1, 2, 3, 3, 3), images=True)
case("transposed2d", nn.ConvTranspose2d(2, 3, (2, 3), stride=2), rand(1, 2, 2, 3), images=True)
case("transposed3d", nn.ConvTranspose3d(2, 1, (2, 1, 2)), rand(1, 2, 2, 2, 2), images=True)
case("depthwise", nn.Conv2d(2, 4, (3, 2), groups=2), rand(2, 2, 4, 4), images=True)
case(
    "separable",
    nn.Sequential(nn.Conv2d(2, 4, 2, groups=2, bias=False), nn.Conv2d(4, 3, 1)),
    rand(1, 2, 3, 4),
    images=True,
)
case(
    "flattened",
    nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(2 * 2 * 3, 2)),
    rand(2, 1, 3, 4),
    run=lambda m, x: m(x),
)
tensors["flattened.x"] = last(tensors["flattened.x"]).contiguous()
case("embedding", nn.Embedding(5, 3), torch.tensor([[1, 4, 0], [2, 2, 3]]))
case("batchNorm", nn.BatchNorm2d(3), rand(2, 3, 2, 2), images=True)
case("layerNorm", nn.LayerNorm(4), rand(2, 3, 4))
case("prelu", nn.PReLU(3), rand(2, 3, 4), images=True)
case("lstm", nn.LSTM(3, 2, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("deepLstm", nn.LSTM(3, 2, num_layers=2, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("bothWays", nn.LSTM(3, 2, bidirectional=True, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("gru", nn.GRU(3, 2, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("gruBothWays", nn.GRU(3, 2, bidirectional=True, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("rnn", nn.RNN(3, 2, batch_first=True), rand(2, 4, 3), run=lambda m, x: m(x)[0])
case("attention", nn.MultiheadAttention(4, 2, batch_first=True), rand(2, 3, 4), run=lambda m, x: m(x, x, x)[0])
key = rand(1, 5, 3)
keep("crossAttention.key", key)
case(
    "crossAttention",
    nn.MultiheadAttention(4, 2, kdim=3, vdim=3, batch_first=True),
    rand(1, 2, 4),
    run=lambda m, x: m(x, key, key)[0],
)

header = {}
place = 0
for name, tensor in tensors.items():
    size = tensor.numel() * 4
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [place, place + size]}
    place += size
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        file.write(struct.pack("<%df" % tensor.numel(), *tensor.flatten().tolist()))
