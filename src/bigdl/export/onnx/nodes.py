"""The nodes of an ONNX graph while it is written: their names, and which of them are needed."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from bigdl.graph import Shape


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Attributes:
        op: The operator.
        name: Its name.
        inputs: The names of what it takes; an empty one for an input that is left out.
        outputs: The names of what it makes.
        attributes: Numbers, texts, or lists of these.
        domain: The domain of the operator, ONNX's own by default.
        body: What it repeats, where it is a loop.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    domain: str = ""
    body: Nodes | None = None

    def all_inputs(self) -> Iterator[str]:
        """Gives the names of what it takes, from inside of a loop too."""
        yield from self.inputs
        for node in self.body.nodes if self.body else ():
            yield from node.all_inputs()

    def renamed(self, old: str, new: str) -> Node:
        """Returns the node with another name for a tensor."""
        if self.body is not None:
            self.body.nodes = [node.renamed(old, new) for node in self.body.nodes]
        inputs = tuple(new if name == old else name for name in self.inputs)
        return replace(self, inputs=inputs, outputs=tuple(new if name == old else name for name in self.outputs))


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output.

    Attributes:
        name: Its name.
        dtype: Its dtype.
        shape: Its shape; None where the length is open.
    """

    name: str
    dtype: np.dtype[Any]
    shape: Shape


@dataclass
class Nodes:
    """Nodes, inputs and outputs.

    Attributes:
        nodes: The nodes, in an order in which they can run.
        inputs: The inputs.
        outputs: The outputs.
    """

    nodes: list[Node] = field(default_factory=list)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    _scope: tuple[str, ...] = ()
    _used: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Puts a layer's name before the names of what is added inside the block."""
        before = self._scope
        self._scope = (*before, name)
        try:
            yield
        finally:
            self._scope = before

    def unique(self, name: str) -> str:
        """Returns a name below the layer's that nothing has yet."""
        full = "/".join((*self._scope, name))
        numbered = (f"{full}_{i}" if i else full for i in itertools.count())
        found = next(each for each in numbered if each not in self._used)
        self._used.add(found)
        return found

    def add(
        self,
        op: str,
        *inputs: str,
        outputs: int = 1,
        domain: str = "",
        body: Self | None = None,
        **attributes: Any,
    ) -> Any:
        """Adds a node.

        Args:
            op: The operator.
            inputs: The names of what it takes; an empty one for what is left out.
            outputs: How many tensors it makes.
            domain: The operator's domain; ONNX's own by default.
            body: What it repeats, where it is a loop.
            attributes: Its attributes; those of value None are left out.

        Returns:
            The name of what it makes, or a list of them.
        """
        name = self.unique(op)
        made = [name] if outputs == 1 else [self.unique(f"{op}_out{i}") for i in range(outputs)]
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(Node(op, name, inputs, tuple(made), given, domain, body))
        return made[0] if outputs == 1 else made

    def input(self, name: str, dtype: Any, shape: Shape) -> str:
        """Adds an input and returns its name."""
        unique = self.unique(name)
        self.inputs.append(Port(unique, np.dtype(dtype), shape))
        return unique

    def output(self, name: str, dtype: Any, shape: Shape) -> None:
        """Makes a tensor an output."""
        self.outputs.append(Port(name, np.dtype(dtype), shape))

    def rename(self, old: str, new: str) -> str:
        """Gives a tensor that a node makes another name; that of an input or an output is copied.

        Returns:
            The new name, with a number if it is taken.
        """
        new = self.unique(new)
        if any(old in node.outputs for node in self.nodes) and old not in {port.name for port in self.outputs}:
            self.nodes = [node.renamed(old, new) for node in self.nodes]
        else:
            self.nodes.append(Node("Identity", f"{new}/Identity", (old,), (new,), {}))
        return new

    def drop_unused(self) -> None:
        """Drops the nodes that no output needs."""
        needed = {port.name for port in self.outputs}
        kept = []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                if node.body is not None:
                    node.body.drop_unused()
                kept.append(node)
                needed.update(node.all_inputs())
        self.nodes = kept[::-1]
