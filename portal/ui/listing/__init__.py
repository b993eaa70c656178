"""The kit of every list (REF-20): the query in an address, the rows that match it, how they are shown, their file.

lists     what a list says of itself, and the registry of all lists
query     tab, search, filters, order, page size, and the addresses of similar queries
filters   the kinds of filters: what each reads from an address, and how it says what it finds
cursor    orders, and the cursor at which the next page begins
columns   what a row can show
cells     the rows as HTML
picked    which rows are ticked
rows      the rows that match a query, page by page
files     the columns of a list's file, and how CSV and Excel get them safely
left      how a person left a list
saved     its views, as its page offers them
menus     what the menus of its page hold
context   the template context of a list's page
page      the answer to a request for it
"""
