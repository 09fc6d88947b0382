"""What sites put around and between the paragraphs of articles, in their words.

Written down from common knowledge. What stands in braces is filled in: names of sites, people and
topics, a year, a number. Of what stands in brackets, with strokes between, one is drawn: sites say
the same in many ways.
"""

from __future__ import annotations

from importlib.resources import files

from cleaner.evaluation.intruders import LEADS

# How news sites introduce one headline among paragraphs, {} being the headline.
RELATED_LEADS = (
    *(lead for lead in LEADS if lead != "{}"), "(RELATED: {})", "(PHOTOS: {})", "(WATCH: {})",
    "(Also on {site}: {})", "[ READ: {} ]", "PHOTOS: {}", "Photos: {}", "Gallery: {}", "LISTEN: {}",
    "READ NEXT: {}", "Related story: {}", "More coverage: {}", "From {site}: {}", "{} | {site}",
    "{} - {site}", "{} >>", "Opinion: {}", "ALSO: {}", "Analysis: {}", "Full story: {}",
    "You might also like: {}", "You may also enjoy: {}", "You might also be interested in: {}",
    "ALSO READ | {}", "READ | {}", "Further reading: {}", "More on the topic: {}",
    "Related article: {}", "Related post: {}", "Related guide: {}", "EXPLAINED: {}", "ICYMI: {}",
    "In case you missed it: {}", "FREE TO WATCH: {}", "MUST READ: {}", "LIVE: {}",
    "DON'T MISS: {}", "Up next: {}", "Read: {}", "Also see: {}",
    "Recommended: {}", "Recommended reading: {}", "Find out more: {}", "Learn more: {}",
    "More from {site}: {}", "Listen: {}", "Podcast: {}", "Quiz: {}",
    "READ MORE {}", "READ MORE | {}", "SEE MORE: {}", "\u2192 {}", "\u25ba {}",
)  # fmt: skip

# What stands above several headlines.
RELATED_HEADINGS = (
    "Related", "More on this", "Most Read", "READ MORE", "Related posts", "Recent Posts",
    "More stories", "You may also like", "You might also enjoy", "Recommended stories",
    "Popular on {site}", "Trending", "Trending on {site}", "Top stories", "Latest news",
    "Editor's picks", "Keep reading", "What to read next", "More from {site}", "Similar articles",
    "Most viewed", "Further reading", "In other news", "Don't miss", "Our latest posts",
)  # fmt: skip

# What sites put between and behind paragraphs: a line each, below headings with a "#".
FORMULAS = tuple(
    line
    for line in files(__package__).joinpath("formulas.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)

FORM_TEXTS = (
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

SITES = (
    "The Daily Herald", "NewsHub", "The Morning Post", "World Report", "The Tribune", "Metro News",
    "The Chronicle", "Channel 9", "The Guardian Angle", "Business Week", "The Observer", "KXTV",
    "The Atlantic Review", "HuffPress", "ABC10", "The Courier", "TechDaily", "The Sun", "Insider",
)  # fmt: skip

PEOPLE = (
    "Anna Keller", "James Whitfield", "Maria Lopez", "Peter Novak", "Susan Clarke", "David Chen",
    "Laura Bennett", "Tom O'Brien", "Rachel Stein", "Ahmed Khan",
)  # fmt: skip

TOPICS = (
    "politics", "business", "health", "sports", "technology", "world news", "climate", "elections",
    "the coronavirus", "entertainment", "science", "immigration", "education", "the economy",
    "football", "travel", "food", "money", "parenting", "fitness", "gardening", "film", "books",
    "marketing", "property", "Premier League", "farming", "energy", "design", "data",
)  # fmt: skip
