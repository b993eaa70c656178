"""Who is in the demo: companies, people with their roles, solutions and customers. Tests use the same cast."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password

from portal.accounts import selectors
from portal.accounts import services as accounts
from portal.accounts.models import Company, Location, User
from portal.accounts.rules import SYSTEM, Actor, Grant
from portal.catalog import services as catalog
from portal.catalog.models import Solution
from portal.customers import services as customers
from portal.customers.models import Customer

PASSWORD = "ortak-demo"  # noqa: S105  the demo's, shown on its sign-in page

ISTANBUL, ANKARA, BERLIN, MUNICH, SEATTLE = "Istanbul", "Ankara", "Berlin", "Munich", "Seattle"


@dataclass
class Cast:
    """Everybody and everything by a short name."""

    companies: dict[str, Company] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    solutions: dict[str, Solution] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)

    def actor(self, email: str) -> Actor:
        """The actor this person is in their first company, read anew each time."""
        own = self.users[email].memberships.filter(is_active=True, company__closed_at=None)
        return min(selectors.actors(own), key=lambda actor: actor.company_name)


_LOCATIONS = [
    ("contoso", ISTANBUL, "Istanbul", "TR", "4301001"),
    ("contoso", ANKARA, "Ankara", "TR", "4301002"),
    ("contoso", BERLIN, "Berlin", "DE", "4301003"),
    ("fabrikam", MUNICH, "Munich", "DE", "4302001"),
    ("northwind", SEATTLE, "Seattle", "US", "4303001"),
]

# e-mail, name, company, roles, location, language, zone
_PEOPLE = [
    ("seller@vendor.example", "Sam Seller", "vendor", ["seller"], None, "en", "Europe/London"),
    ("reviewer@vendor.example", "Rita Reviewer", "vendor", ["reviewer"], None, "en", "Europe/London"),
    ("council1@vendor.example", "Clara Council", "vendor", ["council_member"], None, "en", "Europe/London"),
    ("council2@vendor.example", "Carl Council", "vendor", ["council_member"], None, "en", "Europe/London"),
    ("council3@vendor.example", "Chris Council", "vendor", ["council_member"], None, "en", "Europe/London"),
    ("manager@vendor.example", "Mona Manager", "vendor", ["programme_manager"], None, "en", "Europe/London"),
    ("admin@contoso.example", "Ayşe Yönetici", "contoso", ["account_admin"], None, "en", "Europe/Istanbul"),
    ("referrals@contoso.example", "Rüya İpekçi", "contoso", ["referrals_admin"], None, "en", "Europe/Istanbul"),
    ("ankara@contoso.example", "Işıl Çağlar", "contoso", ["referrals_admin"], ANKARA, "tr", "Europe/Istanbul"),
    ("user@contoso.example", "Umut Öztürk", "contoso", ["referrals_user"], None, "en", "Europe/Istanbul"),
    ("viewer@contoso.example", "Vildan Bakar", "contoso", ["viewer"], None, "en", "Europe/Istanbul"),
    ("referrals@fabrikam.example", "Friederike Weiß", "fabrikam", ["referrals_admin"], None, "en", "Europe/Berlin"),
    ("referrals@northwind.example", "Nora North", "northwind", ["referrals_admin"], None, "en", "America/Los_Angeles"),
]

# short name, code, name, publisher, kind, ready, Azure IP, biz-apps
_SOLUTIONS = [
    ("factory", "SOL-10001-CTS", "Contoso Factory Insights", "contoso", "ip", True, True, ""),
    ("retail", "SOL-10002-CTS", "Contoso Perakende Bulutu", "contoso", "ip", True, True, "premium"),
    ("field", "SOL-10003-CTS", "Contoso Field Service", "contoso", "ip", True, False, "standard"),
    ("migration", "SOL-10004-CTS", "Contoso Migration Service", "contoso", "service", True, False, ""),
    ("twin", "SOL-20001-FBK", "Fabrikam Digital Twin", "fabrikam", "ip", True, True, ""),
    ("energy", "SOL-20002-FBK", "Fabrikam Energy Monitor", "fabrikam", "ip", True, False, ""),
    ("consulting", "SOL-30001-NWD", "Northwind Consulting", "northwind", "service", False, False, ""),
    ("azure", "SOL-90001-VND", "Azure Consumption", "vendor", "product", False, False, ""),
    ("power", "SOL-90002-VND", "Power Platform", "vendor", "product", False, False, ""),
]

# short name, name, country, city, address, D-U-N-S, managed
_CUSTOMERS = [
    ("anadolu", "Anadolu Cam Sanayi", "TR", "Istanbul", "Büyükdere Caddesi 101", "510000011", True),
    ("anadolu2", "Anadolu Cam Sanayi", "TR", "Mersin", "Liman Yolu 7", "510000012", False),
    ("ege", "Ege Tekstil A.Ş.", "TR", "Izmir", "Atatürk Bulvarı 55", "510000021", True),
    ("isik", "Işık Lojistik", "TR", "Ankara", "Eskişehir Yolu 9", "510000031", True),
    ("bogaz", "Boğaziçi Gıda", "TR", "Istanbul", "Kısıklı Sokak 3", "510000041", False),
    ("toros", "Toros Enerji", "TR", "Adana", "Seyhan Caddesi 18", "510000051", True),
    ("nordwerk", "Nordwerk Maschinenbau", "DE", "Hamburg", "Hafenstraße 12", "310000011", True),
    ("isar", "Isar Pharma", "DE", "Munich", "Leopoldstraße 40", "310000021", True),
    ("spree", "Spree Versicherung", "DE", "Berlin", "Invalidenstraße 90", "310000031", False),
    ("alpen", "Alpenblick Hotels", "CH", "Zürich", "Seestraße 5", "480000011", True),
    ("thames", "Thamesgate Bank", "GB", "London", "Cannon Street 71", "210000011", True),
    ("fjord", "Fjordlys Shipping", "SE", "Gothenburg", "Hamngatan 4", "350000011", True),
    ("puget", "Puget Outdoor", "US", "Seattle", "Pine Street 400", "110000011", True),
    ("prairie", "Prairie Health", "US", "Chicago", "Lake Street 22", "110000021", False),
]


def create(*, now: datetime) -> Cast:
    """Everybody and everything of the cast, in an empty database."""
    cast = Cast()
    who: dict[str, Any] = {"actor": SYSTEM, "now": now}
    _companies(cast, who)
    _people(cast, who)
    for name, code, title, publisher, kind, ready, azure_ip, biz_apps in _SOLUTIONS:
        cast.solutions[name] = catalog.create_solution(
            code=code,
            name=title,
            publisher=cast.companies[publisher],
            kind=kind,
            published=True,
            co_sell_ready=ready,
            azure_ip=azure_ip,
            biz_apps=biz_apps,
            **who,
        )
    for name, title, country, city, address, duns, managed in _CUSTOMERS:
        cast.customers[name] = customers.create_customer(
            name=title, country=country, city=city, address_line1=address, duns=duns, managed=managed, **who
        )
    catalog.create_assessment_type(code="infrastructure", name="Infrastructure and database assessment", **who)
    catalog.create_assessment_type(code="security", name="Security assessment", **who)
    return cast


def _companies(cast: Cast, who: dict[str, Any]) -> None:
    selectors.forget_vendor_name()
    kinds = Company.Kind
    cast.companies["vendor"] = accounts.create_company(
        name=settings.VENDOR_NAME, country="US", kind=kinds.VENDOR, **who
    )
    for name, title, country in [
        ("contoso", "Contoso Yazılım", "TR"),
        ("fabrikam", "Fabrikam GmbH", "DE"),
        ("northwind", "Northwind Services", "US"),
    ]:
        kind = Company.Kind.VENDOR if name == "vendor" else Company.Kind.PARTNER
        cast.companies[name] = accounts.create_company(name=title, country=country, kind=kind, **who)
    standing: dict[str, Any] = {"top_tier_since": date(2024, 7, 1), "assessments_since": date(2025, 1, 1)}
    cast.companies["contoso"] = accounts.change_company(cast.companies["contoso"], **standing, **who)
    for company, name, city, country, mpn_id in _LOCATIONS:
        cast.locations[name] = accounts.add_location(
            company=cast.companies[company], name=name, city=city, country=country, mpn_id=mpn_id, **who
        )


def _people(cast: Cast, who: dict[str, Any]) -> None:
    password = make_password(PASSWORD)  # once: hashing it thirteen times is most of the work
    for email, name, company, roles, place, language, zone in _PEOPLE:
        first, last = name.split(" ", 1)
        user = User.objects.create(
            email=email,
            first_name=first,
            last_name=last,
            phone="+90 212 555 01 00",
            language=language,
            time_zone=zone,
            password=password,
            is_demo=True,
        )
        cast.users[email] = user
        grants = [Grant(role, cast.locations[place].pk if place else None) for role in roles]
        accounts.set_membership(user=user, company=cast.companies[company], grants=grants, **who)
