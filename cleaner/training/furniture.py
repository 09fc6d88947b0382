"""Put furniture into clean articles: lines of web pages, formulas of news sites, headlines.

Labelled scrapes come from few sites, and each site words its furniture in its own way. The same
furniture in other articles, and the furniture of many sites in one kind of article, teach what does
not depend on the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.evaluation.intruders import LEADS, Host
from cleaner.sites import fold_of

_UNTOUCHED = 0.25  # share of documents into which nothing is put
_TITLED = 0.7  # documents with a title
_REPEATED = 0.4  # lines that come again between other paragraphs, as advert marks do
_MERGED = 0.25  # documents whose furniture that stands together is on one line
_FORM = (4, 12)  # pieces of a form
_OF_PAGE = 0.25  # pieces of a form that are lines of a page
_ONE_LINE = 0.7  # forms that have lost their line breaks
_CAPITALS = 0.4  # documents whose headlines are in capitals
_BARE = 0.4  # documents whose headlines have no lead
# Shares of what is put in: single lines, a run of lines, a head and a foot, formulas, headlines.
_KINDS = {
    "lines": 0.26, "run": 0.1, "frame": 0.12, "formulas": 0.17, "related": 0.2, "form": 0.15,
}  # fmt: skip
_NEAREST = 40  # closest headlines among which related ones are chosen
_LONGEST_RUN = 8

# How news sites introduce one headline among paragraphs, {} being the headline.
_LEADS = (
    *(lead for lead in LEADS if lead != "{}"), "(RELATED: {})", "(PHOTOS: {})", "(WATCH: {})",
    "(Also on {site}: {})", "[ READ: {} ]", "PHOTOS: {}", "Photos: {}", "Gallery: {}", "LISTEN: {}",
    "READ NEXT: {}", "Related story: {}", "More coverage: {}", "From {site}: {}", "{} | {site}",
    "{} - {site}", "{} >>", "Opinion: {}", "ALSO: {}", "Analysis: {}", "Full story: {}",
)  # fmt: skip

# What news sites put between and behind paragraphs; what stands in braces is filled in.
FORMULAS: tuple[str, ...] = (
    "Advertisement", "ADVERTISEMENT", "Advertisement - story continues below", "Ad", "Sponsored",
    "Sponsored Content", "Paid Post", "Promoted", "Story Continued Below", "Story continues below",
    "Story continues below advertisement", "Article continues below", "Continue Reading",
    "Article continues after advertisement", "Continue reading the main story",
    "Scroll to continue", "Advertisement Continue reading the main story", "Skip advertisement",
    "Loading...", "Please enable JavaScript to view this content.", "This video is not available.",
    "Sign up for our newsletter", "Sign up for the {site} newsletter",
    "Sign Up for Our Newsletters", "Sign up for {topic} alerts", "Subscribe to our newsletter",
    "Subscribe to {site}", "Subscribe now", "SUBSCRIBE",
    "Get the {site} newsletter delivered to your inbox every morning.",
    "Get the latest {topic} news delivered to your inbox.", "Enter your email address",
    "Get breaking news alerts from {site}. Sign up here.", "Email (required)",
    "By signing up you agree to our Terms of Service and Privacy Policy.",
    "By signing up, you agree to receive email newsletters from {site}.",
    "You can unsubscribe at any time.", "Unsubscribe at any time.", "No spam, ever.",
    "Please enter a valid email address.", "All fields are required.", "Thanks for subscribing!",
    "Something went wrong. Please try again later.", "Check your inbox to confirm.",
    "This site is protected by reCAPTCHA and the Google Privacy Policy and Terms of Service apply.",
    "We will never share your email address.", "See all newsletters", "Manage your newsletters",
    "By subscribing, I agree to the Terms of Use and Privacy Policy.",
    "Thank you for signing up! You will receive our next newsletter soon.",
    "Want more stories like this? Sign up for our daily briefing.",
    "Keep up with this story and more by subscribing now.",
    "Never miss a story: sign up for {site}'s daily email.",
    "Our free weekly newsletter brings you the best of {topic}.",
    "CLICK HERE TO GET THE {SITE} APP", "Click here to download the {site} app",
    "Download the {site} app", "Get the app",
    "Listen to our podcast on Apple Podcasts and Spotify.",
    "CLICK HERE FOR MORE {TOPIC} NEWS", "CLICK HERE FOR THE LATEST FROM {SITE}",
    "Click here for more from {person}.", "CLICK HERE TO READ MORE FROM {PERSON}",
    "Click here for complete coverage of {topic}.", "Click for more from {site}.",
    "Follow {site} on Twitter", "Follow us on Facebook and Twitter", "Like us on Facebook",
    "Follow {person} on Twitter @{handle}", "Follow @{handle}",
    "Find {person} on Twitter: @{handle}",
    "Join us on Facebook", "Share", "Share this article", "Share on Facebook", "Tweet", "Email",
    "Share this story", "Print this article", "Share on WhatsApp", "Copy link", "View comments",
    "Comments", "Leave a comment", "Join the conversation", "Show comments", "Post a comment",
    "What do you think? Let us know in the comments below.", "Comments are closed.",
    "Have a tip? Email us at tips@{domain}", "Send a tip to {person}.", "Contact us",
    "Send your letters to letters@{domain}.", "Got a news tip? Write to {handle}@{domain}.",
    "Correction requests can be sent to corrections@{domain}.",
    "Copyright © {year} {site}. All rights reserved.", "© {year} {site}", "© {year} {site}, LLC.",
    "© {year} {site}. This material may not be published, broadcast or redistributed.",
    "Copyright {year} {site}. Click here for reprint permission.", "All rights reserved.",
    "Terms of Use", "Privacy Policy", "Read our community guidelines here.",
    "Reprints and permissions", "Distributed by {site}", "This story was produced by {site}.",
    "Support {site}", "Support independent journalism: become a member of {site} today.",
    "{site} needs your support. Donate now.", "Make a contribution to {site}", "Donate",
    "Join {site} Premium for unlimited access and no adverts.", "Become a member", "Log in",
    "Already a subscriber? Log in", "You have {number} free articles left this month.",
    "This article is for subscribers only.", "Start your free trial", "Try {site} for $1 a month",
    "Buy {person}'s new book here.", "Order your copy now.", "Get tickets now",
    "We may earn a commission from links on this page.",
    "{site} may earn a share of sales from the links on this page.",
    "Related", "Related Stories", "RELATED ARTICLES", "Related Topics", "Related content",
    "More on this story", "More from {site}", "More from {person}", "More in {topic}", "Read more",
    "READ MORE", "Read next", "Up next", "Recommended", "Recommended for you", "Most Read",
    "Most Popular", "Trending", "Trending now", "Editor's picks", "Editors' Picks", "Top stories",
    "You may also like", "You might also like", "Popular on {site}", "In other news", "See also",
    "Around the web", "From our partners", "Also on {site}", "Latest videos", "Watch live", "Watch",
    "Play video", "Photo gallery", "View gallery", "{number} photos", "View all", "See more",
    "Back to top", "Next article", "Previous article", "Home", "News", "Menu", "Search",
    "View this post on Instagram", "More {topic} news", "Full coverage: {topic}", "Opinion",
    "Explore more: {topic}", "Tags: {topic}, {person}", "Filed under: {topic}", "Topics: {topic}",
    "Get our top stories", "Stay informed with {site}",
    "Don't miss out on the headlines from {topic}.",
    "Take our survey", "Take the quiz", "Listen to this article", "{number} min read",
    "Advertise with us", "Cookie settings", "Accept all cookies", "Manage preferences",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """The furniture of a page: runs of lines that stood together, and the site they are of."""

    runs: tuple[tuple[str, ...], ...]
    site: str


def pages_of(records: Iterable[tuple[Mapping[str, Any], str]]) -> list[Page]:
    """The furniture of labelled records, each with its site: the runs of lines labelled 1."""
    pages = []
    for record, site in records:
        pairs = zip(record["lines"], record["labels"], strict=True)
        grouped = groupby(pairs, key=lambda pair: pair[1] == 1 and bool(pair[0].strip()))
        runs = tuple(tuple(line for line, _ in run) for gone, run in grouped if gone)
        if runs:
            pages.append(Page(runs, site))
    return pages


class Headlines:
    """Headlines of many articles, to be had by closeness to an article's own.

    Parameters
    ----------
    titles
        The headlines.
    vectors
        Their vectors, shape (len(titles), dimensions), unit length or zero.
    """

    def __init__(self, titles: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        self._titles = titles
        self._vectors = vectors
        self._rows = {title: row for row, title in enumerate(titles)}

    def related(self, title: str, count: int, generator: np.random.Generator) -> list[str]:
        """`count` headlines that are close to `title`, or any, where it is not known."""
        row = self._rows.get(title)
        if row is None or generator.random() < _UNTOUCHED:
            chosen = generator.choice(len(self._titles), count, replace=False)
        else:
            near = np.argsort(-(self._vectors @ self._vectors[row]))[: _NEAREST + 1]
            chosen = generator.choice(near[near != row], count, replace=False)
        return [self._titles[i] for i in chosen]


def furniture_records(
    hosts: Sequence[Host],
    sites: Sequence[str],
    pages: Sequence[Page],
    headlines: Headlines,
    *,
    folds: int,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """One record for each host: furniture put between and around its paragraphs, and labels.

    Parameters
    ----------
    hosts
        Clean articles.
    sites
        The site of each host; empty where nothing else of its site is learned from.
    folds
        Into how many folds sites are parted. Furniture is of a site in the fold of the host's, so
        that a record is of one fold as a whole: the one of the site that it says in ``site``.
    """
    generator = np.random.default_rng(seed)
    by_fold: dict[int, list[Page]] = {}
    for page in pages:
        by_fold.setdefault(fold_of(page.site, folds), []).append(page)
    for host, known in zip(hosts, sites, strict=True):
        pool = by_fold[fold_of(known, folds)] if known else pages
        page = pool[int(generator.integers(len(pool)))]
        lines = _paragraphs(host)
        kind = "clean"
        if generator.random() >= _UNTOUCHED:
            kind = str(generator.choice(list(_KINDS), p=list(_KINDS.values())))
            for at, group in _groups(kind, host, lines, page, headlines, generator):
                lines[at:at] = [(line, 1) for line in group]
        yield {
            "id": f"{host.identity}-{seed}",
            "title": host.title if generator.random() < _TITLED else None,
            "source": host.identity,
            "site": known or page.site,
            "lines": [line for line, _ in lines],
            "labels": [label for _, label in lines],
            "kind": kind,
        }


def _paragraphs(host: Host) -> list[tuple[str, int]]:
    paragraphs: dict[int, list[str]] = {}
    for sentence, paragraph in zip(host.sentences, host.paragraphs, strict=True):
        paragraphs.setdefault(paragraph, []).append(sentence)
    return [(" ".join(sentences), 0) for sentences in paragraphs.values()]


def _groups(
    kind: str,
    host: Host,
    lines: Sequence[tuple[str, int]],
    page: Page,
    headlines: Headlines,
    generator: np.random.Generator,
) -> list[tuple[int, list[str]]]:
    """What is put in and where, from the last place to the first."""
    count = int(generator.integers(1, 5))
    groups: list[tuple[int, list[str]]] = []

    def anywhere() -> int:
        return int(generator.integers(0, len(lines) + 1))

    if kind == "formulas":
        texts = [_formula(generator) for _ in range(count)]
        groups = [(anywhere(), [text]) for text in texts]
        if generator.random() < _REPEATED:
            groups += [(anywhere(), [texts[0]]) for _ in range(count)]
        if generator.random() < _REPEATED:
            groups.append((len(lines), [_formula(generator) for _ in range(count)]))
    elif kind == "form":
        groups = [(anywhere(), _form(page, generator))]
    elif kind == "related":
        groups = _related(host, count, headlines, generator, anywhere)
    elif kind == "lines":
        chosen = [_line(page, generator) for _ in range(count)]
        groups = [(anywhere(), [line]) for line in chosen]
        if generator.random() < _REPEATED:
            groups += [(anywhere(), [chosen[0]]) for _ in range(count)]
    else:
        places = [anywhere()] if kind == "run" else [0, len(lines)]
        groups = [(at, _run(page, generator)) for at in places]
        if generator.random() < _MERGED:
            groups = [(at, [" ".join(group)]) for at, group in groups]
    return sorted(groups, key=lambda group: group[0], reverse=True)


def _related(
    host: Host,
    count: int,
    headlines: Headlines,
    generator: np.random.Generator,
    anywhere: Callable[[], int],
) -> list[tuple[int, list[str]]]:
    """Headlines one by one behind a lead, or together under a heading."""
    lead = "{}" if generator.random() < _BARE else str(generator.choice(_LEADS))
    site = str(generator.choice(_SITES))
    lead = lead.replace("{site}", site.upper() if generator.random() < _CAPITALS else site)
    capitals = generator.random() < _CAPITALS
    titles = headlines.related(host.title, count + 1, generator)
    found = [title.upper() if capitals else title for title in titles]
    if generator.random() < _REPEATED:
        heading = str(generator.choice(["Related", "More on this", "Most Read", "READ MORE", ""]))
        return [(anywhere(), [*([heading] if heading else []), *found])]
    return [(anywhere(), [lead.format(title)]) for title in found]


def _line(page: Page, generator: np.random.Generator) -> str:
    """One line of the page's furniture, the longer ones first: most are single words of menus."""
    lines = [line for run in page.runs for line in run]
    words = np.array([min(len(line.split()), 12) for line in lines], dtype=np.float64)
    return lines[int(generator.choice(len(lines), p=words / words.sum()))]


