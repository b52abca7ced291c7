"""ONNX Runtime: a network exported from its torch definition, on the CPU or CUDA."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.allocation_failure import is_allocation_failure
from runners.backends.backend import check_precision
from runners.errors import OutOfMemory, WorkloadError
from runners.networks.catalogue import NetworkSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""ONNX Runtime's name of each device."""
_PRECISIONS = {"cpu": ("fp32",), "cuda": ("fp32", "fp16")}
_ERRORS_ONLY = 3


def check_onnx() -> None:
    """Raise WorkloadError, with what to do, where a package is missing."""
    missing = [name for name in ("onnxruntime", "onnx") if find_spec(name) is None]
    if missing:
        raise WorkloadError(
            f'the back end onnx needs {" and ".join(missing)}, not installed here: pip install "joulebench[onnx]"'
        )


def onnx_devices() -> tuple[str, ...]:
    """Return the devices that the installed ONNX Runtime has, the fastest first."""
    import onnxruntime

    found = set(onnxruntime.get_available_providers())
    return tuple(name for name in ("cuda", "cpu") if PROVIDERS[name] in found)


class LoadedOnnxNetwork:
    """A session of ONNX Runtime, its images bound to its input on the device."""

    def __init__(self, session: Any, images: "NDArray[Any]", device: str) -> None:
        import onnxruntime

        from runners.backends.onnx_graph import IMAGES, SCORES

        self._session = session
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(IMAGES, onnxruntime.OrtValue.ortvalue_from_numpy(images, device, 0))
        self._binding.bind_output(SCORES, device)
        self._inferred = False

    def infer(self) -> None:
        """Infer the batch once; raise WorkloadError where the network was released."""
        if self._session is None:
            raise WorkloadError("the network was released")
        self._session.run_with_iobinding(self._binding)
        self._inferred = True

    def synchronize(self) -> None:
        """Wait until the device is done."""
        self._binding.synchronize_outputs()

    def scores(self) -> "NDArray[np.float32]":
        """Return the class scores of the last batch; raise WorkloadError before the first."""
        if not self._inferred:
            raise WorkloadError("no batch was inferred")
        scores: NDArray[np.float32] = self._binding.copy_outputs_to_cpu()[0].astype("float32")
        return scores

    def release(self) -> None:
        """Give the memory back."""
        self._binding = self._session = None
        self._inferred = False


class OnnxRuntime:
    """ONNX Runtime on a device."""

    def __init__(self, device: str, folder: Path | None = None) -> None:
        """Take `cpu` or `cuda`, and where exported networks are kept (None: the user's cache).

        Raises:
            WorkloadError: A package is missing, or the installed ONNX Runtime has no such device.
        """
        check_onnx()
        import onnxruntime

        if device not in onnx_devices():
            raise WorkloadError(
                f"device {device}: the installed ONNX Runtime has none; use --device cpu, or install onnxruntime-gpu"
            )
        self._device = device
        self._folder = folder
        self.name = f"onnx-{device}"
        self.precisions = _PRECISIONS[device]
        threads = f", {_threads()} threads" if device == "cpu" else ""
        self.description = f"ONNX Runtime {onnxruntime.__version__}, {device.upper()}{threads}"

    def native_precisions(self) -> tuple[str, ...]:
        """Return the number formats that the device computes in."""
        return self.precisions

    def load(
        self, spec: NetworkSpec, *, batch_size: int, precision: str, seed: int = 0, weights: Path | None = None
    ) -> LoadedOnnxNetwork:
        """Return a network with its images on the device.

        Raises:
            WorkloadError: It cannot be had as asked for.
            OutOfMemory: An allocation failed meanwhile.
        """
        check_precision(self, precision)
        from runners.backends.torch_device import DTYPES
        from runners.backends.torch_network import seeded_images

        path = self._exported(spec, precision=precision, seed=seed, weights=weights)
        images = seeded_images(spec, batch_size=batch_size, seed=seed).to(DTYPES[precision]).numpy()
        try:
            session = self._session(path, batch_size)
        except Exception as error:  # ONNX Runtime's errors have no root but this
            if is_allocation_failure(error):
                problem = f"an allocation failed ({error})"
                raise OutOfMemory(spec.name, batch_size, precision, problem) from error
            raise WorkloadError(f"ONNX Runtime does not load {path.name}: {error}") from error
        self._check_provider(session)
        return LoadedOnnxNetwork(session, images, self._device)

    def _exported(self, spec: NetworkSpec, *, precision: str, seed: int, weights: Path | None) -> Path:
        """Return the file of the network's graph; torch's own copy of the weights is gone on return."""
        from runners.backends.onnx_store import OnnxStore, default_folder
        from runners.backends.torch_device import DTYPES
        from runners.backends.torch_network import weighted_network

        network = weighted_network(spec, seed=seed, weights=weights).to(DTYPES[precision])
        return OnnxStore(self._folder or default_folder()).model(network, spec, precision=precision)

    def _session(self, path: Path, batch_size: int) -> Any:
        import onnxruntime

        from runners.backends.onnx_graph import BATCH

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = _threads()
        options.add_free_dimension_override_by_name(BATCH, batch_size)
        provider = PROVIDERS[self._device]
        # What is reported as fp32 must be fp32, not rounded to ten bits of mantissa.
        choices = {"use_tf32": "0"} if self._device == "cuda" else {}
        return onnxruntime.InferenceSession(path, options, providers=[(provider, choices)])

    def _check_provider(self, session: Any) -> None:
        provider = PROVIDERS[self._device]
        if session.get_providers()[0] != provider:
            # It says so in its log at most, and would be measured as if it were the device asked for.
            raise WorkloadError(
                f"ONNX Runtime has {provider}, but does not get it to work: is CUDA of its version there?"
            )


def _threads() -> int:
    """Return the threads of inference on the CPU: as many as torch takes, so that back ends compare."""
    import torch

    return torch.get_num_threads()
