"""Looks for damaged files that are neither read nor refused, guided by coverage: ``make fuzz SECONDS=600``.

An input that lets anything but a ``BigDLError`` out, takes 20 seconds or 2 GB stays in ``build/fuzz`` and ends the run;
``python -m tests.fuzz.fuzz_formats FILE`` runs it again. What was covered stays there too, for the next run.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["bigdl"]):
    from bigdl.errors import BigDLError
    from bigdl.formats import read_definition
    from tests.formats.test_fuzz import DATA, read_all

OUTPUT = Path("build/fuzz")
COPY = OUTPUT / "copy"


def read(data: bytes) -> None:
    """Reads ``data`` as a definition, as a saved model, and as the weights of another definition."""
    with suppress(BigDLError):
        read_definition(data, "m")
    COPY.write_bytes(data)
    for arguments in ((COPY,), (DATA / "1.2.2" / "nested.json", COPY)):
        with suppress(BigDLError):
            read_all(*arguments)


def words(value: Any) -> Iterator[str]:
    """Gives every string inside a definition."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for child in value.values():
            yield from words(child)
    elif isinstance(value, list):
        for child in value:
            yield from words(child)


def write_dictionary(path: Path) -> None:
    """Writes the words of definitions, which random bytes would hardly hit, in libFuzzer's form."""
    found = {word for file in DATA.glob("*/*.json") for word in words(json.loads(file.read_text())) if len(word) < 30}
    path.write_text("".join(f'"{word}"\n' for word in sorted(found) if word.isidentifier()))


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "covered").mkdir(exist_ok=True)
    write_dictionary(OUTPUT / "words")
    limits = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]
    places = [f"-dict={OUTPUT / 'words'}", f"-artifact_prefix={OUTPUT}/"]
    folders = [str(OUTPUT / "covered"), *(str(folder) for folder in sorted(DATA.iterdir()) if folder.is_dir())]
    files = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    atheris.Setup([sys.argv[0], *limits, *places, *sys.argv[1:], *([] if files else folders)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