def _run(page: Page, generator: np.random.Generator) -> list[str]:
    run = page.runs[int(generator.integers(len(page.runs)))]
    size = int(generator.integers(1, _LONGEST_RUN + 1))
    at = int(generator.integers(0, max(1, len(run) - size + 1)))
    return list(run[at : at + size])


def _form(page: Page, generator: np.random.Generator) -> list[str]:
    """A prompt to sign up or to pay with all its states and small print, mostly on one line."""
    size = int(generator.integers(*_FORM))
    pieces = [str(generator.choice(_FORM_TEXTS)) for _ in range(size)]
    for at in np.flatnonzero(generator.random(size) < _OF_PAGE):
        pieces[at] = _line(page, generator)
    site = str(generator.choice(_SITES))
    pieces = [piece.replace("{site}", site) for piece in dict.fromkeys(pieces)]
    return [" ".join(pieces)] if generator.random() < _ONE_LINE else pieces


_FORM_TEXTS = (
    "Newsletter", "Newsletters", "Sign up", "Sign Up", "Subscribe", "Subscribe now", "Log in",
    "Email", "Email address", "Your email", "Enter your email", "First name", "Submit", "Continue",
    "Close",
    "Sign up for our newsletter.", "Get the best of {site} in your inbox.", "Join {site} today.",
    "The morning's most important stories, selected by our editors.", "Delivered every weekday.",
    "Please enter a valid email address.", "This field is required.", "Email is required.",
    "That email address is not valid.", "Please tick the box to continue.", "Please try again.",
    "Something went wrong.", "Sorry, there was an error.", "Your subscription could not be saved.",
    "Please choose at least one newsletter.", "Select your country.", "Select the topics you like.",
    "Thank you!", "Thanks for signing up!", "You're in!", "You are now subscribed.", "Success!",
    "You are already subscribed.", "We have sent you an email to confirm your address.",
    "Click the link in it to complete your registration.", "Check your spam folder.",
    "By signing up, you agree to our Terms of Use and Privacy Policy.",
    "By clicking Subscribe you agree to receive emails and offers from {site}.",
    "I have read the Terms and Conditions.", "I would like to receive offers from partners.",
    "You will receive news and offers from {site}.", "You can unsubscribe whenever you want.",
    "Unsubscribe at any time.", "You can opt out by following the link in any email.",
    "We will never share your address.", "No spam, ever.", "See all newsletters from {site}.",
    "This site is protected by reCAPTCHA and the Google Privacy Policy and Terms of Service apply.",
    "Already a member? Log in.", "Not a member yet? Create an account.", "Forgot your password?",
    "Reset your password.", "Support our journalism.", "Choose a plan.", "Cancel anytime.",
    "Continue reading with a subscription.", "You have read your last free article.",
)  # fmt: skip

