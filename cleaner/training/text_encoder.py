"""Make a static sentence-transformers encoder from nothing but clean articles, in any language.

For a language that no sentence model can be had for. Three steps:

1. A WordPiece vocabulary is learned from the text.
2. *Latent semantic analysis* (Deerwester et al., 1990) gives every token its first vector: the
   singular vectors of the token-by-line matrix, weighted by inverse document frequency.
3. *Contrastive training* on pairs of sentences of one article, as for the package's own encoder
   (`cleaner.training.static_encoder`).

Run as ``python -m cleaner.training.text_encoder -o FOLDER DATA...``; DATA are as for
`cleaner train`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from cleaner.command import ModuleCommand, stopwatch
from cleaner.errors import InputError
from cleaner.training.corpora import Article
from cleaner.training.folder import check_folder, checksums, whole_folder, write_manifest
from cleaner.training.sources import CleanArticle, hosts_of, languages_of, read_training_data
from cleaner.training.static_encoder import SMOOTHING, train

_SPECIAL = ("[PAD]", "[UNK]")
_FEWEST = 2  # articles with pairs of sentences: one is what the other is told from
_SEEN = 2  # times a piece must be seen to get into the vocabulary


def vocabulary(lines: Iterable[str], *, size: int) -> Any:
    """A tokenizer whose lower-case word pieces were learned from `lines`; accents count."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=_SPECIAL[1]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=_SEEN, special_tokens=list(_SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def first_vectors(
    tokenizer: Any, lines: Sequence[str], *, dimensions: int
) -> npt.NDArray[np.float32]:
    """Vectors from latent semantic analysis, float32, shape (tokens, dimensions).

    Each is scaled by smooth inverse frequency (Arora et al., 2017): frequent tokens say little.

    Raises
    ------
    InputError
        If there are fewer lines or tokens than `dimensions`.
    """
    from scipy import sparse  # type: ignore[import-untyped]
    from sklearn.decomposition import TruncatedSVD

    size = tokenizer.get_vocab_size()
    if min(size, len(lines)) < dimensions:
        raise InputError(
            f"{len(lines)} lines with {size} different tokens are too few for {dimensions}"
            " dimensions",
            next_step="give more articles, or fewer --dimensions",
        )
    encodings = tokenizer.encode_batch(list(lines), add_special_tokens=False)
    owner = np.repeat(np.arange(len(encodings)), [len(e.ids) for e in encodings])
    ids = np.concatenate([np.array(e.ids, dtype=np.int64) for e in encodings])
    counts = sparse.csr_matrix((np.ones(len(ids)), (ids, owner)), shape=(size, len(encodings)))
    counts.data = np.log1p(counts.data)
    rarity = np.log((1 + len(encodings)) / (1 + counts.getnnz(axis=1)))
    matrix = sparse.diags(rarity) @ counts
    vectors = TruncatedSVD(dimensions, random_state=0).fit_transform(matrix)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    frequency = np.bincount(ids, minlength=size) / len(ids)
    weighted = vectors * (SMOOTHING / (SMOOTHING + frequency))[:, None]
    return np.asarray(weighted, dtype=np.float32)


def make(
    articles: Sequence[CleanArticle],
    *,
    dimensions: int,
    size: int,
    rounds: int,
    batch: int,
    rate: float,
) -> Any:
    """A ``SentenceTransformer`` trained on `articles` alone."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    lines = [line for article in articles for line in article.lines]
    tokenizer = vocabulary(lines, size=size)
    vectors = first_vectors(tokenizer, lines, dimensions=dimensions)
    static = StaticEmbedding(tokenizer, embedding_weights=vectors)
    model = SentenceTransformer(modules=[static, Normalize()], device="cpu")
    language = (languages_of(articles) or ("en",))[0]
    split = [
        Article(host.identity, host.title, host.sentences)
        for host in hosts_of(articles, language=language)
    ]
    if rounds and len(split) < _FEWEST:
        raise InputError(
            f"of {len(articles)} articles {len(split)} have eight sentences or more, and pairs of"
            " sentences need two such articles",
            next_step="give longer articles, or --rounds 0",
        )
    if rounds:
        train(model, split, rounds=rounds, batch=min(batch, len(split)), rate=rate)
    return model


@click.command(cls=ModuleCommand)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--dimensions", type=click.IntRange(min=1), default=128, show_default=True)
@click.option(
    "--vocabulary",
    "size",
    type=click.IntRange(min=1),
    default=16_000,
    show_default=True,
    help="Tokens.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=0),
    default=60,
    show_default=True,
    help="Passes over the articles.",
)
@click.option("--batch", type=click.IntRange(min=2), default=256, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=0.003,
    show_default=True,
    help="Peak learning rate.",
)
@click.argument("data", nargs=-1, required=True, type=click.Path())
def main(output: Path, data: tuple[str, ...], **options: Any) -> None:
    """Train a static encoder on the clean articles in DATA; write its folder."""
    say = stopwatch()
    check_folder(output)
    articles = read_training_data(data).bodies
    say(f"{len(articles)} articles")
    model = make(articles, **options)
    with whole_folder(output) as folder:
        model.save(str(folder), create_model_card=False)
        weights = folder / "model.safetensors"
        weights.chmod(0o644)  # sentence-transformers writes it for its owner alone
        manifest = {
            "made_by": "python -m cleaner.training.text_encoder",
            "data": sorted({Path(name).name for name in data}),
            "articles": len(articles),
            **options,
            "sha256": checksums(folder, [weights.name]),
        }
        write_manifest(folder, manifest)
    say(f"written to {output}")


if __name__ == "__main__":
    main()
