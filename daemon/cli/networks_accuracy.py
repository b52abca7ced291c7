"""`joulebench networks accuracy`: top-1 and top-5 of a network with given weights, over a folder of labelled images."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from daemon.cli.board import Device, DeviceOption, ThreadsOption
from daemon.cli.command_line import check_folder
from daemon.cli.completion import network_names
from daemon.cli.counting_bar import counting_bar
from daemon.cli.networks import JsonOption
from runners.networks.paper import PAPER_VALUES

if TYPE_CHECKING:
    from runners.accuracy.accuracy_result import AccuracyResult, Share, Subject
    from runners.accuracy.evaluation import OnBatch, Scorer
    from runners.accuracy.image_list import Sample
    from runners.accuracy.progress_file import CountedBatch, ProgressFile

NAMED = 3
"""Damaged images that the error at the end names; each was named when it was met."""


def accuracy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Network to evaluate.", autocompletion=network_names)],
    weights: Annotated[
        Path, typer.Option("--weights", metavar="FILE", help="Trained weights: state dict, checkpoint, safetensors.")
    ],
    images: Annotated[
        Path,
        typer.Option("--images", metavar="DIR", help="One folder a class; with --labels, all images in this one."),
    ],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="A line NAME LABEL or NAME,LABEL for each image."),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            "--classes", metavar="FILE", help="All 1000 class names, a line each, in the order of their indices."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Take only a random sample of so many images.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of that sample.")] = 0,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Images in one batch.")] = 16,
    precision: Annotated[str, typer.Option("--precision", help="Number format: fp32, fp16, bf16.")] = "fp32",
    device: DeviceOption = Device.AUTO,
    threads: ThreadsOption = None,
    progress: Annotated[
        Path | None,
        typer.Option(
            "--progress",
            metavar="FILE",
            help="Keeps what is done; left out: accuracy-NAME.jsonl in this folder.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again; without it an interrupted evaluation goes on.")
    ] = False,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave images that cannot be read out of the count; else an error.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure top-1 and top-5 accuracy of a network with given weights: single central crop, with a 95 % interval.

    Called again after an interruption it goes on with the next batch. Exit status 1: images were damaged.
    """
    check_folder(progress, option="--progress")
    from runners.accuracy.image_list import Sample

    sample = None if limit is None else Sample(limit=limit, seed=seed)
    subject = _subject(
        name, weights, images, labels=labels, classes=classes, sample=sample, precision=precision, device=device.value
    )
    _say(subject.images.remarks)
    score = _scorer(subject, weights, threads)
    result = _evaluated(
        subject, score, progress or Path(f"accuracy-{name}.jsonl"), weights, batch_size=batch_size, fresh=fresh
    )
    _refuse_damaged(result, skip=skip_damaged)
    typer.echo(json.dumps(_document(result), indent=2) if as_json else _sentences(result))


def _subject(
    name: str,
    weights: Path,
    images: Path,
    *,
    labels: Path | None,
    classes: Path | None,
    sample: "Sample | None",
    precision: str,
    device: str,
) -> "Subject":
    """Return what is to be evaluated; whatever is missing is refused here, before anything takes time."""
    from daemon.cli.board_torch import require_torch
    from runners.accuracy.image_reader import require_pillow
    from runners.accuracy.preprocessing import preprocessing_of

    preprocessing = preprocessing_of(name)
    require_torch()
    require_pillow()
    from runners.accuracy.accuracy_result import Subject
    from runners.accuracy.image_list import list_images
    from runners.accuracy.torch_weights import sha256_of
    from runners.backends.torch_device import select_device

    backend = select_device(device)
    backend.dtype(precision)
    checksum = sha256_of(weights)
    listed = list_images(images, labels=labels, classes=classes)
    return Subject(
        network=name,
        weights_sha256=checksum,
        images=listed if sample is None else listed.drawn(sample),
        sample=sample,
        preprocessing=preprocessing,
        precision=precision,
        device=backend.name,
    )