_SITES = (
    "The Daily Herald", "NewsHub", "The Morning Post", "World Report", "The Tribune", "Metro News",
    "The Chronicle", "Channel 9", "The Guardian Angle", "Business Week", "The Observer", "KXTV",
    "The Atlantic Review", "HuffPress", "ABC10", "The Courier", "TechDaily", "The Sun", "Insider",
)  # fmt: skip
_PEOPLE = (
    "Anna Keller", "James Whitfield", "Maria Lopez", "Peter Novak", "Susan Clarke", "David Chen",
    "Laura Bennett", "Tom O'Brien", "Rachel Stein", "Ahmed Khan",
)  # fmt: skip
_TOPICS = (
    "politics", "business", "health", "sports", "technology", "world news", "climate", "elections",
    "the coronavirus", "entertainment", "science", "immigration", "education", "the economy",
)  # fmt: skip


def _formula(generator: np.random.Generator) -> str:
    site, person, topic = (str(generator.choice(of)) for of in (_SITES, _PEOPLE, _TOPICS))
    return str(generator.choice(FORMULAS)).format(
        site=site,
        SITE=site.upper(),
        person=person,
        PERSON=person.upper(),
        topic=topic,
        TOPIC=topic.upper(),
        handle=person.replace(" ", "").replace("'", "").lower(),
        domain=site.replace(" ", "").lower() + ".com",
        year=int(generator.integers(1998, 2027)),
        number=int(generator.integers(2, 20)),
    )
