"""Encoders, NLI classifiers and chat models of the architectures that people use, tiny and with random weights: interface, not quality."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

from models import taxonomy
from models.errors import TaggerError
from models.tagger import load_tagger
from models.tagging.names import load_names
from models.tagging.reading import read
from models.types import TextIn

# looked for, not imported: every process that shares the tests reads this file, one of them runs it
pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `tagger`")

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{c}" for c in LETTERS)]
SHAPE = {
    "vocab_size": len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
ANSWERS = ("contradiction", "neutral", "entailment")
#: class of the configuration, what it needs beside the shape, and what stands between two texts
ENCODERS = {
    "bert": ("BertConfig", {}, "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "xlm-roberta": ("XLMRobertaConfig", {**SPECIAL, "max_position_embeddings": 400}, "[CLS] $A [SEP] [SEP] $B [SEP]"),
    "deberta-v2": (
        "DebertaV2Config",
        {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 16,
            "type_vocab_size": 0,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_biased_input": False,
        },
        "[CLS] $A [SEP] $B:1 [SEP]:1",
    ),
    "modernbert": (
        "ModernBertConfig",
        {**SPECIAL, "cls_token_id": 2, "sep_token_id": 3, "local_attention": 16, "global_attn_every_n_layers": 2},
        "[CLS] $A [SEP] $B [SEP]",
    ),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny networks are slower on several threads than on one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tokenizer_with(pair: str):
    """Letters as tokens, and the markers of an architecture between two texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    markers = [("[CLS]", 2), ("[SEP]", 3)]
    plain.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair=pair, special_tokens=markers)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=plain, model_max_length=512, **names)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with a tiny checkpoint: of an encoder's architecture, as it is or as an NLI classifier, or a chat model."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("tiny")

    def make(architecture: str, task: str = "encoder") -> str:
        at = folder / f"{architecture}-{task}"
        if at.exists():
            return str(at)
        torch.manual_seed(0)
        if task == "chat":
            small = {**SHAPE, "num_key_value_heads": 2, "max_position_embeddings": 2048}
            config = getattr(transformers, f"{architecture}Config")(**small)
            net = transformers.AutoModelForCausalLM.from_config(config)
            tokenizer = tokenizer_with("[CLS] $A [SEP] $B [SEP]")
        else:
            kind, more, pair = ENCODERS[architecture]
            answers = {"id2label": dict(enumerate(ANSWERS)), "label2id": {a: i for i, a in enumerate(ANSWERS)}}
            config = getattr(transformers, kind)(**SHAPE, **more, **(answers if task == "nli" else {}))
            maker = transformers.AutoModelForSequenceClassification if task == "nli" else transformers.AutoModel
            net, tokenizer = maker.from_config(config), tokenizer_with(pair)
        net.save_pretrained(at)
        tokenizer.save_pretrained(at)
        return str(at)

    return make


TEXTS = [TextIn("1", "openai launches vision", "it sees images"), TextIn("2", "", "")]
TAGGERS = [f"zero-shot:{name}" for name in ENCODERS] + ["instruct:Llama", "instruct:Qwen2"]


@pytest.mark.parametrize("which", TAGGERS)
def test_checkpoint_taggers_share_the_interface(checkpoint, which):
    """A zero-shot and an instruct tagger give the same shape of tags, the same twice."""
    name, _, architecture = which.partition(":")
    tagger = load_tagger(f"{name}:{checkpoint(architecture, 'nli' if name == 'zero-shot' else 'chat')}", "cpu")
    first, second = tagger.tag(TEXTS), tagger.tag(TEXTS)
    assert first == second
    assert set(first[0].scores) == set(taxonomy.load().capabilities)
    assert sum(first[0].kind_scores.values()) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("architecture", list(ENCODERS))
def test_pairs_are_written_as_the_architecture_learnt_them(checkpoint, architecture):
    """Premise and hypothesis get the markers and segments that the tokenizer itself would give them."""
    tagger = load_tagger(f"zero-shot:{checkpoint(architecture, 'nli')}", "cpu")
    tokenizer = tagger._tokenizer
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("it sees", "a model")]
    ours, own = tagger._pairs(ids[0], [ids[1]]), tokenizer("it sees", "a model", return_tensors="pt")
    assert {key: value.tolist() for key, value in ours.items()} == {key: value.tolist() for key, value in own.items()}


