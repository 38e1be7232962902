"""Every error a user can meet, in one tree.

    DetectattnError
    ├── ConfigError             a preset or an option that cannot be used (exit 2)
    ├── SourceError             something to read
    │   ├── SourceNotFound      no such path, pattern without a match
    │   ├── EmptySource         a folder or list that holds nothing to detect on
    │   ├── UndecodableImage    bytes that are no picture, or a damaged one
    │   │   ├── TruncatedImage  a picture cut short
    │   │   └── LfsPointer      a Git LFS pointer in place of the picture
    │   ├── ImageTooLarge       more pixels than the limit allows to decode
    │   ├── UndecodableVideo    a video that cannot be opened, or breaks off
    │   ├── MissingDecoder      a format whose decoder is not installed
    │   ├── DecoderError        a decoder that fails in a way of its own
    │   ├── DecoderCrashed      a decoder that took its process with it
    │   ├── DecoderHung         a decoder that did not come to an end
    │   ├── StreamLost          a camera or stream that cannot be reached, or went away
    │   └── UnreadableRecord    a line of a records file that is no record
    │       ├── TornRecord      the last line, cut short when a run was killed
    │       └── NewerSchema     written by a later version
    ├── FetchError              something to download
    │   ├── Offline             the network is forbidden (``--offline``)
    │   ├── ConnectionFailed    refused, unresolvable, TLS, or broken off
    │   ├── HttpStatus          the server answered with an error
    │   ├── ForbiddenAddress    a scheme or address that is not allowed
    │   ├── FetchTooLarge       more bytes than the limit
    │   ├── FetchTimedOut       slower than the limit
    │   ├── ObjectNotFound      no such bucket, or no such object in a store
    │   └── AccessDenied        credentials that are missing, wrong, or lack the right
    ├── ModelError              a model
    │   ├── UnknownModel        no such name or file
    │   ├── CorruptWeights      a file that is not, or no longer, a model
    │   ├── UnsafeWeights       a checkpoint that asks for more than the allow-list
    │   ├── ChecksumMismatch    other bytes than those that were published or seen before
    │   ├── WrongTask           a model of another task than detection
    │   ├── UnknownClass        a class name that the model lacks
    │   └── BadImageSize        an image size that the model cannot take
    ├── EngineError             what runs a model
    │   ├── MissingExtra        an optional package that is not installed
    │   ├── OutdatedPackage     a package too old to be safe
    │   ├── DeviceNotFound      a device that is not there
    │   └── OutOfMemory         the device's memory does not suffice
    ├── EvaluationError         what predictions are judged against
    │   ├── BrokenTruth         ground truth that cannot be read
    │   ├── TruthMismatch       ground truth of other images or other classes
    │   ├── AmbiguousTruth      several files or images that fit alike
    │   └── BrokenPredictions   predictions made elsewhere that cannot be read
    ├── TooManyFailures         more inputs failed than the run was told to bear
    ├── ClusterError            a Ray cluster that cannot do the work
    │   ├── NoCluster           none is there, or none answers
    │   ├── VersionsDiffer      a machine has other versions than the rest
    │   └── WorkerDied          an input that ended every process that worked on it
    └── OutputError             something to write
        ├── OutputExists        it is there already; nothing is overwritten
        ├── RunInUse            another process writes the run folder
        ├── DiskFull            no space left, or no permission
        ├── WriteFailed         any other reason: a broken disk, a name the file system refuses
        └── NoScreen            a window is asked for where there is none to be had

Each leaf has a stable ``code``, which records and ``run.json`` carry. The message says what failed, on which input and
why; ``hint`` says what to do next.
"""

from __future__ import annotations

from typing import ClassVar

_MAX_CHARACTERS = 1500
_HEAD_CHARACTERS = 1000


