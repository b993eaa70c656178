"""The list of deals (REF-19, REF-20): the query in an address, the deals that match it, and how they are shown.

query    tab, search, filters, order, page size, and the addresses of similar queries
filters  what each filter reads, finds and summarises
cursor   the orders, and the cursor at which the next page begins
columns  what a row can show
rows     the deals that match, with all that their columns show
context  the template context of the page
"""
