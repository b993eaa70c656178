"""Insights: what a company's deals of a period came to.

`period` reads the address; `charts` puts what the database answers (`referrals.selectors.figures`) into tables, which
the page shows and draws and the CSV files hold. Other apps add charts of their own (`referrals.web.insights`).
"""
