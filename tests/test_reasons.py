"""Why a fragment goes: wordings as they stand on pages, and the reason each is given."""

import pytest

from cleaner import Cleaner
from cleaner.reasons import REASONS, reason_of

WORDINGS = {
    "legal": [
        "\u00a9 2021 Example Media Ltd. All rights reserved.",
        "This material may not be published, broadcast, rewritten or redistributed.",
        "By using this site you agree to our privacy policy.",
    ],
    "advert": [
        "Advertisement",
        "ADVERTISEMENT",
        "Story continues below",
        "- Sponsored -",
        "ADVERTISEMENT - CONTINUE READING BELOW",
    ],
    "comment": [
        "12 Comments",
        "Leave a reply",
        "Join the discussion",
        "View all comments (41)",
        "1.2k comments",
        "Add a public comment...",
        "Cancel reply",
        "Be the first to comment",
    ],
    "sharing": [
        "Share this article",
        "Facebook Twitter Email",
        "Follow us for more",
        "Follow House & Nest on Instagram",
        "Share",
        "Reddit",
        "Share on WhatsApp",
        "Copy link WhatsApp",
        "Click to share on Facebook",
    ],
    "promotion": [
        "Sign up for our free newsletter",
        "Subscribe now",
        "Get the latest straight to your inbox",
        "Download the app",
        "Please donate",
    ],
    "related-link": [
        "Read more: Ten bridges that fell",
        "RELATED: The mayor's wife speaks",
        "See also",
        "Also read: Ten bridges that fell",
        "You might also like",
        "Trending now",
    ],
    "byline": [
        "By Jane Doe",
        "Photo credit: Reuters",
        "Photograph: Lena Ost/Wild Images",
        "4 min read",
        "Ann Lee and Bo Ruiz contributed to this article.",
        "Last updated 3 May",
    ],
}


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, texts in WORDINGS.items() for text in texts]
)
def test_wording(reason, text):
    assert reason_of(text, {}) == reason


EVIDENCE = [
    # text, words, full stop, wording (log-odds of furniture), reason
    ("The striker scored twice on Sunday.", 6, 1, -3.0, "off-topic"),
    ("Our readers make this journalism possible.", 6, 1, 3.0, "promotion"),
    ("Ten stars who aged badly", 5, 0, 1.0, "related-link"),
    ("Ten stars who aged badly", 5, 0, -1.0, "off-topic"),
    ("Home World", 2, 0, 2.0, "navigation"),
    ("Manager charged over tunnel comments", 5, 0, 1.0, "related-link"),
    ("Washington Post comments spark row", 5, 0, 1.0, "related-link"),
    ("Comments by minister anger nurses", 5, 0, 1.0, "related-link"),
    ("Share prices fall after bank warning", 6, 0, 1.0, "related-link"),
    ("Brothers share with refugees", 5, 0, 1.0, "related-link"),
    ("Pupils share their lunch with a hedgehog", 7, 0, -1.0, "off-topic"),
    ("word " * 60, 60, 0, -1.0, "off-topic"),
]


@pytest.mark.parametrize(("text", "words", "stop", "wording", "reason"), EVIDENCE)
def test_evidence_decides_where_the_wording_does_not(text, words, stop, wording, reason):
    evidence = {"words": words, "full_stop": stop, "wording": wording}
    assert reason_of(text, evidence) == reason


PROSE = [
    "The White House declined to comment on the report.",
    "Apple's share price fell by four percent on Tuesday.",
    "Drop the dough on a tray, then press each cookie flat with a fork.",
    "He moved to buy the app maker for two billion dollars.",
    "By Tuesday the river had risen by two metres.",
    "Source code was stolen from the firm in the spring of that year.",
    "Video showed the officer kneeling on the ground beside the car.",
    "Previous governments had promised the same.",
    "Copyright in the song belongs to the estate, in terms of the will.",
]


@pytest.mark.parametrize("text", PROSE)
def test_a_word_of_ordinary_prose_names_no_reason(text):
    evidence = {"words": len(text.split()), "full_stop": 1, "wording": -4.0}
    assert reason_of(text, evidence) == "off-topic"


def test_a_phrase_names_its_reason_in_a_sentence_as_well():
    evidence = {"words": 9, "full_stop": 1, "wording": -1.0}
    text = "By using this site you agree to our privacy policy."
    assert reason_of(text, evidence) == "legal"


@pytest.mark.parametrize(
    "text",
    [
        "Follow the new advice on x-rays",
        "Picture: a man walks into the bar and asks for the moon.",
        "Advertisement story that shocked the industry",
    ],
)
def test_what_only_begins_as_furniture_does_is_not_named_after_it(text):
    assert reason_of(text, {"words": 9.0, "full_stop": 0.0, "wording": -2.0}) == "off-topic"


def test_a_long_text_is_not_named_after_one_word_in_it():
    text = "He read the newsletter of the harbour council every week. " * 6
    assert reason_of(text, {"words": 60, "full_stop": 1}) == "off-topic"


def test_a_headline_below_a_related_link_is_one():
    headline = {"words": 7.0, "full_stop": 0.0, "wording": -1.0}
    assert reason_of("Mayor of Kharkiv resigns after long inquiry", headline) == "off-topic"
    for text, above, reason in (
        ("Mayor of Kharkiv resigns after long inquiry", "related-link", "related-link"),
        ("Mayor of Kharkiv resigns after long inquiry", "promotion", "off-topic"),
        ("Subscribe now", "related-link", "promotion"),
    ):
        assert reason_of(text, headline, above=above) == reason
    sentence = headline | {"full_stop": 1.0}
    assert reason_of("The mayor has resigned.", sentence, above="related-link") == "off-topic"


@pytest.mark.parametrize("text", ["", " ", "\0", "\udcff", "\U0001f600", "x" * 10_000])
def test_every_text_gets_a_reason(text):
    assert reason_of(text, {}) in REASONS


def test_six_words_are_six():
    """The evidence holds the logarithm of their number, which does not come back as it was."""
    lines = [
        f"The council of the old town met on day {n} to speak of the bridge." for n in range(8)
    ]
    lines.insert(4, "The newsletter of Kyiv was closed.")
    fragment = Cleaner(threshold=0.0).clean_and_explain("\n".join(lines)).fragments[4]
    assert fragment.evidence["wording"] < 0
    assert fragment.reason == "off-topic"