class DetectattnError(Exception):
    """An expected error: one line for the user, no traceback.

    Names and contents of files find their way into messages and may hold anything: what is not printable is escaped,
    and of more than 1,500 characters the middle is left out.

    Args:
        problem: What failed, on which input, and why. One sentence without a final full stop.
        hint: What to do next. One sentence without a final full stop; a question has its mark.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, hint: str) -> None:
        self.problem = _to_line(problem)
        self.hint = _to_line(hint)
        super().__init__(self.problem, self.hint)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.problem, self.hint))

    def __str__(self) -> str:
        return f"{self.problem}. {self.hint}{'' if self.hint.endswith('?') else '.'}"


def _to_line(text: str) -> str:
    text = _cut(text)
    if text.isprintable():
        return text
    escaped = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)
    return _cut("".join(escaped))


def _cut(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[:_HEAD_CHARACTERS]} … {text[_HEAD_CHARACTERS + 3 - _MAX_CHARACTERS :]}"


def _rebuild(kind: type[DetectattnError], problem: str, hint: str) -> DetectattnError:
    return kind(problem, hint=hint)


class ConfigError(DetectattnError):
    """A preset or an option that cannot be used."""

    code = "config"
    exit_code = 2


class SourceError(DetectattnError):
    """Something that should be read cannot be."""

    code = "source"


class SourceNotFound(SourceError):
    """No such path, or a pattern without a match."""

    code = "not-found"


class EmptySource(SourceError):
    """A folder or list that holds nothing to detect on."""

    code = "empty"


class UndecodableImage(SourceError):
    """Bytes that are no picture, or a damaged one."""

    code = "undecodable-image"


class TruncatedImage(UndecodableImage):
    """A picture cut short."""

    code = "truncated-image"


class LfsPointer(UndecodableImage):
    """A Git LFS pointer in place of the picture."""

    code = "lfs-pointer"


class ImageTooLarge(SourceError):
    """More pixels than the limit allows to decode."""

    code = "image-too-large"


class UndecodableVideo(SourceError):
    """A video that cannot be opened, or breaks off."""

    code = "undecodable-video"


class MissingDecoder(SourceError):
    """A format whose decoder is not installed."""

    code = "missing-decoder"


class DecoderError(SourceError):
    """A decoder that fails in a way that none should."""

    code = "decoder-error"


class DecoderCrashed(SourceError):
    """A decoder that took its process with it."""

    code = "decoder-crashed"


class DecoderHung(SourceError):
    """A decoder that did not come to an end in its time."""

    code = "decoder-hung"


class StreamLost(SourceError):
    """A camera or stream that cannot be reached, or went away."""

    code = "stream-lost"


class UnreadableRecord(SourceError):
    """A line of a records file that is no record."""

    code = "unreadable-record"


class TornRecord(UnreadableRecord):
    """The last line of a records file, cut short when a run was killed."""

    code = "torn-record"


class NewerSchema(UnreadableRecord):
    """A record written by a later version of the project."""

    code = "newer-schema"


class FetchError(DetectattnError):
    """Something that should be downloaded cannot be."""

    code = "fetch"


class Offline(FetchError):
    """The network is forbidden."""

    code = "offline"


class ConnectionFailed(FetchError):
    """Refused, unresolvable, TLS, or broken off."""

    code = "connection-failed"


class HttpStatus(FetchError):
    """The server answered with an error."""

    code = "http-status"


class ForbiddenAddress(FetchError):
    """A scheme or address that is not allowed."""

    code = "forbidden-address"


class FetchTooLarge(FetchError):
    """More bytes than the limit."""

    code = "fetch-too-large"


class FetchTimedOut(FetchError):
    """Slower than the limit."""

    code = "fetch-timed-out"


class ObjectNotFound(FetchError):
    """No such bucket, or no such object in a store."""

    code = "object-not-found"


class AccessDenied(FetchError):
    """Credentials that are missing, wrong, or lack the right."""

    code = "access-denied"


class ModelError(DetectattnError):
    """A model that cannot be used."""

    code = "model"


class UnknownModel(ModelError):
    """No such name or file."""

    code = "unknown-model"


class CorruptWeights(ModelError):
    """A file that is not, or no longer, a model."""

    code = "corrupt-weights"


class UnsafeWeights(ModelError):
    """A checkpoint that asks for more than the allow-list."""

    code = "unsafe-weights"


class ChecksumMismatch(ModelError):
    """Other bytes than those that were published or seen before."""

    code = "checksum-mismatch"


class WrongTask(ModelError):
    """A model of another task than detection."""

    code = "wrong-task"


class UnknownClass(ModelError):
    """A class name that the model lacks."""

    code = "unknown-class"
    exit_code = 2


class BadImageSize(ModelError):
    """An image size that the model cannot take."""

    code = "bad-image-size"
    exit_code = 2


class EngineError(DetectattnError):
    """What runs a model cannot run it."""

    code = "engine"


class MissingExtra(EngineError):
    """An optional package that is not installed."""

    code = "missing-extra"


class OutdatedPackage(EngineError):
    """A package too old to be safe."""

    code = "outdated-package"


class DeviceNotFound(EngineError):
    """A device that is not there."""

    code = "device-not-found"


class OutOfMemory(EngineError):
    """The device's memory does not suffice."""

    code = "out-of-memory"


class EvaluationError(DetectattnError):
    """What predictions are judged against cannot be used."""

    code = "evaluation"


class BrokenTruth(EvaluationError):
    """Ground truth that cannot be read."""

    code = "broken-truth"


class TruthMismatch(EvaluationError):
    """Ground truth of other images or other classes."""

    code = "truth-mismatch"


class AmbiguousTruth(EvaluationError):
    """Several files or images that fit alike."""

    code = "ambiguous-truth"


class BrokenPredictions(EvaluationError):
    """Predictions made elsewhere that cannot be read."""

    code = "broken-predictions"


class TooManyFailures(DetectattnError):
    """More inputs failed than the run was told to bear."""

    code = "too-many-failures"


class ClusterError(DetectattnError):
    """A Ray cluster cannot do the work."""

    code = "cluster"


class NoCluster(ClusterError):
    """There is no cluster, or none that answers."""

    code = "no-cluster"


class VersionsDiffer(ClusterError):
    """A machine of a cluster has other versions than the rest."""

    code = "versions-differ"


class WorkerDied(ClusterError):
    """An input ended every process that worked on it."""

    code = "worker-died"


class OutputError(DetectattnError):
    """Something that should be written cannot be."""

    code = "output"


class OutputExists(OutputError):
    """It is there already; nothing is overwritten."""

    code = "output-exists"


class RunInUse(OutputError):
    """Another process writes the run folder."""

    code = "run-in-use"


class DiskFull(OutputError):
    """No space left, or no permission to write."""

    code = "disk-full"


class WriteFailed(OutputError):
    """A file that cannot be written for another reason than space or permission."""

    code = "write-failed"


class NoScreen(OutputError):
    """A window is asked for where none can be opened."""

    code = "no-screen"
