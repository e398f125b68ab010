"""Bring together what a tagger learns from: labels, their translations, and examples written for this project."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import taxonomy
from models.errors import TaggerError
from models.tagging.labels import Example, Labels, as_labels, read_examples
from models.tagging.names import load_names
from models.tagging.reading import Reading, read
from models.tagging.twins import near_copies, translations, with_translations

OWN_EXAMPLES = Path(__file__).with_name("examples.csv")
REFERENCE_WEIGHT = 3.0
#: how far into a text the readers of the labels looked, in characters
READ_CHARS = {"zh": 420, "en": 700}


@dataclass
class Corpus:
    """References first, then teachers; `is_reference` tells them apart."""

    examples: list[Example]
    readings: list[Reading]
    labels: Labels
    n_references: int


def gather(label_files: Sequence[Path], text_files: Sequence[Path]) -> tuple[Corpus, list[tuple[Example, Example]]]:
    """Everything to learn from: labels, their translations, our own examples; near copies of references are left out."""
    terms = taxonomy.load()
    labelled = list({e.id: e for e in read_examples(label_files, terms.event_kinds)}.values())
    references = [e for e in labelled if e.is_reference] or labelled
    reference_ids = {e.id for e in references}
    teachers = [e for e in labelled if e.id not in reference_ids]
    pairs = translations([*labelled, *(e for e in read_unlabelled(text_files) if e.id not in {x.id for x in labelled})])
    copies = near_copies(teachers, references, pairs) if teachers else set()
    teachers = [e for e in teachers if e.id not in copies]
    teachers += with_translations(teachers, pairs, reference_ids | copies)
    teachers += own_examples()
    examples = [*references, *teachers]
    weights = np.array([REFERENCE_WEIGHT] * len(references) + [1.0] * len(teachers))
    labels = as_labels(examples, weights, terms.capabilities, terms.event_kinds)
    return Corpus(examples, [reading_of(e) for e in examples], labels, len(references)), pairs


def reading_of(example: Example) -> Reading:
    """An example as far as its reader read."""
    text = example.text[: READ_CHARS.get(example.lang, READ_CHARS["en"])]
    return read(example.title, text, load_names(), lang=example.lang, url=example.url, source=example.source)


def read_unlabelled(files: Sequence[Path]) -> list[Example]:
    """Documents without labels, from JSON Lines; their kind is a placeholder that nothing reads."""
    found = []
    for file in files:
        try:
            rows = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise TaggerError(f"cannot read texts from {file}: {error}; give plain JSON Lines (unpack .zst first)") from error
        for row in rows:
            identity, title, text, lang, url, source = (
                str(row.get(key) or "") for key in ("id", "title", "text", "lang", "url", "source")
            )
            found.append(Example(identity, title, text, lang, url, source, "", (), "", 0, "", story=identity))
    return found


def own_examples(path: Path = OWN_EXAMPLES) -> list[Example]:
    """Examples written for this project, for labels that announcements rarely carry."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [
        Example(
            f"own-{i}",
            r["title"],
            r["text"],
            r["lang"],
            "",
            "",
            r["kind"],
            tuple(filter(None, r["capabilities"].split(";"))),
            "",
            0,
            "own",
            f"own-{i}",
        )
        for i, r in enumerate(rows)
    ]
