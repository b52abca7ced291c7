"""Figure places: where a cell stands in each of the paper's figures; None where it lacks what that takes."""

from daemon.report.figure import Point
from daemon.report.measured_cell import MeasuredCell


def accuracy(cell: MeasuredCell) -> Point | None:
    """Return figure 1's bar, in per cent."""
    return Point(x=0, y=cell.paper.literature_top1_pct) if cell.paper else None


def accuracy_by_operations(cell: MeasuredCell) -> Point | None:
    """Return figure 2's blob: per cent over 10⁹ operations, as counted."""
    if not cell.spec or not cell.paper:
        return None
    return Point(x=1e-9 * cell.spec.ops, y=cell.paper.literature_top1_pct, area=1e-6 * cell.spec.params)


def published_accuracy_by_operations(cell: MeasuredCell) -> Point | None:
    """Return figure 2's blob as the paper has it."""
    if not cell.spec or not cell.paper:
        return None
    return Point(x=cell.paper.gops, y=cell.paper.literature_top1_pct, area=cell.paper.mparams)


def time_by_batch(cell: MeasuredCell) -> Point | None:
    """Return figure 3's point: milliseconds over images in a batch."""
    if cell.image_s is None:
        return None
    time = cell.image_s
    return Point(x=cell.batch_size, y=1e3 * time.value, y_u95=1e3 * time.u95, degraded=cell.degraded)


def net_power_by_batch(cell: MeasuredCell) -> Point | None:
    """Return figure 4's point: watts over images in a batch."""
    power = cell.net_power_w
    return Point(x=cell.batch_size, y=power.value, y_u95=power.u95, degraded=cell.degraded) if power else None


def memory_by_batch(cell: MeasuredCell) -> Point | None:
    """Return figure 5's point: megabytes over images in a batch."""
    return Point(x=cell.batch_size, y=1e-6 * cell.memory_bytes, degraded=cell.degraded) if cell.memory_bytes else None


def memory_by_parameters(cell: MeasuredCell) -> Point | None:
    """Return figure 6's point: megabytes over megabytes of parameters at four bytes each."""
    if not cell.spec or not cell.memory_bytes:
        return None
    return Point(x=4e-6 * cell.spec.params, y=1e-6 * cell.memory_bytes, degraded=cell.degraded)


def operations_by_time(cell: MeasuredCell) -> Point | None:
    """Return figure 7's point: 10⁹ operations over milliseconds."""
    if not cell.spec or cell.image_s is None:
        return None
    time = cell.image_s
    return Point(x=1e3 * time.value, x_u95=1e3 * time.u95, y=1e-9 * cell.spec.ops, degraded=cell.degraded)


def operations_by_power(cell: MeasuredCell) -> Point | None:
    """Return figure 8's point: 10⁹ operations over watts."""
    power = cell.net_power_w
    if not cell.spec or not power:
        return None
    return Point(x=power.value, x_u95=power.u95, y=1e-9 * cell.spec.ops, degraded=cell.degraded)


def accuracy_by_rate(cell: MeasuredCell) -> Point | None:
    """Return figure 9's point: per cent over images in a second."""
    rate = cell.images_per_s
    if not cell.paper or rate is None:
        return None
    return Point(x=rate.value, x_u95=rate.u95, y=cell.paper.literature_top1_pct, degraded=cell.degraded)


def density(cell: MeasuredCell) -> Point | None:
    """Return figure 10's bar: per cent for a million parameters."""
    if not cell.spec or not cell.paper:
        return None
    return Point(x=0, y=cell.paper.literature_top1_pct / (1e-6 * cell.spec.params))
