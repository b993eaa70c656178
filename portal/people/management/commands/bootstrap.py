"""The first two rows of a real installation: the vendor, and the programme manager who makes all others."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from getpass import getpass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import EmailValidator
from django.db import transaction
from django.utils import timezone

from portal.accounts import rules
from portal.accounts.models import Company, User
from portal.people import services

#: Option, question, and how it is asked for.
QUESTIONS = {
    "vendor_name": f"Vendor's name [{settings.VENDOR_NAME}]: ",
    "first_name": "Programme manager's first name: ",
    "last_name": "Programme manager's last name: ",
    "email": "E-mail: ",
    "password": "Password: ",
}


class Command(BaseCommand):
    help = "Create the vendor company and the first programme manager; asks for what the options don't say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in QUESTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}")
        parser.add_argument("--country", default="US", help="The vendor's country, two letters (default: US).")

    def handle(self, *_args: Any, **options: Any) -> None:
        if Company.objects.filter(kind=Company.Kind.VENDOR).exists():
            raise CommandError("There is a vendor already: people and companies are added in the admin.")
        answers = {name: options[name] or self._ask(name) for name in QUESTIONS}
        _validate(answers)
        _create(answers, country=options["country"])
        self.stdout.write(f"Created {answers['vendor_name']} and its programme manager {answers['email']}.")

    def _ask(self, name: str) -> str:
        if not sys.stdin.isatty():
            if name == "vendor_name":
                return settings.VENDOR_NAME
            raise CommandError(f"No terminal to ask in: give --{name.replace('_', '-')}.")
        if name == "password":
            return _ask_password()
        return input(QUESTIONS[name]).strip() or (settings.VENDOR_NAME if name == "vendor_name" else "")


def _ask_password() -> str:
    password = getpass(QUESTIONS["password"])
    if getpass("The same again: ") != password:
        raise CommandError("The two passwords differ.")
    return password


def _validate(answers: dict[str, str]) -> None:
    """One line with everything wrong, or nothing."""
    problems = [f"--{name.replace('_', '-')} is empty." for name, answer in answers.items() if not answer]
    person = User(email=answers["email"], first_name=answers["first_name"], last_name=answers["last_name"])
    problems += _complaints(EmailValidator(), answers["email"])
    problems += _complaints(lambda password: validate_password(password, person), answers["password"])
    if User.objects.filter(email=answers["email"].lower()).exists():
        problems.append(f"{answers['email']} has an account already.")
    if problems:
        raise CommandError(" ".join(problems))


def _complaints(check: Callable[[str], None], value: str) -> list[str]:
    try:
        check(value)
    except ValidationError as error:
        return list(error.messages)
    return []


@transaction.atomic
def _create(answers: dict[str, str], *, country: str) -> None:
    """As the system: nobody is there yet who could have done it."""
    who: dict[str, Any] = {"actor": rules.SYSTEM, "now": timezone.now()}
    vendor = services.create_company(name=answers["vendor_name"], country=country, kind=Company.Kind.VENDOR, **who)
    named: dict[str, Any] = {name: answers[name] for name in ("email", "password", "first_name", "last_name")}
    manager = services.create_person(**named, phone="", language="en", time_zone="UTC", **who)
    services.set_membership(user=manager, company=vendor, grants=[rules.Grant(rules.PROGRAMME_MANAGER)], **who)
