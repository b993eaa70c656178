"""The first two rows of a real installation: the vendor, and the programme manager who makes all others."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Field
from django.utils import timezone

from portal.accounts import rules, services
from portal.accounts.countries import COUNTRIES
from portal.accounts.models import Company, User

#: Option, and how it is asked for. The password comes last: it must not resemble what stands before it.
QUESTIONS = {
    "vendor_name": "Vendor's name",
    "country": "Vendor's country, two letters",
    "first_name": "Programme manager's first name",
    "last_name": "Programme manager's last name",
    "email": "E-mail",
    "password": "Password",
}
#: What an empty answer means.
DEFAULTS = {"vendor_name": settings.VENDOR_NAME, "country": "US"}
FIELDS: dict[str, Any] = {
    "vendor_name": Company._meta.get_field("name"),
    "first_name": User._meta.get_field("first_name"),
    "last_name": User._meta.get_field("last_name"),
    "email": User._meta.get_field("email"),
}


class Command(BaseCommand):
    help = "Create the vendor company and the first programme manager; asks for what the options don't say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, question in QUESTIONS.items():
            default = f" (default: {DEFAULTS[name]})" if name in DEFAULTS else ""
            parser.add_argument(_option(name), help=f"{question}{default}.")

    def handle(self, *_args: Any, **options: Any) -> None:
        if Company.objects.filter(kind=Company.Kind.VENDOR).exists():
            raise CommandError("There is a vendor already: people and companies are added in the admin.")
        try:
            answers = self._ask_all(options) if sys.stdin.isatty() else _take_all(options)
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Ended before the last answer; nothing was created.") from None
        _create(answers)
        self.stdout.write(f"Created {answers['vendor_name']} and its programme manager {answers['email']}.")

    def _ask_all(self, options: dict[str, Any]) -> dict[str, str]:
        """Every answer, each asked again until it is right; the ones before it stay."""
        answers: dict[str, str] = {}
        for name in QUESTIONS:
            answer = options[name] or _ask(name)
            while problems := _problems(name, answer, answers):
                self.stderr.write(" ".join(problems))
                answer = _ask(name)
            answers[name] = _tidy(name, answer)
        return answers


def _take_all(options: dict[str, Any]) -> dict[str, str]:
    """Every answer from the options alone. Raises CommandError with everything that is wrong, in one line."""
    answers: dict[str, str] = {}
    problems: list[str] = []
    for name in QUESTIONS:
        answer = options[name] or DEFAULTS.get(name)
        if not answer:
            raise CommandError(f"No terminal to ask in: give {_option(name)}.")
        problems += [f"{_option(name)}: {problem}" for problem in _problems(name, answer, answers)]
        answers[name] = _tidy(name, answer)
    if problems:
        raise CommandError(" ".join(problems))
    return answers


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _ask(name: str) -> str:
    if name == "password":
        return _ask_password()
    default = f" [{DEFAULTS[name]}]" if name in DEFAULTS else ""
    return input(f"{QUESTIONS[name]}{default}: ").strip() or DEFAULTS.get(name, "")


def _ask_password() -> str:
    while True:
        password = getpass(f"{QUESTIONS['password']}: ")
        if getpass("The same again: ") == password:
            return password
        print("The two passwords differ.", file=sys.stderr)


def _tidy(name: str, answer: str) -> str:
    """As it is kept; a password is kept as it was typed."""
    if name == "password":
        return answer
    return answer.strip().upper() if name == "country" else answer.strip()


def _problems(name: str, answer: str, answers: dict[str, str]) -> list[str]:
    """Everything wrong with this answer, given those before it."""
    if name == "country":
        known = _tidy(name, answer) in COUNTRIES
        return [] if known else [f"{answer!r} is no country's two-letter code; they are like US, DE or TR."]
    try:
        if name == "password":
            validate_password(answer, _person(answers))
        else:
            field: Field[Any, Any] = FIELDS[name]
            field.clean(_tidy(name, answer), None)
    except ValidationError as error:
        return list(error.messages)
    if name == "email" and User.objects.filter(email=_tidy(name, answer).lower()).exists():
        return [f"{answer} has an account already."]
    return []


def _person(answers: dict[str, str]) -> User:
    return User(email=answers["email"], first_name=answers["first_name"], last_name=answers["last_name"])


@transaction.atomic
def _create(answers: dict[str, str]) -> None:
    """As the system: nobody is there yet who could have done it."""
    who: dict[str, Any] = {"actor": rules.SYSTEM, "now": timezone.now()}
    name, country = answers["vendor_name"], answers["country"]
    vendor = services.create_company(name=name, country=country, kind=Company.Kind.VENDOR, **who)
    named: dict[str, Any] = {name: answers[name] for name in ("email", "password", "first_name", "last_name")}
    manager = services.create_person(**named, phone="", language="en", time_zone="UTC", **who)
    services.set_membership(user=manager, company=vendor, grants=[rules.Grant(rules.PROGRAMME_MANAGER)], **who)