def _scorer(subject: "Subject", weights: Path, threads: int | None) -> "Scorer":
    import torch

    from runners.accuracy.torch_scorer import torch_scorer
    from runners.accuracy.torch_weights import network_with_weights
    from runners.backends.torch_device import select_device

    if threads is not None:
        torch.set_num_threads(threads)
    network = network_with_weights(subject.network, weights)
    backend = select_device(subject.device)
    return torch_scorer(network, name=subject.network, backend=backend, precision=subject.precision)


def _evaluated(
    subject: "Subject", score: "Scorer", kept: Path, weights: Path, *, batch_size: int, fresh: bool
) -> "AccuracyResult":
    """Evaluate what is left, with a progress bar on standard error."""
    from runners.accuracy.accuracy_result import result_of
    from runners.accuracy.evaluation import evaluate
    from runners.accuracy.progress_file import ProgressFile

    images = subject.images.images
    with ProgressFile(kept, subject.document(), fresh=fresh) as done, _bar(subject, done) as show:
        resumed = len(done.scored())
        evaluate(
            images,
            score=score,
            preprocessing=subject.preprocessing,
            batch_size=batch_size,
            progress=done,
            on_batch=show,
        )
        return result_of(done, subject, weights=weights, resumed=resumed)


@contextmanager
def _bar(subject: "Subject", done: "ProgressFile") -> Iterator["OnBatch"]:
    """Yield what moves the bar by a batch, and names each damaged image."""
    images, scored = subject.images.images, len(done.scored())
    right = sum(batch.top1 for batch in done.batches)
    # The first batches are slower, and those before an interruption took no time now.
    with counting_bar(rate_of_last_s=120) as progress:
        task = progress.add_task(subject.network, total=len(images), completed=scored)

        def show(batch: "CountedBatch") -> None:
            nonlocal scored, right
            scored += len(batch.positions)
            right += batch.top1
            for place, problem in batch.damaged.items():
                text = f"{images[int(place)].name} is damaged: {problem}"
                progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
            description = f"{subject.network}, top-1 {100 * right / scored:.1f} %" if scored else subject.network
            progress.update(task, advance=len(batch.positions) + len(batch.damaged), description=description)

        yield show


def _refuse_damaged(result: "AccuracyResult", *, skip: bool) -> None:
    if not result.damaged or skip:
        return
    from runners.errors import DatasetError

    names = ", ".join(list(result.damaged)[:NAMED])
    more = f" and {len(result.damaged) - NAMED} more" if len(result.damaged) > NAMED else ""
    raise DatasetError(
        f"{len(result.damaged)} of {len(result.subject.images.images)} images are damaged: {names}{more}; all others "
        f"are counted and kept, so put whole files in their place, or give --skip-damaged, and call again"
    )


def _document(result: "AccuracyResult") -> dict[str, object]:
    paper = PAPER_VALUES[result.subject.network]
    return {
        **result.document(),
        "literature_top1_pct": paper.literature_top1_pct,
        "literature_top1_source": paper.literature_top1_source,
    }


def _sentences(result: "AccuracyResult") -> str:
    subject, paper = result.subject, PAPER_VALUES[result.subject.network]
    damaged = f", {len(result.damaged)} damaged ones left out" if result.damaged else ""
    assumed = subject.preprocessing.assumed
    lines = [
        f"{subject.network}, measured over {result.scored} images{damaged}, {result.duration_s:.0f} s:",
        f"  top-1 {_share(result.top1)}",
        f"  top-5 {_share(result.top5)}",
        f"  weights {result.weights}, sha256 {subject.weights_sha256}",
        *(f"  {remark}" for remark in subject.images.remarks),
        *([f"  pre-processing assumes {assumed}"] if assumed else []),
        f"literature, of other weights and tools: top-1 {paper.literature_top1_pct:.2f} % "
        f"({paper.literature_top1_source})",
    ]
    return "\n".join(lines)


def _share(share: "Share") -> str:
    return f"{share.pct:.2f} %, 95 % interval {share.low_pct:.2f} to {share.high_pct:.2f} %"


def _say(remarks: tuple[str, ...]) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for remark in remarks:
        console.print(remark, markup=False, highlight=False)
