"""The value lists of the referrals API (F1.9): ids as they travel on the wire, names as people read them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Ids and names, in the order of the source.
Taxonomy = tuple[tuple[str, "str | Promise"], ...]

# Product names are names: not translated.
PRODUCTS: Taxonomy = (
    ("Azure", "Azure"),
    ("EnterpriseMobilityAndSecurity", "Enterprise Mobility + Security"),
    ("Exchange", "Exchange"),
    ("DeveloperTools", _("Developer tools")),
    ("Dynamics365Business", "Dynamics 365 Business"),
    ("Dynamics365Enterprise", "Dynamics 365 Enterprise"),
    ("DynamicsAX,GP,NAV,SL", "Dynamics AX, GP, NAV, SL"),
    ("Microsoft365", "Microsoft 365"),
    ("Office", "Office"),
    ("PowerBI", "Power BI"),
    ("Project", "Project"),
    ("SharePoint", "SharePoint"),
    ("SkypeForBusiness", "Skype for Business"),
    ("Surface", "Surface"),
    ("SurfaceHub", "Surface Hub"),
    ("SQL", "SQL"),
    ("Teams", "Teams"),
    ("Visio", "Visio"),
    ("Windows", "Windows"),
    ("Yammer", "Yammer"),
)

SERVICES: Taxonomy = (
    ("ConsultingAndProfessional", _("Consulting and professional services")),
    ("CustomSolution(ISV)", _("Custom solution (ISV)")),
    ("DeploymentOrMigration", _("Deployment or migration")),
    ("Hardware", _("Hardware")),
    ("Integration", _("Integration")),
    ("IPServices(ISV)", _("IP services (ISV)")),
    ("LearningAndCertification", _("Learning and certification")),
    ("Licensing", _("Licensing")),
    ("ManagedServices", _("Managed services")),
    ("ProjectServices", _("Project services")),
)

INDUSTRIES: Taxonomy = (
    ("Agriculture, Forestry, & Fishing", _("Agriculture, forestry and fishing")),
    ("Communications & Media", _("Communications and media")),
    ("Education", _("Education")),
    ("Financial Services", _("Financial services")),
    ("Government", _("Government")),
    ("Healthcare", _("Healthcare")),
    ("Hospitality", _("Hospitality")),
    ("Manufacturing", _("Manufacturing")),
    ("Power & Utilities", _("Power and utilities")),
    ("Public Safety and National Security", _("Public safety and national security")),
    ("Retail & Consumer Goods", _("Retail and consumer goods")),
    ("Services", _("Services")),
    ("Travel & Transportation", _("Travel and transportation")),
    ("Wholesale & Distribution", _("Wholesale and distribution")),
)

#: The wire's list overlaps: three coarse bands, then the finer ones.
CUSTOMER_SIZES: Taxonomy = (
    ("1to50employees", _("1 to 50 employees")),
    ("51to500employees", _("51 to 500 employees")),
    ("Morethan500employees", _("More than 500 employees")),
    ("1to9employees", _("1 to 9 employees")),
    ("10to50employees", _("10 to 50 employees")),
    ("51to250employees", _("51 to 250 employees")),
    ("251to1000employees", _("251 to 1,000 employees")),
    ("1001to5000employees", _("1,001 to 5,000 employees")),
    ("5001to10000employees", _("5,001 to 10,000 employees")),
    ("10001to20000employees", _("10,001 to 20,000 employees")),
    ("Morethan20000employees", _("More than 20,000 employees")),
)
