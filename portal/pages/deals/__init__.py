"""The list of deals (REF-19, REF-20), on the kit of all lists.

filters  what each filter finds
columns  what a row can show, and the orders
rows     the deals with all that their columns show
fields   the columns of its file
listing  what the list says of itself
"""
