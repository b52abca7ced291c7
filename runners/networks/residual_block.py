"""Residual block: what all blocks with a shortcut have in common."""

from abc import abstractmethod

from torch import nn


class ResidualBlock(nn.Module):
    """A branch whose output is added to a shortcut around it."""

    @property
    @abstractmethod
    def closing_norm(self) -> nn.BatchNorm2d:
        """The normalisation that ends the branch, just before the sum."""
