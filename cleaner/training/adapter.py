"""Make the accurate tier's adapter: all-MiniLM-L6-v2 learns which sentences share an article.

Low-rank matrices (LoRA, Hu et al., 2022) are added to the transformer's own, which stay as they
are, and trained as the static encoder is: two sentences of one article are a pair, the sentences of
the other articles in the batch are the negatives, every second round those of articles about
neighbouring subjects.

Run as ``python -m cleaner.training.adapter --data FOLDER -o OUT``, FOLDER as for
`cleaner.training.fit`. No article of the benchmark's is learned from, and none of the fixtures'
sites.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import numpy.typing as npt

from cleaner.command import ModuleCommand, stopwatch
from cleaner.encoders import load_encoder
from cleaner.encoders.transformer import ADAPTER_CONFIG, ADAPTER_WEIGHTS, HUB_NAME, official
from cleaner.training.corpora import Article
from cleaner.training.datasets import ALL, OF_MEMBER, news_articles, varied_articles
from cleaner.training.folder import check_folder, checksums, whole_folder, write_manifest
from cleaner.training.static_encoder import ARTICLES, FEWEST_SENTENCES, SEED, pairs, run

if TYPE_CHECKING:
    from cleaner.evaluation import Host

RANK = 32
_SCALE = 2  # of the product of the two matrices, as it is added
_ADAPTED = (  # all of a layer's matrices
    "query",
    "key",
    "value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
_SHORTEST = 40  # code points: shorter sentences say little of their article
_TOKENS = 48  # of a sentence, to learn from
_PLACED = 20  # sentences by which an article's place among the others is told


def learnable(hosts: Sequence[Host]) -> list[Article]:
    """The articles that have enough sentences which say something of their subject."""
    articles = [
        Article(
            host.identity,
            host.title,
            tuple(sentence for sentence in host.sentences if len(sentence) >= _SHORTEST),
        )
        for host in hosts
    ]
    return [article for article in articles if len(article.sentences) >= FEWEST_SENTENCES]


def train(model: Any, articles: Sequence[Article], *, rounds: int, batch: int, rate: float) -> Any:
    """Add an adapter to a ``SentenceTransformer``, in place, train it, and give it as PEFT has it.

    Parameters
    ----------
    rounds
        Passes over the articles, a pair of sentences of each.
    batch
        Pairs at a time.
    rate
        Peak learning rate.
    """
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.manual_seed(SEED)  # the matrices begin somewhere
    low_rank = LoraConfig(r=RANK, lora_alpha=_SCALE * RANK, target_modules=list(_ADAPTED))
    adapted = get_peft_model(model[0].auto_model, low_rank)
    model.max_seq_length = _TOKENS
    anchors, positives = pairs(articles, _places(articles), rounds=rounds, batch=batch)
    pairs_of_articles = Dataset.from_dict({"anchor": anchors, "positive": positives})
    run(
        model,
        {"articles": pairs_of_articles},
        {"articles": MultipleNegativesRankingLoss(model)},
        batch=batch,
        rate=rate,
        bf16=True,
        logging_steps=10,
    )
    return adapted


def _places(articles: Sequence[Article]) -> npt.NDArray[np.float32]:
    """Where the static encoder puts each article, shape (len(articles), its dimensions)."""
    encoder = load_encoder("fast")
    return np.stack([encoder.encode(article.sentences[:_PLACED]).mean(0) for article in articles])


def save(adapted: Any, folder: Path, made: Mapping[str, Any]) -> None:
    """Write the adapter alone, in half precision and the format of PEFT, with a manifest."""
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    halves = {name: weights[name].to(torch.float16).contiguous() for name in sorted(weights)}
    save_file(halves, folder / ADAPTER_WEIGHTS)
    (folder / ADAPTER_WEIGHTS).chmod(0o644)  # it is written for its owner alone
    config = adapted.peft_config["default"].to_dict()
    config |= {
        "base_model_name_or_path": HUB_NAME,  # and no folder of this machine
        "target_modules": sorted(config["target_modules"]),
        "inference_mode": True,
    }
    (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    manifest = {
        "made_by": "python -m cleaner.training.adapter",
        "base": f"{HUB_NAME} (Apache-2.0)",
        "licence": "Apache-2.0",
        **ARTICLES,
        **made,
        "sha256": checksums(folder, [ADAPTER_WEIGHTS, ADAPTER_CONFIG]),
    }
    write_manifest(folder, manifest)


@click.command(cls=ModuleCommand)
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option(
    "--articles",
    type=click.IntRange(min=0),
    default=ALL.varied,
    show_default=True,
    help="Of other sets than news.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Passes over the articles.",
)
@click.option(
    "--batch", type=click.IntRange(min=2), default=96, show_default=True, help="Pairs at a time."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=5e-4,
    show_default=True,
    help="Peak learning rate.",
)
def main(data: Path, output: Path, articles: int, rounds: int, batch: int, rate: float) -> None:
    """Train an adapter for all-MiniLM-L6-v2 on the articles in DATA, and write it to a folder."""
    say = stopwatch()
    check_folder(output)
    clean = [*news_articles(data, OF_MEMBER), *varied_articles(data, articles)]
    learned = learnable(clean)
    say(f"{len(learned)} articles")
    model = official()
    adapted = train(model, learned, rounds=rounds, batch=batch, rate=rate)
    made = {"articles": len(learned), "rounds": rounds, "batch": batch, "rate": rate}
    with whole_folder(output) as folder:
        save(adapted, folder, made)
    say(f"written to {output}")


if __name__ == "__main__":
    main()
