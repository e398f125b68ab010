"""Fine-tune the encoder on all heads at once. Runs on a CPU in fp32 and on a GPU in bf16."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from models import taxonomy
from models.tagging.batching import Batch, Coded, ahead, buckets, collate
from models.tagging.encoder import Encoder, TagEncoder
from models.tagging.labels import Labels
from models.tagging.reading import Reading

RARE = 70
MOST_REPEATS = 3
#: how often an epoch says how far it is
PROGRESS_PER_EPOCH = 5


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune; the defaults are those of the shipped weights."""

    epochs: int = 3
    batch_tokens: int = 3840
    backbone_rate: float = 1.5e-4
    head_rate: float = 1e-3
    label_weight: float = 0.5
    magnitude_weight: float = 0.2
    hide_source: float = 0.5
    train_embeddings: bool = False
    seed: int = 0


def ask_definitions(encoder: Encoder, labels: Sequence[str] | None = None) -> None:
    """Start the attention of each label (all by default) from its own definition, as the encoder reads it."""
    settings = encoder.net.settings
    meaning = {term.id: term.definition for term in taxonomy.load().terms}
    asked = settings.capabilities if labels is None else labels
    if not asked:
        return
    texts = [f"{label.replace('_', ' ')}: {meaning.get(label, label)}" for label in asked]
    coded = encoder.tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False).to(encoder.device)
    with torch.no_grad():
        hidden = encoder.net.backbone(**coded).last_hidden_state
        weight = coded["attention_mask"].unsqueeze(-1).float()
        mean = (hidden * weight).sum(1) / weight.sum(1)
        rows = [settings.capabilities.index(label) for label in asked]
        encoder.net.queries[rows] = mean / mean.norm(dim=1, keepdim=True)


def with_labels(encoder: Encoder, labels: tuple[str, ...]) -> Encoder:
    """The same encoder for another list of capabilities: known ones keep their heads, new ones start without an opinion."""
    old = encoder.net.settings.capabilities
    if labels == old:
        return encoder
    net = TagEncoder(encoder.net.backbone, replace(encoder.net.settings, capabilities=labels)).to(encoder.device)
    known = [label for label in labels if label in old]
    to, of = [labels.index(label) for label in known], [old.index(label) for label in known]
    with torch.no_grad():
        for name in ("role", "kind", "magnitude"):
            getattr(net, name).load_state_dict(getattr(encoder.net, name).state_dict())
        net.queries[len(labels) :] = encoder.net.queries[len(old) :]
        for new, before in (
            (net.queries, encoder.net.queries),
            (net.cap_local, encoder.net.cap_local),
            (net.cap_whole.weight, encoder.net.cap_whole.weight),
            (net.cap_whole.bias, encoder.net.cap_whole.bias),
        ):
            new[: len(labels)] *= 0
            new[to] = before[of]
    grown = Encoder(net.eval(), encoder.tokenizer, encoder.device)
    ask_definitions(grown, [label for label in labels if label not in old])
    return grown


