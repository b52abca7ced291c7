"""Memory table: what each network's tensors take, without torch, so that a board can refuse before it loads anything.

The numbers are those of `activation_memory`, held against it by a test. Computing them costs a process 75 MB and two
seconds, for what torch loads to run on shapes alone: on a small board that is what the refusal is to save.
Print them again: python -m runners.networks.memory_table
"""

import sys
from dataclasses import dataclass

from runners.networks.catalogue import NETWORKS, NetworkSpec

ELEMENT_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}
"""Length of a number of each precision, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMemory:
    """What a network's tensors take, apart from its parameters."""

    buffers: int
    """Numbers in buffers (means and variances of batch normalisation), which have the precision's length."""
    counters_bytes: int
    """Buffers of whole numbers, in bytes; no precision changes them."""
    peak_fp32_bytes: int
    """Activations alive at once for one image in single precision, at most; the batch multiplies it."""
    peak_half_bytes: int
    """The same in fp16 and bf16; more than half where the indices of a pooling count, which keep their length."""

    def buffers_bytes(self, precision: str) -> int:
        """Return the size of all buffers in bytes."""
        return self.buffers * element_bytes(precision) + self.counters_bytes

    def peak_bytes(self, precision: str) -> int:
        """Return the most that activations of one image take at once, in bytes."""
        return self.peak_half_bytes if element_bytes(precision) == ELEMENT_BYTES["fp16"] else self.peak_fp32_bytes


def element_bytes(precision: str) -> int:
    """Return the length of a number in bytes; of a precision unknown here that of fp32, which is the longest."""
    return ELEMENT_BYTES.get(precision, ELEMENT_BYTES["fp32"])


def network_memory(name: str) -> NetworkMemory | None:
    """Return a network's row; None for one that is not of the catalogue."""
    row = _ROWS.get(name)
    return None if row is None else NetworkMemory(**dict(zip(NetworkMemory.__slots__, row, strict=True)))


_ROWS: dict[str, tuple[int, int, int, int]] = {
    "alexnet": (0, 0, 6_765_120, 3_382_560),
    "bn_alexnet": (19_136, 96, 1_180_032, 649_536),
    "bn_nin": (10_560, 96, 3_612_672, 1_806_336),
    "enet": (17_312, 296, 8_028_160, 4_014_080),
    "googlenet": (0, 0, 14_500_864, 7_250_432),
    "vgg16": (0, 0, 25_690_112, 14_450_688),
    "vgg19": (0, 0, 25_690_112, 14_450_688),
    "resnet18": (9_600, 160, 6_422_528, 3_612_672),
    "resnet34": (17_024, 288, 6_422_528, 3_612_672),
    "resnet50": (53_120, 424, 11_239_424, 5_619_712),
    "resnet101": (105_344, 832, 11_239_424, 5_619_712),
    "resnet152": (151_424, 1_240, 11_239_424, 5_619_712),
    "inception_v3": (34_432, 752, 13_829_760, 6_914_880),
    "inception_v4": (63_168, 1_192, 13_829_760, 6_914_880),
}


def computed_memory(spec: NetworkSpec) -> NetworkMemory:
    """Return a network's row from its module (needs torch)."""
    import torch

    from runners.networks.activation_memory import computed_activations
    from runners.networks.build import build_skeleton

    module = build_skeleton(spec.name)
    numbers = [one for one in module.buffers() if one.is_floating_point()]
    counters = [one for one in module.buffers() if not one.is_floating_point()]
    image = torch.empty(1, 3, spec.input_px, spec.input_px, device="meta")
    peak_fp32 = computed_activations(module, image).peak_bytes
    peak_half = computed_activations(module.half(), image.half()).peak_bytes
    return NetworkMemory(
        buffers=sum(one.numel() for one in numbers),
        counters_bytes=sum(one.nbytes for one in counters),
        peak_fp32_bytes=peak_fp32,
        peak_half_bytes=peak_half,
    )


if __name__ == "__main__":
    for one in NETWORKS:
        found = computed_memory(one)
        numbers_text = ", ".join(f"{getattr(found, name):_}" for name in NetworkMemory.__slots__)
        sys.stdout.write(f'    "{one.name}": ({numbers_text}),\n')
