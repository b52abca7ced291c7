"""Local response normalisation across channels, in every number format.

Krizhevsky et al. (2012), section 3.3, with Caffe's scaling: `b = a / (k + alpha/n * sum of a^2 over n channels)^beta`.
torch's own goes through a three-dimensional pooling, which some formats and devices lack, and is several times slower.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

SIZE, ALPHA, BIAS = 5, 1e-4, 1.0
"""Channels summed, scale of the sum, and the constant beside it; the exponent beta is 3/4."""


class ResponseNorm(nn.Module):
    """Keeps the shape (n, channels, height, width)."""

    def forward(self, values: Tensor) -> Tensor:
        """Return each value divided by the size of its neighbours in the channels around it."""
        channels, margin = values.shape[1], SIZE // 2
        squares = pad(values * values, (0, 0, 0, 0, margin, margin))
        total = squares[:, :channels]
        for offset in range(1, SIZE):
            total = total + squares[:, offset : offset + channels]
        scale = BIAS + ALPHA / SIZE * total
        # scale^(-3/4) by two square roots: a general power costs as much as the convolution before it.
        return values * torch.rsqrt(scale * torch.sqrt(scale))
