"""Progress of an import on a terminal; silent where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from core.data.importers.content import Progress


@contextmanager
def told_progress() -> Iterator[Progress]:
    """A progress callback that draws one line on a terminal's error stream and removes it at the end."""
    with tqdm(total=100, disable=None, leave=False, bar_format="{percentage:3.0f}%|{bar:30}| {desc}") as bar:

        def show(fraction: float, sentence: str) -> None:
            bar.set_description_str(sentence, refresh=False)
            bar.update(max(0.0, 100 * fraction - bar.n))

        yield show
