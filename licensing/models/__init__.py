from licensing.models.invitation import Invitation, InvitationQuerySet, InvitationState
from licensing.models.licences import Assignment, Licences, LicencesQuerySet, PlanCount
from licensing.models.links import EmailCode, LicenceLink
from licensing.models.relationship import Relationship, RelationshipQuerySet, RelationshipState
