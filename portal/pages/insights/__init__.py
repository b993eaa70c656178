"""Insights: what a company's deals of a period came to.

`period` reads the address, `figures` asks the database, `charts` puts the answers into tables, which the page shows and
draws and the CSV files hold.
"""
