"""Teach an English tokenizer Chinese: frequent words become tokens whose vectors start from the English words they translate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from models.tagging.encoder import Encoder
from models.tagging.labels import Example

N_WORDS = 5500
LONGEST_WORD = 5
LEAST_COUNT = 6
N_ROUNDS = 8
N_TRANSLATIONS = 4
_RUN = re.compile(r"[\u4e00-\u9fff]+")


def reads_chinese(tokenizer: Any, texts: Sequence[str]) -> bool:
    """Whether a tokenizer knows nearly all the Chinese characters of some texts already."""
    counts = Counter(c for text in texts for run in _RUN.findall(text) for c in run)
    known = sum(n for c, n in counts.items() if tokenizer.unk_token_id not in tokenizer(c, add_special_tokens=False)["input_ids"])
    return not counts or known / sum(counts.values()) > 0.97


def chinese_words(texts: Sequence[str]) -> list[str]:
    """Words by byte-pair merging of Chinese runs, and every character seen three times."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    runs = [run for text in texts for run in _RUN.findall(text)]
    merger = Tokenizer(models.BPE())
    merger.pre_tokenizer = pre_tokenizers.Whitespace()
    merger.train_from_iterator(runs, trainers.BpeTrainer(vocab_size=N_WORDS, min_frequency=LEAST_COUNT, show_progress=False))
    words = {word for word in merger.get_vocab() if _RUN.fullmatch(word) and len(word) <= LONGEST_WORD}
    return sorted(words | {c for c, n in Counter(c for run in runs for c in run).items() if n >= 3})


def add_chinese(encoder: Encoder, texts: Sequence[str], pairs: Sequence[tuple[Example, Example]]) -> int:
    """Add the words of `texts` as tokens and start their vectors from aligned translations; returns how many were added."""
    from tokenizers import AddedToken

    words, backbone = chinese_words(texts), encoder.net.backbone
    plain = len(encoder.tokenizer)
    english = [_ids(encoder.tokenizer, f"{e.title} {e.text}") for _, e in pairs]
    encoder.tokenizer.add_tokens([AddedToken(word, normalized=False, single_word=False) for word in words])
    backbone.resize_token_embeddings(len(encoder.tokenizer), mean_resizing=False)
    chinese = [ids[ids >= plain] for ids in (_ids(encoder.tokenizer, f"{z.title} {z.text}") for z, _ in pairs)]
    table = align(chinese, english) if pairs else {}
    vectors = backbone.get_input_embeddings().weight.data
    number = {word: int(encoder.tokenizer.convert_tokens_to_ids(word)) for word in words}
    aligned = {word: i for word, i in number.items() if i in table}
    with torch.no_grad():
        for i in aligned.values():
            weights = torch.tensor([weight for weight, _ in table[i]])
            vectors[i] = ((weights / weights.sum())[:, None] * vectors[[token for _, token in table[i]]]).sum(0)
        for word, i in number.items():
            if word not in aligned and i >= plain:
                parts = [aligned[c] for c in word if c in aligned]
                vectors[i] = vectors[parts].mean(0) if parts else vectors[:plain].mean(0)
    return len(encoder.tokenizer) - plain


def _ids(tokenizer: Any, text: str) -> np.ndarray:
    return np.unique(tokenizer(text, add_special_tokens=False, truncation=True, max_length=256)["input_ids"])


def align(chinese: Sequence[np.ndarray], english: Sequence[np.ndarray]) -> dict[int, list[tuple[float, int]]]:
    """For each Chinese token the English tokens that translate it, strongest first: symmetrised IBM model 1."""
    size = 1 + max(int(ids.max()) for ids in (*chinese, *english) if len(ids))
    key = np.concatenate([(z[:, None].astype(np.int64) * size + e[None]).ravel() for z, e in zip(chinese, english, strict=True)])
    unique, cell = np.unique(key, return_inverse=True)
    z_of, e_of = unique // size, unique % size
    by_e, by_z, at_e, at_z = [], [], 0, 0
    for z, e in zip(chinese, english, strict=True):
        by_e.append(at_e + np.tile(np.arange(len(e)), len(z)))
        by_z.append(at_z + np.repeat(np.arange(len(z)), len(e)))
        at_e, at_z = at_e + len(e), at_z + len(z)
    in_e, in_z = np.concatenate(by_e), np.concatenate(by_z)
    forward = 1 / np.bincount(z_of, minlength=size)[z_of]
    backward = 1 / np.bincount(e_of, minlength=size)[e_of]
    for _ in range(N_ROUNDS):
        to_e = np.bincount(cell, forward[cell] / np.bincount(in_e, forward[cell])[in_e])
        to_z = np.bincount(cell, backward[cell] / np.bincount(in_z, backward[cell])[in_z])
        count = np.sqrt(to_e * to_z)
        forward = count / np.maximum(np.bincount(z_of, count, minlength=size)[z_of], 1e-9)
        backward = count / np.maximum(np.bincount(e_of, count, minlength=size)[e_of], 1e-9)
    table: dict[int, list[tuple[float, int]]] = {}
    for z, e, p, q in zip(z_of, e_of, forward, backward, strict=True):
        if p > 0.03:
            table.setdefault(int(z), []).append((float(p * np.sqrt(p * q)), int(e)))
    return {z: sorted(found, reverse=True)[:N_TRANSLATIONS] for z, found in table.items()}
