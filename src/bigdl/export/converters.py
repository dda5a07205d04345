"""Which function writes a layer in another format."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Generic, TypeVar

from bigdl.graph import Layer

F = TypeVar("F", bound=Callable[..., object])


class Converters(Generic[F]):
    """Functions by the class of the layers that they write.

    A subclass of such a class may compute something else, so that it is not written by the class's function.
    """

    def __init__(self) -> None:
        self._functions: dict[type[Layer], F] = {}

    def of(self, *classes: type[Layer]) -> Callable[[F], F]:
        """Decorator that makes a function the one of classes.

        Args:
            classes: The classes.
        """

        def register(function: F) -> F:
            for each in classes:
                assert each not in self._functions, f"{each.__name__} has a function already"
                self._functions[each] = function
            return function

        return register

    def find(self, cls: type[Layer]) -> F | None:
        """Returns the function of a class, None where it has none."""
        return self._functions.get(cls)

    def told(self, cls: type[Layer]) -> tuple[str, str] | None:
        """Returns what the docstring of a class's function tells: what it writes, and the restrictions.

        None where the class has no function.
        """
        function = self.find(cls)
        if function is None:
            return None
        text, _, restrictions = inspect.cleandoc(function.__doc__ or "").partition("Restrictions:")
        written, restrictions = (" ".join(part.replace("``", "`").split()) for part in (text, restrictions))
        return written, restrictions
