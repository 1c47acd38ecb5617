"""The second reading in a process of its own, which gets ready while the warehouse is built.

Great Expectations takes seconds to import. Started before the build, the process has it ready by
the time that there is something to read, on a core that the build leaves idle. It opens nothing
before it is asked, and ends as soon as the pipe to whoever started it is closed, however that
came about.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pool_recon.errors import CloseError
from pool_recon.expectations.results import SecondReading
from pool_recon.other_process import started
from pool_recon.warehouse import MEMORY_LIMIT, memory_limit

Reader = Callable[[Path, Path, Mapping[str, str]], SecondReading]


@contextlib.contextmanager
def second_reader() -> Iterator[Reader]:
    """Yield what does the same as `validate`, once, in another process that starts now.

    It takes half of the memory that there is for DuckDB, because it reads beside whoever asks it.
    Calling it raises what `validate` raises, and CloseError where the process ends without an
    answer. The process is gone when the context is left.
    """
    with started(__name__, {MEMORY_LIMIT: memory_limit(processes=2)}) as process:

        def read(warehouse: Path, package: Path, verdicts: Mapping[str, str]) -> SecondReading:
            assert process.stdin is not None
            assert process.stdout is not None
            request = (warehouse.absolute(), package.absolute(), dict(verdicts))
            try:
                process.stdin.write(pickle.dumps(request))
                process.stdin.flush()
                reading, error = pickle.load(process.stdout)
            except (BrokenPipeError, EOFError, pickle.UnpicklingError):
                status = process.wait()
                raise CloseError(
                    f"the second reading ended without a result, with exit status {status}: "
                    "run it again; where that does not help, give it more memory"
                ) from None
            if error is not None:
                raise error
            assert isinstance(reading, SecondReading)
            return reading

        yield read


def main() -> None:
    """Get ready, wait for one request on stdin, and answer it on stdout."""
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing that a library prints gets into the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests: list[Any] = []
    arrived = threading.Event()

    def listen(stream: IO[bytes]) -> None:
        with contextlib.suppress(EOFError):
            requests.append(pickle.load(stream))
            arrived.set()
            stream.read(1)
        # Nobody waits any more for what is done here.
        os._exit(1)

    threading.Thread(target=listen, args=(sys.stdin.buffer,), daemon=True).start()
    from pool_recon.expectations.validation import validate
    from pool_recon.garbage import rarely_collected

    with rarely_collected():
        with contextlib.suppress(Exception, SystemExit):
            # What stops it is told in answer to the request.
            from pool_recon.expectations.runner import get_ready

            get_ready()
        arrived.wait()
        answer: tuple[SecondReading | None, BaseException | None]
        try:
            answer = (validate(*requests[0]), None)
        # Libraries have been seen to end the program that imports them.
        except (Exception, SystemExit) as error:
            answer = (None, _sendable(error))
    answers.write(pickle.dumps(answer))
    answers.flush()
    os._exit(0)


def _sendable(error: BaseException) -> BaseException:
    """The error itself where it survives the way, else its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CloseError(f"the second reading stopped: {error}")
    return error


if __name__ == "__main__":
    main()
