"""No default sentence of the framework reaches a person (ui.md): those of forms are ours, in both languages."""

from __future__ import annotations

import gettext
from pathlib import Path

import django
import pytest
from django.utils import translation

from portal.ui.sentences import COUNTED, SENTENCES

LOCALES = Path(django.__file__).parent / "conf" / "locale"
PASSWORDS = Path(django.__file__).parent / "contrib" / "auth" / "locale"


@pytest.mark.parametrize("language", ["en", "tr"])
def test_each_sentence_is_said_in_our_words(language: str) -> None:
    """And is Django's to the letter: else ours would never be shown."""
    theirs = gettext.translation("django", LOCALES, ["tr"])
    theirs.add_fallback(gettext.translation("django", PASSWORDS, ["tr"]))
    with translation.override(language):
        for sentence in SENTENCES:
            assert theirs.gettext(sentence) != sentence, sentence
            assert translation.gettext(sentence) not in {sentence, theirs.gettext(sentence)}, sentence
        for one, many in COUNTED:
            assert theirs.ngettext(one, many, 2) != many, many
            assert translation.ngettext(one, many, 2) not in {many, theirs.ngettext(one, many, 2)}, many
