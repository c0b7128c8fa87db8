"""The words of a text, as far as a rule about words needs them."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without the punctuation at their ends."""
    return [word for word in (part.strip(".,;:!?'\"()[]").lower() for part in text.split()) if word]
