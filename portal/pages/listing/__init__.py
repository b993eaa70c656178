"""The list of deals (REF-19, REF-20): what an address asks for, which rows answer it, and how they are shown.

asked    the address: tab, search, filters, order, page size, and addresses that differ in one of them
filters  what each filter takes, finds and says
keyset   the orders, and where one page ends and the next begins
columns  what a row can show
rows     the deals that answer, with all that their columns show
page     everything the page shows
"""
