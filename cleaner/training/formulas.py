"""What sites put around and between the paragraphs of articles, in their words.

Written down from common knowledge. What stands in braces is filled in: names of sites, people and
topics, a year, a number.
"""

from __future__ import annotations

from cleaner.evaluation.intruders import LEADS

# How news sites introduce one headline among paragraphs, {} being the headline.
RELATED_LEADS = (
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
)  # fmt: skip