def labelled(folder, n: int = 40, first: int = 0):
    """A file of labelled documents that anybody can learn; half of them are references."""
    rows = []
    for i in range(first, first + n):
        jump = i % 2
        rows.append(
            {
                "id": str(i),
                "title": f"OpenAI launches vision {i}" if jump else f"notes on cooking {i}",
                "text": "images are understood by the model now"
                if jump
                else "一份关于做菜的笔记"
                if i % 4
                else "a long talk about nothing",
                "lang": "en" if jump or not i % 4 else "zh",
                "event_kind": "capability_jump" if jump else "commentary",
                "capabilities": ["vision_input"] * jump,
                "magnitude": 2 * jump,
                **({"story": f"s{i}"} if i < first + n * 3 // 4 else {}),
            }
        )
    file = folder / f"labels-{first}-{n}.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def short(monkeypatch):
    """Less to go over, for tests that are about something else."""
    from models.tagging import finish, training

    monkeypatch.setattr(finish, "N_REPLAYED", 8)
    monkeypatch.setattr(training, "SHARES", (0.5, 1.0))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", list(ENCODERS))
def test_a_tagger_is_trained_on_any_encoder(checkpoint, short, tmp_path, architecture):
    """A short training writes weights, stack and card; what is read back from disk tags as it should, to the last bit."""
    from models.tagging import encoder
    from models.tagging.training import train

    said: list[str] = []
    made = train(
        [labelled(tmp_path)], tmp_path / "one", "t-1", base=checkpoint(architecture), device="cpu", epochs=1, say=said.append
    )
    assert made["figures"]["kind_accuracy"] > 0.9
    assert any("documents, mean loss" in line for line in said)
    tagger = load_tagger(tmp_path / "one", "cpu")
    assert tagger.name == "t-1"
    new = TextIn("x", "OpenAI launches vision 99", "images are understood by the model now")
    assert tagger.tag([new])[0].event_kind == "capability_jump"
    again = encoder.load(tmp_path / "one" / "encoder", "cpu")
    reading = read(new.title, new.text, load_names())
    assert np.array_equal(again.predict([reading])["kind"], tagger.encoder.predict([reading])["kind"])


@pytest.mark.slow
def test_training_starts_from_the_tagger_before_and_is_compared_with_it(checkpoint, short, tmp_path):
    """The next tagger is judged against the last on the references in common, also when others were added; the card shows the drift."""
    from models.tagging.training import train

    first = train([labelled(tmp_path)], tmp_path / "one", "t-1", base=checkpoint("bert"), device="cpu", epochs=1)
    assert first["drift"] is None
    assert first["is_better"]
    same = train([labelled(tmp_path)], tmp_path / "two", "t-2", warm_start=tmp_path / "one", device="cpu", epochs=0)
    assert same["before"] == first["figures"]
    more = [labelled(tmp_path), labelled(tmp_path, 12, first=100)]
    grown = train(more, tmp_path / "three", "t-3", warm_start=tmp_path / "one", device="cpu", epochs=1)
    assert grown["figures"]["n"] == 39
    assert grown["drift"]["n"] == 30
    assert grown["before"] == first["figures"]
    card = (tmp_path / "three" / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# t-3")
    assert "On 30 documents that the tagger before was judged on, too" in card


@pytest.mark.slow
def test_a_label_is_learnt_from_the_file_and_not_claimed_before(checkpoint, short, tmp_path, monkeypatch):
    """A label added to the taxonomy is taken up by the next training from the same tagger; one without examples is named as not learnt."""
    from models.tagging.training import train

    train([labelled(tmp_path)], tmp_path / "one", "t-1", base=checkpoint("bert"), device="cpu", epochs=1)
    terms = taxonomy.load()
    added = [
        terms.terms[0].__class__(name, "capability", name, "", f"does {name}", "", "eye") for name in ("telepathy", "levitation")
    ]
    monkeypatch.setattr(taxonomy, "load", lambda: terms.__class__(terms.version, (*terms.terms, *added)))
    assert set(load_tagger(tmp_path / "one", "cpu").not_learnt) >= {"telepathy", "levitation"}
    rows = [json.loads(line) for line in labelled(tmp_path).read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["capabilities"]:
            row.update(title=f"OpenAI launches telepathy {row['id']}", capabilities=["telepathy"])
    (tmp_path / "new.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train([tmp_path / "new.jsonl"], tmp_path / "two", "t-2", warm_start=tmp_path / "one", device="cpu", epochs=1)
    tagger = load_tagger(tmp_path / "two", "cpu")
    assert "telepathy" not in tagger.not_learnt
    assert "levitation" in tagger.not_learnt
    found = tagger.tag([TextIn("x", "OpenAI launches telepathy 99", "images are understood by the model now")])[0]
    assert found.capabilities == ("telepathy",)


def test_tokenising_ahead_changes_neither_order_nor_result(checkpoint):
    """The way of a GPU, in chunks with the next one made meanwhile, says the same of each document as the way of a CPU."""
    from models.tagging import encoder

    terms = taxonomy.load()
    found = encoder.from_base(checkpoint("bert"), encoder.EncoderSettings(terms.capabilities, terms.event_kinds), "cpu")
    found.net.eval()
    book = load_names()
    readings = [read(f"title {i}", "openai ships a model " * (1 + i % 7), book) for i in range(50)]
    exact = found.predict(readings)
    streamed = found.predict_streamed(readings, batch_tokens=256, chunk=16)
    assert {key: value.shape for key, value in exact.items()} == {key: value.shape for key, value in streamed.items()}
    assert all(np.allclose(exact[key], streamed[key], atol=1e-5) for key in exact)
    assert len({tuple(row) for row in exact["kind"].round(6).tolist()}) > 5


def test_what_is_made_ahead_keeps_its_order_and_its_errors():
    """Items come as they were made, in a thread of their own; a failure is raised where the item was asked for."""
    from models.tagging.batching import ahead

    def broken():
        yield 1
        raise ValueError("no second")

    assert list(ahead(iter(range(100)), 3)) == list(range(100))
    assert list(ahead([], 3)) == []
    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="no second"):
        next(items)


def test_buckets_hold_every_document_once_and_stay_small():
    """Documents of like length go together; padded size stays within the limit, except for one that is longer by itself."""
    from models.tagging.batching import buckets

    coded = [([1] * n, [0] * n) for n in (5, 90, 17, 16, 33, 200, 1)]
    made = buckets(coded, 64, 16)
    assert sorted(i for take, _ in made for i in take) == list(range(7))
    assert all(width * len(take) <= 64 or len(take) == 1 for take, width in made)
    assert all(len(coded[i][0]) <= width and width % 16 == 0 for take, width in made for i in take)


def test_cuda_is_refused_where_there_is_none():
    """A device that is not there is said, not guessed."""
    import torch

    from models.tagging.encoder import pick_device

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(TaggerError, match="no usable GPU"):
        pick_device("cuda")
