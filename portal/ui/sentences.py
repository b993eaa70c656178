"""Django's own sentences about answers it can't take. Both catalogs of ours give them in the portal's words."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _


def ngettext(one: str, many: str) -> tuple[str, str]:
    """Only marks them for the catalogs."""
    return one, many


#: As Django writes them.
SENTENCES = (
    _("This field is required."),
    _("This field cannot be null."),
    _("This field cannot be blank."),
    _("Select a valid choice. %(value)s is not one of the available choices."),
    _("Select a valid choice. That choice is not one of the available choices."),
    _("Enter a list of values."),
    _("Enter a number."),
    _("Enter a whole number."),
    _("Enter a valid date."),
    _("Enter a valid email address."),
    _("Enter a valid URL."),
    _("Enter a valid UUID."),
    _("“%(value)s” is not a valid UUID."),
    _("Enter a valid value."),
    _("Ensure this value is less than or equal to %(limit_value)s."),
    _("Ensure this value is greater than or equal to %(limit_value)s."),
    _("Null characters are not allowed."),
    _("No file was submitted. Check the encoding type on the form."),
    _("No file was submitted."),
    _("The submitted file is empty."),
    _("Your password can’t be too similar to your other personal information."),
    _("The password is too similar to the %(verbose_name)s."),
    _("Your password can’t be a commonly used password."),
    _("This password is too common."),
    _(
        "ManagementForm data is missing or has been tampered with. Missing fields: %(field_names)s. You may need to file a bug report if the issue persists."  # noqa: E501
    ),
)
#: Those that count.
COUNTED = (
    ngettext(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    ngettext(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
    ),
    ngettext(
        "Ensure that there are no more than %(max)s digit in total.",
        "Ensure that there are no more than %(max)s digits in total.",
    ),
    ngettext(
        "Ensure that there are no more than %(max)s decimal place.",
        "Ensure that there are no more than %(max)s decimal places.",
    ),
    ngettext(
        "Ensure that there are no more than %(max)s digit before the decimal point.",
        "Ensure that there are no more than %(max)s digits before the decimal point.",
    ),
    ngettext(
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
    ),
    ngettext(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    ngettext("Please submit at most %(num)d form.", "Please submit at most %(num)d forms."),
    ngettext("Please submit at least %(num)d form.", "Please submit at least %(num)d forms."),
)

#: Words of Django's administration that the portal says otherwise.
WORDS = (
    _("Go"),
    _("Clear all filters"),
    _("Start typing to filter…"),
    _("Filter navigation items"),
)
