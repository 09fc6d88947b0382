"""Make the shipped static encoder: distil all-MiniLM-L6-v2, then train it on same-article pairs.

Three lessons, each with a name in the literature:

1. *Distillation* (as in model2vec, 2024): every token of the teacher's vocabulary is encoded on its
   own; the vectors are reduced by principal components and scaled by smooth inverse frequency
   (Arora et al., 2017).
2. *Contrastive training* (multiple negatives ranking, Henderson et al., 2017): two sentences of one
   article are a pair, the sentences of the other articles in the batch are the negatives. Half of
   the batches are drawn from articles about neighbouring subjects, which are the hard negatives.
3. *Embedding distillation* (EmbedDistill, Kim et al., 2023): a sentence is to come near to where
   the teacher puts it, with the adapter by which it knows articles (`cleaner.training.adapter`), at
   first by itself, then in turn with the pairs. A word has few articles to learn from, and would
   learn them by heart.

Run as ``python -m cleaner.training.static_encoder --data DATA --vectors CACHE -o OUT``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import numpy.typing as npt

from cleaner.cleaning import ENCODED
from cleaner.command import ModuleCommand, stopwatch
from cleaner.encoders.transformer import HUB_NAME, TransformerEncoder, official
from cleaner.training.cache import CachedEncoder
from cleaner.training.corpora import Article, articles_of, split_sentences
from cleaner.training.datasets import (
    ALL,
    OF_ENCODER,
    news,
    news_articles,
    unlabelled,
    varied_articles,
)
from cleaner.training.folder import check_folder, checksums, whole_folder, write_manifest

if TYPE_CHECKING:
    from cleaner.encoders import Encoder

DIMENSIONS = 128
SMOOTHING = 1e-3  # the "a" of smooth inverse frequency
TITLES = 0.1  # share of the pairs whose second text is the title
FEWEST_SENTENCES = 4  # of an article that is learned from
SEED = 20211
ARTICLES = {  # what is learned from, for the manifest
    "data": ["articles_unlabelled", "news_clean"],
    "origins": [
        "ramybaly/Article-Bias-Prediction (Apache-2.0; the articles are their publishers')",
        "Murrough-Foley/web-content-extraction-benchmark (CC BY 4.0)",
        "CleanEval, through j-szulc/html-cleaning-dataset-merged",
    ],
}


@dataclass(frozen=True, slots=True)
class Taught:
    """Sentences, and where the teacher puts them: float32, shape (n, its dimensions)."""

    sentences: Sequence[str]
    vectors: npt.NDArray[np.float32]

    def dataset(self, rounds: int) -> Any:
        """All of them `rounds` times, each time in another order."""
        from datasets import Dataset

        generator = np.random.default_rng(SEED)
        own = Dataset.from_dict({"sentence": list(self.sentences), "label": self.vectors})
        order = [generator.permutation(len(self.sentences)) for _ in range(rounds)]
        return own.select(np.concatenate(order))


def distil(teacher: Any, sentences: Sequence[str], *, dimensions: int = DIMENSIONS) -> Any:
    """A ``SentenceTransformer`` with one vector a token, distilled from another one, `teacher`.

    Tokens named ``[unused...]`` are dropped from the vocabulary: no text contains them.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from sklearn.decomposition import PCA

    tokenizer = _without_unused(teacher.tokenizer.backend_tokenizer)
    size = tokenizer.get_vocab_size()
    # Each token stands between the teacher's own start and end marks, as a one-token text would.
    old = teacher.tokenizer.get_vocab()
    marks = (teacher.tokenizer.cls_token_id, teacher.tokenizer.sep_token_id)
    new_to_old = np.zeros(size, dtype=np.int64)
    for token, identity in tokenizer.get_vocab().items():
        new_to_old[identity] = old[token]
    rows = []
    with torch.inference_mode():
        for ids in np.array_split(new_to_old, size // 512):
            batch = torch.tensor([[marks[0], int(i), marks[1]] for i in ids])
            out = teacher({"input_ids": batch, "attention_mask": torch.ones_like(batch)})
            rows.append(out["sentence_embedding"].float().numpy())
    vectors = PCA(dimensions, random_state=0).fit_transform(np.concatenate(rows))
    vectors /= np.linalg.norm(vectors, axis=1).mean()
    vectors *= _inverse_frequency(tokenizer, sentences, size)[:, None]
    static = StaticEmbedding(tokenizer, embedding_weights=vectors.astype(np.float32))
    return SentenceTransformer(modules=[static, Normalize()], device="cpu")


def _without_unused(tokenizer: Any) -> Any:
    """The teacher's tokenizer less its ``[unused...]`` tokens, with ids made contiguous."""
    from tokenizers import Tokenizer

    spec = json.loads(tokenizer.to_str())
    vocabulary = sorted(spec["model"]["vocab"].items(), key=lambda item: item[1])
    kept = [token for token, _ in vocabulary if not token.startswith("[unused")]
    spec["model"]["vocab"] = {token: identity for identity, token in enumerate(kept)}
    for special in spec["added_tokens"]:
        special["id"] = spec["model"]["vocab"][special["content"]]
    spec["post_processor"] = None
    spec["padding"] = spec["truncation"] = None
    return Tokenizer.from_str(json.dumps(spec))


def _inverse_frequency(
    tokenizer: Any, sentences: Sequence[str], size: int
) -> npt.NDArray[np.float64]:
    counts = np.zeros(size)
    for encoding in tokenizer.encode_batch(list(sentences), add_special_tokens=False):
        np.add.at(counts, encoding.ids, 1)
    frequency = (counts + 0.1) / (counts + 0.1).sum()
    weights: npt.NDArray[np.float64] = SMOOTHING / (SMOOTHING + frequency)
    return weights


def pairs(
    articles: Sequence[Article], centroids: npt.NDArray[np.float32], *, rounds: int, batch: int
) -> tuple[list[str], list[str]]:
    """Anchor and positive texts, ordered so that no batch holds an article twice.

    Even rounds go through the articles at random; odd rounds go along a random direction in the
    space of article centroids, so that a batch holds articles about neighbouring subjects.
    """
    generator = np.random.default_rng(SEED)
    split = [article.sentences for article in articles]
    anchors: list[str] = []
    positives: list[str] = []
    usable = len(articles) // batch * batch
    for number in range(rounds):
        order = generator.permutation(len(articles))
        if number % 2:
            direction = generator.normal(size=centroids.shape[1])
            order = np.argsort(centroids @ direction)
            order = np.roll(order, int(generator.integers(len(order))))
        for index in order[:usable]:
            sentences = split[index]
            first, second = generator.choice(len(sentences), 2, replace=False)
            anchors.append(sentences[first])
            title = articles[index].title
            positives.append(title if title and generator.random() < TITLES else sentences[second])
    return anchors, positives


class Imitation:
    """What `model` is to learn of where its teacher puts sentences.

    The cosine counts, between the teacher's vectors and a linear map of the model's, which is
    learned as well and kept from one training to the next.
    """

    def __init__(self, model: Any, taught: Taught) -> None:
        import torch
        from sentence_transformers.sentence_transformer.losses import EmbedDistillLoss

        torch.manual_seed(SEED)  # the map begins somewhere
        self.taught = taught
        self.loss = EmbedDistillLoss(model, projection_dim=taught.vectors.shape[1])


def imitate(model: Any, imitation: Imitation, *, rounds: int, batch: int, rate: float) -> None:
    """Train `model` in place to put sentences where the teacher puts them, and nothing else."""
    sentences = imitation.taught.dataset(rounds)
    run(model, {"sentences": sentences}, {"sentences": imitation.loss}, batch=batch, rate=rate)


def train(
    model: Any,
    articles: Sequence[Article],
    imitation: Imitation | None = None,
    *,
    rounds: int,
    batch: int,
    rate: float,
) -> None:
    """Train `model` in place on same-article pairs, in turn with an `imitation` if there is one."""
    from datasets import Dataset
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    centroids = np.stack(
        [model.encode(list(a.sentences[:20]), show_progress_bar=False).mean(0) for a in articles]
    )
    anchors, positives = pairs(articles, centroids, rounds=rounds, batch=batch)
    datasets: dict[str, Any] = {
        "articles": Dataset.from_dict({"anchor": anchors, "positive": positives})
    }
    losses: dict[str, Any] = {"articles": MultipleNegativesRankingLoss(model, scale=16.0)}
    if imitation is not None:
        taught = imitation.taught
        often = -(-len(anchors) // len(taught.sentences))
        datasets["sentences"] = taught.dataset(often).select(range(len(anchors)))
        losses["sentences"] = imitation.loss
    run(model, datasets, losses, batch=batch, rate=rate)


def run(
    model: Any,
    datasets: Mapping[str, Any],
    losses: Mapping[str, Any],
    *,
    batch: int,
    rate: float,
    **arguments: Any,
) -> None:
    """Train `model` in place on `datasets` in turn, each in its own order and by its own loss.

    Parameters
    ----------
    rate
        Peak learning rate.
    arguments
        Others of ``SentenceTransformerTrainingArguments``.
    """
    import torch
    from datasets import DatasetDict
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from torch.utils.data import SequentialSampler

    class InOrder(SentenceTransformerTrainer):
        """Keeps the order that `pairs` made: it is what keeps an article's negatives true."""

        def get_batch_sampler(  # type: ignore[override]
            self, dataset: Any, batch_size: int, drop_last: bool, **_: Any
        ) -> Any:
            return torch.utils.data.BatchSampler(SequentialSampler(dataset), batch_size, drop_last)

    with TemporaryDirectory() as folder:  # nothing is saved there, but it is made
        usual: dict[str, Any] = {
            "output_dir": folder,
            "num_train_epochs": 1,
            "per_device_train_batch_size": batch,
            "learning_rate": rate,
            "warmup_steps": 0.05,
            "lr_scheduler_type": "cosine",
            "save_strategy": "no",
            "report_to": "none",
            "logging_steps": 200,
            "seed": SEED,
            "use_cpu": True,
            "dataloader_drop_last": True,
            "disable_tqdm": True,
            "multi_dataset_batch_sampler": "round_robin",
        }
        trainer = InOrder(
            model=model,
            args=SentenceTransformerTrainingArguments(**usual | arguments),
            train_dataset=DatasetDict(datasets),
            loss=dict(losses),
        )
        trainer.train()


def _articles(data: Path) -> list[Article]:
    """The clean articles but those of fixtures, and two fifths of the news.

    The other news is for the detector and for the benchmark.
    """
    records = (*unlabelled(data), *news(data, OF_ENCODER))
    articles = articles_of(records, split=split_sentences)
    return [article for article in articles if len(article.sentences) >= FEWEST_SENTENCES]


def taught_by(teacher: Encoder, data: Path, cache: Path) -> Taught:
    """Sentences of articles, none of the detector's news, as `teacher` encodes them.

    Parameters
    ----------
    cache
        Folder for vectors of this teacher alone.
    """
    articles = (*news_articles(data, OF_ENCODER), *varied_articles(data, ALL.varied))
    own = {sentence[:ENCODED] for host in articles for sentence in host.sentences}
    sentences = sorted(own)
    encoder = CachedEncoder(teacher, cache)
    vectors = encoder.encode(sentences)
    encoder.flush()
    return Taught(sentences, vectors)


def _describe(folder: Path, made: Mapping[str, float]) -> None:
    """Say beside the model where it comes from, and let everybody read it."""
    (folder / "model.safetensors").chmod(0o644)  # sentence-transformers writes it for its owner
    manifest = {
        "made_by": "python -m cleaner.training.static_encoder",
        "teacher": f"{HUB_NAME} (Apache-2.0), with the adapter",
        "licence": "Apache-2.0",
        **ARTICLES,
        **made,
        "sha256": checksums(folder, ["model.safetensors"]),
    }
    write_manifest(folder, manifest)


@click.command(cls=ModuleCommand)
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--vectors",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the teacher's vectors are kept: those that it holds are not made.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Passes over the articles.",
)
@click.option(
    "--imitated",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Passes over the teacher's sentences before.",
)
@click.option("--batch", type=click.IntRange(min=2), default=1024, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=0.01,
    show_default=True,
    help="Peak learning rate.",
)
@click.option("--dimensions", type=click.IntRange(min=1), default=DIMENSIONS, show_default=True)
def main(
    data: Path,
    vectors: Path,
    output: Path,
    rounds: int,
    imitated: int,
    batch: int,
    rate: float,
    dimensions: int,
) -> None:
    """Distil all-MiniLM-L6-v2, and train that on articles; write a sentence-transformers folder."""
    say = stopwatch()
    check_folder(output)
    articles = _articles(data)
    sentences = [sentence for article in articles for sentence in article.sentences]
    say(f"{len(articles)} articles, {len(sentences)} sentences")
    taught = taught_by(TransformerEncoder.accurate(), data, vectors)
    say(f"{len(taught.sentences)} sentences by the teacher")
    model = distil(official(), sentences, dimensions=dimensions)
    say("distilled")
    imitation = Imitation(model, taught)
    imitate(model, imitation, rounds=imitated, batch=batch, rate=rate)
    say("imitates")
    train(model, articles, imitation, rounds=rounds, batch=batch, rate=rate)
    made = {"articles": len(articles), "rounds": rounds, "sentences": len(taught.sentences)}
    with whole_folder(output) as folder:
        model.save(str(folder), create_model_card=False)
        _describe(folder, made | {"imitated": imitated, "batch": batch, "rate": rate})
    say("trained")


if __name__ == "__main__":
    main()
