"""The paper's published values of the fourteen networks, to stand beside what is counted and measured here.

Canziani, Paszke, Culurciello, "An Analysis of Deep Neural Network Models for Practical Applications" (2016,
arXiv 1605.07678), figure 2: operations and parameters as plotted there. Some differ from the published networks; each
remark says why. Accuracies are the literature's, of several tools and weights, never a
measurement of this project: their names say so. `runners.accuracy` measures them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperValues:
    """What the paper plots of one network."""

    literature_top1_pct: float
    """Images of the validation set whose class is found at the first guess, in per cent, as others measured it."""
    gops: float
    """Operations for one image, in 10^9."""
    mparams: float
    """Parameters, in 10^6."""
    literature_top1_source: str
    """Whose weights the accuracy is of."""
    remark: str = ""
    """Why the paper's operations or parameters differ from the published network's; empty where they do not."""


PAPER_VALUES = {
    "alexnet": PaperValues(
        literature_top1_pct=54.61,
        gops=2.26,
        mparams=60.97,
        literature_top1_source="imagenet-validation.torch (bvlc_alexnet)",
        remark="the paper counts grouped convolutions as dense",
    ),
    "bn_alexnet": PaperValues(
        literature_top1_pct=56.6,
        gops=1.3,
        mparams=60.54,
        literature_top1_source="imagenet-validation.torch",
    ),
    "bn_nin": PaperValues(
        literature_top1_pct=62.62,
        gops=2.52,
        mparams=8.64,
        literature_top1_source="imagenet-validation.torch",
        remark="the paper leaves the parameters of batch normalisation out",
    ),
    "enet": PaperValues(
        literature_top1_pct=68.4,
        gops=1.57,
        mparams=5.86,
        literature_top1_source="ENet V12 (Culurciello 2016)",
    ),
    "googlenet": PaperValues(
        literature_top1_pct=68.7,
        gops=3.0,
        mparams=6.99,
        literature_top1_source="BVLC Caffe model zoo",
        remark="the paper doubles a rounded 1.5 G multiply-adds, and leaves biases out of the parameters",
    ),
    "vgg16": PaperValues(
        literature_top1_pct=70.62,
        gops=30.97,
        mparams=138.36,
        literature_top1_source="imagenet-validation.torch",
    ),
    "vgg19": PaperValues(
        literature_top1_pct=70.74,
        gops=39.29,
        mparams=143.67,
        literature_top1_source="imagenet-validation.torch",
    ),
    "resnet18": PaperValues(
        literature_top1_pct=69.57,
        gops=3.63,
        mparams=11.69,
        literature_top1_source="fb.resnet.torch",
    ),
    "resnet34": PaperValues(
        literature_top1_pct=73.27,
        gops=7.34,
        mparams=21.8,
        literature_top1_source="fb.resnet.torch",
    ),
    "resnet50": PaperValues(
        literature_top1_pct=75.99,
        gops=8.21,
        mparams=25.56,
        literature_top1_source="fb.resnet.torch",
    ),
    "resnet101": PaperValues(
        literature_top1_pct=77.56,
        gops=15.65,
        mparams=44.6,
        literature_top1_source="fb.resnet.torch",
        remark="the paper counts biases of convolutions, which the published network does not have",
    ),
    "resnet152": PaperValues(
        literature_top1_pct=77.84,
        gops=23.1,
        mparams=60.27,
        literature_top1_source="fb.resnet.torch",
        remark="the paper counts biases of convolutions, which the published network does not have",
    ),
    "inception_v3": PaperValues(
        literature_top1_pct=78.53,
        gops=11.45,
        mparams=23.85,
        literature_top1_source="imagenet-validation.torch",
        remark="the paper's network has 1008 classes",
    ),
    "inception_v4": PaperValues(
        literature_top1_pct=80.1,
        gops=18.44,
        mparams=31.57,
        literature_top1_source="unknown (TF-slim reports 80.2)",
        remark="the paper's values are those of no published variant",
    ),
}
"""By the networks' names."""
