"""The API keeps to its own description (OpenAPI), whatever is sent: schemathesis makes the requests of it.

Run it longer with ORTAK_API_EXAMPLES, the requests for each operation.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.failures import FailureGroup
    from schemathesis.specs.openapi import checks

from dealreg.api.inputs import TARGETS
from dealreg.models import Document, Registration
from isvconnect.api.inputs import CORRECTED
from portal.api.http.actions import camel
from portal.api.http.schema import document
from portal.workflow.services import machine_of
from referrals.api.inputs import PATCHED
from referrals.models import Referral
from tests import isv
from tests.api import Api, make_client
from tests.test_api_exceptions import asked
from tests.test_api_isv import value
from tests.test_api_referrals_create import body
from tests.test_roles import World

EXAMPLES = int(os.environ.get("ORTAK_API_EXAMPLES", "15"))
FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: The library's own warnings are none of ours.
pytestmark = pytest.mark.filterwarnings("ignore")

#: No 5xx, and no status, type, header or body that isn't described.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
API = schemathesis.openapi.from_dict(json.loads(document()))
API.app = WSGIHandler()
OPERATIONS = {found.ok().label: found.ok() for found in API.get_all_operations()}
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
#: What one test asks; each has a world of its own.
AREAS = ["/referrals", "/registrations", "/exceptions", "/isvconnect", ""]


def area_of(label: str) -> str:
    return next(area for area in AREAS if area in label)


class Steered:
    """Turns the library's requests towards what there is: else most would end at an id, a path or an action."""

    def __init__(self, world: World) -> None:
        cast = world.cast
        self.clients = [
            Api(make_client(cast.companies["contoso"])),
            Api(make_client(cast.companies["contoso"], client_id="keeper", role="account_admin")),
            Api(make_client(cast.companies["vendor"], role="programme_manager")),
        ]
        deals = [deal for deal in world.deals.values() if isinstance(deal, Referral)]
        self.verbs = {"/referrals": machine_of(deals[0]).verbs}
        registrations = list(Registration.objects.all())
        self.verbs["/registrations"] = machine_of(registrations[0]).verbs
        request = asked(world.live)
        self.verbs["/exceptions"] = machine_of(request).verbs
        isv.rates(cast, now=world.live.now)
        invoiced = isv.invoiced(cast, now=world.live.ago(3), signed=world.live.day(-4), start=world.live.day(-4))
        sales = [isv.deal(cast, now=world.live.now, signed=world.live.day(-1), start=world.live.day(-1)), invoiced]
        self.verbs["/isvconnect"] = machine_of(invoiced).verbs
        self.ids = {
            "/isvconnect/deals": [str(one.public_id) for one in sales],
            "/isvconnect/invoices": [str(one.public_id) for one in invoiced.invoices.all()],
            "/exceptions": [str(request.public_id)],
            "/referrals": [str(one.public_id) for one in deals],
            "/registrations": [str(one.public_id) for one in registrations],
            "/transactions": ["MP-1"],
        }
        self.documents = [str(one.public_id) for one in Document.objects.all()]
        self.deal, self.sale = body(), value(world.live)

    def turn(self, case: Any, draw: Callable[[Any], Any]) -> dict[str, str]:
        """Changes the request, and returns its headers besides."""
        for area, ids in self.ids.items():
            if area in case.path and "id" in case.path_parameters and draw(st.integers(0, 9)):
                case.path_parameters["id"] = draw(st.sampled_from(ids))
        if "document_id" in case.path_parameters and draw(st.booleans()):
            case.path_parameters["document_id"] = draw(st.sampled_from(self.documents))
        if case.media_type in {"application/json", "application/json-patch+json"} and draw(st.integers(0, 3)):
            case.body = self._body(case, draw)
        client = draw(st.sampled_from(self.clients))
        tag = {"If-Match": "*"} if case.method == "PUT" and draw(st.integers(0, 3)) else {}
        return {"Authorization": f"Bearer {client.token}", **tag}

    def _body(self, case: Any, draw: Callable[[Any], Any]) -> Any:
        body = case.body
        if isinstance(body, list) and case.method == "PATCH":
            return [self._operation(one, draw) for one in body]
        if not isinstance(body, dict):
            return body
        if case.path.endswith("/actions"):
            verbs = next((found for area, found in self.verbs.items() if area in case.path), [])
            return {**body, "action": draw(st.sampled_from([*(camel(verb.name) for verb in verbs), "void"]))}
        whole = self.deal if case.path.endswith("/referrals") else self.sale if "/isvconnect" in case.path else {}
        names = sorted(whole) or [""]
        known = names if draw(st.booleans()) else draw(st.lists(st.sampled_from(names), unique=True))
        return {**body, **{name: whole[name] for name in known if name}}

    def _operation(self, one: Any, draw: Callable[[Any], Any]) -> Any:
        paths = [*PATCHED, *TARGETS.values(), *CORRECTED, "registrations/-"]
        return {**one, "path": f"/{draw(st.sampled_from(paths))}"} if isinstance(one, dict) else one


def faults_of(operation: Any, steered: Steered, statuses: Counter[int]) -> str:
    """Sends the operation's requests; what was wrong with the first that failed, or nothing."""
    made = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))

    @FUZZ
    @given(st.data())
    def ask(data: Any) -> None:
        case = data.draw(made)
        headers = steered.turn(case, data.draw)
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except (FailureGroup, AssertionError) as failed:
        return str(failed)
    return ""


@contextmanager
def one_connection() -> Iterator[None]:
    """As Django's own test client has it: a request's end doesn't close the test's connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_the_api_keeps_to_its_description(world: World, area: str, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    steered, statuses, faults = Steered(world), Counter(), {}
    with one_connection():
        for label, operation in OPERATIONS.items():
            if area_of(label) == area and (fault := faults_of(operation, steered, statuses)):
                faults[label] = fault
    print(f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
    assert not faults, "\n\n".join(f"{label}: {fault}" for label, fault in faults.items())