def fit_encoder(
    encoder: Encoder, readings: Sequence[Reading], labels: Labels, recipe: Recipe, say: Callable[[str], None] | None = None
) -> None:
    """Fine-tune in place."""
    torch.manual_seed(recipe.seed)
    dice = random.Random(recipe.seed)
    net = encoder.net.to(encoder.device)
    net.backbone.get_input_embeddings().weight.requires_grad = recipe.train_embeddings
    shown = encoder.tokens(readings)
    hidden = encoder.tokens(readings, hide_source=[True] * len(readings))
    pool = [i for i, n in enumerate(repeats(labels)) for _ in range(n)]
    optimiser = torch.optim.AdamW(_groups(encoder, recipe), weight_decay=0.01)
    n_steps = max(2, recipe.epochs * math.ceil(sum(len(hidden[i][0]) for i in pool) / recipe.batch_tokens * 1.15))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [recipe.backbone_rate, recipe.head_rate], total_steps=n_steps, pct_start=0.08
    )
    for epoch in range(recipe.epochs):
        net.train()
        losses: list[torch.Tensor] = []
        n_seen, n_said = 0, 0
        for batch, rows in ahead(_epoch(encoder, pool, shown, hidden, recipe, dice)):
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=encoder.device == "cuda"):
                out = net(*batch.on(encoder.device))
            loss = multi_task_loss(out, labels, rows, recipe)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            if schedule.last_epoch < n_steps - 1:
                schedule.step()
            losses.append(loss.detach())
            n_seen += len(rows)
            if say and n_seen * PROGRESS_PER_EPOCH // len(pool) > n_said:
                n_said = n_seen * PROGRESS_PER_EPOCH // len(pool)
                so_far = float(torch.stack(losses).mean())
                say(f"epoch {epoch + 1} of {recipe.epochs}: {n_seen} of {len(pool)} documents, mean loss {so_far:.3f}")
    net.eval()


def multi_task_loss(out: dict[str, torch.Tensor], labels: Labels, rows: Sequence[int], recipe: Recipe) -> torch.Tensor:
    """Kind for every document; labels where the kind can carry them; magnitude where it is known."""
    device, index = out["kind"].device, np.asarray(rows)
    kinds = torch.tensor(labels.kinds[index], device=device)
    targets = torch.tensor(labels.capabilities[index], device=device)
    magnitudes = torch.tensor(labels.magnitudes[index], device=device)
    weights = torch.tensor(labels.weights[index], device=device, dtype=torch.float32)
    carries = torch.tensor(labels.may_carry_labels[index], device=device, dtype=torch.float32)
    kind = F.cross_entropy(out["kind"], kinds, reduction="none", label_smoothing=0.05)
    label = F.binary_cross_entropy_with_logits(out["capabilities"], targets, reduction="none").sum(1) * carries
    step = F.cross_entropy(out["magnitude"], (magnitudes - 1).clamp(min=0), reduction="none") * (magnitudes > 0)
    return ((kind + recipe.label_weight * label + recipe.magnitude_weight * step) * weights).mean()


def repeats(labels: Labels) -> list[int]:
    """How often each document is drawn in an epoch: more often for rare labels and kinds."""
    support, kinds = labels.capabilities.sum(0), Counter(labels.kinds.tolist())
    out = []
    for row, kind in zip(labels.capabilities, labels.kinds, strict=True):
        rarest = min((support[i] for i in np.flatnonzero(row)), default=math.inf)
        n = round(math.sqrt(RARE / rarest)) if rarest < math.inf else 1
        out.append(min(MOST_REPEATS, max(1, n, 2 if kinds[kind] < RARE - 10 else 1)))
    return out


def _groups(encoder: Encoder, recipe: Recipe) -> list[dict[str, object]]:
    named = [(name, p) for name, p in encoder.net.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in named if name.startswith("backbone.")], "lr": recipe.backbone_rate},
        {"params": [p for name, p in named if not name.startswith("backbone.")], "lr": recipe.head_rate},
    ]


def _epoch(
    encoder: Encoder,
    pool: Sequence[int],
    shown: Sequence[Coded],
    hidden: Sequence[Coded],
    recipe: Recipe,
    dice: random.Random,
) -> Iterator[tuple[Batch, list[int]]]:
    """Batches of like length in random order, each with the documents in it; the source is hidden at random."""
    rows = dice.sample(pool, len(pool))
    coded = [(hidden if dice.random() < recipe.hide_source else shown)[i] for i in rows]
    groups = buckets(coded, recipe.batch_tokens, encoder.net.settings.pad_to)
    dice.shuffle(groups)
    for take, width in groups:
        batch = collate([coded[i] for i in take], take, width, encoder.pad)
        yield (batch.pinned() if encoder.device == "cuda" else batch), [rows[i] for i in take]
