"""The two models of Keras 1.2.2, as torch modules that are loaded, trained, used and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bigdl.files import Uri
from bigdl.formats.keras_json import architecture
from bigdl.graph import SequentialContainer
from bigdl.models import conversion, loading, saving
from bigdl.models.aliases import required
from bigdl.models.bigdl_face import BigDLFace
from bigdl.models.generator_face import GeneratorFace
from bigdl.models.spark_face import check_no_arrays, columns_by_argument, evaluate_on_spark
from bigdl.models.summary import summary_table
from bigdl.registry import LoadReport, build_graph, custom_object_scope, layer
from bigdl.spark.kinds import is_spark_data
from bigdl.training import endless, evaluate, evaluate_methods, inputs_for, is_torch_data, loader_for, rows_of


@layer()
class Model(GeneratorFace, BigDLFace):
    """A graph of layers from ``Input`` tensors to outputs.

    It speaks Keras 1.2.2 (``compile``, ``fit``, ``evaluate``, ``predict``, ...), BigDL (``load_keras``,
    ``predict_class``, ``training``, ...) and torch: it is a module.

    Args:
        input: The tensor(s) of ``Input`` that the graph starts from.
        output: The tensor(s) that it computes.
        name: Its name; ``model_N`` by default.

    Attributes:
        load_report: Which layers the last weights file filled, which of its layers were skipped and why, and which
            layers were left at their initial values; None before one was loaded.
    """

    load_report: LoadReport | None = None
    load_keras = staticmethod(loading.load_keras)

    @staticmethod
    def load(path: Uri, custom_objects: Mapping[str, Any] | None = None) -> Model:
        """Loads a model that ``save`` wrote.

        Args:
            path: A path or a URI.
            custom_objects: The user's own layers and functions, by name.

        Raises:
            FormatError: The file is not a saved model.
        """
        return loading.load_keras(path, custom_objects=custom_objects)

    @staticmethod
    def loadModel(modelPath: Uri, weightPath: Uri | None = None) -> Model:  # noqa: N802 - BigDL's name
        """Loads a model that ``saveModel`` wrote.

        Args:
            modelPath: Where the model is, a path or a URI.
            weightPath: Where its weights are, if they were written to a file of their own.

        Raises:
            FormatError: A file is not what it should be.
        """
        model = loading.load_keras(modelPath)
        if weightPath is not None:
            model.load_weights(weightPath)
        return model

    def save(
        self,
        path: Uri | None = None,
        over_write: bool = True,
        *,
        filepath: Uri | None = None,
        overwrite: bool | None = None,
    ) -> None:
        """Saves definition and weights to one file, whole or not at all.

        A path that ends in ``.h5`` or ``.hdf5`` is written as Keras 1.2.2's full save, any other in the library's own
        format (safetensors with the definition in its header). A compiled model keeps loss, metrics, optimizer and the
        optimizer's state, and goes on from there when it is loaded: exactly from the library's own format, from Keras's
        but for what Keras does not keep (Nadam's warming starts anew). A warning tells what a file cannot hold.

        Args:
            path: A path or a URI.
            over_write: Whether a file that is there is replaced.
            filepath: Keras's name of ``path``.
            overwrite: Keras's name of ``over_write``.

        Raises:
            FileExistsError: There is a file and ``over_write`` is False; it is left as it is.
        """
        where = required("path", path, "filepath", filepath)
        saving.save(self, where, over_write if overwrite is None else overwrite)

    def saveModel(  # noqa: N802 - BigDL's name
        self, modelPath: Uri, weightPath: Uri | None = None, over_write: bool = False
    ) -> None:
        """Saves as ``save`` does; as in BigDL a file that is there is not replaced unless asked for.

        Args:
            modelPath: A path or a URI.
            weightPath: Where the weights are written too, as ``save_weights`` does.
            over_write: Whether files that are there are replaced.

        Raises:
            FileExistsError: There is a file and ``over_write`` is False; nothing is written then.
        """
        for path in (modelPath, weightPath):
            if path is not None:
                saving.check_free(path, over_write)
        self.save(modelPath)
        if weightPath is not None:
            self.save_weights(weightPath)

    def save_weights(
        self,
        path: Uri | None = None,
        over_write: bool = True,
        *,
        filepath: Uri | None = None,
        overwrite: bool | None = None,
    ) -> None:
        """Writes the weights as Keras 1.2.2's HDF5 file of weights.

        Args:
            path: A path or a URI.
            over_write: Whether a file that is there is replaced.
            filepath: Keras's name of ``path``.
            overwrite: Keras's name of ``over_write``.
        """
        where = required("path", path, "filepath", filepath)
        saving.save_weights(self, where, over_write if overwrite is None else overwrite)

    def export(self, path: Uri, over_write: bool = True) -> None:
        """Writes the model in the format that the path's ending says, whole or not at all.

        ``.onnx``, ``.pt2`` (a program of ``torch.export``), ``.keras`` (Keras 3), ``.safetensors`` (a state dict of
        torch); also what ``save``, ``save_weights`` and ``to_json`` write. A warning of the log tells what is lost.

        Args:
            path: A path or a URI.
            over_write: Whether a file that is there is replaced.

        Raises:
            DataError: The ending is that of no format.
            ExportError: The format has no form for something in the model.
            MissingPackageError: A package that writes the format is not installed.
            FileExistsError: There is a file and ``over_write`` is False; it is left as it is.
        """
        conversion.export(self, path, over_write)

    def load_weights(
        self,
        path: Uri | None = None,
        by_name: bool = False,
        skip_mismatch: bool = False,
        *,
        filepath: Uri | None = None,
        original_backend: str | None = None,
        keras_version: str | None = None,
    ) -> None:
        """Reads weights from an HDF5 file of weights or a full save.

        Args:
            path: A path or a URI.
            by_name: Whether layers are matched by name instead of order.
            skip_mismatch: With ``by_name``, whether layers whose arrays differ in shape are left alone.
            filepath: Keras's name of ``path``.
            original_backend: The backend of Keras that wrote the weights; see ``load_keras``.
            keras_version: The version of Keras that wrote them; see there.

        Raises:
            FormatError: The file is not what it should be.
            WeightMismatchError: The weights do not fit; none is changed then.
        """
        where = required("path", path, "filepath", filepath)
        loading.load_weights(self, where, by_name, skip_mismatch, original_backend, keras_version)

    def to_json(self, **kwargs: Any) -> str:
        """Returns the definition as Keras 1.2.2 writes it.

        Args:
            kwargs: Options of ``json.dumps``, e.g. ``indent``.
        """
        return saving.to_json(self, **kwargs)

    def to_yaml(self) -> str:
        """Returns the definition as YAML of Keras 1.2.2's form, with plain values only."""
        return saving.to_yaml(self)

    def summary(
        self, line_length: int | None = None, positions: Any = None, *, print_fn: Callable[[str], None] = print
    ) -> None:
        """Shows the layers with output shapes, parameters and connections.

        Args:
            line_length: Keras's argument; the columns are as wide as what stands in them.
            positions: Keras's argument, likewise.
            print_fn: Takes the table, as text.
        """
        print_fn(summary_table(self))

    def forward(self, *inputs: Any) -> Any:
        """Computes the output(s), in the mode that the model is in.

        Args:
            inputs: The inputs, one by one or as one list: torch tensors, or NumPy arrays.

        Returns:
            A tensor, or a list where the model has several outputs; arrays if arrays were given.
        """
        given = list(inputs[0]) if len(inputs) == 1 and isinstance(inputs[0], list | tuple) else list(inputs)
        if given and all(isinstance(x, np.ndarray) for x in given):
            with torch.no_grad():
                return _to_numpy(super().forward(inputs_for(self, given)))
        return super().forward(*given)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: Any = 32,
        verbose: int = 1,
        sample_weight: Any = None,
        *,
        features_col: Any = "features",
        label_col: Any = "label",
        sample_weight_col: Any = None,
        preprocess: Any = None,
    ) -> Any:
        """Computes loss and metrics; also what BigDL means by ``evaluate``.

        - ``evaluate(x, y, batch_size=32, verbose=1, sample_weight=None)``, Keras's: the loss that the model was
          compiled with; a list in the order of ``metrics_names`` where there are metrics.
        - ``evaluate(data, batch_size, val_methods)``, BigDL's: a list of results, one for each method; ``data`` is
          ``(X, Y)``, a list of ``Sample``, or an RDD of them or a DataFrame of Spark.
        - ``evaluate(frame, batch_size=32)``: Keras's, of the rows of a DataFrame or an RDD.
        - ``evaluate()``, BigDL's: puts the model into evaluation mode and returns it.

        Args:
            x: The inputs, or a data set or loader of torch that gives inputs and targets; BigDL's: inputs and targets.
            y: The targets; BigDL's: the batch size.
            batch_size: Rows at a time; BigDL's: the validation methods.
            verbose: 1 shows a progress bar on a terminal.
            sample_weight: A weight for each row.
            features_col: Of a DataFrame, the column of each input; see ``fit``.
            label_col: Of a DataFrame, the column of each output's targets.
            sample_weight_col: Of a DataFrame, the column of each output's sample weights.
            preprocess: Of a DataFrame or an RDD, what the inputs pass through; see ``fit``.

        Raises:
            DataError: The data does not fit the model.
            TrainingError: The model is not compiled (Keras's form).
        """
        if x is None:
            return self.eval()
        if is_spark_data(x):
            methods, size = (batch_size, y) if isinstance(batch_size, list | tuple) else (None, batch_size)
            check_no_arrays(y=None if methods else y, sample_weight=sample_weight)
            columns = columns_by_argument(features_col, label_col, sample_weight_col, preprocess)
            return evaluate_on_spark(self, x, size, methods, None if methods else self.compiled, columns)
        if isinstance(batch_size, list | tuple):
            return evaluate_methods(self, x, y, batch_size)
        if is_torch_data(x):
            return self.evaluate_generator(endless(loader := loader_for(x, batch_size)), rows_of(loader))
        return evaluate(self, self.compiled, x, y, batch_size, verbose, sample_weight)

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Makes a model from what ``get_config`` returned, weights at their initial values.

        Args:
            config: The configuration.
            custom_objects: The user's own layers and functions, by name.
        """
        with custom_object_scope(custom_objects):
            return build_graph(architecture(config, cls.__name__))


@layer()
class Sequential(SequentialContainer, Model):
    """A chain of layers, each applied to the output of the one before.

    Args:
        layers: The layers, in order.
        name: Its name; ``sequential_N`` by default.
    """


def _to_numpy(outputs: Tensor | Sequence[Tensor]) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.detach().cpu().numpy()
    return [output.detach().cpu().numpy() for output in outputs]
